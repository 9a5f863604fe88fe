"""How are pregnancy and contraindications of the other organs written in a referral?

Rows of clinical-facts §1.1. SNOMED CT as emitted by Synthea (published concept list) and US SNOMED CT;
ICD-10-CM as patterns over the code without its dot; both well-known.
"""

from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Finding, finding
from clinical.decision import Confidence

BODY: tuple[Finding, ...] = (
    finding(
        "X17",
        "pregnancy",
        (ABS, None),
        "SPRAVATO US prescribing information; Field Trip",
        Confidence.CONFIRMED,
        snomed="72892002 77386006 47200007 237238006 398254007 198992004 15938005 156073000 11687002"
        " 609496007 48194001 237240001 65727000 16356006 60810003",
        icd10="Z33 Z34 Z3A O09 O10 O11 O12 O13 O14 O15 O16 O2 O3 O4 O98 O99",
        words=r"^(?!.*(ectopic|tubal|molar|terminat|test|screen|not pregnant)).*pregnan(t|cy)|eclampsia"
        r"|gestational|antepartum|fetus with|gravid",
    ),
    finding(
        "X17",
        "pregnancy that cannot go on, end not recorded",
        (REL, None),
        "SPRAVATO US prescribing information; Field Trip",
        Confidence.CONFIRMED,
        snomed="79586000 34801009 35999006 44782008 417044008",
        icd10="O00 O01 O02",
        words=r"(tubal|ectopic|molar) pregnancy|blighted ovum|missed (abortion|miscarriage)|hydatidiform",
    ),
    finding(
        "X18",
        "breastfeeding",
        (ABS, None),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="413712001 69840006",
        icd10="Z391 O91 O92",
        words=r"breast ?-?fe(e)?d|lactati(on|ng)\b",
    ),
    finding(
        "X19",
        "hepatic failure",
        (ABS, REL),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="59927004 197270009 235884008 13920009",
        icd10="K72 K7111 K7041 K767",
        words=r"hepatic (failure|encephalopathy|coma)|liver failure|child-?pugh (class )?c",
    ),
    finding(
        "X19",
        "cirrhosis, Child-Pugh class not known",
        (REL, REL),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="19943007 420054005 1761006 89580002 28670008",
        icd10="K703 K743 K744 K745 K746 I85",
        words=r"cirrhosis|(o)?esophageal varic|portal hypertension|child-?pugh",
    ),
    finding(
        "X21",
        "liver disease: more liver injury possible with repeated doses",
        (CAUTION, CAUTION),
        "KETALAR US prescribing information",
        Confidence.CONFIRMED,
        snomed="50711007 128302006 66071002 61977001 40468003 235866006 197321007 442685003 235856003"
        " 328383001",
        icd10="B15 B16 B17 B18 B19 K70 K71 K73 K75 K76",
        words=r"hepatitis|fatty liver|hepatic steatosis|liver disease|steatohepatitis",
    ),
    finding(
        "X22",
        "thyroid storm",
        (ABS, REL),
        "EU SmPC Spravato; Edit Health",
        Confidence.WELL_KNOWN,
        snomed="29028009",
        icd10="E0501 E0511 E0521 E0531 E0541 E0581 E0591",
        words=r"thyroid (storm|crisis)|thyrotoxic (storm|crisis)",
    ),
    finding(
        "X22",
        "hyperthyroidism, treatment not known",
        (REL, None),
        "EU SmPC Spravato; Edit Health",
        Confidence.WELL_KNOWN,
        snomed="34486009 353295004 90739004",
        icd10="E05",
        words=r"hyperthyroid|thyrotoxicosis|graves'? disease",
    ),
    finding(
        "X23",
        "cystitis or unexplained urinary symptoms",
        (REL, None),
        "SPRAVATO US prescribing information; KETALAR US prescribing information",
        Confidence.CONFIRMED,
        snomed="38822007 197834003 267064002 162116003 75088002 49650001 34436003",
        icd10="N30 R300 R309 R31 R33 R350 R391",
        words=r"\bcystitis|bladder pain|ha?ematuria|dysuria|urinary (frequency|urgency)|retention of urine",
    ),
    finding(
        "X24",
        "severe respiratory disease or sleep apnoea, severity not known",
        (REL, None),
        "EU SmPC Spravato",
        Confidence.WELL_KNOWN,
        snomed="185086009 87433001 13645005 195951007 10692761000119107 78275009 73430006 370221004"
        " 426656000 190905008 65710008 67782005 409622000 233703007 700250006 51615001 196125002",
        icd10="J41 J42 J43 J44 J47 J455 J80 J84 J96 E84 G473 I27",
        words=r"\bcopd\b|chronic obstructive|emphysema|sleep apn(o)?ea|severe (persistent )?asthma"
        r"|cystic fibrosis|respiratory (failure|distress syndrome)|interstitial lung|pulmonary fibrosis"
        r"|hypoventilation",
    ),
    finding(
        "X24",
        "asthma, severity not known",
        (CAUTION, None),
        "EU SmPC Spravato",
        Confidence.WELL_KNOWN,
        snomed="195967001 233678006 427603009 427295004 426979002",
        icd10="J45",
        words=r"\basthma",
    ),
    finding(
        "X25",
        "severe obesity recorded",
        (REL, None),
        "Field Trip; Mount Sinai KAP trial",
        Confidence.CONFIRMED,
        snomed="408512008 238136002",
        icd10="E6601 Z6836 Z6837 Z6838 Z6839 Z684",
        words=r"body mass index 40|(morbid|severe)(ly)? obes|obesity class (ii|iii|2|3)",
    ),
    finding(
        "X26",
        "raised intra-ocular pressure or globe injury",
        (REL, CAUTION),
        "KETALAR US prescribing information",
        Confidence.CONFIRMED,
        snomed="23986001 4210003 30041005 77075001",
        icd10="H40 H42 S052 S053 S056",
        words=r"glaucoma|ocular hypertension|(raised|increased) intra-?ocular pressure|(globe"
        r"|eyeball) (injury|rupture)|ruptured globe|penetrating eye",
    ),
    finding(
        "X30",
        "acute porphyria",
        (REL, REL),
        "general anaesthesia references",
        Confidence.UNCERTAIN,
        snomed="418470004 234422006 58275005",
        icd10="E800 E801 E802",
        words=r"porphyri",
    ),
)

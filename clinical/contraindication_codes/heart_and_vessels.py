"""How are contraindications of heart, vessels and circulation written in a referral?

Rows of clinical-facts §1.1. SNOMED CT as emitted by Synthea (published concept list) and US SNOMED CT;
ICD-10-CM as patterns over the code without its dot; both well-known.
"""

from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Finding, Window, finding
from clinical.decision import Confidence

HEART_AND_VESSELS: tuple[Finding, ...] = (
    finding(
        "X02",
        "aneurysmal vascular disease",
        (ABS, ABS),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="432119003 67362008 233985008 433068007 128608001 128609009 308546005",
        icd10="I71 I72 I671 I2541",
        words=r"\baneurysm|aortic dissection|dissection of (the )?aorta",
    ),
    finding(
        "X03",
        "arteriovenous malformation",
        (ABS, ABS),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="24551003 234142008",
        icd10="Q273 Q282",
        words=r"arterio-?venous malformation|\bavm\b",
    ),
    finding(
        "X04",
        "intracerebral haemorrhage",
        (ABS, ABS),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="274100004 1386000 21454007 35486000",
        icd10="I60 I61 I62 S064 S065 S066",
        words=r"(intracerebral|intracranial|cerebral|subarachnoid|subdural|brain)[ a-z]*(ha?emorrhag|bleed"
        r"|ha?ematoma)|ha?emorrhagic (stroke|cerebral)",
    ),
    finding(
        "X05",
        "condition in which a rise of blood pressure is a serious hazard",
        (ABS, REL),
        "KETALAR US prescribing information",
        Confidence.WELL_KNOWN,
        snomed="302835009",
        icd10="C741 D350",
        words=r"pha?eochromocytoma|paraganglioma",
    ),
    finding(
        "X06",
        "hypertensive crisis",
        (ABS, None),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="706882009 132721000119104 443482000",
        icd10="I16",
        words=r"hypertensive (crisis|emergency|urgency)|(malignant|accelerated) hypertension",
    ),
    finding(
        "X06",
        "hypertension: whether it is controlled is judged by the measurement",
        (CAUTION, None),
        "SPRAVATO US prescribing information",
        Confidence.CONFIRMED,
        snomed="38341003 59621000",
        icd10="I10 I11 I12 I13 I15",
        words=r"(?<!pulmonary )(?<!portal )(?<!ocular )(?<!intracranial )hypertensi(on|ve (disorder"
        r"|disease))",
    ),
    finding(
        "X07",
        "myocardial infarction or cardiac arrest",
        (REL, REL),
        "EU SmPC Spravato §4.3",
        Confidence.WELL_KNOWN,
        snomed="22298006 57054005 401303003 401314000 410429000 399211009 429007001",
        icd10="I21 I22 I46 I252 Z8674",
        words=r"myocardial infarct|heart attack|cardiac arrest|\bn?stemi\b|acute coronary syndrome",
        recent=(Window.CARDIAC_EVENT, ABS),
    ),
    finding(
        "X08",
        "unstable heart disease",
        (ABS, REL),
        "EU SmPC Spravato §4.4; NCT07139106",
        Confidence.WELL_KNOWN,
        snomed="4557003 25569003 71908006 27885002 56675007 424404003",
        icd10="I200 I472 I4901 I442 I5021 I5023 I5031 I5033 I5041 I5043",
        words=r"unstable angina|decompensated (chronic )?(congestive )?heart failure"
        r"|acute (on chronic )?[a-z ]*heart failure|ventricular (tachycardia|fibrillation)|complete (av"
        r"|atrio-?ventricular|heart) block|nyha (class )?(iii|iv|3|4)\b",
    ),
    finding(
        "X08",
        "significant heart disease, control not known",
        (REL, CAUTION),
        "EU SmPC Spravato §4.4",
        Confidence.WELL_KNOWN,
        snomed="88805009 84114007 42343007 10335000 417996009 418304008 49436004 5370000 53741008 414545008"
        " 194828000 48724000 60573004 60234000 79619009 91434003 86175003 195042002 233873004 85898001"
        " 399020009 706870000 70995007 32413006",
        icd10="I05 I06 I07 I08 I09 I20 I24 I25 I34 I35 I36 I37 I42 I43 I441 I47 I48 I49 I50 I26 I27 S26"
        " Z941 Z955",
        words=r"heart failure|cardiac failure|atrial (fibrillation|flutter)|arrhythmia|coronary"
        r"|isch(a)?emic heart|angina pectoris|stable angina|cardiomyopathy|(aortic|mitral|tricuspid"
        r"|pulmon\w+) (valve )?(stenosis|regurg|insuff)|valv(e|ular)( heart)? disease|(second|2nd|third"
        r"|3rd) degree (av|atrio|heart)|pulmonary (embol|hypertension)|injury of heart|tachycardia",
    ),
    finding(
        "X09",
        "stroke (a haemorrhage would block), TIA or hypertensive encephalopathy",
        (REL, REL),
        "SPRAVATO US prescribing information §5",
        Confidence.WELL_KNOWN,
        snomed="230690007 266257000 422504002 432504007 275526006 161511000 50490005",
        icd10="I63 I64 G45 I674 I69 Z8673",
        words=r"\bstroke\b|cerebrovascular accident|cerebral infarct|transient isch(a)?emic"
        r"|hypertensive encephalopathy|\bcva\b|\btia\b",
    ),
)

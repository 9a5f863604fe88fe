"""How are contraindications of brain and mind written in a referral?

Rows of clinical-facts §1.1. SNOMED CT as emitted by Synthea (published concept list) and US SNOMED CT;
ICD-10-CM as patterns over the code without its dot; both well-known.
"""

from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Finding, Window, finding
from clinical.decision import Confidence

BRAIN_AND_MIND: tuple[Finding, ...] = (
    finding(
        "X10",
        "raised intracranial pressure, intracranial mass or shunt",
        (ABS, REL),
        "SPRAVATO US prescribing information; NCT05803551",
        Confidence.CONFIRMED,
        snomed="68267002 230745008 126952004 428061005 393564001 254938000",
        icd10="G91 G932 C71 D32 D330 D331 D332 D42 D43 C793 Z982 Q03",
        words=r"(raised|increased|elevated) intracranial pressure|intracranial hypertension"
        r"|pseudotumor cerebri|hydrocephalus|ventriculo-?peritoneal shunt|\bvp shunt|(brain|intracranial"
        r"|cerebral)[ a-z]*(tumou?r|neoplasm|mass)|glioma|glioblastoma|astrocytoma|meningioma"
        r"",
    ),
    finding(
        "X10",
        "Chiari malformation: intracranial pressure to be weighed",
        (REL, REL),
        "SPRAVATO US prescribing information",
        Confidence.DESIGN,
        snomed="373587001",
        icd10="Q070 G935",
        words=r"chiari",
    ),
    finding(
        "X11",
        "schizophrenia, schizoaffective or psychotic disorder",
        (ABS, REL),
        "SPRAVATO US prescribing information; clinic and trial lists",
        Confidence.CONFIRMED,
        snomed="58214004 68890003 69322001 73867007 28475009 48500005",
        icd10="F20 F22 F23 F24 F25 F28 F29 F323 F333 F302 F312 F315 F3164 F060 F062",
        words=r"schizo(phreni|affective|-affective)|psychosis|psychotic|delusional disorder",
    ),
    finding(
        "X12",
        "manic or hypomanic episode",
        (ABS, REL),
        "Hull 2022; clinic lists",
        Confidence.CONFIRMED,
        snomed="231494001 268619003 191618007 68569003 162004",
        icd10="F30 F310 F311 F316",
        words=r"\bmani(a|c)\b(?!.*depressi)|hypomani",
    ),
    finding(
        "X12",
        "bipolar disorder (lifetime mania or hypomania)",
        (REL, REL),
        "Hull 2022; clinic lists",
        Confidence.CONFIRMED,
        snomed="13746004 83225003 371596008 16506000 31446002",
        icd10="F31",
        words=r"bipolar|manic[- ]depressi",
    ),
    finding(
        "X27",
        "seizure disorder, control not known",
        (REL, CAUTION),
        "KETALAR US prescribing information",
        Confidence.CONFIRMED,
        snomed="128613002 84757009 703151001 91175000 313307000 352818000 230456007 246545002 19598007",
        icd10="G40 G41 R561 R569",
        words=r"seizure|epilep|(?<!febrile )convulsion",
    ),
    finding(
        "X28",
        "dementia",
        (ABS, ABS),
        "Toronto Ketamine Clinic; CRTCE",
        Confidence.CONFIRMED,
        snomed="52448006 26929004 230265002 416975007 416780008 429998004 230270009 12348006 312991009"
        " 281004 80098002 278857002 230266001",
        icd10="F01 F02 F03 G30 G310 G318",
        words=r"dementia|alzheimer|lewy bod(y|ies)|pick'?s disease",
    ),
    finding(
        "X28",
        "brain injury, cognitive impairment or disability that may limit consent",
        (REL, CAUTION),
        "Toronto Ketamine Clinic; CRTCE",
        Confidence.CONFIRMED,
        snomed="110359009 127295002 275272006 110030002 62106007 62564004 386805003 386806002 128188000",
        icd10="F70 F71 F72 F73 F78 F79 G3184 S06 F07 F04 G80",
        words=r"intellectual disability|mental retardation|traumatic brain|brain damage|brain injur"
        r"|concussion|cognitive (impairment|disorder|decline)|cerebral palsy",
    ),
    finding(
        "X29",
        "suicide attempt",
        (REL, REL),
        "Psyon; NCT07139106",
        Confidence.CONFIRMED,
        snomed="82313006 287182007 287185009 86849004 287191006 287193009 44301001 248062006",
        icd10="T1491 X7 X80 X81 X82 X83 Z915 T3[6-9]..2 T4...2 T5...2 T6[0-5]..2",
        words=r"suicide attempt|attempted suicide|suicidal (deliberate )?poison|suicide -|self[- ]harm"
        r"|self[- ]inflicted|self[- ]poison|\bsuicide\b(?! (risk|prevent|precaution|care))",
        recent=(Window.SUICIDE_ATTEMPT, ABS),
    ),
    finding(
        "X29",
        "overdose, intent not stated",
        (REL, CAUTION),
        "Psyon; NCT07139106",
        Confidence.CONFIRMED,
        snomed="55680006 7895008",
        icd10="T4[0-3]..[14]",
        words=r"overdose",
    ),
    finding(
        "X29",
        "suicidal intent or plan",
        (ABS, REL),
        "Psyon; NCT07139106",
        Confidence.CONFIRMED,
        snomed="304594002",
        words=r"suicid\w+ (intent|plan)",
    ),
    finding(
        "X29",
        "suicidal thoughts or risk",
        (REL, CAUTION),
        "Psyon; NCT07139106",
        Confidence.CONFIRMED,
        snomed="6471006 225444004 267073005 394685004 425104003",
        icd10="R45851",
        words=r"suicid(al|e) (idea|thought|risk|tend)|(at risk for|feeling) suicid",
    ),
    finding(
        "X34",
        "personality disorder, severity not known",
        (REL, CAUTION),
        "Psyon",
        Confidence.CONFIRMED,
        snomed="33449004 20010003 26665006 231527003",
        icd10="F60 F61 F69",
        words=r"personality disorder",
    ),
)

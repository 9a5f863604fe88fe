"""How are substance use and a family history of psychosis written in a referral?

Rows of clinical-facts §1.1. SNOMED CT as emitted by Synthea (published concept list) and US SNOMED CT;
ICD-10-CM as patterns over the code without its dot; both well-known.
"""

from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Finding, Window, finding
from clinical.decision import Confidence

SUBSTANCES: tuple[Finding, ...] = (
    finding(
        "X14",
        "alcohol or substance use disorder",
        (ABS, CAUTION),
        "CRTCE; Field Trip; Mount Sinai KAP trial",
        Confidence.CONFIRMED,
        snomed="7200002 15167005 66590003 284591009 5602001 75544000 6525002 26416006 191816009 31956009"
        " 78267003 37344009 85005007 66214007 84758004 32875003 64386003",
        icd10="F10 F11 F12 F13 F14 F15 F18 F19",
        words=r"alcohol\w* (abuse|depend|use disorder|addict)|alcoholism|(opioid|opiate|drug|substance"
        r"|heroin|cocaine|cannabis|marijuana|amphetamine|stimulant|sedative|benzodiazepine"
        r"|inhalant)s?( \w+)? (abuse|depend|use disorder|addict|misuse disorder)|addiction"
        r"|dependent drug abuse",
        recent=(Window.SUBSTANCE, ABS),
    ),
    finding(
        "X15",
        "drug misuse or overdose without a recorded disorder",
        (REL, CAUTION),
        "CRTCE; Field Trip",
        Confidence.CONFIRMED,
        snomed="361055000 55680006 307052004 10939881000119104",
        icd10="Z722 T40..[14]",
        words=r"misuses? drugs?|drug misuse|illicit|overdose|recreational drug|unhealthy alcohol"
        r"|hazardous (alcohol|drinking)",
        recent=(Window.SUBSTANCE, REL),
    ),
    finding(
        "X16",
        "ketamine or phencyclidine misuse",
        (REL, REL),
        "Mount Sinai KAP trial; NCT07139106",
        Confidence.CONFIRMED,
        snomed="7071007",
        icd10="F16",
        words=r"(ketamine|phencyclidine|\bpcp\b|hallucinogen).*(abuse|misuse|use disorder)|(abuse"
        r"|misuse) of (ketamine|phencyclidine)",
    ),
    finding(
        "X16",
        "ketamine or phencyclidine dependence",
        (ABS, ABS),
        "Mount Sinai KAP trial; NCT07139106",
        Confidence.CONFIRMED,
        icd10="F162",
        words=r"(ketamine|phencyclidine|hallucinogen).*(depend|addict)",
    ),
    finding(
        "X13",
        "psychotic disorder in the family",
        (REL, REL),
        "NCT07139106; Psyon",
        Confidence.CONFIRMED,
        words=r"family history.*(schizo|psycho(sis|tic))",
    ),
)

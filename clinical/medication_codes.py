"""How is an interacting medicine recognised: by RxNorm code, or by its name?

One row for each class of clinical-facts §1.2, with what the engine does about it. Names are matched as whole
words in whatever the sender wrote, brand or generic; RxNorm codes are ingredients, and the products that
Synthea emits (published concept list). Ingredient codes and brand names are well-known.
"""

import re
from dataclasses import dataclass

from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Strength
from clinical.decision import Confidence
from clinical.protocol import Route

C, W, U, D = Confidence.CONFIRMED, Confidence.WELL_KNOWN, Confidence.UNCERTAIN, Confidence.DESIGN
KET = "KETALAR US prescribing information"


@dataclass(frozen=True, slots=True)
class DrugClass:
    """`routes` limits the row to some routes of administration of ketamine; None means every route."""

    rule: str
    what: str
    counts: Strength
    source: str
    confidence: Confidence
    rxnorm: frozenset[str]
    names: re.Pattern[str]
    routes: frozenset[Route] | None


def _drugs(
    rule: str,
    what: str,
    counts: Strength,
    source: str,
    confidence: Confidence,
    names: str,
    *,
    rxnorm: str = "",
    routes: frozenset[Route] | None = None,
) -> DrugClass:
    pattern = re.compile(rf"\b({'|'.join(names.split())})", re.IGNORECASE)
    return DrugClass(rule, what, counts, source, confidence, frozenset(rxnorm.split()), pattern, routes)


_ORAL = frozenset({Route.SL})
_NOT_ORAL = frozenset(Route) - _ORAL

_INHIBITORS = (
    "clarithromycin ketoconazole itraconazole voriconazole posaconazole fluconazole ritonavir cobicistat"
    " nefazodone"
    " verapamil diltiazem erythromycin grapefruit ticlopidine clopidogrel paxlovid plavix calan cardizem"
)
_INHIBITOR_CODES = "21212 6135 28031 121243 4450 85762 11170 3443 4053 10594 32968 897718 309362 597730"

DRUG_CLASSES: tuple[DrugClass, ...] = (
    _drugs(
        "MED-BENZODIAZEPINE",
        "benzodiazepine: added sedation, may blunt the effect; the prescriber decides on timing, never stop"
        " abruptly",
        REL,
        f"{KET}; Veraart 2021; Andrade 2017",
        C,
        "diazepam valium alprazolam xanax lorazepam ativan clonazepam klonopin temazepam restoril midazolam"
        " oxazepam"
        " chlordiazepoxide librium clorazepate flurazepam triazolam halcion estazolam clobazam nitrazepam"
        " bromazepam",
        rxnorm="3322 596 6470 2598 10355 6960 7781 2356 2353 4501 10767 4077 21241 563026 1153378 197591"
        " 204892 238100"
        " 309845 311700",
    ),
    _drugs(
        "MED-DEPRESSANT",
        "opioid, sedative or other depressant: profound sedation and respiratory depression; hold on the"
        " day until"
        " the prescriber has reviewed it",
        REL,
        f"{KET}; SPRAVATO US prescribing information",
        C,
        r"oxycodone oxycontin percocet hydrocodone vicodin norco codeine morphine hydromorphone dilaudid"
        r" oxymorphone"
        r" fentanyl sufentanil alfentanil remifentanil tramadol tapentadol meperidine demerol methadone"
        r" buprenorphine"
        r" suboxone zolpidem ambien zaleplon eszopiclone lunesta suvorexant phenobarbital primidone"
        r" butalbital"
        r" secobarbital pentobarbital carisoprodol sodium.oxybate xyrem propofol",
        rxnorm="7804 5489 2670 7052 3423 7814 4337 10689 787390 6754 6813 1819 39993 74667 461016 8134 8691"
        " 8782"
        " 1049221 1049504 1049625 1049635 1049683 1860154 1860491 245134 835603 856980 856987 857005 861467"
        " 864706"
        " 864718 993770 351266 1732136 1735006 1723208 1729584 1809104 1808217",
    ),
    _drugs(
        "MED-SEDATING",
        "gabapentinoid, sedating antihistamine or muscle relaxant: adds to sedation, ask about use on the"
        " day",
        CAUTION,
        f"{KET} (class); gabapentinoids well-known",
        W,
        "gabapentin neurontin pregabalin lyrica diphenhydramine doxylamine hydroxyzine promethazine"
        " cyclobenzaprine"
        " baclofen tizanidine trazodone mirtazapine",
        rxnorm="25480 187832 3498 3642 5553 8745 21949 1292 57258 10737 15996 483438 1049630",
    ),
    _drugs(
        "MED-LAMOTRIGINE",
        "lamotrigine: may attenuate the effect; the prescriber decides on timing",
        REL,
        "Veraart 2021",
        C,
        "lamotrigine lamictal",
        rxnorm="28439",
    ),
    _drugs(
        "MED-MAOI",
        "MAO inhibitor: take an extra blood pressure reading",
        CAUTION,
        "Veraart 2021; SPRAVATO REMS monitoring form",
        C,
        "phenelzine nardil tranylcypromine parnate isocarboxazid marplan selegiline rasagiline safinamide"
        " moclobemide"
        " linezolid",
        rxnorm="8123 10734 6011 9639 134748 190376",
    ),
    _drugs(
        "MED-STIMULANT",
        "psychostimulant: ask about use on the day, take an extra blood pressure reading",
        CAUTION,
        "SPRAVATO REMS monitoring form",
        C,
        r"amphetamine dextroamphetamine adderall lisdexamfetamine vyvanse methamphetamine methylphenidate"
        r" ritalin"
        r" concerta dexmethylphenidate focalin modafinil armodafinil provigil nuvigil phentermine",
        rxnorm="725 3288 700810 6816 6901 352372 30125 722330 8152 1091392",
    ),
    _drugs(
        "MED-CYP-INHIBITOR",
        "CYP3A4 or CYP2B6 inhibitor: higher exposure, review the dose",
        CAUTION,
        "Andrade 2017 (class); Hagelberg and Peltoniemi 2010-12 (names)",
        W,
        _INHIBITORS,
        rxnorm=_INHIBITOR_CODES,
        routes=_NOT_ORAL,
    ),
    _drugs(
        "MED-CYP-INHIBITOR",
        "CYP3A4 or CYP2B6 inhibitor: much higher exposure by mouth, the prescriber reviews the dose",
        REL,
        "Andrade 2017 (class); Hagelberg and Peltoniemi 2010-12 (names)",
        W,
        _INHIBITORS,
        rxnorm=_INHIBITOR_CODES,
        routes=_ORAL,
    ),
    _drugs(
        "MED-CYP-INDUCER",
        "CYP3A4 or CYP2B6 inducer: lower exposure",
        CAUTION,
        "Andrade 2017 (class); names well-known",
        W,
        r"rifampi(n"
        r"|cin) rifapentine carbamazepine tegretol phenytoin dilantin fosphenytoin phenobarbital primidone"
        r" st\.?.john'?s.wort hypericum efavirenz",
        rxnorm="9384 2002 8183 8134 8691 195085 258326 308971",
    ),
    _drugs(
        "MED-THEOPHYLLINE",
        "theophylline or aminophylline: lowers the seizure threshold, must not be given together",
        ABS,
        KET,
        C,
        "theophylline aminophylline theo-24 uniphyl",
        rxnorm="10438 689",
    ),
    _drugs(
        "MED-SYMPATHOMIMETIC",
        "sympathomimetic or vasopressin: adds to blood pressure and heart rate, monitor closely",
        CAUTION,
        KET,
        C,
        "pseudoephedrine ephedrine phenylephrine epinephrine epipen norepinephrine midodrine droxidopa"
        " vasopressin",
        rxnorm="8896 3966 8163 3992 7512 6963 11149 1870230 1660014 242969",
    ),
    _drugs(
        "MED-NASAL",
        "nasal corticosteroid or decongestant: give it at least one hour before esketamine",
        CAUTION,
        "spravatohcp.com dosing",
        C,
        r"oxymetazoline xylometazoline flonase nasonex nasacort rhinocort .*\b(nasal|nasal.spray)\b",
        routes=frozenset({Route.NASAL}),
    ),
    _drugs(
        "MED-ANTIPSYCHOTIC",
        "antipsychotic: clozapine blunts the psychotomimetic effect, others conflict; ask what it is given"
        " for",
        CAUTION,
        "Veraart 2021",
        C,
        "clozapine haloperidol risperidone olanzapine quetiapine aripiprazole ziprasidone lurasidone"
        " paliperidone"
        " chlorpromazine fluphenazine perphenazine cariprazine brexpiprazole",
        rxnorm="2626 5093 35636 61381 51272 89013 115698 1040028 679314 2403 4496 8076 1667655 1658314",
    ),
    _drugs(
        "MED-OPIOID-SYSTEM",
        "naltrexone, buprenorphine or methadone: may block the effect (contested)",
        CAUTION,
        "Williams, AJP 2018",
        U,
        "naltrexone vivitrol buprenorphine suboxone methadone",
        rxnorm="7243 1819 6813 1483744 351266 864706 864718",
    ),
    _drugs(
        "MED-NMDA",
        "another NMDA antagonist: additive or unknown; trials exclude memantine",
        REL,
        "NCT05803551",
        C,
        "memantine namenda namzaric dextromethorphan auvelity nuedexta amantadine",
        rxnorm="6719 3289 620 1599803 996740 1043400",
    ),
    _drugs(
        "MED-KETAMINE",
        "ketamine or esketamine is already prescribed: doses elsewhere count",
        REL,
        "facts §3.1 G4",
        D,
        r"(es)?ketamine ketalar spravato",
        rxnorm="6130 2119365",
    ),
    _drugs(
        "MED-THYROID",
        "thyroid hormone: older reports of hypertension and tachycardia",
        CAUTION,
        "older product monographs",
        U,
        "levothyroxine synthroid liothyronine cytomel thyroid",
        rxnorm="10582 10814 966222",
    ),
)

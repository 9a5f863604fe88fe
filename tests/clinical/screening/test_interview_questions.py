"""Does every answer of the clinician's history count as the table says?"""

from datetime import date, timedelta
from typing import Any

import pytest

from clinical.decision import Verdict
from clinical.interview_questions import answered_no, interview_findings, may_be_pregnant
from clinical.patient_record import Answer, HepaticImpairment, Interview, Person, Sex
from clinical.protocol import Protocol
from tests.clinical.screening.complete_facts import NOW, an_interview, days_ago

MAN = Person(birth_date=date(1984, 5, 1), sex=Sex.MALE)
WOMAN = Person(birth_date=date(1984, 5, 1), sex=Sex.FEMALE)
REFUSE, REVIEW, CAUTION = Verdict.REFUSE, Verdict.REVIEW, Verdict.CAUTION


def found(protocol: Protocol, person: Person = MAN, **changed: Any) -> list[tuple[str, Verdict]]:
    reasons = interview_findings(an_interview(**changed), person, protocol, NOW)
    return [(reason.rule, reason.verdict) for reason in reasons]


def test_good_answers_are_no_reasons(protocol: Protocol) -> None:
    assert found(protocol) == []
    assert found(protocol, WOMAN) == []


@pytest.mark.parametrize(
    ("field", "answer", "expected"),
    [
        ("ketamine_allergy", Answer.YES, ("X01", REFUSE)),
        ("aneurysm", Answer.YES, ("X02", REFUSE)),
        ("arteriovenous_malformation", Answer.YES, ("X03", REFUSE)),
        ("intracerebral_haemorrhage", Answer.YES, ("X04", REFUSE)),
        ("pressure_rise_hazard", Answer.YES, ("X05", REFUSE)),
        ("unstable_heart_disease", Answer.YES, ("X08", REFUSE)),
        ("significant_heart_disease", Answer.YES, ("X08", REVIEW)),
        ("stroke_or_tia", Answer.YES, ("X09", REVIEW)),
        ("raised_intracranial_pressure", Answer.YES, ("X10", REFUSE)),
        ("psychosis_current", Answer.YES, ("X11", REFUSE)),
        ("psychosis_past", Answer.YES, ("X11", REVIEW)),
        ("mania_current", Answer.YES, ("X12", REFUSE)),
        ("mania_lifetime", Answer.YES, ("X12", REVIEW)),
        ("family_psychosis", Answer.YES, ("X13", REVIEW)),
        ("substance_use_disorder_active", Answer.YES, ("X14", REFUSE)),
        ("illicit_use", Answer.YES, ("X15", REVIEW)),
        ("ketamine_misuse", Answer.YES, ("X16", REVIEW)),
        ("ketamine_dependence", Answer.YES, ("X16", REFUSE)),
        ("hyperthyroidism_untreated", Answer.YES, ("X22", REFUSE)),
        ("cystitis_or_urinary_symptoms", Answer.YES, ("X23", REVIEW)),
        ("severe_respiratory_disease", Answer.YES, ("X24", REVIEW)),
        ("raised_intraocular_pressure", Answer.YES, ("X26", REVIEW)),
        ("seizures_uncontrolled", Answer.YES, ("X27", REVIEW)),
        ("dementia", Answer.YES, ("X28", REFUSE)),
        ("brain_injury_or_intellectual_disability", Answer.YES, ("X28", REVIEW)),
        ("suicidal_intent_or_plan", Answer.YES, ("X29", REFUSE)),
        ("suicide_attempt_recent", Answer.YES, ("X29", REFUSE)),
        ("porphyria", Answer.YES, ("X30", REVIEW)),
        ("capacity", Answer.NO, ("X32", REFUSE)),
        ("consent_able", Answer.NO, ("X32", REFUSE)),
        ("escort_available", Answer.NO, ("X33", CAUTION)),
        ("severe_personality_disorder", Answer.YES, ("X34", REVIEW)),
        ("ketamine_failure_or_reaction", Answer.YES, ("X35", REVIEW)),
    ],
)
def test_each_bad_answer(
    protocol: Protocol, field: str, answer: Answer, expected: tuple[str, Verdict]
) -> None:
    assert found(protocol, MAN, **{field: answer}) == [expected]


@pytest.mark.parametrize(
    ("impairment", "expected"),
    [
        (HepaticImpairment.NONE, []),
        (HepaticImpairment.MILD, []),
        (HepaticImpairment.MODERATE, [("X20", CAUTION)]),
        (HepaticImpairment.SEVERE, [("X19", REFUSE)]),
        (HepaticImpairment.UNKNOWN, [("NEED-HEPATIC-IMPAIRMENT", REVIEW)]),
    ],
)
def test_liver_by_child_pugh(
    protocol: Protocol, impairment: HepaticImpairment, expected: list[tuple[str, Verdict]]
) -> None:
    assert found(protocol, hepatic_impairment=impairment) == expected


@pytest.mark.parametrize(
    ("on", "verdict"),
    [
        (NOW.date(), REFUSE),
        (NOW.date() - timedelta(days=42), REFUSE),
        (NOW.date() - timedelta(days=43), REVIEW),
        (date(1997, 12, 22), REVIEW),
        (None, REVIEW),
    ],
)
def test_a_cardiac_event(protocol: Protocol, on: date | None, verdict: Verdict) -> None:
    assert found(protocol, cardiac_event=Answer.YES, cardiac_event_on=on) == [("X07", verdict)]


@pytest.mark.parametrize(
    ("treated", "verdict"), [(Answer.YES, CAUTION), (Answer.NO, REVIEW), (Answer.UNKNOWN, REVIEW)]
)
def test_sleep_apnoea(protocol: Protocol, treated: Answer, verdict: Verdict) -> None:
    assert found(protocol, sleep_apnoea=Answer.YES, sleep_apnoea_treated=treated) == [("X24", verdict)]


@pytest.mark.parametrize(
    ("completed_at", "expected"),
    [
        (days_ago(90), []),
        (days_ago(91), ["NEED-INTERVIEW"]),
        (days_ago(-1), ["NEED-INTERVIEW"]),
        (None, ["NEED-INTERVIEW"]),
    ],
)
def test_a_history_is_valid_for_its_time(
    protocol: Protocol, completed_at: object, expected: list[str]
) -> None:
    assert [rule for rule, _ in found(protocol, completed_at=completed_at)] == expected


@pytest.mark.parametrize(
    ("person", "answer", "expected"),
    [
        (MAN, Answer.UNKNOWN, False),
        (MAN, Answer.YES, True),
        (WOMAN, Answer.UNKNOWN, True),
        (WOMAN, Answer.YES, True),
        (WOMAN, Answer.NO, False),
        (Person(birth_date=date(1984, 5, 1)), Answer.UNKNOWN, True),
        (Person(sex=Sex.FEMALE), Answer.UNKNOWN, True),
        (Person(birth_date=date(1970, 11, 23), sex=Sex.FEMALE), Answer.UNKNOWN, True),
        (Person(birth_date=date(1970, 11, 22), sex=Sex.FEMALE), Answer.UNKNOWN, False),
        (Person(birth_date=date(2015, 11, 22), sex=Sex.FEMALE), Answer.UNKNOWN, False),
    ],
)
def test_who_may_be_pregnant(protocol: Protocol, person: Person, answer: Answer, expected: bool) -> None:
    asked = Interview(pregnancy_possible=answer)
    assert may_be_pregnant(person, asked, protocol.screening, NOW) is expected


def test_who_may_be_pregnant_is_asked_more(protocol: Protocol) -> None:
    possible = {"pregnancy_possible": Answer.YES}
    assert found(protocol, WOMAN, **possible) == []
    assert found(protocol, WOMAN, **possible, trying_to_conceive=Answer.YES) == [("X17", REFUSE)]
    assert found(protocol, WOMAN, **possible, breastfeeding=Answer.YES) == [("X18", REFUSE)]
    assert found(protocol, WOMAN, **possible, breastfeeding=Answer.UNKNOWN) == [
        ("NEED-BREASTFEEDING", REVIEW)
    ]
    assert found(protocol, WOMAN, pregnancy_possible=Answer.UNKNOWN) == [("NEED-PREGNANCY-POSSIBLE", REVIEW)]


def test_breastfeeding_counts_whoever_may_not_be_pregnant(protocol: Protocol) -> None:
    assert found(protocol, WOMAN, breastfeeding=Answer.YES) == [("X18", REFUSE)]


def test_a_rule_is_denied_only_when_all_its_questions_are() -> None:
    assert answered_no("X11", an_interview())
    assert not answered_no("X11", an_interview(psychosis_past=Answer.UNKNOWN))
    assert answered_no("X07", an_interview())
    assert not answered_no("X07", an_interview(cardiac_event=Answer.YES))
    assert not answered_no("X06", an_interview())
    assert not answered_no("X32", an_interview())

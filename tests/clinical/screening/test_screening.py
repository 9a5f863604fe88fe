"""Does screening answer eligible only when nothing objects and nothing is missing?"""

from datetime import date, timedelta

import pytest

from clinical.decision import Verdict
from clinical.instruments.answers import InstrumentId, InstrumentResult, RiskLevel
from clinical.patient_record import (
    Answer,
    ClinicalRecord,
    HepaticImpairment,
    MeasurementCode,
    Medication,
    Person,
    ScreeningFacts,
    Sex,
    Unreadable,
)
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from clinical.screening import (
    Eligibility,
    Override,
    ScreeningResult,
    baseline_values,
    eligibility,
    triage,
    with_overrides,
)
from tests.clinical.screening.complete_facts import (
    NOW,
    a_condition,
    a_measurement,
    a_record,
    an_interview,
    days_ago,
    facts,
    vitals,
    work_up,
)

ELIGIBLE, NEEDS_REVIEW, INELIGIBLE = Eligibility
EPILEPSY = a_condition("84757009", "Epilepsy")
DEMENTIA = a_condition("26929004", "Alzheimer's disease")


def screened(
    protocol: Protocol, everything: ScreeningFacts, indication: Indication = Indication.DEPRESSION
) -> ScreeningResult:
    return eligibility(everything, protocol, indication, NOW)


def an_override(rule: str = "X27", role: Role = Role.PRESCRIBER, days: float = 90) -> Override:
    return Override(rule=rule, reason="no seizure for ten years", by_role=role, expires_at=days_ago(-days))


@pytest.mark.parametrize("indication", list(Indication))
def test_eligible_when_everything_is_known_and_nothing_objects(
    protocol: Protocol, indication: Indication
) -> None:
    result = screened(protocol, facts(), indication)
    assert result.decision is ELIGIBLE
    assert result.missing == ()
    assert {reason.verdict for reason in result.reasons} <= {Verdict.CAUTION}


def test_a_relative_finding_waits_for_a_prescriber(protocol: Protocol) -> None:
    result = screened(protocol, facts(record=a_record(conditions=(EPILEPSY,))))
    assert result.decision is NEEDS_REVIEW
    assert result.missing == ()
    assert result.reasons[0].rule == "X27"


def test_an_absolute_finding_makes_ineligible_and_comes_first(protocol: Protocol) -> None:
    result = screened(protocol, facts(record=a_record(conditions=(EPILEPSY, DEMENTIA))))
    assert result.decision is INELIGIBLE
    assert result.reasons[0].rule == "X28"
    assert "X27" in {reason.rule for reason in result.reasons}


@pytest.mark.parametrize("absent", ["interview", "vitals", "instruments", "work_up"])
def test_nothing_known_is_never_eligible(protocol: Protocol, absent: str) -> None:
    empty: object = {"interview": None, "instruments": {}}.get(absent, ())
    result = screened(protocol, facts(**{absent: empty}))
    assert result.decision is NEEDS_REVIEW
    assert result.missing


def test_a_person_without_a_referral_is_screened_on_the_interview_alone(protocol: Protocol) -> None:
    nobody = ClinicalRecord(person=Person())
    assert "age" in screened(protocol, facts(record=nobody)).missing
    asked = an_interview(birth_date=date(1984, 5, 1), sex=Sex.MALE)
    assert screened(protocol, facts(record=nobody, interview=asked)).decision is ELIGIBLE


def test_where_referral_and_interview_disagree_about_the_person_somebody_looks(protocol: Protocol) -> None:
    asked = an_interview(birth_date=date(1985, 5, 1), sex=Sex.FEMALE)
    result = screened(protocol, facts(interview=asked))
    assert result.decision is NEEDS_REVIEW
    assert [r.rule for r in result.reasons if r.verdict is Verdict.REVIEW] == [
        "CONTRADICTION",
        "CONTRADICTION",
    ]


def test_an_inexact_birth_date_is_replaced_by_the_one_asked(protocol: Protocol) -> None:
    vague = Person(birth_date=date(2008, 1, 1), birth_precision="year", sex=Sex.MALE)
    record = ClinicalRecord(person=vague)
    assert screened(protocol, facts(record=record)).decision is NEEDS_REVIEW
    asked = an_interview(birth_date=date(2008, 2, 1))
    assert screened(protocol, facts(record=record, interview=asked)).decision is ELIGIBLE


def test_a_denied_finding_of_the_referral_stays_and_is_pointed_out(protocol: Protocol) -> None:
    result = screened(protocol, facts(record=a_record(conditions=(EPILEPSY,))))
    texts = [reason.text for reason in result.reasons if reason.rule == "X27"]
    assert any("disagree" in text for text in texts)
    admitted = an_interview(seizures_uncontrolled=Answer.YES)
    texts = [
        reason.text
        for reason in screened(
            protocol, facts(record=a_record(conditions=(EPILEPSY,)), interview=admitted)
        ).reasons
    ]
    assert not any("disagree" in text for text in texts)


def test_what_was_not_understood_waits_for_a_person(protocol: Protocol) -> None:
    odd = Unreadable(pointer="/entry/3/resource/valueQuantity", text="furlong is not a unit of weight")
    result = screened(protocol, facts(record=a_record(unreadable=(odd,))))
    assert result.decision is NEEDS_REVIEW
    assert [(r.rule, r.source) for r in result.reasons if r.verdict is Verdict.REVIEW] == [
        ("UNREADABLE", f"referral {odd.pointer}")
    ]


def test_the_latest_value_counts_wherever_it_was_measured(protocol: Protocol) -> None:
    old_crisis = a_measurement(MeasurementCode.SYSTOLIC, 197, "mm[Hg]", days_ago(900))
    assert screened(protocol, facts(record=a_record(measurements=(old_crisis,)))).decision is ELIGIBLE
    without = facts(record=a_record(measurements=(old_crisis,)), vitals=vitals(systolic=None))
    assert screened(protocol, without).decision is INELIGIBLE


def test_an_ecg_is_due_from_an_age_and_with_heart_disease(protocol: Protocol) -> None:
    no_ecg = work_up(ecg=None)
    assert screened(protocol, facts(work_up=no_ecg)).decision is ELIGIBLE
    older = a_record(person=Person(birth_date=date(1976, 11, 22), sex=Sex.MALE))
    assert screened(protocol, facts(record=older, work_up=no_ecg)).missing == ("ecg",)
    unwell = a_record(conditions=(a_condition("49436004"),))
    assert screened(protocol, facts(record=unwell, work_up=no_ecg)).missing == ("ecg",)
    treated = a_record(conditions=(a_condition("38341003"),))
    assert screened(protocol, facts(record=treated, work_up=no_ecg)).missing == ()


def test_a_woman_needs_a_pregnancy_test_unless_pregnancy_is_excluded(protocol: Protocol) -> None:
    woman = a_record(person=Person(birth_date=date(1984, 5, 1), sex=Sex.FEMALE))
    untested = work_up(pregnancy_test=None)
    asked = an_interview(pregnancy_possible=Answer.YES)
    assert screened(protocol, facts(record=woman, interview=asked, work_up=untested)).missing == (
        "pregnancy-test",
    )
    unknown = an_interview(pregnancy_possible=Answer.UNKNOWN)
    result = screened(protocol, facts(record=woman, interview=unknown, work_up=untested))
    assert set(result.missing) == {"pregnancy-possible", "pregnancy-test"}
    assert screened(protocol, facts(record=woman, work_up=untested)).decision is ELIGIBLE


def test_triage_never_makes_eligible_and_lists_what_is_missing(protocol: Protocol) -> None:
    result = triage(a_record(), protocol, NOW)
    assert result.decision is NEEDS_REVIEW
    assert result.reasons == ()
    assert {"interview", "weight", "phq-9", "indication", "ecg"} - set(result.missing) == {"ecg"}


def test_triage_settles_what_the_referral_settles(protocol: Protocol) -> None:
    result = triage(a_record(conditions=(EPILEPSY, DEMENTIA)), protocol, NOW)
    assert result.decision is INELIGIBLE
    assert [reason.rule for reason in result.reasons] == ["X28", "X27"]


def test_triage_keeps_old_values_with_their_age(protocol: Protocol) -> None:
    old = a_measurement(MeasurementCode.WEIGHT, 80, "kg", days_ago(500))
    (reason,) = triage(a_record(measurements=(old,)), protocol, NOW).reasons
    assert (reason.rule, reason.value, reason.unit, reason.age_hours) == ("NEED-WEIGHT", "80.0", "kg", 12000)


def test_triage_for_an_indication_asks_for_its_forms(protocol: Protocol) -> None:
    without, with_one = (
        triage(a_record(), protocol, NOW),
        triage(a_record(), protocol, NOW, Indication.DEPRESSION),
    )
    assert "indication" in without.missing
    assert "antidepressant-trials" in with_one.missing


def test_a_protocol_without_forms_for_the_indication_is_never_enough(protocol: Protocol) -> None:
    bare = protocol.model_copy(update={"baseline_instruments": {}})
    assert screened(bare, facts()).missing == ("baseline-instruments",)
    assert triage(a_record(), bare, NOW).decision is NEEDS_REVIEW


def test_an_override_clears_a_relative_finding(protocol: Protocol) -> None:
    result = screened(protocol, facts(record=a_record(conditions=(EPILEPSY,))))
    cleared = with_overrides(result, (an_override(),), NOW)
    assert cleared.decision is ELIGIBLE
    assert any("no seizure for ten years" in reason.text for reason in cleared.reasons)


@pytest.mark.parametrize(
    "override",
    [
        an_override(rule="X09"),
        an_override(role=Role.NURSE),
        an_override(role=Role.COORDINATOR),
        an_override(days=0),
        an_override(days=-1),
    ],
)
def test_an_override_of_another_rule_role_or_time_does_nothing(
    protocol: Protocol, override: Override
) -> None:
    result = screened(protocol, facts(record=a_record(conditions=(EPILEPSY,))))
    assert with_overrides(result, (override,), NOW) == result


def test_no_override_clears_what_blocks_or_what_is_missing(protocol: Protocol) -> None:
    blocked = screened(protocol, facts(record=a_record(conditions=(DEMENTIA,))))
    assert with_overrides(blocked, (an_override("X28"),), NOW).decision is INELIGIBLE
    lacking = screened(protocol, facts(vitals=vitals(weight=None)))
    cleared = with_overrides(lacking, (an_override("NEED-WEIGHT"),), NOW)
    assert cleared.decision is NEEDS_REVIEW
    assert cleared.missing == ("weight",)


def test_an_override_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Override(rule="X27", reason="  ", by_role=Role.PRESCRIBER, expires_at=NOW + timedelta(days=1))


def test_facts_are_gathered_from_what_a_screening_collected() -> None:
    phq9 = InstrumentResult(
        instrument=InstrumentId.PHQ9,
        version="1",
        answers={"q9": 1},
        score=15,
        complete=True,
        suicide_item=1,
        status="completed",
    )
    cssrs = phq9.model_copy(update={"instrument": InstrumentId.CSSRS, "risk_level": RiskLevel.LOW})
    gathered = ScreeningFacts.gathered(
        record=None,
        interview=None,
        vitals=(),
        work_up=(),
        results={"phq-9": phq9, "c-ssrs-screener": cssrs},
        answered_at={"phq-9": NOW},
    )
    assert gathered.record == ClinicalRecord(person=Person())
    assert set(gathered.instruments) == {"phq-9"}
    assert gathered.instruments["phq-9"].suicide_item == 1


def test_baseline_values_for_later_phases(protocol: Protocol) -> None:
    values = baseline_values(a_record(), an_interview(), vitals(), protocol, NOW)
    assert list(values) == [178, 80, "male", False, False]
    unknown = baseline_values(None, None, (), protocol, NOW)
    assert list(unknown) == [None, None, None, True, True]
    moderate = an_interview(hepatic_impairment=HepaticImpairment.MODERATE)
    assert baseline_values(a_record(), moderate, (), protocol, NOW).extended_observation


def test_a_blocking_medicine_makes_ineligible(protocol: Protocol) -> None:
    record = a_record(medications=(Medication(text="Theophylline 300 MG"),))
    assert screened(protocol, facts(record=record)).decision is INELIGIBLE

"""Is nobody eligible by what is not known, or by waiting? And does more trouble never help, whoever it is?"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.interview_questions import QUESTIONS
from clinical.medication_codes import DRUG_CLASSES, DrugClass
from clinical.patient_record import (
    Answer,
    Coding,
    HepaticImpairment,
    Interview,
    Medication,
    ScreeningFacts,
)
from clinical.protocol import Indication, Protocol
from clinical.screening import Eligibility, ScreeningResult, eligibility
from tests.clinical.screening.any_facts import any_facts
from tests.clinical.screening.complete_facts import NOW, a_record, facts

RANK = {Eligibility.INELIGIBLE: 0, Eligibility.NEEDS_REVIEW: 1, Eligibility.ELIGIBLE: 2}
SOME = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
ANYBODY = st.just(facts()) | any_facts
UNKNOWN: dict[Any, Any] = {Answer: Answer.UNKNOWN, HepaticImpairment: HepaticImpairment.UNKNOWN}


def screened(protocol: Protocol, person: ScreeningFacts, now: datetime = NOW) -> ScreeningResult:
    return eligibility(person, protocol, Indication.DEPRESSION, now)


def with_interview(person: ScreeningFacts, **changes: Any) -> ScreeningFacts:
    interview = (person.interview or Interview()).model_copy(update=changes)
    return person.model_copy(update={"interview": interview})


@SOME
@given(person=ANYBODY, question=st.sampled_from(QUESTIONS))
def test_a_bad_answer_never_makes_anyone_more_eligible(
    protocol: Protocol, person: ScreeningFacts, question: Any
) -> None:
    good = Answer.NO if question.bad is Answer.YES else Answer.YES
    ranks = [
        RANK[screened(protocol, with_interview(person, **{question.field: answer})).decision]
        for answer in (good, question.bad)
    ]
    assert ranks[1] <= ranks[0]


@pytest.mark.parametrize("row", DRUG_CLASSES, ids=lambda row: row.rule)
def test_an_interacting_medicine_is_seen_by_its_code_and_never_helps(
    protocol: Protocol, row: DrugClass
) -> None:
    if row.routes is not None and protocol.route not in row.routes:
        return
    before = screened(protocol, facts())
    for code in sorted(row.rxnorm):
        taken = Medication(codings=(Coding(system="rxnorm", code=code),))
        after = screened(protocol, facts(record=a_record(medications=(taken,))))
        assert row.rule in {reason.rule for reason in after.reasons}
        assert RANK[after.decision] <= RANK[before.decision]


@SOME
@given(
    person=ANYBODY,
    taken=st.sampled_from(["theophylline", "diazepam", "oxycodone", "tranylcypromine", "lamotrigine"]),
)
def test_a_medicine_told_by_the_patient_never_makes_anyone_more_eligible(
    protocol: Protocol, person: ScreeningFacts, taken: str
) -> None:
    told = (person.interview or Interview()).current_medications
    less = with_interview(person, current_medications=told)
    more = with_interview(person, current_medications=(*told, taken))
    before, after = screened(protocol, less), screened(protocol, more)
    assert RANK[after.decision] <= RANK[before.decision]
    if taken == "theophylline":
        assert after.decision is Eligibility.INELIGIBLE


def _forgetting(person: ScreeningFacts) -> list[ScreeningFacts]:
    """The same person, with each thing unknown that may be: all values of a kind, an answer, a date."""
    codes = {one.code for one in person.vitals}
    poorer = [
        person.model_copy(update={"vitals": tuple(one for one in person.vitals if one.code is not code)})
        for code in sorted(codes)
    ]
    for test in sorted({one.test for one in person.work_up}):
        left = tuple(one for one in person.work_up if one.test is not test)
        poorer.append(person.model_copy(update={"work_up": left}))
    for name in person.instruments:
        kept = {key: form for key, form in person.instruments.items() if key != name}
        poorer.append(person.model_copy(update={"instruments": kept}))
    for field in ("birth_date", "deceased"):
        someone = person.record.person.model_copy(update={field: None})
        record = person.record.model_copy(update={"person": someone})
        poorer.append(person.model_copy(update={"record": record}))
    if person.interview is not None:
        for field, info in Interview.model_fields.items():
            poorer.append(with_interview(person, **{field: UNKNOWN.get(info.annotation, info.default)}))
        poorer.append(person.model_copy(update={"interview": None}))
    return poorer


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(person=ANYBODY)
def test_what_is_not_known_makes_nobody_eligible(protocol: Protocol, person: ScreeningFacts) -> None:
    if screened(protocol, person).decision is Eligibility.ELIGIBLE:
        return
    assert all(
        screened(protocol, poorer).decision is not Eligibility.ELIGIBLE for poorer in _forgetting(person)
    )


ages = st.floats(0, 400 * 24)


@st.composite
def aged(draw: st.DrawFn) -> ScreeningFacts:
    """The eligible person, but each value was taken some time in the last 400 days."""

    def some_time_ago() -> datetime:
        return NOW - timedelta(hours=draw(ages))

    person = facts()
    vitals = tuple(one.model_copy(update={"observed_at": some_time_ago()}) for one in person.vitals)
    tests = tuple(one.model_copy(update={"observed_at": some_time_ago()}) for one in person.work_up)
    forms = {
        name: form.model_copy(update={"completed_at": some_time_ago()})
        for name, form in person.instruments.items()
    }
    gone_through = {
        name: some_time_ago()
        for name in ("completed_at", "medications_reconciled_at", "allergies_reconciled_at")
    }
    return with_interview(
        person.model_copy(update={"vitals": vitals, "work_up": tests, "instruments": forms}), **gone_through
    )


@SOME
@given(person=aged(), later=st.floats(0, 400 * 24))
def test_waiting_makes_no_old_value_young_and_nobody_eligible(
    protocol: Protocol, person: ScreeningFacts, later: float
) -> None:
    now, then = screened(protocol, person), screened(protocol, person, NOW + timedelta(hours=later))
    assert set(now.missing) <= set(then.missing)
    assert RANK[then.decision] <= RANK[now.decision]


@SOME
@given(person=aged(), ahead=st.floats(0.1, 24))
def test_a_value_from_the_future_is_none(protocol: Protocol, person: ScreeningFacts, ahead: float) -> None:
    first, *rest = person.vitals
    dated = first.model_copy(update={"observed_at": NOW + timedelta(hours=ahead)})
    answer = screened(protocol, person.model_copy(update={"vitals": (dated, *rest)}))
    assert answer.decision is not Eligibility.ELIGIBLE
    assert all(reason.verdict is not Verdict.PASS for reason in answer.reasons if reason.missing)

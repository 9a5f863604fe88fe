"""What holds for every person: rules never raise, more trouble never helps, not knowing never helps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical.interview_questions import QUESTIONS
from clinical.patient_record import (
    Answer,
    Condition,
    HepaticImpairment,
    Interview,
    Medication,
    ScreeningFacts,
)
from clinical.protocol import Indication, Protocol
from clinical.screening import Eligibility, ScreeningResult, eligibility, triage
from tests.clinical.screening.any_facts import any_facts, conditions, instants, medications
from tests.clinical.screening.complete_facts import NOW, an_interview, facts, vitals, work_up

RANK = {Eligibility.INELIGIBLE: 0, Eligibility.NEEDS_REVIEW: 1, Eligibility.ELIGIBLE: 2}
SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def _screened(protocol: Protocol, everything: ScreeningFacts, now: datetime = NOW) -> ScreeningResult:
    return eligibility(everything, protocol, Indication.DEPRESSION, now)


@SOME
@given(everything=any_facts, indication=st.sampled_from(Indication), now=instants)
def test_no_rule_raises_and_the_answer_fits_its_reasons(
    protocol: Protocol, everything: ScreeningFacts, indication: Indication, now: datetime
) -> None:
    result = eligibility(everything, protocol, indication, now)
    first = triage(everything.record, protocol, now)
    assert (result.decision is Eligibility.ELIGIBLE) <= (not result.missing)
    assert first.decision is not Eligibility.ELIGIBLE


def _worse(protocol: Protocol, before: ScreeningFacts, after: ScreeningFacts) -> None:
    ranks = [RANK[_screened(protocol, one).decision] for one in (before, after)]
    assert ranks[1] <= ranks[0]


@SOME
@given(everything=st.just(facts()) | any_facts, condition=conditions)
def test_another_condition_never_makes_anyone_more_eligible(
    protocol: Protocol, everything: ScreeningFacts, condition: Condition
) -> None:
    record = everything.record
    more = record.model_copy(update={"conditions": (*record.conditions, condition)})
    _worse(protocol, everything, everything.model_copy(update={"record": more}))
    before, after = triage(record, protocol, NOW), triage(more, protocol, NOW)
    assert RANK[after.decision] <= RANK[before.decision]


@SOME
@given(everything=st.just(facts()) | any_facts, medication=medications)
def test_another_medicine_never_makes_anyone_more_eligible(
    protocol: Protocol, everything: ScreeningFacts, medication: Medication
) -> None:
    record = everything.record
    more = record.model_copy(update={"medications": (*record.medications, medication)})
    _worse(protocol, everything, everything.model_copy(update={"record": more}))


@given(question=st.sampled_from(QUESTIONS))
def test_a_bad_answer_never_helps_and_no_answer_is_never_eligible(protocol: Protocol, question: Any) -> None:
    bad = facts(interview=an_interview(**{question.field: question.bad}))
    _worse(protocol, facts(), bad)
    unknown = facts(interview=an_interview(**{question.field: Answer.UNKNOWN}))
    result = _screened(protocol, unknown)
    assert result.decision is Eligibility.NEEDS_REVIEW
    assert result.missing == (question.field.replace("_", "-"),)


def _without(everything: ScreeningFacts) -> Mapping[str, ScreeningFacts]:
    """The complete facts with one thing gone at a time."""
    gone: dict[str, ScreeningFacts] = {}
    for one in vitals():
        gone[one.code.value] = facts(vitals=tuple(v for v in vitals() if v != one))
    for result in work_up():
        gone[result.test.value] = facts(work_up=tuple(r for r in work_up() if r != result))
    for name in everything.instruments:
        rest = {key: form for key, form in everything.instruments.items() if key != name}
        gone[name] = facts(instruments=rest)
    for field in ("completed_at", "medications_reconciled_at", "allergies_reconciled_at"):
        gone[field] = facts(interview=an_interview(**{field: None}))
    gone["cardiac-event"] = facts(interview=an_interview(cardiac_event=Answer.UNKNOWN))
    gone["hepatic-impairment"] = facts(interview=an_interview(hepatic_impairment=HepaticImpairment.UNKNOWN))
    gone["sleep-apnoea"] = facts(interview=an_interview(sleep_apnoea=Answer.UNKNOWN))
    gone["trials"] = facts(interview=an_interview(antidepressant_trials=()))
    return gone


def test_whatever_is_gone_somebody_is_asked_for_it(protocol: Protocol) -> None:
    not_asked_of_a_depressed_man_of_42 = {"pregnancy-test", "ecg", "pcl-5", "pdss-sr"}
    answered = {name: _screened(protocol, one) for name, one in _without(facts()).items()}
    still_eligible = {name for name, result in answered.items() if result.decision is Eligibility.ELIGIBLE}
    assert still_eligible == not_asked_of_a_depressed_man_of_42
    assert all(len(result.missing) == 1 for name, result in answered.items() if name not in still_eligible)


@SOME
@given(everything=any_facts, field=st.sampled_from(sorted(Interview.model_fields)))
def test_forgetting_an_answer_never_makes_anyone_eligible(
    protocol: Protocol, everything: ScreeningFacts, field: str
) -> None:
    if everything.interview is None or _screened(protocol, everything).decision is Eligibility.ELIGIBLE:
        return
    default = Interview.model_fields[field].default
    forgot = everything.model_copy(
        update={"interview": everything.interview.model_copy(update={field: default})}
    )
    assert _screened(protocol, forgot).decision is not Eligibility.ELIGIBLE

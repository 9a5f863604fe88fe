"""What holds for every person: rules never raise, more trouble never helps, not knowing never helps."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical.contraindication_codes.lookup import FINDINGS
from clinical.instruments.answers import RiskLevel
from clinical.interview_questions import QUESTIONS
from clinical.patient_record import (
    Allergy,
    Answer,
    AntidepressantTrial,
    ClinicalRecord,
    Coding,
    Condition,
    HepaticImpairment,
    InstrumentSummary,
    Interview,
    Measurement,
    MeasurementCode,
    Medication,
    Person,
    Presence,
    ScreeningFacts,
    Sex,
    Unreadable,
    WorkUpItem,
    WorkUpOutcome,
    WorkUpResult,
)
from clinical.protocol import Indication, Protocol
from clinical.screening import Eligibility, ScreeningResult, eligibility, triage
from clinical.units import CANONICAL
from tests.clinical.screening.complete_facts import NOW, an_interview, facts, vitals, work_up

RANK = {Eligibility.INELIGIBLE: 0, Eligibility.NEEDS_REVIEW: 1, Eligibility.ELIGIBLE: 2}
SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])

FIRST, LAST = datetime(1900, 1, 2, tzinfo=UTC), datetime(2199, 12, 30, tzinfo=UTC)
instants = st.floats(0, (LAST - FIRST).total_seconds()).map(lambda s: FIRST + timedelta(seconds=s))
codes = st.sampled_from(sorted({code for row in FINDINGS for code in row.snomed}))
words = st.sampled_from(
    ["", "History of epilepsy", "Suspected aneurysm", "Family history of psychosis", "pregnancy", "rash"]
)
systems = st.sampled_from(["snomed", "icd-10-cm", "rxnorm", "", "local"])
codings = st.lists(st.builds(Coding, system=systems, code=codes | st.text(max_size=6)), max_size=2).map(tuple)
maybe_instant = st.none() | instants
conditions = st.builds(
    Condition,
    codings=codings,
    text=words | st.text(max_size=12),
    presence=st.sampled_from(Presence),
    confirmed=st.booleans(),
    onset_at=maybe_instant,
    ended_at=maybe_instant,
    of_relative=st.booleans(),
)
drug_names = st.sampled_from(["Diazepam", "theophylline", "Verapamil", "Fluoxetine", "ketamine", ""])
medications = st.builds(
    Medication,
    codings=codings,
    text=drug_names,
    current=st.booleans(),
    since=maybe_instant,
    until=maybe_instant,
)
measurements = st.builds(
    Measurement,
    code=st.sampled_from(MeasurementCode),
    value=st.floats(allow_nan=False, allow_infinity=False),
    unit=st.sampled_from(sorted({one.unit for one in CANONICAL.values()} | {"lb", "furlong", ""})),
    observed_at=instants | st.just(NOW),
)
records = st.builds(
    ClinicalRecord,
    person=st.builds(
        Person,
        birth_date=st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)),
        birth_precision=st.sampled_from(["day", "month", "year"]),
        sex=st.sampled_from(Sex),
        deceased=st.none() | st.booleans(),
        deceased_at=maybe_instant,
    ),
    conditions=st.lists(conditions, max_size=4).map(tuple),
    medications=st.lists(medications, max_size=3).map(tuple),
    allergies=st.lists(st.builds(Allergy, codings=codings, text=words), max_size=2).map(tuple),
    measurements=st.lists(measurements, max_size=5).map(tuple),
    unreadable=st.lists(st.builds(Unreadable, pointer=st.just("/x"), text=st.just("?")), max_size=1).map(
        tuple
    ),
)
answers = st.sampled_from(Answer)
trials = st.builds(
    AntidepressantTrial,
    drug=st.sampled_from(["sertraline", "Sertraline ", "bupropion"]),
    weeks=st.none() | st.floats(0, 99),
    adequate_dose=answers,
    current_episode=answers,
    outcome_percent=st.none() | st.floats(-50, 100),
)


def _interviews() -> st.SearchStrategy[Interview]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        name: answers for name, field in Interview.model_fields.items() if field.annotation is Answer
    }
    return st.builds(
        Interview,
        completed_at=maybe_instant,
        birth_date=st.none() | st.dates(),
        sex=st.none() | st.sampled_from(Sex),
        cardiac_event_on=st.none() | st.dates(),
        hepatic_impairment=st.sampled_from(HepaticImpairment),
        antidepressant_trials=st.lists(trials, max_size=3).map(tuple),
        current_medications=st.lists(drug_names, max_size=2).map(tuple),
        medications_reconciled_at=maybe_instant,
        allergies_reconciled_at=maybe_instant,
        **fields,
    )


summaries = st.builds(
    InstrumentSummary,
    name=st.sampled_from(["phq-9", "c-ssrs-screener"]),
    score=st.none() | st.floats(0, 27),
    complete=st.booleans(),
    completed_at=instants,
    risk_level=st.none() | st.sampled_from(RiskLevel),
    suicide_item=st.none() | st.integers(0, 3),
)
any_facts = st.builds(
    ScreeningFacts,
    record=records,
    interview=st.none() | _interviews(),
    vitals=st.lists(measurements, max_size=4).map(tuple),
    instruments=st.dictionaries(st.sampled_from(["phq-9", "c-ssrs-screener"]), summaries, max_size=2),
    work_up=st.lists(
        st.builds(
            WorkUpResult,
            test=st.sampled_from(WorkUpItem),
            outcome=st.sampled_from(WorkUpOutcome),
            observed_at=instants,
        ),
        max_size=4,
    ).map(tuple),
)


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

"""Any person at all: whatever a referral, a clinician and a clinic may have written down, sensible or not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from clinical.contraindication_codes.lookup import FINDINGS
from clinical.instruments.answers import RiskLevel
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
from clinical.units import CANONICAL
from tests.clinical.screening.complete_facts import NOW

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


interviews = _interviews()
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
    interview=st.none() | interviews,
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

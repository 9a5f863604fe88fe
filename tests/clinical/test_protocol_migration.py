"""May a running course go over to another protocol? Never past a gate, never watched for less."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.journey import FINAL, Stage
from clinical.migration_limits import GAP_LONGER, GAP_SHORTER, LONGER, SHORTER
from clinical.people import Role
from clinical.plan import PlanTerms
from clinical.protocol import Indication, Protocol, Signature
from clinical.protocol_document import as_document, value_at, values
from clinical.protocol_migration import CONSENTED, PREPARED, SCREENED, Migration, Underway, migration
from services.protocols import load_protocol

BEFORE = load_protocol("iv-racemic")
PLAN = PlanTerms(
    sessions=6,
    mg_per_kg=Decimal("0.5"),
    dose_mg=None,
    max_mg=Decimal(60),
    boosters=0,
    infusion_minutes=40,
    phase=None,
    preparation_sessions=2,
)
STAGES = sorted(set(Stage) - FINAL)


def changed(before: Protocol = BEFORE, **by_pointer: Any) -> Protocol:
    """The protocol with these values at these pointers (`a__b` for /a/b), signed anew."""
    document = as_document(before)
    for name, value in by_pointer.items():
        pointer = "/" + name.replace("__", "/")
        parent, _, field = pointer.rpartition("/")
        value_at(document, parent)[field] = value
    return signed(Protocol.model_validate_json(json.dumps(document)))


def signed(protocol: Protocol) -> Protocol:
    signature = Signature(
        by="A. Director",
        role=Role.MEDICAL_DIRECTOR,
        at=datetime(2026, 11, 1, tzinfo=UTC),
        content_hash=protocol.content_hash,
        example=True,
    )
    return protocol.model_copy(update={"signature": signature})


def at(stage: Stage, **more: Any) -> Underway:
    return Underway(stage=stage, indication=Indication.DEPRESSION, **more)


def rules(found: Migration) -> set[str]:
    return {reason.rule for reason in found.decision.objections}


IN_TREATMENT = at(Stage.TREATING, doses=3, decided_after=(3,), preparations=2, plan=PLAN)


def test_a_longer_stay_and_more_readings_are_welcome_at_any_time() -> None:
    minutes = [*BEFORE.monitoring.reading_minutes, BEFORE.monitoring.reading_minutes[-1] + 15]
    after = changed(
        version="2",
        discharge__min_after_start_minutes=BEFORE.discharge.min_after_start_minutes + 20,
        monitoring__reading_minutes=minutes,
    )
    for stage in STAGES:
        found = migration(BEFORE, after, IN_TREATMENT.model_copy(update={"stage": stage}))
        assert (found.decision.reasons, found.plan_anew) == ((), False)


def test_it_has_to_be_another_one_signed_for_the_same_treatment() -> None:
    assert rules(migration(BEFORE, BEFORE, IN_TREATMENT)) == {"MIG-SAME"}
    unsigned = changed(version="2").model_copy(update={"signature": None})
    assert rules(migration(BEFORE, unsigned, IN_TREATMENT)) == {"MIG-UNSIGNED"}
    edited = changed(version="2").model_copy(update={"version": "3"})
    assert rules(migration(BEFORE, edited, IN_TREATMENT)) == {"MIG-UNSIGNED"}
    assert "MIG-ROUTE" in rules(migration(BEFORE, load_protocol("im-racemic"), IN_TREATMENT))
    of_anxiety = changed(indications=[Indication.ANXIETY])
    assert rules(migration(BEFORE, of_anxiety, IN_TREATMENT)) == {"MIG-INDICATION"}


def test_nobody_goes_over_while_in_the_chair() -> None:
    found = migration(BEFORE, changed(version="2"), IN_TREATMENT.model_copy(update={"in_the_chair": True}))
    assert rules(found) == {"MIG-CHAIR"}


@pytest.mark.parametrize(
    "minutes", [(10, 40, 80), (10, 20, 30, 40, 55, 70, 85), (10, 20, 30, 40, 55, 70, 99, 100)]
)
def test_readings_never_become_fewer_later_or_rarer(minutes: tuple[int, ...]) -> None:
    after = changed(monitoring__reading_minutes=list(minutes))
    assert rules(migration(BEFORE, after, at(Stage.REFERRED))) == {"MIG-OBSERVATION"}


def test_follow_up_is_kept_once_a_dose_was_given() -> None:
    after = changed(
        follow_up__weeks=[2, 4],
        follow_up__instruments=list(BEFORE.follow_up.instruments[1:]),
        long_term=as_document(BEFORE)["long_term"][1:],
    )
    found = migration(BEFORE, after, IN_TREATMENT)
    assert rules(found) == {"MIG-FOLLOW-UP"}
    assert len(found.decision.objections) == 3
    assert migration(BEFORE, after, at(Stage.CONSULTATION)).decision.passes


def test_a_screening_that_was_passed_does_not_become_narrower() -> None:
    narrower = changed(
        screening__minimum_age_years=BEFORE.screening.minimum_age_years + 3,
        screening__systolic_refuse_mmhg=BEFORE.screening.systolic_refuse_mmhg - 10,
        screening__child_bearing_age_years=[11, 60],
    )
    wider = changed(
        screening__minimum_age_years=BEFORE.screening.minimum_age_years - 1,
        screening__systolic_refuse_mmhg=BEFORE.screening.systolic_refuse_mmhg + 5,
        screening__rounds_max=BEFORE.screening.rounds_max + 1,
    )
    for stage in STAGES:
        found = migration(BEFORE, narrower, at(stage, preparations=2))
        assert len(found.decision.objections) == (3 if stage in SCREENED else 0)
        assert migration(BEFORE, wider, at(stage, preparations=2)).decision.passes


def test_a_preparation_is_not_skipped() -> None:
    more = changed(therapy__preparation_sessions=3)
    assert rules(migration(BEFORE, more, at(Stage.TREATING, preparations=2))) == {"MIG-GATE"}
    assert migration(BEFORE, more, at(Stage.TREATING, preparations=3)).decision.passes
    assert migration(BEFORE, more, at(Stage.PREPARATION, preparations=2)).decision.passes
    assert PREPARED < SCREENED < CONSENTED


def test_a_decision_is_not_skipped_and_the_rest_between_doses_not_shortened() -> None:
    document = as_document(BEFORE)["schedule"]["phases"]
    hours = BEFORE.schedule.min_interval_hours
    earlier = changed(decisions__review_after_doses=[2, 3, 4, 6])
    assert rules(migration(BEFORE, earlier, IN_TREATMENT)) == {"MIG-GATE"}
    assert migration(BEFORE, earlier, at(Stage.TREATING, doses=2, preparations=2)).decision.passes
    phases = [{**document[0], "min_interval_hours": document[0]["min_interval_hours"] - 1}, *document[1:]]
    shorter = changed(schedule__min_interval_hours=hours - 1, schedule__phases=phases)
    assert rules(migration(BEFORE, shorter, IN_TREATMENT)) == {"MIG-GAP"}
    assert len(migration(BEFORE, shorter, IN_TREATMENT).decision.objections) == 2
    assert migration(BEFORE, shorter, at(Stage.PREPARATION)).decision.passes
    renamed = changed(schedule__phases=[{**phase, "name": f"new-{phase['name']}"} for phase in document])
    assert migration(BEFORE, renamed, IN_TREATMENT).decision.passes
    limited = changed(schedule__max_per_calendar_week=3)
    assert migration(BEFORE, limited, IN_TREATMENT).decision.passes
    assert rules(migration(limited, changed(version="2"), IN_TREATMENT)) == {"MIG-GAP"}


def test_a_plan_outside_the_new_bounds_is_approved_anew() -> None:
    lower = changed(dosing__max_session_mg=50, plan__director_above_mg=20)
    found = migration(BEFORE, lower, IN_TREATMENT)
    assert found.plan_anew and found.decision.verdict is Verdict.CAUTION
    assert {reason.rule for reason in found.decision.reasons} == {"MIG-PLAN"}
    assert not migration(BEFORE, lower, at(Stage.SCREENING)).plan_anew


def test_another_consent_is_asked_for_and_not_taken_for_granted() -> None:
    more = changed(consent__required_elements=[*BEFORE.consent.required_elements, "driving"])
    other = changed(consent__document_version="2027-01")
    for after in (more, other):
        [reason] = migration(BEFORE, after, IN_TREATMENT).decision.reasons
        assert (reason.rule, reason.verdict) == ("MIG-CONSENT", Verdict.CAUTION)
        assert migration(BEFORE, after, at(Stage.CONSULTATION)).decision.reasons == ()


NUMBERS = [pointer for pointer, value in values(as_document(BEFORE)) if isinstance(value, int | float)]


@given(
    st.sampled_from([p for p in (*SHORTER, *LONGER, *GAP_SHORTER, *GAP_LONGER) if p in NUMBERS]),
    st.integers(1, 20),
    st.booleans(),
    st.sampled_from(STAGES),
)
def test_no_limit_moves_against_the_patient(pointer: str, step: int, rises: bool, stage: Stage) -> None:
    """Whatever the stage: against is refused and named, in favour is not."""
    was = value_at(as_document(BEFORE), pointer)
    will_be = (not was) if isinstance(was, bool) else max(was + (step if rises else -step), 0)
    if will_be == was:
        return
    document = as_document(BEFORE)
    parent, _, field = pointer.rpartition("/")
    value_at(document, parent)[field] = will_be
    try:
        after = signed(Protocol.model_validate_json(json.dumps(document)))
    except ValueError:
        return
    against = (will_be < was) == (pointer in (*SHORTER, *GAP_SHORTER))
    found = migration(BEFORE, after, at(stage, doses=3, decided_after=(3,), preparations=2))
    named = [reason for reason in found.decision.objections if pointer in reason.text]
    assert bool(named) == against
    assert found.decision.passes != bool(found.decision.objections)


@given(st.sampled_from(STAGES), st.integers(0, 8), st.booleans())
def test_to_itself_nobody_goes_over(stage: Stage, doses: int, in_the_chair: bool) -> None:
    found = migration(BEFORE, BEFORE, at(stage, doses=doses, in_the_chair=in_the_chair))
    assert "MIG-SAME" in rules(found)

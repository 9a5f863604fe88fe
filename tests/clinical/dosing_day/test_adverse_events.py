"""Grades, seriousness, and what must follow by when (§3.8, §3.9, F17)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.adverse_event_grades import Measured, alt_grade, hypertension_grade
from clinical.adverse_event_terms import meaning
from clinical.adverse_events import (
    AdverseEvent,
    Duty,
    Grade,
    Required,
    Seriousness,
    Term,
    duplicate_of,
    follow_through,
    rems_form,
    suggested_grade,
)
from clinical.protocol import Drug, Protocol
from tests.clinical.dosing_day.builders import NEW_YORK, NOW, ago

FREEZING = {Duty.NOTIFY_PRESCRIBER, Duty.PAGE_NOW, Duty.FREEZE_SESSION, Duty.SUSPEND_PLAN}


def an_event(
    grade: int | None = 1, serious: frozenset[Seriousness] | None = frozenset(), **changes: Any
) -> AdverseEvent:
    values = {
        "term": Term.NAUSEA,
        "grade": grade,
        "seriousness": serious,
        "onset_at": ago(hours=1),
        "known_at": NOW,
        "dose_at": ago(hours=2),
        "drug": Drug.KETAMINE,
        "time_zone": NEW_YORK,
    }
    return AdverseEvent.model_validate({**values, **changes})


def duties(event: AdverseEvent, protocol: Protocol) -> dict[Duty, Required]:
    return {required.duty: required for required in follow_through(event, protocol)}


def under_a_rems(protocol: Protocol) -> Protocol:
    return protocol.model_copy(update={"reports": protocol.reports.model_copy(update={"rems_form_days": 7})})


@pytest.mark.parametrize(
    ("grade", "serious", "expected"),
    [
        (1, frozenset(), set()),
        (2, frozenset(), set()),
        (3, frozenset(), {Duty.NOTIFY_PRESCRIBER}),
        (4, frozenset(), FREEZING | {Duty.OFFER_VOLUNTARY_REPORT}),
        (5, frozenset(), FREEZING | {Duty.OFFER_VOLUNTARY_REPORT}),
        (1, {Seriousness.HOSPITALISATION}, FREEZING | {Duty.OFFER_VOLUNTARY_REPORT}),
        (1, None, {Duty.COMPLETE_DRAFT, Duty.NOTIFY_PRESCRIBER}),
        (None, frozenset(), {Duty.COMPLETE_DRAFT, Duty.NOTIFY_PRESCRIBER}),
        (4, None, FREEZING | {Duty.COMPLETE_DRAFT, Duty.OFFER_VOLUNTARY_REPORT}),
    ],
)
def test_what_follows(
    protocol: Protocol, grade: int | None, serious: frozenset[Seriousness] | None, expected: set[Duty]
) -> None:
    assert set(duties(an_event(grade, serious), protocol)) == expected


def test_the_same_day_ends_at_local_midnight(protocol: Protocol) -> None:
    known = datetime(2026, 11, 25, 4, 50, tzinfo=UTC)
    required = duties(an_event(3, known_at=known), protocol)[Duty.NOTIFY_PRESCRIBER]
    assert required.due_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    nowhere = duties(an_event(3, known_at=known, time_zone="Nowhere/Town"), protocol)[Duty.NOTIFY_PRESCRIBER]
    assert nowhere.due_at == known


def test_a_page_is_due_at_once_and_a_draft_within_the_protocols_hours(protocol: Protocol) -> None:
    assert duties(an_event(4), protocol)[Duty.PAGE_NOW].due_at == NOW
    assert duties(an_event(None), protocol)[Duty.COMPLETE_DRAFT].due_at == NOW + timedelta(hours=1)
    slower = protocol.model_copy(update={"reports": protocol.reports.model_copy(update={"draft_hours": 2})})
    assert duties(an_event(None), slower)[Duty.COMPLETE_DRAFT].due_at == NOW + timedelta(hours=2)


def test_the_rems_form_counts_from_the_administration(protocol: Protocol) -> None:
    rems, event = under_a_rems(protocol), an_event(1, drug=Drug.ESKETAMINE, known_at=NOW)
    assert duties(event, rems)[Duty.SUBMIT_REMS_FORM].due_at == ago(hours=2) + timedelta(days=7)
    assert Duty.SUBMIT_REMS_FORM not in duties(an_event(1, drug=Drug.ESKETAMINE, dose_at=None), rems)
    assert Duty.SUBMIT_REMS_FORM not in duties(event, protocol)
    assert Duty.OFFER_VOLUNTARY_REPORT not in duties(an_event(4, drug=Drug.ESKETAMINE), rems)


def test_every_dose_under_a_rems_owes_its_form_whether_anything_happened_or_not(protocol: Protocol) -> None:
    owed = rems_form(NOW, under_a_rems(protocol))
    assert owed == Required(
        duty=Duty.SUBMIT_REMS_FORM, owner=protocol.reports.rems_form_owner, due_at=NOW + timedelta(days=7)
    )
    assert rems_form(NOW, protocol) is None


def test_one_term_on_one_local_day_is_probably_one_event() -> None:
    late = datetime(2026, 11, 25, 4, 30, tzinfo=UTC)  # still the 24th in New York
    known = {"ae-1": an_event(1, onset_at=late), "ae-2": an_event(2, term=Term.VOMITING)}
    assert duplicate_of(an_event(3, onset_at=late - timedelta(hours=3)), known) == "ae-1"
    assert duplicate_of(an_event(3, onset_at=late + timedelta(hours=3)), known) is None
    assert duplicate_of(an_event(1, term=Term.DIZZINESS, onset_at=late), known) is None
    other = an_event(1, term=Term.OTHER)
    assert duplicate_of(other, {"ae-1": other}) is None
    nowhere = an_event(1, time_zone="Nowhere/Town")
    assert duplicate_of(nowhere, {"ae-1": nowhere}) == "ae-1"


@pytest.mark.parametrize(
    ("term", "serious", "expected"),
    [
        (Term.SUICIDE_ATTEMPT, None, True),
        (Term.NAUSEA, {Seriousness.HOSPITALISATION}, True),
        (Term.NAUSEA, {Seriousness.IMPORTANT_MEDICAL_EVENT}, False),
        (Term.NAUSEA, None, False),
    ],
)
def test_admissions_and_attempts_are_known_as_such(
    term: Term, serious: frozenset[Seriousness] | None, expected: bool
) -> None:
    assert an_event(3, serious, term=term).is_admission_or_attempt is expected


@pytest.mark.parametrize(
    ("term", "measured", "grade"),
    [
        (Term.HYPERTENSION, {"systolic_mmhg": 172, "diastolic_mmhg": 88, "minutes": 4}, 3),
        (Term.HYPERTENSION, {"systolic_mmhg": 172}, None),
        (Term.HYPERTENSION, {"diastolic_mmhg": 88}, None),
        (Term.ALT_RISE, {"alt_u_per_l": 130, "alt_upper_limit_u_per_l": 40}, 2),
        (Term.ALT_RISE, {"alt_u_per_l": 130}, None),
        (Term.ALT_RISE, {"alt_upper_limit_u_per_l": 130}, None),
        (Term.NAUSEA, {"systolic_mmhg": 172, "diastolic_mmhg": 88}, None),
    ],
)
def test_raw_values_suggest_a_grade_where_a_term_has_numbers(
    term: Term, measured: dict[str, int], grade: int | None
) -> None:
    assert suggested_grade(an_event(term=term, measured=Measured.model_validate(measured))) == grade


@pytest.mark.parametrize(
    ("dose_at", "before"),
    [(None, True), (ago(minutes=30), True), (ago(hours=1), False), (ago(hours=2), False)],
)
def test_an_event_before_the_first_dose_is_told_apart(dose_at: datetime | None, before: bool) -> None:
    assert an_event(dose_at=dose_at).before_first_dose == before


@pytest.mark.parametrize(
    ("systolic", "diastolic", "treatment", "grade"),
    [
        (119, 79, {}, None),
        (120, 79, {}, 1),
        (119, 80, {}, 1),
        (140, 79, {}, 2),
        (119, 90, {}, 2),
        (119, 79, {"drugs_started": 1}, 2),
        (160, 79, {}, 3),
        (119, 100, {}, 3),
        (119, 79, {"drugs_started": 2}, 3),
        (119, 79, {"crisis": True}, 4),
    ],
)
def test_hypertension(systolic: int, diastolic: int, treatment: dict[str, Any], grade: int | None) -> None:
    assert hypertension_grade(systolic, diastolic, **treatment) == grade


@pytest.mark.parametrize(
    ("alt", "grade"), [(40, None), (41, 1), (120, 1), (121, 2), (201, 3), (800, 3), (801, 4)]
)
def test_alt_against_an_upper_limit_of_40(alt: int, grade: int | None) -> None:
    assert alt_grade(Decimal(alt), Decimal(40)) == grade


def test_every_term_says_what_its_grades_mean() -> None:
    for term in Term:
        assert meaning(term, Grade.SEVERE)
        assert meaning(term, Grade.DEATH) == "death"
    assert meaning(Term.NAUSEA, Grade.LIFE_THREATENING) is None
    assert meaning(Term.SUICIDE_ATTEMPT, Grade.MILD) is None


@given(
    st.sampled_from([None, *Grade]),
    st.none() | st.frozensets(st.sampled_from(Seriousness)),
    st.sampled_from(Drug),
    st.sampled_from([NEW_YORK, "UTC", "", "Nowhere/Town"]),
)
def test_a_worse_event_never_asks_for_less(
    protocol: Protocol, grade: Grade | None, serious: frozenset[Seriousness] | None, drug: Drug, zone: str
) -> None:
    event, protocol = an_event(grade, serious, drug=drug, time_zone=zone), under_a_rems(protocol)
    before = set(duties(event, protocol)) - {Duty.COMPLETE_DRAFT}
    for worse in ({"grade": Grade.DEATH}, {"seriousness": frozenset(Seriousness)}):
        assert before <= set(duties(event.model_copy(update=worse), protocol))

"""Grades, seriousness, and what must follow by when (§3.8, §3.9, F17)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.adverse_event_terms import meaning
from clinical.adverse_events import (
    AdverseEvent,
    Duty,
    Grade,
    Required,
    Seriousness,
    Term,
    alt_grade,
    follow_through,
    hypertension_grade,
)
from clinical.protocol import Drug
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


def duties(event: AdverseEvent) -> dict[Duty, Required]:
    return {required.duty: required for required in follow_through(event)}


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
def test_what_follows(grade: int | None, serious: frozenset[Seriousness] | None, expected: set[Duty]) -> None:
    assert set(duties(an_event(grade, serious))) == expected


def test_the_same_day_ends_at_local_midnight() -> None:
    known = datetime(2026, 11, 25, 4, 50, tzinfo=UTC)
    required = duties(an_event(3, known_at=known))[Duty.NOTIFY_PRESCRIBER]
    assert required.due_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    nowhere = duties(an_event(3, known_at=known, time_zone="Nowhere/Town"))[Duty.NOTIFY_PRESCRIBER]
    assert nowhere.due_at == known


def test_a_page_is_due_at_once_and_a_draft_within_the_hour() -> None:
    assert duties(an_event(4))[Duty.PAGE_NOW].due_at == NOW
    assert duties(an_event(None))[Duty.COMPLETE_DRAFT].due_at == NOW + timedelta(hours=1)


def test_the_rems_form_counts_from_the_administration() -> None:
    event = an_event(1, drug=Drug.ESKETAMINE, known_at=NOW)
    assert duties(event)[Duty.SUBMIT_REMS_FORM].due_at == ago(hours=2) + timedelta(days=7)
    assert Duty.SUBMIT_REMS_FORM not in duties(an_event(1, drug=Drug.ESKETAMINE, dose_at=None))
    assert Duty.OFFER_VOLUNTARY_REPORT not in duties(an_event(4, drug=Drug.ESKETAMINE))


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
    grade: Grade | None, serious: frozenset[Seriousness] | None, drug: Drug, zone: str
) -> None:
    event = an_event(grade, serious, drug=drug, time_zone=zone)
    before = set(duties(event)) - {Duty.COMPLETE_DRAFT}
    for worse in ({"grade": Grade.DEATH}, {"seriousness": frozenset(Seriousness)}):
        assert before <= set(duties(event.model_copy(update=worse)))

"""Does what a course carries into a new run stay small, however long it is?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from clinical.adverse_events import AdverseEvent, Grade, Term
from clinical.instruments.answers import Measurement as ScoredAt
from clinical.protocol import Drug
from clinical.schedule import PastDose
from tests.clinical.instruments.forms import a_phq9
from workflows.course import ANSWERS_KEPT, SCORES_KEPT, carried
from workflows.messages import Accepted, JourneyState, KnownEvent

START = datetime(2026, 2, 2, 15, tzinfo=UTC)
LARGEST_PAYLOAD = 2 * 2**20
"""What the engine takes for one argument, in bytes."""


def after(weeks: int) -> JourneyState:
    """A dose, a form, three commands each week; an adverse event each month."""
    times = [START + timedelta(weeks=week) for week in range(weeks)]
    return JourneyState(
        doses=[
            PastDose(session=n, given_at=at, dose_mg=Decimal("62.5"), mg_per_kg=Decimal("0.75"))
            for n, at in enumerate(times, 1)
        ],
        primary=[ScoredAt(at=at, result=a_phq9(n % 28)) for n, at in enumerate(times)],
        decided_after=list(range(1, weeks + 1)),
        answers={
            f"{n:040}": Accepted(at=at, state="recorded", detail={"event_id": f"ae-{n}"})
            for n, at in enumerate(times * 3)
        },
        adverse_events={
            f"ae-{n}": KnownEvent(
                event=AdverseEvent(
                    term=Term.NAUSEA,
                    grade=Grade.MILD,
                    seriousness=frozenset(),
                    onset_at=at,
                    known_at=at,
                    dose_at=at,
                    drug=Drug.KETAMINE,
                    time_zone="America/New_York",
                ),
                session=n,
            )
            for n, at in enumerate(times[::4], 1)
        },
    )


def size(state: JourneyState) -> int:
    return len(carried(state).model_dump_json())


def test_ten_years_of_weekly_doses_are_a_tenth_of_what_the_engine_takes() -> None:
    assert size(after(weeks=520)) <= LARGEST_PAYLOAD / 10


def test_a_further_year_adds_its_doses_and_its_events_and_no_words() -> None:
    years = [size(after(weeks=52 * year)) for year in range(2, 6)]
    assert all(later - before < 14_000 for before, later in pairwise(years))


def test_the_newest_answers_are_the_ones_that_are_kept() -> None:
    state = after(weeks=104)
    kept = carried(state)
    assert list(kept.answers) == list(state.answers)[-ANSWERS_KEPT:]
    assert kept.primary[-SCORES_KEPT:] == state.primary[-SCORES_KEPT:]
    assert (kept.doses, kept.adverse_events) == (state.doses, state.adverse_events)

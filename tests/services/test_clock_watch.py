"""Is it seen, and said, when the clock of this machine differs from the database's?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from services.clock_watch import CLOCKS_AGREE, ClockWatch, reckon
from services.database import Database
from tests.services.telemetry.series import value

START = datetime(2020, 1, 1, tzinfo=UTC)
ROUNDED = timedelta(microseconds=1)
A_WAY = st.timedeltas(timedelta(0), timedelta(seconds=30))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.dispose()


@given(
    asked_at=st.timedeltas(timedelta(0), timedelta(days=20_000)).map(lambda after: START + after),
    ahead=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    there=A_WAY,
    back=A_WAY,
)
def test_the_true_offset_lies_within_what_was_reckoned(
    asked_at: datetime, ahead: timedelta, there: timedelta, back: timedelta
) -> None:
    seen = reckon(asked_at, there + back, asked_at + there + ahead)
    assert abs(seen.ahead - ahead) <= seen.uncertainty + ROUNDED
    if seen.differs:
        assert abs(ahead) > CLOCKS_AGREE - ROUNDED
    if abs(ahead) > CLOCKS_AGREE + there + back + ROUNDED:
        assert seen.differs


def test_ways_of_the_same_length_cancel_out() -> None:
    asked_at, way = datetime(2026, 3, 2, tzinfo=UTC), timedelta(milliseconds=400)
    seen = reckon(asked_at, 2 * way, asked_at + way + timedelta(seconds=1.5))
    assert (seen.ahead, seen.uncertainty, seen.differs) == (timedelta(seconds=1.5), way, True)


@pytest.mark.parametrize(("set_wrong", "status"), [(-5, "clock-behind"), (0, None), (5, "clock-ahead")])
async def test_a_clock_that_is_wrong_is_measured_and_said(
    database: Database, set_wrong: int, status: str | None
) -> None:
    watch = ClockWatch(database, now=lambda: datetime.now(UTC) + timedelta(seconds=set_wrong))
    with structlog.testing.capture_logs() as lines:
        seen = await watch.look()
    assert watch.last == seen
    assert abs(seen.ahead + timedelta(seconds=set_wrong)) <= seen.uncertainty + timedelta(milliseconds=1)
    assert value("kap_clock_offset_seconds") == seen.ahead.total_seconds()
    assert [line["status"] for line in lines] == ([status] if status else [])


async def test_while_the_database_is_away_the_last_look_stands() -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_timeout_s=1)
    watch = ClockWatch(nowhere)
    with pytest.raises(SQLAlchemyError):
        await watch.look()
    assert watch.last is None

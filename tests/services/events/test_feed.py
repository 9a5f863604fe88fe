"""Is every fact told or left untold on purpose, thin, in one order without gaps, and never behind a reader's back?"""

from __future__ import annotations

import asyncio
import json
import random
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from sqlalchemy import text

from clinical import events
from clinical.custody import MovementKind
from clinical.custody_events import CaseStarted, CustodyDuty, CustodyFact, DutyOverdue
from clinical.people import Role
from services.database import Database
from services.events.errors import CursorExpired, CursorUnknown
from services.events.feed import EventFeed, number_new
from services.events.interface import Event, Span
from services.outbox import body_of, tell
from services.records.announced import CUSTODY_NOT_TOLD, CUSTODY_TOLD, EVENT_TYPES, NOT_TOLD, REFERENCES, TOLD
from services.records.errors import RecordMoved
from services.records.interface import Batch
from tests.services.events.conftest import SITE, World
from tests.services.records.builders import a_journey, add, an_entry, an_id
from tests.services.records.facts import SAMPLES, WORDS, a_dose
from tests.services.records.test_custody import a_vial, move
from tests.services.records.test_custody import tell as written

KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(events.Fact)[0])}
CUSTODY_KINDS = {kind.model_fields["kind"].default for kind in get_args(get_args(CustodyFact)[0])}
THIN = {"journey_id", "version", *REFERENCES.values()}


def test_every_kind_of_fact_is_told_or_is_not_for_a_reason() -> None:
    assert set(TOLD) | set(NOT_TOLD) == KINDS
    assert not set(TOLD) & set(NOT_TOLD)
    assert all(len(reason) > 20 for reason in NOT_TOLD.values())
    assert set(CUSTODY_TOLD) | set(CUSTODY_NOT_TOLD) == CUSTODY_KINDS
    assert not set(CUSTODY_TOLD) & set(CUSTODY_NOT_TOLD)
    assert len(EVENT_TYPES) == len(TOLD) + len(CUSTODY_TOLD) + 1
    assert all(name.replace(".", "").replace("_", "").isalpha() for name in EVENT_TYPES)


async def test_a_difference_in_the_drug_books_is_told_by_the_transaction_that_found_it(world: World) -> None:
    vial = await a_vial(world.records)
    await move(world.records, vial, MovementKind.COUNTED, 10, key="count")
    await move(world.records, vial, MovementKind.COUNTED, 10, key="count")
    overdue = DutyOverdue(duty=CustodyDuty.EXPLAIN, escalated_to=Role.MEDICAL_DIRECTOR)
    await written(world.records, vial, CaseStarted(), overdue)
    await world.feed.publish()
    told = await world.feed.page(SITE, after=0)
    assert [event.type for event in told] == ["drug.discrepancy_opened", "drug.duty_overdue"]
    assert told[1].data == {"container_id": vial, "number": 1, "version": 2}


def test_what_says_more_than_an_id_is_left_out_and_stops_nothing() -> None:
    class Session:
        kept: list[str] = []  # noqa: RUF012  # one test, one list

        def add(self, row: object) -> None:
            self.kept.append(row.body)  # type: ignore[attr-defined]

    session = Session()
    said = {"journey_id": "journey/a/1", "task_id": WORDS, "week": 2, "ratio": 0.5, "x": None}
    tell(session, SITE, "a.b", datetime.now(UTC), ("x",), said)  # type: ignore[arg-type]
    assert json.loads(session.kept[0])["data"] == {"journey_id": "journey/a/1", "week": 2}


async def test_every_fact_that_is_told_is_one_thin_event_in_the_order_of_the_record(world: World) -> None:
    journey_id = await a_journey(world.records, name="Maria Canary")
    await add(world.records, journey_id, *SAMPLES[1:])
    span = await world.feed.span(SITE)
    told = await world.feed.page(SITE, after=0, limit=500)
    expected = [TOLD[fact.kind] for fact in SAMPLES if fact.kind in TOLD]
    assert [event.type for event in told] == expected
    assert [event.seq for event in told] == list(range(1, len(expected) + 1))
    assert span == Span(first_seq=1, last_seq=len(expected))
    for event in told:
        assert set(event.data) <= THIN
        assert event.data["journey_id"] == journey_id
        assert event.data["version"] == (1 if event.type == "journey.started" else 2)
    (dose,) = [event for event in told if event.type == "session.dose_given"]
    assert (dose.data["session"], dose.data["dose_id"]) == (1, "dose-1")
    rows = " ".join([event.model_dump_json() for event in told])
    assert WORDS not in rows
    assert "36.5" not in rows


async def test_a_fact_written_twice_is_told_once_and_one_that_was_not_written_never(world: World) -> None:
    journey_id = await a_journey(world.records)
    batch = Batch(journey_id=journey_id, entries=(an_entry("dose/1", a_dose()),))
    await world.records.append(batch)
    await world.records.append(batch)
    moved = Batch(journey_id=journey_id, entries=(an_entry("dose/2", a_dose(2)),), expected_seq=1)
    with pytest.raises(RecordMoved):
        await world.records.append(moved)
    await world.feed.publish()
    types = [event.type for event in await world.feed.page(SITE, after=0)]
    assert types == ["journey.started", "session.dose_given"]


async def test_a_site_hears_nothing_of_another(world: World) -> None:
    await world.tell("a1", "a2")
    await world.tell("b1", site="site-b")
    assert (await world.feed.span(SITE)).last_seq == 2
    assert [event.seq for event in await world.feed.page("site-b", after=0)] == [1]
    assert await world.feed.span("site-c") == Span()


async def test_readers_of_a_storm_of_slow_and_failing_writers_miss_nothing_and_see_one_order(
    world: World, shared_url: str
) -> None:
    """Each transaction waits between telling and committing, so that later ones overtake earlier ones."""
    writers = Database(shared_url, pool_size=16)
    dice = random.Random(4711)
    committed: set[str] = set()

    async def write(number: int, pauses: list[float], fails: bool) -> None:
        try:
            async with writers.transaction() as session:
                for part, pause in enumerate(pauses):
                    cause = f"w{number}.{part}"
                    tell(session, SITE, "a.b", datetime.now(UTC), (cause,), {"journey_id": cause})
                    await session.flush()
                    await asyncio.sleep(pause)
                if fails:
                    raise LookupError
        except LookupError:
            return
        committed.update(f"w{number}.{part}" for part in range(len(pauses)))

    done = asyncio.Event()

    async def read(feed: EventFeed) -> list[Event]:
        seen: list[Event] = []
        while True:
            over = done.is_set()
            await feed.publish()
            page = await feed.page(SITE, after=seen[-1].seq if seen else 0, limit=7)
            seen += page
            if over and not page:
                return seen
            await asyncio.sleep(0)

    readers = [asyncio.create_task(read(EventFeed(world.database))) for _ in range(3)]
    storms = [
        write(number, [dice.random() / 100 for _ in range(dice.randint(1, 3))], dice.random() < 0.2)
        for number in range(60)
    ]
    await asyncio.gather(*storms)
    done.set()
    for seen in await asyncio.gather(*readers):
        assert [event.seq for event in seen] == list(range(1, len(committed) + 1))
        assert {event.data["journey_id"] for event in seen} == committed
        for number in range(60):
            parts = [e.data["journey_id"] for e in seen if e.data["journey_id"].startswith(f"w{number}.")]
            assert parts == sorted(parts)
    await writers.dispose()


async def test_a_writer_waits_for_no_reader_and_no_other_writer(world: World) -> None:
    async with world.database.transaction() as open_one:
        tell(open_one, SITE, "a.b", world.clock(), ("slow",), {})
        await open_one.flush()
        await asyncio.wait_for(world.tell("quick"), timeout=5)
        assert (await asyncio.wait_for(world.feed.span(SITE), timeout=5)).last_seq == 1
    assert (await world.feed.span(SITE)).last_seq == 2


async def test_publishers_stand_in_line_and_a_number_once_given_stays(world: World) -> None:
    """The first publisher has not committed when an older event appears; the second one must not number anew."""
    await world.tell("first")
    await world.feed.publish()
    async with world.database.transaction() as first:
        async with world.database.transaction() as slow:
            tell(slow, SITE, "a.b", world.clock(), ("older",), {"journey_id": "older"})
            await slow.flush()
            await world.tell("newer")
            assert await number_new(first, SITE) == 1
        second = asyncio.create_task(world.feed.publish())
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        async with world.database.reading() as look:
            while not await look.scalar(waiting):
                await asyncio.sleep(0.005)
    assert await second == {SITE: 1}
    told = await world.feed.page(SITE, after=0)
    assert [event.data["journey_id"] for event in told[1:]] == ["journey/site-a/newer", "older"]


async def test_old_events_are_forgotten_in_order_and_who_comes_too_late_is_told(world: World) -> None:
    await world.tell("a1", "a2", "a3")
    await world.feed.publish()
    async with world.database.transaction() as session:
        await session.execute(
            text("UPDATE event_outbox SET recorded_at = now() - interval '40 days' WHERE seq IN (1, 3)")
        )
    assert await world.feed.forget(datetime.now(UTC) - timedelta(days=30)) == 1
    assert await world.feed.span(SITE) == Span(first_seq=2, last_seq=3)
    assert [event.seq for event in await world.feed.page(SITE, after=1)] == [2, 3]
    with pytest.raises(CursorExpired) as late:
        await world.feed.page(SITE, after=0)
    assert (late.value.first_seq, late.value.last_seq) == (2, 3)
    with pytest.raises(CursorUnknown):
        await world.feed.page(SITE, after=4)
    await world.tell("a4")
    assert (await world.feed.span(SITE)).last_seq == 4
    assert await world.feed.forget(datetime.now(UTC) + timedelta(days=1)) == 3
    assert await world.feed.page(SITE, after=4) == []
    await world.tell("a5")
    await world.feed.publish()
    assert [event.seq for event in await world.feed.page(SITE, after=4)] == [5]


async def test_events_are_picked_by_type_and_range(world: World) -> None:
    await world.tell("a", "b", type="risk.opened")
    await world.tell("c")
    await world.tell("d", type="risk.opened")
    await world.feed.publish()
    picked = await world.feed.page(SITE, after=1, types=["risk.opened"])
    assert [event.seq for event in picked] == [2, 4]
    assert [event.seq for event in await world.feed.page(SITE, after=0, until=2)] == [1, 2]


def test_the_body_is_the_one_of_standard_webhooks() -> None:
    body = body_of("plan.approved", datetime(2026, 3, 2, 14, tzinfo=UTC), {"journey_id": an_id()})
    assert list(json.loads(body)) == ["type", "timestamp", "data"]
    assert json.loads(body)["timestamp"] == "2026-03-02T14:00:00Z"

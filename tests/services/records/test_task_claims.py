"""Does a claim run out, end with its task, and survive a storm of people and facts at once?"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from clinical import events
from clinical.events import Entry
from clinical.people import Actor, Role
from clinical.protocol import Protocol
from services.database import Database
from services.records.errors import NotFound
from services.records.interface import Batch
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.task_claims import TaskClaims
from services.records.task_errors import TaskHeld, TaskOver
from tests.clinical.recorded_journeys import recorded_journey
from tests.services.records.builders import SITE, a_journey, a_patient, add
from tests.services.records.facts import a_task
from tests.shipped import shipped_protocol


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return shipped_protocol()


NURSES = [Actor(id=f"nurse-{n}", role=Role.NURSE) for n in range(6)]


async def a_row(records: SqlRecords, queries: RecordQueries) -> tuple[str, str]:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_task())
    (task,) = await queries.tasks([SITE])
    return journey_id, task.id


async def test_a_claim_runs_out(database: Database, records: SqlRecords, queries: RecordQueries) -> None:
    _, row = await a_row(records, queries)
    short, long = TaskClaims(database, timedelta(microseconds=1)), TaskClaims(database, timedelta(hours=1))
    await short.claim(row, NURSES[0])
    assert (await queries.task([SITE], row)).holder is None
    await long.claim(row, NURSES[1])
    with pytest.raises(TaskHeld) as held:
        await short.claim(row, NURSES[0])
    assert held.value.holder == "nurse-1"
    with pytest.raises(NotFound):
        await long.claim("nothing", NURSES[0])


async def test_a_storm_of_claims_releases_and_the_end_of_the_task(
    database: Database, records: SqlRecords, queries: RecordQueries
) -> None:
    """Whatever wins: at the end nobody holds a task that is over, and each hand-over is told once, in order."""
    journey_id, row = await a_row(records, queries)
    claims = TaskClaims(database, timedelta(hours=1))

    async def quarrel(who: Actor) -> None:
        for _ in range(3):
            for act in (claims.claim, claims.release):
                with contextlib.suppress(TaskHeld, TaskOver):  # and nothing else
                    await act(row, who)

    async def finish() -> None:
        await asyncio.sleep(0)
        await add(records, journey_id, events.TaskDone(task_id="task-1"))

    await asyncio.gather(*(quarrel(nurse) for nurse in NURSES), finish())
    task = await queries.task([SITE], row)
    assert (task.status, task.holder) == ("completed", None)
    holder = None
    for one in await queries.task_history([SITE], row):
        if one.act == "claimed":
            assert holder is None
        else:
            assert holder is not None
        holder = one.holder
    assert holder is None
    with pytest.raises(TaskOver):
        await claims.claim(row, NURSES[0])


async def test_who_held_it_is_written_once(
    database: Database, records: SqlRecords, queries: RecordQueries
) -> None:
    _, row = await a_row(records, queries)
    await TaskClaims(database, timedelta(hours=1)).claim(row, NURSES[0])
    for change in ("UPDATE task_holding SET actor_id = 'x'", "DELETE FROM task_holding"):
        with pytest.raises(DBAPIError):
            async with database.transaction() as session:
                await session.execute(text(change))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
async def test_a_task_whose_reason_has_gone_is_closed_and_nobody_holds_it(
    database: Database, records: SqlRecords, queries: RecordQueries, protocol: Protocol, share: float
) -> None:
    """Of a whole recorded course, whenever somebody takes on what is open: at its end nothing is open or held."""
    journey_id, told = f"journey/{SITE}/whole", recorded_journey(protocol)
    await records.add_patient(a_patient("patient-1"))
    entries = tuple(
        Entry(key=one.key, occurred_at=one.occurred_at, actor=one.actor, fact=one.fact) for one in told
    )
    cut = next(
        n
        for n in range(int(len(entries) * share), len(entries))
        if isinstance(entries[n].fact, events.TaskOpened)
    )
    await records.append(Batch(journey_id=journey_id, entries=entries[: cut + 1]))
    open_then = await queries.tasks([SITE])
    claims = TaskClaims(database, timedelta(hours=1))
    for task in open_then:
        await claims.claim(task.id, NURSES[0])
    assert open_then
    await records.append(Batch(journey_id=journey_id, entries=entries[cut + 1 :]))
    assert any(isinstance(entry.fact, events.JourneyClosed) for entry in entries)
    left = await queries.tasks([SITE])
    assert all(task.task_id.startswith("risk/") for task in left)  # a risk case outlives its course
    for task in (one for one in open_then if not one.task_id.startswith("risk/")):
        assert (await queries.task([SITE], task.id)).holder is None
        assert [one.act for one in await queries.task_history([SITE], task.id)] == ["claimed", "ended"]

"""How often does a command ask the database? Counted, because each time costs as much as the work itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text

from clinical.events import JourneyPaused
from services import live_connections
from services.access.audit import AuditTrail
from services.access.views import Looked
from services.database import Database
from services.records.idempotency import Claimed, IdempotencyKeys, Replay
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.task_queries import TaskFilter
from tests.services.records.builders import SITE, START, a_journey, add
from tests.services.records.facts import a_task

CUT = text(
    "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user"
)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The first word of everything that is sent to the server meanwhile."""
    sent: list[str] = []

    def watch(engine: Engine) -> None:
        def send(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            sent.append(statement.split()[0])

        event.listen(engine, "before_cursor_execute", send)
        event.listen(engine, "commit", lambda connection: sent.append("COMMIT"))

    def asked(statement: str, _: object) -> nullcontext[None]:
        sent.append(statement.split()[0])
        return nullcontext()

    database.look_at_engine(watch)
    database.watch_questions(asked)
    yield sent


async def test_a_key_is_claimed_and_answered_by_one_statement_each(
    database: Database, keys: IdempotencyKeys
) -> None:
    with statements(database) as sent:
        claimed = await keys.claim("who", "key", "hash")
        assert isinstance(claimed, Claimed)
        await keys.finish("who", "key", claimed, 201, "{}")
    assert sent == ["INSERT", "UPDATE"]
    assert await keys.claim("who", "key", "hash") == Replay(201, "{}")


async def test_a_fact_is_written_by_four_statements(database: Database, records: SqlRecords) -> None:
    """The course is locked and what is known asked; the fact and its event are written, then the course's row."""
    journey_id = await a_journey(records)
    with statements(database) as sent:
        await add(records, journey_id, JourneyPaused(reason="travels", review_at=START))
    assert sent == ["SELECT", "INSERT", "INSERT", "UPDATE", "COMMIT"]


async def test_a_page_is_one_question_and_nothing_around_it(
    database: Database, records: SqlRecords, queries: RecordQueries
) -> None:
    """AUTOCOMMIT: the driver sends no BEGIN, and there is no COMMIT. The work list asks for its counts as well."""
    journey_id = await a_journey(records)
    await add(records, journey_id, a_task())
    patient_id = (await queries.journey([SITE], journey_id)).patient_id
    trail, now = AuditTrail(database), datetime.now(UTC)
    look = Looked(
        site=SITE, actor_id="a", actor_role="nurse", act="read_patient", purpose="TREAT", object_id="p"
    )
    await trail.write(look)  # the first of a site begins its chain
    with statements(database) as sent:
        tasks, counts = await queries.work_list([SITE], TaskFilter(), now)
        assert (len(tasks), len(counts)) == (1, 1)
        assert sent == ["SELECT", "SELECT"]
        await queries.board(SITE, now.date(), ZoneInfo("UTC"), now)
        assert sent[2:] == ["SELECT"]
        assert (await queries.patient([SITE], patient_id)).journeys == (journey_id,)
        await trail.write(look)
    assert sent[3:] == ["SELECT", "WITH"]


@pytest.mark.parametrize("trusted_s", [-1.0, 3600.0])
async def test_a_connection_that_was_cut_is_never_handed_out(
    database: Database, monkeypatch: pytest.MonkeyPatch, trusted_s: float
) -> None:
    """Whether the server is asked (-1) or only its last words are looked for in the socket."""
    monkeypatch.setattr(live_connections, "TRUSTED_S", trusted_s)
    async with database.transaction() as one, database.transaction() as two:
        await one.execute(text("SELECT 1"))
        await two.execute(text("SELECT 2"))
    async with database.transaction() as session:
        assert (await session.scalar(CUT) or 0) >= 1
    for _ in range(2):
        async with database.reading() as one, database.reading() as two:
            assert (await one.scalar(text("SELECT 1")), await two.scalar(text("SELECT 2"))) == (1, 2)

"""With a hundred thousand courses: does every list find its page by an index, and read no more than the page needs?

No clock is asked: PostgreSQL says of each statement that the list really sends which rows it has looked at.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import event

from clinical.task_priority import Priority
from deploy.crowd import JOURNEYS, SITE, fill
from deploy.postgres import PostgresServer
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.records.patients import PatientFile
from services.records.queries import RecordQueries
from services.records.task_queries import TaskFilter

NOW = datetime.now(UTC)
LIMIT = 51
PIECES = 8
A_DAY = 2000
"""A day of the crowded site has some 1,500 visits: the board shows all of them, and reads no other day's."""
"""At most: four priorities, each for a role that owns it and for what went up to it."""

Question = Callable[[RecordQueries], Awaitable[Any]]
ME = "me"


@pytest.fixture(scope="module")
def crowded(postgres: PostgresServer, database_template: str) -> Iterator[str]:
    name = f"crowd_{uuid.uuid4().hex[:8]}"
    url = postgres.create_database(name, template=database_template)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        fill(connection)
    yield url
    postgres.drop_database(name)


def tasks(**wanted: Any) -> Question:
    return lambda queries: queries.tasks([SITE], TaskFilter(**wanted), limit=LIMIT)


def tasks_after(**wanted: Any) -> Question:
    place = (2, NOW, "t5")
    return lambda queries: queries.tasks([SITE], TaskFilter(**wanted), cursor=place, limit=LIMIT)


def journeys(**wanted: Any) -> Question:
    return lambda queries: queries.list_journeys([SITE], limit=LIMIT, **wanted)


AFTER = {"cursor": (NOW - timedelta(days=200), "journey/site-a/p9")}

PAGES: dict[str, Question] = {
    "tasks": tasks(),
    "tasks, a later page": tasks_after(),
    "tasks of a role": tasks(owner="nurse"),
    "tasks that went up": tasks(owner="medical-director"),
    "tasks of a role, a later page": tasks_after(owner="prescriber"),
    "overdue": tasks(due_before=NOW),
    "overdue of a role": tasks(due_before=NOW, owner="nurse"),
    "overdue, a later page": tasks_after(due_before=NOW),
    "tasks of a kind": tasks(code="take-consent"),
    "tasks of a priority": tasks(priority=Priority.STAT),
    "mine": tasks(holder=ME),
    "nobody's": tasks(unclaimed=True),
    "tasks of a course": tasks(journey_id="journey/site-a/p5"),
    "done": tasks(status="completed"),
    "courses": journeys(),
    "courses, a later page": journeys(**AFTER),
    "courses in a stage": journeys(stage="screening"),
    "courses in a stage, a later page": journeys(stage="screening", **AFTER),
    "courses of a status": journeys(status="active"),
    "courses of both": journeys(stage="treating", status="active"),
    "timeline": lambda queries: queries.timeline([SITE], "journey/site-a/p6", limit=LIMIT),
    "risk cases": lambda queries: queries.risk_cases([SITE], limit=LIMIT),
    "open risk cases": lambda queries: queries.risk_cases([SITE], status="open", limit=LIMIT),
    "containers": lambda queries: queries.containers(SITE, limit=LIMIT),
    "discrepancies": lambda queries: queries.discrepancies(SITE, limit=LIMIT),
    "open discrepancies": lambda queries: queries.discrepancies(SITE, status="open", limit=LIMIT),
    "a patient": lambda queries: queries.patient([SITE], "p9"),
    "board": lambda queries: queries.board(SITE, NOW.date() + timedelta(days=1), ZoneInfo("UTC"), NOW),
}

COUNTS: dict[str, Question] = {
    "tasks": lambda queries: queries.task_counts([SITE], NOW),
    "courses": lambda queries: queries.journey_counts([SITE]),
    "risk cases": lambda queries: queries.risk_counts([SITE]),
    "drug books": lambda queries: queries.custody_counts(SITE),
}


async def plans_of(url: str, question: Question, setting: str = "") -> list[tuple[str, dict[str, Any]]]:
    """What the database did for each statement that the question really sent."""
    database = Database(url)
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    def note_question(statement: str, values: Mapping[str, Any]) -> nullcontext[None]:
        sent.append((statement, values))
        return nullcontext()

    database.watch_questions(note_question)
    event.listen(database._engine.sync_engine, "before_cursor_execute", note)
    await question(Silent(database, cipher))
    await database.dispose()
    found = []
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(setting)
        for statement, parameters in sent:
            row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).fetchone()
            assert row is not None
            found.append((statement, row[0][0]["Plan"]))
    assert found
    return found


class Silent(RecordQueries):
    """Nobody wrote the words of this crowd: they are not opened."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        super().__init__(database, cipher)
        self._patients = Nobody(cipher)

    def _opened(self, row: Any) -> None:
        return None


class Nobody(PatientFile):
    def _opened(self, row: Any, column: str) -> str:
        return "x"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def looked_at(plan: dict[str, Any]) -> float:
    """Rows that were taken from tables and indexes, those that were thrown away again included."""
    return sum(
        float((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(plan)
        if node["Node Type"].endswith("Scan") and "Relation Name" in node
    )


def large_tables_read_through(plan: dict[str, Any]) -> list[str]:
    return [
        node["Relation Name"]
        for node in nodes(plan)
        if node["Node Type"] == "Seq Scan"
        and (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) > LIMIT
    ]


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_is_found_by_an_index_and_reads_little_more_than_itself(crowded: str, name: str) -> None:
    for statement, plan in await plans_of(crowded, PAGES[name]):
        assert large_tables_read_through(plan) == [], statement
        page = A_DAY if name == "board" else PIECES * LIMIT
        assert looked_at(plan) <= 2 * page, statement
        assert not any(node["Node Type"] == "Sort" and node["Actual Rows"] > page for node in nodes(plan))


@pytest.mark.parametrize("name", COUNTS)
async def test_counts_are_made_through_an_index(crowded: str, name: str) -> None:
    """Reading a narrow table through may be as quick today: that there is another way is what counts."""
    for statement, plan in await plans_of(crowded, COUNTS[name], "SET enable_seqscan = off"):
        scans = {node["Node Type"] for node in nodes(plan) if "Relation Name" in node}
        assert scans <= {"Index Only Scan", "Index Scan", "Bitmap Heap Scan"}, statement


async def test_the_check_can_fail(crowded: str) -> None:
    """A list without an index in its order is caught."""

    async def by_patient(queries: RecordQueries) -> None:
        async with queries._sessions.reading() as session:
            await session.connection()
            from sqlalchemy import text

            await session.execute(
                text("SELECT * FROM journey WHERE indication = 'x' ORDER BY version LIMIT 51")
            )

    ((_, plan),) = await plans_of(crowded, by_patient)
    assert looked_at(plan) >= JOURNEYS
    assert large_tables_read_through(plan) == ["journey"] or looked_at(plan) > PIECES * 2 * LIMIT

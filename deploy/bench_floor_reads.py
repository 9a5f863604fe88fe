"""What is the least that a read can cost? The bare SQL of a page, sent by the same driver, answered by the same server.

`python -m deploy.bench_floor_reads PORT`, configured as every process is. It asks each page's query once and notes
the statements with their parameters. From then on `GET /tasks`, `/board`, `/patients/{id}` send just these over one
connection and answer the rows as JSON: no token, no rule, no model, no decryption, no audit.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import uvicorn
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.crowd import SITE
from services.database import Database
from services.encryption import FieldCipher
from services.records.queries import RecordQueries
from services.records.task_queries import TaskFilter
from services.settings import Settings

Statements = list[tuple[str, Any]]
LIMIT = 51
PERSON = "SELECT * FROM patient WHERE id = %(id)s"
COURSES = "SELECT id FROM journey WHERE patient_id = %(id)s ORDER BY started_at"


async def serve(port: int, settings: Settings) -> None:
    known = await _statements(settings)
    url = settings.database_url.replace("+psycopg", "")
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    turn = asyncio.Lock()

    async def rows(statements: Statements) -> Response:
        async with turn:
            found = [await (await connection.execute(text, given)).fetchall() for text, given in statements]
        return Response(json.dumps(found, default=str), media_type="application/json")

    async def page(request: Request) -> Response:
        return await rows(known[request.url.path])

    async def patient(request: Request) -> Response:
        asked = {"id": request.path_params["id"]}
        return await rows([(PERSON, asked), (COURSES, asked)])

    async def healthy(_: Request) -> Response:
        return Response()

    routes = [Route(path, page) for path in known]
    app = Starlette(routes=[*routes, Route("/patients/{id}", patient), Route("/healthz", healthy)])
    config = uvicorn.Config(app, host="127.0.0.1", port=port, access_log=False, log_level="error")
    await uvicorn.Server(config).serve()


async def _statements(settings: Settings) -> dict[str, Statements]:
    """What each page really sends."""
    database = Database(settings.database_url)
    queries = RecordQueries(database, FieldCipher.from_settings(settings))
    now = datetime.now(UTC)
    zone = ZoneInfo("America/New_York")

    async def tasks() -> None:
        await queries.tasks([SITE], TaskFilter(), limit=LIMIT)
        await queries.task_counts([SITE], now)

    async def board() -> None:
        await queries.board(SITE, now.astimezone(zone).date(), zone, now)

    try:
        return {path: await _sent(database, ask) for path, ask in (("/tasks", tasks), ("/board", board))}
    finally:
        await database.dispose()


async def _sent(database: Database, ask: Callable[[], Awaitable[None]]) -> Statements:
    sent: Statements = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        await ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Settings.from_environment()))

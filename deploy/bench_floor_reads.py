"""What is the least that a read can cost? The bare SQL of a page, sent by the same driver, answered by the same server.

`python -m deploy.bench_floor_reads PORT`, configured as every process is. It asks each page's queries once and notes
the statements with their parameters. From then on `GET /tasks`, `/board`, `/patients/{id}` send just these over one
connection, each a transaction of its own, and answer all rows and columns as JSON, read and written by what reads and
writes ours: no token, no rule, no model. Sealed columns are fetched, as for the page, and left out of the answer: to
open them is the page's work, and to send them as they are would be three times the page's bytes. A patient's page also
writes a line of audit, in one statement that hashes nothing: a sensitive read without it is none.
`/patients-unnoted/{id}` leaves even that out.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
import uvicorn
from psycopg.adapt import Loader
from psycopg.types.json import set_json_loads
from pydantic_core import from_json, to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.app import compose
from api.composition import Composition
from clinical.booking import Span
from clinical.instants import local_date
from deploy.crowd import SITE
from services.records.queries import PATIENT
from services.settings import Settings

Statements = list[tuple[str, Any]]
LIMIT = 51
NOTED = f"""
WITH chain AS (INSERT INTO audit_chain (site, last_seq, last_hash) VALUES ('{SITE}-floor', 1, '{"0" * 64}')
    ON CONFLICT (site) DO UPDATE SET last_seq = audit_chain.last_seq + 1 RETURNING last_seq)
INSERT INTO audit_event (site, seq, at, actor_id, actor_role, act, purpose, object_id, outcome, trace_id,
    previous_hash, hash)
SELECT '{SITE}-floor', last_seq, now(), 'floor', 'coordinator', 'read_patient', 'TREAT', 'patient/' || %(id)s, 'done',
    '', '{"0" * 64}', '{"0" * 64}' FROM chain
"""  # noqa: S608  # nothing of anybody's stands in it


async def serve(port: int, settings: Settings) -> None:
    known = await _statements(settings)
    url = settings.database_url.replace("+psycopg", "")
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    connection.adapters.register_loader("bytea", Sealed)
    set_json_loads(from_json, connection)
    turn = asyncio.Lock()

    async def rows(statements: Statements) -> Response:
        async with turn:
            sent = [await connection.execute(text, given) for text, given in statements]
            found = [await one.fetchall() for one in sent if one.description]
        return Response(to_json(found), media_type="application/json")

    async def page(request: Request) -> Response:
        return await rows(known[request.url.path])

    async def patient(request: Request) -> Response:
        asked = PATIENT.of(sites=[SITE], patient=request.path_params["id"])
        noted = [(NOTED, request.path_params)] if request.url.path.startswith("/patients/") else []
        return await rows([(asked.text, asked.values), *noted])

    async def healthy(_: Request) -> Response:
        return Response()

    people = [Route(f"/{name}/{{id}}", patient) for name in ("patients", "patients-unnoted")]
    routes = [*(Route(path, page) for path in known), *people, Route("/healthz", healthy)]
    config = uvicorn.Config(
        Starlette(routes=routes), host="127.0.0.1", port=port, access_log=False, log_level="error"
    )
    await uvicorn.Server(config).serve()


class Sealed(Loader):
    """What is not opened says nothing."""

    def load(self, data: object) -> None:
        return None


async def _statements(settings: Settings) -> dict[str, Statements]:
    """What each page really sends."""
    here = compose(settings)
    now = datetime.now(UTC)

    async def tasks() -> None:
        await here.queries.tasks([SITE], limit=LIMIT)
        await here.queries.task_counts([SITE], now)

    async def board() -> None:
        zone = await here.zone_of(SITE)
        seen = await here.queries.board(SITE, local_date(now, zone), zone, now)
        await here.bookings.day(SITE, Span(seen["starts_at"], seen["ends_at"]), limit=1000)

    try:
        return {path: await _sent(here, ask) for path, ask in (("/tasks", tasks), ("/board", board))}
    finally:
        await here.close()


async def _sent(here: Composition, ask: Callable[[], Awaitable[None]]) -> Statements:
    sent: Statements = []

    def note(statement: str, values: Mapping[str, Any]) -> nullcontext[None]:
        sent.append((statement, values))
        return nullcontext()

    here.bookings._database.watch_questions(note)
    await ask()
    return sent.copy()  # what is asked after this is another page's


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Settings.from_environment()))

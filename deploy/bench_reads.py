"""What does a read cost with 100,000 courses, against its bare SQL, and against itself with 1,000?

Two databases on one server, each with an API and a floor (deploy/bench_floor_reads.py) of its own, all up at once.
A turn asks all four for a page, so that whatever else the machine does counts for all alike; the turns of the three
pages alternate. In both sizes the site that asks has the same day (deploy/clinic_group.py). Beside the time on the
wall, which on a busy machine says little, stands the processor time of the serving process and of PostgreSQL.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2

from clinical.events import Entry, TaskOpened
from clinical.people import ENGINE, Role
from deploy.bench_measure import Figure, processor_ms, quantile
from deploy.child import Child
from deploy.clinic_group import DROWNING, furnish_group
from deploy.crowd import SITE
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import ROOT, LocalOptions, LocalSystem
from deploy.ports import LOOPBACK, choose_ports
from deploy.rooms import furnish
from deploy.seed import PROTOCOL, TIME_ZONE, register_site
from deploy.tokens import mint
from deploy.waiting import until_healthy
from services.database import Database, migrate
from services.encryption import FieldCipher
from services.protocols import load_protocol
from services.records.chain import fact_text
from services.records.interface import NewPatient
from services.records.sql import SqlRecords

FEW, MANY = 1_000, 100_000
OVER_SQL, OVER_FEW = 1.5, 1.2
PATIENT = "01BENCH" + 19 * "0"
WARM_UP = 10
LIST, BOARD, PERSON = "work list", "board", "patient page"
PAGES = {
    LIST: ("/v1/tasks", "/tasks"),
    BOARD: ("/v1/board", "/board"),
    PERSON: (f"/v1/patients/{PATIENT}", f"/patients/{PATIENT}"),
}
UNNOTED = f"/patients-unnoted/{PATIENT}"

Ask = Callable[[], Awaitable[int]]
"""Asks for a page, and says how many bytes it has."""


@dataclass
class Size:
    """One record with what serves it."""

    http: httpx2.AsyncClient
    bare: httpx2.AsyncClient
    api: Child
    floor: Child


@dataclass
class Taken:
    """What the turns of one question took: on the wall, of the serving process, of PostgreSQL; in milliseconds."""

    wall: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    size: int = 0

    @property
    def p95(self) -> float:
        return quantile(self.wall, 0.95)

    @property
    def worked(self) -> float:
        return quantile(self.server, 0.5) + quantile(self.database, 0.5)


async def reads(*, quick: bool) -> list[Figure]:
    many = 5_000 if quick else MANY
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(LocalSystem(LocalOptions(with_ui=False)))
        await system.kill_worker()  # it would look for work meanwhile
        few, lots = [await _size(stack, system, courses) for courses in (FEW, many)]
        taken = await _in_turns(system, few, lots, 80 if quick else 400)
    return [figure for page in PAGES for figure in _figures(page, many, taken)] + _beside(taken)


async def _in_turns(system: LocalSystem, few: Size, lots: Size, times: int) -> dict[tuple[str, str], Taken]:
    token = mint(system.issuer_key, Role.COORDINATOR, sites=(SITE, DROWNING))
    headers = {"Authorization": f"Bearer {token}"}
    asked: dict[tuple[str, str], tuple[Child, httpx2.AsyncClient, str]] = {}
    for page, (full, least) in PAGES.items():
        for name, size in (("few", few), ("many", lots)):
            asked[page, name] = (size.api, size.http, f"{full}?site={SITE}" if page != PERSON else full)
            asked[page, f"{name}, bare"] = (size.floor, size.bare, least)
    asked[PERSON, "unnoted"] = (lots.floor, lots.bare, UNNOTED)
    asked[LIST, "drowning"] = (lots.api, lots.http, f"/v1/tasks?site={DROWNING}")
    taken = {name: Taken() for name in asked}
    for turn in range(times + WARM_UP):
        for question, (child, http, path) in asked.items():
            await _once(system, child, http, path, headers, taken[question] if turn >= WARM_UP else Taken())
    return taken


async def _once(
    system: LocalSystem,
    child: Child,
    http: httpx2.AsyncClient,
    path: str,
    headers: dict[str, str],
    taken: Taken,
) -> None:
    postgres = system.postgres.child
    assert postgres is not None
    before = processor_ms(child.pid), processor_ms(postgres.pid, with_children=True)
    began = time.perf_counter()
    answer = (await http.get(path, headers=headers)).raise_for_status()
    taken.wall.append(1000 * (time.perf_counter() - began))
    taken.server.append(processor_ms(child.pid) - before[0])
    taken.database.append(processor_ms(postgres.pid, with_children=True) - before[1])
    taken.size = len(answer.content)


def _figures(page: str, many: int, taken: dict[tuple[str, str], Taken]) -> list[Figure]:
    few, ours, bare = (taken[page, name] for name in ("few", "many", "many, bare"))
    return [
        Figure("reads", f"{page}, p95, {many:,} courses", "ms", ours.p95, bare.p95, at_most=OVER_SQL),
        Figure("reads", f"{page}, p95, against {FEW:,}", "ms", ours.p95, few.p95, at_most=OVER_FEW),
        Figure("reads", f"{page}, median", "ms", quantile(ours.wall, 0.5), quantile(bare.wall, 0.5)),
        Figure("reads", f"{page}, processor time", "ms", ours.worked, bare.worked),
        Figure("reads", f"{page}, processor time, against {FEW:,}", "ms", ours.worked, few.worked),
        Figure(
            "reads", f"{page}, of it PostgreSQL", "ms", *(quantile(t.database, 0.5) for t in (ours, bare))
        ),
        Figure("reads", f"{page}, size", "bytes", ours.size, bare.size),
    ]


def _beside(taken: dict[tuple[str, str], Taken]) -> list[Figure]:
    person, unnoted = taken[PERSON, "many"], taken[PERSON, "unnoted"]
    crowd, day = taken[LIST, "drowning"], taken[LIST, "many"]
    return [
        Figure("reads", f"{PERSON}, p95, against SQL without an audit", "ms", person.p95, unnoted.p95),
        Figure("reads", f"{LIST} of a site with 50 times as many open, p95", "ms", crowd.p95, day.p95),
    ]


async def _size(stack: AsyncExitStack, system: LocalSystem, courses: int) -> Size:
    name = f"courses_{courses}"
    url = system.postgres.create_database(name)
    migrate(url)
    ports = choose_ports({"the API": None, "the floor": None})
    own = {"KAP_DATABASE_URL": url, "KAP_API_PORT": str(ports["the API"]), "KAP_METRICS_PORT": "0"}
    api = await _child(stack, system, f"api-{courses}", ["api"], own, ports["the API"])
    clinic = Clinic(f"http://{LOOPBACK}:{ports['the API']}", tokens_of(system.issuer_key))
    stack.push_async_callback(clinic.close)
    protocol = load_protocol(PROTOCOL)
    await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
    await register_site(clinic)
    await furnish(clinic)
    cipher = FieldCipher.from_settings(system.settings())
    with closing(system.postgres.as_admin(name)) as admin:
        furnish_group(admin, courses, cipher, _reason(), protocol.canonical)
    await _add_patient(url, cipher)
    bare = ["deploy.bench_floor_reads", str(ports["the floor"])]
    floor = await _child(stack, system, f"floor-{courses}", bare, own, ports["the floor"])
    http, sql = (
        httpx2.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=60) for port in ports.values()
    )
    stack.push_async_callback(http.aclose)
    stack.push_async_callback(sql.aclose)
    return Size(http, sql, api, floor)


async def _child(
    stack: AsyncExitStack, system: LocalSystem, name: str, module: list[str], own: dict[str, str], port: int
) -> Child:
    child = Child(
        name,
        [sys.executable, "-m", *module],
        system.data_dir / "logs" / f"{name}.log",
        environment=os.environ | system.environment() | own,
        folder=ROOT,
    )
    stack.callback(child.stop)
    await until_healthy(child, port)
    return child


def _reason() -> str:
    """Why each task was opened, so that it can be read: the crowd's entries hold nothing."""
    now = datetime.now(UTC)
    fact = TaskOpened(task_id="one", code="take-consent", owner=Role.NURSE, due_at=now, reason="bench")
    return fact_text(Entry(key="k1", occurred_at=now, actor=ENGINE, fact=fact))


async def _add_patient(url: str, cipher: FieldCipher) -> None:
    """Somebody whose name can be read: the crowd has none."""
    database = Database(url)
    try:
        await SqlRecords(database, cipher).add_patient(
            NewPatient(
                patient_id=PATIENT, site=SITE, name="Bench Example", birth_date="1984-05-17", sex="other",
                email="bench@example.org", phone_e164=None, mrn=None, language="en", time_zone=TIME_ZONE,
                preferred_channel="email", detail_opt_in=False,
            )
        )  # fmt: skip
    finally:
        await database.dispose()

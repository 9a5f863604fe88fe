"""What does a read cost with 100,000 courses, against its bare SQL, and against itself with 1,000?

Work list, board and a patient's page (deploy/crowd.py fills the record). The floor sends the same statements through
a server of the same make (deploy/bench_floor_reads.py); ours checks the token, authorises, decrypts, validates what
it answers, and writes down who looked at whom. Both take turns.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime

import httpx2
import psycopg

from clinical.events import Entry, TaskOpened
from clinical.people import ENGINE, Role
from deploy.bench_measure import Figure, quantile
from deploy.child import Child
from deploy.crowd import SITE, fill
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import DATABASE, ROOT, LocalOptions, LocalSystem
from deploy.ports import LOOPBACK, choose_ports
from deploy.seed import TIME_ZONE, register_site
from deploy.waiting import until_healthy
from services.database import Database
from services.encryption import FieldCipher
from services.records.chain import fact_text
from services.records.interface import NewPatient
from services.records.ledger import PAYLOAD
from services.records.sql import SqlRecords

FEW, MANY = 1_000, 100_000
OVER_SQL, OVER_FEW = 1.5, 1.2
PATIENT = "01BENCH" + 19 * "0"


async def reads(*, quick: bool) -> list[Figure]:
    many = 5_000 if quick else MANY
    few, _ = await _with(FEW, quick=quick)
    lots, floors = await _with(many, quick=quick)
    found = []
    for page, ours in lots.items():
        found.append(
            Figure("reads", f"{page}, p95, {many:,} courses", "ms", ours, floors[page], at_most=OVER_SQL)
        )
        found.append(
            Figure("reads", f"{page}, p95, against {FEW:,}", "ms", ours, few[page], at_most=OVER_FEW)
        )
    return found


async def _with(courses: int, *, quick: bool) -> tuple[dict[str, float], dict[str, float]]:
    """The p95 of each page and of its floor, in milliseconds, with so many courses in the record."""
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(LocalSystem(LocalOptions(with_ui=False)))
        with closing(system.postgres.as_admin(DATABASE)) as admin:
            fill(admin, courses)
            _write_reasons(admin, FieldCipher.from_settings(system.settings()))
        clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
        stack.push_async_callback(clinic.close)
        await register_site(clinic)
        await _add_patient(system)
        bare = await stack.enter_async_context(await _floor(stack, system))
        return await _in_turns(clinic, bare, PATIENT, 40 if quick else 400)


def _write_reasons(admin: psycopg.Connection, cipher: FieldCipher) -> None:
    """Why each task was opened, so that it can be read: the crowd's entries hold nothing."""
    now = datetime.now(UTC)
    fact = TaskOpened(task_id="one", code="take-consent", owner=Role.NURSE, due_at=now, reason="bench")
    text = fact_text(Entry(key="k1", occurred_at=now, actor=ENGINE, fact=fact))
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")  # nobody may change an entry but so
        entries = admin.execute("SELECT journey_id, key FROM journey_entry WHERE seq = 1").fetchall()
        sealed = [(cipher.encrypt(PAYLOAD, text, row="\0".join(place)), *place) for place in entries]
        with admin.cursor() as cursor:
            cursor.executemany(
                "UPDATE journey_entry SET payload = %s WHERE journey_id = %s AND key = %s", sealed
            )
    admin.execute("VACUUM ANALYZE journey_entry")


async def _add_patient(system: LocalSystem) -> None:
    """Somebody whose name can be read: the crowd has none."""
    database = Database(system.database_url)
    try:
        await SqlRecords(database, FieldCipher.from_settings(system.settings())).add_patient(
            NewPatient(
                patient_id=PATIENT, site=SITE, name="Bench Example", birth_date="1984-05-17", sex="other",
                email="bench@example.org", phone_e164=None, mrn=None, language="en", time_zone=TIME_ZONE,
                preferred_channel="email", detail_opt_in=False,
            )
        )  # fmt: skip
    finally:
        await database.dispose()


async def _floor(stack: AsyncExitStack, system: LocalSystem) -> httpx2.AsyncClient:
    port = choose_ports({"the floor": None})["the floor"]
    child = Child(
        "the floor",
        [sys.executable, "-m", "deploy.bench_floor_reads", str(port)],
        system.data_dir / "logs" / "floor.log",
        environment=os.environ | system.environment(),
        folder=ROOT,
    )
    stack.callback(child.stop)
    await until_healthy(child, port)
    return httpx2.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", timeout=60)


async def _in_turns(
    clinic: Clinic, bare: httpx2.AsyncClient, patient: str, times: int
) -> tuple[dict[str, float], dict[str, float]]:
    pages = {
        "work list": ("/v1/tasks", "/tasks"),
        "board": ("/v1/board", "/board"),
        "patient page": (f"/v1/patients/{patient}", f"/patients/{patient}"),
    }
    ours: dict[str, list[float]] = {page: [] for page in pages}
    theirs: dict[str, list[float]] = {page: [] for page in pages}
    for turn in range(times + 10):
        for page, (full, least) in pages.items():
            began = time.perf_counter()
            (await bare.get(least)).raise_for_status()
            between = time.perf_counter()
            await clinic.get(full, Role.COORDINATOR)
            if turn >= 10:
                theirs[page].append(1000 * (between - began))
                ours[page].append(1000 * (time.perf_counter() - between))
    return _p95(ours), _p95(theirs)


def _p95(taken: dict[str, list[float]]) -> dict[str, float]:
    return {page: quantile(values, 0.95) for page, values in taken.items()}

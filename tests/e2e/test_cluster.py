"""Is all of it true after each process of the production topology was killed in turn while courses went on?"""

from __future__ import annotations

import asyncio
import json
import os
import signal

import psycopg
import pytest

from clinical.people import Role
from clinical.protocol import Indication, Protocol
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import tokens_of
from deploy.local import LocalOptions
from deploy.local_cluster import LocalCluster
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.temporal import connect
from tests.e2e.one_visit import OneVisit, Persistent, PersistentClock
from tests.e2e.soundness import kinds_of, objections

AT_ONCE = 2
BETWEEN_KILLS = 6
"""So many commands and reads are answered between one kill and the next."""
PARTS = {"PostgreSQL", "Temporal", "worker-journey", "worker-clinical-io", "worker-notify", "api-1", "api-2"}
ONCE = (
    "consent.given",
    "dose.given",
    "dose.ended",
    "session.discharged",
    "integration.held",
    "journey.closed",
)


@pytest.mark.timeout(600)  # a minute on cores of its own
async def test_each_process_is_killed_in_turn_while_courses_go_on_and_every_invariant_holds() -> None:
    protocol = load_protocol("iv-racemic")
    async with LocalCluster(LocalOptions(virtual_time=True, with_ui=False)) as cluster:
        clinic = Persistent(cluster.base_urls, tokens_of(cluster.issuer_key))
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        await clinic.furnish()
        client = await connect(cluster.settings())
        supervising = asyncio.create_task(cluster.watch())
        told: list[OneVisit] = []

        async def keep_telling(until: asyncio.Task[None]) -> None:
            while not until.done():
                record = read_referral(SAMPLE.read_bytes()).record
                clock = PersistentClock(client)
                one = OneVisit(clinic, clock, protocol, Indication.DEPRESSION, record, lambda step: None)
                await one.run(reachable(json.loads(SAMPLE.read_bytes())))
                told.append(one)

        async with asyncio.TaskGroup() as group:
            killing = group.create_task(_kill_each(cluster, clinic, supervising))
            for _ in range(AT_ONCE):
                group.create_task(keep_telling(killing))
        await clinic.close()
        await _are_sound(cluster, protocol, [one.journey_id for one in told])
        assert {name for name, times in cluster.restarts.items() if times == 1} == PARTS
        assert clinic.told  # somebody did notice
        supervising.cancel()


async def _kill_each(cluster: LocalCluster, clinic: Persistent, supervising: asyncio.Task[None]) -> None:
    for name in sorted(PARTS):
        went_on = clinic.accepted + BETWEEN_KILLS
        while clinic.accepted < went_on:
            await asyncio.sleep(0.02)
        [pid] = [child.pid for child in cluster.children() if child.name == name]
        os.kill(pid, signal.SIGKILL)
        while not cluster.restarts[name]:
            assert not supervising.done(), supervising.exception()
            await asyncio.sleep(0.05)
        if name.startswith("api"):
            await asyncio.to_thread(_a_minute_passes, cluster)


def _a_minute_passes(cluster: LocalCluster) -> None:
    """A claim of a process that died is given to another one after a while; the database's clock is real."""
    address = cluster.database_url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "UPDATE idempotency_key SET claimed_at = claimed_at - interval '1 minute' WHERE status = 'running'"
        )


async def _are_sound(cluster: LocalCluster, protocol: Protocol, journeys: list[str]) -> None:
    client = await connect(cluster.settings())
    running = 'ExecutionStatus = "Running"'

    async def nothing_runs() -> bool:
        return (await client.count_workflows(running)).count == 0

    await PersistentClock.eventually(nothing_runs)
    assert len(journeys) >= AT_ONCE
    assert await objections(cluster, client, protocol, journeys) == []
    for journey in journeys:
        kinds = await kinds_of(cluster, journey)
        assert [kinds.count(kind) for kind in ONCE] == [1] * len(ONCE), journey

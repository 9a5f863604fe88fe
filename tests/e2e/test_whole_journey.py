"""A whole journey over HTTP on a machine that fails: the journey ends the same, nothing twice, nothing missing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import Any

from clinical.invariants import violations
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, tokens_of
from deploy.demo_story import TIME_ZONE, Story
from deploy.local import LocalOptions, LocalSystem
from deploy.virtual_clock import VirtualClock
from services.database import Database
from services.encryption import FieldCipher
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.temporal import connect


class Stormy(Story):
    """The same story; in the middle of session 2 the worker dies, before session 3 the engine does."""

    system: LocalSystem

    async def _watch(self, n: int, given_at: datetime, dose_mg: float) -> None:
        if n == 2:
            await self.system.kill_worker()
            watching = asyncio.create_task(super()._watch(n, given_at, dose_mg))
            await self.system.start_worker()
            await watching
        else:
            await super()._watch(n, given_at, dose_mg)

    async def _session(self, n: int) -> None:
        if n == 3:
            await self.system.kill_temporal()
            await self.system.start_temporal()
        await super()._session(n)


async def test_a_journey_survives_kill_9_of_worker_and_engine() -> None:
    protocol = load_protocol("iv-racemic")
    raw = SAMPLE.read_bytes()
    told: list[str] = []
    async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False)) as system:
        client = await connect(system.settings())
        clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
        story = Stormy(
            clinic,
            VirtualClock(client),
            protocol,
            Indication.DEPRESSION,
            read_referral(raw).record,
            told.append,
        )
        story.system = system
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        journey = await story.run(reachable(json.loads(raw)))
        await clinic.close()
        still_running = [
            execution.id
            async for execution in client.list_workflows(
                f'WorkflowId STARTS_WITH "{story.journey_id}" AND ExecutionStatus = "Running"'
            )
        ]
        await _is_whole(system, story.journey_id, protocol, journey)
        assert still_running == []
        assert len(system.smtp.messages) == len({m.message_id for m in system.smtp.messages}) == 26


async def _is_whole(
    system: LocalSystem, journey_id: str, protocol: Protocol, journey: dict[str, Any]
) -> None:
    database = Database(system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(system.settings()))
        entries = await records.entries(journey_id)
        chain = await records.verify_chain(journey_id)
    finally:
        await database.dispose()
    sessions = protocol.schedule.first.sessions
    happened = Counter(str(entry.fact.kind) for entry in entries)
    expected = {
        "dose.given": sessions,
        "dose.ended": sessions,
        "observation.recorded": sessions * len(protocol.monitoring.reading_minutes),
        "observation.late": 0,
        "session.discharged": sessions,
        "session.next-day-contact": sessions,
        "integration.held": sessions,
        "follow-up.measured": len(protocol.follow_up.weeks),
        "course.decision-made": len(protocol.decisions.review_after_doses),
        "journey.closed": 1,
    }
    assert {kind: happened[kind] for kind in expected} == expected
    assert (journey["stage"], journey["doses"], journey["open_tasks"]) == ("finished", sessions, [])
    assert violations(entries, protocol, TIME_ZONE) == ()
    assert chain.passes

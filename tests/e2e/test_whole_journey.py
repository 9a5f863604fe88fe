"""A whole journey over HTTP on a machine that fails: the journey ends the same, nothing twice, nothing missing."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clinical.invariants import violations
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, Refused, tokens_of
from deploy.demo_story import TIME_ZONE, Story
from deploy.local import LocalOptions, LocalSystem
from deploy.virtual_clock import VirtualClock
from deploy.waiting import in_threads
from services.database import Database
from services.encryption import FieldCipher
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.records.sql import SqlRecords
from services.temporal import connect


class Persistent(Clinic):
    """Who is told to try again does so, with the same key, as any good client; `told` is what they were told."""

    def __init__(self, base_url: str, tokens: Mapping[str, str]) -> None:
        super().__init__(base_url, tokens)
        self.told: list[Mapping[str, Any]] = []
        self.refused = asyncio.Event()

    async def _ask(self, method: str, path: str, role: str, **given: Any) -> Any:
        while True:
            try:
                return await super()._ask(method, path, role, **dict(given))
            except Refused as refused:
                if not refused.problem["retryable"]:
                    raise
                self.told.append(refused.problem)
                self.refused.set()
            await asyncio.sleep(0.1)


class Stormy(Story):
    """The same story; in session 2 the worker dies, before session 3 the engine, in session 4 the database.

    Twice: before an act and while acts are under way. When session 5 is booked, no mail server answers.
    """

    system: LocalSystem
    told_while_away: list[Mapping[str, Any]]

    async def _watch(self, n: int, given_at: datetime, dose_mg: float) -> None:
        if n == 2:
            await self.system.kill_worker()
            watching = asyncio.create_task(super()._watch(n, given_at, dose_mg))
            await self.system.start_worker()
            await watching
        elif n == 4:
            await self._without_the_database(asyncio.create_task(super()._watch(n, given_at, dose_mg)))
        else:
            await super()._watch(n, given_at, dose_mg)

    async def _session(self, n: int) -> None:
        if n == 3:
            await self.system.kill_temporal()
            await self.system.start_temporal()
        await super()._session(n)

    async def _without_the_database(self, watching: asyncio.Task[None]) -> None:
        clinic, database = self._clinic, self.system.postgres
        assert isinstance(clinic, Persistent)
        for _ in range(2):
            clinic.refused.clear()
            await in_threads(database.kill)
            await clinic.refused.wait()
            await in_threads(database.start)
        await watching
        self.told_while_away = list(clinic.told)

    async def _post(self, path: str, role: str, body: Mapping[str, Any] | None = None, **more: Any) -> Any:
        if path != "sessions/5/booking":
            return await super()._post(path, role, body, **more)
        before = len(self.system.smtp.messages)
        self.system.smtp.stop()
        booked = await super()._post(path, role, body, **more)
        await self._clock.eventually(self._a_message_waits)
        self.system.smtp.start()
        await self._clock.eventually(lambda: self._mail_came(before))
        return booked

    async def _a_message_waits(self) -> bool:
        messages = (await self._clinic.get(f"{self.path}/messages"))["items"]
        return any(message["status"] == "preparation" and message["attempts"] for message in messages)

    async def _mail_came(self, before: int) -> bool:
        return len(self.system.smtp.messages) > before


async def test_a_journey_survives_kill_9_of_worker_engine_and_database_and_a_day_without_mail() -> None:
    protocol = load_protocol("iv-racemic")
    raw = SAMPLE.read_bytes()
    told: list[str] = []
    async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False)) as system:
        client = await connect(system.settings())
        clinic = Persistent(system.base_url, tokens_of(system.issuer_key))
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
        running = f'WorkflowId STARTS_WITH "{story.journey_id}" AND ExecutionStatus = "Running"'

        async def nothing_runs() -> bool:
            return (await client.count_workflows(running)).count == 0

        await VirtualClock.eventually(nothing_runs)
        await _is_whole(system, story.journey_id, protocol, journey)
        assert {told["code"] for told in story.told_while_away} <= {
            "records-unavailable",
            "engine-unavailable",
        }
        assert all(
            told["status"] == 503 and told["title"] and told["detail"] for told in story.told_while_away
        )
        assert "records-unavailable" in {told["code"] for told in story.told_while_away}
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

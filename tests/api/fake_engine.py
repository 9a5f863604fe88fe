"""An engine that accepts everything, remembers what it was told, and refuses what it is told to refuse.

Starting a journey writes its first fact, as the real one does, so that reads find it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from api.engine import Engine, EngineRefused, EngineUnavailable
from api.engine_resets import FailedStep
from clinical.decision import Decision, Reason, Verdict
from clinical.dosing import DoseOrder
from clinical.events import Entry, JourneyStarted
from clinical.protocol import Drug, Route
from clinical.protocol_migration import Migration
from services.records.custody_interface import PendingCase
from services.records.errors import AlreadyActive
from services.records.interface import Batch, Records
from workflows.messages import Accepted, Command, DoseOrdered, Message, StartJourney, StartRisk
from workflows.names import risk_id

A = TypeVar("A", bound=Accepted)
M = TypeVar("M", bound=Message)

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
CAUTION = Reason(rule="X1", verdict=Verdict.CAUTION, text="look again", source="the test")
ORDER = DoseOrder(
    drug=Drug.KETAMINE,
    route=Route.IV,
    dose_mg=Decimal("34.9"),
    mg_per_kg=Decimal("0.5"),
    weight_kg=Decimal("69.853"),
    weight_measured_at=AT,
    volume_ml=Decimal("34.9"),
    concentration_mg_per_ml=Decimal("1"),
    rate_ml_per_h=Decimal("52.3"),
    infusion_minutes=40,
    inputs={"basis": "actual-weight"},
)


class FakeEngine(Engine):
    def __init__(self, records: Records) -> None:
        self._records = records
        self.heard: list[tuple[str, str, Command]] = []
        self.failure: Exception | None = None
        self.refuses: dict[str, Exception] = {}
        self.up = True
        self.failed: dict[str, FailedStep] = {}
        self.taken_up: list[tuple[FailedStep, str]] = []
        self.opened: list[PendingCase] = []
        self.opened_risk: list[StartRisk] = []

    async def start_journey(self, journey_id: str, message: StartJourney) -> Accepted:
        self._hear(journey_id, "start", message)
        fact = JourneyStarted(
            patient_id=message.patient_id,
            referral_id=message.referral_id,
            indication=message.indication,
            protocol=message.protocol.canonical,
            protocol_hash=message.protocol.content_hash,
            time_zone=message.time_zone,
        )
        at = message.occurred_at or AT
        entry = Entry(key=f"journey:{message.key}", occurred_at=at, actor=message.actor, fact=fact)
        try:
            await self._records.append(Batch(journey_id=journey_id, entries=(entry,)))
        except AlreadyActive:
            raise EngineRefused("journey-already-active", "the course cannot be started", {}) from None
        return Accepted(state="referred", at=at)

    async def open_case(self, start: StartRisk) -> Accepted:
        assert start.concern is not None
        self.opened_risk.append(start)
        self._hear(risk_id(start.journey_id, start.finding.case_id), "raise_concern", start.concern)
        return Accepted(state="raised", at=AT, detail={"case_id": start.finding.case_id})

    async def command(self, workflow_id: str, update: str, message: Command, answer: type[A]) -> A:
        self._hear(workflow_id, update, message)
        more = {"order": ORDER, "reasons": (CAUTION,)} if issubclass(answer, DoseOrdered) else {}
        return answer.model_validate({"state": "done", "at": AT, "detail": {}, **more})

    async def look(self, workflow_id: str, query: str, message: Command, answer: type[M]) -> M:
        self._hear(workflow_id, query, message)
        found = Migration(decision=Decision.of([CAUTION]), plan_anew=True)
        return answer.model_validate({"before": "url|1", "before_hash": "0f" * 32, "found": found})

    async def open_drug_case(self, case: PendingCase) -> None:
        if isinstance(self.failure, EngineUnavailable):
            raise self.failure
        self.opened.append(case)

    async def failed_step(self, workflow_id: str) -> FailedStep | None:
        return self.failed.get(workflow_id)

    async def take_up(self, step: FailedStep, reason: str, key: str) -> str | None:
        self.taken_up.append((step, reason))
        return "another-run"

    async def is_up(self) -> bool:
        return self.up

    def _hear(self, workflow_id: str, update: str, message: Command) -> None:
        if update in self.refuses:
            raise self.refuses[update]
        self.heard.append((workflow_id, update, message))
        if self.failure is not None:
            raise self.failure

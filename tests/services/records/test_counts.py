"""Is what happened counted, once, and only when it is in the record? And what is open now?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from clinical import events
from clinical.decision import Reason, Verdict
from clinical.people import Role
from services.database import Database
from services.records.errors import KeyReused
from services.records.interface import Batch
from services.records.sql import SqlRecords
from tests.services.records.builders import PRESCRIBER, START, a_journey, add, an_entry
from tests.services.records.facts import LATER, a_dose, a_risk_case, a_task, an_observation
from tests.services.telemetry.series import total, value
from workers.census import count


def _closed(*gates: str) -> events.GateEvaluated:
    reasons = [Reason(rule=gate, verdict=Verdict.REFUSE, text="closed", source="test") for gate in gates]
    open_gate = Reason(rule="G1", verdict=Verdict.PASS, text="open", source="test")
    return events.GateEvaluated(session=1, green=False, reasons=(*reasons, open_gate))


def _message(template: str, status: str, reason: str | None) -> events.MessageSettled:
    return events.MessageSettled(
        key="m", template=template, status=status, channel=None, reason=reason, not_after=LATER, sent_at=None
    )


GATE: Callable[[], float] = lambda: total("kap_gate_blocked_total")  # noqa: E731
EXPIRED: Callable[[], float] = lambda: total("kap_reminder_expired_total")  # noqa: E731
LATE: Callable[[], float] = lambda: total("kap_session_observation_late_total")  # noqa: E731
TAKEN: Callable[[], float] = lambda: total("kap_session_observation_recorded_total")  # noqa: E731


@pytest.mark.parametrize(
    ("fact", "counted", "by"),
    [
        (_closed("G4", "G9", "G9"), GATE, 2),
        (events.GateEvaluated(session=1, green=True, reasons=()), GATE, 0),
        (_message("session_reminder", "not-done", "expired"), EXPIRED, 1),
        (_message("session_reminder", "not-done", "opted-out"), EXPIRED, 0),
        (_message("session_reminder", "completed", None), EXPIRED, 0),
        (_message("session_booked", "not-done", "expired"), EXPIRED, 0),
        (events.ObservationLate(session=1, due_at=START, paged=Role.NURSE), LATE, 1),
        (an_observation("obs-1"), TAKEN, 1),
        (an_observation("obs-2", amends="obs-1"), TAKEN, 0),
    ],
)
async def test_a_fact_counts_once_however_often_it_is_told(
    records: SqlRecords, fact: events.Fact, counted: Callable[[], float], by: int
) -> None:
    journey_id = await a_journey(records)
    batch = Batch(journey_id=journey_id, entries=(an_entry("told", fact),))
    before = counted()
    await records.append(batch)
    await records.append(batch)
    assert counted() == before + by


async def test_what_is_refused_with_its_batch_does_not_count(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    before = total("kap_gate_blocked_total")
    again = an_entry("start", _closed("G4"))  # the key of another fact
    with pytest.raises(KeyReused):
        await records.append(Batch(journey_id=journey_id, entries=(an_entry("x", _closed("G4")), again)))
    assert total("kap_gate_blocked_total") == before


@pytest.mark.parametrize(
    ("after", "in_time"), [(timedelta(minutes=5), "true"), (timedelta(days=31), "false")]
)
async def test_how_long_a_risk_case_waited_and_whether_that_was_in_time(
    records: SqlRecords, after: timedelta, in_time: str
) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_risk_case())
    seconds = value("kap_risk_ack_duration_seconds_sum", level="high")
    cases = value("kap_risk_acknowledged_total", in_time=in_time)
    taken_over = events.RiskAcknowledged(case_id="case-1")
    for key in ("first", "again"):  # what became worse is taken over again, and counted once
        entry = an_entry(key, taken_over, at=START + after, actor=PRESCRIBER)
        await records.append(Batch(journey_id=journey_id, entries=(entry,)))
    assert value("kap_risk_acknowledged_total", in_time=in_time) == cases + 1
    assert value("kap_risk_ack_duration_seconds_sum", level="high") == seconds + after.total_seconds()


async def test_the_census_counts_what_is_open(records: SqlRecords, database: Database) -> None:
    now = datetime.now(UTC)
    risky = await a_journey(records)
    await add(records, risky, a_risk_case().model_copy(update={"acknowledge_by": now - timedelta(minutes=1)}))
    treated = await a_journey(records, name="Another Person", mrn="MRN-1", email="b@example.org")
    alarm = a_task("late", due_at=now - timedelta(hours=1)).model_copy(update={"code": "take-reading"})
    arrived = events.CheckedIn.model_validate(
        {"session": 1, "baseline": an_observation("o").reading, "tier": an_observation("o").tier}
    )
    await add(records, treated, arrived, a_dose(), alarm, a_task("next", due_at=now + timedelta(days=1)))
    await count(database, now)
    assert value("kap_journey_active", stage="referred") == 2
    assert value("kap_risk_unacknowledged_late") == value("kap_risk_open", level="high") == 1
    assert (value("kap_task_open", owner="nurse"), value("kap_task_overdue", owner="nurse")) == (2, 1)
    assert value("kap_session_in_chair") == value("kap_session_observation_overdue") == 1
    assert value("kap_outbox_lag_seconds") >= 0
    assert value("kap_message_oldest_seconds") == 0
    assert value("kap_census_timestamp_seconds") == now.timestamp()
    await add(records, risky, events.RiskAcknowledged(case_id="case-1"), actor=PRESCRIBER)
    await count(database, now)
    assert value("kap_risk_unacknowledged_late") == 0

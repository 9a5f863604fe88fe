"""The downtime sheet: made with each order, asked for by the gate, and on the ward's printer or called out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from clinical.people import Role
from clinical.protocol import Protocol
from deploy.postgres import PostgresServer
from services.downtime.folder import DowntimeFolder
from services.downtime.page import HelpNumbers
from services.records.interface import DosingFacts
from services.records.sql import SqlRecords
from tests.workflows.clinic import a_clinic, a_database
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.unreliable_records import UnreliableRecords
from tests.workflows.walk import Refused, Walk


class ForgetfulRecords(UnreliableRecords):
    """A record that says of downtime sheets what it is told to say, if anything."""

    says: tuple[str, ...] | None = None
    forgets = False

    async def dosing_facts(self, journey_id: str, container_id: str | None = None) -> DosingFacts:
        facts = await super().dosing_facts(journey_id, container_id)
        return facts.model_copy(update={"downtime_sheets": self.says}) if self.forgets else facts


@dataclass
class Ward:
    patient: Walk
    records: ForgetfulRecords
    printer: Path


@pytest.fixture
async def ward(
    temporal_environment: WorkflowEnvironment,
    postgres: PostgresServer,
    database_template: str,
    protocol: Protocol,
    tmp_path: Path,
) -> AsyncIterator[Ward]:
    """A clinic whose printer's folder is there when somebody makes it."""
    kept: list[ForgetfulRecords] = []

    def forgetful(records: SqlRecords) -> ForgetfulRecords:
        kept.append(ForgetfulRecords(records))
        return kept[0]

    printer = tmp_path / "printer"
    spool = DowntimeFolder(str(printer), HelpNumbers())
    with a_database(postgres, database_template) as url:
        async with a_clinic(temporal_environment, url, forgetful, spool=spool) as clinic:
            patient = await at_treating(Walk(temporal_environment, clinic.records, shortened(protocol)))
            yield Ward(patient, kept[0], printer)


async def test_each_order_makes_a_sheet_and_the_dose_waits_for_exactly_that_one(ward: Ward) -> None:
    patient, printer = ward.patient, ward.printer
    printer.mkdir()
    await patient.to_chair()
    order = await patient.order()
    first, second = await patient.facts("session.downtime-sheet-made")
    assert [made.order_id for made in (first, second)] == ["session/1/order/1", "session/1/order/2"]
    assert first.sheet_hash != second.sheet_hash == second.sheet.content_hash
    assert second.sheet.patient_code == patient.patient_id
    dose = next(line.value for line in second.sheet.order if line.label == "DOSE")
    assert dose == f"{order.order.dose_mg:f} mg"

    async def printed() -> bool:
        return len(list(printer.iterdir())) == 2

    await patient.eventually(printed)
    names = sorted(path.name for path in printer.iterdir())
    assert all(name.endswith(f"-session-1-order-{n}.html") for n, name in enumerate(names, 1))
    assert "Ada Example" not in (printer / names[1]).read_text()
    ward.records.forgets = True
    for says in (None, (), (first.sheet_hash,)):
        ward.records.says = says
        with pytest.raises(Refused) as closed:
            await patient.give(order)
        assert (closed.value.code, closed.value.reasons) == ("gate-closed", ["G14"])
    ward.records.forgets = False
    await patient.give(order)
    assert "task.opened" not in await _of_the_task(patient)
    await over(patient)


async def test_a_printer_that_is_away_holds_up_no_dose_but_calls_a_nurse(ward: Ward) -> None:
    patient = ward.patient
    order = await patient.to_chair()
    await patient.eventually(lambda: _has(patient, "task.opened"))
    await patient.give(order)
    [opened] = [fact for fact in await patient.facts("task.opened") if "print-downtime-sheet" in fact.task_id]
    assert opened.owner is Role.NURSE

    async def paged() -> bool:
        return any("print-downtime-sheet" in mail.key for mail in await patient.facts("message.settled"))

    await patient.eventually(paged)
    ward.printer.mkdir()
    await patient.eventually(lambda: _has(patient, "task.completed"))
    assert len(list(ward.printer.iterdir())) == 1
    await over(patient)


async def test_when_the_patient_is_home_nobody_prints_any_more(ward: Ward) -> None:
    patient = ward.patient
    order = await patient.to_chair()
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    await patient.discharge()
    await patient.eventually(lambda: _has(patient, "task.cancelled"))
    assert "task.completed" not in await _of_the_task(patient)
    await over(patient)


async def _of_the_task(patient: Walk) -> list[str]:
    return [
        entry.fact.kind
        for entry in await patient.record()
        if "/print-downtime-sheet/" in getattr(entry.fact, "task_id", "")
    ]


async def _has(patient: Walk, kind: str) -> bool:
    return kind in await _of_the_task(patient)

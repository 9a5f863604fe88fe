"""A difference in the drug books on the real engine: paged at once, explained by another person, or a loss."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from clinical.custody import MovementKind
from clinical.custody_duties import loss_form_by, loss_notice_by
from clinical.custody_events import Cause, CustodyDuty
from clinical.people import Actor, Role
from clinical.protocol import Drug, Protocol
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.records.custody_interface import NewContainer, NewMovement
from services.records.custody_views import DiscrepancyView
from services.records.queries import RecordQueries
from tests.workflows.clinic import Clinic
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, SITE, Refused, Walk, a_key
from workers.drug_cases import open_pending_cases
from workflows import messages as m
from workflows.names import drug_case_id

NURSE, DIRECTOR = PEOPLE[Role.NURSE], PEOPLE[Role.MEDICAL_DIRECTOR]
HOUR = timedelta(hours=1)


class Books:
    """The drug books of the clinic, and what becomes of one discrepancy in them."""

    def __init__(self, clinic: Clinic, environment: WorkflowEnvironment, queries: RecordQueries) -> None:
        self.records, self.environment, self.queries = clinic.records, environment, queries
        self.vial = secrets.token_hex(13)

    async def take_in(self, protocol: Protocol, at: datetime, mg: int = 500) -> None:
        await self.records.publish_protocol(protocol, SITE)
        new = NewContainer(
            container_id=self.vial,
            key=a_key(),
            site=SITE,
            drug=Drug.KETAMINE,
            product="ketamine 10 mg/mL",
            strength="10 mg/mL",
            lot="LOT-1",
            expires_on=date(2099, 1, 1),
            amount_mg=Decimal(mg),
            actor=NURSE,
            occurred_at=at,
        )
        await self.records.receive_container(new, at)

    async def count(self, mg: int, at: datetime) -> None:
        new = NewMovement(
            container_id=self.vial,
            key=a_key(),
            site=SITE,
            kind=MovementKind.COUNTED,
            amount_mg=Decimal(mg),
            actor=NURSE,
            occurred_at=at,
        )
        await self.records.move(new, at)

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.environment.client.get_workflow_handle(drug_case_id(SITE, self.vial, 1))

    async def case(self) -> DiscrepancyView:
        return (await self.queries.discrepancies(SITE, container_id=self.vial))[0]

    async def say(self, update: str, message: m.Command) -> m.Accepted:
        try:
            answer: m.Accepted = await self.handle.execute_update(
                update, message, id=message.key, result_type=m.Accepted
            )
        except WorkflowUpdateFailedError as refused:
            raise Refused(refused.cause) from refused
        return answer

    async def refused(self, update: str, message: m.Command) -> str:
        with pytest.raises(Refused) as no:
            await self.say(update, message)
        return no.value.code

    async def opened(self) -> DiscrepancyView:
        """The case is started, however often one looks, and has written its first facts."""
        for _ in range(2):
            await open_pending_cases(self.environment.client, self.records)
        await self.until(lambda case: case.case_started_at is not None)
        return await self.case()

    async def until(self, holds: Callable[[DiscrepancyView], bool]) -> DiscrepancyView:
        async def so() -> bool:
            return holds(await self.case())

        await eventually(so)
        return await self.case()

    async def kinds(self) -> list[str]:
        return [entry.kind for entry in (await self.case()).entries]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    await Walk.eventually(holds)


@pytest.fixture
async def books(clinic: Clinic, temporal_environment: WorkflowEnvironment) -> AsyncIterator[Books]:
    database = Database(clinic.database_url)
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(range(32)))
    yield Books(clinic, temporal_environment, RecordQueries(database, cipher))
    await database.dispose()


async def a_difference(books: Books, protocol: Protocol) -> datetime:
    now = datetime.now(UTC)
    await books.take_in(protocol, now)
    await books.count(480, now)
    await books.opened()
    return (await books.case()).opened_at


def explained(actor: Actor) -> m.ExplainDiscrepancy:
    return m.ExplainDiscrepancy(key=a_key(), actor=actor, cause=Cause.RECORDING, note="not written down")


def reported(duty: CustodyDuty, actor: Actor = DIRECTOR) -> m.ReportLoss:
    return m.ReportLoss.model_validate({"key": a_key(), "actor": actor, "duty": duty, "proof": "no. 4711"})


async def test_the_director_is_paged_at_once_and_a_second_person_closes_it(
    books: Books, protocol: Protocol, clinic: Clinic
) -> None:
    await a_difference(books, protocol)

    async def paged() -> bool:
        return any("medical-director@example.org" in letter.recipients for letter in clinic.mail.messages)

    await eventually(paged)
    assert (await books.kinds())[:2] == ["custody.case-started", "custody.paged"]
    assert await books.refused("explain_discrepancy", explained(NURSE)) == "separation-of-duties"
    assert await books.refused("explain_discrepancy", explained(PEOPLE[Role.COORDINATOR])) == "wrong-role"
    assert await books.refused("report_loss", reported(CustodyDuty.NOTICE)) == "not-possible-now"
    answer = explained(DIRECTOR)
    assert (await books.say("explain_discrepancy", answer)).state == "explained"
    await books.until(lambda case: case.status == "closed")
    assert (await books.handle.result())["outcome"] == "explained"
    assert (await books.kinds())[2:] == ["custody.explained", "custody.closed"]
    await open_pending_cases(books.environment.client, books.records)  # a closed case stays closed
    assert (await books.handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_what_nobody_explains_is_a_loss_that_closes_by_both_reports_only(
    books: Books, protocol: Protocol
) -> None:
    found_at = await a_difference(books, protocol)
    await books.environment.fast_forward(books.handle, HOUR + timedelta(minutes=1))
    case = await books.until(lambda case: case.waits_for[0].overdue)
    assert case.status == "open"
    await books.environment.fast_forward(books.handle, 23 * HOUR)
    case = await books.until(lambda case: case.status == "loss")
    notice_by, form_by = loss_notice_by(found_at, protocol.custody), loss_form_by(found_at, protocol.custody)
    assert [duty.due_at for duty in case.waits_for] == [notice_by, form_by]
    assert await books.refused("explain_discrepancy", explained(DIRECTOR)) == "not-possible-now"
    assert await books.refused("report_loss", reported(CustodyDuty.NOTICE, NURSE)) == "wrong-role"
    await books.environment.fast_forward(books.handle, timedelta(days=4))
    await books.until(lambda case: case.waits_for[0].overdue)
    await books.say("report_loss", reported(CustodyDuty.NOTICE))
    case = await books.until(lambda case: len(case.waits_for) == 1)
    assert (case.status, case.waits_for[0].code, case.waits_for[0].overdue) == (
        "loss",
        CustodyDuty.FORM,
        False,
    )
    assert await books.refused("report_loss", reported(CustodyDuty.NOTICE)) == "not-possible-now"
    await books.environment.fast_forward(books.handle, timedelta(days=45))
    await books.until(lambda case: case.waits_for[0].overdue)
    await books.say("report_loss", reported(CustodyDuty.FORM))
    case = await books.until(lambda case: case.status == "closed")
    assert case.waits_for == ()
    assert (await books.kinds()).count("custody.loss-reported") == 2


async def test_no_dose_beyond_what_is_left_and_a_dose_that_does_not_add_up_opens_a_case(
    books: Books, walk: Callable[..., Walk], protocol: Protocol
) -> None:
    patient = walk(shortened(protocol))
    await at_treating(patient)
    order = await patient.to_chair()
    drawn = order.order.drawn_mg or order.order.dose_mg
    await books.take_in(protocol, patient.time, mg=int(drawn) - 1)
    with pytest.raises(Refused) as no:
        await patient.give(order, container_id=books.vial, lot="LOT-1")
    assert (no.value.code, no.value.reasons) == ("gate-closed", ["G16"])
    assert await patient.facts("dose.given") == []
    books.vial = secrets.token_hex(13)
    await books.take_in(protocol, patient.time)
    given = await patient.give(order, container_id=books.vial, lot="LOT-1")
    container = await books.queries.container(SITE, books.vial)
    assert (container.remaining_mg, container.in_hand_mg) == (500 - drawn, drawn)
    end = m.EndDose(
        key=a_key(),
        actor=NURSE,
        given_mg=drawn - 10,
        wasted_mg=Decimal(2),
        witness="staff-7",
        occurred_at=given.at,
    )
    await patient.say("end_dose", end, patient.part)
    case = await books.opened()
    assert (case.kind, case.difference_mg) == ("dose-unaccounted", Decimal(-8))
    assert await books.refused("explain_discrepancy", explained(NURSE)) == "separation-of-duties"
    await books.say("explain_discrepancy", explained(DIRECTOR))
    await books.until(lambda one: one.status == "closed")

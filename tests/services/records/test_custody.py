"""Do the drug books keep everything once, let nobody take what is not there, and find every difference?"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from clinical import events
from clinical.custody import Movement, MovementKind, standing_after
from clinical.custody_events import (
    CaseStarted,
    Cause,
    CustodyDuty,
    CustodyEntry,
    CustodyFact,
    DiscrepancyClosed,
    DiscrepancyExplained,
    DutyOverdue,
    LossDeclared,
    LossReported,
    StaffPaged,
)
from clinical.people import Actor, Role
from clinical.protocol import Drug
from services.database import Database
from services.records.custody_interface import CustodyBatch, Moved, NewContainer, NewMovement
from services.records.errors import KeyReused, MovementRefused, NotFound, RecordMoved
from services.records.interface import Batch
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from tests.services.records.builders import SITE, START, a_journey, an_entry, an_id
from tests.services.records.facts import WORDS, a_dose
from tests.shipped import shipped_protocol

NURSE = Actor(id="nurse-1", role=Role.NURSE)
NOW = START + timedelta(days=400)
K = MovementKind


async def a_vial(records: SqlRecords, mg: float = 500, **given: Any) -> str:
    """A container in the books of a site whose protocol says how it is accounted for."""
    await records.publish_protocol(shipped_protocol(), SITE)
    values: dict[str, Any] = {
        "container_id": an_id(),
        "key": an_id(),
        "site": SITE,
        "drug": Drug.KETAMINE,
        "product": "ketamine 10 mg/mL",
        "strength": "10 mg/mL",
        "lot": "L-1",
        "expires_on": date(2099, 1, 1),
        "amount_mg": Decimal(str(mg)),
        "actor": NURSE,
        "occurred_at": START,
    }
    new = NewContainer.model_validate({**values, **given})
    return (await records.receive_container(new, NOW)).container_id


def a_movement(container_id: str, kind: MovementKind, mg: float, **given: Any) -> NewMovement:
    values: dict[str, Any] = {
        "container_id": container_id,
        "key": an_id(),
        "site": SITE,
        "kind": kind,
        "amount_mg": Decimal(str(mg)),
        "actor": NURSE,
        "witnesses": ("nurse-2", "nurse-3"),
        "occurred_at": START + timedelta(hours=1),
    }
    return NewMovement.model_validate({**values, **given})


async def move(records: SqlRecords, container_id: str, kind: MovementKind, mg: float, **given: Any) -> Moved:
    return await records.move(a_movement(container_id, kind, mg, **given), NOW)


async def dosed(
    records: SqlRecords, container_id: str, mg: str = "36.5", *, journey_id: str = "", at: datetime = START
) -> str:
    """Somebody gets a dose out of this container; the journey."""
    journey_id = journey_id or await a_journey(records)
    seen = (await records.dosing_facts(journey_id)).last_seq
    fact = a_dose(dose_mg=mg, at=at, container_id=container_id, drawn_mg=Decimal(mg))
    entry = an_entry("give", fact, at=at, actor=NURSE)
    await records.append(Batch(journey_id=journey_id, entries=(entry,), expected_seq=seen))
    return journey_id


async def ended(records: SqlRecords, journey_id: str, given: str, wasted: str = "0", back: str = "0") -> None:
    fact = events.DoseEnded(
        session=1,
        dose_id="dose-1",
        ended_at=START + timedelta(minutes=40),
        given_mg=Decimal(given),
        wasted_mg=Decimal(wasted),
        returned_mg=Decimal(back),
        witness="nurse-2",
        stopped_early=False,
    )
    entry = an_entry("end", fact, at=fact.ended_at, actor=NURSE)
    for _ in range(2):  # written twice, it is counted once
        await records.append(Batch(journey_id=journey_id, entries=(entry,)))


async def kinds(queries: RecordQueries, container_id: str) -> list[tuple[str, Decimal, Decimal]]:
    moved = await queries.movements(SITE, container_id)
    return [(one.kind, one.amount_mg, one.remaining_mg) for one in moved]


async def test_a_dose_moves_its_container_in_the_write_of_its_facts(
    records: SqlRecords, queries: RecordQueries, database: Database
) -> None:
    vial = await a_vial(records)
    journey_id = await dosed(records, vial)
    assert (await queries.container(SITE, vial)).in_hand_mg == Decimal("36.5")
    await ended(records, journey_id, "30", "4", "2.5")
    assert await kinds(queries, vial) == [
        ("received", 500, 500),
        ("drawn", Decimal("36.5"), Decimal("463.5")),
        ("given", 30, Decimal("463.5")),
        ("wasted", 4, Decimal("463.5")),
        ("returned", Decimal("2.5"), 466),
    ]
    seen = await queries.container(SITE, vial)
    assert (seen.remaining_mg, seen.in_hand_mg, seen.discrepancies) == (Decimal(466), Decimal(0), 0)
    assert {one.journey_id for one in await queries.movements(SITE, vial, after_seq=1)} == {journey_id}
    async with database.reading() as session:
        same = text(
            "select count(distinct x) from (select xmin::text x from journey_entry where kind = 'dose.ended'"
            " union all select xmin::text from drug_movement where kind in ('given', 'wasted', 'returned')) t"
        )
        assert await session.scalar(same) == 1


async def test_the_row_of_a_container_is_what_its_movements_come_to(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records)
    await ended(records, await dosed(records, vial), "30", "6.5")
    for kind, mg in ((K.WASTED, 3), (K.COUNTED, 455), (K.SENT_BACK, 55), (K.DESTROYED, 400)):
        await move(records, vial, kind, mg)
    told = [
        Movement(
            kind=MovementKind(one.kind),
            amount_mg=one.amount_mg,
            actor=one.actor_id,
            occurred_at=one.occurred_at,
            dose_id=one.dose_id,
        )
        for one in await queries.movements(SITE, vial)
    ]
    standing = standing_after(told, Decimal("0.5"))
    seen = await queries.container(SITE, vial)
    assert (seen.remaining_mg, seen.closed_at is not None) == (standing.remaining_mg, standing.closed)
    assert (standing.remaining_mg, standing.closed) == (Decimal(0), True)


async def test_of_two_nurses_who_draw_the_last_amount_exactly_one_gets_it(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records, 50)
    journeys = [await a_journey(records) for _ in range(4)]
    results = await asyncio.gather(
        *(dosed(records, vial, journey_id=one) for one in journeys), return_exceptions=True
    )
    lost = [one for one in results if isinstance(one, Exception)]
    assert [type(one) for one in lost] == [RecordMoved] * 3
    assert (await queries.container(SITE, vial)).remaining_mg == Decimal("13.5")
    written = [[entry.fact.kind for entry in await records.entries(one)] for one in journeys]
    assert sorted(map(len, written)) == [1, 1, 1, 2]  # nothing is left of a dose that was not possible


async def test_what_the_gate_sees_of_a_container(records: SqlRecords) -> None:
    vial, journey_id = await a_vial(records), await a_journey(records)
    seen = (await records.dosing_facts(journey_id, vial)).container
    assert seen is not None
    assert (seen.drug, seen.lot, seen.remaining_mg, seen.closed) == (
        Drug.KETAMINE,
        "L-1",
        Decimal(500),
        False,
    )
    assert (await records.dosing_facts(journey_id)).container is None
    assert (await records.dosing_facts(journey_id, "nowhere")).container is None
    elsewhere = await a_journey(records, site="site-b")
    assert (await records.dosing_facts(elsewhere, vial)).container is None
    with pytest.raises(RecordMoved):
        await dosed(records, vial, journey_id=elsewhere)


async def test_a_count_that_differs_is_a_discrepancy_and_what_is_there_is_there(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records)
    assert (await move(records, vial, K.COUNTED, 499.6)).discrepancy is None
    assert (await queries.container(SITE, vial)).remaining_mg == 500
    command = a_movement(vial, K.COUNTED, 480, witnesses=())
    moved = await records.move(command, NOW)
    assert (moved.discrepancy, moved.expected_mg, moved.remaining_mg) == (1, Decimal(500), Decimal(480))
    assert await records.move(command, NOW) == moved  # the same key again
    (case,) = await queries.discrepancies(SITE, status="open")
    assert (case.kind, case.difference_mg, case.involved) == ("count-differs", Decimal(-20), ("nurse-1",))
    (duty,) = case.waits_for
    assert (duty.owner, duty.due_at) == ("medical-director", case.opened_at + timedelta(hours=1))
    (pending,) = await records.pending_cases(SITE)
    assert (pending.container_id, pending.number, pending.difference_mg) == (vial, 1, Decimal(-20))
    assert await records.pending_cases("site-b") == []


async def test_a_dose_that_does_not_add_up_is_a_discrepancy(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records)
    await ended(records, await dosed(records, vial), "30", "4")
    (case,) = await queries.discrepancies(SITE, container_id=vial)
    assert (case.kind, case.difference_mg, case.expected_mg) == (
        "dose-unaccounted",
        Decimal("-2.5"),
        Decimal("36.5"),
    )
    assert set(case.involved) >= {"nurse-1", "nurse-2"}
    assert (await queries.container(SITE, vial)).in_hand_mg == Decimal("2.5")


async def test_what_the_books_refuse_leaves_nothing_behind(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records, 50)
    with pytest.raises(MovementRefused) as no:
        await move(records, vial, K.WASTED, 51, witnesses=("nurse-1",))
    assert {one.rule for one in no.value.decision.objections} == {"CUSTODY-AMOUNT", "CUSTODY-WITNESS"}
    with pytest.raises(MovementRefused):
        await move(records, "nowhere", K.WASTED, 1)
    with pytest.raises(MovementRefused):
        await move(records, vial, K.WASTED, 1, site="site-b")
    with pytest.raises(MovementRefused):
        await a_vial(records, expires_on=NOW.date())
    with pytest.raises(NotFound):
        await a_vial(records, site="site-without-protocol")
    assert len(await kinds(queries, vial)) == 1
    with pytest.raises(NotFound):
        await queries.movements("site-b", vial)


async def test_a_key_writes_once_and_for_one_movement_only(
    records: SqlRecords, queries: RecordQueries
) -> None:
    vial = await a_vial(records, container_id="v1", key="k1")
    assert await a_vial(records, container_id="v1", key="k1") == vial
    with pytest.raises(KeyReused):
        await a_vial(records, 400, container_id="v1", key="k1")
    with pytest.raises(KeyReused):
        await a_vial(records, container_id="v1", key="k2")
    first = await move(records, vial, K.WASTED, 5, key="w1", note=WORDS)
    assert await move(records, vial, K.WASTED, 5, key="w1") == first
    with pytest.raises(KeyReused):
        await move(records, vial, K.WASTED, 6, key="w1")
    assert [one.note for one in await queries.movements(SITE, vial)] == [None, WORDS]


@pytest.mark.parametrize("table", ["drug_movement", "drug_case_entry"])
@pytest.mark.parametrize("change", ["update {} set kind = 'x'", "delete from {}", "truncate {} cascade"])
async def test_what_is_in_the_books_stays(
    records: SqlRecords, database: Database, table: str, change: str
) -> None:
    vial = await a_vial(records)
    await move(records, vial, K.COUNTED, 10)
    await tell(records, vial, CaseStarted())
    with pytest.raises(IntegrityError, match="written once"):
        async with database.transaction() as session:
            await session.execute(text(change.format(table)))


async def tell(records: SqlRecords, vial: str, *facts: CustodyFact, actor: Actor = NURSE) -> None:
    entries = tuple(CustodyEntry(key=an_id(), occurred_at=NOW, actor=actor, fact=fact) for fact in facts)
    await records.record_custody(CustodyBatch(container_id=vial, number=1, entries=entries))


async def test_a_case_from_the_finding_to_both_reports(
    records: SqlRecords, queries: RecordQueries, database: Database
) -> None:
    vial = await a_vial(records)
    await move(records, vial, K.COUNTED, 10)
    await tell(records, vial, CaseStarted(), StaffPaged(role=Role.MEDICAL_DIRECTOR, about="opened"))
    assert await records.pending_cases() == []
    overdue = DutyOverdue(duty=CustodyDuty.EXPLAIN, escalated_to=Role.MEDICAL_DIRECTOR)
    await tell(records, vial, overdue)
    assert [duty.overdue for duty in (await queries.discrepancies(SITE))[0].waits_for] == [True]
    await tell(records, vial, LossDeclared(reason=WORDS, notice_by=NOW, form_by=NOW + timedelta(days=45)))
    owed = (await queries.discrepancies(SITE, status="loss"))[0].waits_for
    assert [(duty.code, duty.overdue) for duty in owed] == [
        (CustodyDuty.NOTICE, False),
        ("submit-loss-form", False),
    ]
    await tell(records, vial, LossReported(duty=CustodyDuty.NOTICE, proof=WORDS))
    await tell(records, vial, LossReported(duty=CustodyDuty.FORM, proof="106-1"))
    await tell(records, vial, DiscrepancyClosed(outcome="loss-reported"))
    (case,) = await queries.discrepancies(SITE, status="closed")
    assert (case.waits_for, case.closed_at, len(case.entries)) == ((), NOW, 7)
    assert any(WORDS in entry.text for entry in case.entries)
    async with database.reading() as session:
        raw = await session.scalars(text("select t::text from drug_case_entry t"))
        assert not any("Canary" in row for row in raw)


async def test_facts_of_a_case_are_written_once(records: SqlRecords) -> None:
    vial = await a_vial(records)
    with pytest.raises(NotFound):
        await tell(records, vial, CaseStarted())
    await move(records, vial, K.COUNTED, 10)
    fact = DiscrepancyExplained(cause=Cause.RECORDING, note=WORDS)
    entry = CustodyEntry(key="e", occurred_at=NOW, actor=NURSE, fact=fact)
    batch = CustodyBatch(container_id=vial, number=1, entries=(entry,))
    assert [await records.record_custody(batch) for _ in range(2)] == [1, 1]
    other = entry.model_copy(update={"actor": Actor(id="nurse-9", role=Role.NURSE)})
    with pytest.raises(KeyReused):
        await records.record_custody(batch.model_copy(update={"entries": (other,)}))


async def test_the_register_lists_and_filters(records: SqlRecords, queries: RecordQueries) -> None:
    first = await a_vial(records, lot="A")
    second = await a_vial(
        records, lot="B", expires_on=date(2028, 1, 1), occurred_at=START + timedelta(days=1)
    )
    await move(records, first, K.DESTROYED, 500)
    found = await queries.containers(SITE)
    assert [one.container_id for one in found] == [second, first]
    assert found[0].inventory_by == START.replace(year=START.year + 2) + timedelta(days=1)
    cursor = (found[0].received_at, found[0].container_id)
    for wanted, expected in (
        ({"lot": "A"}, [first]),
        ({"closed": True}, [first]),
        ({"closed": False}, [second]),
        ({"drug": "esketamine"}, []),
        ({"expires_before": date(2030, 1, 1)}, [second]),
        ({"cursor": cursor}, [first]),
        ({"limit": 1}, [second]),
    ):
        assert [one.container_id for one in await queries.containers(SITE, **wanted)] == expected
    assert await queries.containers("site-b") == []

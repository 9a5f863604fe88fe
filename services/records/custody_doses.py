"""What does a dose do to the drug books? Its movements, written with its facts, so that none is lost or twice.

A dose takes from its container in the transaction that writes it: what the gate saw of the container must still
hold then, or the gate looks again. What has happened (the end of a dose) is never refused.
"""

from decimal import Decimal

from sqlalchemy import select

from clinical import events
from clinical.custody import Movement, MovementKind, dose_finding
from services.records.custody_ledger import (
    Signature,
    custody_rules,
    enter,
    locked_container,
    open_discrepancy,
    tolerance_of,
)
from services.records.custody_tables import ContainerRow, MovementRow
from services.records.errors import RecordMoved
from services.records.fresh import Fresh


async def draw_dose(fact: events.DoseGiven, fresh: Fresh) -> None:
    """Take the dose out of its container. Raises RecordMoved when it can no longer come from there."""
    if fact.container_id is None:
        return
    drawn_mg = fact.dose_mg if fact.drawn_mg is None else fact.drawn_mg
    row = await locked_container(fresh.session, fresh.journey.site, fact.container_id)
    if row is None or row.closed_at is not None or row.remaining_mg < drawn_mg:
        raise RecordMoved("the container is not what it was when the gate looked")
    movement = _movement(MovementKind.DRAWN, drawn_mg, fact.dose_id, fresh, fact.checked_by)
    rules = await custody_rules(fresh.session, row.site)
    await enter(fresh.session, row, movement, _signed(fresh, MovementKind.DRAWN), rules)


async def account_for_dose(fact: events.DoseEnded, fresh: Fresh) -> None:
    """Given, wasted, returned: what does not make what was drawn up is a discrepancy from this moment on."""
    drawn = await _drawn(fact.dose_id, fresh)
    if drawn is None:
        return
    row = await locked_container(fresh.session, fresh.journey.site, drawn.container_id)
    assert row is not None  # movements refer to it, and nothing deletes it
    rules = await custody_rules(fresh.session, row.site)
    last = await _given(fact, fresh, row)
    for kind, amount_mg in (
        (MovementKind.WASTED, fact.wasted_mg),
        (MovementKind.RETURNED, fact.returned_mg),
    ):
        if amount_mg > 0:
            movement = _movement(kind, amount_mg, fact.dose_id, fresh, fact.witness)
            last, _ = await enter(fresh.session, row, movement, _signed(fresh, kind), rules)
    accounted_mg = fact.given_mg + fact.wasted_mg + fact.returned_mg
    found = dose_finding(drawn.amount_mg, accounted_mg, tolerance_of(rules))
    if found is not None:
        people = {fresh.actor.id, drawn.actor_id, *drawn.witnesses, *filter(None, (fact.witness,))}
        await open_discrepancy(fresh.session, row, found, last, sorted(people), rules)
        await fresh.session.flush()


async def _given(fact: events.DoseEnded, fresh: Fresh, row: ContainerRow) -> MovementRow:
    movement = _movement(MovementKind.GIVEN, fact.given_mg, fact.dose_id, fresh, None)
    entry, _ = await enter(fresh.session, row, movement, _signed(fresh, MovementKind.GIVEN), None)
    return entry


async def _drawn(dose_id: str, fresh: Fresh) -> MovementRow | None:
    of_dose = MovementRow.journey_id == fresh.journey.id, MovementRow.dose_id == dose_id
    return await fresh.session.scalar(
        select(MovementRow).where(*of_dose, MovementRow.kind == MovementKind.DRAWN.value)
    )


def _movement(
    kind: MovementKind, amount_mg: Decimal, dose_id: str, fresh: Fresh, witness: str | None
) -> Movement:
    return Movement(
        kind=kind,
        amount_mg=amount_mg,
        actor=fresh.actor.id,
        witnesses=(witness,) if witness else (),
        occurred_at=fresh.at,
        dose_id=dose_id,
        journey_id=fresh.journey.id,
    )


def _signed(fresh: Fresh, kind: MovementKind) -> Signature:
    return Signature(key=f"{fresh.journey.id}:{fresh.key}:{kind}", role=fresh.actor.role.value)

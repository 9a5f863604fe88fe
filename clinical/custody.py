"""How much is left in a container of a controlled drug, and may this be done with it?

A container's running count comes from its movements in the order of recording, in mg, exact. `received` opens
it; `drawn` takes a dose out of it; `given`, `wasted` and `returned` say what became of that dose (returned units
go back in); without a dose, `wasted`, `sent-back` and `destroyed` take from what is left. A count is a fact: one
that lies further from the books than the tolerance is a finding, and the books go on from what was counted; one
within it changes nothing, so that small differences add up until they are seen. Nothing is ever corrected.
Source: clinical-facts §8 (DEA rows: 21 CFR 1304.21, 1304.22, 1317.95), H2, H3, H18; product F13.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.instants import Instant, in_utc
from clinical.protocol import Drug

ZERO = Decimal(0)


class MovementKind(StrEnum):
    RECEIVED = "received"
    DRAWN = "drawn"
    GIVEN = "given"
    WASTED = "wasted"
    RETURNED = "returned"
    SENT_BACK = "sent-back"
    DESTROYED = "destroyed"
    COUNTED = "counted"


WITNESSES = {MovementKind.WASTED: 1, MovementKind.DESTROYED: 2}
"""How many other people must have seen it: waste by policy, destruction of stock on Form 41 (§8, W)."""

REMOVING = frozenset({MovementKind.WASTED, MovementKind.SENT_BACK, MovementKind.DESTROYED})
"""What takes from the container when it is done without a dose."""


class _Custody(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Movement(_Custody):
    """One thing done with a container. `amount_mg` of a count is what is there, else what was moved."""

    kind: MovementKind
    amount_mg: Decimal = Field(ge=0)
    actor: str
    witnesses: tuple[str, ...] = ()
    occurred_at: Instant
    dose_id: str | None = None
    journey_id: str | None = None


class Standing(_Custody):
    """Where a container stands after its movements. `in_hand` is what was drawn and not yet accounted for."""

    remaining_mg: Decimal = ZERO
    received: bool = False
    closed: bool = False
    in_hand: dict[str, Decimal] = Field(default_factory=dict)
    last_at: Instant | None = None


class Container(_Custody):
    """A container as the books have it: what is in it, of which lot, until when, and how much is left."""

    container_id: str
    site: str
    drug: Drug
    lot: str
    expires_on: date
    remaining_mg: Decimal
    closed: bool = False
    last_at: Instant | None = None


class FindingKind(StrEnum):
    COUNT_DIFFERS = "count-differs"
    DOSE_UNACCOUNTED = "dose-unaccounted"


class Finding(_Custody):
    """A difference that somebody has to explain: what is there, minus what should be, in mg."""

    kind: FindingKind
    difference_mg: Decimal
    expected_mg: Decimal
    found_mg: Decimal


def after(standing: Standing, movement: Movement, tolerance_mg: Decimal) -> Standing:
    """The standing after one more movement. Accepts everything: what happened is never refused here."""
    left, hand = standing.remaining_mg, dict(standing.in_hand)
    amount, dose = movement.amount_mg, movement.dose_id
    match movement.kind:
        case MovementKind.RECEIVED:
            left += amount
        case MovementKind.DRAWN:
            left -= amount
            hand[dose or ""] = hand.get(dose or "", ZERO) + amount
        case MovementKind.COUNTED:
            left = amount if abs(amount - left) > tolerance_mg else left
        case _ if dose is None and movement.kind in REMOVING:
            left -= amount
        case _:
            hand[dose or ""] = hand.get(dose or "", ZERO) - amount
            left += amount if movement.kind is MovementKind.RETURNED else ZERO
    emptied = movement.kind in (MovementKind.SENT_BACK, MovementKind.DESTROYED) and left <= 0
    return Standing(
        remaining_mg=left,
        received=standing.received or movement.kind is MovementKind.RECEIVED,
        closed=left <= 0 and (emptied or standing.closed),
        in_hand={name: rest for name, rest in hand.items() if rest != 0},
        last_at=max(filter(None, (standing.last_at, movement.occurred_at))),
    )


def standing_after(movements: Iterable[Movement], tolerance_mg: Decimal) -> Standing:
    """The running count of a container, from all its movements in the order of recording."""
    standing = Standing()
    for movement in movements:
        standing = after(standing, movement, tolerance_mg)
    return standing


def count_finding(expected_mg: Decimal, counted_mg: Decimal, tolerance_mg: Decimal) -> Finding | None:
    """Is there more or less than the books say, by more than the tolerance?"""
    return _finding(FindingKind.COUNT_DIFFERS, expected_mg, counted_mg, tolerance_mg)


def dose_finding(drawn_mg: Decimal, accounted_mg: Decimal, tolerance_mg: Decimal) -> Finding | None:
    """Do given, wasted and returned together make what was drawn up, within the tolerance?"""
    return _finding(FindingKind.DOSE_UNACCOUNTED, drawn_mg, accounted_mg, tolerance_mg)


def _finding(kind: FindingKind, expected: Decimal, found: Decimal, tolerance: Decimal) -> Finding | None:
    if abs(found - expected) <= tolerance:
        return None
    return Finding(kind=kind, difference_mg=found - expected, expected_mg=expected, found_mg=found)


def draw_allowed(
    container: Container | None, drug: Drug, lot: str, drawn_mg: Decimal | None, now: datetime
) -> Decision:
    """May this dose be drawn from this container? Everything against it; unknown is refused."""
    if container is None:
        return Decision.of(
            [objection("CUSTODY-UNKNOWN", "no such container in the books of this site", missing=True)]
        )
    return Decision.of([*_drawn_wrongly(container, drug, lot, now), *_beyond(container, drawn_mg)])


def _drawn_wrongly(container: Container, drug: Drug, lot: str, now: datetime) -> Iterator[Reason]:
    if container.drug is not drug:
        text = "the container holds another drug"
        yield objection("CUSTODY-DRUG", text, value=container.drug, limit=drug)
    if container.lot != lot.strip():
        text = "the lot that was read is not the one of this container"
        yield objection("CUSTODY-LOT", text, value=lot.strip(), limit=container.lot)
    if expired(container.expires_on, now):
        text = "the container has expired"
        yield objection("CUSTODY-EXPIRED", text, limit=container.expires_on.isoformat())
    if container.closed:
        yield objection("CUSTODY-CLOSED", "the container is closed")


def _beyond(container: Container, amount_mg: Decimal | None) -> Iterator[Reason]:
    if amount_mg is None:
        yield objection("CUSTODY-AMOUNT", "the amount is not known", missing=True)
    elif amount_mg > container.remaining_mg:
        limit = f"<= {container.remaining_mg:f}"
        text = "more than is left in the container"
        yield objection("CUSTODY-AMOUNT", text, value=f"{amount_mg:f}", unit="mg", limit=limit)


def receipt_allowed(movement: Movement, expires_on: date, now: datetime) -> Decision:
    """May this container be taken into the books?"""
    faults = [*_people(movement), *_instant(movement, None, now)]
    if expired(expires_on, now):
        faults.append(objection("CUSTODY-EXPIRED", "the lot has expired", limit=expires_on.isoformat()))
    if movement.amount_mg <= 0:
        faults.append(objection("CUSTODY-AMOUNT", "nothing was received", value="0", unit="mg", limit="> 0"))
    return Decision.of(faults)


def movement_allowed(container: Container | None, movement: Movement, now: datetime) -> Decision:
    """May this be recorded of a container, outside of a dose? Every fault at once; a count is never too much."""
    if container is None:
        return Decision.of(
            [objection("CUSTODY-UNKNOWN", "no such container in the books of this site", missing=True)]
        )
    faults = [*_people(movement), *_instant(movement, container.last_at, now)]
    if container.closed:
        faults.append(objection("CUSTODY-CLOSED", "the container is closed"))
    if movement.kind is not MovementKind.COUNTED:
        faults.extend(_beyond(container, movement.amount_mg))
        if movement.amount_mg <= 0:
            faults.append(objection("CUSTODY-AMOUNT", "nothing was moved", value="0", unit="mg", limit="> 0"))
    return Decision.of(faults)


def _people(movement: Movement) -> Iterator[Reason]:
    """As many others as the act needs, each of them another person."""
    seen = [name.strip() for name in movement.witnesses]
    others = {name for name in seen if name} - {movement.actor.strip()}
    if movement.actor.strip() in seen:
        yield objection("CUSTODY-WITNESS", "the witness is the person who acts", verdict=Verdict.REFUSE)
    needed = WITNESSES.get(movement.kind, 0)
    if len(others) < needed:
        text = "needs a witness" if needed == 1 else f"needs {needed} witnesses"
        limit = f">= {needed}"
        yield objection("CUSTODY-WITNESS", text, value=str(len(others)), limit=limit, missing=not seen)


def _instant(movement: Movement, last_at: datetime | None, now: datetime) -> Iterator[Reason]:
    if in_utc(movement.occurred_at) > in_utc(now):
        yield objection("CUSTODY-TIME", "lies in the future", observed_at=movement.occurred_at)
    # A count says what is there at one moment: one from before the last movement would compare two moments.
    if movement.kind is MovementKind.COUNTED and last_at is not None and movement.occurred_at < last_at:
        text = "something was moved since: count again"
        yield objection("CUSTODY-TIME", text, observed_at=movement.occurred_at, available_at=last_at)


def expired(expires_on: date, now: datetime) -> bool:
    """On the day itself it counts as expired already: the cautious reading of a label."""
    return in_utc(now).date() >= expires_on


def objection(rule: str, text: str, **more: object) -> Reason:
    known = {
        "verdict": Verdict.REFUSE,
        "source": "facts §8 (DEA); product F13",
        "confidence": Confidence.DESIGN,
    }
    return Reason.model_validate({"rule": rule, "text": text, **known, **more})

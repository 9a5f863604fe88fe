"""A site closes for a time: which visits does it touch, and where do they go? Looked at first, then done."""

from datetime import timedelta
from typing import Annotated

from fastapi import Path

from api.booking_desk import Times, now
from api.closing import close
from api.dependencies import Composed, KeyHere
from api.problems import Problem
from api.routes.resources import At
from api.routes.router import routes
from api.schemas.booking import ClosureIn, ConfirmClosureIn
from api.schemas.values import Identifier
from services.booking.interface import ClosureView
from services.identifiers import id_from

router = routes("/v1/bookings/{site}/closures", "rooms and times")

LONGEST = timedelta(days=92)
ClosureId = Annotated[Identifier, Path()]


@router.post("", operation_id="preview_closure", status_code=201)
async def preview_closure(
    body: ClosureIn, site: At, times: Times, here: Composed, key: KeyHere
) -> ClosureView:
    """Every visit that closing would touch, each with a new time; nothing happens yet.

    The `token` stands for exactly this selection: it is what confirms it.
    """
    span = await times.span(site, body.starts_at, body.ends_at)
    if span.ends_at - span.starts_at > LONGEST:
        raise Problem("invalid-time", f"a closure lasts {LONGEST.days} days at most")
    return await here.bookings.preview_closure(
        id_from("closure", key),
        site,
        span,
        body.reason,
        times.caller.principal.id,
        here.booking_facts.rules,
        now(),
    )


@router.post("/{closure_id}/confirmation", operation_id="confirm_closure")
async def confirm_closure(
    body: ConfirmClosureIn, site: At, closure_id: ClosureId, times: Times, here: Composed
) -> ClosureView:
    """Close, and move each visit to its new time. 412 `selection-changed` if the bookings are not the same any more.

    The answer says what became of each; confirming again, with another key, takes up only what failed.
    """
    closure = await here.bookings.confirm_closure(site, closure_id, body.token, now())
    return await close(times, here, closure, cancel=body.cancel_without_time)


@router.get("/{closure_id}", operation_id="read_closure")
async def read_closure(site: At, closure_id: ClosureId, here: Composed) -> ClosureView:
    """What was looked at, and what became of each visit."""
    return await here.bookings.closure(site, closure_id)

"""How does a patient get a link by hand, and how is one ended? Messages bring their own."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Path, Query

from api.composition import Composition
from api.dependencies import CallerHere, Composed, CourseHere, KeyHere
from api.link_door import PATH
from api.link_standing import COLLECTING, offer_of, over, stands, waits
from api.paging import Paged
from api.problems import Problem
from api.routes.router import COURSE, routes
from api.schemas.links import LinkIn, LinkOut, LinksOut, NewLinkOut, RevokeLinkIn
from api.schemas.values import Identifier
from services.links.interface import Link, NewLink, Purpose
from services.records.views import JourneyView

router = routes(COURSE + "/links", "links")


@router.post("", operation_id="make_link", status_code=201)
async def make_link(
    body: LinkIn, course: CourseHere, here: Composed, caller: CallerHere, key: KeyHere
) -> NewLinkOut:
    """A link to hand out at the desk; its address is shown once and stored nowhere.

    The same key again is the same link with another address. 409 `not-possible-now` when there is nothing of
    that kind to answer.
    """
    journey, now = await course.view(), here.links.now()
    if over(journey):
        raise Problem("not-possible-now", "nothing is asked of this patient any more")
    occurrence, until = _occurrence(body, journey, now)
    expires_at = min(
        now + timedelta(hours=body.valid_hours), until or datetime.max.replace(tzinfo=now.tzinfo)
    )
    link, token = await here.links.make(
        NewLink(
            cause=f"desk:{key}",
            journey_id=course.id,
            site=course.site,
            patient_id=journey.patient_id,
            purpose=body.purpose,
            part=body.part,
            occurrence=occurrence,
            expires_at=expires_at,
            made_by=caller.principal.id,
        )
    )
    if (link.purpose, link.part, link.occurrence) != (body.purpose, body.part, occurrence):
        raise Problem("idempotency-key-reused")
    shown = (await _shown(here, link, journey, now)).model_dump()
    return NewLinkOut(**shown, url=f"{here.public_url.rstrip('/')}{PATH}{token}")


@router.get("", operation_id="list_links")
async def list_links(
    course: CourseHere,
    here: Composed,
    paging: Paged,
    purpose: Annotated[Purpose | None, Query()] = None,
    state: Annotated[
        Literal["live", "spent", "expired", "revoked", "locked"] | None,
        Query(description="live: nobody used or ended it; it is open, or its subject is gone"),
    ] = None,
) -> LinksOut:
    """Links of this course and what became of them, newest first, without addresses."""
    journey, now = await course.view(), here.links.now()
    found = await here.links.of_journey(
        course.id, purpose=purpose, state=state, before=paging.moment, limit=paging.wanted
    )
    shown, mark = paging.page(found, lambda one: (one.made_at, one.link_id))
    items = [await _shown(here, link, journey, now) for link in shown]
    return LinksOut(items=items, next_cursor=mark, counts=await here.links.counts(course.id))


@router.post("/{link_id}/revocation", operation_id="revoke_link")
async def revoke_link(
    link_id: Annotated[Identifier, Path()],
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    body: RevokeLinkIn | None = None,
) -> LinkOut:
    """End a link: lost telephone, wrong address. Doing it twice answers the same."""
    link = await here.links.revoke(course.id, link_id, caller.principal.id)
    if link is None:
        raise Problem("not-found", "the course has no such link")
    return await _shown(here, link, await course.view(), here.links.now())


def _occurrence(body: LinkIn, journey: JourneyView, now: datetime) -> tuple[str, datetime | None]:
    """Which time of its subject the link is for, and until when that lasts. Raises not-possible-now."""
    if body.of is None:
        return "", None
    if body.of == "session":
        for visit in journey.sessions:
            if visit.session == body.number and waits(visit) and visit.starts_at and visit.starts_at > now:
                return visit.starts_at.isoformat(), visit.starts_at
        raise Problem("not-possible-now", "this session is not booked, or its time has come")
    for task in journey.open_tasks:
        asks = task.code in COLLECTING or task.code.startswith("follow-up-week-")
        if task.task_id.startswith(f"{body.part}/") and asks:
            return task.task_id, None
    raise Problem("not-possible-now", "no questionnaire of this part is open")


async def _shown(here: Composition, link: Link, journey: JourneyView, now: datetime) -> LinkOut:
    kept = link.model_dump(include=set(LinkOut.model_fields) - {"state"})
    there = stands(link, journey, now)
    if there and link.purpose is Purpose.OFFER and link.lives(now):
        there = await offer_of(here.bookings, link, now) is not None
    return LinkOut(**kept, state=_state(link, now, stands=there))


def _state(
    link: Link, now: datetime, *, stands: bool
) -> Literal["open", "spent", "expired", "revoked", "locked", "outdated"]:
    if link.spent_at is not None:
        return "spent"
    if link.revoked_at is not None:
        return "revoked"
    if link.locked_at is not None:
        return "locked"
    if now >= link.expires_at:
        return "expired"
    return "open" if stands else "outdated"

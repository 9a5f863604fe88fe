"""Which rooms and people does a site have, when are they there, and what of them is taken?

Runs inside the caller's transaction. All resources of a site live in one time zone: a site is one place.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.booking import Kind, Span
from clinical.booking_hours import Shift, joined, without, working_spans
from clinical.booking_match import Resource, Taken
from clinical.instants import zone_named
from clinical.people import Role
from services.booking.errors import CodeTaken, NotFound, ResourceChanged, ResourceFaulty
from services.booking.interface import AbsenceView, ResourceContent, ResourceFilter, ResourceView
from services.booking.tables import AbsenceRow, ClosureRow, ReservationRow, ResourceRow

A_DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def view_of(row: ResourceRow | Row[Any]) -> ResourceView:
    return ResourceView.model_validate(
        {
            **{name: getattr(row, name) for name in ResourceView.model_fields if name != "hours"},
            "hours": row.hours["shifts"],
        }
    )


async def resources_of(session: AsyncSession, site: str, *, active: bool | None = None) -> list[ResourceRow]:
    statement = select(ResourceRow).where(ResourceRow.site == site).order_by(ResourceRow.code)
    if active is not None:
        statement = statement.where(ResourceRow.active == active)
    return list(await session.scalars(statement))


async def zone_of(session: AsyncSession, site: str) -> ZoneInfo:
    """The zone of the site's wall, as its resources say; UTC for a site without any."""
    name = await session.scalar(select(ResourceRow.time_zone).where(ResourceRow.site == site).limit(1))
    return (zone_named(name) if name else None) or UTC_ZONE


async def resource_row(session: AsyncSession, site: str, resource_id: str) -> ResourceRow:
    row = await session.scalar(
        select(ResourceRow).where(ResourceRow.id == resource_id, ResourceRow.site == site).with_for_update()
    )
    if row is None:
        raise NotFound("the site has no such resource")
    return row


async def add_resource(
    session: AsyncSession, site: str, resource_id: str, content: ResourceContent
) -> ResourceView:
    """Raises CodeTaken, ResourceFaulty. The same id again changes nothing."""
    known = await session.get(ResourceRow, resource_id)
    if known is not None:
        return view_of(known)
    await _require_sound(session, site, content, but=None)
    row = ResourceRow(id=resource_id, site=site, version=1, **_columns(content))
    session.add(row)
    await session.flush()
    return view_of(row)


async def change_resource(
    session: AsyncSession, site: str, resource_id: str, version: int, content: ResourceContent
) -> ResourceView:
    """Raises NotFound, ResourceChanged, CodeTaken, ResourceFaulty. What is reserved already stays reserved."""
    row = await resource_row(session, site, resource_id)
    if row.version != version:
        raise ResourceChanged("somebody changed it since")
    await _require_sound(session, site, content, but=row)
    for name, value in _columns(content).items():
        setattr(row, name, value)
    row.version += 1
    await session.flush()
    return view_of(row)


def _columns(content: ResourceContent) -> dict[str, object]:
    shifts = [shift.model_dump(mode="json") for shift in content.hours]
    plain = content.model_dump(mode="json", exclude={"hours"})
    return {**plain, "hours": {"shifts": shifts}}


async def _require_sound(
    session: AsyncSession, site: str, content: ResourceContent, but: ResourceRow | None
) -> None:
    others = [row for row in await resources_of(session, site) if but is None or row.id != but.id]
    faults = []
    zones = {row.time_zone for row in others}
    if zone_named(content.time_zone) is None:
        faults.append(("/time_zone", "is no zone of the IANA list", "unknown-zone"))
    elif zones and content.time_zone not in zones:
        faults.append(("/time_zone", "the site's other resources live in another zone", "another-zone"))
    if (content.kind is Kind.STAFF) != bool(content.roles):
        faults.append(("/roles", "people have roles, rooms and chairs have none", "roles"))
    for at, shift in enumerate(content.hours):
        if shift.to_minute <= shift.from_minute:
            faults.append((f"/hours/{at}", "the end must come after the start", "shift"))
    if but is not None and but.kind != content.kind.value:
        faults.append(("/kind", "a room does not become a person", "kind"))
    if faults:
        raise ResourceFaulty(faults)
    if any(row.code == content.code for row in others):
        raise CodeTaken("the site has a resource of that code")


def listing(site: str, wanted: ResourceFilter, after: str | None, limit: int | None) -> Select[ResourceRow]:
    """By code, which is unique at a site."""
    statement = select(ResourceRow).where(ResourceRow.site == site).order_by(ResourceRow.code).limit(limit)
    if wanted.kind is not None:
        statement = statement.where(ResourceRow.kind == wanted.kind.value)
    if wanted.role is not None:
        statement = statement.where(ResourceRow.roles.contains([wanted.role.value]))
    if wanted.active is not None:
        statement = statement.where(ResourceRow.active == wanted.active)
    return statement if after is None else statement.where(ResourceRow.code > after)


def absences_listing(
    resource_id: str,
    since: datetime,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int | None,
) -> Select[AbsenceRow]:
    order = AbsenceRow.starts_at, AbsenceRow.id
    statement = select(AbsenceRow).where(AbsenceRow.resource_id == resource_id, AbsenceRow.ends_at > since)
    if until is not None:
        statement = statement.where(AbsenceRow.starts_at < until)
    if after is not None:
        statement = statement.where(tuple_(*order) > after)
    return statement.order_by(*order).limit(limit)


async def add_absence(
    session: AsyncSession, site: str, resource_id: str, absence_id: str, span: Span, reason: str
) -> AbsenceView:
    await resource_row(session, site, resource_id)
    row = await session.get(AbsenceRow, absence_id)
    if row is None:
        row = AbsenceRow(
            id=absence_id,
            resource_id=resource_id,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            reason=reason,
        )
        session.add(row)
        await session.flush()
    return absence_of(row)


async def end_absence(session: AsyncSession, site: str, resource_id: str, absence_id: str) -> AbsenceView:
    """It is there after all. Raises NotFound."""
    await resource_row(session, site, resource_id)
    row = await session.get(AbsenceRow, absence_id)
    if row is None or row.resource_id != resource_id:
        raise NotFound("there is no such absence")
    await session.execute(delete(AbsenceRow).where(AbsenceRow.id == absence_id))
    return absence_of(row)


def absence_of(row: AbsenceRow) -> AbsenceView:
    return AbsenceView(
        id=row.id,
        resource_id=row.resource_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        reason=row.reason,
    )


async def pool(
    session: AsyncSession, site: str, first: datetime, last: datetime, zone: ZoneInfo
) -> list[Resource]:
    """Everything active of a site with its working time and what is taken of it, from one day before to one after."""
    window = Span(starts_at=first - A_DAY, ends_at=last + A_DAY)
    rows = await resources_of(session, site, active=True)
    away = await _away(session, site, rows, window)
    days = (window.starts_at.astimezone(zone).date(), window.ends_at.astimezone(zone).date())
    hours = {_hours(row): working_spans(_shifts(row), zone, *days) for row in rows}
    found = {row.number: _resource(row, hours[_hours(row)], away.get(row.id, [])) for row in rows}
    taken = await session.scalars(
        select(ReservationRow).where(
            ReservationRow.resource.in_(found),
            ReservationRow.span.op("&&")(Range(window.starts_at, window.ends_at)),
        )
    )
    for one in taken:
        assert one.span.lower is not None and one.span.upper is not None
        held = Span(starts_at=one.span.lower, ends_at=one.span.upper)
        found[one.resource].take(Taken(place=one.place, span=held, booking_id=one.booking_id))
    return list(found.values())


def _hours(row: ResourceRow) -> str:
    """Many have the same hours: what they come to is worked out once."""
    return json.dumps(row.hours, sort_keys=True)


def _shifts(row: ResourceRow) -> list[Shift]:
    return [Shift.model_validate(one) for one in row.hours["shifts"]]


def _resource(row: ResourceRow, at_work: Sequence[Span], away: Sequence[Span]) -> Resource:
    return Resource(
        id=row.id,
        number=row.number,
        code=row.code,
        kind=Kind(row.kind),
        roles=frozenset(Role(role) for role in row.roles),
        capacity=row.capacity,
        before=timedelta(minutes=row.before_minutes),
        after=timedelta(minutes=row.after_minutes),
        at_work=without(at_work, away),
    )


async def _away(
    session: AsyncSession, site: str, rows: Sequence[ResourceRow], window: Span
) -> dict[str, list[Span]]:
    """When is each resource not there? A closure of the site counts for all of them."""
    closed = await session.scalars(
        select(ClosureRow).where(
            ClosureRow.site == site,
            ClosureRow.status == "confirmed",
            ClosureRow.ends_at > window.starts_at,
            ClosureRow.starts_at < window.ends_at,
        )
    )
    everybody = [Span(starts_at=one.starts_at, ends_at=one.ends_at) for one in closed]
    absences = await session.scalars(
        select(AbsenceRow).where(
            AbsenceRow.resource_id.in_([row.id for row in rows]),
            AbsenceRow.ends_at > window.starts_at,
            AbsenceRow.starts_at < window.ends_at,
        )
    )
    away = {row.id: list(everybody) for row in rows}
    for one in absences:
        away[one.resource_id].append(Span(starts_at=one.starts_at, ends_at=one.ends_at))
    return {resource_id: joined(spans) for resource_id, spans in away.items()}

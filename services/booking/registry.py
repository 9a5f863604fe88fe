"""Which rooms and people does a site have? Written down, changed, absent."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select

from clinical.booking import Kind, Span
from clinical.people import Role
from services.booking import resources
from services.booking.errors import NotFound
from services.booking.interface import EVERYTHING, AbsenceView, ResourceContent, ResourceFilter, ResourceView
from services.booking.tables import AbsenceRow, ResourceRow
from services.booking.transactions import Transactions
from services.database import counted


class Registry(Transactions):
    async def has_resources(self, site: str) -> bool:
        """Does the site say which rooms and people it has? Without any, rooms are words."""
        found = exists().where(ResourceRow.site == site, ResourceRow.active)
        return bool(await self._read(lambda s: s.scalar(select(found))))

    async def zone(self, site: str) -> ZoneInfo:
        return await self._read(lambda s: resources.zone_of(s, site))

    async def resources(
        self,
        site: str,
        wanted: ResourceFilter = EVERYTHING,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[ResourceView]:
        """By code, from the one after `after`."""
        rows = await self._rows(resources.listing(site, wanted, after, limit))
        return [resources.view_of(row) for row in rows]

    async def people(self, site: str, roles: Collection[Role]) -> dict[str, Role]:
        """Who works there in one of these roles, each with the first of them that fits; by the subject of tokens."""
        found = await self.resources(site, ResourceFilter(kind=Kind.STAFF, active=True))
        fitting = {one.person: sorted(set(one.roles) & set(roles)) for one in found if one.person is not None}
        return {person: theirs[0] for person, theirs in fitting.items() if theirs}

    async def resource_counts(self, site: str) -> dict[str, int]:
        """What the site has, by kind."""
        return await self._read(lambda s: counted(s, ResourceRow.kind, ResourceRow.site == site))

    async def resource(self, site: str, resource_id: str) -> ResourceView:
        of_site = select(ResourceRow).where(ResourceRow.id == resource_id, ResourceRow.site == site)
        for row in await self._all(of_site):
            return resources.view_of(row)
        raise NotFound("the site has no such resource")

    async def add_resource(self, site: str, resource_id: str, content: ResourceContent) -> ResourceView:
        return await self._write(lambda s: resources.add_resource(s, site, resource_id, content))

    async def change_resource(
        self, site: str, resource_id: str, version: int, content: ResourceContent
    ) -> ResourceView:
        return await self._write(lambda s: resources.change_resource(s, site, resource_id, version, content))

    async def absences(
        self,
        resource_id: str,
        since: datetime,
        until: datetime | None = None,
        *,
        after: tuple[datetime, str] | None = None,
        limit: int | None = None,
    ) -> list[AbsenceView]:
        """Those that end after `since` and begin before `until`, in order; `after` is the last one seen."""
        rows = await self._all(resources.absences_listing(resource_id, since, until, after, limit))
        return [resources.absence_of(row) for row in rows]

    async def absence_count(self, resource_id: str) -> int:
        """How many were ever noted."""
        of_it = select(func.count()).where(AbsenceRow.resource_id == resource_id)
        return await self._read(lambda s: s.scalar(of_it)) or 0

    async def add_absence(
        self, site: str, resource_id: str, absence_id: str, span: Span, reason: str
    ) -> AbsenceView:
        return await self._write(
            lambda s: resources.add_absence(s, site, resource_id, absence_id, span, reason)
        )

    async def end_absence(self, site: str, resource_id: str, absence_id: str) -> AbsenceView:
        return await self._write(lambda s: resources.end_absence(s, site, resource_id, absence_id))

    async def sites(self) -> list[str]:
        """Sites that say which rooms and people they have."""
        return await self._all(
            select(ResourceRow.site).where(ResourceRow.active).distinct().order_by(ResourceRow.site)
        )

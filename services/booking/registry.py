"""Which rooms and people does a site have? Written down, changed, absent."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from clinical.booking import Span
from services.booking import resources
from services.booking.errors import NotFound
from services.booking.interface import AbsenceView, ResourceContent, ResourceView
from services.booking.tables import ResourceRow
from services.booking.transactions import Transactions


class Registry(Transactions):
    async def has_resources(self, site: str) -> bool:
        """Does the site say which rooms and people it has? Without any, rooms are words."""
        found = exists().where(ResourceRow.site == site, ResourceRow.active)
        return bool(await self._read(lambda s: s.scalar(select(found))))

    async def zone(self, site: str) -> ZoneInfo:
        return await self._read(lambda s: resources.zone_of(s, site))

    async def resources(self, site: str) -> list[ResourceView]:
        rows = await self._read(lambda s: resources.resources_of(s, site))
        return [resources.view_of(row) for row in rows]

    async def resource(self, site: str, resource_id: str) -> ResourceView:
        for one in await self.resources(site):
            if one.id == resource_id:
                return one
        raise NotFound("the site has no such resource")

    async def add_resource(self, site: str, resource_id: str, content: ResourceContent) -> ResourceView:
        return await self._write(lambda s: resources.add_resource(s, site, resource_id, content))

    async def change_resource(
        self, site: str, resource_id: str, version: int, content: ResourceContent
    ) -> ResourceView:
        return await self._write(lambda s: resources.change_resource(s, site, resource_id, version, content))

    async def absences(self, site: str, resource_id: str, after: datetime) -> list[AbsenceView]:
        return await self._write(lambda s: resources.absences_of(s, site, resource_id, after))

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

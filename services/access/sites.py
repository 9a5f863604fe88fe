"""Which sites does the clinic have, in which time zone, with which protocol by default?"""

from collections.abc import Collection
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from clinical.instants import zone_named
from clinical.people import Actor
from services.access.audit import add_event
from services.access.errors import NotThere, SiteMoved
from services.access.tables import SiteRow
from services.access.views import Looked, SiteDetails, SiteView
from services.asking import Question
from services.database import Database, counted

PURPOSE = "HOPERAT"
ZONE = Question(select(SiteRow.time_zone).where(SiteRow.id == bindparam("site")))


class SiteRegister:
    """The register of sites; who may know of which is asked at the door."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sites(
        self,
        of: Collection[str],
        *,
        time_zone: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[SiteView]:
        """Those of these that are registered, by name of the site, from the one after `after`."""
        wanted = select(SiteRow).where(SiteRow.id.in_(of)).order_by(SiteRow.id).limit(limit)
        if time_zone is not None:
            wanted = wanted.where(SiteRow.time_zone == time_zone)
        if after is not None:
            wanted = wanted.where(SiteRow.id > after)
        async with self._database.reading() as session:
            return [_view(row) for row in await session.scalars(wanted)]

    async def counts(self, of: Collection[str]) -> dict[str, int]:
        """How many of these are registered, by time zone."""
        async with self._database.reading() as session:
            return await counted(session, SiteRow.time_zone, SiteRow.id.in_(of))

    async def site(self, site: str) -> SiteView:
        """Raises NotThere while nobody has registered it."""
        found = await self.sites([site])
        if not found:
            raise NotThere("the site is not registered")
        return found[0]

    async def zone(self, site: str) -> ZoneInfo | None:
        """The zone on its wall; None while nobody has registered it."""
        (found,) = await self._database.ask(ZONE.of(site=site))
        return zone_named(found[0].time_zone) if found else None

    async def default_protocol(self, site: str) -> str | None:
        """The protocol that a new course gets when nobody names one; None: the newest published."""
        found = await self.sites([site])
        return found[0].default_protocol if found else None

    async def change(
        self, site: str, details: SiteDetails, actor: Actor, version: int | None, trace_id: str = ""
    ) -> SiteView:
        """Register (`version` None) or change a site; raises SiteMoved when it stands at another version.

        Saying again what stands there changes nothing, so a request that is repeated is no conflict.
        """
        new = {**details.model_dump(), "changed_by": actor.id, "changed_at": func.clock_timestamp()}
        async with self._database.transaction() as session:
            await session.execute(insert(SiteRow).values(id=site, version=0, **new).on_conflict_do_nothing())
            row = (await session.scalars(select(SiteRow).where(SiteRow.id == site).with_for_update())).one()
            present = row.version or None
            same = SiteDetails.model_validate({name: getattr(row, name) for name in SiteDetails.model_fields})
            if present is not None and same == details:
                return _view(row)
            if present != version:
                raise SiteMoved(present)
            values = {**new, "version": row.version + 1}
            await session.execute(update(SiteRow).where(SiteRow.id == site).values(values))
            looked = Looked(
                site=site,
                actor_id=actor.id,
                actor_role=actor.role.value,
                act="change_site",
                purpose=PURPOSE,
                object_id=f"site/{site}",
                trace_id=trace_id,
            )
            await add_event(session, looked)
            await session.refresh(row)
            return _view(row)


def _view(row: SiteRow) -> SiteView:
    fields = {name: getattr(row, name) for name in SiteView.model_fields if name != "site"}
    return SiteView.model_validate({"site": row.id, **fields})

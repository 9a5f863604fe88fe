"""Who is told? The endpoints of a site: made, changed, given new secrets, disabled, removed.

What signs is encrypted and shown once, when it is made. An endpoint begins with the event after its making;
one that was disabled goes on where it stopped, as far as the events are still kept.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database, counted
from services.encryption import FieldCipher
from services.events.errors import EndpointChanged, EndpointNotFound
from services.events.feed import EventFeed, span_of
from services.events.interface import (
    DeliveryStatus,
    DisabledBecause,
    Endpoint,
    EndpointStatus,
    KeyedEndpoint,
    Notice,
)
from services.events.signatures import Secrets, SigningKeys
from services.events.tables import DeliveryRow, EndpointRow, NoticeRow
from services.events.targets import TargetGuard
from services.events.transactions import reading, writing

SECRETS = "webhook_endpoint.secrets"
WEBHOOKS = "webhooks"
"""The purpose of the cipher: what other columns were written with cannot read secrets."""


class WebhookEndpoints:
    def __init__(self, database: Database, cipher: FieldCipher, guard: TargetGuard) -> None:
        self._database = database
        self._cipher = cipher
        self._guard = guard
        self._feed = EventFeed(database)

    async def create(
        self,
        endpoint_id: str,
        site: str,
        url: str,
        types: Sequence[str],
        by: str,
        now: datetime,
        *,
        asymmetric: bool = False,
    ) -> KeyedEndpoint:
        """Make it, or show it to whoever made it under this id. Raises UnsafeTarget."""
        await self._guard.checked(url)
        head = (await self._feed.span(site)).last_seq
        secrets = Secrets(current=SigningKeys.fresh(asymmetric=asymmetric))
        new = {
            "id": endpoint_id,
            "site": site,
            "url": url,
            "types": sorted(set(types)),
            "status": EndpointStatus.ACTIVE.value,
            "version": 1,
            "created_at": now,
            "created_by": by,
            "secrets": self._sealed(endpoint_id, secrets),
            "last_seq": head,
        }
        async with writing(self._database) as session:
            await session.execute(insert(EndpointRow).values(new).on_conflict_do_nothing())
            row = await locked(session, endpoint_id, [site])
            return self._keyed(row)

    async def endpoints(
        self, site: str, *, status: EndpointStatus | None = None, after: str = "", limit: int = 50
    ) -> list[Endpoint]:
        wanted = select(EndpointRow).where(EndpointRow.site == site, EndpointRow.id > after)
        if status is None:
            wanted = wanted.where(EndpointRow.status != EndpointStatus.REMOVED.value)
        else:
            wanted = wanted.where(EndpointRow.status == status.value)
        async with reading(self._database) as session:
            rows = await session.scalars(wanted.order_by(EndpointRow.id).limit(limit))
            return [Endpoint.model_validate(row) for row in rows]

    async def counts(self, site: str) -> dict[str, int]:
        """Endpoints by status, removed ones too."""
        async with reading(self._database) as session:
            return await counted(session, EndpointRow.status, EndpointRow.site == site)

    async def notice_counts(self, site: str) -> dict[str, int]:
        """Notices that nobody has seen yet, by what was the matter."""
        open_here = NoticeRow.site == site, NoticeRow.acknowledged_at.is_(None)
        async with reading(self._database) as session:
            return await counted(session, NoticeRow.because, *open_here)

    async def endpoint(self, sites: Collection[str], endpoint_id: str) -> Endpoint:
        async with reading(self._database) as session:
            return Endpoint.model_validate(await found(session, endpoint_id, sites))

    async def change(
        self,
        sites: Collection[str],
        endpoint_id: str,
        version: int,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
    ) -> Endpoint:
        """Another address, other types. Raises UnsafeTarget, EndpointChanged."""
        if url is not None:
            await self._guard.checked(url)
        async with writing(self._database) as session:
            row = await locked(session, endpoint_id, sites)
            if row.version != version:
                raise EndpointChanged("somebody changed the endpoint since it was read")
            row.url = row.url if url is None else url
            row.types = row.types if types is None else sorted(set(types))
            row.version += 1
            return Endpoint.model_validate(row)

    async def disable(self, sites: Collection[str], endpoint_id: str, now: datetime) -> Endpoint:
        """Send nothing more until it is enabled again. Twice is the same."""
        async with writing(self._database) as session:
            row = await locked(session, endpoint_id, sites)
            if row.status == EndpointStatus.ACTIVE.value:
                close(row, DisabledBecause.ASKED, now)
            return Endpoint.model_validate(row)

    async def enable(self, sites: Collection[str], endpoint_id: str) -> Endpoint:
        """Go on where it stopped. Raises UnsafeTarget when its address must not be called any more."""
        endpoint = await self.endpoint(sites, endpoint_id)
        await self._guard.checked(endpoint.url)
        async with writing(self._database) as session:
            row = await locked(session, endpoint_id, sites)
            if row.status == EndpointStatus.DISABLED.value:
                span = await span_of(session, row.site)
                row.last_seq = max(row.last_seq, span.first_seq - 1)
                row.status, row.version = EndpointStatus.ACTIVE.value, row.version + 1
                row.disabled_at = row.disabled_because = None
            return Endpoint.model_validate(row)

    async def remove(self, sites: Collection[str], endpoint_id: str, now: datetime) -> Endpoint:
        """Forget its secrets and stop what is on its way; the log of what was sent stays."""
        async with writing(self._database) as session:
            row = await locked(session, endpoint_id, sites)
            row.status, row.version, row.secrets = EndpointStatus.REMOVED.value, row.version + 1, b""
            pending = (
                DeliveryRow.endpoint_id == row.id,
                DeliveryRow.status == DeliveryStatus.PENDING.value,
            )
            stopped = {"status": DeliveryStatus.STOPPED.value, "settled_at": now, "claim": None}
            await session.execute(update(DeliveryRow).where(*pending).values(**stopped))
            return Endpoint.model_validate(row)

    async def rotate(
        self, sites: Collection[str], endpoint_id: str, overlap: timedelta, now: datetime
    ) -> KeyedEndpoint:
        """A new secret; the one before it signs too until `overlap` has passed."""
        async with writing(self._database) as session:
            row = await locked(session, endpoint_id, sites)
            row.secrets = self._sealed(row.id, self.secrets(row).rotated())
            row.previous_secret_until = now + overlap
            row.version += 1
            return self._keyed(row)

    async def notices(
        self, site: str, *, open_only: bool = True, after: int = 0, limit: int = 50
    ) -> list[Notice]:
        wanted = select(NoticeRow).where(NoticeRow.site == site, NoticeRow.id > after)
        if open_only:
            wanted = wanted.where(NoticeRow.acknowledged_at.is_(None))
        async with reading(self._database) as session:
            rows = await session.scalars(wanted.order_by(NoticeRow.id).limit(limit))
            return [Notice.model_validate(row) for row in rows]

    async def acknowledge(self, sites: Collection[str], notice_id: int, by: str, now: datetime) -> Notice:
        """Somebody has seen it; the first one stays."""
        of_sites = NoticeRow.id == notice_id, NoticeRow.site.in_(sites)
        async with writing(self._database) as session:
            row = await session.scalar(select(NoticeRow).where(*of_sites).with_for_update())
            if row is None:
                raise EndpointNotFound("there is no such notice")
            if row.acknowledged_at is None:
                row.acknowledged_at, row.acknowledged_by = now, by
            return Notice.model_validate(row)

    def secrets(self, row: EndpointRow) -> Secrets:
        return Secrets.model_validate_json(self._cipher.decrypt(SECRETS, row.secrets, row=row.id))

    def _sealed(self, endpoint_id: str, secrets: Secrets) -> bytes:
        return self._cipher.encrypt(SECRETS, secrets.model_dump_json(), row=endpoint_id)

    def _keyed(self, row: EndpointRow) -> KeyedEndpoint:
        current = self.secrets(row).current
        return KeyedEndpoint(
            endpoint=Endpoint.model_validate(row), secret=current.secret, public_key=current.public_key
        )


async def found(session: AsyncSession, endpoint_id: str, sites: Collection[str]) -> EndpointRow:
    """The endpoint, if it is one of these sites'. Raises EndpointNotFound."""
    return _there(await session.scalar(_of_sites(endpoint_id, sites)))


async def locked(session: AsyncSession, endpoint_id: str, sites: Collection[str]) -> EndpointRow:
    """The same as it is now, and nobody else's until the transaction ends."""
    latest = _of_sites(endpoint_id, sites).with_for_update().execution_options(populate_existing=True)
    return _there(await session.scalar(latest))


def close(row: EndpointRow, because: DisabledBecause, now: datetime) -> None:
    row.status, row.version = EndpointStatus.DISABLED.value, row.version + 1
    row.disabled_at, row.disabled_because = now, because.value


def _of_sites(endpoint_id: str, sites: Collection[str]) -> Select[EndpointRow]:
    return select(EndpointRow).where(
        EndpointRow.id == endpoint_id,
        EndpointRow.site.in_(sites),
        EndpointRow.status != EndpointStatus.REMOVED.value,
    )


def _there(row: EndpointRow | None) -> EndpointRow:
    if row is None:
        raise EndpointNotFound("there is no such endpoint")
    return row

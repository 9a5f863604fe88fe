"""Which protocols has a site published? Each version once, never changed; the newest is the one published
last.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.protocol import Protocol
from clinical.protocol_desk import ESCALATION_BEFORE, Escalation
from services.records.errors import NotFound, VersionImmutable
from services.records.register_tables import ProtocolVersionRow


async def publish_protocol(session: AsyncSession, protocol: Protocol, site: str) -> None:
    """The same content again changes nothing; other content under a known version raises VersionImmutable."""
    values = {
        "site": site,
        "url": protocol.url,
        "version": protocol.version,
        "hash": protocol.content_hash,
        "document": protocol.model_dump(mode="json"),
    }
    added = await session.execute(
        insert(ProtocolVersionRow)
        .values(values)
        .on_conflict_do_nothing()
        .returning(ProtocolVersionRow.version)
    )
    if added.first() is not None:
        return
    known = await session.scalar(
        select(ProtocolVersionRow.hash).where(
            ProtocolVersionRow.site == site,
            ProtocolVersionRow.url == protocol.url,
            ProtocolVersionRow.version == protocol.version,
        )
    )
    if known != protocol.content_hash:
        raise VersionImmutable(f"version {protocol.version} is published with other content")


async def published_protocol(session: AsyncSession, site: str, canonical: str | None) -> Protocol:
    statement = select(ProtocolVersionRow).where(ProtocolVersionRow.site == site)
    if canonical is not None:
        url, _, version = canonical.rpartition("|")
        statement = statement.where(ProtocolVersionRow.url == url, ProtocolVersionRow.version == version)
    newest = statement.order_by(ProtocolVersionRow.published_at.desc(), ProtocolVersionRow.version.desc())
    row = await session.scalar(newest.limit(1))
    if row is None:
        raise NotFound("the site has published no such protocol")
    return _protocol(row.hash, row.document)


async def escalation_rules(session: AsyncSession, site: str, canonical: str | None = None) -> Escalation:
    """Who hears of delay at this site; without a protocol, who heard of it when none said."""
    try:
        return (await published_protocol(session, site, canonical)).of_escalation
    except NotFound:
        return ESCALATION_BEFORE


_read: dict[str, Protocol] = {}
"""Protocols by the hash of their content: to check one costs more than to fetch it, and a version never changes."""
KEPT = 64


def _protocol(content_hash: str, document: dict[str, Any]) -> Protocol:
    if content_hash not in _read:
        if len(_read) >= KEPT:
            _read.clear()
        _read[content_hash] = Protocol.model_validate(document)
    return _read[content_hash]

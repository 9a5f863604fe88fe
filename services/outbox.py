"""What does one service leave for the others to be told of? Events, in the transaction of what they tell.

The table lies beside the services, not in one of them: the records write into it and the events service reads
it, and neither knows the other. A writer takes no number and waits for nobody: a number from a sequence can be
seen out of order, and a counter would put every writer of a site in line behind the slowest. Who reads numbers
first what was committed (`services.events.feed`), so that a reader never sees 8 before 7.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, UniqueConstraint, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.identifiers import id_from

OPAQUE = re.compile(r"[A-Za-z0-9._:/-]{1,200}")


class OutboxRow(Base):
    """One event of a site. `body` is what is sent, byte for byte; `seq` comes when it is published."""

    __tablename__ = "event_outbox"
    __table_args__ = (
        UniqueConstraint("site", "seq"),
        UniqueConstraint("event_id"),
        Index("ix_event_outbox_site_type_seq", "site", "type", "seq"),
        Index("ix_event_outbox_to_publish", "site", "id", postgresql_where=text("seq IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[str]
    site: Mapped[str]
    type: Mapped[str]
    body: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    seq: Mapped[int | None] = mapped_column(BigInteger)


class FeedRow(Base):
    """What a site's readers can have: everything from `first_seq` to `last_seq`, without a gap.

    `forgotten_before`: what was recorded before this instant may have been deleted.
    """

    __tablename__ = "event_feed"

    site: Mapped[str] = mapped_column(primary_key=True)
    first_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    last_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    forgotten_before: Mapped[datetime | None]


def tell(
    session: AsyncSession, site: str, type: str, at: datetime, cause: tuple[str, ...], data: dict[str, Any]
) -> None:
    """Leave an event in the transaction of this session (`event_values`)."""
    session.add(OutboxRow(**event_values(site, type, at, cause, data)))


def event_values(
    site: str, type: str, at: datetime, cause: tuple[str, ...], data: dict[str, Any]
) -> dict[str, Any]:
    """The new row, by column; `cause` makes it one event. What is no number and no opaque id is left out of `data`.

    Left out, not refused: an event must never stand in the way of the fact that it tells.
    """
    thin = {name: value for name, value in data.items() if _says_nothing(value)}
    return {"event_id": event_id(*cause), "site": site, "type": type, "body": body_of(type, at, thin)}


async def oldest_unpublished(session: AsyncSession) -> datetime | None:
    """Since when has the first event that nobody can read yet been waiting?"""
    return await session.scalar(select(func.min(OutboxRow.recorded_at)).where(OutboxRow.seq.is_(None)))


def event_id(*cause: str) -> str:
    """The same cause is the same event, whenever it is told."""
    return "evt_" + id_from("event", *cause)


def body_of(type: str, at: datetime, data: dict[str, Any]) -> str:
    """The body of Standard Webhooks: `{type, timestamp, data}`."""
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": type, "timestamp": timestamp, "data": data}, separators=(",", ":"))


def _says_nothing(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and OPAQUE.fullmatch(value) is not None)

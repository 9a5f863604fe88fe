"""What is to be sent now, to whom, and what becomes of it?

`spread` makes a delivery of every event for every endpoint that wants it, each endpoint from its own place.
`claim` takes what is due: at most `share` of one endpoint, so that a slow or dead one costs the others nothing.
A claim lapses after `LEASE`: when the sender died between sending and `settle`, the same webhook-id goes out
again. Everything takes `now`; processes may do all of it at once.
"""

import random
import secrets as tokens
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import bindparam, delete, literal, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.asking import Question
from services.database import Database
from services.encryption import EncryptionError, FieldCipher
from services.events.endpoints import SECRETS, close
from services.events.feed import span_of
from services.events.interface import DeliveryStatus, DisabledBecause, EndpointStatus, Outcome
from services.events.retrying import Step, after_attempt
from services.events.sender import Sent
from services.events.signatures import Secrets, signed_headers
from services.events.tables import AttemptRow, DeliveryRow, EndpointRow, NoticeRow
from services.events.transactions import reading, unreachable_said, writing
from services.outbox import FeedRow, OutboxRow, tell

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
SHARE = 4
AT_ONCE = 500
KEPT = timedelta(days=90)
"""How long the log of deliveries is kept."""

DICE = random.SystemRandom().random
ACTIVE = EndpointStatus.ACTIVE.value
PENDING = DeliveryStatus.PENDING.value


@dataclass(frozen=True)
class ToDo:
    """`to_publish`: events have no number yet; `to_send`: an endpoint has, or then gets, something to come."""

    to_publish: bool
    to_send: bool


@dataclass(frozen=True)
class Claimed:
    """One delivery in the hands of one sender."""

    delivery_id: int
    endpoint_id: str
    claim: str
    url: str
    headers: dict[str, str]
    body: str


_UNPUBLISHED = select(OutboxRow.id).where(OutboxRow.seq.is_(None))
_DUE = select(DeliveryRow.id).where(
    DeliveryRow.endpoint_id == EndpointRow.id,
    DeliveryRow.status == literal_column(f"'{PENDING}'"),  # in so many words, as the index has it
    DeliveryRow.next_at <= bindparam("now"),
)
_OWED = (
    select(EndpointRow.id)
    .outerjoin(FeedRow, FeedRow.site == EndpointRow.site)
    .where(
        EndpointRow.status == ACTIVE,
        or_(
            EndpointRow.last_seq < FeedRow.last_seq,
            _DUE.correlate(EndpointRow).exists(),
            _UNPUBLISHED.where(OutboxRow.site == EndpointRow.site).correlate(EndpointRow).exists(),
        ),
    )
)
LOOK = Question(select(_UNPUBLISHED.exists().label("to_publish"), _OWED.exists().label("to_send")))
"""Made once: to put a statement together costs as much as to send it."""


class DeliveryQueue:
    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        dice: Callable[[], float] = DICE,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._dice = dice

    async def look(self, now: datetime) -> ToDo:
        """Is there anything at all to do? One small question, because mostly there is not."""
        async with unreachable_said():
            (found,) = await self._database.ask(LOOK.of(now=now))
        return ToDo(to_publish=found[0].to_publish, to_send=found[0].to_send)

    async def spread(self, now: datetime) -> int:
        """Make deliveries of what was published. How many."""
        behind = (
            select(EndpointRow.id)
            .join(FeedRow, FeedRow.site == EndpointRow.site)
            .where(EndpointRow.status == ACTIVE, EndpointRow.last_seq < FeedRow.last_seq)
        )
        async with reading(self._database) as session:
            waiting = list(await session.scalars(behind))
        made = 0
        for endpoint_id in waiting:
            async with writing(self._database) as session:
                made += await _spread(session, endpoint_id, now)
        return made

    async def claim(self, now: datetime, *, busy: Collection[str] = (), share: int = SHARE) -> list[Claimed]:
        """Take what is due of every endpoint that is not `busy`. Nobody else gets it until the lease ends."""
        due = (
            select(DeliveryRow.id)
            .where(
                DeliveryRow.endpoint_id == EndpointRow.id,
                DeliveryRow.status == PENDING,
                DeliveryRow.next_at <= now,
            )
            .order_by(DeliveryRow.next_at, DeliveryRow.id)
            .limit(share)
            .correlate(EndpointRow)
            .lateral()
        )
        first = select(due.c.id).select_from(EndpointRow).join(due, true())
        first = first.where(EndpointRow.status == ACTIVE, EndpointRow.id.not_in(list(busy)))
        async with writing(self._database) as session:
            wanted = list(await session.scalars(first))
            if not wanted:  # asked several times a second, mostly in vain
                return []
            still = DeliveryRow.id.in_(wanted), DeliveryRow.status == PENDING, DeliveryRow.next_at <= now
            rows = await session.execute(
                select(DeliveryRow, EndpointRow)
                .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
                .where(*still)
                .order_by(DeliveryRow.next_at, DeliveryRow.id)
                .with_for_update(of=DeliveryRow, skip_locked=True)
            )
            taken = [self._taken(delivery, endpoint, now) for delivery, endpoint in rows]
            return [one for one in taken if one is not None]

    async def settle(self, claimed: Claimed, sent: Sent, now: datetime) -> DisabledBecause | None:
        """Note how the attempt ended, and what is next. Answers why the endpoint was disabled, if it was."""
        async with writing(self._database) as session:
            endpoint = await session.get(EndpointRow, claimed.endpoint_id, with_for_update=True)
            row = await session.get(DeliveryRow, claimed.delivery_id, with_for_update=True)
            if endpoint is None or row is None or row.claim != claimed.claim:
                return None  # the lease ended, and somebody else has it now
            row.tries += 1
            row.claim, row.first_attempt_at = None, row.first_attempt_at or now
            session.add(
                AttemptRow(
                    delivery_id=row.id,
                    number=row.tries,
                    at=now,
                    outcome=sent.outcome.value,
                    http_status=sent.http_status,
                    duration_ms=sent.duration_ms,
                )
            )
            if sent.outcome is Outcome.DELIVERED:
                endpoint.last_success_at = now
            else:
                endpoint.last_failure_at = now
            step = after_attempt(
                row.tries,
                sent.outcome,
                now,
                self._dice,
                first_attempt_at=row.first_attempt_at,
                last_success_at=endpoint.last_success_at,
                retry_after_s=sent.retry_after_s,
            )
            return _take(session, endpoint, row, step, now)

    async def forget(self, now: datetime) -> int:
        """Delete the log of what was settled long ago."""
        old = DeliveryRow.created_at < now - KEPT, DeliveryRow.status != PENDING
        async with writing(self._database) as session:
            gone = await session.execute(delete(DeliveryRow).where(*old).returning(DeliveryRow.id))
            return len(gone.all())

    def _taken(self, delivery: DeliveryRow, endpoint: EndpointRow, now: datetime) -> Claimed | None:
        """The claim; none where the secrets cannot be read, which must not stop the other endpoints."""
        delivery.claim = tokens.token_hex(8)
        delivery.next_at = now + LEASE
        try:
            clear = self._cipher.decrypt(SECRETS, endpoint.secrets, row=endpoint.id)
        except EncryptionError as unreadable:
            log.warning("secrets of a webhook endpoint unreadable", error_type=type(unreadable).__name__)
            return None
        secrets = Secrets.model_validate_json(clear)
        return Claimed(
            delivery_id=delivery.id,
            endpoint_id=endpoint.id,
            claim=delivery.claim,
            url=endpoint.url,
            headers=signed_headers(
                secrets, delivery.event_id, now, delivery.body, endpoint.previous_secret_until
            ),
            body=delivery.body,
        )


def _take(
    session: AsyncSession, endpoint: EndpointRow, row: DeliveryRow, step: Step, now: datetime
) -> DisabledBecause | None:
    row.status = step.status.value
    if step.next_at is not None:
        row.next_at = step.next_at
    else:
        row.settled_at = now
    if step.disable is None or endpoint.status != ACTIVE:
        return None
    close(endpoint, step.disable, now)
    session.add(
        NoticeRow(
            endpoint_id=endpoint.id,
            site=endpoint.site,
            because=step.disable.value,
            owner_id=endpoint.created_by,
            opened_at=now,
        )
    )
    cause = (endpoint.id, str(endpoint.version))
    tell(session, endpoint.site, "webhook.disabled", now, cause, {"endpoint_id": endpoint.id})
    return step.disable


async def _spread(session: AsyncSession, endpoint_id: str, now: datetime) -> int:
    """The next events for one endpoint; another process that is at it is left alone."""
    endpoint = await session.scalar(
        select(EndpointRow)
        .where(EndpointRow.id == endpoint_id, EndpointRow.status == ACTIVE)
        .with_for_update(skip_locked=True)
    )
    if endpoint is None:
        return 0
    span = await span_of(session, endpoint.site)
    until = min(endpoint.last_seq + AT_ONCE, span.last_seq)
    made = await copy_events(session, endpoint, endpoint.last_seq + 1, until, now)
    endpoint.last_seq = max(until, endpoint.last_seq)
    return made


async def copy_events(
    session: AsyncSession, endpoint: EndpointRow, first: int, last: int, now: datetime, replay: str = ""
) -> int:
    """Deliveries of the events first..last that this endpoint wants; those it has already are left alone."""
    same = {
        "endpoint_id": endpoint.id,
        "replay": replay,
        "status": PENDING,
        "next_at": now,
        "created_at": now,
    }
    copied = (OutboxRow.event_id, OutboxRow.seq, OutboxRow.type, OutboxRow.body)
    events = select(*copied, *(literal(value) for value in same.values())).where(
        OutboxRow.site == endpoint.site, OutboxRow.seq.between(first, last)
    )
    if endpoint.types:
        events = events.where(OutboxRow.type.in_(endpoint.types))
    added = await session.execute(
        insert(DeliveryRow)
        .from_select(["event_id", "seq", "type", "body", *same], events.order_by(OutboxRow.seq))
        .on_conflict_do_nothing()
        .returning(DeliveryRow.id)
    )
    return len(added.all())

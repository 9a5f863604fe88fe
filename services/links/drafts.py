"""Where are answers that are not complete yet, and answers that cannot wait?

A draft is what somebody has filled in so far; it goes with its link. An alarm is written in the transaction
that keeps the answer which caused it, and stays until the engine has said that it knows.
"""

import json
from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.encryption import FieldCipher
from services.links.interface import Alarm, Link
from services.links.store import PURPOSE, wall_clock
from services.links.tables import LinkAlarmRow, LinkDraftRow, LinkRow

DRAFT, ALARM = "patient_link_draft.answers", "patient_link_alarm.answers"
Forms = dict[str, dict[str, int]]
"""By instrument and item."""


class Draft(BaseModel):
    """`told`: forms as they were handed on before the end, because an answer could not wait."""

    model_config = ConfigDict(extra="forbid")

    answers: Forms = Field(default={}, repr=False)
    told: Forms = Field(default={}, repr=False)

    @property
    def untold(self) -> Forms:
        """What still has to be sent."""
        return {name: form for name, form in self.answers.items() if self.told.get(name) != form}


class Drafts:
    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Callable[[], datetime] = wall_clock
    ) -> None:
        self._database = database
        self._cipher = cipher.for_purpose(PURPOSE)
        self._clock = clock

    async def of(self, link: Link) -> Draft:
        async with self._database.reading() as session:
            return await self._opened(session, link.link_id)

    async def keep(
        self,
        link: Link,
        instrument: str,
        item: str,
        value: int,
        cannot_wait: Callable[[dict[str, int]], bool],
    ) -> Alarm | None:
        """Keep one answer; if the form so far cannot wait, there is an alarm as of the same moment."""
        async with self._database.transaction() as session:
            # The link's row is the lock of its draft: two screens at once do not lose each other's answer.
            await session.get_one(LinkRow, link.link_id, with_for_update=True)
            draft = await self._opened(session, link.link_id)
            form = draft.answers.setdefault(instrument, {})
            changed = form.get(item) != value
            form[item] = value
            alarm = None
            if changed and cannot_wait(form):
                draft.told[instrument] = dict(form)
                alarm = await self._raise(session, link, instrument, form)
            await self._put(session, link, draft)
            return alarm

    async def drop(self, link: Link) -> None:
        """They have been sent."""
        async with self._database.transaction() as session:
            await session.execute(delete(LinkDraftRow).where(LinkDraftRow.link_id == link.link_id))

    async def forget_expired(self) -> None:
        """What was not sent in time is not kept."""
        async with self._database.transaction() as session:
            await session.execute(delete(LinkDraftRow).where(LinkDraftRow.expires_at < self._clock()))

    async def unsettled(self, link: Link | None = None, limit: int = 50) -> list[Alarm]:
        """Alarms that nobody has confirmed yet, oldest first; of one link, or of all."""
        waiting = (
            select(LinkAlarmRow, LinkRow)
            .join(LinkRow, LinkRow.id == LinkAlarmRow.link_id)
            .where(LinkAlarmRow.settled_at.is_(None))
            .order_by(LinkAlarmRow.raised_at)
            .limit(limit)
        )
        if link is not None:
            waiting = waiting.where(LinkRow.id == link.link_id)
        async with self._database.reading() as session:
            return [self._alarm(alarm, of) for alarm, of in await session.execute(waiting)]

    async def settle(self, alarm: Alarm) -> None:
        """The engine has it; what it said is in the record, not here any more."""
        one = (LinkAlarmRow.link_id == alarm.link_id) & (LinkAlarmRow.number == alarm.number)
        empty = self._cipher.encrypt(ALARM, "{}", row=f"{alarm.link_id}/{alarm.number}")
        async with self._database.transaction() as session:
            await session.execute(
                update(LinkAlarmRow).where(one).values(settled_at=self._clock(), answers=empty)
            )

    async def _raise(self, session: AsyncSession, link: Link, instrument: str, form: dict[str, int]) -> Alarm:
        of_link = select(func.coalesce(func.max(LinkAlarmRow.number), 0)).where(
            LinkAlarmRow.link_id == link.link_id
        )
        alarm = Alarm(
            link_id=link.link_id,
            number=(await session.scalar(of_link) or 0) + 1,
            journey_id=link.journey_id,
            site=link.site,
            patient_id=link.patient_id,
            part=link.part,
            instrument=instrument,
            answers=dict(form),
            raised_at=self._clock(),
        )
        sealed = self._cipher.encrypt(ALARM, json.dumps(form), row=f"{alarm.link_id}/{alarm.number}")
        session.add(
            LinkAlarmRow(
                link_id=alarm.link_id,
                number=alarm.number,
                instrument=instrument,
                answers=sealed,
                raised_at=alarm.raised_at,
            )
        )
        return alarm

    def _alarm(self, row: LinkAlarmRow, link: LinkRow) -> Alarm:
        text = self._cipher.decrypt(ALARM, row.answers, row=f"{row.link_id}/{row.number}")
        return Alarm(
            link_id=row.link_id,
            number=row.number,
            journey_id=link.journey_id,
            site=link.site,
            patient_id=link.patient_id,
            part=link.part,
            instrument=row.instrument,
            answers=json.loads(text),
            raised_at=row.raised_at,
        )

    async def _opened(self, session: AsyncSession, link_id: str) -> Draft:
        blob = await session.scalar(select(LinkDraftRow.answers).where(LinkDraftRow.link_id == link_id))
        if blob is None:
            return Draft()
        return Draft.model_validate_json(self._cipher.decrypt(DRAFT, blob, row=link_id))

    async def _put(self, session: AsyncSession, link: Link, draft: Draft) -> None:
        sealed = self._cipher.encrypt(DRAFT, draft.model_dump_json(), row=link.link_id)
        new = insert(LinkDraftRow).values(link_id=link.link_id, answers=sealed, expires_at=link.expires_at)
        await session.execute(
            new.on_conflict_do_update(
                index_elements=[LinkDraftRow.link_id], set_={"answers": new.excluded.answers}
            )
        )

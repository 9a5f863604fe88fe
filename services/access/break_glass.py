"""Who looked where they may not otherwise, why, for how long, and what did the review say?

Breaking the glass opens one scope of one course for one person until `until`, and with it a review that another
person closes with a verdict. Both are audit events of the site, written in the same transaction: no glass
breaks unseen. Reasons and comments are encrypted.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.access.audit import add_event
from services.access.errors import NotThere, OwnGlass, ReviewedAlready
from services.access.tables import GlassRow
from services.access.views import GlassScope, GlassView, Looked, NewGlass, ReviewStatus, ReviewVerdict
from services.database import Database, counted
from services.encryption import FieldCipher

REASON, COMMENT = "break_glass.reason", "break_glass.comment"
PURPOSE = "break-glass"
OPEN_FOR = timedelta(hours=1)
REVIEW_WITHIN = timedelta(hours=72)
BREAKING, OVERSIGHT = "BTG", "HCOMPL"


class BreakGlass:
    """`cipher` is the one of all columns; reasons use a key derived from it for them alone."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        open_for: timedelta = OPEN_FOR,
        review_within: timedelta = REVIEW_WITHIN,
    ) -> None:
        self._database = database
        self._cipher = cipher.for_purpose(PURPOSE)
        self._open_for = open_for
        self._review_within = review_within

    async def open(self, new: NewGlass) -> GlassView:
        """The same glass_id again is the same breaking: it neither lasts longer nor is reviewed twice."""
        async with self._database.transaction() as session:
            now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
            values = {
                **new.model_dump(mode="json", exclude={"glass_id", "reason", "trace_id"}),
                "id": new.glass_id,
                "reason": self._cipher.encrypt(REASON, new.reason, row=new.glass_id),
                "opened_at": now,
                "until": now + self._open_for,
                "review_by": now + self._review_within,
            }
            added = await session.execute(
                insert(GlassRow).values(values).on_conflict_do_nothing().returning(GlassRow.id)
            )
            if added.first() is not None:
                await add_event(session, _breaking(new))
            row = await session.get_one(GlassRow, new.glass_id)
            return self._view(row)

    async def is_open(
        self, scope: GlassScope, actor_id: str, *, journey_id: str = "", patient_id: str = ""
    ) -> bool:
        """Has this person broken this glass, of this course or this patient, and is it still open?"""
        mine = select(GlassRow.id).where(
            GlassRow.actor_id == actor_id,
            GlassRow.scope == scope.value,
            GlassRow.until > func.clock_timestamp(),
            or_(GlassRow.journey_id == journey_id, GlassRow.patient_id == patient_id),
        )
        async with self._database.reading() as session:
            return await session.scalar(mine.limit(1)) is not None

    async def is_open_for_any(self, scope: GlassScope, actor_id: str) -> bool:
        """Has this person broken this glass of whatever course, and is it still open?"""
        mine = select(GlassRow.id).where(
            GlassRow.actor_id == actor_id,
            GlassRow.scope == scope.value,
            GlassRow.until > func.clock_timestamp(),
        )
        async with self._database.reading() as session:
            return await session.scalar(mine.limit(1)) is not None

    async def reviews(
        self,
        site: str,
        *,
        status: ReviewStatus | None = None,
        cursor: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[GlassView]:
        """The most urgent review first; the cursor is (review_by, glass_id) of the last one seen."""
        wanted = select(GlassRow).where(GlassRow.site == site)
        if status is not None:
            wanted = wanted.where(GlassRow.status == status.value)
        if cursor is not None:
            wanted = wanted.where(tuple_(GlassRow.review_by, GlassRow.id) > cursor)
        urgent = wanted.order_by(GlassRow.review_by, GlassRow.id).limit(limit)
        async with self._database.reading() as session:
            return [self._view(row) for row in await session.scalars(urgent)]

    async def counts(self, site: str) -> dict[str, int]:
        """Reviews by status."""
        async with self._database.reading() as session:
            return await counted(session, GlassRow.status, GlassRow.site == site)

    async def review(
        self,
        glass_id: str,
        sites: Collection[str],
        reviewer: Actor,
        verdict: ReviewVerdict,
        comment: str,
        trace_id: str = "",
    ) -> GlassView:
        """Close the review. Raises NotThere, OwnGlass, ReviewedAlready (another verdict or reviewer)."""
        async with self._database.transaction() as session:
            row = await self._locked(session, glass_id, sites)
            if row.actor_id == reviewer.id:
                raise OwnGlass("who broke the glass cannot review it")
            if row.status == ReviewStatus.COMPLETED:
                if (row.reviewed_by, row.verdict) != (reviewer.id, verdict.value):
                    raise ReviewedAlready("the review is closed")
                return self._view(row)
            row.status, row.verdict = ReviewStatus.COMPLETED.value, verdict.value
            row.comment = self._cipher.encrypt(COMMENT, comment, row=glass_id)
            row.reviewed_by = reviewer.id
            row.reviewed_at = (await session.execute(select(func.clock_timestamp()))).scalar_one()
            await add_event(session, _reviewing(row, reviewer, trace_id))
            return self._view(row)

    @staticmethod
    async def _locked(session: AsyncSession, glass_id: str, sites: Collection[str]) -> GlassRow:
        this = select(GlassRow).where(GlassRow.id == glass_id, GlassRow.site.in_(sites))
        row = await session.scalar(this.with_for_update())
        if row is None:
            raise NotThere("there is no such review")
        return row

    def _view(self, row: GlassRow) -> GlassView:
        told = {"glass_id", "reason", "comment"}
        fields = {name: getattr(row, name) for name in GlassView.model_fields if name not in told}
        comment = None
        if row.comment is not None:
            comment = self._cipher.decrypt(COMMENT, row.comment, row=row.id)
        reason = self._cipher.decrypt(REASON, row.reason, row=row.id)
        return GlassView.model_validate({**fields, "glass_id": row.id, "reason": reason, "comment": comment})


def _breaking(new: NewGlass) -> Looked:
    return Looked(
        site=new.site,
        actor_id=new.actor_id,
        actor_role=new.actor_role.value,
        act="break_glass",
        purpose=BREAKING,
        object_id=new.journey_id,
        part=f"{new.scope.value}/{new.glass_id}",
        trace_id=new.trace_id,
    )


def _reviewing(row: GlassRow, reviewer: Actor, trace_id: str) -> Looked:
    return Looked(
        site=row.site,
        actor_id=reviewer.id,
        actor_role=reviewer.role.value,
        act="review_break_glass",
        purpose=OVERSIGHT,
        object_id=row.journey_id,
        part=f"{row.scope}/{row.id}",
        trace_id=trace_id,
    )

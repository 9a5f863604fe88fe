"""Which open courses does an act on many of them concern, and how does each stand now?"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from services.database import Database
from services.records.tables import JourneyRow


class CourseStanding(BaseModel):
    model_config = ConfigDict(frozen=True)

    journey_id: str
    patient_id: str
    stage: str
    on_hold: bool


class Standings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_courses(
        self,
        site: str,
        *,
        ids: Sequence[str] | None = None,
        stage: str | None = None,
        on_hold: bool | None = None,
        limit: int,
    ) -> list[CourseStanding]:
        """Those at the site for which everything holds that is not None, by their ids."""
        wanted = select(JourneyRow).where(JourneyRow.site == site, JourneyRow.closed_at.is_(None))
        if ids is not None:
            wanted = wanted.where(JourneyRow.id.in_(ids))
        if stage is not None:
            wanted = wanted.where(JourneyRow.stage == stage)
        if on_hold is not None:
            wanted = wanted.where(JourneyRow.on_hold == on_hold)
        async with self._database.reading() as session:
            rows = await session.scalars(wanted.order_by(JourneyRow.id).limit(limit))
            return [_standing(row) for row in rows]


def _standing(row: JourneyRow) -> CourseStanding:
    return CourseStanding(journey_id=row.id, patient_id=row.patient_id, stage=row.stage, on_hold=row.on_hold)

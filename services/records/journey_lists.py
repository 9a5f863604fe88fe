"""Which statement finds a page of courses, and which counts them? Each by an index in the order of the list."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from services.records.tables import JourneyRow


def journeys_statement(
    sites: Sequence[str],
    stage: str | None,
    status: str | None,
    on_hold: bool | None,
    cursor: tuple[datetime, str] | None,
    limit: int,
) -> Select[Any]:
    statement = select(JourneyRow).where(JourneyRow.site.in_(sites))
    if stage is not None:
        statement = statement.where(JourneyRow.stage == stage)
    if status is not None:
        statement = statement.where(JourneyRow.status == status)
    if on_hold is not None:
        statement = statement.where(JourneyRow.on_hold == on_hold)
    if cursor is not None:
        statement = statement.where(tuple_(JourneyRow.started_at, JourneyRow.id) < cursor)
    return statement.order_by(JourneyRow.started_at.desc(), JourneyRow.id.desc()).limit(limit)


def journey_counts_statement(sites: Sequence[str]) -> Select[str, str, int]:
    counted = select(JourneyRow.stage, JourneyRow.status, func.count()).where(JourneyRow.site.in_(sites))
    return counted.group_by(JourneyRow.stage, JourneyRow.status).order_by(JourneyRow.stage, JourneyRow.status)

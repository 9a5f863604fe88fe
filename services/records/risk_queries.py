"""Which risk cases does a site have? Those that wait first, page by page, counted by where they stand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, tuple_

from services.records.availability import Sessions
from services.records.opening import view
from services.records.risk_views import RiskCaseLine
from services.records.tables import RiskCaseRow


class RiskQueries:
    """The reading side of risk cases, over all courses of a site."""

    _sessions: Sessions

    async def risk_cases(
        self,
        sites: Sequence[str],
        *,
        status: str | None = None,
        level: str | None = None,
        cursor: tuple[datetime, str, str] | None = None,
        limit: int = 50,
    ) -> list[RiskCaseLine]:
        """Newest first; the cursor is (opened_at, journey_id, case_id) of the last line seen."""
        statement = risk_cases_statement(sites, status, level, cursor, limit)
        async with self._sessions.reading() as session:
            return [view(RiskCaseLine, row) for row in await session.scalars(statement)]

    async def risk_counts(self, sites: Sequence[str]) -> dict[str, int]:
        """How many stand where."""
        counted = select(RiskCaseRow.status, func.count()).where(RiskCaseRow.site.in_(sites))
        async with self._sessions.reading() as session:
            rows = (await session.execute(counted.group_by(RiskCaseRow.status))).all()
            return {row[0]: row[1] for row in rows}


def risk_cases_statement(
    sites: Sequence[str],
    status: str | None,
    level: str | None,
    cursor: tuple[datetime, str, str] | None,
    limit: int,
) -> Select[Any]:
    statement = select(RiskCaseRow).where(RiskCaseRow.site.in_(sites))
    if status is not None:
        statement = statement.where(RiskCaseRow.status == status)
    if level is not None:
        statement = statement.where(RiskCaseRow.level == level)
    key = tuple_(RiskCaseRow.opened_at, RiskCaseRow.journey_id, RiskCaseRow.case_id)
    if cursor is not None:
        statement = statement.where(key < cursor)
    newest = (RiskCaseRow.opened_at.desc(), RiskCaseRow.journey_id.desc(), RiskCaseRow.case_id.desc())
    return statement.order_by(*newest).limit(limit)

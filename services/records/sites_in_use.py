"""At which sites have courses begun? Asked by whoever must not look beyond the sites of a person."""

import time

from sqlalchemy import select

from services.database import Database
from services.records.tables import JourneyRow

KEPT_FOR_S = 60.0


class SitesInUse:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._sites: frozenset[str] = frozenset()
        self._asked_at = float("-inf")

    async def all(self) -> frozenset[str]:
        """Every site with a course, as the record knew within the last minute."""
        if time.monotonic() - self._asked_at >= KEPT_FOR_S:
            async with self._database.reading() as session:
                self._sites = frozenset(await session.scalars(select(JourneyRow.site).distinct()))
            self._asked_at = time.monotonic()
        return self._sites

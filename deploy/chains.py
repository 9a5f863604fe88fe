"""Is the record that came back whole, and is there anything in it?

Every chain of hashes of it is looked at: of each course, and of each site's audit. A record without any says nothing
about a restore: the moment, the address or the file may be a wrong one. So it is no success unless somebody expects it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, union

from deploy.dumps import tables_in
from services.access.audit import AuditTrail
from services.access.tables import AuditChainRow, AuditRow
from services.database import Database
from services.encryption import FieldCipher
from services.records.sql import SqlRecords
from services.records.tables import JourneyRow
from services.settings import Settings


@dataclass(frozen=True)
class Chains:
    """How many there are, and what they object to."""

    courses: int
    audits: int
    broken: tuple[str, ...]

    @property
    def empty(self) -> bool:
        return not (self.courses or self.audits)

    def is_good(self, *, may_be_empty: bool) -> bool:
        return not self.broken and (may_be_empty or not self.empty)

    def __str__(self) -> str:
        if self.empty:
            return "empty: nothing to look at"
        looked_at = f"{self.courses} of courses, {self.audits} of audits"
        return "\n".join(self.broken) or f"every chain of hashes is whole: {looked_at}"


NOTHING = Chains(courses=0, audits=0, broken=())


async def chains_of(settings: Settings) -> Chains:
    """Raises what the driver raises; a database without tables is empty."""
    if not tables_in(settings.database_url):
        return NOTHING
    database = Database(settings.database_url)
    try:
        async with database.reading() as session:
            journeys = list(await session.scalars(select(JourneyRow.id).order_by(JourneyRow.id)))
            named = union(select(AuditChainRow.site), select(AuditRow.site))  # also where the end is gone
            sites = sorted(await session.scalars(named))
        records, audit = SqlRecords(database, FieldCipher.from_settings(settings)), AuditTrail(database)
        broken = [
            f"{journey}: {reason.text}"
            for journey in journeys
            for reason in (await records.verify_chain(journey)).objections
        ]
        verdicts = {site: await audit.verify(site) for site in sites}
        broken += [f"audit of {site}: {found.fault}" for site, found in verdicts.items() if not found.whole]
    finally:
        await database.dispose()
    return Chains(courses=len(journeys), audits=len(sites), broken=tuple(broken))

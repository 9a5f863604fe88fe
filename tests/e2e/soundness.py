"""Is what a system has recorded true, whatever happened to its processes? Asked of record, chains and engine."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.client import Client

from clinical.invariants import violations
from clinical.protocol import Protocol
from deploy.demo_story import TIME_ZONE
from deploy.local import LocalSystem
from deploy.tokens import DEMO_SITE
from services.access.audit import AuditTrail
from services.database import Database
from services.encryption import FieldCipher
from services.records.sql import SqlRecords

BROKEN = 'ExecutionStatus IN ("Failed", "TimedOut", "Terminated")'


async def objections(
    system: LocalSystem, client: Client, protocol: Protocol, journeys: Sequence[str]
) -> list[str]:
    """Everything that is wrong with these courses and with the audit of their site; empty when sound."""
    found: list[str] = []
    database = Database(system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(system.settings()))
        for journey in journeys:
            entries = await records.entries(journey)
            found += [
                f"{journey}: {breach.rule}: {breach.text}"
                for breach in violations(entries, protocol, TIME_ZONE)
            ]
            chain = await records.verify_chain(journey)
            found += [f"{journey}: {reason.text}" for reason in chain.objections]
        audit = await AuditTrail(database).verify(DEMO_SITE)
        found += [f"audit: {audit.fault}"] if not audit.whole or not audit.last_seq else []
    finally:
        await database.dispose()
    return found + [f"{broken.id} {broken.status}" async for broken in client.list_workflows(BROKEN)]


async def kinds_of(system: LocalSystem, journey: str) -> list[str]:
    """The kinds of all facts of a course, in order."""
    database = Database(system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(system.settings()))
        return [str(entry.fact.kind) for entry in await records.entries(journey)]
    finally:
        await database.dispose()

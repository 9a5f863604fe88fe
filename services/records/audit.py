"""Is the record of a journey whole and unchanged, and if not, which entry is the first bad one?

Looks at every entry: its number follows, it names its predecessor's hash, and its own hashes come out again
from what is stored. The journey's row must name the last entry, so that cutting off the end is seen too. An
entry whose key was destroyed on purpose cannot be checked: that is for a person to judge, not a forgery.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.decision import Decision, Reason, Verdict
from services.encryption import DataErased, EncryptionError
from services.records.chain import GENESIS, content_hash, entry_hash
from services.records.errors import NotFound
from services.records.ledger import Ledger, actor_of
from services.records.tables import EntryRow, JourneyRow

RULE = "CHAIN"
SOURCE = "product: the record of a journey is complete, the chain of hashes is unbroken"


async def verify_chain(session: AsyncSession, ledger: Ledger, journey_id: str) -> Decision:
    """Refuses with the first bad entry, or passes; raises NotFound for an unknown journey."""
    journey = await session.scalar(select(JourneyRow).where(JourneyRow.id == journey_id))
    if journey is None:
        raise NotFound("the journey is not in the record")
    rows = await session.scalars(
        select(EntryRow).where(EntryRow.journey_id == journey_id).order_by(EntryRow.seq)
    )
    return verified(journey, list(rows), ledger)


def verified(journey: JourneyRow, rows: list[EntryRow], ledger: Ledger) -> Decision:
    last_seq, last_hash = 0, GENESIS
    erased: list[Reason] = []
    for row in rows:
        fault = _broken_link(row, last_seq, last_hash) or _broken_content(row, ledger)
        if isinstance(fault, DataErased):
            erased.append(
                _reason(Verdict.REVIEW, row.seq, f"entry {row.seq} cannot be read: its key is gone")
            )
        elif fault is not None:
            return Decision.of([_reason(Verdict.REFUSE, row.seq, f"entry {row.seq} {fault}"), *erased])
        last_seq, last_hash = row.seq, row.hash
    if (journey.last_seq, journey.last_hash) != (last_seq, last_hash):
        text = (
            f"the record ends with entry {last_seq}, the journey names another end (entry {journey.last_seq})"
        )
        return Decision.of([_reason(Verdict.REFUSE, last_seq + 1, text), *erased])
    whole = _reason(Verdict.PASS, last_seq, f"{last_seq} entries, each names the one before it")
    return Decision.of(erased or [whole])


def _broken_link(row: EntryRow, last_seq: int, last_hash: str) -> str | None:
    if row.seq != last_seq + 1:
        return f"follows entry {last_seq}: what was between them is missing"
    if row.previous_hash != last_hash:
        return "does not continue the entry before it"
    return None


def _broken_content(row: EntryRow, ledger: Ledger) -> str | DataErased | None:
    try:
        text = ledger.text(row)
        actor = actor_of(row)
        fact = ledger.fact(row)
    except DataErased as erased:
        return erased
    except (EncryptionError, ValueError):
        return "cannot be read as it was written"
    if row.content_hash != content_hash(row.key, row.occurred_at, actor, text):
        return "is not what was written: its content hash differs"
    if row.hash != entry_hash(row.previous_hash, row.seq, row.key, row.occurred_at, actor, text):
        return "is not what was written: its hash differs"
    if (row.kind, row.session) != (fact.kind, getattr(fact, "session", None)):
        return "is filed under another kind or session than its fact"
    return None


def _reason(verdict: Verdict, seq: int, text: str) -> Reason:
    return Reason(rule=RULE, verdict=verdict, text=text, source=SOURCE, value=str(seq))

"""How does any fact of a visit find the visit's row, even when it came before the visit was opened?"""

from services.records.fresh import Fresh
from services.records.note_tables import NoteLinkRow
from services.records.tables import VisitRow


async def put_visit(fresh: Fresh, session: int, **values: object) -> None:
    first = {"site": fresh.journey.site, "status": "planned", "booking_status": "proposed"}
    await fresh.put(VisitRow, {"session": session}, values, first=first)


async def link_note(fresh: Fresh, note_id: str | None) -> None:
    """From now on the psychotherapy note counts: the record names it."""
    if note_id is not None:
        await fresh.put(NoteLinkRow, {"note_id": note_id}, {"seq": fresh.seq}, first={})

"""Who reads what was spoken of in therapy? The therapists of the course; a medical director with a reason.

Notes never pass through the workflows; whoever reads, lists, amends or is turned away is logged. The notes are
written with the acts that they belong to (`api.routes.dosing`).
"""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.breaking import broken
from api.dependencies import CallerHere, Composed, CourseHere, KeyHere
from api.errors import trace_id_of
from api.paging import Paged
from api.routes.router import COURSE, routes
from api.schemas.access import GlassOut
from api.schemas.therapy import (
    AccessesOut,
    AmendmentIn,
    GlassIn,
    NoteOut,
    NoteRefOut,
    NotesOut,
)
from api.schemas.values import Code
from services.access.views import GlassScope
from services.identifiers import PATTERN
from services.records.note_access import NoteFilter, NoteKind, NoteRef

router = routes(COURSE + "/therapy-notes", "psychotherapy notes")
NoteId = Annotated[str, Path(pattern=PATTERN)]
NOT_KEPT = {"Cache-Control": "no-store"}


@router.post("/break-glass", operation_id="open_therapy_notes", status_code=201)
async def open_notes(
    request: Request, body: GlassIn, course: CourseHere, here: Composed, caller: CallerHere, key: KeyHere
) -> GlassOut:
    """A medical director says why, and may read the notes of this course until the instant in the answer.

    It opens a review that another person closes (`…/break-glass/{site}`).
    """
    trace_id = trace_id_of(request.scope)
    return await broken(here, course, caller, GlassScope.NOTES, body.reason, key, trace_id)


@router.get("", operation_id="list_therapy_notes")
async def list_notes(
    course: CourseHere,
    here: Composed,
    caller: CallerHere,
    response: Response,
    paging: Paged,
    session: Annotated[int | None, Query(ge=1, le=1000, description="only of this session")] = None,
    kind: Annotated[NoteKind | None, Query()] = None,
) -> NotesOut:
    """Which notes there are. `state`: recorded, refused (what it belonged to was), or unconfirmed."""
    response.headers.update(NOT_KEPT)
    wanted = NoteFilter(session=session, kind=kind, after=paging.moment, limit=paging.wanted)
    found = await here.notes.lines(course.id, caller.actor, wanted)
    shown, mark = paging.page(found, lambda one: (one.written_at, one.note_id))
    return NotesOut(items=shown, next_cursor=mark, counts=await here.notes.counts(course.id))


@router.get("/accesses", operation_id="list_therapy_note_accesses")
async def list_accesses(
    course: CourseHere,
    here: Composed,
    paging: Paged,
    act: Annotated[Code | None, Query(description="write, amend, list, read, denied, break-glass")] = None,
    actor_id: Annotated[Code | None, Query()] = None,
) -> AccessesOut:
    """Who wrote, read, amended or was turned away, and why the glass was broken. No note's words."""
    await course.person()
    found = await here.notes.accesses(
        course.id, act=act, actor_id=actor_id, after=paging.number or 0, limit=paging.wanted
    )
    shown, mark = paging.page(found, lambda one: (one.number,))
    counts = await here.notes.access_counts(course.id)
    return AccessesOut(items=shown, next_cursor=mark, counts=counts)


@router.get("/{note_id}", operation_id="read_therapy_note")
async def read_note(
    course: CourseHere,
    note_id: NoteId,
    here: Composed,
    caller: CallerHere,
    response: Response,
    paging: Paged,
) -> NoteOut:
    """One note with everything that was added to it."""
    response.headers.update(NOT_KEPT)
    wanted = NoteFilter(after=paging.moment, limit=paging.wanted)
    found = await here.notes.read(course.id, note_id, caller.actor, wanted)
    shown, mark = paging.page(found, lambda one: (one.written_at, one.note_id))
    return NoteOut(items=shown, next_cursor=mark, total=await here.notes.texts(note_id))


@router.post(
    "/{note_id}/amendments", operation_id="amend_therapy_note", response_model=NoteRefOut, status_code=201
)
async def amend_note(
    body: AmendmentIn, course: CourseHere, note_id: NoteId, here: Composed, caller: CallerHere, key: KeyHere
) -> NoteRef:
    """Add to a note; what was written stays as it was."""
    return await here.notes.amend(course.id, note_id, caller.actor, key, body.text)

"""What is sent and answered around psychotherapy notes? They are kept apart from everything else."""

from datetime import datetime

from pydantic import ConfigDict

from api.schemas.values import Act, LongWords, Out, Words
from services.records.therapy_notes import Access, Note, NoteLine


class AmendmentIn(Act):
    """What is added to a note; the note itself is never changed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "the image was of a lake, not the sea"}]}
    )

    text: LongWords


class GlassIn(Act):
    """Why a medical director has to read notes of this course."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the therapist is away in a crisis"}]}
    )

    reason: Words


class GlassOut(Out):
    """Until when the notes of this course can be read."""

    until: datetime


class NoteRefOut(Out):
    """The new note."""

    note_id: str
    note_hash: str


class NotesOut(Out):
    """Every note of the course without its words, in the order of writing."""

    items: list[NoteLine]


class NoteOut(Out):
    """One note, and what was added to it later, in the order of writing."""

    items: list[Note]


class AccessesOut(Out):
    """Who did what with the notes of this course, in order."""

    items: list[Access]

"""What is sent and answered around therapy? Its notes are kept apart from everything else."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.answers import Page, TotalPage
from api.schemas.values import Act, Code, Flag, Instant, LongWords, Out, Whole, Words
from services.records.note_access import Access, Note, NoteLine


class TherapyIn(Act):
    """The conversation while and after the drug acts."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"minutes": 60, "themes": "grief", "present_throughout": True}]}
    )

    minutes: Annotated[Whole, Field(gt=0, le=600)]
    themes: LongWords = Field(description="a psychotherapy note: kept apart, never part of the record")
    present_throughout: Flag | None = Field(default=None, description="the patient was never left alone")
    others_present: tuple[Code, ...] = Field(
        default=(), max_length=10, description="staff who were there too"
    )

    def message(self) -> dict[str, Any]:
        return self.model_dump(exclude={"themes"})


class IntegrationIn(Act):
    """The integration session after a dose."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"held_at": "2026-03-17T15:00:00-04:00", "note": "worked with the image of the sea"}]
        }
    )

    held_at: Instant
    note: LongWords = Field(description="a psychotherapy note: kept apart, never part of the record")

    def message(self) -> dict[str, Any]:
        return self.model_dump(exclude={"note"})


class WaiverIn(Act):
    """Why the next dose may go on without this integration."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "ill; spoke at length by phone"}]})

    reason: Words


class ConcernsIn(Act):
    """What a licensed clinician made of the concerns of the day after."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"assessment": "called back; sleeps again"}]})

    assessment: Words


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


class NoteRefOut(Out):
    """The new note."""

    note_id: str
    note_hash: str


class NotesOut(Page):
    """Notes of the course without their words, in the order of writing; `counts` by kind, over all of them."""

    items: list[NoteLine]
    counts: dict[str, int]


class NoteOut(TotalPage):
    """One note, and what was added to it later, in the order of writing."""

    items: list[Note]


class AccessesOut(Page):
    """Who did what with the notes of this course, in order; `counts` by act, over the whole log."""

    items: list[Access]
    counts: dict[str, int]

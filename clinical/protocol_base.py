"""What are the sections of a protocol made of? Numbers with their bounds, and waits for people.

No field has a silent default: what a clinic has not decided is missing, and the document is refused. Every
number is finite, so that no limit can be written away and no instant counted from it leaves the calendar.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.people import Role

Positive = Annotated[float, Field(gt=0, le=1_000_000)]
Count = Annotated[int, Field(gt=0, le=100_000)]
Minutes = Annotated[int, Field(ge=0, le=100_000)]
Hours = Annotated[float, Field(ge=0, le=1_000_000)]
Days = Annotated[int, Field(ge=0, le=100_000)]
Percent = Annotated[float, Field(gt=0, le=100)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]


class Section(BaseModel):
    """One part of the document: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ask(Section):
    """A wait for a person: who owns it, when it is due, and when the engine stops waiting.

    After `due_hours` the task is overdue and its owner is reminded; after `give_up_hours` the wait ends and
    the journey does what the phase says (an escalation, another round, an ending). Never nothing.
    """

    owner: Role
    due_hours: Positive
    give_up_hours: Positive

"""What does the board answer? People and rooms of a day, each person with what can be done next and by whom."""

from datetime import datetime

from pydantic import Field

from api.schemas.values import Out
from clinical.people import Role
from services.records.board_views import BoardView, PersonOnBoard


class NextAct(Out):
    """Something that can be done for this person now."""

    act: str
    href: str
    roles: list[Role]


class PersonOut(PersonOnBoard):
    course: str
    next: list[NextAct] = Field(description="what can be done now, and by whom")


class Taken(Out):
    """A span for which a visit has a room or a person, with its buffers; `pending` is a hold."""

    part: str
    starts_at: datetime
    ends_at: datetime
    status: str
    booking_id: str
    journey_id: str
    session: int


class ResourceOnBoard(Out):
    """A room, a chair or somebody of the staff, and for whom they are there that day."""

    code: str
    kind: str
    taken: tuple[Taken, ...]


class BoardOut(BoardView):
    """One day of a site: who is expected, here, in the chair, gone home; rooms and people; how many of each."""

    resources: tuple[ResourceOnBoard, ...] = Field(description="what the site has registered, free or taken")

    people: tuple[PersonOut, ...]
    counts: dict[str, int]

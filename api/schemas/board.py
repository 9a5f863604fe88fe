"""What does the board answer? People and rooms of a day, each person with what can be done next and by whom."""

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


class BoardOut(BoardView):
    """One day of a site: who is expected, here, in the chair, gone home; the rooms; how many of each."""

    people: tuple[PersonOut, ...]
    counts: dict[str, int]

"""What is sent and answered about patients' links?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from api.schemas.answers import Page
from api.schemas.values import In, Out, Whole
from services.links.interface import Purpose


class LinkIn(In):
    """A link to hand out. `of` and `number`: which visit (`session`) or which part the questions belong to.

    The link of an offer comes with its message only.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"purpose": "next"}, {"purpose": "session", "of": "session", "number": 2}]
        }
    )

    purpose: Literal[Purpose.SESSION, Purpose.QUESTIONNAIRE, Purpose.WITHDRAWAL, Purpose.NEXT]
    of: Literal["screening", "session", "follow-up"] | None = None
    number: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    valid_hours: Annotated[Whole, Field(ge=1, le=24 * 60)] = 72

    @model_validator(mode="after")
    def _names_what_it_is_about(self) -> "LinkIn":
        about = self.of is not None and self.number is not None
        wanted = self.purpose in (Purpose.SESSION, Purpose.QUESTIONNAIRE)
        if about != wanted or (self.of is None) != (self.number is None):
            raise ValueError("of and number belong to a session or a questionnaire, and only there")
        if self.purpose is Purpose.SESSION and self.of != "session":
            raise ValueError("a session link is of a session")
        return self

    @property
    def part(self) -> str:
        return f"{self.of}/{self.number}" if self.of else ""


class LinkOut(Out):
    """A link as it stands; nobody sees its address again. `state`: where it is between made and over."""

    link_id: str
    purpose: Purpose
    part: str
    state: Literal["open", "spent", "expired", "revoked", "locked", "outdated"]
    act: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    spent_at: datetime | None


class NewLinkOut(LinkOut):
    """`url` is shown this once. Give it to the patient only: it and the birth date are all that is asked."""

    url: str


class LinksOut(Page):
    """Links of a course, newest first. `counts`: all of them, by how each stands by itself; `live` ones are `open`,
    or `outdated` if their subject is gone."""

    items: list[LinkOut]
    counts: dict[str, int]


class RevokeLinkIn(In):
    """The link is to work no longer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

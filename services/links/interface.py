"""What is a patient's link, and what can be asked about it?

A link lets one patient do one thing of one course without a password: answer about a visit, take an offered time,
fill in a questionnaire, withdraw consent, see what comes next. Whoever holds the address still has to prove to be the
patient. Its token stands in the address only: here is its keyed hash. An act through it happens once.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

ATTEMPTS = 5
"""How often may a birth date be wrong before the link is dead?"""


class Purpose(StrEnum):
    """What links are for; there are no others."""

    SESSION = "session"  # say that one comes and is ready, or ask for another time
    OFFER = "offer"  # take an earlier time that became free, or leave it
    QUESTIONNAIRE = "questionnaire"
    WITHDRAWAL = "withdrawal"
    NEXT = "next"  # what comes next; for reading, as often as one likes


class Held(StrEnum):
    """What came of taking a link for an act."""

    TAKEN = "taken"  # go on, then settle it or give it back
    BUSY = "busy"  # somebody is at it at this moment, or another act of it may have happened
    SPENT = "spent"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewLink(_Model):
    """A link to be made. The same `cause` (a message's key, a request's) is the same link with another token.

    `part` is what it concerns ("session/3", "follow-up/1"), `occurrence` which time of it: the start of a
    visit as an instant, the offer, or the task that waits for the answers. It is dead as soon as that is no longer so.
    """

    cause: str = Field(min_length=1, max_length=300)
    journey_id: str
    site: str
    patient_id: str
    purpose: Purpose
    part: str = ""
    occurrence: str = ""
    expires_at: AwareDatetime
    made_by: str


class Link(_Model):
    """A link as it stands, without its token."""

    link_id: str
    cause: str
    journey_id: str
    site: str
    patient_id: str
    purpose: Purpose
    part: str
    occurrence: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    spent_at: datetime | None
    act: str | None
    failed_checks: int
    locked_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    def lives(self, now: datetime) -> bool:
        """By itself: not expired, not revoked, not locked. Whether its subject still stands, the record knows."""
        return self.revoked_at is None and self.locked_at is None and now < self.expires_at


class Alarm(_Model):
    """Answers that could not wait for the end of a questionnaire, until somebody has been told of them."""

    link_id: str
    number: int
    journey_id: str
    site: str
    patient_id: str
    part: str
    instrument: str
    answers: dict[str, int] = Field(repr=False)
    raised_at: datetime

    @property
    def key(self) -> str:
        return f"link-{self.link_id}-{self.number}"

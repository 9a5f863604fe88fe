"""What came in by text message or mail, and what was made of it? In clear, for those who may read it."""

from dataclasses import dataclass, field
from datetime import datetime

from clinical.replies import Answer, Reply
from services.records.view import View


@dataclass(frozen=True)
class InboundText:
    """One message as it was handed over. `keyword` is what the provider took it for, if it did.

    By e-mail: `to_the_point` is what of the body is read as a reply, `to_patient` who got the message of ours that
    it answers. The address of a sender can be made up, that message's id cannot.
    """

    id: str
    sender: str = field(repr=False)
    body: str = field(repr=False)
    keyword: Reply | None = None
    channel: str = "sms"
    to_the_point: str | None = field(default=None, repr=False)
    to_patient: str | None = None


@dataclass(frozen=True)
class AskedAbout:
    """The visit that the last message to a patient was about, and when that message left."""

    starts_at: datetime
    sent_at: datetime


@dataclass(frozen=True)
class CrisisCase:
    """Somebody may be at risk: the open case, and the course that has to hear of it."""

    case_id: str
    site: str
    patient_id: str
    journey_id: str


@dataclass(frozen=True)
class Received:
    """What is answered to a message: the same whenever it is handed over again."""

    answer: Answer | None
    language: str
    time_zone: str
    answer_at: datetime | None
    received_at: datetime
    patient_id: str | None = None
    told: bool = True


class InboxMessage(View):
    message_id: str
    channel: str
    text: str
    reply: Reply
    answer: Answer | None
    received_at: datetime


class InboxCase(View):
    """One thing that a person has to do because of messages, with the messages."""

    case_id: str
    site: str
    kind: str
    status: str
    patient_id: str | None
    journey_id: str | None
    session: int | None
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    note: str | None
    messages: tuple[InboxMessage, ...]

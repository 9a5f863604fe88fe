"""What can be asked of the notification service?

`send` sends one message once per key and answers what became of it; asking again with the same key is safe
and answers the same. Statuses are FHIR R4's for Communication. Times are UTC instants; `occurred_at` is the
caller's clinical now (virtual time included), `sent_at` the wall clock's.
"""

from enum import StrEnum
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

Instant = Annotated[AwareDatetime, Field(strict=True)]


class ChannelName(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class CommunicationStatus(StrEnum):
    PREPARATION = "preparation"  # recorded, waiting for another try
    IN_PROGRESS = "in-progress"  # a sender holds it
    NOT_DONE = "not-done"  # will never leave; `reason` says why
    ON_HOLD = "on-hold"  # waiting for `send_at`
    STOPPED = "stopped"  # the journey stopped before it left
    COMPLETED = "completed"  # the mail or SMS service took it


class SendReason(StrEnum):
    """The reasons the service gives itself; a stopped message has the reason given to `stop_pending`."""

    EXPIRED = "expired"
    EXPIRES_IN_QUIET_HOURS = "expires-in-quiet-hours"
    NO_CHANNEL = "no-channel"
    CONTACT_INVALID = "contact-invalid"
    CONTACT_UNVERIFIED = "contact-unverified"
    OPTED_OUT = "opted-out"
    UNDELIVERED = "undelivered"
    NO_LONGER_TRUE = "no-longer-true"
    QUIET_HOURS = "quiet-hours"


class TemplateName(StrEnum):
    CONSULTATION_BOOKED = "consultation_booked"
    SESSION_BOOKED = "session_booked"
    SESSION_REMINDER = "session_reminder"
    SESSION_MOVED = "session_moved"
    SESSION_CANCELLED = "session_cancelled"
    VISIT_OFFERED = "visit_offered"
    AFTER_VISIT = "after_visit"
    QUESTIONNAIRE_DUE = "questionnaire_due"
    FOLLOW_UP_DUE = "follow_up_due"
    JOURNEY_PAUSED = "journey_paused"
    JOURNEY_ENDED = "journey_ended"
    STAFF_PAGE = "staff_page"
    CONTACT_CODE = "contact_code"
    MESSAGE_ANSWER = "message_answer"  # what is answered to an e-mail of the person
    CLINIC_NOTICE = "clinic_notice"


class Contact(BaseModel):
    """How a person can be reached, as the records have it now. Read again for every `send`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(repr=False)
    email: str | None = Field(default=None, repr=False)
    phone_e164: str | None = Field(default=None, repr=False)
    language: str = "en"  # BCP 47; what is not translated is sent in English
    time_zone: str  # IANA
    preferred_channel: ChannelName = ChannelName.EMAIL
    opted_out_channels: frozenset[ChannelName] = frozenset()
    unverified_channels: frozenset[ChannelName] = frozenset()
    stated_channels: frozenset[ChannelName] = frozenset()
    """Told by the person, and not shown yet to be theirs: messages go there, but say nothing of the treatment."""
    bad_channels: frozenset[ChannelName] = frozenset()
    detail_opt_in: bool = False  # the patient agreed to read about the treatment in messages

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (LookupError, ValueError, OSError):
            raise ValueError("is no IANA time zone") from None
        return value

    def address(self, channel: ChannelName) -> str | None:
        return self.email if channel is ChannelName.EMAIL else self.phone_e164


class SendRequest(BaseModel):
    """One message to one person. `key` is derived from (journey, step, occurrence)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=1, max_length=200)
    journey_id: str = Field(min_length=1, max_length=200)
    site: str
    patient_id: str | None = None
    recipient: Contact
    template: TemplateName
    parameters: dict[str, str] = Field(default_factory=dict, repr=False)
    occurred_at: Instant
    not_after: Instant
    urgent: bool = False  # ignores quiet hours


class Refusal(BaseModel):
    """An address that will never work, and the channel's own code for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: ChannelName
    code: str


class SendResult(BaseModel):
    """What became of a message. `refused_channels` have a bad address: mark the contact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    status: CommunicationStatus
    channel: ChannelName | None = None
    reason: str | None = None
    send_at: Instant | None = None  # on-hold only: ask again then, with the same key
    sent_at: Instant | None = None
    refused_channels: tuple[ChannelName, ...] = ()


class ReceiptStatus(StrEnum):
    """What the provider says of a message it took, in its own words."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class Receipt(BaseModel):
    """One word of the provider about one message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider_id: str = Field(min_length=1, max_length=200)
    status: ReceiptStatus
    error_code: str | None = Field(default=None, max_length=100)


class Undelivered(BaseModel):
    """A message that the provider took and could not deliver; `lasting`: the address will never work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    journey_id: str
    site: str
    patient_id: str | None
    template: TemplateName
    parameters: dict[str, str]
    channel: ChannelName
    address: str = Field(repr=False)
    code: str
    lasting: bool


class ReceiptRecord(BaseModel):
    """One word of the provider, and when it came."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: ReceiptStatus
    error_code: str | None
    received_at: Instant


class CommunicationRecord(BaseModel):
    """One message as it was recorded; what it said stays encrypted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    journey_id: str
    site: str
    patient_id: str | None
    template: TemplateName
    language: str
    channel: ChannelName | None
    status: CommunicationStatus
    reason: str | None
    occurred_at: Instant
    recorded_at: Instant
    not_after: Instant
    send_at: Instant | None
    sent_at: Instant | None
    attempts: int
    delivery: ReceiptStatus | None = None
    receipts: tuple[ReceiptRecord, ...] = ()


class LastAsked(BaseModel):
    """The visit that the last text message to a patient was about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts_at: Instant
    sent_at: Instant


class Answered(BaseModel):
    """The message of ours that somebody answers: to whom it went, and the visit that it asked about, if it did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient_id: str
    asked: LastAsked | None


class LinkSource(Protocol):
    """Where the addresses come from that patients open: made when a message leaves, kept by nobody."""

    async def address(self, request: SendRequest) -> str | None:
        """A fresh address for this message, or None when it has nothing to open."""
        ...


class Notifications(Protocol):
    async def send(self, request: SendRequest) -> SendResult:
        """Send once per key, or say why not. Raises the errors of `errors.py`."""
        ...

    async def withdraw(self, request: SendRequest, reason: str) -> SendResult:
        """What this message says is no longer true: unless it has left, it never does. `reason` is a code."""
        ...

    async def refusals(self, key: str) -> list[Refusal]:
        """By which channels was this message's address refused for good, and with which code?"""
        ...

    async def stop_pending(self, journey_id: str, reason: str) -> int:
        """Nothing of this journey leaves after this returns (but `kinds.MAY_LEAVE_AFTER_STOP`). `reason` is a code.
        Answers how many waiting messages it stopped. Raises SendInProgress while one is on its way."""
        ...

    async def for_journey(self, journey_id: str) -> list[CommunicationRecord]:
        """Every message of a journey, in clinical order."""
        ...

    async def undelivered(self) -> list[Undelivered]:
        """Messages that a provider took and could not deliver, and that another channel may still bring."""
        ...

    async def send_again(self, key: str, recipient: Contact, *, true: bool = True) -> SendResult:
        """Send one of them by another channel, or say why not; what is not `true` any more is withdrawn. Raises the
        errors of `errors.py`."""
        ...

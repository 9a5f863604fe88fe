"""What is sent and answered about how a person is reached?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from api.schemas.answers import Page
from api.schemas.contact import email_address, language_tag, phone_e164, zone_name
from api.schemas.values import Flag, In, Out
from services.records.contact_views import ContactState

Channel = Literal["email", "sms"]


class ContactIn(In):
    """What is to change; what is left out stays. `null` takes an address away."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"phone": "+1 202 555 0177", "opted_out_channels": []}]}
    )

    email: Annotated[str, AfterValidator(email_address)] | None = None
    phone: Annotated[str, AfterValidator(phone_e164)] | None = None
    language: Annotated[str, AfterValidator(language_tag)] = "en"
    time_zone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    preferred_channel: Channel = "email"
    opted_out_channels: list[Channel] = Field(default=[], max_length=2)
    detail_opt_in: Flag = False


class ContactOut(Out):
    """How a person is reached. Nothing but a code goes to an address that is `unverified`, nothing to a `bad` one.

    `codes`: what became of the code for each address that this request changed.
    """

    patient_id: str
    version: int
    email: str | None
    email_state: ContactState
    phone_e164: str | None
    phone_state: ContactState
    language: str
    time_zone: str
    preferred_channel: Channel
    opted_out_channels: list[Channel]
    detail_opt_in: bool
    codes: dict[str, Literal["sent", "not-sent"]] = Field(default_factory=dict)


class ContactChangeOut(Out):
    """One change: who, when, by which way, and the fields that differ."""

    version: int
    source: str
    actor_id: str
    actor_role: str
    at: datetime
    was: dict[str, object]
    now: dict[str, object]


class ContactHistoryOut(Page):
    """`counts`: all changes, by the way on which they came."""

    items: list[ContactChangeOut]
    counts: dict[str, int]


class CodeIn(In):
    """To which address a code is sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"channel": "email"}]})

    channel: Channel


class CodeOut(Out):
    """A code is on its way."""

    channel: Channel
    expires_at: datetime


class CodeCheckIn(In):
    """The code as the person read it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"channel": "email", "code": "012345"}]})

    channel: Channel
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]

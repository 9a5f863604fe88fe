"""What is sent to take a person in: registration, a new course, the consultation, consent."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.schemas.contact import email_address, language_tag, phone_e164, zone_name
from api.schemas.values import Act, Code, Day, Flag, Identifier, In, Instant, Out, Site, Words
from clinical.patient_record import Sex
from clinical.protocol import Indication

_PERSON: JsonDict = {
    "site": "site-a",
    "name": "Alex Example",
    "birth_date": "1984-05-17",
    "sex": "female",
    "email": "alex@example.org",
    "phone": "+1 202 555 0143",
    "language": "en",
    "time_zone": "America/New_York",
    "preferred_channel": "email",
}

Channel = Literal["email", "sms"]


class PatientIn(In):
    """A person as they introduced themselves, by phone or on the web."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PERSON]})

    site: Site
    name: Annotated[Words, Field(max_length=200)]
    birth_date: Day
    sex: Sex
    email: Annotated[str, AfterValidator(email_address)] | None = None
    phone: Annotated[str, AfterValidator(phone_e164)] | None = None
    mrn: Annotated[Words, Field(max_length=64)] | None = Field(
        default=None, description="medical record number"
    )
    language: Annotated[str, AfterValidator(language_tag)] = "en"
    time_zone: Annotated[str, AfterValidator(zone_name)]
    preferred_channel: Channel = Field(default="email", validate_default=True)
    detail_opt_in: Flag = Field(default=False, description="the person agreed to read about the treatment")
    confirm_new: Flag = Field(default=False, description="register although this may be a duplicate")

    @field_validator("preferred_channel")
    @classmethod
    def _can_be_reached(cls, value: Channel, info: ValidationInfo) -> Channel:
        address = {"email": "email", "sms": "phone"}[value]
        if address in info.data and info.data[address] is None:  # absent from data: a fault of its own
            raise PydanticCustomError("no_contact_channel", "there is no address for this channel")
        return value


class PatientOut(Out):
    """The person as registered, with the ids of their courses, newest first; what a role does not see is null."""

    patient_id: str
    site: str
    name: str | None
    birth_date: str | None
    sex: str | None
    email: str | None
    phone_e164: str | None
    mrn: str | None
    language: str
    time_zone: str
    preferred_channel: str
    opted_out_channels: list[str]
    detail_opt_in: bool
    registered_at: datetime
    journeys: list[str]


class RegisteredOut(Out):
    model_config = ConfigDict(json_schema_extra={"examples": [{"patient_id": "01JNB6Q0F0V5T9Z8X4C2M7K3HD"}]})

    patient_id: str


class ReferralOut(Out):
    """What became of a referral; `unreadable` are its parts that nobody understood (they become reasons)."""

    patient_id: str
    referral_id: str
    contactable: bool
    unreadable: list[str]


class JourneyIn(Act):
    """The start of one course of treatment. Without `protocol` the site's newest one is taken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site": "site-a",
                    "patient_id": "01JNB6Q0F0V5T9Z8X4C2M7K3HD",
                    "referral_id": "01JNB6Q0F1A2B3C4D5E6F7G8H9",
                    "indication": "major-depressive-disorder",
                }
            ]
        }
    )

    site: Site
    patient_id: Identifier
    referral_id: Identifier | None = None
    indication: Indication
    protocol: Annotated[str, Field(min_length=3, max_length=300, pattern=r"^[!-~]+\|[!-~]+$")] | None = Field(
        default=None, description="canonical name, url|version"
    )


class ConsultationIn(Act):
    """When the evaluation takes place."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"starts_at": "2026-03-02T09:30:00-05:00", "ends_at": "2026-03-02T10:30:00-05:00"}]
        }
    )

    starts_at: Instant
    ends_at: Instant


class OutcomeIn(Act):
    """How the consultation ended."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "proceed", "reason": "suitable for screening"}]}
    )

    outcome: Literal["proceed", "decline", "refer-on"]
    reason: Words


class ConsentIn(Act):
    """Informed consent, element by element, under one version of the document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "document_version": "2026-01",
                    "elements": ["diagnosis-and-alternatives", "off-label-status", "right-to-withdraw"],
                    "capacity_attested": True,
                }
            ]
        }
    )

    document_version: Code
    elements: list[Code] = Field(min_length=1, max_length=100)
    capacity_attested: Flag

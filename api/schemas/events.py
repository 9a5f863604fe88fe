"""What is sent to and answered from events and webhooks?"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.answers import CountedPage, Page
from api.schemas.values import Flag, In, Instant, Out, Site, Whole
from services.events.interface import (
    Attempt,
    Delivery,
    DeliveryStatus,
    DisabledBecause,
    Endpoint,
    EndpointStatus,
    Event,
    KeyedEndpoint,
    Notice,
)
from services.records.announced import EVENT_TYPES as RECORDED

EVENT_TYPES = RECORDED | {"webhook.disabled"}
"""Every type that a site's feed may hold."""


def _known(name: str) -> str:
    if name not in EVENT_TYPES:
        raise PydanticCustomError("event_type", "is no type of event")
    return name


EventType = Annotated[
    str,
    AfterValidator(_known),
    Field(json_schema_extra={"enum": sorted(EVENT_TYPES)}, examples=["session.dose_given"]),
]
EventTypes = Annotated[tuple[EventType, ...], Field(max_length=len(EVENT_TYPES))]
Url = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=r"^[!-~]+$", examples=["https://hooks.example.org/kap"])
]


class EventOut(Out):
    """One event. `seq` counts the events of the site without gaps; `id` is the webhook-id."""

    seq: int
    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(**event.model_dump())


class EventPage(Page):
    """`first_seq` to `last_seq` is what can be had at all; go on with `after`: the last `seq` you have."""

    items: list[EventOut]
    first_seq: int
    last_seq: int


class EndpointIn(In):
    """Where events are to be sent. No `types`: all. `ed25519`: sign with a key pair too (`v1a`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "site": "site-a",
                    "url": "https://hooks.example.org/kap",
                    "types": ["session.dose_given", "risk.opened"],
                    "ed25519": False,
                }
            ]
        }
    )

    site: Site
    url: Url
    types: EventTypes = ()
    ed25519: Flag = False


class EndpointChangeIn(In):
    """What is to be another; `version` is that of the endpoint as it was read."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 1, "url": "https://hooks.example.org/v2", "types": []}]}
    )

    version: Annotated[Whole, Field(ge=1)]
    url: Url | None = None
    types: EventTypes | None = None


class RotationIn(In):
    """For how long the secret before signs too."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    overlap_hours: Annotated[Whole, Field(ge=0, le=720)] = 24


class NothingIn(In):
    """Nothing more needs to be said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class ReplayIn(In):
    """Which events: those recorded from `since` to before `until`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"since": "2026-03-02T09:00:00Z", "until": "2026-03-02T12:00:00Z"}]}
    )

    since: Instant
    until: Instant

    @model_validator(mode="after")
    def _forward(self) -> "ReplayIn":
        if self.until <= self.since:
            raise PydanticCustomError("range", "`until` must be after `since`")
        return self


class EndpointOut(Out):
    """`last_seq`: up to which event of the site deliveries were made."""

    endpoint_id: str
    href: str
    site: str
    url: str
    types: tuple[str, ...]
    status: EndpointStatus
    version: int
    created_at: datetime
    created_by: str
    last_seq: int
    disabled_at: datetime | None
    disabled_because: DisabledBecause | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    previous_secret_until: datetime | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointOut":
        return cls(**_members(endpoint))


class KeyedEndpointOut(EndpointOut):
    """With what verifies the signatures: shown now and never again."""

    secret: str = Field(description="`whsec_…`, for `v1`")
    public_key: str | None = Field(description="`whpk_…`, for `v1a`")

    @classmethod
    def with_keys(cls, keyed: KeyedEndpoint) -> "KeyedEndpointOut":
        return cls(**_members(keyed.endpoint), secret=keyed.secret, public_key=keyed.public_key)


class EndpointPage(CountedPage):
    items: list[EndpointOut]


class DeliveryOut(Out):
    """One event on its way; `event_id` is the webhook-id of every attempt. `replay`: it was sent again on demand."""

    id: int
    event_id: str
    seq: int | None
    type: str
    status: DeliveryStatus
    replay: bool
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None
    attempts: tuple[Attempt, ...]

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        given = delivery.model_dump(exclude={"endpoint_id", "replay"})
        return cls(**given, replay=bool(delivery.replay))


class DeliveryPage(CountedPage):
    items: list[DeliveryOut]


class ReplayOut(Out):
    events: int = Field(description="how many are sent again")


class NoticeOut(Out):
    """An endpoint was disabled without being asked; `owner_id` made it."""

    id: int
    endpoint_id: str
    because: DisabledBecause
    owner_id: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None

    @classmethod
    def of(cls, notice: Notice) -> "NoticeOut":
        return cls(**notice.model_dump(exclude={"site"}))


class NoticePage(CountedPage):
    items: list[NoticeOut]


def _members(endpoint: Endpoint) -> dict[str, Any]:
    href = f"/v1/webhook-endpoints/{endpoint.id}"
    return {**endpoint.model_dump(exclude={"id"}), "endpoint_id": endpoint.id, "href": href}

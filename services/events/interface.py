"""What do others get to see of events, endpoints and deliveries?"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Event(_View):
    """One event of a site. `seq` counts without gaps; `id` is the webhook-id."""

    seq: int
    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


class Span(_View):
    """What can be had of a site's events: all from `first_seq` to `last_seq`; `last_seq` 0 is none."""

    first_seq: int = 1
    last_seq: int = 0


class EndpointStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class DisabledBecause(StrEnum):
    """Why an endpoint gets nothing more."""

    ASKED = "asked"
    GONE = "gone"  # the receiver answered 410
    FAILING = "failing"  # nothing arrived over the whole schedule of retries


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    STOPPED = "stopped"


class Outcome(StrEnum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    GONE = "gone"
    REDIRECT = "redirect"
    REFUSED = "refused"  # any other status
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNSAFE = "unsafe-endpoint"  # where the name leads now must not be called


class Endpoint(_View):
    """Where events of a site are sent. `types` empty: all. `last_seq`: how far it has been served."""

    id: str
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


class KeyedEndpoint(_View):
    """An endpoint with what verifies its signatures; shown once."""

    endpoint: Endpoint
    secret: str
    public_key: str | None


class Attempt(_View):
    number: int
    at: datetime
    outcome: Outcome
    http_status: int | None
    duration_ms: int


class Delivery(_View):
    """One event on its way to one endpoint."""

    id: int
    endpoint_id: str
    event_id: str
    seq: int | None
    type: str
    status: DeliveryStatus
    replay: str
    created_at: datetime
    next_at: datetime | None
    settled_at: datetime | None
    attempts: tuple[Attempt, ...] = ()


class Notice(_View):
    """An endpoint was disabled, and its owner has to know."""

    id: int
    endpoint_id: str
    site: str
    because: DisabledBecause
    owner_id: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None

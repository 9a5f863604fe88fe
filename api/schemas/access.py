"""What is sent and answered around access: sites, API keys, the audit, broken glasses?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from api.schemas.answers import CountedPage, Page
from api.schemas.contact import phone_e164, zone_name
from api.schemas.values import In, Instant, Out, Site, Words
from clinical.people import Role
from services.access.views import (
    ApiKeyView,
    AuditEventView,
    GlassScope,
    GlassView,
    ReviewVerdict,
    RevokedFor,
    SiteView,
)

PLAIN = r"^[!-~]+$"


class SiteIn(In):
    """A site as it is to stand in the register, whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Harbor Street", "time_zone": "America/New_York", "phone": "+1 202 555 0100"}
            ]
        }
    )

    name: Annotated[Words, Field(max_length=200)]
    time_zone: Annotated[str, AfterValidator(zone_name)]
    phone: Annotated[str, AfterValidator(phone_e164)] | None = None
    default_protocol: Annotated[str, Field(max_length=300, pattern=PLAIN)] | None = Field(
        default=None, description="url|version of a published protocol; null: the newest one"
    )


class SitesOut(Page):
    """Those of your sites that are registered; `counts` by time zone, over all of them."""

    items: list[SiteView]
    counts: dict[str, int]


class ApiKeyIn(In):
    """A key for a machine: named, for few roles and sites, and never for ever."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "status page",
                    "roles": ["ops"],
                    "sites": ["site-a"],
                    "expires_at": "2027-03-02T09:30:00Z",
                }
            ]
        }
    )

    name: Annotated[Words, Field(max_length=100)]
    roles: Annotated[
        list[Literal[Role.COORDINATOR, Role.AUDITOR, Role.OPS]], Field(min_length=1, max_length=3)
    ]
    sites: Annotated[list[Site], Field(min_length=1, max_length=50)]
    expires_at: Instant


class IssuedOut(Out):
    """The new key. `secret` is shown this once: `Authorization: Bearer kap_…`."""

    key_id: str
    secret: str
    expires_at: datetime


class RevocationIn(In):
    """Why the key is taken away."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "rotated"}]})

    reason: RevokedFor


class ApiKeyPage(CountedPage):
    items: list[ApiKeyView]


class AuditPage(CountedPage):
    items: list[AuditEventView]


class BreakGlassIn(In):
    """What has to be seen, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"scope": "safety-plans", "reason": "the patient calls in a crisis, no clinician is here"}
            ]
        }
    )

    scope: GlassScope
    reason: Words


class GlassOut(Out):
    """What is open now (`opens`), until when, and by when somebody else reviews it."""

    glass_id: str
    scope: GlassScope
    until: datetime
    review_by: datetime
    opens: str


class ReviewPage(CountedPage):
    items: list[GlassView]


class ReviewIn(In):
    """What the reviewer makes of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"verdict": "justified", "comment": "a crisis at night; called back"}]
        }
    )

    verdict: ReviewVerdict
    comment: Words

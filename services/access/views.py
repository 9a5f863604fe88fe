"""What do the services around access take and answer? Frozen values; instants are UTC."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical.people import Role


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SiteDetails(_View):
    """What a clinic says of one of its sites. `default_protocol` is url|version; None: the newest published."""

    name: str
    time_zone: str
    phone: str | None = None
    default_protocol: str | None = None


class SiteView(SiteDetails):
    site: str
    version: int
    changed_at: datetime
    changed_by: str


class RevokedFor(StrEnum):
    """Why a key was taken away."""

    LEAKED = "leaked"
    ROTATED = "rotated"
    NOT_NEEDED = "not-needed"
    OTHER = "other"


class NewApiKey(_View):
    key_id: str
    name: str
    roles: tuple[Role, ...]
    sites: tuple[str, ...]
    expires_at: datetime


class ApiKeyView(_View):
    """One key without its secret. `sites` are those that the reader may know of."""

    key_id: str
    name: str
    roles: tuple[Role, ...]
    sites: tuple[str, ...]
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_for: RevokedFor | None


class MachineCaller(_View):
    """For whom a live key speaks."""

    key_id: str
    roles: frozenset[Role]
    sites: frozenset[str]


class Looked(_View):
    """One thing to write into the audit: who, acting as what, did what to which thing, and why."""

    site: str
    actor_id: str
    actor_role: str
    act: str
    purpose: str
    object_id: str
    part: str | None = None
    outcome: str = "0"
    trace_id: str = ""
    reason: str | None = None
    """Why it was refused: the code of the problem, never its words."""


class Outcome(StrEnum):
    """AuditEvent's outcomes."""

    DONE = "0"
    REFUSED = "4"
    FAILED = "8"


class AuditEventView(Looked):
    """As it stands in the chain of its site. `outcome` is AuditEvent's: 0 done, 4 refused, 8 failed."""

    seq: int
    at: datetime
    previous_hash: str
    hash: str


class AuditFilter(_View):
    """Which events? Those for which everything holds that is not None; `objects`: about any of these."""

    actor_id: str | None = None
    act: str | None = None
    purpose: str | None = None
    outcome: Outcome | None = None
    objects: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


class ChainVerdict(_View):
    """Is the chain whole? If not, `first_bad` is the first record that is not as it was written."""

    whole: bool
    last_seq: int
    last_hash: str
    first_bad: int | None = None
    fault: str | None = None


class GlassScope(StrEnum):
    """What lies behind the glass."""

    NOTES = "psychotherapy-notes"
    SAFETY_PLANS = "safety-plans"
    IDENTITY = "identity"
    ENGINE = "engine-payloads"


class ReviewStatus(StrEnum):
    """Task's words."""

    REQUESTED = "requested"
    COMPLETED = "completed"


class ReviewVerdict(StrEnum):
    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


class NewGlass(_View):
    glass_id: str
    site: str
    journey_id: str
    patient_id: str
    scope: GlassScope
    actor_id: str
    actor_role: Role
    reason: str
    trace_id: str = ""


class GlassView(_View):
    """One broken glass and its review: a task for the auditor or the medical director, due `review_by`."""

    glass_id: str
    site: str
    journey_id: str
    scope: GlassScope
    actor_id: str
    actor_role: Role
    reason: str
    opened_at: datetime
    until: datetime
    status: ReviewStatus
    review_by: datetime
    verdict: ReviewVerdict | None
    comment: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None

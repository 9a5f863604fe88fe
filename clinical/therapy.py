"""Is the therapy around a dose where it should be: preparation, integration, two separate people?

Source: clinical-facts §4 (template and roles, D; 24-72 h is convention, U), product F15.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.faults import Fault
from clinical.instants import Instant, elapsed, in_utc, later
from clinical.people import Role
from clinical.protocol import Protocol


class IntegrationWindow(NamedTuple):
    """When the integration of one dose is due, and from when on its absence blocks the next dose."""

    due_from: datetime
    due_by: datetime
    blocks_from: datetime


class IntegrationState(BaseModel):
    """How the integration of one dose stands. `early`: held before the window, which still counts as held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    due_from: Instant
    due_by: Instant
    blocks_from: Instant
    held: bool
    waived: bool
    early: bool
    overdue: bool
    blocks_next_dose: bool


def preparation_complete(held_at: Sequence[datetime], dose_at: datetime, protocol: Protocol) -> Decision:
    """Were there enough preparation sessions before the first dose, one of them recent? Source: facts §4."""
    rules = protocol.therapy
    before = sorted(in_utc(at) for at in held_at if elapsed(at, dose_at).total_seconds() >= 0)
    enough = len(before) >= rules.preparation_sessions
    oldest = later(dose_at, days=-rules.preparation_valid_days)
    recent = rules.preparation_sessions == 0 or (bool(before) and before[-1] >= oldest)
    return Decision.of(
        [
            _reason(
                "THERAPY-PREPARATION",
                enough,
                "preparation sessions held before the dose",
                value=str(len(before)),
                limit=f">= {rules.preparation_sessions}",
            ),
            _reason(
                "THERAPY-PREPARATION-RECENT",
                recent,
                "the last preparation is recent",
                value=before[-1].isoformat() if before else None,
                limit=f"within {rules.preparation_valid_days} d before the dose",
            ),
        ]
    )


def integration_due(dose_at: datetime, protocol: Protocol) -> IntegrationWindow:
    """When is the integration of this dose due? Source: facts §4 (24-72 h; blocks at 7 d)."""
    rules = protocol.therapy
    return IntegrationWindow(
        due_from=later(dose_at, hours=rules.integration_from_hours),
        due_by=later(dose_at, hours=rules.integration_due_hours),
        blocks_from=later(dose_at, days=rules.integration_blocks_after_days),
    )


def integration_state(
    dose_at: datetime, held_at: datetime | None, waived_by: Role | None, now: datetime, protocol: Protocol
) -> IntegrationState:
    """Is the integration of this dose held, overdue, or in the way of the next dose?

    Only a therapist waives. One dated before the dose, or in the future, was not held.
    """
    window = integration_due(dose_at, protocol)
    at = in_utc(now)
    held = held_at is not None and in_utc(dose_at) <= in_utc(held_at) <= at
    waived = waived_by is Role.THERAPIST
    open_still = not held and not waived
    return IntegrationState(
        due_from=window.due_from,
        due_by=window.due_by,
        blocks_from=window.blocks_from,
        held=held,
        waived=waived,
        early=held and held_at is not None and in_utc(held_at) < window.due_from,
        overdue=open_still and at > window.due_by,
        blocks_next_dose=open_still and at >= window.blocks_from,
    )


def integration_record_refused(therapist_id: str | None, note: str | None) -> tuple[Fault, ...]:
    """What is missing for an integration to count as held? A therapist and a note. Source: product F15."""
    given = (("therapist_id", therapist_id), ("note", note))
    return tuple(
        Fault(field=field, text=f"an integration needs a {field.removesuffix('_id')}", limit="not blank")
        for field, value in given
        if value is None or not value.strip()
    )


def separate_people(therapist_id: str | None, prescriber_id: str | None) -> Decision:
    """Are therapist and prescriber two people? Unknown is not separate. Source: facts §4, roles."""
    therapist, prescriber = (therapist_id or "").strip(), (prescriber_id or "").strip()
    known = bool(therapist and prescriber)
    separate = known and therapist != prescriber
    reason = _reason("THERAPY-SEPARATE", separate, "therapist and prescriber are two people")
    return Decision.of([reason.model_copy(update={"missing": not known})])


def _reason(rule: str, met: bool, text: str, *, value: str | None = None, limit: str | None = None) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.PASS if met else Verdict.REFUSE,
        text=text if met else f"not met: {text}",
        source="facts §4",
        confidence=Confidence.DESIGN,
        value=value,
        limit=limit,
    )

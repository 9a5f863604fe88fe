"""Who acts in a course of treatment, and in which role?"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Role(StrEnum):
    """The roles that may act; `system` is the engine itself (timers, deadlines)."""

    COORDINATOR = "coordinator"
    PRESCRIBER = "prescriber"
    THERAPIST = "therapist"
    NURSE = "nurse"
    MEDICAL_DIRECTOR = "medical-director"
    OPS = "ops"
    PATIENT = "patient"
    AUDITOR = "auditor"
    SYSTEM = "system"


CLINICIANS = frozenset({Role.PRESCRIBER, Role.THERAPIST, Role.NURSE, Role.MEDICAL_DIRECTOR})
"""Roles with a clinical licence; a coordinator has no clinical release rights (facts §4)."""

LICENSED_TO_CLOSE_RISK = frozenset({Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR})
"""Who may resolve a risk case (facts §6.2: licensed clinician only)."""


class Actor(BaseModel):
    """One person (or the engine) acting in one role; `id` is an opaque staff or patient id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    role: Role


ENGINE = Actor(id="engine", role=Role.SYSTEM)

"""What must be true before a patient goes home, and what must be known to tell?

Source: clinical-facts §3.5 and §3.6.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from clinical.instants import Instant
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.recovery_scores import PadssItems
from clinical.vitals import Reading


class Criterion(StrEnum):
    """What must be true before a patient goes home; also the rule ids of the answer."""

    DOSE_ENDED = "DISCHARGE-DOSE-ENDED"
    MINIMUM_TIME = "DISCHARGE-MINIMUM-TIME"
    PADSS = "DISCHARGE-PADSS"
    AMBULATION = "DISCHARGE-AMBULATION"
    SEDATION = "DISCHARGE-SEDATION"
    ORIENTATION = "DISCHARGE-ORIENTATION"
    DISSOCIATION = "DISCHARGE-DISSOCIATION"
    VITALS = "DISCHARGE-VITALS"
    OXYGEN = "DISCHARGE-OXYGEN"
    SUICIDALITY = "DISCHARGE-SUICIDALITY"
    ESCORT = "DISCHARGE-ESCORT"
    INSTRUCTIONS = "DISCHARGE-INSTRUCTIONS"
    PRESCRIBER = "DISCHARGE-PRESCRIBER"
    SIGN_OFF = "DISCHARGE-SIGN-OFF"


NEVER_OVERRIDDEN = frozenset({Criterion.DOSE_ENDED, Criterion.ESCORT, Criterion.SUICIDALITY})
"""No reason makes these safe: the drug still runs; nobody takes the patient home (staff or an ambulance crew
may be the escort); the risk of suicide is high or unknown (hand over to a hospital instead)."""


class RecoveryCheck(BaseModel):
    """One PADSS and its instant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Instant
    padss: PadssItems


class DischargeFacts(BaseModel):
    """What is known about recovery. None is unknown and unmet.

    `ended_at`: end of the infusion, or the last injection, device or lozenge. `extended`: moderate hepatic
    impairment, 65 years or older, or a booster; unknown counts as yes. `oriented`: to person, place and time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_at: Instant
    ended_at: Instant | None = None
    extended: bool | None = None
    recovery_checks: tuple[RecoveryCheck, ...] = ()
    moaas: int | None = None
    oriented: bool | None = None
    cadss6: Annotated[int, Field(ge=0, le=24)] | None = None
    baseline_cadss6: Annotated[int, Field(ge=0, le=24)] | None = None
    clinician_attests_dissociation: bool | None = None
    last_reading: Reading | None = None
    spo2_on_room_air: FiniteFloat | None = None
    suicide_level: RiskLevel | None = None
    escort_present: bool | None = None
    instructions_given: bool | None = None
    prescriber_on_site_throughout: bool | None = None
    signed_off_by: Role | None = None

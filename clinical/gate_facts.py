"""What must be known at the chair before a dose?

Every fact that nobody may have established is None until somebody has: unknown closes its gate. Names and
phone numbers stay out: only whether they are there.
Source: clinical-facts §3.1, G1-G16.
"""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from clinical.custody import Container
from clinical.decision import Decision
from clinical.instants import Instant
from clinical.instruments.answers import RiskLevel
from clinical.protocol import Drug
from clinical.schedule import PastDose
from clinical.vitals import Reading
from clinical.weight import WeightMeasurement


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanFacts(_Facts):
    """The plan as the records hold it now, read at dose time."""

    plan_hash: str
    approved: bool
    expires_at: Instant
    superseded: bool


class EscortFacts(_Facts):
    """The adult who takes the patient home."""

    name_present: bool
    phone_present: bool
    confirmed: bool


class RemsFacts(_Facts):
    """Where a REMS applies (esketamine)."""

    setting_certified: bool
    patient_enrolled: bool


class ScannedDrug(_Facts):
    """What the scanner read from the container, and what the drug books know of it.

    `container_id` is None when the dose names no container; `container` is None when the books do not have it.
    """

    drug: Drug
    lot: str
    expires_at: Instant
    container_id: str | None = None
    container: Container | None = None
    drawn_mg: Decimal | None = None


class SecondCheck(_Facts):
    """Who prepared the dose, who checked volume and pump rate, and whether they agreed. Opaque staff ids."""

    prepared_by: str
    checked_by: str
    agrees: bool


class BoosterFacts(_Facts):
    """What a further dose in the same session has to be judged by.

    `given` counts the doses of this session. `allowed` is how many boosters the approved plan names. `ended`:
    the end of every dose before is recorded. `moaas` and `read_at` are of the latest reading since the first
    dose, which has to be one since the last dose.
    """

    given: int
    first_given_at: Instant
    allowed: int
    ended: bool | None = None
    moaas: int | None = None
    read_at: Instant | None = None


class GateFacts(_Facts):
    """Everything the sixteen gates look at, read from the records at the moment of the dose.

    `baseline` is the latest reading before the dose, `earlier_readings` the other ones of today. `consent`
    is the answer of `clinical.consent`; an answer without reasons counts as unknown. `integration_blocked`
    and `preparation_complete` are answers of `clinical.therapy`. `session_no` is the visit, as earlier doses
    name theirs; `dose_no` is which dose of the plan in force this would be: cancelled visits and earlier
    plans keep the two apart. `reentry_approved`: a prescriber has
    reviewed the return after a long gap, or the week of the phase. `rems` is looked at for esketamine only,
    `nasal_spray_free` where the protocol asks for it. `phase` is the plan's, by its name. `booster` is there
    when this session has had its first dose.
    """

    identity_confirmed: bool | None = None
    plan: PlanFacts | None = None
    order_plan_hash: str | None = None
    session_no: int | None = None
    dose_no: int | None = None
    sessions_approved: int | None = None
    on_hold: bool | None = None
    preparation_complete: bool | None = None
    integration_blocked: bool | None = None
    consent: Decision | None = None
    capacity_today: bool | None = None
    last_doses: tuple[PastDose, ...] | None = None
    time_zone: str | None = None
    other_clinic_dose_denied: bool | None = None
    reentry_approved: bool | None = None
    phase: str | None = None
    booster: BoosterFacts | None = None
    nasal_spray_free: bool | None = None
    downtime_sheet: bool | None = None
    food_at: Instant | None = None
    fluids_at: Instant | None = None
    escort: EscortFacts | None = None
    pregnancy_applicable: bool | None = None
    pregnancy_test_negative_at: Instant | None = None
    substance_free: bool | None = None
    suicide_level: RiskLevel | None = None
    screened_at: Instant | None = None
    open_risk_cases: int | None = None
    baseline: Reading | None = None
    earlier_readings: tuple[Reading, ...] = ()
    prescriber_attested_caution: bool | None = None
    weight: WeightMeasurement | None = None
    medication_reconciled_at: Instant | None = None
    blocking_interactions: tuple[str, ...] | None = None
    new_psychosis_or_mania: bool | None = None
    monitor_present: bool | None = None
    prescriber_on_site: bool | None = None
    equipment_checked: bool | None = None
    rems: RemsFacts | None = None
    drug: ScannedDrug | None = None
    second_check: SecondCheck | None = None

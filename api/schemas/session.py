"""What is sent around one visit, from its readiness to integration."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from api.schemas.duties import SafetyCheckIn
from api.schemas.values import (
    Act,
    BodyWeight,
    Code,
    Day,
    Exact,
    Flag,
    In,
    Instant,
    LongWords,
    PlanHash,
    Whole,
    Words,
)
from api.schemas.vitals import READING, ReadingIn
from clinical.vitals import Action


class ReadinessIn(In):
    """What the patient says before the visit; null is not answered, and in the end that blocks the visit.

    The patient's own number, to compare the escort's with, comes from the record.
    """

    escort_name_present: Flag | None = None
    escort_phone: Annotated[Words, Field(max_length=40)] | None = None
    escort_confirmed: Flag | None = None
    will_fast: Flag | None = None
    will_avoid_substances: Flag | None = None
    medication_changes: Flag | None = None
    illness: Flag | None = None
    pregnancy_possible: Flag | None = None
    consent_in_force: Flag | None = None
    rems_enrolled: Flag | None = None


class MoveRequestIn(Act):
    """Another time is asked for; which one is settled with the patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class ReadinessAnswersIn(Act):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "answers": {
                        "escort_name_present": True,
                        "escort_phone": "+1 202 555 0188",
                        "escort_confirmed": True,
                        "will_fast": True,
                        "will_avoid_substances": True,
                        "medication_changes": False,
                        "illness": False,
                        "pregnancy_possible": False,
                        "consent_in_force": True,
                    }
                }
            ]
        }
    )

    answers: ReadinessIn


class CheckInIn(Act):
    """The patient is here: identity, weight, fasting, escort, vital signs. Null is not known: not safe."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "weight": {"value": 154, "unit": "[lb_av]"},
                    "baseline": READING,
                    "identifiers_confirmed": 2,
                    "food_at": "2026-03-15T20:00:00-04:00",
                    "fluids_at": "2026-03-16T06:30:00-04:00",
                    "escort_confirmed": True,
                    "substance_free": True,
                    "pregnancy_test_negative_at": "2026-03-16T09:05:00-04:00",
                    "medications_reconciled_at": "2026-03-16T09:10:00-04:00",
                    "blocking_interactions": [],
                    "other_clinic_dose": False,
                    "cadss6_baseline": 0,
                }
            ]
        }
    )

    weight: BodyWeight | None = Field(default=None, description="needed where the dose goes by weight")
    weight_verified: Flag = Field(default=False, description="weighed twice, because it changed much")
    baseline: ReadingIn
    identifiers_confirmed: Annotated[Whole, Field(ge=0, le=5)]
    food_at: Instant | None
    fluids_at: Instant | None
    escort_confirmed: Flag
    substance_free: Flag | None
    pregnancy_test_negative_at: Instant | None = None
    medications_reconciled_at: Instant | None
    blocking_interactions: tuple[Code, ...] | None = Field(max_length=50)
    other_clinic_dose: Flag | None
    nasal_spray_free: Flag | None = Field(default=None, description="no other nasal spray within its hours")
    rems_setting_certified: Flag | None = None
    rems_patient_enrolled: Flag | None = Field(default=None, description="verified today (esketamine)")
    cadss6_baseline: Annotated[Whole, Field(ge=0, le=24)] | None = None
    adverse_events_reviewed: Flag | None = Field(default=None, description="since the last visit")
    checks: tuple[SafetyCheckIn, ...] = Field(
        default=(), max_length=20, description="long-term checks: urinary symptoms, substance use"
    )

    def message(self) -> dict[str, Any]:
        kg = None if self.weight is None else self.weight.kg
        return {**self.model_dump(exclude={"weight"}), "weight_kg": kg}


class BaselineIn(Act):
    """Another reading before the dose, after rest."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"baseline": READING}]})

    baseline: ReadingIn


class OrderIn(Act):
    """The prescriber's order. The answer shows the computed dose; it is never changed silently.

    `mg_per_kg` or `dose_mg`, as the protocol doses. After the first dose of a session it orders a booster.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "mg_per_kg": 0.5,
                    "capacity_today": True,
                    "consent_reaffirmed": True,
                    "new_psychosis_or_mania": False,
                }
            ]
        }
    )

    mg_per_kg: Annotated[Exact, Field(gt=0)] | None = None
    dose_mg: Annotated[Exact, Field(gt=0)] | None = None
    capacity_today: Flag
    consent_reaffirmed: Flag
    new_psychosis_or_mania: Flag | None
    caution_attested: Words | None = Field(default=None, description="why a caution of the rules is accepted")
    reentry_reviewed: Words | None = Field(
        default=None, description="why to go on after a long gap, or outside the weeks of the phase"
    )


class DoseIn(Act):
    """The dose goes in now: exactly the ordered one, checked by a second person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dose_mg": 34.9,
                    "plan_hash": "0f" * 32,
                    "lot": "LOT-2291",
                    "lot_expires_on": "2027-08-31",
                    "product": "ketamine 10 mg/mL vial",
                    "second_check_by": "staff-7",
                    "monitor_present": True,
                    "equipment_checked": True,
                }
            ]
        }
    )

    dose_mg: Annotated[Exact, Field(gt=0)]
    plan_hash: PlanHash
    lot: Code
    lot_expires_on: Day
    product: Annotated[Words, Field(max_length=200)]
    second_check_by: Code
    container_id: Code | None = Field(default=None, description="the container it was drawn from")
    monitor_present: Flag
    equipment_checked: Flag

    def message(self) -> dict[str, Any]:
        return {**self.model_dump(), "lot_expires_on": self.lot_expires_on.isoformat()}


class DoseEndIn(Act):
    """What was given in the end and what was wasted, before a witness who is somebody else."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"given_mg": 34.9, "wasted_mg": 15.1, "witness": "staff-7"}]}
    )

    given_mg: Annotated[Exact, Field(ge=0)]
    wasted_mg: Annotated[Exact, Field(ge=0)]
    witness: Code | None
    stopped_early: Flag = False
    reason: Words | None = None
    returned_mg: Annotated[Exact, Field(ge=0)] = Field(
        default=Decimal(0), description="unopened units that went back into their container"
    )


class PadssIn(In):
    """Modified PADSS, each item 0 to 2, 2 is best."""

    vital_signs: Annotated[Whole, Field(ge=0, le=2)]
    ambulation: Annotated[Whole, Field(ge=0, le=2)]
    nausea_vomiting: Annotated[Whole, Field(ge=0, le=2)]
    pain: Annotated[Whole, Field(ge=0, le=2)]
    bleeding: Annotated[Whole, Field(ge=0, le=2)] = 2


class ObservationIn(Act):
    """One reading in the chair. A correction names the observation it amends; the original stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reading": READING,
                    "padss": {"vital_signs": 2, "ambulation": 2, "nausea_vomiting": 2, "pain": 2},
                    "cadss6": 1,
                    "oriented": True,
                }
            ]
        }
    )

    reading: ReadingIn
    action: Action | None = None
    padss: PadssIn | None = None
    cadss6: Annotated[Whole, Field(ge=0, le=24)] | None = None
    oriented: Flag | None = None
    amends: Annotated[str, Field(max_length=200)] | None = None


class PresenceIn(Act):
    """The prescriber comes on site or leaves."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"present": True}]})

    present: Flag


class DischargeIn(Act):
    """The way home. Criteria that are not met are named, each with when it could be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"escort_present": True, "instructions_given": True}]}
    )

    escort_present: Flag
    instructions_given: Flag
    dissociation_attested: Flag = False
    override_reason: Words | None = Field(default=None, description="a prescriber only; always reported")


class ContactIn(Act):
    """The call on the day after."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reached": True, "concerns": None}]})

    reached: Flag
    concerns: Annotated[LongWords, Field(max_length=4000)] | None = None

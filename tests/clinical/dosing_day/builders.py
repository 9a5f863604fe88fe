"""A dosing day on which everything is as it should be; tests change one thing at a time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from clinical.custody import Container
from clinical.decision import Decision, Reason, Verdict
from clinical.discharge import DischargeFacts, RecoveryCheck
from clinical.dosing import PlanDose, TodaysDoses, WeightMeasurement
from clinical.gate_facts import BoosterFacts
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.pre_dose_gate import EscortFacts, GateFacts, PlanFacts, RemsFacts, ScannedDrug, SecondCheck
from clinical.protocol import Drug, Protocol, Route
from clinical.recovery_scores import PadssItems
from clinical.schedule import PastDose
from clinical.vitals import Reading
from tests.clinical.dosing_day.forms import devices

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
NEW_YORK = "America/New_York"


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def a_reading(systolic: int = 122, diastolic: int = 78, **changes: Any) -> Reading:
    values: dict[str, Any] = {
        "systolic_mmhg": systolic,
        "diastolic_mmhg": diastolic,
        "heart_rate_per_min": 70,
        "spo2_percent": 98,
        "respiratory_rate_per_min": 14,
        "moaas": 5,
        "taken_at": ago(minutes=10),
    }
    return Reading.model_validate({**values, **changes})


def a_weight(kg: str = "70", **changes: Any) -> WeightMeasurement:
    values = {"kg": Decimal(kg), "measured_at": ago(hours=1), "previous_kg": Decimal(kg)}
    return WeightMeasurement.model_validate({**values, **changes})


def a_plan_dose(mg_per_kg: str = "0.5", **changes: Any) -> PlanDose:
    values = {
        "mg_per_kg": Decimal(mg_per_kg),
        "max_mg": Decimal(100),
        "route": Route.IV,
        "drug": Drug.KETAMINE,
        "infusion_minutes": 40,
    }
    return PlanDose.model_validate({**values, **changes})


def a_plan_in_units(dose_mg: str, **changes: Any) -> PlanDose:
    values = {"dose_mg": Decimal(dose_mg), "max_mg": Decimal(400), "route": Route.SL, "drug": Drug.KETAMINE}
    return PlanDose.model_validate({**values, **changes})


def a_dose(session: int = 1, mg: str = "35", per_kg: str | None = "0.5", **time: float) -> PastDose:
    amounts = {"dose_mg": Decimal(mg), "mg_per_kg": None if per_kg is None else Decimal(per_kg)}
    return PastDose.model_validate({"session": session, "given_at": ago(**time), **amounts})


def today(mg: str = "0", given: int | None = None, highest: str | None = None) -> TodaysDoses:
    """So much given in this session; `highest` is what the highest session before had, by any measure."""
    amount = Decimal(mg)
    most = None if highest is None else Decimal(highest)
    return TodaysDoses(
        given=int(amount > 0) if given is None else given,
        given_mg=amount,
        highest_mg=most,
        highest_mg_per_kg=None if most is None else min(most, Decimal(1_000_000)),
    )


NO_DOSE_YET = today()


def a_booster(**changes: Any) -> BoosterFacts:
    """The first dose 25 minutes ago, ended, and the person awake since."""
    values = {
        "given": 1,
        "first_given_at": ago(minutes=25),
        "allowed": 1,
        "ended": True,
        "moaas": 5,
        "read_at": ago(minutes=5),
    }
    return BoosterFacts.model_validate({**values, **changes})


def consent_in_force(verdict: Verdict = Verdict.PASS) -> Decision:
    reason = Reason(rule="CONSENT", verdict=verdict, text="consent", source="test")
    return Decision(reasons=(reason,))


def a_container(**changes: Any) -> Container:
    """A vial of 500 mg of which 200 mg are left."""
    values: dict[str, Any] = {
        "container_id": "vial-1",
        "site": "site-a",
        "drug": Drug.KETAMINE,
        "lot": "L1",
        "expires_on": (NOW + timedelta(days=90)).date(),
        "remaining_mg": Decimal(200),
        "last_at": ago(days=1),
    }
    return Container.model_validate({**values, **changes})


def a_scanned_drug(**changes: Any) -> ScannedDrug:
    """What the scanner reads from that vial, for a dose of 35 mg."""
    values: dict[str, Any] = {
        "drug": Drug.KETAMINE,
        "lot": "L1",
        "expires_at": NOW + timedelta(days=90),
        "container_id": "vial-1",
        "container": a_container(),
        "drawn_mg": Decimal(35),
    }
    return ScannedDrug.model_validate({**values, **changes})


def open_gate(**changes: Any) -> GateFacts:
    """Facts with which every gate is open, for the second of six sessions."""
    values: dict[str, Any] = {
        "identity_confirmed": True,
        "plan": PlanFacts(
            plan_hash="p1", approved=True, expires_at=NOW + timedelta(days=30), superseded=False
        ),
        "order_plan_hash": "p1",
        "session_no": 2,
        "dose_no": 2,
        "sessions_approved": 6,
        "on_hold": False,
        "preparation_complete": True,
        "integration_blocked": False,
        "consent": consent_in_force(),
        "capacity_today": True,
        "last_doses": (a_dose(1, days=3),),
        "phase": "induction",
        "nasal_spray_free": True,
        "downtime_sheet": True,
        "time_zone": NEW_YORK,
        "other_clinic_dose_denied": True,
        "food_at": ago(hours=8),
        "fluids_at": ago(hours=3),
        "escort": EscortFacts(name_present=True, phone_present=True, confirmed=True),
        "pregnancy_applicable": True,
        "pregnancy_test_negative_at": ago(hours=2),
        "substance_free": True,
        "suicide_level": RiskLevel.NONE,
        "screened_at": ago(hours=1),
        "open_risk_cases": 0,
        "baseline": a_reading(),
        "prescriber_attested_caution": False,
        "weight": a_weight(),
        "medication_reconciled_at": ago(hours=1),
        "blocking_interactions": (),
        "new_psychosis_or_mania": False,
        "monitor_present": True,
        "prescriber_on_site": True,
        "equipment_checked": True,
        "rems": RemsFacts(setting_certified=True, patient_enrolled=True),
        "drug": a_scanned_drug(),
        "second_check": SecondCheck(prepared_by="nurse-1", checked_by="nurse-2", agrees=True),
    }
    return GateFacts.model_validate({**values, **changes})


def a_check(minutes_ago: float, **items: int) -> RecoveryCheck:
    values = {"vital_signs": 2, "ambulation": 2, "nausea_vomiting": 2, "pain": 2, **items}
    return RecoveryCheck(at=ago(minutes=minutes_ago), padss=PadssItems.model_validate(values))


def recovered(**changes: Any) -> DischargeFacts:
    """Facts with which the patient may go home at NOW: dose ended 80 min ago, two good checks."""
    values: dict[str, Any] = {
        "started_at": ago(minutes=120),
        "ended_at": ago(minutes=80),
        "extended": False,
        "recovery_checks": (a_check(20), a_check(5)),
        "moaas": 5,
        "oriented": True,
        "cadss6": 1,
        "baseline_cadss6": 0,
        "clinician_attests_dissociation": False,
        "last_reading": a_reading(taken_at=ago(minutes=5)),
        "spo2_on_room_air": 97,
        "suicide_level": RiskLevel.NONE,
        "escort_present": True,
        "instructions_given": True,
        "prescriber_on_site_throughout": True,
        "signed_off_by": Role.NURSE,
    }
    return DischargeFacts.model_validate({**values, **changes})


def for_esketamine(protocol: Protocol) -> Protocol:
    """The shipped protocol bent to the label: 120 minutes from the first device, absolute."""
    return devices(protocol)


def verdicts(decision: Decision) -> dict[str, Verdict]:
    """The verdict of each rule; the last one where a rule answers more than once."""
    return {reason.rule: reason.verdict for reason in decision.reasons}


def refusals(decision: Decision) -> set[str]:
    return {reason.rule for reason in decision.reasons if reason.verdict is Verdict.REFUSE}

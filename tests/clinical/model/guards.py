"""What do the rules of the engine say in a state of the model? The rules themselves, on facts of that state.

`without` names guards that are taken away on purpose: either the rule is blind to one fact, or its answer on
one point is left out. What a workflow decides and no rule in `clinical/` does is named after its place there.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from clinical.consent import ConsentRecord, consent_live
from clinical.decision import Decision, Reason, Verdict
from clinical.discharge import (
    Criterion,
    DischargeFacts,
    RecoveryCheck,
    override_allowed,
    ready_for_discharge,
)
from clinical.dosing import DoseOrder, PlanDose, TodaysDoses, WeightMeasurement, compute_dose, dose_allowed
from clinical.gate_facts import EscortFacts, GateFacts, PlanFacts, RemsFacts, ScannedDrug, SecondCheck
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.pre_dose_gate import evaluate
from clinical.protocol import Protocol
from clinical.recovery_scores import PadssItems
from clinical.schedule import PastDose
from clinical.vitals import Reading
from tests.clinical.model.state import IN_CHAIR, Consent, Plan, Risk, Since, State, Visit

SHIPPED = Path(__file__).parents[3] / "clinical" / "protocols" / "iv-racemic.yaml"


class _HashedOnce(Protocol):
    """The same protocol; a walk asks for its hash some ten thousand times."""

    @cached_property
    def content_hash(self) -> str:
        return super().content_hash


PROTOCOL = _HashedOnce.model_validate(yaml.safe_load(SHIPPED.read_text()))
PHASE = PROTOCOL.schedule.first.name
NOW = datetime(2026, 6, 3, 15, 0, tzinfo=UTC)
WEIGHT_KG = Decimal(70)
MG_PER_KG = Decimal("0.5")
TOO_MUCH_MG = Decimal(150)


class Guard(StrEnum):
    """What stands between a course and a harm; each can be taken away on purpose."""

    CONSENT = "consent at the gate"
    REAFFIRMED = "consent and capacity reaffirmed today"
    NEVER_AGAIN = "no consent is taken in a course that is being left"
    PLAN_HASH = "the plan's hash at the gate"
    PLAN_TERM = "the plan's expiry at the gate"
    SERIES = "no more doses than approved"
    INTERVAL = "the interval between doses"
    ONE_DOSE = "one dose in a session"
    BOUNDS = "the bounds of the dose"
    RISK = "no open risk case at the gate"
    PRESENCE = "the prescriber's presence at the gate"
    ORDERED = "a dose needs an order"
    COMPARE_AND_APPEND = "compare and append"
    MINIMUM = "the minimum observation"
    ESCORT = "the escort at discharge"
    STEADY = "presence throughout at discharge"
    OVERRIDE = "who may override a discharge"
    HOME_FIRST = "a session with a dose is closed after the discharge"
    SESSIONS_FIRST = "the course moves on when its sessions are over"
    TASKS_FIRST = "open tasks are cancelled at close"
    AUTHOR = "the author does not approve"
    DISTINCT = "nobody approves twice"
    ALL_ROLES = "every role approves"
    LICENCE = "who may close a risk case"
    LADDER = "the risk ladder pages"


Without = frozenset[Guard]
ALL_GUARDS: Without = frozenset()


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


GIVEN_AGO = {
    Consent.LIVE: ago(days=20),
    Consent.AGAIN: ago(days=20),
    Consent.HALF_OVER: ago(days=200),
    Consent.EXPIRED: ago(days=400),
}


@cache
def consent(standing: Consent) -> Decision:
    """`clinical.consent` on a consent of that standing."""
    if standing is Consent.NONE:
        return consent_live(None, PROTOCOL, NOW)
    withdrawn = standing is Consent.WITHDRAWN
    return consent_live(
        ConsentRecord(
            document_version=PROTOCOL.consent.document_version,
            elements=PROTOCOL.consent.required_elements,
            given_at=ago(days=20) if withdrawn else GIVEN_AGO[standing],
            withdrawn_at=ago(minutes=1) if withdrawn else None,
            capacity_attested_by="staff-prescriber",
        ),
        PROTOCOL,
        NOW,
    )


@cache
def the_order() -> DoseOrder:
    weight = WeightMeasurement(kg=WEIGHT_KG, measured_at=ago(minutes=20), previous_kg=WEIGHT_KG)
    return compute_dose(MG_PER_KG, weight, 172, PROTOCOL, NOW)


def past_doses(state: State) -> tuple[PastDose, ...]:
    """Doses of earlier sessions, and the one of this session when there is one; sessions count from 1."""
    when = {Since.TODAY: ago(hours=5), Since.LONG: ago(days=5), Since.NEVER: NOW}[state.since]
    doses = [PastDose(session=i, given_at=when, dose_mg=Decimal(35)) for i in range(1, state.doses + 1)]
    if state.visit in IN_CHAIR and doses:
        doses[-1] = doses[-1].model_copy(update={"session": THIS_SESSION})
    return tuple(doses)


THIS_SESSION = 9


def reading(minutes_ago: float) -> Reading:
    return Reading(
        systolic_mmhg=122,
        diastolic_mmhg=78,
        heart_rate_per_min=70,
        spo2_percent=98,
        respiratory_rate_per_min=14,
        moaas=5,
        taken_at=ago(minutes=minutes_ago),
    )


_SEEN_BY_GATE = (
    "on_hold", "consent", "plan", "approved", "under_plan", "doses", "since", "visit", "old_plan", "fresh", "present",
    "risk",
)  # fmt: skip


def gate(
    state: State, without: Without, *, newest_plan: bool = False, dose_mg: Decimal | None = None
) -> Decision:
    """All sixteen gates and the bounds of the dose, as `workflows/session_gate.py` asks them.

    `newest_plan`: the command names the plan now in force instead of the one that the order was made for.
    """
    known = {name: getattr(state, name) for name in _SEEN_BY_GATE}
    return _gate(State(**known), without, newest_plan, dose_mg)


@cache
def _gate(state: State, without: Without, newest_plan: bool, dose_mg: Decimal | None) -> Decision:
    facts = _facts(state, newest_plan).model_copy(update=_blind(state, without))
    decision = evaluate(facts, PROTOCOL, NOW)
    if Guard.BOUNDS in without:
        return decision
    order = the_order().model_copy(update={} if dose_mg is None else {"dose_mg": dose_mg})
    bounds = dose_allowed(order, _plan_dose(), _today(facts), PROTOCOL, NOW)
    return decision + Decision.of(bounds.objections)


def _plan_dose() -> PlanDose:
    return PlanDose(
        mg_per_kg=MG_PER_KG, max_mg=Decimal(50), route=PROTOCOL.route, drug=PROTOCOL.drug, infusion_minutes=40
    )


def _today(facts: GateFacts) -> TodaysDoses:
    doses = facts.last_doses or ()
    today = [dose for dose in doses if dose.session == facts.session_no]
    return TodaysDoses(
        given=len(today),
        given_mg=sum((dose.dose_mg for dose in today), Decimal(0)),
        highest_mg_per_kg=MG_PER_KG if len(doses) > len(today) else None,
        highest_mg=Decimal(35) if len(doses) > len(today) else None,
    )


def _facts(state: State, newest_plan: bool) -> GateFacts:
    minutes = 15 if state.fresh else 180
    own = "old" if state.old_plan else "in force"
    named = "in force" if newest_plan else own
    return GateFacts(
        identity_confirmed=True,
        plan=None if state.plan is Plan.NONE else PlanFacts(
            plan_hash="in force",
            approved=True,
            expires_at=NOW + timedelta(days=-1 if state.plan is Plan.EXPIRED else 30),
            superseded=False,
        ),
        order_plan_hash=named if named == own else None,
        session_no=THIS_SESSION,
        dose_no=_number_of_this_dose(state),
        sessions_approved=state.approved,
        on_hold=state.on_hold,
        preparation_complete=True,
        integration_blocked=False,
        consent=consent(state.consent),
        capacity_today=True,
        last_doses=past_doses(state),
        time_zone="America/New_York",
        other_clinic_dose_denied=True,
        reentry_approved=True,
        phase=PHASE,
        downtime_sheet=True,
        food_at=ago(hours=9),
        fluids_at=ago(hours=9),
        escort=EscortFacts(name_present=True, phone_present=True, confirmed=True),
        pregnancy_applicable=False,
        substance_free=True,
        suicide_level=RiskLevel.NONE,
        screened_at=ago(minutes=minutes),
        open_risk_cases=int(state.risk in (Risk.OPEN, Risk.ACKNOWLEDGED)),
        baseline=reading(minutes),
        weight=WeightMeasurement(kg=WEIGHT_KG, measured_at=ago(minutes=minutes), previous_kg=WEIGHT_KG),
        medication_reconciled_at=ago(minutes=minutes),
        blocking_interactions=(),
        new_psychosis_or_mania=False,
        monitor_present=True,
        prescriber_on_site=state.present,
        equipment_checked=True,
        rems=RemsFacts(setting_certified=True, patient_enrolled=True),
        drug=ScannedDrug(drug=PROTOCOL.drug, lot="LOT-1", expires_at=NOW + timedelta(days=90)),
        second_check=SecondCheck(prepared_by="staff-nurse", checked_by="staff-prescriber", agrees=True),
    )  # fmt: skip


def _number_of_this_dose(state: State) -> int:
    """A session keeps the number that it was opened with, whatever was given in it."""
    return state.under_plan + (state.visit not in IN_CHAIR or state.old_plan)


def _blind(state: State, without: Without) -> dict[str, Any]:
    """What a gate believes that has lost its eye for one fact."""
    passing = Decision.of([Reason(rule="CONSENT", verdict=Verdict.PASS, text="believed", source="model")])
    plan = PlanFacts(
        plan_hash="in force", approved=True, expires_at=NOW + timedelta(days=30), superseded=False
    )
    elsewhere = [dose for dose in past_doses(state) if dose.session != THIS_SESSION]
    here = [dose for dose in past_doses(state) if dose.session == THIS_SESSION]
    beliefs: Mapping[Guard, dict[str, Any]] = {
        Guard.CONSENT: {"consent": passing},
        Guard.PLAN_HASH: {"order_plan_hash": "in force"},
        Guard.PLAN_TERM: {"plan": plan} if state.plan is Plan.EXPIRED else {},
        Guard.SERIES: {"dose_no": 1},
        Guard.INTERVAL: {"last_doses": tuple(here)},
        Guard.ONE_DOSE: {"last_doses": tuple(elsewhere)},
        Guard.RISK: {"open_risk_cases": 0},
        Guard.PRESENCE: {"prescriber_on_site": True},
    }
    return {name: value for guard in without for name, value in beliefs.get(guard, {}).items()}


_SEEN_AT_DISCHARGE = ("visit", "present", "left", "start_over", "end_over", "recovered")


def discharge(
    state: State, without: Without, *, escort: bool, by: Role, reason: str = ""
) -> tuple[Decision, bool]:
    """`clinical.discharge` on this state: the checklist, and whether it was overridden."""
    known = {name: getattr(state, name) for name in _SEEN_AT_DISCHARGE}
    return _discharge(State(**known), without, escort, by, reason)


@cache
def _discharge(state: State, without: Without, escort: bool, by: Role, reason: str) -> tuple[Decision, bool]:
    decision = ready_for_discharge(_recovery(state, without, escort, by), PROTOCOL, NOW)
    left_out = {Guard.ESCORT: Criterion.ESCORT, Guard.STEADY: Criterion.PRESCRIBER}
    unasked = {criterion for guard, criterion in left_out.items() if guard in without}
    decision = Decision.of(r for r in decision.reasons if r.rule not in unasked)
    if decision.passes or not reason:
        return decision, False
    believed = Role.PRESCRIBER if Guard.OVERRIDE in without else by
    return override_allowed(believed, reason, decision, PROTOCOL), True


def _recovery(state: State, without: Without, escort: bool, by: Role) -> DischargeFacts:
    started = ago(minutes=200 if state.start_over else 50)
    ended = None
    if state.visit is Visit.ENDED:
        ended = ago(minutes=90 if state.end_over else 45)
    if Guard.MINIMUM in without:
        started, ended = ago(minutes=200), ended and ago(minutes=90)
    whole = PadssItems(vital_signs=2, ambulation=2, nausea_vomiting=2, pain=2)
    checks = (RecoveryCheck(at=ago(minutes=18), padss=whole), RecoveryCheck(at=ago(minutes=2), padss=whole))
    return DischargeFacts(
        started_at=started,
        ended_at=ended,
        extended=False,
        recovery_checks=checks if state.recovered else (),
        moaas=5,
        oriented=True,
        cadss6=1,
        baseline_cadss6=0,
        last_reading=reading(2) if state.recovered else None,
        spo2_on_room_air=98,
        suicide_level=RiskLevel.NONE,
        escort_present=escort,
        instructions_given=True,
        prescriber_on_site_throughout=state.present and not state.left,
        signed_off_by=by,
    )

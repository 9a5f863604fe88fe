"""Which faults of a dose can a record of each form have? The name, the form, how to seed it, what must be found."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from clinical import events
from clinical.events import RecordedEntry
from tests.clinical.recorded_journeys import (
    NURSE,
    PLAN_HASH,
    dose_time,
    edited,
    with_after,
    without,
)

Journey = list[RecordedEntry]
Fault = Callable[[Journey], Journey]


def dosed(journey: Journey, session: int, mg: str, **changes: Any) -> Journey:
    """Another amount in that session, started and in."""
    changed = edited(journey, events.DoseGiven, session, dose_mg=Decimal(mg), **changes)
    return edited(changed, events.DoseEnded, session, given_mg=Decimal(mg))


def boosted(
    journey: Journey,
    session: int,
    mg: str,
    *,
    minutes: int = 45,
    boosters: int = 1,
    **changes: Any,
) -> Journey:
    """A booster in that session with a gate of its own, its end, and a longer stay, under a plan that allows it."""
    at = dose_time(session) + timedelta(minutes=minutes)
    first = next(
        e.fact for e in journey if isinstance(e.fact, events.DoseGiven) and e.fact.session == session
    )
    booster = first.model_copy(
        update={
            "dose_id": f"session/{session}/dose/2",
            "dose_mg": Decimal(mg),
            "given_at": at,
            "booster": True,
            "plan_hash": PLAN_HASH,
            **changes,
        }
    )
    green = events.GateEvaluated(session=session, green=True, reasons=())
    end = events.DoseEnded(
        session=session,
        dose_id=booster.dose_id,
        ended_at=at,
        given_mg=booster.dose_mg,
        wasted_mg=Decimal(0),
        witness=None,
        stopped_early=False,
    )
    late = at + timedelta(hours=4)
    told = edited(journey, events.PlanApproved, boosters=boosters)
    told = with_after(told, events.DoseGiven, session, green, booster, end, actor=NURSE, at=at)
    told = edited(told, events.SessionDischarged, session, discharged_at=late)
    return edited(told, events.PrescriberPresent, 2 * session, occurred_at=late)


FAULTS_BY_FORM: list[tuple[str, str, Fault, set[str]]] = [
    # ── by weight ───────────────────────────────────────────────────────────────────────────────────────────
    (
        "three tenths above the first session in one step",
        "injection",
        lambda j: dosed(
            edited(j, events.PlanApproved, mg_per_kg=Decimal("0.8"), max_mg=Decimal(100)),
            2,
            "56",
            mg_per_kg=Decimal("0.8"),
        ),
        {"INV4-STEP", "INV11-MISSING"},
    ),
    (
        "a booster more than a step above where a course starts",
        "injection",
        lambda j: boosted(
            edited(j, events.PlanApproved, mg_per_kg=Decimal(1), max_mg=Decimal(100)),
            1,
            "18.2",
            minutes=20,
            mg_per_kg=Decimal("0.26"),
        ),
        {"INV4-FIRST-SESSION", "INV11-MISSING"},
    ),
    (
        "a first dose above where a course starts",
        "injection",
        lambda j: dosed(
            edited(j, events.PlanApproved, mg_per_kg=Decimal("0.75")), 1, "36", mg_per_kg=Decimal("0.51")
        ),
        {"INV4-STEP"},
    ),
    (
        "a plan in milligrams for a dose by weight",
        "injection",
        lambda j: edited(j, events.PlanApproved, mg_per_kg=None, dose_mg=Decimal(35)),
        {"INV4-PLAN-MG-PER-KG"},
    ),
    # ── under the tongue ────────────────────────────────────────────────────────────────────────────────────
    ("half a lozenge", "lozenges", lambda j: dosed(j, 2, "125", units=2), {"INV4-UNITS"}),
    (
        "other units than were counted out",
        "lozenges",
        lambda j: edited(j, events.DoseGiven, 2, units=3),
        {"INV4-UNITS"},
    ),
    ("units not counted", "lozenges", lambda j: edited(j, events.DoseGiven, 2, units=None), {"INV4-UNITS"}),
    (
        "a single dose above the plan",
        "lozenges",
        lambda j: edited(j, events.PlanApproved, dose_mg=Decimal(50)),
        {"INV4-SINGLE-MG"},
    ),
    (
        "a plan by weight for a dose in units",
        "lozenges",
        lambda j: edited(j, events.PlanApproved, mg_per_kg=Decimal("0.5"), dose_mg=None),
        {"INV4-SINGLE-MG"},
    ),
    (
        "a first dose of more lozenges than a course starts with",
        "lozenges",
        lambda j: dosed(j, 1, "150", units=3),
        {"INV4-STEP"},
    ),
    (
        "a booster beyond the first session's bound",
        "lozenges",
        lambda j: boosted(edited(j, events.PlanApproved, max_mg=Decimal(400)), 1, "150", units=3),
        {"INV4-STEP", "INV4-FIRST-SESSION"},
    ),
    (
        "a later session two steps higher with its booster",
        "lozenges",
        lambda j: boosted(edited(j, events.PlanApproved, max_mg=Decimal(400)), 2, "100", units=2),
        {"INV4-STEP"},
    ),
    (
        "a booster that the plan does not name",
        "lozenges",
        lambda j: boosted(j, 2, "50", units=1, boosters=0),
        {"INV4-BOOSTERS"},
    ),
    (
        "a booster too soon",
        "lozenges",
        lambda j: boosted(j, 2, "50", units=1, minutes=29),
        {"INV4-BOOSTER-TIME"},
    ),
    (
        "a booster too late",
        "lozenges",
        lambda j: boosted(j, 2, "50", units=1, minutes=61),
        {"INV4-BOOSTER-TIME"},
    ),
    (
        "a booster of nothing before it",
        "lozenges",
        lambda j: edited(edited(j, events.PlanApproved, boosters=1), events.DoseGiven, 2, booster=True),
        {"INV4-BOOSTER-FIRST", "INV5-MINIMUM-TIME"},
    ),
    (
        "sessions that may come to more than the medical director leaves to others",
        "lozenges",
        lambda j: edited(j, events.PlanApproved, dose_mg=Decimal(200), boosters=1, max_mg=Decimal(400)),
        {"INV11-MISSING"},
    ),
    # ── into the nose ───────────────────────────────────────────────────────────────────────────────────────
    ("three devices on day 1", "devices", lambda j: dosed(j, 1, "84", units=3), {"INV4-LABEL"}),
    ("one device", "devices", lambda j: dosed(j, 2, "28", units=1), {"INV4-LABEL"}),
    (
        "more devices later on the same day",
        "devices",
        lambda j: boosted(dosed(j, 6, "56", units=2), 6, "56", units=2),
        {"INV4-BOOSTERS", "INV4-LABEL", "INV4-MG"},
    ),
    (
        "under the plan of a phase with a longer rest",
        "devices",
        lambda j: edited(j, events.PlanApproved, phase="weekly"),
        {"INV3-INTERVAL"},
    ),
    ("no plan at all", "devices", lambda j: without(j, events.PlanApproved), {"INV1-PLAN-ABSENT"}),
]

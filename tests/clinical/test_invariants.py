"""Is every breach of an invariant found, and is nothing else called one? One seeded fault for each rule."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical import events, invariants
from clinical.adverse_events import Duty
from clinical.decision import Reason, Verdict
from clinical.discharge_facts import Criterion
from clinical.events import RecordedEntry
from clinical.invariants import INVARIANTS, violations
from clinical.journey import Move, Stage
from clinical.people import ENGINE, Actor, Role
from clinical.protocol import Protocol
from clinical.risk import Disposition, RiskLevel
from tests.clinical.dosing_day.forms import a_phase
from tests.clinical.recorded_journeys import (
    AUTHOR,
    NURSE,
    PLAN_HASH,
    PRESCRIBER,
    THERAPIST,
    all_met,
    dose_time,
    edited,
    linked,
    place_of,
    recorded_journey,
    with_after,
    without,
)
from tests.clinical.seeded_doses import FAULTS_BY_FORM

Journey = list[RecordedEntry]
Fault = Callable[[Journey], Journey]

AT_THE_END = events.RiskOpened, -1
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001  # a fault
AUDITOR = Actor(id="staff-auditor", role=Role.AUDITOR)
HOUR = timedelta(hours=1)
LONG_AGO = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


def rules(journey: Sequence[RecordedEntry], protocol: Protocol, time_zone: str | None = None) -> set[str]:
    return {found.rule for found in violations(journey, protocol, time_zone)}


@pytest.fixture(scope="session")
def journey(protocol: Protocol) -> Journey:
    return recorded_journey(protocol)


def under(protocol: Protocol, journey: Journey, section: str, **changes: Any) -> tuple[Journey, Protocol]:
    """The same course under a protocol of other numbers."""
    other = protocol.model_copy(update={section: getattr(protocol, section).model_copy(update=changes)})
    return edited(journey, events.JourneyStarted, protocol_hash=other.content_hash), other


def test_what_was_done_under_an_earlier_protocol_is_judged_by_that(
    protocol: Protocol, journey: Journey
) -> None:
    smaller = protocol.dosing.model_copy(update={"max_session_mg": 1.0})
    after = protocol.model_copy(update={"dosing": smaller, "version": "next"})
    gone_over = events.ProtocolMigrated(
        protocol=after.canonical,
        protocol_hash=after.content_hash,
        before=protocol.canonical,
        before_hash=protocol.content_hash,
        reason="seeded",
    )
    late = with_after(journey, events.FollowUpMeasured, 1, gone_over)
    assert violations(late, after, earlier=[protocol]) == ()
    assert "INV4-MG" in rules(late, after)  # the earlier one was not told
    early = with_after(journey, events.PlanApproved, 1, gone_over)
    assert "INV4-MG" in {found.rule for found in violations(early, after, earlier=[protocol])}
    assert "INV13-PROTOCOL" in rules(late, protocol)


def reason(rule: str, verdict: Verdict, value: str | None = None) -> Reason:
    return Reason(rule=rule, verdict=verdict, text="seeded", source="test", value=value)


def checklist(**answers: Reason) -> tuple[Reason, ...]:
    """All met but these, by the names of the criteria."""
    return tuple(answers.get(Criterion(met.rule).name.lower(), met) for met in all_met())


def owing(journey: Journey, *, dropped_by: Actor | None = None, closed: bool = True) -> Journey:
    """The same course, but a form is owed since the first dose, and perhaps somebody let go of it."""
    task_id = "session/1/submit-rems-form/1"
    due_at = dose_time(1) + timedelta(days=7)
    reason = "the form has to be submitted"
    opened = events.TaskOpened(
        task_id=task_id, code=Duty.SUBMIT_REMS_FORM, owner=Role.NURSE, due_at=due_at, reason=reason
    )
    owed = with_after(journey, events.DoseGiven, 1, opened)
    if dropped_by is not None:
        dropped = events.TaskCancelled(task_id=task_id, reason="nobody did it")
        owed = with_after(owed, events.SessionDischarged, 3, dropped, actor=dropped_by)
    return owed if closed else without(owed, events.JourneyClosed)


def overriding(
    journey: Journey, *reasons: Reason, actor: Actor = PRESCRIBER, why: str | None = "asks to go"
) -> Journey:
    return edited(
        journey,
        events.SessionDischarged,
        2,
        actor=actor,
        overridden=True,
        override_reason=why,
        checklist=(reason("OVERRIDE-ROLE", Verdict.PASS), *reasons),
    )


def withdrawn() -> events.ConsentWithdrawn:
    return events.ConsentWithdrawn(channel="phone", reason="seeded")


def proposal(version: int, plan_hash: str) -> events.PlanProposed:
    roles = (Role.PRESCRIBER, Role.THERAPIST)
    return events.PlanProposed(version=version, plan_hash=plan_hash, content={}, required_roles=roles)


def approved_anew() -> events.PlanApproved:
    """A second version, which nobody who reads only its hash could tell from the first."""
    return events.PlanApproved(
        version=2,
        plan_hash="cd" * 32,
        sessions=6,
        mg_per_kg=Decimal("0.5"),
        max_mg=Decimal(50),
        expires_at=dose_time(6) + timedelta(days=30),
    )


def second_version(journey: Journey, kind: type[Any] = events.CheckedIn, nth: int = 3) -> Journey:
    """Properly approved at that point; without one, while the patient is in the chair for the third dose (H11)."""
    anew = with_after(journey, kind, nth, proposal(2, "cd" * 32), actor=AUTHOR)
    given_by = [
        events.PlanApprovalGiven(version=2, plan_hash="cd" * 32, role=who.role)
        for who in (PRESCRIBER, THERAPIST)
    ]
    anew = with_after(anew, events.PlanProposed, 2, given_by[0], actor=PRESCRIBER)
    anew = with_after(anew, events.PlanApprovalGiven, 3, given_by[1], actor=THERAPIST)
    return with_after(anew, events.PlanApprovalGiven, 4, approved_anew())


def amended_after_three(journey: Journey, sessions: int) -> Journey:
    """Three doses under a plan for three, and three under a second plan for so many."""
    anew = edited(second_version(journey, events.DecisionMade, 1), events.PlanApproved, 1, sessions=3)
    anew = edited(anew, events.PlanApproved, 2, sessions=sessions)
    for nth in (4, 5, 6):
        for kind in (events.SessionOpened, events.DoseOrdered, events.DoseGiven):
            anew = edited(anew, kind, nth, plan_hash="cd" * 32)
    return anew


def another_dose(session: int, mg: str, *, booster: bool = False) -> events.DoseGiven:
    return events.DoseGiven(
        session=session,
        dose_id=f"session/{session}/dose/2",
        dose_mg=Decimal(mg),
        mg_per_kg=Decimal("0.5"),
        weight_kg=70,
        given_at=dose_time(session) + timedelta(minutes=30),
        plan_hash=PLAN_HASH,
        lot="LOT-1",
        checked_by="staff-9",
        booster=booster,
    )


def with_booster(journey: Journey) -> Journey:
    """The second session with a booster, all as it should be: its own gate, its end, a longer stay."""
    boosted = edited(journey, events.DoseGiven, 2, dose_mg=Decimal(20))
    boosted = edited(boosted, events.DoseEnded, 2, given_mg=Decimal(20))
    at = dose_time(2) + timedelta(minutes=30)
    green = events.GateEvaluated(session=2, green=True, reasons=())
    boosted = with_after(
        boosted, events.DoseGiven, 2, green, another_dose(2, "15", booster=True), actor=NURSE, at=at
    )
    end = events.DoseEnded(
        session=2,
        dose_id="session/2/dose/2",
        ended_at=at + timedelta(minutes=30),
        given_mg=Decimal(15),
        wasted_mg=Decimal(0),
        witness=None,
        stopped_early=False,
    )
    boosted = with_after(boosted, events.DoseEnded, 2, end, actor=NURSE)
    late = dose_time(2) + timedelta(minutes=180)
    boosted = edited(boosted, events.SessionDischarged, 2, discharged_at=late)
    return edited(boosted, events.PrescriberPresent, 4, occurred_at=late)


def with_booster_allowed(protocol: Protocol, journey: Journey) -> tuple[Journey, Protocol]:
    """The same, under a protocol and a plan that foresee it."""
    boosted = edited(with_booster(journey), events.PlanApproved, boosters=1)
    window = {"booster_from_minutes": 30, "booster_until_minutes": 60}
    return under(protocol, boosted, "dosing", boosters_max=1, **window)


def risk_opened(case_id: str, level: RiskLevel, by: datetime) -> events.RiskOpened:
    return events.RiskOpened(case_id=case_id, level=level, trigger="seeded", on_site=True, acknowledge_by=by)


def joining(journey: Journey, kind: type[Any], nth: int, level: RiskLevel, within_minutes: int) -> Journey:
    """A further finding that joins the first case a second after that point of the course."""
    at = journey[place_of(journey, kind, nth)].occurred_at + timedelta(seconds=1)
    opened = risk_opened("case-x", level, at + timedelta(minutes=within_minutes))
    joined = events.RiskJoined(case_id="case-x", joined_to="case-1", level=level)
    return with_after(journey, kind, nth, opened, joined, at=at)


def raw_drop(journey: Journey) -> Journey:
    place = place_of(journey, events.InterviewRecorded)
    return [*journey[:place], *journey[place + 1 :]]


def raw_edit(journey: Journey, place: int, **fields: Any) -> Journey:
    return [*journey[:place], journey[place].model_copy(update=fields), *journey[place + 1 :]]


UNGIVEN = "INV1-GATE-UNASKED"

FAULTS: list[tuple[str, Fault, set[str]]] = [
    # ── 1 ───────────────────────────────────────────────────────────────────────────────────────────────────
    ("no consent", lambda j: without(j, events.ConsentGiven), {"INV1-CONSENT-ABSENT"}),
    (
        "consent withdrawn before the course",
        lambda j: with_after(j, events.PlanApproved, 1, withdrawn()),
        {"INV1-CONSENT-WITHDRAWN", "INV7-DOSE", "INV7-MESSAGE"},
    ),
    (
        "consent to an old document",
        lambda j: edited(j, events.ConsentGiven, document_version="2020-01"),
        {"INV1-CONSENT-VERSION"},
    ),
    (
        "an element not acknowledged",
        lambda j: edited(j, events.ConsentGiven, elements=("acute-risks",)),
        {"INV1-CONSENT-ELEMENTS"},
    ),
    (
        "nobody attested capacity",
        lambda j: edited(j, events.ConsentGiven, capacity_attested_by=" "),
        {"INV1-CONSENT-CAPACITY"},
    ),
    (
        "consent expires with the sixth dose",
        lambda j: edited(j, events.ConsentGiven, expires_at=dose_time(6)),
        {"INV1-CONSENT-EXPIRED"},
    ),
    (
        "consent older than the protocol allows, whatever it says of itself",
        lambda j: edited(j, events.ConsentGiven, occurred_at=dose_time(6) - timedelta(days=365)),
        {"INV1-CONSENT-EXPIRED"},
    ),
    (
        "consent not reaffirmed on the day",
        lambda j: without(j, events.ConsentReaffirmed, 2),
        {"INV1-CONSENT-REAFFIRMED"},
    ),
    (
        "no capacity on the day",
        lambda j: edited(j, events.ConsentReaffirmed, 2, capacity=False),
        {"INV1-CONSENT-REAFFIRMED"},
    ),
    ("no plan in force", lambda j: without(j, events.PlanApproved), {"INV1-PLAN-ABSENT"}),
    (
        "a dose of another plan",
        lambda j: edited(j, events.DoseGiven, 2, plan_hash="ef" * 32),
        {"INV1-PLAN-HASH", "INV1-SESSION-PLAN"},
    ),
    ("plan approved anew in the middle of a session", second_version, {"INV1-PLAN-HASH"}),
    (
        "dose of the new plan from an order of the old one",
        lambda j: edited(second_version(j), events.DoseGiven, 3, plan_hash="cd" * 32),
        {"INV1-PLAN-HASH", "INV1-SESSION-PLAN"},
    ),
    (
        "plan lapsed after its approval",
        lambda j: with_after(j, events.PlanApproved, 1, events.PlanLapsed(version=1, reason="seeded")),
        {"INV1-PLAN-VOID"},
    ),
    (
        "plan returned after its approval",
        lambda j: with_after(
            j, events.PlanApproved, 1, events.PlanRejected(version=1, plan_hash=PLAN_HASH, reason="seeded")
        ),
        {"INV1-PLAN-VOID"},
    ),
    (
        "plan changed after its approval",
        lambda j: with_after(j, events.PlanApproved, 1, proposal(1, "ef" * 32)),
        {"INV1-PLAN-VOID"},
    ),
    (
        "plan expires with the sixth dose",
        lambda j: edited(j, events.PlanApproved, expires_at=dose_time(6)),
        {"INV1-PLAN-EXPIRED"},
    ),
    ("session not opened", lambda j: without(j, events.SessionOpened, 2), {"INV1-SESSION-UNOPENED"}),
    (
        "session called off before the dose",
        lambda j: with_after(
            j, events.CheckedIn, 2, events.SessionClosed(session=2, status="cancelled", reason="seeded")
        ),
        {"INV1-SESSION-CLOSED"},
    ),
    ("not checked in", lambda j: without(j, events.CheckedIn, 2), {"INV1-SESSION-NOT-CHECKED-IN"}),
    ("no order", lambda j: without(j, events.DoseOrdered, 2), {"INV1-SESSION-NO-ORDER"}),
    (
        "ordered under another plan",
        lambda j: edited(j, events.DoseOrdered, 2, plan_hash="ef" * 32),
        {"INV1-SESSION-PLAN"},
    ),
    ("gate not asked", lambda j: without(j, events.GateEvaluated, 2), {UNGIVEN}),
    ("gate closed", lambda j: edited(j, events.GateEvaluated, 2, green=False), {"INV1-GATE-CLOSED"}),
    (
        "gate green with a refusal in it",
        lambda j: edited(j, events.GateEvaluated, 2, reasons=(reason("G4", Verdict.REFUSE),)),
        {"INV1-GATE-CONTRADICTION"},
    ),
    (
        "gate asked before the last reading",
        lambda j: with_after(j, events.GateEvaluated, 2, j[place_of(j, events.CheckedIn, 2)].fact),
        {UNGIVEN},
    ),
    # ── 2 ───────────────────────────────────────────────────────────────────────────────────────────────────
    ("risk case not closed", lambda j: without(j, events.RiskResolved), {"INV2-RISK-OPEN"}),
    (
        "a second risk case, while only the first was closed",
        lambda j: with_after(
            j, events.RiskAcknowledged, 1, risk_opened("case-y", RiskLevel.LOW, dose_time(6) + 9999 * HOUR)
        ),
        {"INV2-RISK-OPEN"},
    ),
    (
        "risk case joined one that had been closed before",
        lambda j: joining(j, events.RiskResolved, 1, RiskLevel.LOW, 99_999_999),
        {"INV2-RISK-OPEN"},
    ),
    # ── 3 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "39 hours and 59 minutes after the first dose",
        lambda j: edited(j, events.DoseGiven, 2, given_at=dose_time(1) + timedelta(hours=39, minutes=59)),
        {"INV3-INTERVAL"},
    ),
    (
        "the same dose twice",
        lambda j: with_after(j, events.DoseGiven, 2, another_dose(2, "35"), actor=NURSE),
        {"INV3-SECOND-DOSE", UNGIVEN, "INV4-MG", "INV4-MG-PER-KG", "INV5-DOSE-ENDED"},
    ),
    # ── 4 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "more than plan and weight allow",
        lambda j: edited(j, events.DoseGiven, 2, dose_mg=Decimal(60)),
        {"INV4-MG", "INV4-MG-PER-KG"},
    ),
    (
        "more went in than was started",
        lambda j: edited(j, events.DoseEnded, 2, given_mg=Decimal(60)),
        {"INV4-MG", "INV4-MG-PER-KG"},
    ),
    (
        "no number of milligrams",
        lambda j: edited(j, events.DoseGiven, 2, dose_mg=Decimal("NaN")),
        {"INV4-AMOUNT", "INV4-MG", "INV4-MG-PER-KG"},
    ),
    (
        "a dose of nothing",
        lambda j: edited(j, events.DoseGiven, 2, dose_mg=Decimal(0)),
        {"INV4-AMOUNT"},
    ),
    (
        "a negative dose",
        lambda j: edited(j, events.DoseGiven, 2, dose_mg=Decimal(-35)),
        {"INV4-AMOUNT"},
    ),
    (
        "ordered higher than the plan",
        lambda j: edited(j, events.DoseGiven, 2, mg_per_kg=Decimal("0.51")),
        {"INV4-ORDERED-MG-PER-KG"},
    ),
    (
        "weighed less than the dose was computed from",
        lambda j: edited(j, events.CheckedIn, 2, weight_kg=69.9),
        {"INV4-MG-PER-KG"},
    ),
    *(
        (
            f"a weight of {weight}",
            lambda j, weight=weight: edited(j, events.DoseGiven, 2, weight_kg=weight),
            {"INV4-WEIGHT"},
        )
        for weight in (0.0, -70.0, math.nan, math.inf)
    ),
    (
        "a booster where there is none",
        lambda j: with_booster(j),
        {"INV4-BOOSTERS"},
    ),
    ("six of five doses", lambda j: edited(j, events.PlanApproved, sessions=5), {"INV4-SERIES"}),
    ("three of two doses of an amended plan", lambda j: amended_after_three(j, 2), {"INV4-SERIES"}),
    # ── 5 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "home a second before 100 minutes",
        lambda j: edited(
            j,
            events.SessionDischarged,
            2,
            discharged_at=dose_time(2) + timedelta(minutes=99, seconds=59),
        ),
        {"INV5-MINIMUM-TIME"},
    ),
    (
        "home a second before 60 minutes after the end",
        lambda j: edited(j, events.DoseEnded, 2, ended_at=dose_time(2) + timedelta(minutes=45, seconds=1)),
        {"INV5-MINIMUM-TIME"},
    ),
    (
        "nobody recorded the end of the dose",
        lambda j: without(j, events.DoseEnded, 2),
        {"INV5-DOSE-ENDED"},
    ),
    (
        "the escort was not asked for",
        lambda j: edited(
            j,
            events.SessionDischarged,
            2,
            checklist=tuple(r for r in all_met() if r.rule != Criterion.ESCORT),
        ),
        {"INV5-CHECKLIST-INCOMPLETE"},
    ),
    (
        "sent home with vital signs out of range",
        lambda j: edited(
            j,
            events.SessionDischarged,
            2,
            checklist=checklist(vitals=reason(Criterion.VITALS, Verdict.REFUSE)),
        ),
        {"INV5-CHECKLIST-UNMET"},
    ),
    (
        "overridden by a nurse",
        lambda j: overriding(j, reason(Criterion.PADSS, Verdict.CAUTION), actor=NURSE),
        {"INV5-OVERRIDE-ROLE"},
    ),
    (
        "overridden without a reason",
        lambda j: overriding(j, reason(Criterion.PADSS, Verdict.CAUTION), why=None),
        {"INV5-OVERRIDE-REASON"},
    ),
    (
        "overridden without an escort",
        lambda j: overriding(j, reason(Criterion.ESCORT, Verdict.CAUTION)),
        {"INV5-OVERRIDE-LOCKED"},
    ),
    (
        "overridden with a risk nobody knows",
        lambda j: overriding(j, reason(Criterion.SUICIDALITY, Verdict.CAUTION, RiskLevel.UNKNOWN)),
        {"INV5-OVERRIDE-LOCKED"},
    ),
    (
        "never discharged",
        lambda j: without(j, events.SessionDischarged, 2),
        {"INV5-CLOSED-WITHOUT", "INV6-LEFT"},
    ),
    # ── 6 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "no prescriber at the dose",
        lambda j: without(j, events.PrescriberPresent, 3),
        {"INV6-ABSENT-AT-DOSE"},
    ),
    (
        "the prescriber came and left before the dose",
        lambda j: edited(j, events.PrescriberPresent, 3, present=False),
        {"INV6-ABSENT-AT-DOSE"},
    ),
    (
        "the prescriber left during the dose",
        lambda j: with_after(
            j, events.DoseGiven, 2, events.PrescriberPresent(session=2, present=False), actor=PRESCRIBER
        ),
        {"INV6-LEFT"},
    ),
    (
        "the prescriber had left, and it is told only later",
        lambda j: with_after(
            j,
            events.SessionClosed,
            2,
            events.PrescriberPresent(session=2, present=False),
            at=dose_time(2) + timedelta(minutes=50),
        ),
        {"INV6-LEFT"},
    ),
    # ── 7 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "reminded after a withdrawal",
        lambda j: with_after(j, events.FollowUpMeasured, 2, withdrawn()),
        {"INV7-MESSAGE"},
    ),
    (
        "reminded after a withdrawal that bears an earlier clock",
        lambda j: with_after(j, events.FollowUpMeasured, 2, withdrawn(), at=dose_time(6)),
        {"INV7-MESSAGE"},
    ),
    (
        "reminded after a withdrawal, nobody knows when",
        lambda j: edited(
            with_after(j, events.FollowUpMeasured, -2, withdrawn()), events.MessageSettled, -2, sent_at=None
        ),
        {"INV7-MESSAGE", "INV10-UNKNOWN"},
    ),
    (
        "dose a moment after a withdrawal",
        lambda j: without(with_after(j, events.GateEvaluated, 6, withdrawn()), events.MessageSettled, None),
        {"INV1-CONSENT-WITHDRAWN", "INV7-DOSE"},
    ),
    # ── 8 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "risk case closed by a coordinator",
        lambda j: edited(j, events.RiskResolved, actor=Actor(id="staff-coordinator", role=Role.COORDINATOR)),
        {"INV8-CLOSED-BY", "INV2-RISK-OPEN"},
    ),
    (
        "paged further only after the deadline",
        lambda j: edited(
            j,
            *AT_THE_END,
            acknowledge_by=j[place_of(j, *AT_THE_END)].occurred_at + timedelta(minutes=9),
        ),
        {"INV8-UNANSWERED"},
    ),
    (
        "acknowledged by nobody who may, and never paged further",
        lambda j: edited(
            edited(
                edited(without(j, events.RiskPaged, 2), events.RiskAcknowledged, actor=AUDITOR),
                events.RiskOpened,
                acknowledge_by=j[place_of(j, events.RiskAcknowledged)].occurred_at,
            ),
            events.RiskOpened,
            2,
            acknowledge_by=j[place_of(j, events.RiskAcknowledged)].occurred_at,
        ),
        {"INV8-UNANSWERED"},
    ),
    (
        "a worse finding joins a case that somebody had acknowledged, and nobody hears of it",
        lambda j: joining(j, events.TaskDone, place_in(j, "risk/case-1"), RiskLevel.HIGH, 15),
        {"INV8-UNANSWERED"},
    ),
    (
        "a further finding that was due before the case it joined was paged further",
        lambda j: joining(j, events.RiskOpened, 1, RiskLevel.MODERATE, -3 * 24 * 60),
        {"INV8-UNANSWERED"},
    ),
    # ── 9 ───────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "a task of nobody",
        lambda j: edited(j, events.TaskOpened, 2, owner=Role.SYSTEM),
        {"INV9-OWNER"},
    ),
    (
        "a deadline that is no instant",
        lambda j: edited(j, events.TaskOpened, 2, due_at=NAIVE),
        {"INV9-DEADLINE"},
    ),
    (
        "waiting for nobody after the consent",
        lambda j: linked(j[: place_of(j, events.StageChanged, 2) + 1]),
        {"INV9-STUCK"},
    ),
    (
        "waiting for nobody from the first fact on",
        lambda j: linked(j[:1]),
        {"INV9-STUCK"},
    ),
    (
        "waiting for nobody when all is measured",
        lambda j: linked(j[: place_of(j, events.FollowUpMeasured, -1) + 1]),
        {"INV9-STUCK"},
    ),
    (
        "following up no dose",
        lambda j: linked(
            entry
            for entry in j[: place_of(j, events.StageChanged, -2) + 1]
            if not isinstance(entry.fact, events.DoseGiven | events.SessionDischarged)
        ),
        {"INV9-STUCK"},
    ),
    # ── 10 ──────────────────────────────────────────────────────────────────────────────────────────────────
    (
        "a message that left too late",
        lambda j: edited(
            j, events.MessageSettled, 1, not_after=j[place_of(j, events.MessageSettled)].occurred_at - HOUR
        ),
        {"INV10-LATE"},
    ),
    (
        "a message that left twice",
        lambda j: edited(j, events.MessageSettled, 3, key="mail/consultation"),
        {"INV10-TWICE"},
    ),
    (
        "a message that left nobody knows when",
        lambda j: edited(j, events.MessageSettled, 3, sent_at=None),
        {"INV10-UNKNOWN"},
    ),
    # ── 11 ──────────────────────────────────────────────────────────────────────────────────────────────────
    ("no draft", lambda j: without(j, events.PlanProposed), {"INV11-PROPOSAL"}),
    (
        "another draft than what came into force",
        lambda j: edited(j, events.PlanProposed, plan_hash="ef" * 32),
        {"INV11-PROPOSAL"},
    ),
    (
        "returned to drafting, and in force",
        lambda j: with_after(
            j,
            events.PlanProposed,
            1,
            events.PlanRejected(version=1, plan_hash=PLAN_HASH, reason="seeded"),
        ),
        {"INV11-REJECTED"},
    ),
    (
        "approved by its author",
        lambda j: edited(j, events.PlanApprovalGiven, 1, actor=AUTHOR),
        {"INV11-AUTHOR"},
    ),
    (
        "approved by one person in two roles",
        lambda j: edited(j, events.PlanApprovalGiven, 2, actor=Actor(id=PRESCRIBER.id, role=Role.THERAPIST)),
        {"INV11-SAME-PERSON"},
    ),
    (
        "approved by a nurse for the therapist",
        lambda j: edited(j, events.PlanApprovalGiven, 2, actor=NURSE),
        {"INV11-ROLE", "INV11-MISSING"},
    ),
    (
        "not approved by the therapist",
        lambda j: without(j, events.PlanApprovalGiven, 2),
        {"INV11-MISSING"},
    ),
    (
        "a dose that asks for the medical director",
        lambda j: edited(j, events.PlanApproved, mg_per_kg=Decimal("0.76")),
        {"INV11-MISSING"},
    ),
    (
        "a draft that asked for the medical director",
        lambda j: edited(j, events.PlanProposed, required_roles=(Role.MEDICAL_DIRECTOR,)),
        {"INV11-MISSING"},
    ),
    (
        "approvals from before the last draft",
        lambda j: with_after(j, events.PlanApprovalGiven, 2, proposal(1, PLAN_HASH), actor=AUTHOR),
        {"INV11-MISSING"},
    ),
    (
        "approval of another hash",
        lambda j: edited(j, events.PlanApprovalGiven, 2, plan_hash="ef" * 32),
        {"INV11-MISSING"},
    ),
    # ── 12 ──────────────────────────────────────────────────────────────────────────────────────────────────
    ("a task left open", lambda j: without(j, events.TaskDone, 1), {"INV12-TASK-OPEN"}),
    (
        "a session left open",
        lambda j: without(j, events.SessionClosed, 6),
        {"INV12-SESSION-OPEN", "INV13-SUMMARY"},
    ),
    (
        "a session opened when all was over",
        lambda j: with_after(
            j,
            events.JourneyClosed,
            1,
            events.SessionOpened(session=7, plan_hash=PLAN_HASH, earliest_at=dose_time(6)),
        ),
        {"INV12-SESSION-AFTER"},
    ),
    (
        "a task opened when all was over",
        lambda j: with_after(j, events.JourneyClosed, 1, j[1].fact),
        {"INV12-TASK-AFTER"},
    ),
    ("finished and not closed", lambda j: without(j, events.JourneyClosed), {"INV12-NOT-CLOSED"}),
    ("a duty dropped with the rest", lambda j: owing(j, dropped_by=ENGINE), {"INV12-DUTY-DROPPED"}),
    ("closed while something is owed", lambda j: owing(j), {"INV12-TASK-OPEN"}),
    # ── 13 ──────────────────────────────────────────────────────────────────────────────────────────────────
    ("no record", lambda j: [], {"INV13-EMPTY"}),
    ("an entry cut out", raw_drop, {"INV13-SEQUENCE", "INV13-CHAIN"}),
    ("a key twice", lambda j: raw_edit(j, 40, key=j[39].key), {"INV13-KEY"}),
    ("an instant without a zone", lambda j: raw_edit(j, 40, occurred_at=NAIVE), {"INV13-INSTANT"}),
    ("an entry replaced", lambda j: raw_edit(j, 40, hash="0" * 64), {"INV13-CHAIN"}),
    (
        "a record that begins late",
        lambda j: without(j, events.JourneyStarted),
        {"INV13-BEGINNING"},
    ),
    (
        "started twice",
        lambda j: with_after(j, events.JourneyStarted, 1, j[0].fact),
        {"INV13-STARTED-TWICE"},
    ),
    (
        "another protocol",
        lambda j: edited(j, events.JourneyStarted, protocol_hash="ef" * 32),
        {"INV13-PROTOCOL"},
    ),
    (
        "a stage left out",
        lambda j: without(j, events.StageChanged, 2),
        {"INV13-STAGE"},
    ),
    (
        "a move that does not exist",
        lambda j: edited(j, events.StageChanged, 2, move=Move.COMPLETE_COURSE),
        {"INV13-MOVE"},
    ),
    (
        "closed as something else",
        lambda j: edited(j, events.JourneyClosed, stage=Stage.ENDED),
        {"INV13-CLOSED-STAGE"},
    ),
    (
        "closed in the middle of the course",
        lambda j: linked([*j[:1], j[place_of(j, events.JourneyClosed)]]),
        {"INV13-CLOSED-STAGE", "INV13-SUMMARY"},
    ),
    ("a dose too few in the summary", lambda j: edited(j, events.JourneyClosed, doses=5), {"INV13-SUMMARY"}),
    (
        "closed twice",
        lambda j: with_after(j, events.JourneyClosed, 1, j[place_of(j, events.JourneyClosed)].fact),
        {"INV13-CLOSED-TWICE"},
    ),
]


def place_in(journey: Journey, task_id: str) -> int:
    """Which of the finished tasks is the one whose id begins so, counted from 1?"""
    done = [entry.fact for entry in journey if isinstance(entry.fact, events.TaskDone)]
    return next(n for n, fact in enumerate(done, start=1) if fact.task_id.startswith(task_id))


def test_a_course_that_went_well_breaks_nothing(journey: Journey, protocol: Protocol) -> None:
    assert violations(journey, protocol) == ()
    assert {entry.fact.session for entry in journey if isinstance(entry.fact, events.DoseGiven)} == {
        *range(1, 7)
    }


@pytest.mark.parametrize(("fault", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_a_seeded_fault_is_found_and_nothing_else(
    fault: Fault, expected: set[str], journey: Journey, protocol: Protocol
) -> None:
    assert rules(fault(journey), protocol) == expected


def test_every_invariant_and_every_rule_has_a_seeded_fault() -> None:
    """But for those that need another protocol (below and by form), each rule of the sources is seeded."""
    seeded = {rule for _, _, expected in FAULTS for rule in expected}
    seeded |= {rule for _, _, _, expected in FAULTS_BY_FORM for rule in expected}
    here = Path(invariants.__file__).parent
    sources = "".join(path.read_text() for path in here.glob("invariants_*.py"))
    named = set(re.findall(r'(?:yield |breach\(\d+, )"([A-Z0-9-]+)"', sources))
    assert named - {rule.split("-", 1)[1] for rule in seeded} == {"DATE", "WEEK", "CALENDAR-WEEK"}
    assert {int(rule.split("-")[0].removeprefix("INV")) for rule in seeded} == set(INVARIANTS)
    assert list(INVARIANTS) == list(range(1, 14))


def test_a_violation_says_which_invariant_and_where(journey: Journey, protocol: Protocol) -> None:
    (found,) = violations(edited(journey, events.GateEvaluated, 2, green=False), protocol)
    assert (found.invariant, found.rule) == (1, "INV1-GATE-CLOSED")
    assert found.seq == place_of(journey, events.DoseGiven, 2) + 1
    assert found.text == "dose of session 2: the gate was closed"


# ── what is no fault ────────────────────────────────────────────────────────────────────────────────────────

HARMLESS: list[tuple[str, Fault]] = [
    (
        "forty hours to the minute",
        lambda j: edited(j, events.DoseGiven, 2, given_at=dose_time(1) + timedelta(hours=40)),
    ),
    (
        "home after exactly 100 minutes and exactly 60 after the end",
        lambda j: edited(j, events.SessionDischarged, 2, discharged_at=dose_time(2) + timedelta(minutes=100)),
    ),
    (
        "an early discharge that a prescriber overrides",
        lambda j: overriding(
            edited(j, events.SessionDischarged, 2, discharged_at=dose_time(2) + timedelta(minutes=90)),
            reason(Criterion.MINIMUM_TIME, Verdict.CAUTION),
            reason(Criterion.SUICIDALITY, Verdict.CAUTION, RiskLevel.MODERATE),
        ),
    ),
    (
        "a withdrawal after which only the way home is told",
        lambda j: with_after(j, events.FollowUpMeasured, -1, withdrawn()),
    ),
    (
        "a message of the very instant of the withdrawal",
        lambda j: with_after(j, events.MessageSettled, -3, withdrawn(), at=_sent_at(j, -2)),
    ),
    (
        "a message on its way while consent was withdrawn, by a clock months ahead of the journey's",
        lambda j: with_after(j, events.TaskOpened, -3, withdrawn(), at=dose_time(6)),
    ),
    (
        "a message that did not leave after a withdrawal, and one twice in vain",
        lambda j: edited(
            with_after(j, events.MessageSettled, -3, withdrawn()),
            events.MessageSettled,
            -2,
            status="stopped",
            sent_at=None,
            key="mail/consultation",
        ),
    ),
    (
        "a further finding, no worse, joins an acknowledged case and is closed with it",
        lambda j: joining(j, events.TaskDone, place_in(j, "risk/case-1"), RiskLevel.MODERATE, 15),
    ),
    (
        "a further finding, no worse, by a clock days behind that of the case that somebody had taken over",
        lambda j: joining(j, events.TaskDone, place_in(j, "risk/case-1"), RiskLevel.MODERATE, -3 * 24 * 60),
    ),
    (
        "a worse finding joins a case before it is paged further",
        lambda j: joining(j, events.RiskPaged, 1, RiskLevel.HIGH, 15),
    ),
    (
        "a finding no worse than the worst that the case was known for",
        lambda j: joining(
            joining(j, events.RiskPaged, 1, RiskLevel.HIGH, 15),
            events.TaskDone,
            place_in(j, "risk/case-1"),
            RiskLevel.HIGH,
            15,
        ),
    ),
    (
        "cases that joined each other in a ring",
        lambda j: with_after(
            j,
            events.RiskJoined,
            1,
            events.RiskJoined(case_id="case-1", joined_to="case-2", level=RiskLevel.LOW),
        ),
    ),
    (
        "a case answered by closing it at once",
        lambda j: without(
            without(
                with_after(
                    without(j, events.RiskResolved),
                    events.RiskJoined,
                    1,
                    events.RiskResolved(
                        case_id="case-1", disposition=Disposition.FALSE_POSITIVE_RECONCILED, note=""
                    ),
                    actor=PRESCRIBER,
                ),
                events.RiskAcknowledged,
            ),
            events.RiskPaged,
            2,
        ),
    ),
    (
        "a case that is not due yet",
        lambda j: without(j, events.RiskPaged, -1),
    ),
    (
        "a case due at the very end of the record",
        lambda j: edited(without(j, events.RiskPaged, -1), *AT_THE_END, acknowledge_by=j[-1].occurred_at),
    ),
    (
        "a case paged to the second rung at its deadline, and acknowledged later",
        lambda j: edited(
            j, events.RiskOpened, 1, acknowledge_by=j[place_of(j, events.RiskPaged, 2)].occurred_at
        ),
    ),
    (
        "a follow-up between two measurements",
        lambda j: linked(j[: place_of(j, events.FollowUpMeasured, 3) + 1]),
    ),
    (
        "a message that left at the last moment",
        lambda j: edited(j, events.MessageSettled, 1, not_after=_sent_at(j, 1)),
    ),
    (
        "a plan for the highest dose without the medical director",
        lambda j: edited(j, events.PlanApproved, mg_per_kg=Decimal("0.75")),
    ),
    ("a course whose plan was amended after three doses", lambda j: amended_after_three(j, 3)),
    (
        "exactly what plan and protocol allow, in mg and mg/kg",
        lambda j: edited(
            edited(j, events.CheckedIn, 2, weight_kg=100.0),
            events.DoseGiven,
            2,
            weight_kg=100.0,
            dose_mg=Decimal(50),
        ),
    ),
    (
        "a course that waits in an open session",
        lambda j: linked(j[: place_of(j, events.ReadinessAnswered, 2) + 1]),
    ),
    (
        "a dose under a plan of which the patient took fewer",
        lambda j: edited(j, events.PlanApproved, sessions=7),
    ),
    (
        "a task called off",
        lambda j: _called_off(j),
    ),
]


def _sent_at(journey: Journey, nth: int) -> datetime:
    return journey[place_of(journey, events.MessageSettled, nth)].occurred_at


def _called_off(journey: Journey) -> Journey:
    place = place_of(journey, events.TaskDone, 1)
    done = journey[place].fact
    assert isinstance(done, events.TaskDone)
    called_off = events.TaskCancelled(task_id=done.task_id, reason="seeded")
    return linked(
        [*journey[:place], journey[place].model_copy(update={"fact": called_off}), *journey[place + 1 :]]
    )


@pytest.mark.parametrize("change", [h[1] for h in HARMLESS], ids=[h[0] for h in HARMLESS])
def test_what_is_no_fault_is_not_called_one(change: Fault, journey: Journey, protocol: Protocol) -> None:
    assert violations(change(journey), protocol) == ()


# ── other protocols ─────────────────────────────────────────────────────────────────────────────────────────


def test_no_two_sessions_on_one_local_date(journey: Journey, protocol: Protocol) -> None:
    """Eight hours later it is tomorrow in Greenwich, and still today in New York."""
    often = (a_phase("induction", hours=4),)
    close, dense = under(protocol, journey, "schedule", min_interval_hours=4, phases=often)
    close = edited(close, events.DoseGiven, 2, given_at=dose_time(1) + timedelta(hours=8))
    assert rules(close, dense) == {"INV3-DATE"}
    assert rules(close, dense, "Europe/London") == set()
    assert rules(close, dense, "Nowhere/Known") == {"INV3-DATE"}
    later = edited(close, events.DoseGiven, 2, given_at=dose_time(1) + timedelta(hours=25))
    assert rules(later, dense, "Nowhere/Known") == set()


def test_no_more_sessions_in_a_week_than_the_protocol_says(journey: Journey, protocol: Protocol) -> None:
    """The course has two in most weeks; the doses of days 30 and 37 are seven days apart."""
    assert rules(*under(protocol, journey, "schedule", max_per_rolling_7_days=2)) == set()
    assert rules(*under(protocol, journey, "schedule", max_per_rolling_7_days=1)) == {"INV3-WEEK"}


def test_a_booster_counts_towards_the_amounts_of_its_session(journey: Journey, protocol: Protocol) -> None:
    boosted, allowing = with_booster_allowed(protocol, journey)
    assert rules(boosted, allowing) == set()
    heavier = edited(boosted, events.DoseGiven, 3, dose_mg=Decimal("15.1"))
    assert rules(heavier, allowing) == {"INV4-MG-PER-KG"}
    without_gate = without(boosted, events.GateEvaluated, 3)
    assert rules(without_gate, allowing) == {UNGIVEN}
    home = dose_time(2) + timedelta(minutes=179)  # two hours after the first end, not after the last
    assert rules(edited(boosted, events.SessionDischarged, 2, discharged_at=home), allowing) == {
        "INV5-MINIMUM-TIME"
    }


def test_presence_covers_the_time_between_a_dose_and_its_booster(
    journey: Journey, protocol: Protocol
) -> None:
    boosted, allowing = with_booster_allowed(protocol, journey)
    left = events.PrescriberPresent(session=2, present=False)
    back = events.PrescriberPresent(session=2, present=True)
    away = with_after(boosted, events.DoseGiven, 2, left, back, actor=PRESCRIBER)
    assert rules(away, allowing) == {"INV6-LEFT"}
    at = dose_time(2) + timedelta(minutes=10)
    told_later = with_after(boosted, events.SessionClosed, 2, left, at=at)
    assert rules(told_later, allowing) == {"INV6-LEFT"}


def test_an_absolute_minimum_is_never_overridden(journey: Journey, protocol: Protocol) -> None:
    early = dose_time(2) + timedelta(minutes=99)
    overridden = overriding(edited(journey, events.SessionDischarged, 2, discharged_at=early))
    assert rules(overridden, protocol) == set()
    absolute = under(protocol, overridden, "discharge", minimum_is_absolute=True)
    assert rules(*absolute) == {"INV5-MINIMUM-TIME"}


def test_presence_is_asked_for_where_the_protocol_asks(journey: Journey, protocol: Protocol) -> None:
    alone = without(journey, events.PrescriberPresent)
    assert rules(alone, protocol) == {"INV6-ABSENT-AT-DOSE"}
    assert rules(*under(protocol, alone, "monitoring", prescriber_on_site=False)) == set()


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_beginning_of_a_good_course_is_good_but_for_the_instants_between_two_steps(
    journey: Journey, protocol: Protocol
) -> None:
    for end in range(1, len(journey)):
        assert rules(journey[:end], protocol) <= {"INV9-STUCK", "INV12-NOT-CLOSED"}


def test_whatever_entry_is_cut_out_of_the_record_it_is_noticed(journey: Journey, protocol: Protocol) -> None:
    for place in range(len(journey) - 1):
        found = {v.invariant for v in violations([*journey[:place], *journey[place + 1 :]], protocol)}
        assert 13 in found


EDGES = [datetime.min, datetime.max, NAIVE, LONG_AGO, datetime.max.replace(tzinfo=UTC)]  # noqa: DTZ901
INSTANTS = st.sampled_from(EDGES) | st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001  # a bound
    max_value=datetime(2028, 1, 1),  # noqa: DTZ001  # a bound
    timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-5))),
)
DECIMALS = st.decimals(allow_nan=True, allow_infinity=True) | st.sampled_from(
    [Decimal("9E+999999"), Decimal("1E-999999"), Decimal("sNaN")]
)
ODD: dict[type[Any], st.SearchStrategy[Any]] = {
    datetime: INSTANTS,
    Decimal: DECIMALS,
    float: st.floats(),
    int: st.integers(),
    bool: st.booleans(),
    str: st.sampled_from(["", " ", "case-1", "case-2", "case-3", PLAN_HASH, "Nowhere/Known"]),
    Role: st.sampled_from(Role),
    Stage: st.sampled_from(Stage),
    Move: st.sampled_from(Move),
    RiskLevel: st.sampled_from(RiskLevel),
}


@st.composite
def shaken(draw: st.DrawFn, journey: Journey) -> Journey:
    """Some of the entries in some order, some twice, some with one value replaced by another of its type."""
    picked = draw(st.lists(st.sampled_from(journey), max_size=40))
    return [_shake(draw, entry) if draw(st.booleans()) else entry for entry in picked]


def _shake(draw: st.DrawFn, entry: RecordedEntry) -> RecordedEntry:
    values = {name: getattr(entry.fact, name) for name in type(entry.fact).model_fields}
    fields = [name for name, value in values.items() if type(value) in ODD and name != "kind"]
    update: dict[str, Any] = {"occurred_at": draw(INSTANTS)}
    if fields:
        field = draw(st.sampled_from(fields))
        changed = entry.fact.model_copy(update={field: draw(ODD[type(values[field])])})
        update["fact"] = changed
    return entry.model_copy(update=update)


@given(data=st.data())
def test_it_never_raises_and_says_the_same_twice(
    data: st.DataObject, journey: Journey, protocol: Protocol
) -> None:
    told = data.draw(shaken(journey))
    zone = data.draw(st.sampled_from([None, "America/New_York", "Pacific/Kiritimati", "", "../x"]))
    found = violations(told, protocol, zone)
    assert found == violations(told, protocol, zone)
    assert {v.seq for v in found} <= {0, *(entry.seq for entry in told)}


@given(data=st.data())
def test_any_order_of_a_whole_course_is_judged(
    data: st.DataObject, journey: Journey, protocol: Protocol
) -> None:
    told = data.draw(st.permutations(journey))
    assert told == journey or 13 in {v.invariant for v in violations(told, protocol)}


def test_the_edge_of_the_calendar_is_judged_too(journey: Journey, protocol: Protocol) -> None:
    """Where a local date cannot be told, the longest possible one counts."""
    end = datetime.max.replace(tzinfo=UTC)
    edge = edited(journey, events.DoseGiven, 6, given_at=end)
    edge = edited(edge, events.DoseGiven, 5, given_at=end - timedelta(hours=3))
    edge = edited(edge, events.DoseEnded, 5, ended_at=LONG_AGO)
    found = rules(edge, protocol, "Pacific/Kiritimati")
    assert {"INV3-DATE", "INV3-INTERVAL"} <= found


def test_a_course_that_is_over_stays_open_while_something_is_owed(
    journey: Journey, protocol: Protocol
) -> None:
    assert rules(owing(journey, closed=False), protocol) == set()


def test_the_medical_director_may_let_go_of_a_duty(journey: Journey, protocol: Protocol) -> None:
    director = Actor(id="staff-director", role=Role.MEDICAL_DIRECTOR)
    assert rules(owing(journey, dropped_by=director), protocol) == set()

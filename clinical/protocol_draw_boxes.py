"""Which boxes does the drawing of a course have, and what do they say?

A box that waits for a person says its owner, when it is due and how long is waited at most.
"""

from collections.abc import Iterator
from typing import NamedTuple

from clinical.people import Role
from clinical.protocol import Ask, ByWeight, Devices, Infusion, Lozenges, Phase, Protocol


class Node(NamedTuple):
    """A box: `wait` waits for a person, `step` happens, `choice` branches, `ending` ends the course."""

    id: str
    kind: str
    lines: tuple[str, ...]


_ENDINGS = (
    Node("ended", "ending", ("Ended", "nobody did what had to be done")),
    Node("declined", "ending", ("Declined", "the consultation did not lead on")),
    Node("ineligible", "ending", ("Ineligible", "screening refused")),
    Node("stopped", "ending", ("Withdrawn, transferred or ended", "consent withdrawn, or a reason given")),
    Node("finished", "ending", ("Finished", "closing summary")),
)


def boxes(protocol: Protocol) -> tuple[Node, ...]:
    """Every box, in the order of the story."""
    return (
        *_intake(protocol),
        *_visit(protocol),
        *_afterwards(protocol),
        *_beside(protocol),
        *_ENDINGS,
    )


def _intake(protocol: Protocol) -> Iterator[Node]:
    consultation, screening, plan = protocol.consultation, protocol.screening, protocol.plan
    yield _wait("book_consultation", "Book a consultation", consultation.book)
    remind = f"reminder {consultation.reminder_hours_before:g} h before"
    yield _wait("hold_consultation", "Hold the consultation", consultation.hold, remind)
    elements = f"{len(protocol.consent.required_elements)} elements, valid {protocol.consent.valid_days} d"
    yield _wait("consent", "Take consent", protocol.consent.ask, elements)
    yield _wait("collect", "Collect the screening's findings", screening.collect)
    yield _wait("sign", "Sign the screening", screening.sign, f"valid {screening.valid_days} d")
    yield Node("eligible", "choice", ("Eligible?", f"at most {screening.rounds_max} rounds"))
    yield _wait("draft", "Draft a plan", plan.draft, f"at most {plan.rounds_max} rounds")
    roles = " and ".join(role.value for role in plan.approver_roles)
    yield _wait("approve", "Approve the plan", plan.approve, f"by {roles}", _director(protocol))
    therapy = protocol.therapy
    if therapy.preparation_sessions:
        recent = f"one within {therapy.preparation_valid_days} d"
        wanted = f"{therapy.preparation_sessions} before the first dose, {recent}"
        yield _wait("prepare", "Hold a preparation session", therapy.prepare, wanted)


def _visit(protocol: Protocol) -> Iterator[Node]:
    ready, vitals, stay = protocol.readiness, protocol.vitals, protocol.discharge
    yield _wait("book_session", "Book a session", protocol.schedule.book, *_gaps(protocol))
    checks = ", ".join(f"{hours:g}" for hours in ready.checks_hours_before)
    food, fluids = ready.fasting_food_hours, ready.fasting_clear_fluids_hours
    spray = (
        [] if ready.nasal_spray_hours is None else [f"no other nasal spray for {ready.nasal_spray_hours:g} h"]
    )
    yield Node(
        "ready",
        "choice",
        (
            "Ready?",
            f"asked {checks} h before",
            f"no food for {food:g} h, no clear fluids for {fluids:g} h",
            *spray,
            f"missed after {ready.no_show_after_minutes} min",
        ),
    )
    too_many = f"more than {ready.reschedules_max} visits in a row that came to nothing"
    yield Node("missed", "choice", ("Too many missed?", too_many))
    hold = f"held from {vitals.hold_systolic_mmhg}/{vitals.hold_diastolic_mmhg} mm[Hg]"
    yield Node("gate", "choice", ("The sixteen gates", hold))
    yield Node("dose", "step", ("Dose", *_dose(protocol)))
    readings = ", ".join(str(minute) for minute in protocol.monitoring.reading_minutes)
    late = f"late after {protocol.monitoring.late_alert_minutes} min, paged after"
    yield Node(
        "watch",
        "step",
        (
            "Watch",
            f"readings at {readings} min",
            f"then every {protocol.monitoring.repeat_after_last_minutes} min",
            f"{late} {protocol.monitoring.late_page_minutes} min",
        ),
    )
    absolute = ", nobody may shorten it" if stay.minimum_is_absolute else ""
    yield Node(
        "home",
        "choice",
        (
            "Home?",
            f"at least {stay.min_after_start_minutes} min after the first dose{absolute}",
            f"and {stay.min_after_end_minutes} min after the last one has ended",
            f"prescriber called after {stay.long_stay_page_minutes} min",
        ),
    )


def _afterwards(protocol: Protocol) -> Iterator[Node]:
    therapy, rules = protocol.therapy, protocol.decisions
    yield _wait("next_day", "Call the day after", therapy.next_day_contact)
    yield _wait("not_reached", "Look after who was not reached", therapy.not_reached)
    window = Ask(
        owner=Role.THERAPIST,
        due_hours=therapy.integration_due_hours,
        give_up_hours=therapy.integration_blocks_after_days * 24,
    )
    begins = f"from {therapy.integration_from_hours:g} h after the dose"
    yield _wait("integrate", "Hold the integration session", window, begins)
    yield _wait(
        "late_integration", "Make up for the integration", therapy.late_integration, "no dose before it"
    )
    asked = ", ".join(str(dose) for dose in rules.review_after_doses)
    yield Node(
        "due", "choice", ("A decision due?", f"after dose {asked}", f"then every {rules.then_every_doses}")
    )
    yield _wait("decide", "Decide whether to go on", rules.ask)
    for index, phase in enumerate(protocol.schedule.phases):
        yield Node(f"phase_{index}", "step", tuple(_phase(phase)))
    weeks = ", ".join(str(week) for week in protocol.follow_up.weeks)
    forms = ", ".join(protocol.follow_up.instruments)
    yield _wait("measure", "Answer in follow-up", protocol.follow_up.measure, f"in week {weeks}", forms)
    yield Node("relapse", "choice", ("Relapse?", f"phq-9 from {protocol.outcomes.relapse_phq9_from}, twice"))


def _beside(protocol: Protocol) -> Iterator[Node]:
    """What may happen at any time, and what is owed beside the story."""
    yield _wait("pause", "Look at a pause again", protocol.pause.review)
    risk = protocol.risk
    for index, rung in enumerate(risk.ladder):
        yield Node(f"rung_{index}", "step", (f"Page the {rung.page.value}", f"wait {rung.wait_minutes} min"))
    high = f"high within {risk.high_on_site_minutes} min on site, {risk.high_remote_minutes} min away"
    others = f"moderate within {risk.moderate_minutes} min, low within {risk.low_minutes} min"
    yield Node("risk", "step", ("A risk case, at any time", "no dose while it is open", high, others))
    again = f"nobody: paged again every {risk.repeat_page_minutes} min"
    yield Node("resolve", "choice", ("Resolved by a clinician?", f"within {risk.resolve_hours:g} h", again))
    for index, contact in enumerate(risk.caring_contacts):
        begins = f"from {contact.from_hours:g} h after the case was closed"
        yield _wait(f"caring_{index}", "A caring contact", contact.ask, begins)
    custody = protocol.custody
    loss = f"else a loss: notice within {custody.loss_notice_business_days} business days"
    form = f"Form 106 within {custody.loss_form_days} d"
    yield _wait("explain", "Explain a difference in the count", custody.explain, loss, form)
    for index, check in enumerate(protocol.long_term):
        rhythm = f"first after dose {check.after_doses}, then every {check.every_days} d"
        yield _wait(f"check_{index}", check.code.value, check.ask, rhythm)
    reports = protocol.reports
    if reports.rems_form_days is not None:
        due = f"due within {reports.rems_form_days} d of each dose"
        yield Node("rems", "step", ("REMS form", f"{reports.rems_form_owner.value}, {due}"))


def _wait(node: str, what: str, ask: Ask, *more: str) -> Node:
    return Node(node, "wait", (what, waiting(ask), *(line for line in more if line)))


def waiting(ask: Ask) -> str:
    """Owner and deadline of a wait, as every box shows them."""
    return f"{ask.owner.value}: due {ask.due_hours:g} h, at most {ask.give_up_hours:g} h"


def _director(protocol: Protocol) -> str:
    for limit, unit in (
        (protocol.plan.director_above_mg_per_kg, "mg/kg"),
        (protocol.plan.director_above_mg, "mg"),
    ):
        if limit is not None:
            return f"and the medical director above {limit:g} {unit}"
    return ""


def _gaps(protocol: Protocol) -> Iterator[str]:
    rules = protocol.schedule
    yield f"at least {rules.min_interval_hours:g} h apart, {rules.max_per_rolling_7_days} in 7 d"
    if rules.max_per_calendar_week is not None:
        yield f"{rules.max_per_calendar_week} from Monday to Sunday"


def _dose(protocol: Protocol) -> Iterator[str]:
    rules = protocol.dosing
    if isinstance(rules, ByWeight):
        yield f"from {rules.start_mg_per_kg:g}, at most {rules.max_mg_per_kg:g} mg/kg and {rules.max_session_mg:g} mg"
    if isinstance(rules, Infusion):
        yield f"over {rules.infusion_minutes} min"
    if isinstance(rules, Lozenges):
        yield f"from {rules.start_mg:g}, at most {rules.max_session_mg:g} mg; first {rules.first_session_max_mg:g} mg"
    if isinstance(rules, Devices):
        allowed = " or ".join(f"{dose:g}" for dose in rules.allowed_mg)
        yield f"day 1 {rules.first_session_mg:g} mg, then {allowed} mg"
        yield f"{rules.minutes_between_units} min between two devices"
    if rules.boosters_max:
        window = f"{rules.booster_from_minutes} to {rules.booster_until_minutes} min"
        yield f"{rules.boosters_max} booster, {window} after the first dose"


def _phase(phase: Phase) -> Iterator[str]:
    yield phase.name
    yield f"{phase.sessions} sessions, {phase.min_interval_hours:g} h to {phase.max_interval_days} d apart"
    if phase.from_week is not None or phase.until_week is not None:
        until = "" if phase.until_week is None else f" to {phase.until_week}"
        yield f"weeks {phase.from_week or 1}{until or ' and on'}"

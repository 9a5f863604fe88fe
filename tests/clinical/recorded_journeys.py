"""A whole course as its record tells it: six doses, a year after, no fault. How is one seeded?

`recorded_journey` is the record. `edited`, `without` and `with_after` seed one fault in it, then number and
chain the result anew, so that only the fault is wrong. A negative `nth` counts from the end.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from clinical import events
from clinical.decision import Reason, Verdict
from clinical.discharge_facts import Criterion
from clinical.dosing import DoseOrder, WeightMeasurement, compute_dose
from clinical.events import Entry, Fact, RecordedEntry
from clinical.instruments.answers import InstrumentId
from clinical.instruments.registry import score
from clinical.journey import Move, Stage
from clinical.people import ENGINE, Actor, Role
from clinical.protocol import ByWeight, Devices, Indication, Protocol
from clinical.recovery_scores import PadssItems
from clinical.risk import Disposition, RiskLevel
from clinical.screening import Eligibility
from clinical.vitals import Reading, Tier

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
ZONE = "America/New_York"
PLAN_HASH = "ab" * 32
DOSE_DAYS = (30, 33, 37, 40, 44, 47)
WEIGHT_KG = Decimal(70)

COORDINATOR = Actor(id="staff-coordinator", role=Role.COORDINATOR)
PRESCRIBER = Actor(id="staff-prescriber", role=Role.PRESCRIBER)
AUTHOR = Actor(id="staff-prescriber-2", role=Role.PRESCRIBER)
THERAPIST = Actor(id="staff-therapist", role=Role.THERAPIST)
NURSE = Actor(id="staff-nurse", role=Role.NURSE)
DIRECTOR = Actor(id="staff-director", role=Role.MEDICAL_DIRECTOR)
PATIENT = Actor(id="patient-1", role=Role.PATIENT)


def recorded_journey(protocol: Protocol) -> list[RecordedEntry]:
    """The record of a course that went well, from referral to the end of follow-up."""
    told = _Telling(protocol)
    told.intake()
    told.screening()
    told.plan()
    told.preparation()
    told.opens_session(1)
    for number in range(1, len(DOSE_DAYS) + 1):
        told.dosing_day(number)
        if number in protocol.decisions.review_after_doses:
            told.decision(number)
        if number < len(DOSE_DAYS):
            told.opens_session(number + 1)
        told.aftercare(number)
    told.follow_up()
    return linked(told.entries)


def planned(protocol: Protocol) -> dict[str, Decimal]:
    """What the plan says of a session, in the form that the protocol doses in."""
    if isinstance(protocol.dosing, ByWeight):
        return {"mg_per_kg": Decimal("0.5"), "max_mg": Decimal(50)}
    if isinstance(protocol.dosing, Devices):
        return {"dose_mg": Decimal(84), "max_mg": Decimal(84)}
    return {"dose_mg": Decimal(150), "max_mg": Decimal(200)}


def linked(entries: Iterable[Entry]) -> list[RecordedEntry]:
    """The entries numbered from 1 and chained; a key that comes twice is made another."""
    record: list[RecordedEntry] = []
    keys: dict[str, int] = {}
    for seq, entry in enumerate(entries, start=1):
        keys[entry.key] = keys.get(entry.key, 0) + 1
        key = entry.key if keys[entry.key] == 1 else f"{entry.key}:{keys[entry.key]}"
        previous = record[-1].hash if record else "0" * 64
        record.append(RecordedEntry(
            key=key,
            occurred_at=entry.occurred_at,
            actor=entry.actor,
            fact=entry.fact,
            seq=seq,
            recorded_at=START + timedelta(seconds=seq),
            previous_hash=previous,
            hash=sha256(f"{previous}{seq}{key}{entry.fact!r}".encode()).hexdigest(),
        ))  # fmt: skip
    return record


def place_of(journey: Sequence[Entry], kind: type[Any], nth: int = 1) -> int:
    """Where the nth fact of this kind stands, counted from 0."""
    places = [place for place, entry in enumerate(journey) if isinstance(entry.fact, kind)]
    return places[nth if nth < 0 else nth - 1]


def edited(
    journey: Sequence[RecordedEntry],
    kind: type[Any],
    nth: int = 1,
    *,
    actor: Actor | None = None,
    occurred_at: datetime | None = None,
    **fields: Any,
) -> list[RecordedEntry]:
    """The same course, but that one fact was otherwise."""
    place = place_of(journey, kind, nth)
    entry = journey[place]
    changed = entry.model_copy(
        update={
            "fact": entry.fact.model_copy(update=fields),
            "actor": actor or entry.actor,
            "occurred_at": occurred_at or entry.occurred_at,
        }
    )
    return linked([*journey[:place], changed, *journey[place + 1 :]])


def without(journey: Sequence[RecordedEntry], kind: type[Any], nth: int | None = None) -> list[RecordedEntry]:
    """The same course, but that one fact (or every fact of the kind) never came about."""
    if nth is None:
        return linked(entry for entry in journey if not isinstance(entry.fact, kind))
    place = place_of(journey, kind, nth)
    return linked([*journey[:place], *journey[place + 1 :]])


def with_after(
    journey: Sequence[RecordedEntry],
    kind: type[Any],
    nth: int,
    *facts: Fact,
    actor: Actor = ENGINE,
    at: datetime | None = None,
) -> list[RecordedEntry]:
    """The same course, but these facts came after the nth of the kind, at that instant or the same."""
    place = place_of(journey, kind, nth)
    when = at or journey[place].occurred_at
    added = [Entry(key=f"added:{fact.kind}", occurred_at=when, actor=actor, fact=fact) for fact in facts]
    return linked([*journey[: place + 1], *added, *journey[place + 1 :]])


def dose_time(session: int) -> datetime:
    """When the dose of that session is given: 90 minutes after the patient is expected."""
    return START + timedelta(days=DOSE_DAYS[session - 1], minutes=90)


def all_met() -> tuple[Reason, ...]:
    """A discharge checklist with every criterion met."""
    return tuple(
        Reason(rule=criterion, verdict=Verdict.PASS, text="met", source="test") for criterion in Criterion
    )


class _Telling:
    """The story, part by part; `at` moves on as it is told."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.at = START
        self.part = "journey"
        self.entries: list[Entry] = []

    def note(self, fact: Fact, actor: Actor = ENGINE, at: datetime | None = None) -> None:
        key = f"{self.part}:{len(self.entries)}:{fact.kind}"
        self.entries.append(Entry(key=key, occurred_at=at or self.at, actor=actor, fact=fact))

    def later(self, **time: float) -> None:
        self.at += timedelta(**time)

    def task(self, task_id: str, owner: Role, due: datetime | None = None) -> None:
        due_at = due or self.at + timedelta(hours=48)
        code = task_id.split("/")[-1]
        self.note(events.TaskOpened(task_id=task_id, code=code, owner=owner, due_at=due_at, reason="due"))

    def done(self, task_id: str, actor: Actor = ENGINE) -> None:
        self.note(events.TaskDone(task_id=task_id), actor)

    def move(self, left: Stage, move: Move, entered: Stage) -> None:
        self.note(events.StageChanged(left=left, entered=entered, move=move, reason="as told"))

    def mail(self, template: str, name: str, not_after: datetime) -> None:
        self.note(events.MessageSettled(
            key=name,
            template=template,
            status="completed",
            channel="email",
            reason=None,
            not_after=not_after,
            sent_at=self.at,
        ))  # fmt: skip

    def scores(self, context: str, item9: int = 0) -> None:
        answers = {
            InstrumentId.PHQ9: {f"q{i}": 1 for i in range(1, 9)} | {"q9": item9},
            InstrumentId.CSSRS: {"q1": 0, "q2": 0, "q6": 0},
        }
        for instrument, given in answers.items():
            result = score(instrument, given)
            self.note(events.QuestionnaireScored(context=context, result=result), PATIENT)

    def intake(self) -> None:
        self.note(events.JourneyStarted(
            patient_id="patient-1",
            referral_id="referral-1",
            indication=Indication.DEPRESSION,
            protocol=self.protocol.canonical,
            protocol_hash=self.protocol.content_hash,
            time_zone=ZONE,
        ), COORDINATOR)  # fmt: skip
        self.task("journey/book-consultation", Role.COORDINATOR)
        self.later(hours=1)
        starts = self.at + timedelta(days=3)
        self.note(
            events.ConsultationBooked(starts_at=starts, ends_at=starts + timedelta(hours=1)), COORDINATOR
        )
        self.mail("consultation_booked", "mail/consultation", starts)
        self.done("journey/book-consultation")
        self.move(Stage.REFERRED, Move.BOOK_CONSULTATION, Stage.CONSULTATION)
        self.task("journey/record-consultation", Role.PRESCRIBER, starts)
        self.at = starts + timedelta(hours=1)
        self.note(events.ConsultationHeld(outcome="proceed", reason="suitable"), PRESCRIBER)
        self.done("journey/record-consultation")
        self.task("journey/take-consent", Role.PRESCRIBER)
        self.note(events.ConsentGiven(
            document_version=self.protocol.consent.document_version,
            elements=self.protocol.consent.required_elements,
            capacity_attested_by=PRESCRIBER.id,
            expires_at=self.at + timedelta(days=self.protocol.consent.valid_days),
        ), PRESCRIBER)  # fmt: skip
        self.done("journey/take-consent")
        self.move(Stage.CONSULTATION, Move.PROCEED, Stage.SCREENING)

    def screening(self) -> None:
        """Two positive answers on the way: the second joins the case of the first; both end well."""
        self.part = "screening/1"
        self.task("screening/1/collect-screening", Role.NURSE)
        self.later(days=1)
        self.note(events.InterviewRecorded(round=1), PRESCRIBER)
        self.note(events.MeasurementsRecorded(round=1, codes=("systolic", "weight")), NURSE)
        self.scores("screening/1", item9=1)
        self.risk("case-1")
        self.risk("case-2")
        self.note(events.RiskJoined(case_id="case-2", joined_to="case-1", level=RiskLevel.MODERATE))
        self.page("case-1", 1, Role.THERAPIST)
        self.task("risk/case-1/acknowledge-risk", Role.THERAPIST)
        self.later(minutes=10)
        self.page("case-1", 2, Role.PRESCRIBER)
        self.later(minutes=5)
        self.note(events.RiskAcknowledged(case_id="case-1"), THERAPIST)
        self.done("risk/case-1/acknowledge-risk")
        self.later(hours=2)
        plan = events.RiskResolved(case_id="case-1", disposition=Disposition.SAFETY_PLAN, note="agreed")
        self.note(plan, PRESCRIBER)
        self.note(events.ScreeningAssessed(round=1, eligibility=Eligibility.ELIGIBLE, reasons=(), missing=()))
        self.done("screening/1/collect-screening")
        self.task("screening/1/sign-screening", Role.PRESCRIBER)
        self.note(events.ScreeningSigned(
            round=1,
            eligibility=Eligibility.ELIGIBLE,
            overrides=(),
            expires_at=self.at + timedelta(days=self.protocol.screening.valid_days),
        ), PRESCRIBER)  # fmt: skip
        self.done("screening/1/sign-screening")
        self.part = "journey"
        self.move(Stage.SCREENING, Move.FOUND_ELIGIBLE, Stage.PLANNING)

    def risk(self, case_id: str) -> None:
        by = self.at + timedelta(minutes=self.protocol.risk.moderate_minutes)
        self.note(events.RiskOpened(
            case_id=case_id, level=RiskLevel.MODERATE, trigger="item-9", on_site=False, acknowledge_by=by
        ))  # fmt: skip

    def page(self, case_id: str, rung: int, role: Role) -> None:
        self.note(events.RiskPaged(case_id=case_id, role=role, rung=rung))

    def plan(self) -> None:
        self.part = "plan/1"
        self.task("plan/1/draft-plan", Role.PRESCRIBER)
        self.later(days=1)
        self.note(events.PlanProposed(
            version=1,
            plan_hash=PLAN_HASH,
            content={"sessions": "6", **{name: str(mg) for name, mg in planned(self.protocol).items()}},
            required_roles=(Role.PRESCRIBER, Role.THERAPIST),
        ), AUTHOR)  # fmt: skip
        self.done("plan/1/draft-plan")
        self.task("plan/1/approve-plan", Role.THERAPIST)
        for who in (PRESCRIBER, THERAPIST):
            self.note(events.PlanApprovalGiven(version=1, plan_hash=PLAN_HASH, role=who.role), who)
        self.done("plan/1/approve-plan")
        self.note(events.PlanApproved(
            version=1,
            plan_hash=PLAN_HASH,
            sessions=6,
            **planned(self.protocol),
            expires_at=self.at + timedelta(days=80),
        ))  # fmt: skip
        self.part = "journey"
        self.move(Stage.PLANNING, Move.APPROVE_PLAN, Stage.PREPARATION)

    def preparation(self) -> None:
        for number in (1, 2):
            self.task(f"journey/hold-preparation/{number}", Role.THERAPIST)
            self.at = START + timedelta(days=19 + number)
            self.note(events.PreparationHeld(number=number, held_at=self.at), THERAPIST)
            self.done(f"journey/hold-preparation/{number}")
        self.move(Stage.PREPARATION, Move.COMPLETE_PREPARATION, Stage.TREATING)

    def opens_session(self, number: int) -> None:
        starts = START + timedelta(days=DOSE_DAYS[number - 1])
        self.part = part = f"session/{number}"
        self.note(events.SessionOpened(session=number, plan_hash=PLAN_HASH, earliest_at=self.at))
        self.task(f"{part}/book-session", Role.COORDINATOR)
        ends = starts + timedelta(hours=5)
        self.note(events.SessionBooked(session=number, starts_at=starts, ends_at=ends, room="1"), COORDINATOR)
        self.done(f"{part}/book-session")
        self.mail("session_booked", f"mail/{part}/booked", starts)

    def dosing_day(self, number: int) -> None:
        self.part = part = f"session/{number}"
        starts = START + timedelta(days=DOSE_DAYS[number - 1])
        self.at = starts - timedelta(hours=24)
        self.mail("session_reminder", f"mail/{part}/reminder", starts - timedelta(hours=2))
        self.note(events.ReadinessAnswered(session=number, light="green", reasons=()), PATIENT)
        self.at = starts
        self.task(f"{part}/check-in", Role.NURSE, starts)
        self.note(events.CheckedIn(
            session=number, weight_kg=self.weight_kg(), baseline=self.reading(), tier=Tier.NORMAL
        ), NURSE)  # fmt: skip
        self.done(f"{part}/check-in")
        self.scores(part)
        self.task(f"{part}/give-dose", Role.PRESCRIBER)
        self.later(minutes=90)
        self.dose(number)
        self.done(f"{part}/give-dose")
        self.in_the_chair(number)

    def weight_kg(self) -> float | None:
        return float(WEIGHT_KG) if isinstance(self.protocol.dosing, ByWeight) else None

    def order(self, number: int) -> DoseOrder:
        """The same dose each time; in devices the label's dose of day 1, then the larger one."""
        rules = self.protocol.dosing
        weight = WeightMeasurement(kg=WEIGHT_KG, measured_at=self.at, previous_kg=WEIGHT_KG)
        amount = Decimal("0.5") if isinstance(rules, ByWeight) else Decimal(100)
        if isinstance(rules, Devices):
            amount = Decimal(56 if number == 1 else 84)
        return compute_dose(amount, weight, 172, self.protocol, self.at)

    def dose(self, number: int) -> None:
        order = self.order(number)
        self.note(events.PrescriberPresent(session=number, present=True), PRESCRIBER)
        self.note(events.ConsentReaffirmed(session=number, capacity=True), PRESCRIBER)
        self.note(events.DoseOrdered(session=number, order=order, plan_hash=PLAN_HASH), PRESCRIBER)
        self.note(events.GateEvaluated(session=number, green=True, reasons=()), NURSE)
        self.note(events.DoseGiven(
            session=number,
            dose_id=f"session/{number}/dose/1",
            dose_mg=order.dose_mg,
            mg_per_kg=order.mg_per_kg,
            weight_kg=self.weight_kg(),
            units=order.units,
            given_at=self.at,
            plan_hash=PLAN_HASH,
            lot="LOT-1",
            checked_by=PRESCRIBER.id,
        ), NURSE)  # fmt: skip

    def in_the_chair(self, number: int) -> None:
        given_at = self.at
        for minute in (10, 40):
            self.at = given_at + timedelta(minutes=minute)
            self.observation(number, minute)
        self.note(events.DoseEnded(
            session=number,
            dose_id=f"session/{number}/dose/1",
            ended_at=self.at,
            given_mg=self.order(number).dose_mg,
            wasted_mg=Decimal(0),
            witness=None,
            stopped_early=False,
        ), NURSE)  # fmt: skip
        for minute in (85, 102):
            self.at = given_at + timedelta(minutes=minute)
            self.observation(number, minute)
        self.note(events.TherapyRecorded(session=number, minutes=50, themes="told"), THERAPIST)
        self.at = given_at + timedelta(minutes=self.protocol.discharge.min_after_start_minutes + 5)
        home = events.SessionDischarged(session=number, discharged_at=self.at, checklist=all_met())
        self.note(home, NURSE)
        self.note(events.PrescriberPresent(session=number, present=False), PRESCRIBER)
        self.mail("after_visit", f"mail/session/{number}/after", self.at + timedelta(hours=24))

    def observation(self, number: int, minute: int) -> None:
        self.note(events.ObservationRecorded(
            session=number,
            observation_id=f"session/{number}/observation/{minute}",
            reading=self.reading(),
            tier=Tier.NORMAL,
            action=None,
            minute=minute,
            padss=PadssItems(vital_signs=2, ambulation=2, nausea_vomiting=2, pain=2),
            cadss6=1,
            oriented=True,
        ), NURSE)  # fmt: skip

    def reading(self) -> Reading:
        return Reading(
            systolic_mmhg=124,
            diastolic_mmhg=78,
            heart_rate_per_min=70,
            spo2_percent=98,
            respiratory_rate_per_min=14,
            moaas=5,
            taken_at=self.at,
        )

    def decision(self, doses: int) -> None:
        self.part = "journey"
        self.task(f"journey/decide-course/{doses}", Role.PRESCRIBER)
        self.note(events.DecisionAsked(after_dose=doses, default="go-on", reasons=()))
        made = events.DecisionMade(after_dose=doses, choice="go-on", reason="it helps")
        self.note(made, PRESCRIBER)
        self.done(f"journey/decide-course/{doses}")

    def aftercare(self, number: int) -> None:
        self.part = part = f"session/{number}"
        self.task(f"{part}/next-day-contact", Role.NURSE)
        self.task(f"{part}/hold-integration", Role.THERAPIST)
        self.later(hours=20)
        self.note(events.NextDayContact(session=number, reached=True), NURSE)
        self.done(f"{part}/next-day-contact", NURSE)
        self.later(hours=8)
        self.note(events.IntegrationHeld(session=number, held_at=self.at), THERAPIST)
        self.done(f"{part}/hold-integration", THERAPIST)
        self.note(events.SessionClosed(session=number, status="finished", reason="finished"))

    def follow_up(self) -> None:
        """Ends with a case that outlives the journey."""
        self.part = "journey"
        self.move(Stage.TREATING, Move.COMPLETE_COURSE, Stage.FOLLOW_UP)
        self.part = "follow-up/1"
        for week in self.protocol.follow_up.weeks:
            due = dose_time(len(DOSE_DAYS)) + timedelta(weeks=week)
            self.at = due - timedelta(hours=self.protocol.follow_up.remind_hours_before)
            self.task(f"follow-up/1/week-{week}", Role.COORDINATOR, due)
            self.mail("follow_up_due", f"mail/week/{week}", due)
            self.at = due
            self.scores("follow-up/1")
            self.done(f"follow-up/1/week-{week}")
            self.note(events.FollowUpMeasured(
                week=week, points_changed=-9, percent_changed=-60, response=True, remission=False
            ))  # fmt: skip
        self.risk("case-3")
        self.page("case-3", 1, Role.THERAPIST)
        self.task("risk/case-3/acknowledge-risk", Role.THERAPIST)
        self.part = "journey"
        self.move(Stage.FOLLOW_UP, Move.COMPLETE_FOLLOW_UP, Stage.FINISHED)
        self.note(events.JourneyClosed(
            stage=Stage.FINISHED, reason="all measured", sessions_completed=6, doses=6
        ))  # fmt: skip
        self.mail("journey_ended", "mail/ended", self.at + timedelta(days=3))
        self.later(minutes=10)
        self.page("case-3", 2, Role.PRESCRIBER)
        self.task("risk/case-3/find-somebody", Role.PRESCRIBER)

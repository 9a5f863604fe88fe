"""A patient's way through a course, command by command, for tests on the real engine in virtual time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.queues import TaskQueue
from clinical.events import JourneyClosed, RecordedEntry, StageChanged
from clinical.invariants import violations
from clinical.journey import Move, Stage
from clinical.patient_record import (
    Answer,
    ClinicalRecord,
    Condition,
    HepaticImpairment,
    Interview,
    Measurement,
    MeasurementCode,
    Person,
    WorkUpItem,
    WorkUpOutcome,
    WorkUpResult,
)
from clinical.people import Actor, Role
from clinical.protocol import Ask, Drug, Indication, Protocol
from clinical.readiness import ReadinessAnswers
from clinical.recovery_scores import PadssItems
from clinical.screening import Eligibility
from clinical.vitals import Action, Reading
from deploy.demo_doses import minutes_of_dose, ordered_dose, planned_dose
from services.records.interface import NewPatient, Referral
from services.records.sql import SqlRecords
from workflows import messages as m
from workflows import names

SITE = "site-a"
PEOPLE = {role: Actor(id=f"staff-{role}", role=role) for role in Role}
CLINICIAN = Actor(id="staff-clinician", role=Role.PRESCRIBER)
GOOD = frozenset(
    {"diagnosis_confirmed", "capacity", "consent_able", "escort_available", "sleep_apnoea_treated"}
)
PHQ9 = [f"q{n}" for n in range(1, 10)]
GAD7 = [f"q{n}" for n in range(1, 8)]
NO_RISK = {"q1": 0, "q2": 0, "q6": 0}


def a_key() -> str:
    return secrets.token_hex(8)


def a_good_interview(at: datetime, **changes: Any) -> Interview:
    """Every question answered, nothing found; two adequate antidepressant trials without effect."""
    given: dict[str, Any] = {}
    for name, field in Interview.model_fields.items():
        if field.annotation is Answer:
            given[name] = Answer.YES if name in GOOD else Answer.NO
        elif field.annotation is HepaticImpairment:
            given[name] = HepaticImpairment.NONE
    given |= {
        "completed_at": at,
        "medications_reconciled_at": at,
        "allergies_reconciled_at": at,
        "antidepressant_trials": [
            {
                "drug": drug,
                "weeks": 8,
                "adequate_dose": "yes",
                "current_episode": "yes",
                "outcome_percent": 10,
            }
            for drug in ("fluoxetine", "venlafaxine")
        ],
    }
    return Interview.model_validate(given | changes)


def measurements(at: datetime, *, systolic: float = 122, diastolic: float = 78, weight: float = 72.0) -> Any:
    values = {
        MeasurementCode.SYSTOLIC: (systolic, "mm[Hg]"),
        MeasurementCode.DIASTOLIC: (diastolic, "mm[Hg]"),
        MeasurementCode.HEART_RATE: (70, "/min"),
        MeasurementCode.RESPIRATORY_RATE: (14, "/min"),
        MeasurementCode.SPO2: (98, "%"),
        MeasurementCode.TEMPERATURE: (36.7, "Cel"),
        MeasurementCode.WEIGHT: (weight, "kg"),
        MeasurementCode.HEIGHT: (175, "cm"),
        MeasurementCode.BMI: (round(weight / 1.75**2, 1), "kg/m2"),
        MeasurementCode.ALT: (22, "U/L"),
        MeasurementCode.AST: (20, "U/L"),
    }
    return tuple(
        Measurement(code=code, value=value, unit=unit, observed_at=at, source="clinic")
        for code, (value, unit) in values.items()
    )


def a_work_up(at: datetime) -> tuple[WorkUpResult, ...]:
    return tuple(WorkUpResult(test=test, outcome=WorkUpOutcome.CLEAR, observed_at=at) for test in WorkUpItem)


def forms(
    phq9: int = 2, gad7: int = 2, cssrs: dict[str, int] | None = None
) -> tuple[m.QuestionnaireAnswers, ...]:
    """PHQ-9 (item 9 at zero), GAD-7 and the C-SSRS screener, every item with the same answer."""
    return tuple(
        m.QuestionnaireAnswers.model_validate({"instrument": name, "answers": answers})
        for name, answers in (
            ("phq-9", {**dict.fromkeys(PHQ9, phq9), "q9": 0}),
            ("gad-7", dict.fromkeys(GAD7, gad7)),
            ("c-ssrs-screener", cssrs or NO_RISK),
        )
    )


def a_reading(at: datetime, **changes: Any) -> Reading:
    values: dict[str, Any] = {
        "systolic_mmhg": 124,
        "diastolic_mmhg": 78,
        "heart_rate_per_min": 72,
        "spo2_percent": 98.0,
        "respiratory_rate_per_min": 14,
        "moaas": 5,
        "taken_at": at,
    }
    return Reading(**(values | changes))


RECOVERED = PadssItems(vital_signs=2, ambulation=2, nausea_vomiting=2, pain=2)


class Refused(Exception):
    """The engine said no; `code` is the type of the refusal, `reasons` the ids of its rules."""

    def __init__(self, cause: BaseException) -> None:
        assert isinstance(cause, ApplicationError), cause
        details: dict[str, Any] = cause.details[0] if cause.details else {}
        self.code = cause.type or ""
        self.reasons = [reason["rule"] for reason in details.get("reasons", [])]
        self.details: list[dict[str, Any]] = details.get("reasons", [])
        self.errors = details.get("errors", [])
        super().__init__(f"{cause.type}: {cause.message} {self.reasons} {self.errors}")


def _exactly(values: dict[str, Any]) -> dict[str, Any]:
    """Amounts as they are written, and not as binary floats."""
    return {name: str(value) if isinstance(value, float) else value for name, value in values.items()}


class Walk:
    """One patient. Every `to_…` brings the course to the beginning of that phase."""

    def __init__(
        self,
        environment: WorkflowEnvironment,
        records: SqlRecords,
        protocol: Protocol,
        *,
        indication: Indication = Indication.DEPRESSION,
    ) -> None:
        self.environment = environment
        self.client: Client = environment.client
        self.records = records
        self.protocol = protocol
        self.earlier: list[Protocol] = []
        """The protocols that the course went by before this one."""
        self.indication = indication
        self.patient_id = secrets.token_hex(13)
        self.journey_id = names.journey_id(SITE, secrets.token_hex(13))
        self.session = 0
        self.dosed = 0
        self.time = datetime.min.replace(tzinfo=UTC)
        self.beside: list[str] = []
        """Workflows that this walk has set off beside its course."""

    def handle(self, part: str = "") -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(self.journey_id + (f"/{part}" if part else ""))

    async def now(self, part: str = "") -> datetime:
        """The clock of one part. Parts have clocks of their own; `time` is the latest any of them showed."""
        now = await self.environment.get_current_time(self.handle(part))
        self.time = max(self.time, now)
        return now

    async def forward(self, part: str = "", **delta: float) -> datetime:
        """Move one part's clock. End where no timer of it is due: if one fires in the same instant, the engine's
        clock may run on to the next."""
        await self.environment.fast_forward(self.handle(part), timedelta(**delta))
        return await self.now(part)

    async def forward_to(self, instant: datetime, part: str = "") -> None:
        away = instant - await self.now(part)
        if away > timedelta():
            await self.environment.fast_forward(self.handle(part), away)

    async def say(self, update: str, message: m.Command, part: str = "") -> m.Accepted:
        """Send a command; when the engine had to begin its step anew, send it again with the same key."""
        for _ in range(20):
            try:
                return await self._say(update, message, part)
            except RPCError as error:
                if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                    raise
        raise AssertionError(f"{update}: the workflow task fails again and again")

    async def _say(self, update: str, message: m.Command, part: str) -> m.Accepted:
        try:
            answer: m.Accepted = await self.handle(part).execute_update(
                update,
                message,
                id=message.key,
                result_type=m.Accepted if update != "order_dose" else m.DoseOrdered,
            )
            return answer
        except WorkflowUpdateFailedError as failed:
            raise Refused(failed.cause) from failed

    async def until_there(self, part: str) -> None:
        """A part is started by the journey, a moment after what caused it: ask until it answers."""
        await self.until_running(part)
        await self.forward_to(self.time, part)

    async def until_running(self, part: str) -> None:
        """As `until_there`, and its clock is left alone."""
        await self.eventually(lambda: self._exists(part))

    async def _exists(self, part: str) -> bool:
        try:
            await self.handle(part).describe()
        except RPCError:
            return False
        return True

    @staticmethod
    async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await holds():
                await asyncio.sleep(0.01)

    async def record(self) -> list[RecordedEntry]:
        return await self.records.entries(self.journey_id)

    async def kinds(self) -> list[str]:
        return [entry.fact.kind for entry in await self.record()]

    async def register(self) -> None:
        """Make the patient known to the record."""
        await self.records.add_patient(
            NewPatient(
                patient_id=self.patient_id, site=SITE, name="Ada Example", birth_date="1984-03-02", sex="male",
                email="ada@example.org", phone_e164=None, mrn=None, language="en",
                time_zone="America/New_York", preferred_channel="email", detail_opt_in=False,
            )
        )  # fmt: skip

    async def start(
        self, *, referral: bool = True, person: Person | None = None, conditions: tuple[Condition, ...] = ()
    ) -> m.Accepted:
        await self.register()
        referral_id = None
        if referral:
            referral_id = secrets.token_hex(13)
            someone = person or Person.model_validate(
                {"birth_date": "1984-03-02", "sex": "male", "deceased": False}
            )
            await self.records.add_referral(
                Referral(
                    referral_id=referral_id, patient_id=self.patient_id, site=SITE,
                    record=ClinicalRecord(person=someone, conditions=conditions),
                )
            )  # fmt: skip
        return await self.start_again(referral_id)

    async def start_again(self, referral_id: str | None, key: str | None = None) -> m.Accepted:
        command = m.StartJourney(
            key=key or a_key(),
            actor=PEOPLE[Role.COORDINATOR],
            patient_id=self.patient_id,
            referral_id=referral_id,
            site=SITE,
            time_zone="America/New_York",
            indication=self.indication,
            protocol=self.protocol,
        )
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "PatientJourney",
            m.JourneyInput(journey_id=self.journey_id, start=command),
            id=self.journey_id,
            task_queue=TaskQueue.JOURNEY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            answer: m.Accepted = await self.client.execute_update_with_start_workflow(
                "start", command, id=command.key, start_workflow_operation=operation, result_type=m.Accepted
            )
            return answer
        except WorkflowUpdateFailedError as failed:
            raise Refused(failed.cause) from failed

    async def to_consultation(self) -> None:
        await self.start()
        await self.book_consultation()

    async def book_consultation(self, **delta: float) -> m.Accepted:
        starts = await self.now() + timedelta(**(delta or {"days": 2}))
        return await self.say(
            "book_consultation",
            m.BookConsultation(
                key=a_key(),
                actor=PEOPLE[Role.COORDINATOR],
                starts_at=starts,
                ends_at=starts + timedelta(hours=1),
            ),
        )

    async def to_screening(self) -> None:
        await self.to_consultation()
        await self.forward(days=2, hours=1)
        await self.say(
            "record_consultation",
            m.RecordConsultation(key=a_key(), actor=CLINICIAN, outcome="proceed", reason="suitable"),
        )
        await self.consent()
        await self.until_there("screening/1")

    async def consent(self) -> m.Accepted:
        return await self.say(
            "give_consent",
            m.GiveConsent(
                key=a_key(),
                actor=CLINICIAN,
                document_version=self.protocol.consent.document_version,
                elements=self.protocol.consent.required_elements,
                capacity_attested=True,
            ),
        )

    async def collect_screening(self, part: str = "screening/1", **interview: Any) -> m.Accepted:
        at = await self.now(part)
        nurse = PEOPLE[Role.NURSE]
        await self.say(
            "record_measurements",
            m.RecordMeasurements(
                key=a_key(), actor=nurse, measurements=measurements(at), work_up=a_work_up(at)
            ),
            part,
        )
        await self.answer(part)
        return await self.say(
            "record_interview",
            m.RecordInterview(key=a_key(), actor=CLINICIAN, interview=a_good_interview(at, **interview)),
            part,
        )

    async def answer(self, part: str, **given: Any) -> m.Accepted:
        return await self.say(
            "submit_questionnaires",
            m.SubmitQuestionnaires(key=a_key(), actor=PEOPLE[Role.NURSE], questionnaires=forms(**given)),
            part,
        )

    async def to_planning(self) -> None:
        await self.to_screening()
        await self.collect_screening()
        await self.say(
            "sign_screening",
            m.SignScreening(key=a_key(), actor=PEOPLE[Role.PRESCRIBER], eligibility=Eligibility.ELIGIBLE),
            "screening/1",
        )
        await self.until_there("plan/1")

    def a_plan(self, **changes: Any) -> m.PlanContent:
        given = {**planned_dose(self.protocol), "preparation_sessions": 2, "goals": "less despair, more life"}
        return m.PlanContent.model_validate(_exactly(given | changes))

    async def propose(self, version: int = 1, **changes: Any) -> str:
        answer = await self.say(
            "propose_plan",
            m.ProposePlan(key=a_key(), actor=CLINICIAN, content=self.a_plan(**changes)),
            f"plan/{version}",
        )
        return answer.detail["plan_hash"]

    async def approve(
        self, plan_hash: str, version: int = 1, roles: Any = (Role.PRESCRIBER, Role.THERAPIST)
    ) -> None:
        for role in roles:
            await self.say(
                "approve_plan",
                m.ApprovePlan(key=a_key(), actor=PEOPLE[role], plan_hash=plan_hash),
                f"plan/{version}",
            )

    async def to_preparation(self, **changes: Any) -> None:
        await self.to_planning()
        self.plan_hash = await self.propose(**changes)
        await self.approve(self.plan_hash)

    async def to_treating(self, **changes: Any) -> None:
        await self.to_preparation(**changes)
        for _ in range(2):
            await self.forward(days=1)
            await self.say(
                "record_preparation",
                m.RecordPreparation(key=a_key(), actor=PEOPLE[Role.THERAPIST], held_at=await self.now()),
            )
        await self.until_there("session/1")
        self.session = 1

    @property
    def part(self) -> str:
        return f"session/{self.session}"

    async def here(self) -> datetime:
        return await self.now(self.part)

    @staticmethod
    def by_day(earliest: datetime) -> datetime:
        """The next 15:00 UTC: the morning in New York, when messages may leave."""
        day = earliest.replace(hour=15, minute=0, second=0, microsecond=0)
        return day if day >= earliest else day + timedelta(days=1)

    async def book_session(self, **delta: float) -> datetime:
        starts = self.by_day(await self.here() + timedelta(**(delta or {"hours": 42})))
        await self.say(
            "book_session",
            m.BookSession(
                key=a_key(), actor=PEOPLE[Role.COORDINATOR], starts_at=starts, ends_at=starts + timedelta(hours=4),
                room="room-1",
            ),
            self.part,
        )  # fmt: skip
        return starts

    async def ready(self, **changes: Any) -> m.Accepted:
        answers = {
            "escort_name_present": True, "escort_phone": "+1 202 555 0199", "patient_phone": "+1 202 555 0142",
            "escort_confirmed": True, "will_fast": True, "will_avoid_substances": True,
            "medication_changes": False, "illness": False, "pregnancy_possible": False, "consent_in_force": True,
        }  # fmt: skip
        return await self.say(
            "answer_readiness",
            m.AnswerReadiness(
                key=a_key(), actor=PEOPLE[Role.COORDINATOR], answers=ReadinessAnswers(**(answers | changes))
            ),
            self.part,
        )

    async def check_in(self, **changes: Any) -> m.Accepted:
        now = await self.here()
        given: dict[str, Any] = {
            "key": a_key(),
            "actor": PEOPLE[Role.NURSE],
            "weight_kg": Decimal(72),
            "baseline": a_reading(now),
            "identifiers_confirmed": 2,
            "food_at": now - timedelta(hours=12),
            "fluids_at": now - timedelta(hours=4),
            "escort_confirmed": True,
            "substance_free": True,
            "medications_reconciled_at": now,
            "blocking_interactions": (),
            "other_clinic_dose": False,
            "cadss6_baseline": 0,
        }
        if self.protocol.drug is Drug.ESKETAMINE:
            given |= {"nasal_spray_free": True, "rems_setting_certified": True, "rems_patient_enrolled": True}
        return await self.say("check_in", m.CheckIn(**(given | changes)), self.part)

    async def order(self, **changes: Any) -> m.DoseOrdered:
        given: dict[str, Any] = {
            "key": a_key(), "actor": PEOPLE[Role.PRESCRIBER], "capacity_today": True,
            "consent_reaffirmed": True, "new_psychosis_or_mania": False,
            **ordered_dose(self.protocol, self.dosed + 1),
        }  # fmt: skip
        order = m.OrderDose.model_validate(_exactly(given | changes))
        answer = await self.say("order_dose", order, self.part)
        assert isinstance(answer, m.DoseOrdered)
        return answer

    def a_dose(self, order: m.DoseOrdered, **changes: Any) -> m.GiveDose:
        given: dict[str, Any] = {
            "key": a_key(), "actor": PEOPLE[Role.NURSE], "dose_mg": order.order.dose_mg,
            "plan_hash": self.plan_hash, "lot": "LOT-1", "lot_expires_on": "2099-12-31",
            "product": "ketamine 1 mg/mL", "second_check_by": "staff-second", "monitor_present": True,
            "equipment_checked": True,
        }  # fmt: skip
        return m.GiveDose(**(given | changes))

    async def give(self, order: m.DoseOrdered, **changes: Any) -> m.Accepted:
        return await self.say("give_dose", self.a_dose(order, **changes), self.part)

    async def to_chair(self, **forms_given: Any) -> m.DoseOrdered:
        """Booked, ready, arrived, asked and ordered: the dose can be given now."""
        starts = await self.book_session()
        await self.ready()
        await self.forward_to(starts, self.part)
        await self.check_in()
        await self.answer(self.part, **forms_given)
        return await self.order()

    async def observe(self, minutes: int, **changes: Any) -> m.Accepted:
        now = await self.here()
        given: dict[str, Any] = {
            "key": a_key(), "actor": PEOPLE[Role.NURSE], "reading": a_reading(now),
            "action": Action.NONE, "cadss6": 0, "oriented": True,
        }  # fmt: skip
        if minutes >= 70:
            given["padss"] = RECOVERED
        return await self.say("record_observation", m.RecordObservation(**(given | changes)), self.part)

    async def in_the_chair(self, given_at: datetime, dose_mg: Decimal) -> None:
        running = minutes_of_dose(self.protocol) > 0
        if not running:
            await self.end_dose(dose_mg)
        for minutes in self.protocol.monitoring.reading_minutes:
            await self.forward_to(given_at + timedelta(minutes=minutes), self.part)
            await self.observe(minutes)
            if running and minutes >= minutes_of_dose(self.protocol):
                running = False
                await self.end_dose(dose_mg)

    async def end_dose(self, dose_mg: Decimal, **changes: Any) -> m.Accepted:
        """All of it went in, nothing was wasted."""
        given: dict[str, Any] = {
            "key": a_key(), "actor": PEOPLE[Role.NURSE], "given_mg": dose_mg, "wasted_mg": Decimal(0),
            "witness": None,
        }  # fmt: skip
        return await self.say("end_dose", m.EndDose(**(given | changes)), self.part)

    async def discharge(self, **changes: Any) -> m.Accepted:
        await self.forward(self.part, minutes=2)
        given: dict[str, Any] = {
            "key": a_key(), "actor": PEOPLE[Role.PRESCRIBER], "escort_present": True, "instructions_given": True,
        }  # fmt: skip
        return await self.say("discharge", m.Discharge(**(given | changes)), self.part)

    async def aftercare(self) -> None:
        await self.forward(self.part, hours=20)
        await self.say(
            "record_contact", m.RecordContact(key=a_key(), actor=PEOPLE[Role.NURSE], reached=True), self.part
        )
        await self.forward(self.part, hours=10)
        await self.say(
            "record_integration",
            m.RecordIntegration(
                key=a_key(), actor=PEOPLE[Role.THERAPIST], held_at=await self.here(), note="spoke about it"
            ),
            self.part,
        )

    async def whole_session(self, **forms_given: Any) -> None:
        order = await self.to_chair(**forms_given)
        given = await self.give(order)
        await self.in_the_chair(given.at, order.order.dose_mg)
        await self.say(
            "record_therapy",
            m.RecordTherapy(key=a_key(), actor=PEOPLE[Role.THERAPIST], minutes=60, themes="loss"),
            self.part,
        )
        await self.discharge()
        await self.aftercare()
        self.dosed += 1
        if self.dosed in self.protocol.decisions.review_after_doses:
            await self.decide()
        if self.dosed < self.protocol.schedule.first.sessions:
            self.session += 1
            await self.until_there(self.part)

    async def decide(self, choice: str = "go-on") -> m.Accepted:
        async def asked() -> bool:
            kinds = await self.kinds()
            return kinds.count("course.decision-asked") > kinds.count("course.decision-made")

        await self.eventually(asked)
        return await self.say(
            "decide_course",
            m.DecideCourse.model_validate(
                {"key": a_key(), "actor": PEOPLE[Role.PRESCRIBER], "choice": choice, "reason": "as discussed"}
            ),
        )

    async def to_follow_up(self) -> None:
        await self.to_treating()
        for phq9 in (2, 2, 1, 1, 0, 0):
            await self.whole_session(phq9=phq9)
        await self.until_there("follow-up/1")

    async def follow_up(self) -> None:
        part = "follow-up/1"
        from clinical.follow_up import measurement_times

        last = next(e.fact for e in reversed(await self.record()) if e.fact.kind == "dose.given")
        for _, due_at in measurement_times(last.given_at, self.protocol, "America/New_York"):
            await self.forward_to(due_at, part)
            await self.answer(part, phq9=0)

    def goes_by(self, protocol: Protocol) -> None:
        """The course went over to another one."""
        self.earlier.append(self.protocol)
        self.protocol = protocol

    async def leave(self, move: Move = Move.WITHDRAW, **changes: Any) -> m.Accepted:
        given: dict[str, Any] = {
            "key": a_key(),
            "actor": PEOPLE[Role.COORDINATOR],
            "move": move,
            "reason": "wishes",
        }
        return await self.say("leave", m.Leave(**(given | changes)))

    async def outcome(self) -> m.JourneyOutcome:
        handle = self.client.get_workflow_handle(self.journey_id, result_type=m.JourneyOutcome)
        async with asyncio.timeout(30):
            outcome: m.JourneyOutcome = await handle.result()
            return outcome

    async def facts(self, kind: str) -> list[Any]:
        """Every fact of this kind in the record, in order."""
        return [entry.fact for entry in await self.record() if entry.fact.kind == kind]

    async def caused_by(self, message: m.Command) -> list[str]:
        """What kinds of facts did this command put into the record?"""
        return [e.fact.kind for e in await self.record() if f":{message.key}:" in e.key]

    async def stage(self) -> Stage:
        moves = [e.fact.entered for e in await self.record() if isinstance(e.fact, StageChanged)]
        return moves[-1] if moves else Stage.REFERRED

    async def until_written(self, kind: str, times: int = 1) -> None:
        """What nobody awaits (a timer's doing, a part's) is in the record a moment later."""

        async def written() -> bool:
            return (await self.kinds()).count(kind) >= times

        await self.eventually(written)

    async def say_twice(self, update: str, message: m.Command, part: str = "") -> m.Accepted:
        """The same key again gets the same answer and changes nothing in the record."""
        first = await self.say(update, message, part)
        before = await self.caused_by(message)
        assert await self.say(update, message, part) == first
        assert await self.caused_by(message) == before
        return first

    async def refused(self, update: str, message: m.Command, part: str = "") -> Refused:
        """The engine must say no, and must not write a word about it."""
        try:
            answer = await self.say(update, message, part)
        except Refused as no:
            assert await self.caused_by(message) == []
            return no
        raise AssertionError(f"{update} was accepted: {answer}")

    async def overdue(self, code: str) -> list[Role]:
        """Who has heard that this task is overdue?"""
        told = await self.facts("task.overdue")
        return [fact.escalated_to for fact in told if f"/{code}/" in fact.task_id]

    async def wait_out(self, ask: Ask, code: str, part: str = "") -> None:
        """Nobody does what is asked for: at the deadline the next above is called, in the end it is given up."""
        await self.eventually(partial(self._is_asked_for, code))  # its hours count from there on
        await self.forward(part, hours=ask.due_hours - 1)
        assert await self.overdue(code) == []
        await self.forward(part, hours=2)
        await self.until_written("task.overdue")
        assert await self.overdue(code) == [self.protocol.of_escalation.above(ask.owner)]
        await self.eventually(partial(self._paged_about, f"/{code}/"))
        await self.environment.fast_forward(
            self.handle(part), timedelta(hours=ask.give_up_hours - ask.due_hours)
        )

    async def _is_asked_for(self, code: str) -> bool:
        return any(task.code == code for task in await self.facts("task.opened"))

    async def _paged_about(self, what: str) -> bool:
        mails = await self.facts("message.settled")
        return any(
            mail.template == "staff_page" and "/overdue/" in mail.key and what in mail.key for mail in mails
        )

    async def running(self) -> list[str]:
        """Which workflows of this journey have not come to a good end, but for risk cases?"""
        query = f'WorkflowId STARTS_WITH "{self.journey_id}"'
        return [
            execution.id
            async for execution in self.client.list_workflows(query)
            if execution.status not in WELL_OVER
            and not execution.id.startswith(names.risk_id(self.journey_id, ""))
        ]

    async def assert_sound(self) -> None:
        """The record keeps every invariant and its chain holds; a journey that is over leaves nothing running."""
        over = any(isinstance(entry.fact, JourneyClosed) for entry in await self.record())
        if over:
            await self.outcome()

            async def all_quiet() -> bool:
                return not await self.running()

            await self.eventually(all_quiet)
        assert violations(await self.record(), self.protocol, earlier=self.earlier) == ()
        chain = await self.records.verify_chain(self.journey_id)
        assert chain.passes, chain.objections


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WELL_OVER = (WorkflowExecutionStatus.COMPLETED, WorkflowExecutionStatus.CONTINUED_AS_NEW)

VIRTUAL_TIME = {
    "EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED",
}
"""Events that only a clock moved by hand writes; no production history holds them."""


async def histories(walk: Walk) -> dict[tuple[str, str], Any]:
    """Every run of every workflow of a journey: (workflow id, run id) → history."""
    found = {}
    async for execution in walk.client.list_workflows(f'WorkflowId STARTS_WITH "{walk.journey_id}"'):
        handle = walk.client.get_workflow_handle(execution.id, run_id=execution.run_id)
        found[execution.id, execution.run_id] = await handle.fetch_history()
    return found

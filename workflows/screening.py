"""May this person be treated? One round of screening: collect, assess with every reason, have it signed."""

from datetime import datetime, timedelta

from temporalio import workflow

from activities.options import WRITE
from activities.records import RecordActivities
from clinical.events import (
    InterviewRecorded,
    MeasurementsRecorded,
    ScreeningAssessed,
    ScreeningLapsed,
    ScreeningSigned,
)
from clinical.instruments.answers import InstrumentResult
from clinical.patient_record import ClinicalRecord, Interview, Measurement, ScreeningFacts, WorkUpResult
from clinical.people import CLINICIANS, Role
from clinical.screening import Eligibility, ScreeningResult, baseline_values, eligibility, with_overrides
from workflows.messages import (
    Accepted,
    Baseline,
    RecordInterview,
    RecordMeasurements,
    ScreeningOutcome,
    SignScreening,
    StartScreening,
    SubmitQuestionnaires,
)
from workflows.part import Answer
from workflows.questionnaires import Questioned
from workflows.refusals import refusal, require_role


@workflow.defn(name="Screening")
class Screening(Questioned):
    @workflow.init
    def __init__(self, start: StartScreening) -> None:
        super().__init__(start.journey_id, start.site, start.patient_id, f"screening/{start.round}")
        self.journal.closed = start.closed
        self.start = start
        self.opened_at = start.opened_at
        self.protocol = start.protocol
        self.referral: ClinicalRecord | None = None
        self.interview: Interview | None = None
        self.measurements: tuple[Measurement, ...] = ()
        self.work_up: tuple[WorkUpResult, ...] = ()
        self.results: dict[str, InstrumentResult] = {}
        self.answered_at: dict[str, datetime] = {}
        self.assessed: ScreeningResult | None = None
        self.signed: SignScreening | None = None

    @workflow.run
    async def run(self, start: StartScreening) -> ScreeningOutcome:
        async with self.at_work():
            await self._read_referral()
            collected = await self.ask(
                "collect-screening",
                self.protocol.screening.collect,
                "history, measurements, work-up and questionnaires have to be collected",
                done=self._ready_to_sign,
            )
            if collected is not Answer.DONE:
                return self._lapse(collected, "what screening asks for was not collected")
            signed = await self.ask(
                "sign-screening",
                self.protocol.screening.sign,
                "a prescriber has to sign the screening",
                done=lambda: self.signed is not None,
            )
            if signed is not Answer.DONE:
                return self._lapse(signed, "nobody signed the screening")
            return self._outcome()

    def standing(self) -> str:
        return "screening"

    async def _read_referral(self) -> None:
        if self.start.referral_id is not None:
            self.referral = await workflow.execute_local_activity_method(
                RecordActivities.read_referral, self.start.referral_id, summary="read the referral", **WRITE
            )
            if self.referral is not None:
                self.sex = self.referral.person.sex

    @workflow.update
    async def record_interview(self, command: RecordInterview) -> Accepted:
        self.interview = command.interview
        fact = InterviewRecorded(round=self.start.round)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        return await self._assess(command.key, self.when(command))

    @record_interview.validator
    def _may_record_interview(self, command: RecordInterview) -> None:
        require_role(command.actor, *CLINICIANS)
        self.may_take_questionnaires()

    @workflow.update
    async def record_measurements(self, command: RecordMeasurements) -> Accepted:
        self.measurements += command.measurements
        self.work_up += command.work_up
        codes = tuple(m.code for m in command.measurements) + tuple(w.test for w in command.work_up)
        fact = MeasurementsRecorded(round=self.start.round, codes=codes)
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        return await self._assess(command.key, self.when(command))

    @record_measurements.validator
    def _may_record_measurements(self, command: RecordMeasurements) -> None:
        require_role(command.actor, *CLINICIANS)
        self.may_take_questionnaires()
        now = workflow.now()
        taken = [m.observed_at for m in command.measurements] + [w.observed_at for w in command.work_up]
        if any(at > now for at in taken):
            errors = [{"pointer": "/measurements", "detail": "lies in the future", "code": "future"}]
            raise refusal("invalid-observation", "a measurement lies in the future", errors=errors)

    def may_take_questionnaires(self) -> None:
        if self.stopping or self.signed is not None:
            raise refusal("not-possible-now", "this screening is closed")

    def after_questionnaires(self, command: SubmitQuestionnaires) -> None:
        for answers in command.questionnaires:
            self.answered_at[answers.instrument] = self.when(command)
        self._look_again(command.key)

    def _result(self, now: datetime) -> ScreeningResult:
        facts = ScreeningFacts.gathered(
            record=self.referral,
            interview=self.interview,
            vitals=self.measurements,
            work_up=self.work_up,
            results=self.results,
            answered_at=self.answered_at,
        )
        return eligibility(facts, self.protocol, self.start.indication, now)

    def _look_again(self, origin: str) -> None:
        """Assess anew; a changed answer goes into the record with all its reasons."""
        before = self.assessed
        self.assessed = result = self._result(workflow.now())
        if before is None or before.decision is not result.decision or before.missing != result.missing:
            self.journal.note(
                origin,
                ScreeningAssessed(
                    round=self.start.round,
                    eligibility=result.decision,
                    reasons=result.reasons,
                    missing=result.missing,
                ),
            )

    async def _assess(self, origin: str, at: datetime) -> Accepted:
        self._look_again(origin)
        assert self.assessed is not None
        return await self.accept(self.assessed.decision, at, missing=", ".join(self.assessed.missing))

    def _ready_to_sign(self) -> bool:
        """Nothing is missing, or the answer is no whatever is missing, by the rules or by a signature."""
        if self.signed is not None:
            return True
        result = self.assessed
        return result is not None and (not result.missing or result.decision is Eligibility.INELIGIBLE)

    @workflow.update
    async def sign_screening(self, command: SignScreening) -> Accepted:
        self.signed = command
        self._look_again(command.key)
        self.journal.note(
            command.key,
            ScreeningSigned(
                round=self.start.round,
                eligibility=command.eligibility,
                overrides=command.overrides,
                expires_at=self._expires_at(),
            ),
            actor=command.actor,
            at=self.when(command),
        )
        return await self.accept(command.eligibility, self.when(command))

    @sign_screening.validator
    def _may_sign_screening(self, command: SignScreening) -> None:
        require_role(command.actor, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
        self.may_take_questionnaires()
        if self.on_hold:
            raise refusal("on-hold", "the course is on hold; resume it first")
        now = workflow.now()
        result = with_overrides(self._result(now), command.overrides, now)
        if command.eligibility is Eligibility.ELIGIBLE and result.decision is not Eligibility.ELIGIBLE:
            objections = [r for r in result.reasons if r.verdict in ("review", "refuse")]
            raise refusal("screening-not-eligible", "the rules do not answer eligible", reasons=objections)
        if command.eligibility is Eligibility.NEEDS_REVIEW:
            raise refusal("not-possible-now", "sign eligible or ineligible; a review is not an end")

    def _expires_at(self) -> datetime:
        overrides = self.signed.overrides if self.signed else ()
        valid = workflow.now() + timedelta(days=self.protocol.screening.valid_days)
        return min([valid, *(o.expires_at for o in overrides)])

    def _lapse(self, answer: Answer, reason: str) -> ScreeningOutcome:
        if answer is Answer.STOPPED:
            reason = "the course is being left"
        self.journal.note("lapse", ScreeningLapsed(round=self.start.round, reason=reason))
        ended = "stopped" if answer is Answer.STOPPED else "lapsed"
        return ScreeningOutcome(ended=ended, reason=reason, at=workflow.now())

    def _outcome(self) -> ScreeningOutcome:
        assert self.signed is not None and self.assessed is not None
        reasons = "; ".join(r.text for r in self.assessed.reasons if r.verdict == "refuse")
        values = baseline_values(
            self.referral, self.interview, self.measurements, self.protocol, workflow.now()
        )
        return ScreeningOutcome(
            ended="signed",
            eligibility=self.signed.eligibility,
            expires_at=self._expires_at(),
            baseline=Baseline(
                height_cm=values.height_cm,
                weight_kg=values.weight_kg,
                sex=values.sex,
                pregnancy_applicable=values.pregnancy_applicable,
                extended_observation=values.extended_observation,
                results=self.results,
            ),
            reason=reasons or "signed",
            at=workflow.now(),
        )

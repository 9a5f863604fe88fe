"""How does one course of treatment go, from referral to the end of follow-up?

One workflow for each course. It owns the stage, the consent, the approved plan and the doses given; it starts
the parts one after another and is the only one that moves the course from stage to stage.
"""

from datetime import timedelta

from temporalio import workflow

from activities.notifications import TemplateName
from activities.options import WRITE
from activities.records import Batch, RecordActivities
from clinical.events import Entry, JourneyClosed, JourneyStarted
from clinical.journey import OPEN, Move, Stage
from clinical.plan import Standing
from clinical.screening import Eligibility
from workflows import names
from workflows.failures import ACTIVITY_FAILED, failure_code
from workflows.follow_up import FollowUp
from workflows.intake import Intake
from workflows.journey_commands import JourneyCommands
from workflows.messages import (
    FollowUpOutcome,
    JourneyInput,
    JourneyOutcome,
    PlanOutcome,
    ScreeningOutcome,
    StartFollowUp,
    StartPlanApproval,
    StartScreening,
)
from workflows.part import Answer
from workflows.plan_approval import PlanApproval
from workflows.protocol_migration import ProtocolMigration
from workflows.screening import Screening
from workflows.treating import Treating

NEW_RUN_AT = frozenset({Stage.PREPARATION, Stage.FOLLOW_UP})
"""Entering these stages starts a new run, so that no run grows with the length of the course."""

NEWEST = workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE
"""A new run begins with the current version of the workers, whichever the one before was pinned to."""


@workflow.defn(name="PatientJourney")
class PatientJourney(Intake, Treating, JourneyCommands, ProtocolMigration):
    @workflow.init
    def __init__(self, given: JourneyInput) -> None:
        super().__init__(given)

    @workflow.run
    async def run(self, given: JourneyInput) -> JourneyOutcome:
        if given.state is None and not await self._enter_the_record():
            return self._outcome()
        async with self.at_work():
            self.show()
            while self.state.stage in OPEN:
                entered = self.state.stage
                await self._go_through(entered)
                if self._time_for_a_new_run(entered):
                    break
            if self.state.stage not in OPEN:
                self._say_goodbye()
                await self.settle_duties()
                self._close()
        if self.state.stage in OPEN:
            start = given.start.model_copy(update={"closed": self.journal.closed, "protocol": self.protocol})
            workflow.continue_as_new(
                given.model_copy(update={"start": start, "state": self.state_to_carry()}),
                initial_versioning_behavior=NEWEST,
            )
        return self._outcome()

    async def _go_through(self, stage: Stage) -> None:
        if self.stopping:
            return await self._leave()
        match stage:
            case Stage.REFERRED:
                await self._receive_referral()
            case Stage.CONSULTATION:
                await self._hold_consultation()
            case Stage.SCREENING:
                await self._screen()
            case Stage.PLANNING:
                await self._agree_on_a_plan()
            case Stage.PREPARATION:
                await self._prepare()
            case Stage.TREATING:
                await self._treat()
            case Stage.FOLLOW_UP:
                await self._follow_up()
            case _:
                raise AssertionError(f"{stage} is final")

    async def _screen(self) -> None:
        if self.state.rounds_without_dose >= self.protocol.screening.rounds_max:
            return self._without_a_plan("screened too often without a dose")
        self.state.rounds_without_dose += 1
        self.state.screening_rounds += 1
        round_ = self.state.screening_rounds
        outcome: ScreeningOutcome = await self.part_of_journey(
            Screening.run,
            StartScreening(
                journey_id=self.journey_id,
                site=self.site,
                patient_id=self.start.patient_id,
                referral_id=self.start.referral_id,
                round=round_,
                protocol=self.protocol,
                indication=self.start.indication,
                opened_at=self.today(),
                closed=self.journal.closed,
            ),
            names.screening_id(self.journey_id, round_),
            f"screening, round {round_}",
            self.attributes("screening", self.protocol.screening.collect),
        )
        if self.stopping:
            return
        if outcome.ended != "signed":
            return self._without_a_plan(f"screening ended without a decision: {outcome.reason}")
        if outcome.eligibility is not Eligibility.ELIGIBLE:
            if self.state.doses:  # no further dose, but those who had one are not left alone
                return self._without_a_plan(f"not eligible: {outcome.reason}")
            return self.move(Move.FOUND_INELIGIBLE, outcome.reason)
        self.state.screening = outcome
        self.move(Move.FOUND_ELIGIBLE, "screening signed")

    async def _agree_on_a_plan(self) -> None:
        screening = self.state.screening
        assert screening is not None and screening.expires_at is not None
        if screening.expires_at <= self.today():  # a booster months later does not rest on it
            return self.move(Move.SCREEN_AGAIN, "the screening has expired")
        amends = self.state.plan.version if self.state.plan else None
        self.state.plan_versions += 1
        version = self.state.plan_versions
        outcome: PlanOutcome = await self.part_of_journey(
            PlanApproval.run,
            StartPlanApproval(
                journey_id=self.journey_id,
                site=self.site,
                patient_id=self.start.patient_id,
                version=version,
                amends=amends,
                protocol=self.protocol,
                screening_expires_at=screening.expires_at,
                opened_at=self.today(),
                standing=Standing(doses=len(self.state.doses), decided_after=tuple(self.state.decided_after)),
                closed=self.journal.closed,
            ),
            names.plan_id(self.journey_id, version),
            f"treatment plan, version {version}",
            self.attributes("plan-draft", self.protocol.plan.draft),
        )
        if self.stopping:
            return
        if outcome.plan is None:
            return self._without_a_plan(f"no plan was approved: {outcome.reason}")
        self.state.plan, self.state.plan_outdated = outcome.plan, False
        self.state.doses_before_plan = len(self.state.doses)
        self.move(Move.APPROVE_PLAN, f"plan version {version} approved")

    def _without_a_plan(self, reason: str) -> None:
        """No plan comes about: whoever was dosed goes back to the follow-up, for anyone else the course ends."""
        if self.state.doses:
            return self.move(Move.STOP_COURSE, reason)
        self.give_up(reason)

    async def _prepare(self) -> None:
        """Preparation comes before the first dose only; an amended plan goes straight on."""
        assert self.state.plan is not None
        wanted = self.state.plan.content.preparation_sessions
        while not self.state.doses and len(self.state.preparations) < wanted:
            have = len(self.state.preparations)
            prepared = await self.ask(
                "hold-preparation",
                self.protocol.therapy.prepare,
                f"preparation session {have + 1} of {wanted} has to be held",
                done=lambda have=have: len(self.state.preparations) > have,  # type: ignore[misc]  # default in lambda
                occurrence=f"{self.state.plan.version}.{have + 1}",
            )
            if prepared is Answer.GAVE_UP:
                return self.give_up("preparation was not held")
            if prepared is Answer.STOPPED:
                return
        self.move(Move.COMPLETE_PREPARATION, "prepared")

    async def _follow_up(self) -> None:
        """Measure at the protocol's weeks. Without a single dose there is nothing to follow up."""
        if not self.state.doses:
            return self.move(Move.COMPLETE_FOLLOW_UP, "no dose was given")
        self.drop_checks("the follow-up asks for it")
        self.state.follow_up_rounds += 1
        last = self.state.doses[-1].given_at
        round_ = self.state.follow_up_rounds
        outcome: FollowUpOutcome = await self.part_of_journey(
            FollowUp.run,
            StartFollowUp(
                journey_id=self.journey_id,
                site=self.site,
                patient_id=self.start.patient_id,
                round=round_,
                protocol=self.protocol,
                indication=self.start.indication,
                baseline=self.state.screening.baseline if self.state.screening else None,
                last_dose_at=last,
                doses=len(self.state.doses),
                first_dose_at=self.state.doses[0].given_at,
                opened_at=self.today(),
                time_zone=self.start.time_zone,
                scored_before=tuple(self.state.primary),
                dosed_at=tuple(dose.given_at for dose in self.state.doses),
                checks=tuple(self.state.checks),
                admissions=tuple(at for at in self.state.admissions if at > last),
            ),
            names.follow_up_id(self.journey_id, round_),
            f"follow-up, round {round_}",
            self.attributes("follow-up"),
        )
        self.keep_checks(outcome.checks)
        if self.stopping:
            return
        self.state.summary = outcome.summary
        if outcome.ended == "relapse":
            self.state.admissions = []  # one relapse is one proposal, whatever becomes of it
            return self.move(Move.PROPOSE_BOOSTER, outcome.reason)
        self.move(Move.COMPLETE_FOLLOW_UP, outcome.reason)

    async def _enter_the_record(self) -> bool:
        """Write the first fact before anything else; a second open course for the patient is refused here."""
        start = self.start
        fact = JourneyStarted(
            patient_id=start.patient_id,
            referral_id=start.referral_id,
            indication=start.indication,
            protocol=self.protocol.canonical,
            protocol_hash=self.protocol.content_hash,
            time_zone=start.time_zone,
        )
        entry = Entry(key=f"journey:{start.key}", occurred_at=self.when(start), actor=start.actor, fact=fact)
        try:
            await workflow.execute_local_activity_method(
                RecordActivities.record_facts,
                Batch(journey_id=self.journey_id, entries=(entry,)),
                summary=fact.kind,
                **WRITE,
            )
        except ACTIVITY_FAILED as error:
            self.refused = failure_code(error) or "refused"
            await workflow.wait_condition(workflow.all_handlers_finished)
            return False
        self.entered = True
        return True

    def _time_for_a_new_run(self, left: Stage) -> bool:
        """At two stages always; at any other as soon as there is a newer version of the workers to move to."""
        entered = self.state.stage
        newer = workflow.info().is_target_worker_deployment_version_changed()
        return entered is not left and (newer or entered in NEW_RUN_AT)

    def _say_goodbye(self) -> None:
        """The course is over for the patient; what the clinic still owes is the clinic's."""
        self.held_since = None
        self.cancel_all_tasks("the course is over")
        if self.state.stage is Stage.FINISHED:
            self.mute = False
            self.tell_patient(TemplateName.JOURNEY_ENDED, "ended", self.today() + timedelta(days=3))

    def _close(self) -> None:
        """The closing summary; nothing is left open."""
        state = self.state
        self.journal.note("close", JourneyClosed(
            stage=state.stage,
            reason=state.reason,
            sessions_completed=state.sessions_completed,
            doses=len(state.doses),
            summary=state.summary,
        ), at=self.today())  # fmt: skip

    def _outcome(self) -> JourneyOutcome:
        state = self.state
        return JourneyOutcome(
            stage=state.stage,
            reason=self.refused or state.reason,
            doses=len(state.doses),
            sessions_completed=state.sessions_completed,
        )

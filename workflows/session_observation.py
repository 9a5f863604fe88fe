"""Is the person in the chair watched until they may go home? Readings on time, alarms when late, discharge as proof.

Fail open: nothing that stops a course (a withdrawal, a pause, an ending) stops the watching.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.decision import Decision
from clinical.discharge import DischargeFacts, RecoveryCheck, override_allowed, ready_for_discharge
from clinical.events import ObservationLate, ObservationRecorded, SessionDischarged, TherapyRecorded
from clinical.instants import elapsed_minutes
from clinical.instruments.answers import InstrumentId
from clinical.monitoring import next_due, paged_again_after
from clinical.people import Role
from clinical.therapy import separate_people
from clinical.vitals import Action, Tier, Tiered, action_required, in_session_tier
from workflows.deadlines import Deadline
from workflows.messages import (
    Accepted,
    Discharge,
    RecordObservation,
    RecordTherapy,
    SessionDischargedSignal,
)
from workflows.refusals import refusal, require, require_role
from workflows.visit import Observed, Session
from workflows.ward_board import minute


class Observation(Session):
    _next_reading: datetime | None = None

    def also_waits(self) -> list[str]:
        if self._next_reading is None or self.visit.dose is None or self._home():
            return []
        return [f"waits for **the next reading** by the **{Role.NURSE}** until {minute(self._next_reading)}"]

    async def watch_until_home(self) -> None:
        """Each reading has its time; a missing one alarms at the chair, then the prescriber on site."""
        dose = self.visit.dose
        assert dose is not None
        rules = self.protocol.monitoring
        long_stay = Deadline(
            "long stay", dose.given_at + timedelta(minutes=self.protocol.discharge.long_stay_page_minutes)
        )
        while self.visit.discharged_at is None:
            taken = len(self.visit.observed)
            due = self._next_reading = next_due(
                dose.given_at, self._taken(), self.protocol, self._last_tier()
            )
            self.describe()
            seen = partial(self._seen_since, taken)
            for minutes, role in (
                (rules.late_alert_minutes, Role.NURSE),
                (rules.late_page_minutes, Role.PRESCRIBER),
            ):
                late = Deadline("reading overdue", due + timedelta(minutes=minutes))
                if not seen() and await late.passes(unless=seen):
                    self._alarm(due, role)
            if not seen():
                await self._page_again_until(seen, due)
            self.close_task(self._alarm_task(due))
            if long_stay.passed and not self._home():
                long_stay.postpone(timedelta(minutes=self.protocol.discharge.long_stay_page_minutes))
                self.page(Role.PRESCRIBER, f"long-stay/{len(self.visit.observed)}")
        await self._tell_journey(self.visit.discharged_at)  # whoever discharges waits for no mail server
        self.tell_patient(TemplateName.AFTER_VISIT, "after-visit", workflow.now() + timedelta(hours=24))

    def _seen_since(self, taken: int) -> bool:
        return self._home() or len(self.visit.observed) > taken

    def _home(self) -> bool:
        return self.visit.discharged_at is not None

    def _taken(self) -> list[datetime]:
        return [seen.reading.taken_at for seen in self.visit.observed]

    def _last_tier(self) -> Tier:
        latest = max(self.visit.observed, key=lambda seen: seen.reading.taken_at, default=None)
        return latest.tier if latest else Tier.NORMAL

    def _alarm_task(self, due: datetime) -> str:
        return f"{self.part}/take-reading/{due:%Y%m%dT%H%M%S}"

    def _alarm(self, due: datetime, role: Role) -> None:
        name = f"{due:%Y%m%dT%H%M%S}"
        if self._alarm_task(due) not in self.tasks:
            self.open_task("take-reading", Role.NURSE, due, "a reading at the chair is overdue", name)
        self.journal.note(f"late/{name}/{role}", ObservationLate(session=self.number, due_at=due, paged=role))
        self.page(role, f"late/{name}/{role}")
        self.show(attention=True)

    async def _page_again_until(self, seen: Callable[[], bool], due: datetime) -> None:
        """Nobody at the chair and nobody answering: page everyone on site, again and again, in time less often."""
        rounds = 0
        first = timedelta(minutes=2 * self.protocol.monitoring.late_page_minutes)
        again = Deadline("reading still overdue", due + first)
        while await again.passes(unless=seen):
            count = f"{again.at:%Y%m%dT%H%M%S}"
            for role in (Role.NURSE, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR):
                self.page(role, f"late/{count}/{role}")
            rounds += 1
            again.postpone(timedelta(minutes=paged_again_after(rounds, self.protocol)))

    @workflow.update
    async def record_observation(self, command: RecordObservation) -> Accepted:
        dose = self.visit.dose
        assert dose is not None
        reading = command.reading
        if twin := self._twin(command):
            return await self.accept(
                "duplicate", reading.taken_at, observation_id=twin.observation_id, tier=twin.tier
            )
        tier = self._tier(command)
        observed = Observed(
            observation_id=f"{self.part}/observation/{command.key}",
            reading=reading,
            tier=tier,
            padss=command.padss,
            cadss6=command.cadss6,
            oriented=command.oriented,
        )
        self.visit.observed = [
            seen for seen in self.visit.observed if seen.observation_id != command.amends
        ] + [observed]
        self.journal.note(
            command.key,
            ObservationRecorded(
                session=self.number,
                observation_id=observed.observation_id,
                reading=reading,
                tier=tier,
                action=command.action,
                minute=round(elapsed_minutes(dose.given_at, reading.taken_at)),
                padss=command.padss,
                cadss6=command.cadss6,
                oriented=command.oriented,
                amends=command.amends,
            ),
            actor=command.actor,
            at=reading.taken_at,
        )
        if action_required(tier) and tier is not Tier.HOLD:
            self.page(Role.PRESCRIBER, f"tier/{command.key}")
            self.show(attention=True)
        return await self.accept(
            "amended" if command.amends else "final",
            reading.taken_at,
            observation_id=observed.observation_id,
            tier=tier,
            next_due_at=next_due(dose.given_at, self._taken(), self.protocol, tier).isoformat(),
        )

    @record_observation.validator
    def _may_record_observation(self, command: RecordObservation) -> None:
        dose = self.require_in_chair()
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        if self._twin(command):
            return
        self.require_possible(command.reading, dose.given_at)
        if command.amends is not None and not any(
            seen.observation_id == command.amends for seen in self.visit.observed
        ):
            raise refusal("not-possible-now", "there is no such observation to amend")
        tier = self._tier(command)
        if action_required(tier) and command.action in (None, Action.NONE):
            raise refusal(
                "action-required",
                f"a reading of tier {tier} cannot be saved without what was done about it",
                reasons=self._judged(command).objections or self._judged(command).reasons,
                errors=[{"pointer": "/action", "detail": "say what was done", "code": "missing"}],
            )

    def _twin(self, command: RecordObservation) -> Observed | None:
        """The same reading of the same device, sent twice."""
        wanted = command.reading
        if wanted.device_id is None or command.amends is not None:
            return None
        for seen in self.visit.observed:
            if (seen.reading.device_id, seen.reading.taken_at) == (wanted.device_id, wanted.taken_at):
                return seen
        return None

    def _judge(self, command: RecordObservation) -> Tiered:
        earlier = [s.reading for s in self.visit.observed if s.observation_id != command.amends]
        baseline = self.visit.baselines[-1] if self.visit.baselines else None
        return in_session_tier(command.reading, earlier, baseline, self.protocol)

    def _tier(self, command: RecordObservation) -> Tier:
        return self._judge(command).tier

    def _judged(self, command: RecordObservation) -> Decision:
        return self._judge(command).decision

    @workflow.update
    async def record_therapy(self, command: RecordTherapy) -> Accepted:
        self.visit.therapy_minutes += command.minutes
        self.visit.therapists.append(command.actor.id)
        fact = TherapyRecorded(
            session=self.number,
            minutes=command.minutes,
            note_id=command.note_id,
            note_hash=command.note_hash,
            present_throughout=command.present_throughout,
            others_present=command.others_present,
        )
        self.journal.note(command.key, fact, actor=command.actor, at=self.when(command))
        return await self.accept("recorded", self.when(command))

    @record_therapy.validator
    def _may_record_therapy(self, command: RecordTherapy) -> None:
        require_role(command.actor, Role.THERAPIST)
        if self.visit.dose is None:
            raise refusal("not-possible-now", "no dose has been given")
        for prescriber in self.visit.ordered_by:
            apart = separate_people(command.actor.id, prescriber)
            require(apart, "separation-of-duties", "whoever ordered the dose is not its therapist")

    @workflow.update
    async def discharge(self, command: Discharge) -> Accepted:
        """Home only when every criterion is met, or a prescriber says why one need not be."""
        now = workflow.now()
        decision = ready_for_discharge(self._discharge_facts(command), self.protocol, now)
        overridden = not decision.passes
        if overridden:
            decision = override_allowed(
                command.actor.role, command.override_reason or "", decision, self.protocol
            )
        self.visit.discharged_at = now
        self.journal.note(
            command.key,
            SessionDischarged(
                session=self.number,
                discharged_at=now,
                checklist=decision.reasons,
                overridden=overridden,
                override_reason=command.override_reason if overridden else None,
            ),
            actor=command.actor,
            at=now,
        )
        if overridden:
            self.page(Role.MEDICAL_DIRECTOR, "discharge-override")
        return await self.accept("finished", now, overridden=str(overridden).lower())

    async def _tell_journey(self, at: datetime) -> None:
        dose = self.visit.whole_dose
        assert dose is not None
        instrument = InstrumentId(self.protocol.baseline_instruments[self.start.indication][0])
        signal = SessionDischargedSignal(
            session=self.number,
            at=at,
            dose=dose,
            primary=self.results.get(instrument) if instrument in self.fresh else None,
            weight_kg=self.visit.checked_in.weight_kg if self.visit.checked_in else None,
            checks=self.visit.checked_in.checks if self.visit.checked_in else (),
            duties=self.leave_to_journey(),
        )
        await workflow.get_external_workflow_handle(self.journey_id).signal("session_discharged", signal)

    @discharge.validator
    def _may_discharge(self, command: Discharge) -> None:
        self.require_in_chair()
        require_role(command.actor, Role.NURSE, Role.PRESCRIBER)
        decision = ready_for_discharge(self._discharge_facts(command), self.protocol, workflow.now())
        if decision.passes:
            return
        if command.override_reason:
            overridden = override_allowed(
                command.actor.role, command.override_reason, decision, self.protocol
            )
            if overridden.passes:
                return
            decision = overridden
        raise refusal("discharge-criteria-unmet", "not every criterion is met", reasons=decision.objections)

    def _discharge_facts(self, command: Discharge) -> DischargeFacts:
        visit, dose = self.visit, self.visit.dose
        assert dose is not None
        ordered = sorted(visit.observed, key=lambda seen: seen.reading.taken_at)
        last = ordered[-1] if ordered else None
        scored = [seen for seen in ordered if seen.cadss6 is not None]
        asked = [seen for seen in ordered if seen.oriented is not None]
        screen = self.results.get(InstrumentId.CSSRS) if InstrumentId.CSSRS in self.fresh else None
        return DischargeFacts(
            started_at=dose.given_at,
            ended_at=visit.doses_ended_at,
            extended=self.start.baseline.extended_observation or len(visit.given) > 1,
            recovery_checks=tuple(
                RecoveryCheck(at=seen.reading.taken_at, padss=seen.padss)
                for seen in ordered
                if seen.padss is not None
            ),
            moaas=last.reading.moaas if last else None,
            oriented=asked[-1].oriented if asked else None,
            cadss6=scored[-1].cadss6 if scored else None,
            baseline_cadss6=visit.checked_in.cadss6_baseline if visit.checked_in else None,
            clinician_attests_dissociation=command.dissociation_attested or None,
            last_reading=last.reading if last else None,
            spo2_on_room_air=last.reading.spo2_percent if last else None,
            suicide_level=screen.risk_level if screen else None,
            escort_present=command.escort_present,
            instructions_given=command.instructions_given,
            prescriber_on_site_throughout=visit.prescriber_present and not visit.prescriber_left,
            signed_off_by=command.actor.role,
        )

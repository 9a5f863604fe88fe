"""Is the person in the chair watched until they may go home? Readings on time, alarms when late, discharge as proof.

Fail open: nothing that stops a course (a withdrawal, a pause, an ending) stops the watching.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow

from activities.notifications import TemplateName
from clinical.decision import Decision
from clinical.events import ObservationLate, ObservationRecorded, TherapyRecorded
from clinical.instants import elapsed_minutes
from clinical.monitoring import next_due, paged_again_after
from clinical.people import Role
from clinical.therapy import separate_people
from clinical.vitals import Action, Tier, Tiered, action_required, in_session_tier
from workflows.deadlines import Deadline
from workflows.messages import (
    Accepted,
    RecordObservation,
    RecordTherapy,
)
from workflows.refusals import refusal, require, require_role
from workflows.session_discharge import GoingHome
from workflows.visit import Observed
from workflows.ward_board import minute


class Observation(GoingHome):
    _next_reading: datetime | None = None

    def also_waits(self) -> list[str]:
        if self._next_reading is None or self.visit.dose is None or self.home():
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
            if long_stay.passed and not self.home():
                long_stay.postpone(timedelta(minutes=self.protocol.discharge.long_stay_page_minutes))
                self.page(Role.PRESCRIBER, f"long-stay/{len(self.visit.observed)}")
        await self.tell_journey(self.visit.discharged_at)  # whoever discharges waits for no mail server
        self.tell_patient(TemplateName.AFTER_VISIT, "after-visit", workflow.now() + timedelta(hours=24))

    def _seen_since(self, taken: int) -> bool:
        return self.home() or len(self.visit.observed) > taken

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

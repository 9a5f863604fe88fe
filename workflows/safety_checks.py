"""Which long-term checks does a journey ask for, and what does it remember of them?

A session asks at its door and leaves what was not answered there to its journey; in follow-up the weeks ask. The
rules are in `clinical/long_term.py`.
"""

from collections.abc import Iterable

from temporalio import workflow

from clinical.journey import Stage
from clinical.long_term import CheckResult, DueCheck, SafetyCheck, checks_due
from clinical.people import ENGINE
from workflows.duties import Duties
from workflows.long_term import is_check, may_record_checks, note_checks, task_code
from workflows.messages import Accepted, DutyArose, RecordSafetyChecks
from workflows.refusals import refusal


class SafetyChecks(Duties):
    """An open check is minded like a duty, but ends with the course."""

    def checks_to_ask(self) -> tuple[DueCheck, ...]:
        """What is due now and nobody has been asked for yet; a session asks for it at its door."""
        doses = [dose.given_at for dose in self.state.doses]
        asked = {duty.code for duty in self.state.duties.values()}
        due = checks_due(doses, self.state.checks, self.protocol, self.today())
        return tuple(one for one in due if task_code(one.code) not in asked)

    def take_over(self, duties: Iterable[DutyArose]) -> None:
        """A check that the session has left open is minded from here on, unless it was made meanwhile."""
        due = {task_code(one.code) for one in self.checks_to_ask()}
        for one in duties:
            if is_check(one.duty.code) and one.duty.code not in due:
                self.note_done(one.task_id, ENGINE, "done meanwhile")
            else:
                super().take_over([one])

    def drop_checks(self, reason: str) -> None:
        """The follow-up asks for what is due by itself."""
        for task_id in [task for task, duty in self.state.duties.items() if is_check(duty.code)]:
            self.state.duties.pop(task_id)
            self.cancel_task(task_id, reason)

    def keep_checks(self, checks: Iterable[SafetyCheck]) -> None:
        """Remember when each was done last; who was asked for it is not asked any more."""
        for check in checks:
            if check.result is CheckResult.NOT_DONE:
                continue
            later = [one for one in self.state.checks if one.code is check.code and one.at > check.at]
            others = [one for one in self.state.checks if one.code is not check.code]
            self.state.checks = [*others, *(later or [check])]
            for task_id in [t for t, d in self.state.duties.items() if d.code == task_code(check.code)]:
                self.settle_duty(task_id, ENGINE, check.result)

    @workflow.update
    async def record_safety_checks(self, command: RecordSafetyChecks) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        self.take_over(note_checks(self, command, command.checks, self.protocol, None))
        self.keep_checks(command.checks)
        return await self.reply(command, "recorded")

    @record_safety_checks.validator
    def _may_record_safety_checks(self, command: RecordSafetyChecks) -> None:
        if self.answered(command):
            return
        may_record_checks(command, self.today())
        self.require_open(command)
        if self.state.stage is Stage.FOLLOW_UP:
            raise refusal("not-possible-now", f"follow-up {self.state.follow_up_rounds} takes it")

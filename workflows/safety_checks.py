"""Which long-term checks does a journey ask for, and what does it remember of them?

Asked when a session opens; in follow-up the weeks ask (`follow_up`). The rules are in `clinical/long_term.py`.
"""

from collections.abc import Iterable
from datetime import timedelta

from temporalio import workflow

from clinical.journey import Stage
from clinical.long_term import CheckResult, SafetyCheck, checks_due
from clinical.people import ENGINE
from workflows.duties import Duties
from workflows.long_term import is_check, may_record_checks, note_checks, task_code
from workflows.messages import Accepted, DutyOwed, RecordSafetyChecks
from workflows.refusals import refusal


class SafetyChecks(Duties):
    """An open check is minded like a duty, but ends with the course."""

    def ask_checks(self) -> None:
        """Ask for the long-term checks that are due, each once."""
        doses = [dose.given_at for dose in self.state.doses]
        asked = {duty.code for duty in self.state.duties.values()}
        for due in checks_due(doses, self.state.checks, self.protocol, self.today()):
            code = task_code(due.code)
            if code in asked:
                continue
            self.state.checks_asked += 1
            by = self.today() + timedelta(hours=due.within_hours)
            duty = DutyOwed(code=code, owner=due.owner, due_at=by, reason=due.reason.text)
            task_id = self.open_task(code, duty.owner, by, duty.reason, str(self.state.checks_asked))
            self.state.duties[task_id] = duty

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

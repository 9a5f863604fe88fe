"""How does a running course go over to another protocol? On purpose, by the medical director, and never silently.

What has begun keeps the protocol it began with; a visit to which nobody has come yet takes the new one on.
"""

from temporalio import workflow

from clinical.events import ProtocolMigrated
from clinical.journey import FINAL
from clinical.people import Role
from clinical.plan import Standing
from clinical.protocol_migration import Migration, Underway, migration
from workflows.course import Course
from workflows.messages import Accepted, MigrateProtocol, MigrationLook, TakeProtocol
from workflows.plan_approval import terms_of
from workflows.refusals import refusal, require, require_role


class ProtocolMigration(Course):
    @workflow.update
    async def migrate_protocol(self, command: MigrateProtocol) -> Accepted:
        if earlier := self.answered(command):
            return earlier
        found, before = self._migration(command), self.protocol
        self.protocol = command.protocol
        self.went_over_to = command.protocol.content_hash
        self.state.plan_outdated = found.plan_anew
        self.journal.note(
            command.key,
            ProtocolMigrated(
                protocol=command.protocol.canonical,
                protocol_hash=command.protocol.content_hash,
                before=before.canonical,
                before_hash=before.content_hash,
                reason=command.reason,
                plan_anew=found.plan_anew,
            ),
            actor=command.actor,
            at=self.when(command),
        )
        await self.journal.written()
        for part in [part for part in self._running if "/session/" in part]:
            await self.tell_part(part, "take_protocol", TakeProtocol(protocol=command.protocol))
        plan = "to-approve-anew" if found.plan_anew else "stands"
        return await self.reply(command, "migrated", protocol=command.protocol.canonical, plan=plan)

    @migrate_protocol.validator
    def _may_migrate_protocol(self, command: MigrateProtocol) -> None:
        if self.answered(command):
            return
        require_role(command.actor, Role.MEDICAL_DIRECTOR)
        if self.stopping or self.state.stage in FINAL:
            raise refusal("not-possible-now", "the course is over")
        found = self._migration(command)
        require(found.decision, "migration-refused", "this course cannot go over to that protocol")

    @workflow.query
    def look_at_migration(self, command: MigrateProtocol) -> MigrationLook:
        """The same rules, and nothing is done."""
        return MigrationLook(
            before=self.protocol.canonical,
            before_hash=self.protocol.content_hash,
            found=self._migration(command),
        )

    def _migration(self, command: MigrateProtocol) -> Migration:
        state = self.state
        underway = Underway(
            stage=state.stage,
            indication=self.start.indication,
            doses=len(state.doses),
            decided_after=tuple(state.decided_after),
            preparations=len(state.preparations),
            in_the_chair=command.in_the_chair,
            plan=terms_of(state.plan.content) if state.plan else None,
            standing=Standing(doses=state.doses_before_plan, decided_after=tuple(state.decided_after)),
        )
        return migration(self.protocol, command.protocol, underway)

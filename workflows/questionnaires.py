"""What happens when a questionnaire comes in? It is scored in the same transaction that saves it, and a positive
suicide item opens a risk case there and then."""

from temporalio import workflow

from clinical.crisis_lines import HELP_NOW
from clinical.events import QuestionnaireScored
from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.registry import InvalidAnswers, score
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, finding
from workflows.findings import note_finding
from workflows.long_term import hand_over, note_checks
from workflows.messages import Accepted, QuestionnaireAnswers, SubmitQuestionnaires
from workflows.part import Part
from workflows.refusals import refusal


class Questioned(Part):
    """A part in which questionnaires are filled in; keeps the last result of each."""

    protocol: Protocol
    sex: str | None = None
    results: dict[str, InstrumentResult]

    @workflow.update
    async def submit_questionnaires(self, command: SubmitQuestionnaires) -> Accepted:
        at = self.when(command)
        scored = [self._score(answers) for answers in command.questionnaires]
        detail: dict[str, str] = {}
        for result in scored:
            fact = QuestionnaireScored(context=self.part, result=result)
            self.journal.note(command.key, fact, actor=command.actor, at=at, nth=result.instrument)
            detail[result.instrument] = self._in_a_word(result)
            if (mismatch := self._mismatch(command, result)) is not None:
                detail[f"{result.instrument}.client_score"] = mismatch
            if await self._look_for_risk(command, result):
                detail |= HELP_NOW
            self.results[result.instrument] = result
        arose = note_checks(self, command, command.checks, self.protocol, None)
        self.after_questionnaires(command)
        answer = await self.accept("completed", at, **detail)
        await hand_over(self, arose)
        return answer

    @submit_questionnaires.validator
    def _may_submit_questionnaires(self, command: SubmitQuestionnaires) -> None:
        errors: list[dict[str, str]] = []
        for index, answers in enumerate(command.questionnaires):
            try:
                self._score(answers)
            except InvalidAnswers as invalid:
                errors += [
                    {
                        "pointer": f"/questionnaires/{index}/answers/{f.item}",
                        "detail": f.detail,
                        "code": "item",
                    }
                    for f in invalid.faults
                ]
        if errors:
            raise refusal("invalid-answers", "some answers cannot be read", errors=errors)
        if self.when(command) > workflow.now():
            raise refusal("invalid-time", "the answers lie in the future")
        self.may_take_checks(command)
        self.may_take_questionnaires()

    def may_take_checks(self, command: SubmitQuestionnaires) -> None:
        """Long-term checks come with the questionnaires of a follow-up only; before a dose, with the check-in."""
        if command.checks:
            raise refusal("not-possible-now", "long-term checks are not taken here")

    def may_take_questionnaires(self) -> None:
        """Refuse when this part takes no answers now."""

    def after_questionnaires(self, command: SubmitQuestionnaires) -> None:
        """What follows from the answers besides their score."""

    def _score(self, answers: QuestionnaireAnswers) -> InstrumentResult:
        return score(answers.instrument, answers.answers, sex=self.sex)

    @staticmethod
    def _in_a_word(result: InstrumentResult) -> str:
        """The score, or the level where there is none to add up."""
        if result.score is not None:
            return f"{result.score:g}"
        return result.risk_level.value if result.risk_level and result.complete else "incomplete"

    @staticmethod
    def _mismatch(command: SubmitQuestionnaires, result: InstrumentResult) -> str | None:
        """A score that the caller computed is not used; a different one is said."""
        for given in command.questionnaires:
            if given.instrument is result.instrument and given.client_score is not None:
                return None if given.client_score == result.score else f"ignored {given.client_score:g}"
        return None

    async def _look_for_risk(self, command: SubmitQuestionnaires, result: InstrumentResult) -> bool:
        found = finding(
            result, self.results.get(result.instrument), command.on_site, self.when(command), self.protocol
        )
        if found is not None:
            await self.open_risk(command.key, result.instrument, found)
        return found is not None

    async def open_risk(self, origin: str, source: InstrumentId | str, found: RiskFinding) -> None:
        """Write the case down with the answer that caused it, then hand it to the journey to escalate."""
        signal = note_finding(self, origin, str(source), found, self.protocol)
        await workflow.get_external_workflow_handle(self.journey_id).signal("risk_found", signal)

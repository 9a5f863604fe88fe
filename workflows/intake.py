"""How does a referral become a patient who has consented? A first look, a consultation, and consent to go on."""

from functools import partial

from temporalio import workflow

from activities.options import WRITE
from activities.records import RecordActivities
from clinical.events import ScreeningAssessed
from clinical.journey import Move
from clinical.screening import Eligibility, triage
from workflows.course import Course
from workflows.messages import BookConsultation
from workflows.part import Answer


class Intake(Course):
    """The stages before screening."""

    async def _receive_referral(self) -> None:
        """What does the referral alone already settle? Then: is a consultation booked in time?"""
        if self.start.referral_id is not None:
            record = await workflow.execute_local_activity_method(
                RecordActivities.read_referral, self.start.referral_id, summary="read the referral", **WRITE
            )
            first_look = triage(record, self.protocol, workflow.now())
            self.journal.note("triage", ScreeningAssessed(
                round=0, eligibility=first_look.decision, reasons=first_look.reasons, missing=first_look.missing,
            ))  # fmt: skip
            if first_look.decision is Eligibility.INELIGIBLE:
                return self.move(Move.FOUND_INELIGIBLE, "the referral itself rules treatment out")
        booked = await self.ask(
            "book-consultation",
            self.protocol.consultation.book,
            "a consultation has to be booked",
            done=lambda: self.state.consultation is not None,
        )
        if booked is Answer.DONE:
            self.move(Move.BOOK_CONSULTATION, "consultation booked")
        elif booked is Answer.GAVE_UP:
            self.give_up("no consultation was booked in time")

    async def _hold_consultation(self) -> None:
        held = await self._outcome_of_consultation()
        if held is Answer.GAVE_UP:
            return self.give_up("the consultation was not held")
        if held is Answer.STOPPED or self.state.consultation_held is None:
            return
        if self.state.consultation_held.outcome != "proceed":
            return self.move(Move.DECLINE, self.state.consultation_held.reason)
        consented = await self.ask(
            "take-consent",
            self.protocol.consent.ask,
            "informed consent has to be taken, element by element",
            done=lambda: self.state.consent is not None,
        )
        if consented is Answer.DONE:
            self.move(Move.PROCEED, "consultation held and consent given")
        elif consented is Answer.GAVE_UP:
            self.give_up("consent was not given")

    async def _outcome_of_consultation(self) -> Answer:
        """Wait for the outcome; when the consultation is moved, the wait moves with it."""
        answer, booked, waits = Answer.DONE, self.state.consultation, 0
        while answer is Answer.DONE and booked is not None and self.state.consultation_held is None:
            waits += 1
            answer = await self.ask(
                "record-consultation",
                self.protocol.consultation.hold,
                "the outcome of the consultation has to be recorded",
                done=partial(self._held_or_moved, booked),
                since=max(booked.ends_at, workflow.now()),
                occurrence=str(waits),
            )
            booked = self.state.consultation
        return answer

    def _held_or_moved(self, booked: BookConsultation) -> bool:
        return self.state.consultation_held is not None or self.state.consultation is not booked

"""What do the facts of the course itself change? Stage, status, hold, consultation, end."""

from typing import assert_never

from clinical import events
from clinical.events import JourneyStatus
from clinical.journey import Stage
from services.records.fact_groups import CourseFact
from services.records.fresh import Fresh
from services.records.tables import JourneyRow


def project_course(fact: CourseFact, fresh: Fresh) -> None:
    journey = fresh.journey
    match fact:
        case events.JourneyStarted():
            return  # the row was made of this fact, before anything could be chained to it
        case events.StageChanged():
            journey.stage = fact.entered.value
        case events.JourneyPaused():
            journey.on_hold = True
            journey.review_at = fact.review_at
        case events.JourneyResumed():
            _off_hold(journey)
        case events.ProtocolMigrated():
            journey.protocol = fact.protocol
            journey.protocol_hash = fact.protocol_hash
        case events.JourneyClosed():
            journey.stage = fact.stage.value
            journey.closed_at = fresh.at
            _off_hold(journey)
        case events.ConsultationBooked():
            journey.consultation_at = fact.starts_at
        case events.ConsultationHeld():
            journey.consultation_outcome = fact.outcome
        case _:
            assert_never(fact)
    journey.status = status_of(Stage(journey.stage), on_hold=journey.on_hold).value


def status_of(stage: Stage, *, on_hold: bool) -> JourneyStatus:
    """The stage in EpisodeOfCare's words. What ends before its end is cancelled, whatever the reason."""
    match stage:
        case Stage.FINISHED:
            return JourneyStatus.FINISHED
        case Stage.DECLINED | Stage.INELIGIBLE | Stage.WITHDRAWN | Stage.TRANSFERRED | Stage.ENDED:
            return JourneyStatus.CANCELLED
        case _ if on_hold:
            return JourneyStatus.ON_HOLD
        case Stage.REFERRED | Stage.CONSULTATION:
            return JourneyStatus.PLANNED
        case Stage.SCREENING | Stage.PLANNING | Stage.PREPARATION | Stage.TREATING | Stage.FOLLOW_UP:
            return JourneyStatus.ACTIVE
        case _:
            assert_never(stage)


def _off_hold(journey: JourneyRow) -> None:
    journey.on_hold = False
    journey.review_at = None

"""Which facts belong together? One group for each part of the journey, and every kind in exactly one
group.
"""

from clinical import events

CourseFact = (
    events.JourneyStarted
    | events.StageChanged
    | events.JourneyPaused
    | events.JourneyResumed
    | events.ProtocolMigrated
    | events.JourneyClosed
    | events.ConsultationBooked
    | events.ConsultationHeld
)
SuitabilityFact = (
    events.ConsentGiven
    | events.ConsentReaffirmed
    | events.ConsentWithdrawn
    | events.QuestionnaireScored
    | events.InterviewRecorded
    | events.MeasurementsRecorded
    | events.ScreeningAssessed
    | events.ScreeningSigned
    | events.ScreeningLapsed
)
PlanFact = (
    events.PlanProposed
    | events.PlanApprovalGiven
    | events.PlanApproved
    | events.PlanRejected
    | events.PlanLapsed
    | events.PreparationHeld
    | events.DecisionAsked
    | events.DecisionMade
)
VisitFact = (
    events.SessionOpened
    | events.SessionBooked
    | events.ReadinessAnswered
    | events.CheckedIn
    | events.PrescriberPresent
    | events.SessionClosed
    | events.NextDayContact
    | events.IntegrationHeld
    | events.IntegrationMissed
    | events.IntegrationWaived
    | events.ConcernsReviewed
)
ChairFact = (
    events.DoseOrdered
    | events.DowntimeSheetMade
    | events.GateEvaluated
    | events.DoseGiven
    | events.DoseEnded
    | events.ObservationRecorded
    | events.ObservationLate
    | events.TherapyRecorded
    | events.SessionDischarged
)
SafetyFact = (
    events.RiskOpened
    | events.RiskJoined
    | events.RiskPaged
    | events.RiskAcknowledged
    | events.RiskResolved
    | events.AdverseEventRecorded
    | events.SafetyCheckRecorded
)
AfterCrisisFact = (
    events.ConcernRaised | events.CaringContactMade | events.CaringContactMissed | events.SafetyPlanRecorded
)
WorkFact = (
    events.FollowUpMeasured
    | events.FollowUpMissed
    | events.RelapseFound
    | events.TaskOpened
    | events.TaskOverdue
    | events.TaskDone
    | events.TaskCancelled
    | events.MoveAsked
    | events.MessageSettled
    | events.SessionConfirmed
)

"""Which values may a label have, beside those that the rules name? Closed sets, all of them."""

OTHER = "other"
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

REMINDERS = frozenset({"session_reminder", "questionnaire_due", "follow_up_due"})
"""Templates that are worth nothing when they come too late."""

TEMPLATES = REMINDERS | {
    *("consultation_booked", "session_booked", "session_moved", "session_cancelled", "after_visit"),
    *("journey_paused", "journey_ended", "staff_page", "contact_code", "visit_offered"),
    *("clinic_notice", "message_answer"),
}
OUTCOMES = ("sent", "too-late", "withheld")
"""`withheld`: it was not to leave (opted out, no address, no longer true, the course is over)."""

TOO_LATE = frozenset({"expired", "expires-in-quiet-hours", "undeliverable"})
"""Reasons of a message that should have left and did not."""

WORKFLOW_TYPES = (
    *("PatientJourney", "Screening", "PlanApproval", "TreatmentSession", "FollowUp"),
    *("RiskEscalation", "DrugDiscrepancy"),
)

DECODINGS = ("shown", "coded-words", "refused", "failed")
"""What came of asking the codec: `coded-words`: only those were shown, all else stayed sealed."""

VERSION_STATUSES = ("draining", "drained")
"""The engine's words for a build that is no longer given anything: something still runs there, or nothing did."""

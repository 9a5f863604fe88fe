"""What of a view does each role get to see? The minimum that its work needs (45 CFR 164.502(b)), in one place.

Clinicians treat: they see all of it. Coordinators book, chase and answer the phone: who it is, where the course
stands, when and what is owed, but no score, reading, reasons of a rule or words about a crisis. Auditors judge
what was done: all of the course, but no name and no address. Operations keep it running: stages and times of
courses, nothing about people; behind broken glass who it is and how to reach them. What is withheld is null or an
empty list, and a line of the timeline says `WITHHELD`. Psychotherapy notes ask for themselves.
"""

from typing import Any

from clinical.people import Role
from services.records.patient_views import PatientView
from services.records.risk_views import RiskCaseView
from services.records.views import (
    JourneySummary,
    JourneyView,
    ScoreView,
    SessionView,
    TimelineEntry,
)

WITHHELD = "for clinicians"

_LINE = frozenset({"site", "stage", "status", "on_hold", "started_at", "closed_at", "protocol", "version"})
_LINE_OF_A_PERSON = frozenset({"patient_id", "indication", "consultation_at", "doses", "sessions_completed"})

_WHO = ("name", "birth_date", "email", "phone_e164", "mrn")
_BEYOND_REACHING = ("birth_date", "sex", "mrn", "journeys")

_CLINICAL_FACTS = frozenset(
    {
        "questionnaire.scored",
        "screening.interview-recorded",
        "screening.measurements-recorded",
        "screening.assessed",
        "dose.ordered",
        "gate.evaluated",
        "observation.recorded",
        "therapy.recorded",
        "session.next-day-contact",
        "session.concerns-reviewed",
        "integration.held",
        "risk.acknowledged",
        "risk.resolved",
        "risk.concern-raised",
        "risk.contact-made",
        "safety-plan.recorded",
        "adverse-event.recorded",
        "safety-check.recorded",
        "follow-up.measured",
        "follow-up.relapse-found",
    }
)


def shown_line(journey: JourneySummary, role: Role) -> dict[str, Any]:
    """One course in a list."""
    return journey.model_dump(include=set(_LINE if role is Role.OPS else _LINE | _LINE_OF_A_PERSON))


def shown_patient(patient: PatientView, role: Role) -> dict[str, Any]:
    hidden = {Role.AUDITOR: _WHO, Role.OPS: _BEYOND_REACHING}.get(role, ())
    withheld: dict[str, Any] = {name: [] if name == "journeys" else None for name in hidden}
    return dict(patient) | withheld


def shown_journey(journey: JourneyView, role: Role) -> JourneyView:
    if role is not Role.COORDINATOR:
        return journey
    screening, consent = journey.screening, journey.consent
    return journey.model_copy(
        update={
            "risk_cases": tuple(_case_without_words(case) for case in journey.risk_cases),
            "plans": tuple(plan.model_copy(update={"content": {}}) for plan in journey.plans),
            "decisions": tuple(
                one.model_copy(update={"reasons": (), "reason": None}) for one in journey.decisions
            ),
            "screening": screening and screening.model_copy(update={"reasons": (), "overrides": ()}),
            "consent": consent and consent.model_copy(update={"withdrawal_reason": None}),
        }
    )


def shown_session(session: SessionView, role: Role) -> SessionView:
    if role is not Role.COORDINATOR:
        return session
    readings = {"baseline": None, "observations": (), "weight_kg": None, "baseline_tier": None}
    return session.model_copy(update={**readings, "gate_reasons": (), "discharge_checklist": ()})


def shown_score(score: ScoreView, role: Role) -> ScoreView:
    """A coordinator sees that a questionnaire came, not what it says."""
    if role is not Role.COORDINATOR:
        return score
    hidden = {"score": None, "band": None, "suicide_item_positive": None, "risk_level": None}
    return score.model_copy(update=hidden)


def shown_entry(entry: TimelineEntry, role: Role) -> TimelineEntry:
    if role is Role.COORDINATOR and entry.kind in _CLINICAL_FACTS:
        return entry.model_copy(update={"text": WITHHELD})
    return entry


def _case_without_words(case: RiskCaseView) -> RiskCaseView:
    words = {"trigger": None, "note": None, "without_plan": None, "concern": None}
    contacts = tuple(one.model_copy(update={"note": None}) for one in case.contacts)
    return case.model_copy(update={**words, "contacts": contacts})

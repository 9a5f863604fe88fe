"""What each role sees of a person: the minimum that its work needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.minimum import (
    WITHHELD,
    shown_entry,
    shown_journey,
    shown_line,
    shown_patient,
    shown_score,
    shown_session,
)
from clinical.people import CLINICIANS, Role
from services.records.patient_views import PatientView
from services.records.risk_views import CaringContactView, RiskCaseView
from services.records.views import (
    ConsentView,
    DecisionView,
    JourneyView,
    PlanView,
    ScoreView,
    ScreeningView,
    SessionView,
    TimelineEntry,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PATIENT = PatientView(
    patient_id="p1", site="site-a", name="Quentin Zimmerfeld", birth_date="1984-05-17", sex="male",
    email="q@example.org", phone_e164="+12025550199", mrn="77-1", language="en",
    time_zone="America/New_York", preferred_channel="email", opted_out_channels=(), detail_opt_in=False,
    registered_at=NOW, journeys=("journey/site-a/1",),
)  # fmt: skip
SCORE = ScoreView(
    seq=1, instrument="phq-9", context="screening", score=21.0, band="severe", complete=True,
    suicide_item_positive=True, risk_level="high", measured_at=NOW,
)  # fmt: skip
ROLES = sorted(set(Role) - {Role.SYSTEM, Role.PATIENT})

HIDDEN_OF_PATIENT: dict[Role, set[str]] = {
    Role.AUDITOR: {"name", "birth_date", "email", "phone_e164", "mrn"},
    Role.OPS: {"birth_date", "sex", "mrn", "journeys"},
}


def entry(kind: str) -> TimelineEntry:
    return TimelineEntry(
        seq=1, kind=kind, session=None, occurred_at=NOW, recorded_at=NOW, actor_id="a", actor_role="nurse",
        text="PHQ-9: 21 (severe)",
    )  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_of_a_person_each_role_sees_its_part(role: Role) -> None:
    shown: dict[str, Any] = shown_patient(PATIENT, role)
    hidden = {name for name, value in shown.items() if value != PATIENT.model_dump()[name]}
    assert hidden == HIDDEN_OF_PATIENT.get(role, set())
    assert not any(shown[name] for name in hidden)


@pytest.mark.parametrize("role", ROLES)
def test_scores_and_words_of_the_clinic_are_not_for_the_desk(role: Role) -> None:
    score, line = shown_score(SCORE, role), shown_entry(entry("questionnaire.scored"), role)
    if role is Role.COORDINATOR:
        assert (score.score, score.band, score.suicide_item_positive, score.risk_level) == (None,) * 4
        assert (score.instrument, score.complete, score.measured_at) == ("phq-9", True, NOW)
        assert line.text == WITHHELD
        assert shown_entry(entry("session.booked"), role).text != WITHHELD
    else:
        assert (score, line.text) == (SCORE, "PHQ-9: 21 (severe)")
    assert (role in CLINICIANS) <= (score == SCORE)


def made(kind: Any, **fields: Any) -> Any:
    """A view with only these fields: what is not looked at need not be there."""
    return kind.model_construct(**fields)


WORDS = "words of the consulting room"
JOURNEY = made(JourneyView,
    id="journey/site-a/1", site="site-a", stage="treatment", status="active", on_hold=False, version=7,
    patient_id="p1", indication="ptsd", protocol="p|1", doses=2, sessions_completed=1,
    started_at=NOW, closed_at=None, consultation_at=NOW,
    risk_cases=(
        made(RiskCaseView,
            case_id="c1", status="open", level="high", trigger=WORDS, note=WORDS, without_plan=WORDS,
            concern=WORDS, contacts=(made(CaringContactView, number=1, outcome="reached", note=WORDS),),
        ),
    ),
    plans=(made(PlanView, version=1, status="active", content={"goals": WORDS}),),
    decisions=(made(DecisionView, after_dose=3, choice="go-on", reasons=(WORDS,), reason=WORDS),),
    screening=made(ScreeningView, round=1, missing=("ecg",), reasons=(WORDS,), overrides=(WORDS,)),
    consent=made(ConsentView, status="inactive", withdrawal_reason=WORDS),
)  # fmt: skip
SESSION = made(SessionView,
    session=1, room="room-1", starts_at=NOW, weight_kg=72.0, baseline=WORDS, observations=(WORDS,),
    baseline_tier="normal", gate_reasons=(WORDS,), discharge_checklist=(WORDS,),
)  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_the_desk_sees_where_a_course_stands_and_no_word_of_it(role: Role) -> None:
    journey, session = shown_journey(JOURNEY, role), shown_session(SESSION, role)
    if role is not Role.COORDINATOR:
        assert (journey, session) == (JOURNEY, SESSION)
        return
    assert WORDS not in f"{journey!r} {session!r}"
    assert [(case.status, case.level) for case in journey.risk_cases] == [("open", "high")]
    assert journey.screening is not None
    assert journey.screening.missing == ("ecg",)
    assert (session.room, session.starts_at, session.weight_kg) == ("room-1", NOW, None)


@pytest.mark.parametrize("role", ROLES)
def test_a_line_of_a_list_names_nobody_to_operations(role: Role) -> None:
    shown = shown_line(JOURNEY, role)
    about_a_person = {"patient_id", "indication", "consultation_at", "doses", "sessions_completed"}
    assert (about_a_person & set(shown) == set()) == (role is Role.OPS)
    assert (shown["stage"], shown["version"]) == ("treatment", 7)

"""What each role sees of a person: the minimum that its work needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.minimum import WITHHELD, shown_entry, shown_patient, shown_score
from clinical.people import CLINICIANS, Role
from services.records.patient_views import PatientView
from services.records.views import ScoreView, TimelineEntry

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

"""People, journeys and entries for the tests of the record."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from clinical.events import Entry, Fact, JourneyStarted
from clinical.people import Actor, Role
from clinical.protocol import Indication
from services.records.interface import Batch, NewPatient
from services.records.sql import SqlRecords

SITE = "site-a"
START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
COORDINATOR = Actor(id="staff-1", role=Role.COORDINATOR)
PRESCRIBER = Actor(id="staff-2", role=Role.PRESCRIBER)


def an_id() -> str:
    return secrets.token_hex(13)


def a_patient(patient_id: str | None = None, **given: Any) -> NewPatient:
    return NewPatient.model_validate(
        {
            "patient_id": patient_id or an_id(),
            "site": SITE,
            "name": "Ana García",
            "birth_date": "1984-05-06",
            "sex": "female",
            "email": "ana@example.org",
            "phone_e164": "+12025550142",
            "mrn": "MRN-4711",
            "language": "es",
            "time_zone": "America/New_York",
            "preferred_channel": "sms",
            "detail_opt_in": False,
            **given,
        }
    )


def an_entry(key: str, fact: Fact, *, at: datetime = START, actor: Actor = COORDINATOR) -> Entry:
    return Entry(key=key, occurred_at=at, actor=actor, fact=fact)


def a_start(patient_id: str) -> JourneyStarted:
    return JourneyStarted(
        patient_id=patient_id,
        referral_id=None,
        indication=Indication.DEPRESSION,
        protocol="https://example.org/PlanDefinition/kap|1.0.0",
        protocol_hash="ab" * 32,
        time_zone="America/New_York",
    )


async def a_journey(records: SqlRecords, *, site: str = SITE, at: datetime = START, **person: Any) -> str:
    """The id of a journey that has just started, for a patient of its own."""
    patient = a_patient(site=site, **person)
    await records.add_patient(patient)
    journey_id = f"journey/{site}/{an_id()}"
    await records.append(
        Batch(journey_id=journey_id, entries=(an_entry("start", a_start(patient.patient_id), at=at),))
    )
    return journey_id


async def add(
    records: SqlRecords, journey_id: str, *facts: Fact, at: datetime = START, actor: Actor = COORDINATOR
) -> None:
    """Write facts one minute apart, each under a key of its own."""
    entries = tuple(
        an_entry(an_id(), fact, at=at + timedelta(minutes=number), actor=actor)
        for number, fact in enumerate(facts)
    )
    await records.append(Batch(journey_id=journey_id, entries=entries))

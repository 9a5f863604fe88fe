"""Who writes text messages in these tests? The provider, with its signature, for a telephone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import httpx2
from fastapi import FastAPI

from api.signatures import signature
from clinical.events import Entry, Fact, SessionBooked, SessionOpened
from clinical.people import ENGINE
from services.notifications.interface import Contact, SendRequest, TemplateName
from services.records.interface import Batch
from tests.api.caller import SITE
from tests.api.conftest import SMS_TOKEN, Clinic

PHONE = "+12025550199"
OTHER_PHONE = "+12025550123"
HOST = "http://api.example.org"
SOON = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)


async def call(
    app: FastAPI, path: str, fields: dict[str, str], token: str = SMS_TOKEN, sign: bool = True
) -> httpx2.Response:
    """The provider calls us."""
    headers = {"x-twilio-signature": signature(token, HOST + path, list(fields.items()))} if sign else {}
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        return await client.post(path, data=fields, headers=headers)


async def text(clinic: Clinic, body: str, sid: str, sender: str = PHONE, **more: str) -> str:
    """A text message comes in; what is answered."""
    fields = {"MessageSid": sid, "From": sender, "To": "+12025550100", "Body": body, **more}
    answer = await call(clinic.app, "/v1/inbound/sms", fields)
    assert answer.status_code == 200, answer.text
    found = re.search(r"<Message>(.*)</Message>", answer.text)
    return found[1] if found else ""


async def receipt(clinic: Clinic, sid: str, status: str, **more: str) -> int:
    fields = {"MessageSid": sid, "MessageStatus": status, **more}
    return (await call(clinic.app, "/v1/inbound/sms-status", fields)).status_code


async def write(clinic: Clinic, course: str, *facts: Fact, at: datetime | None = None) -> None:
    """Put facts into the record, as the workflows do."""
    now = at or datetime.now(UTC)
    entries = tuple(
        Entry(key=f"test:{fact.kind}:{now.timestamp()}:{number}", occurred_at=now, actor=ENGINE, fact=fact)
        for number, fact in enumerate(facts)
    )
    await clinic.records.append(Batch(journey_id=journey_of(course), entries=entries))


def journey_of(course: str) -> str:
    return course.replace("/v1/journeys", "journey")


def booked(session: int, starts_at: datetime, moved_from: datetime | None = None) -> SessionBooked:
    end = starts_at + timedelta(hours=4)
    return SessionBooked(
        session=session, starts_at=starts_at, ends_at=end, room="room-1", moved_from=moved_from
    )


def opened(session: int) -> SessionOpened:
    return SessionOpened(session=session, plan_hash="0f" * 32, earliest_at=datetime.now(UTC))


async def a_visit(clinic: Clinic, starts_at: datetime = SOON, **patient: object) -> tuple[str, str]:
    """A patient with a booked visit: the address of the course and who it is."""
    patient_id = await clinic.a_patient(**patient)
    course = await clinic.a_journey(key=f"start-{patient_id}", patient_id=patient_id)
    await write(clinic, course, opened(1), booked(1, starts_at))
    return course, patient_id


async def remind(
    clinic: Clinic, course: str, patient_id: str, starts_at: datetime = SOON, n: int = 1, **contact: object
) -> None:
    """The reminder of the visit leaves by SMS."""
    now = datetime.now(UTC)
    await clinic.here.messages.send(a_reminder(course, patient_id, now, starts_at, n, contact))


def a_reminder(
    course: str,
    patient_id: str,
    now: datetime,
    starts_at: datetime = SOON,
    n: int = 1,
    contact: Mapping[str, object] = MappingProxyType({}),
) -> SendRequest:
    recipient = {
        "name": "Quentin",
        "phone_e164": PHONE,
        "time_zone": "America/New_York",
        "preferred_channel": "sms",
    }
    return SendRequest(
        key=f"{journey_of(course)}/session/1/reminder/{n}",
        journey_id=journey_of(course),
        site=SITE,
        patient_id=patient_id,
        recipient=Contact.model_validate({**recipient, **contact}),
        template=TemplateName.SESSION_REMINDER,
        parameters={"starts_at": starts_at.isoformat()},
        occurred_at=now,
        not_after=now + timedelta(days=1),
        urgent=True,
    )

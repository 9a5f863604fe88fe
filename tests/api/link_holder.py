"""Who opens a patient's link? A browser that keeps cookies, fills in forms and follows nothing by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI

from clinical.events import Entry, Fact, SessionBooked, SessionOpened, TaskOpened
from clinical.people import ENGINE, Role
from services.records.interface import Batch
from tests.api.conftest import PATIENT, Clinic

BASE = "http://api.example.org"
VISIT_AT = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
WEEK_TASK = "follow-up/1/follow-up-week-4/1"


class Browser:
    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.visited: list[str] = []
        self.titles: list[str] = []

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return self._seen(await self._client.get(path, headers=headers))

    async def post(self, path: str, **form: str) -> httpx2.Response:
        return self._seen(await self._client.post(path, data=form))

    async def prove(self, path: str, birth_date: str = PATIENT["birth_date"]) -> httpx2.Response:
        year, month, day = birth_date.split("-")
        return await self.post(path, year=year, month=month.lstrip("0"), day=day)

    def _seen(self, answer: httpx2.Response) -> httpx2.Response:
        self.visited += [str(answer.url), answer.headers.get("location", "")]
        self.titles += re.findall(r"<title>(.*?)</title>", answer.text)
        return answer


@asynccontextmanager
async def a_browser(app: FastAPI) -> AsyncIterator[Browser]:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield Browser(client)


async def note(clinic: Clinic, course: str, *facts: Fact, at: datetime | None = None) -> None:
    """The record of the course goes on."""
    journey = course.removeprefix("/v1/journeys/")
    entries = tuple(
        Entry(
            key=f"test:{fact.kind}:{at}:{number}",
            occurred_at=at or datetime.now(UTC),
            actor=ENGINE,
            fact=fact,
        )
        for number, fact in enumerate(facts)
    )
    await clinic.records.append(Batch(journey_id=f"journey/{journey}", entries=entries))


async def a_booked_course(clinic: Clinic, **patient: object) -> str:
    course = await clinic.a_journey(patient_id=await clinic.a_patient(**patient))
    opened = SessionOpened(session=1, plan_hash="0f" * 32, earliest_at=VISIT_AT)
    await note(clinic, course, opened, booked(VISIT_AT))
    return course


def booked(at: datetime) -> SessionBooked:
    return SessionBooked(session=1, starts_at=at, ends_at=at + timedelta(hours=4), room="room-1")


async def a_course_in_follow_up(clinic: Clinic, **patient: object) -> str:
    course = await clinic.a_journey(patient_id=await clinic.a_patient(**patient))
    task = TaskOpened(
        task_id=WEEK_TASK,
        code="follow-up-week-4",
        owner=Role.COORDINATOR,
        due_at=VISIT_AT,
        reason="the questionnaires of week 4 have to come in",
    )
    await note(clinic, course, task)
    return course


async def a_link(clinic: Clinic, course: str, purpose: str, **about: Any) -> str:
    """The path of a link that a coordinator hands out."""
    answer = await clinic.coordinator.post(f"{course}/links", {"purpose": purpose, **about})
    assert answer.status_code == 201, answer.text
    return urlsplit(str(answer.json()["url"])).path


async def a_visit_link(clinic: Clinic, course: str) -> str:
    return await a_link(clinic, course, "session", of="session", number=1)


async def a_form_link(clinic: Clinic, course: str) -> str:
    return await a_link(clinic, course, "questionnaire", of="follow-up", number=1)

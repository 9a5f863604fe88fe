"""What does a route get handed? The caller, the composition, the course of its address, and a desk.

The desk turns the body of a request into a command and sends it to the workflow that owns the matter. Its key
is the request's (`api.idempotency`), its actor the caller in the role they act in.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Path, Request
from pydantic import ValidationError

from api.auth import Caller
from api.composition import Composition, composition_of
from api.engine import EngineRefused, NotRunning
from api.errors import invalid_model
from api.on_the_loop import on_the_loop
from api.problems import Problem
from api.schemas.values import Act, Identifier, Site
from clinical.people import Role
from services.records.errors import NotFound
from services.records.note_access import NoteKind, NoteRef
from services.records.views import JourneyView
from workflows.messages import Accepted, Command
from workflows.names import journey_id

A = TypeVar("A", bound=Accepted)
C = TypeVar("C", bound=Command)
Number = Annotated[int, Path(ge=1, le=1000)]
EventId = Annotated[str, Path(pattern=r"^ae-[0-9]{1,6}$")]
CaseId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]

Composed = Annotated[Composition, on_the_loop(composition_of)]


def caller_of(request: Request) -> Caller:
    """The person whom `api.entrance` let in."""
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


CallerHere = Annotated[Caller, on_the_loop(caller_of)]


def key_of(request: Request) -> str:
    """The key of this request: the same for the same request sent again."""
    return str(request.state.key)


KeyHere = Annotated[str, on_the_loop(key_of)]


class Course:
    """The course of treatment that the address names, at one of the caller's sites."""

    def __init__(self, site: str, ulid: str, composition: Composition) -> None:
        self.site = site
        self.id = journey_id(site, ulid)
        self.href = f"/v1/journeys/{site}/{ulid}"
        self._composition = composition

    async def view(self) -> JourneyView:
        """The course as the record has it; raises NotFound."""
        return await self._composition.queries.journey([self.site], self.id)

    async def person(self) -> str:
        """The id of the patient whose course it is; raises NotFound."""
        return await self._composition.queries.person([self.site], self.id)


async def course_of(
    site: Annotated[Site, Path()], ulid: Annotated[Identifier, Path()], here: Composed, caller: CallerHere
) -> Course:
    """A patient has one's own courses only: another one does not exist for them."""
    course = Course(site, ulid, here)
    if caller.role is Role.PATIENT and await course.person() != caller.principal.patient:
        raise Problem("not-found")
    return course


CourseHere = Annotated[Course, Depends(course_of)]


class Desk:
    """Where commands of this request are handed in."""

    def __init__(self, here: Composed, caller: CallerHere, key: KeyHere) -> None:
        self._here = here
        self._caller = caller
        self._key = key

    def message(self, kind: type[C], body: Act, **more: Any) -> C:
        """The body as the workflows' message, signed with key and actor; `more` comes from elsewhere."""
        signed = {**body.message(), **more, "key": self._key, "actor": self._caller.actor}
        try:
            return kind.model_validate(signed)
        except ValidationError as error:
            raise invalid_model(error) from None

    @asynccontextmanager
    async def note(self, course: Course, session: int, kind: NoteKind, text: str) -> AsyncIterator[NoteRef]:
        """Keep a psychotherapy note first; what then goes to the workflow knows its id and hash only.

        When the workflow says no, the note stays and is marked as refused; when nobody answers, what became of
        it is told by the record.
        """
        actor, notes = self._caller.actor, self._here.notes
        kept = await notes.write(course.id, session, kind, actor, self._key, text)
        try:
            yield kept
        except (EngineRefused, Problem):
            await notes.refused(course.id, kept.note_id, actor)
            raise

    async def send(self, course: Course, update: str, message: Command, *, part: str = "") -> Accepted:
        """Send a command to the course or to a part of it ("session/3")."""
        return await self.ask(course, update, message, Accepted, part=part)

    async def ask(
        self, course: Course, update: str, message: Command, answer: type[A], *, part: str = ""
    ) -> A:
        """The same with an answer that says more."""
        workflow_id = f"{course.id}/{part}" if part else course.id
        try:
            return await self._here.engine.command(workflow_id, update, message, answer)
        except NotRunning:
            raise await self._why_not(course, part) from None

    async def _why_not(self, course: Course, part: str) -> Problem:
        """Nobody is there: was there ever, or is it over?"""
        try:
            journey = await course.view()
        except NotFound:
            return Problem("not-found", "there is no such course")
        if journey.closed_at is not None:
            return Problem("not-possible-now", f"the course is {journey.stage} and takes no further step")
        if part.startswith("session/"):
            number = int(part.partition("/")[2])
            if all(visit.session != number for visit in journey.sessions):
                return Problem("not-found", "the course has no such session yet")
        return Problem("not-possible-now", "this part of the course is over, or has not begun")


DeskHere = Annotated[Desk, on_the_loop(Desk)]

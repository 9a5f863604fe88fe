"""What does a patient do by a link? The same commands as anybody's, by the same door of the engine.

The actor is the patient, the key the link's id: an act happens once, however often it is sent. An answer
that cannot wait goes to the engine at the moment it is given; until the engine has it, it is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import locked_links
from api.auth import Caller, Principal
from api.composition import Composition
from api.dependencies import Course, Desk
from api.engine import EngineRefused, EngineUnavailable, NotRunning
from api.link_door import Busy, Gone
from api.problems import Problem
from api.routes.risk import concern_anyway
from api.schemas.course import ReasonIn
from api.schemas.values import Act
from clinical.instruments.answers import InstrumentId
from clinical.journey import Move
from clinical.people import Role
from clinical.readiness import ReadinessAnswers
from services.links.drafts import Forms
from services.links.interface import Alarm, Held, Link
from workflows.messages import (
    Accepted,
    AnswerReadiness,
    AskToMove,
    Leave,
    QuestionnaireAnswers,
    RaiseConcern,
    SubmitQuestionnaires,
)

LOOK_EVERY_S = 30.0
READY, MOVE, TAKE, SEND, WITHDRAW, DECLINE = "ready", "move", "take", "send", "withdraw", "decline"

_log = structlog.get_logger(__name__)
T = TypeVar("T")


def patient_of(link: Link | Alarm) -> Caller:
    """The patient, at the site of the link only."""
    whom = Principal(link.patient_id, frozenset({Role.PATIENT}), frozenset({link.site}))
    return Caller(whom, Role.PATIENT)


def desk_of(here: Composition, link: Link | Alarm, key: str) -> tuple[Course, Desk]:
    """The course of the link, and a desk at which its patient stands."""
    ulid = link.journey_id.rpartition("/")[2]
    return Course(link.site, ulid, here), Desk(here, patient_of(link), key)


def key_of(link: Link) -> str:
    return f"link-{link.link_id}"


async def once(here: Composition, link: Link, act: str, do: Callable[[], Awaitable[T]]) -> T:
    """Do it, unless it is being done or was done. Raises Busy, Gone, and what the act itself raises."""
    match await here.links.take(link.link_id, act):
        case Held.BUSY:
            raise Busy
        case Held.SPENT:
            raise Gone
        case Held.TAKEN:
            pass
    try:
        done = await do()
    except (EngineRefused, NotRunning, Problem):
        await here.links.give_back(link.link_id)
        raise
    except BaseException:
        await here.links.leave_open(link.link_id)
        raise
    await here.links.settle(link.link_id)
    return done


async def answer_readiness(here: Composition, link: Link, answers: ReadinessAnswers) -> Accepted:
    course, desk = desk_of(here, link, key_of(link))
    message = desk.message(AnswerReadiness, Act(), answers=answers)
    return await once(
        here, link, READY, lambda: desk.send(course, "answer_readiness", message, part=link.part)
    )


async def ask_to_move(here: Composition, link: Link) -> Accepted:
    course, desk = desk_of(here, link, key_of(link))
    message = desk.message(AskToMove, Act())
    return await once(here, link, MOVE, lambda: desk.send(course, "ask_to_move", message, part=link.part))


async def withdraw(here: Composition, link: Link) -> Accepted:
    course, desk = desk_of(here, link, key_of(link))
    body = ReasonIn(reason="by the patient's own link")
    message = desk.message(Leave, body, move=Move.WITHDRAW, channel="link")
    return await once(here, link, WITHDRAW, lambda: desk.send(course, "leave", message))


async def send_forms(here: Composition, link: Link) -> None:
    """What has not been told yet; alarms that nobody has heard go first."""

    async def do() -> None:
        for alarm in await here.drafts.unsettled(link):
            if not await tell(here, alarm):
                raise EngineUnavailable
        untold = (await here.drafts.of(link)).untold
        if untold:
            course, desk = desk_of(here, link, key_of(link))
            await desk.send(course, "submit_questionnaires", _forms(desk, untold), part=link.part)

    await once(here, link, SEND, do)
    await here.drafts.drop(link)


async def tell(here: Composition, alarm: Alarm) -> bool:
    """Hand the answer on that cannot wait. False: nobody could be reached, it is tried again.

    A part that takes no answers any more does not end it: then it is a concern like anybody's.
    """
    course, desk = desk_of(here, alarm, alarm.key)
    message = _forms(desk, {alarm.instrument: alarm.answers})
    try:
        try:
            await desk.send(course, "submit_questionnaires", message, part=alarm.part)
        except (Problem, EngineRefused):
            text = f"{alarm.instrument} by the patient's link: the suicide item was answered positively"
            concern = desk.message(RaiseConcern, Act(), text=text, on_site=False)
            await concern_anyway(concern, course, desk, here)
        await here.drafts.settle(alarm)
    except Exception as failure:  # whatever it is: the page with the help must come, and it is tried again
        _log.error(
            "alarm of a link not heard yet", journey_id=alarm.journey_id, error_type=type(failure).__name__
        )
        return False
    return True


async def keep_telling(here: Composition, every_s: float = LOOK_EVERY_S) -> None:
    """Hand on, again and again until cancelled, what could not be handed on before; forget what has expired."""
    while True:
        try:
            for alarm in await here.drafts.unsettled():
                await tell(here, alarm)
            await here.drafts.forget_expired()
            await locked_links.tell(here)
        except SQLAlchemyError as failure:
            _log.warning("alarms of links not looked at", error_type=type(failure).__name__)
        await asyncio.sleep(every_s)


def _forms(desk: Desk, forms: Forms) -> SubmitQuestionnaires:
    answers = tuple(
        QuestionnaireAnswers(instrument=InstrumentId(name), answers=form) for name, form in forms.items()
    )
    return desk.message(SubmitQuestionnaires, Act(), questionnaires=answers, on_site=False)

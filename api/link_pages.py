"""Which page does a visitor see, and what does a button of it do? One pair of functions for each purpose.

Questionnaires have a file of their own (`api.link_questions`). Nothing here acts unless a form was sent.
"""

from datetime import datetime
from typing import Any

from fastapi import Request, Response

from api import link_acts, link_offers, link_times
from api.composition import Composition, composition_of
from api.link_door import Gone, Visitor, form_of, numbers_of
from api.link_standing import ACCEPT, visit_of, waits
from api.patient_pages import WORDS, page, said
from api.problems import Problem
from clinical.readiness import ReadinessAnswers, answers_refused
from services.links.interface import Purpose
from services.notifications.language import Language
from services.notifications.local_time import local_time

ANSWERS = {
    "escort": "escort_name_present",
    "escort_agreed": "escort_confirmed",
    "fast": "will_fast",
    "substances": "will_avoid_substances",
    "medication": "medication_changes",
    "illness": "illness",
    "pregnancy": "pregnancy_possible",
    "consent": "consent_in_force",
}
"""What a patient is asked before a visit, by the answer that it becomes."""

YES_NO = {"yes": True, "no": False}


def shown(request: Request, who: Visitor, template: str, status: int = 200, **values: Any) -> Response:
    """A page of this link, with a way to the other language."""
    other = next(language for language in Language if language is not who.language)
    numbers = numbers_of(composition_of(request))
    return page(template, who.language, numbers, status, here=who.here, other_language=other, **values)


def told(request: Request, who: Visitor, name: str, status: int = 200, **values: Any) -> Response:
    return said(name, who.language, numbers_of(composition_of(request)), status, **values)


def when(at: datetime, who: Visitor) -> str:
    return local_time(at, who.contact.time_zone, who.language)


def front(request: Request, who: Visitor) -> Response:
    match who.link.purpose:
        case Purpose.SESSION:
            return shown(request, who, "session", starts_at=_starts_at(who))
        case Purpose.OFFER:
            return _offer(request, who)
        case Purpose.WITHDRAWAL:
            return shown(request, who, "withdrawal")
        case _:
            return _next(request, who)


async def further(request: Request, who: Visitor, step: str) -> Response:
    """The page behind a button."""
    words = WORDS[who.language]
    match who.link.purpose, step:
        case Purpose.SESSION, "ready":
            return await _ready(request, who, {})
        case Purpose.SESSION, "move":
            return await _times(request, who)
        case Purpose.WITHDRAWAL, "sure":
            return shown(request, who, "sure", words=words["sure"], action=f"{who.here}/sure", grave=True)
        case _:
            raise Gone


async def act(request: Request, who: Visitor, step: str) -> Response:
    """What a form of this link does."""
    here = composition_of(request)
    match who.link.purpose, step:
        case Purpose.SESSION, "ready":
            return await _say_ready(request, who, here)
        case Purpose.SESSION, "move":
            return await _move(request, who, here)
        case Purpose.OFFER, ("accept" | "decline") if who.offer is not None:
            answer = link_offers.accept if step == ACCEPT else link_offers.decline
            await answer(here, who.link, who.offer)
            return told(request, who, f"done.{step}")
        case Purpose.WITHDRAWAL, "sure":
            await link_acts.withdraw(here, who.link)
            return told(request, who, "done.withdrawal")
        case _:
            raise Gone


def done(request: Request, who: Visitor) -> Response:
    """What was done by this link, for whoever did it and looks again."""
    match who.link.act:
        case link_acts.READY:
            sessions = {f"session/{visit.session}": visit for visit in who.journey.sessions}
            visit = sessions.get(who.link.part)
            return told(request, who, _thanks(visit.readiness if visit else None))
        case link_acts.MOVE:
            return told(request, who, "done.move")
        case link_acts.TAKE:
            return told(request, who, "done.moved")
        case link_acts.WITHDRAW:
            return told(request, who, "done.withdrawal")
        case "accept" | "decline":
            return told(request, who, f"done.{who.link.act}")
        case _:
            return told(request, who, "done.questionnaire")


def _thanks(light: str | None) -> str:
    return {"amber": "done.ready_amber", "red": "done.ready_red"}.get(light or "", "done.ready")


def _offer(request: Request, who: Visitor) -> Response:
    """What is offered, until when, and the time that the visit has now."""
    if who.offer is None:
        raise Gone
    booked = {f"session/{visit.session}": visit.starts_at for visit in who.journey.sessions if waits(visit)}
    now = booked.get(who.link.part)
    return shown(
        request,
        who,
        "offer",
        starts_at=when(who.offer.starts_at, who),
        until=when(who.link.expires_at, who),
        booked=when(now, who) if now else "",
    )


def _starts_at(who: Visitor) -> str:
    visit = visit_of(who.link, who.journey)
    if visit is None or visit.starts_at is None:
        raise Gone
    return when(visit.starts_at, who)


async def _times(request: Request, who: Visitor, *, taken: bool = False) -> Response:
    """The times that can be chosen; where there are none, only the question for another one."""
    found = await link_times.choices(composition_of(request), who.link, who.journey)
    status = 409 if taken else 200
    if not found:
        words, action = WORDS[who.language]["move"], f"{who.here}/move"
        starts_at = _starts_at(who)
        return shown(
            request, who, "sure", status, words=words, action=action, grave=False, starts_at=starts_at
        )
    times = [(at.isoformat(), when(at, who)) for at in found]
    return shown(request, who, "move", status, starts_at=_starts_at(who), times=times, taken=taken)


async def _move(request: Request, who: Visitor, here: Composition) -> Response:
    chosen = form_of(request).get("starts_at", "")
    if not chosen:
        await link_acts.ask_to_move(here, who.link)
        return told(request, who, "done.move")
    visit, at = visit_of(who.link, who.journey), _instant(chosen)
    if visit is None or at is None or at not in await link_times.choices(here, who.link, who.journey):
        return await _times(request, who, taken=True)
    try:
        await link_times.take(here, who.link, visit.session, at)
    except Problem as problem:
        if problem.code in {"slot-conflict", "invalid-time", "hold-expired"}:
            return await _times(request, who, taken=True)
        raise
    return told(request, who, "done.moved", starts_at=when(at, who))


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


async def _ready(
    request: Request,
    who: Visitor,
    given: dict[str, str],
    *,
    missing: bool = False,
    phone_refused: bool = False,
) -> Response:
    here = composition_of(request)
    rules = (await here.records.protocol(who.link.site, who.journey.protocol)).readiness
    return shown(
        request,
        who,
        "ready",
        422 if missing or phone_refused else 200,
        starts_at=_starts_at(who),
        questions=await _asked(here, who),
        given=given,
        missing=missing,
        phone_refused=phone_refused,
        food_hours=f"{rules.fasting_food_hours:g}",
        fluids_hours=f"{rules.fasting_clear_fluids_hours:g}",
        substance_hours=f"{rules.substance_free_hours:g}",
    )


async def _asked(here: Composition, who: Visitor) -> list[str]:
    person = await here.queries.patient([who.link.site], who.link.patient_id)
    return [name for name in ANSWERS if name != "pregnancy" or person.sex != "male"]


async def _say_ready(request: Request, who: Visitor, here: Composition) -> Response:
    given, asked = form_of(request), await _asked(here, who)
    if given.get("escort") == "no":
        asked = [name for name in asked if name != "escort_agreed"]
    if any(given.get(name) not in YES_NO for name in asked):
        return await _ready(request, who, given, missing=True)
    answers = _answers(given, asked, who.contact.phone_e164)
    phone = given.get("escort_phone", "")
    if answers.escort_name_present and answers_refused(answers.model_copy(update={"escort_phone": phone})):
        return await _ready(request, who, given, phone_refused=True)
    try:
        accepted = await link_acts.answer_readiness(here, who.link, answers)
    except Problem as problem:
        if problem.code == "invalid-answers":
            return await _ready(request, who, given, phone_refused=True)
        raise
    return told(request, who, _thanks(accepted.state))


def _answers(given: dict[str, str], asked: list[str], own_phone: str | None) -> ReadinessAnswers:
    said = {ANSWERS[name]: YES_NO[given[name]] for name in asked}
    return ReadinessAnswers.model_validate(
        {
            "pregnancy_possible": False,
            **said,
            "escort_phone": given.get("escort_phone") or None,
            "patient_phone": own_phone,
        }
    )


def _next(request: Request, who: Visitor) -> Response:
    """What is booked and due, soonest first, in the patient's own time zone."""
    words, journey = WORDS[who.language]["next"], who.journey
    now = composition_of(request).links.now()
    coming: list[tuple[datetime, str, str]] = [
        *((visit, words["visit"], words["visit_then"]) for visit in _booked(who) if visit > now),
        *((due, words["questions"], words["questions_then"]) for due in _questions_due(who)),
    ]
    consultation = journey.consultation_at
    if consultation is not None and consultation > now and journey.consultation_outcome is None:
        coming.append((consultation, words["consultation"], ""))
    return shown(
        request,
        who,
        "next",
        stage=words["stages"].get(journey.stage, ""),
        on_hold=journey.on_hold,
        coming=[{"what": what, "when": when(at, who), "then": then} for at, what, then in sorted(coming)],
    )


def _booked(who: Visitor) -> list[datetime]:
    return [visit.starts_at for visit in who.journey.sessions if waits(visit) and visit.starts_at]


def _questions_due(who: Visitor) -> list[datetime]:
    return [task.due_at for task in who.journey.open_tasks if task.code.startswith("follow-up-week-")]

"""Where does a patient's link lead? Four addresses: look and prove who one is, then look and act.

A GET shows and never acts. They answer with pages for people, not with problems: `api.link_door` says how.
"""

from fastapi import APIRouter, Request, Response

from api import link_pages, link_questions, locked_links
from api.composition import composition_of
from api.link_door import (
    LANGUAGE,
    PATH,
    PROOF,
    Gone,
    LinkRoute,
    Visitor,
    form_of,
    remember,
    visitor,
)
from api.link_pages import done, shown
from api.link_questions import redirect
from api.link_reach import reads_there
from services.links.interface import ATTEMPTS, Purpose

router = APIRouter(prefix=PATH.rstrip("/"), tags=["links"], route_class=LinkRoute, include_in_schema=False)


@router.get("/{token}", operation_id="open_link")
async def open_link(request: Request, token: str) -> Response:
    """The first page of a link: the question who one is, or what it is about."""
    who = await visitor(request, token)
    if not who.proved:
        answer = _identify(request, who)
    elif who.link.spent_at is not None:
        answer = done(request, who)
    elif who.link.purpose is Purpose.QUESTIONNAIRE:
        answer = await link_questions.front(request, who)
    else:
        answer = link_pages.front(request, who)
    return _in_their_language(answer, request, who)


@router.post("/{token}", operation_id="identify_by_link")
async def identify(request: Request, token: str) -> Response:
    """The birth date. After the last wrong one the link is dead."""
    who, here = await visitor(request, token), composition_of(request)
    if who.proved:
        return redirect(who.here)
    known = (await here.queries.patient([who.link.site], who.link.patient_id)).birth_date
    if not await here.links.try_birth_date(who.link.link_id, _birth_date(form_of(request)), known):
        await locked_links.tell(here)
        return _identify(request, await visitor(request, token), wrong=True)
    await reads_there(here, who.link)
    return remember(redirect(who.here), request, who, PROOF, here.links.proof(who.link))


@router.get("/{token}/{step}", operation_id="open_link_page")
async def open_link_page(request: Request, token: str, step: str) -> Response:
    """A page behind the first one."""
    who = await visitor(request, token)
    if not who.proved or who.link.spent_at is not None:
        return redirect(who.here)
    if who.link.purpose is Purpose.QUESTIONNAIRE:
        answer = await link_questions.further(request, who, step)
    else:
        answer = await link_pages.further(request, who, step)
    return _in_their_language(answer, request, who)


@router.post("/{token}/{step}", operation_id="act_by_link")
async def act_by_link(request: Request, token: str, step: str) -> Response:
    """What a button does; the second time it shows what was done the first time."""
    who = await visitor(request, token)
    if not who.proved or who.link.spent_at is not None:
        return redirect(who.here)
    try:
        if who.link.purpose is Purpose.QUESTIONNAIRE:
            return await link_questions.act(request, who, step)
        return await link_pages.act(request, who, step)
    except Gone:
        if (await visitor(request, token)).link.spent_at is None:
            raise
        return redirect(who.here)


def _identify(request: Request, who: Visitor, *, wrong: bool = False) -> Response:
    left = ATTEMPTS - who.link.failed_checks if wrong else None
    return shown(request, who, "identify", 422 if wrong else 200, left=left)


def _birth_date(form: dict[str, str]) -> str:
    year, month, day = (form.get(name, "") for name in ("year", "month", "day"))
    return f"{year}-{month.zfill(2)}-{day.zfill(2)}"


def _in_their_language(answer: Response, request: Request, who: Visitor) -> Response:
    """A choice of language is remembered for the pages behind."""
    if LANGUAGE in request.query_params:
        return remember(answer, request, who, LANGUAGE, str(who.language))
    return answer

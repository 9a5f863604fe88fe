"""How does a patient come in by a link? The door of all their pages.

Opening an address never does anything: scanners of mail open everything. Unknown, expired, revoked, locked,
used and outdated links get one and the same answer, 410, so that trying tells nothing. Before anything is
shown, the browser proves by the birth date that it is the patient's; the proof is a cookie for this address.
Every failure ends as a page in words, with the crisis lines on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import structlog
from fastapi import Request, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from api.composition import Composition, composition_of
from api.engine import EngineRefused, EngineUnavailable, NotRunning
from api.entrance import ActRoute
from api.limiter import TooMany
from api.link_standing import offer_of, stands
from api.patient_pages import Numbers, said, wished
from api.problems import Problem
from services.booking.interface import BookingView
from services.links.interface import Link, Purpose
from services.notifications.language import Language, language_for
from services.records.errors import NotFound, RecordsUnavailable
from services.records.interface import Contact
from services.records.views import JourneyView

LARGEST_FORM = 8 * 1024
PROOF, LANGUAGE = "proof", "lang"
PATH = "/l/"

_log = structlog.get_logger(__name__)


class Gone(Exception):
    """This link leads nowhere: why, nobody is told."""


class OfferGone(Gone):
    """For whoever has shown to be the patient: the time that was offered cannot be had any more."""


class Busy(Exception):
    """Somebody else is doing it at this moment."""


@dataclass(frozen=True)
class Visitor:
    """A browser with a link that lives; `proved` once it has shown to be the patient's."""

    link: Link
    journey: JourneyView
    contact: Contact
    language: Language
    proved: bool
    here: str
    """The address of this link, without what is behind it."""
    offer: BookingView | None = None
    """The time that can be taken by it, of a link that is for this."""


class LinkRoute(ActRoute):
    """A page of a patient; its failures are pages as well."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                composition_of(request).limiter.admit(request.client.host if request.client else "")
                if request.method == "POST":
                    request.state.form = await _form(request)
                response: Response = await answer(request)
                return response
            except Exception as failure:
                return _failed(request, failure)

        return handle


def numbers_of(here: Composition) -> Numbers:
    return Numbers(here.help_numbers.crisis, here.help_numbers.text, here.help_numbers.emergency)


def form_of(request: Request) -> dict[str, str]:
    """The fields of the form that was sent; each once."""
    form: dict[str, str] = request.state.form
    return form


async def visitor(request: Request, token: str) -> Visitor:
    """Who comes in. Raises Gone; a link that was used is gone as well, except for whoever used it just now."""
    here = composition_of(request)
    link = await here.links.find(token)
    if link is None:
        raise Gone
    proved = here.links.proved(link, request.cookies.get(PROOF, ""))
    if not link.lives(here.links.now()):
        raise _over(link, proved)
    try:
        journey = await here.queries.journey([link.site], link.journey_id)
        contact = await here.records.contact(link.patient_id)
    except NotFound:
        raise Gone from None
    used = link.spent_at is not None
    if (used and not proved) or not (used or stands(link, journey, here.links.now())):
        raise Gone
    offer = await offer_of(here.bookings, link, here.links.now())
    if link.purpose is Purpose.OFFER and offer is None and not used:
        raise _over(link, proved)
    wish = request.query_params.get(LANGUAGE) or request.cookies.get(LANGUAGE) or contact.language
    return Visitor(link, journey, contact, language_for(wish), proved, PATH + token, offer)


def _over(link: Link, proved: bool) -> Gone:
    """Only the patient hears that it was about an offer."""
    ended = (link.revoked_at, link.locked_at, link.spent_at) != (None, None, None)
    return OfferGone() if proved and link.purpose is Purpose.OFFER and not ended else Gone()


def remember(response: Response, request: Request, who: Visitor, name: str, value: str) -> Response:
    """Give the browser a cookie for this address only, gone when the browser is closed."""
    response.set_cookie(
        name,
        value,
        path=who.here,
        secure=composition_of(request).public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    return response


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise Problem("body-too-large")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=40)
    except ValueError:
        return {}
    return {name: values[0][:200].strip() for name, values in fields.items()}


def _failed(request: Request, failure: Exception) -> Response:
    """The page that stands for this failure; what nobody foresaw is noted, without what was sent."""
    here = composition_of(request)
    language = wished(request.headers.get("accept-language"))
    name, status = _page_of(failure)
    if status == 500:
        _log.error("patient page failed", error_type=type(failure).__name__, exc_info=failure)
    return said(name, language, numbers_of(here), status)


def _page_of(failure: Exception) -> tuple[str, int]:
    match failure:
        case OfferGone():
            return "offer_gone", 410
        case Gone():
            return "gone", 410
        case TooMany():
            return "too_many", 429
        case Busy():
            return "busy", 409
        case Problem() if failure.code == "body-too-large":
            return "refused", 413
        case Problem() | EngineRefused() | NotRunning():
            return "refused", 409
        case (
            EngineUnavailable() | RecordsUnavailable() | OperationalError() | InterfaceError() | PoolTimeout()
        ):
            return "trouble", 503
        case _:
            return "trouble", 500

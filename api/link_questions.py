"""How does a patient fill in a questionnaire on a phone? One question a page, kept as it is answered.

Whoever comes back goes on at the first question without an answer. An answer to the suicide item that opens a
risk case is handed on at once, and help is on the screen at once, whatever becomes of the rest.
"""

from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api import link_acts
from api.composition import Composition, composition_of
from api.link_door import Gone, Visitor, form_of
from api.link_forms import Questions, Screen, cannot_wait, instruments, questions
from api.link_pages import shown, told, when
from api.patient_pages import HEADERS
from clinical.protocol import Protocol
from services.links.drafts import Draft

SEND = "send"


async def front(request: Request, who: Visitor) -> Response:
    """What awaits the patient, or where they stopped."""
    here = composition_of(request)
    asked, _ = await _questions(here, who)
    left = asked.open(await here.drafts.of(who.link))
    return shown(
        request,
        who,
        "start",
        count=len(asked.screens),
        answered=len(asked.screens) - len(left),
        first=left[0].number if left else SEND,
        elsewhere=asked.elsewhere,
        until=when(who.link.expires_at, who),
    )


async def further(request: Request, who: Visitor, step: str) -> Response:
    """One question, or the page with the button that sends them all."""
    here = composition_of(request)
    asked, _ = await _questions(here, who)
    draft = await here.drafts.of(who.link)
    if step != SEND:
        return _item(request, who, asked, _screen(asked, step), draft)
    left = asked.open(draft)
    if left or not asked.screens:
        return redirect(f"{who.here}/{left[0].number}" if left else who.here)
    return shown(request, who, "send", count=len(asked.screens), help=bool(draft.told))


async def act(request: Request, who: Visitor, step: str) -> Response:
    """Keep an answer, or send all of them."""
    here = composition_of(request)
    asked, protocol = await _questions(here, who)
    if step != SEND:
        return await _answer(request, who, asked, protocol, _screen(asked, step))
    draft = await here.drafts.of(who.link)
    if asked.open(draft) or not asked.screens:
        return redirect(f"{who.here}/{SEND}")
    await link_acts.send_forms(here, who.link)
    return told(request, who, "done.questionnaire", help=bool(draft.told))


async def _answer(
    request: Request, who: Visitor, asked: Questions, protocol: Protocol, screen: Screen
) -> Response:
    here = composition_of(request)
    known = {str(option.value): option.value for option in screen.item.options}
    value = known.get(form_of(request).get("answer", ""))
    if value is None:
        return _item(request, who, asked, screen, await here.drafts.of(who.link), missing=True)
    urgent = partial(cannot_wait, screen, protocol=protocol, now=here.links.now())
    alarm = await here.drafts.keep(who.link, screen.form.instrument, screen.item.id, value, urgent)
    following = SEND if screen.number == len(asked.screens) else str(screen.number + 1)
    if alarm is None:
        return redirect(f"{who.here}/{following}")
    heard = await link_acts.tell(here, alarm)
    words = "alarm" if heard else "alarm_unheard"
    return told(request, who, words, help=True, go_on=f"{who.here}/{following}")


def _item(
    request: Request, who: Visitor, asked: Questions, screen: Screen, draft: Draft, *, missing: bool = False
) -> Response:
    return shown(
        request,
        who,
        "item",
        422 if missing else 200,
        number=screen.number,
        count=len(asked.screens),
        stem=screen.form.stem,
        text=screen.item.text,
        options=screen.item.options,
        given=screen.given(draft),
        credit=screen.form.credit,
        missing=missing,
    )


async def _questions(here: Composition, who: Visitor) -> tuple[Questions, Protocol]:
    protocol = await here.records.protocol(who.link.site, who.journey.protocol)
    asked = instruments(who.link.part, who.journey.indication, protocol)
    return questions(asked, here.wording, who.language), protocol


def _screen(asked: Questions, step: str) -> Screen:
    number = int(step) if step.isascii() and step.isdecimal() and len(step) < 4 else 0
    if not 1 <= number <= len(asked.screens):
        raise Gone
    return asked.screens[number - 1]


def redirect(address: str) -> Response:
    return RedirectResponse(address, 303, headers=HEADERS)

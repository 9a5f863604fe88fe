"""Which link goes with which message? Made when the message leaves: the engine and the record never see one.

What a message is about stands in its key: journey, part ("session/3") and name ("reminder/0", "offer/" and which,
"week/4/again").
"""

import re
from datetime import datetime, timedelta

from services.links.interface import NewLink, Purpose
from services.links.store import PatientLinks
from services.notifications.interface import SendRequest, TemplateName

OF_A_VISIT = frozenset(
    {TemplateName.SESSION_BOOKED, TemplateName.SESSION_MOVED, TemplateName.SESSION_REMINDER}
)
WEEK = re.compile(r"week/(\d{1,3})(/again)?")
OFFER = "offer/"
LIVES_AT_MOST = timedelta(days=60)
PATH = "/l/"


class MessageLinks:
    """Satisfies `LinkSource`."""

    def __init__(self, links: PatientLinks, public_url: str) -> None:
        self._links = links
        self._base = public_url.rstrip("/") + PATH

    async def address(self, request: SendRequest) -> str | None:
        new = link_for(request)
        if new is None:
            return None
        _, token = await self._links.make(new)
        return self._base + token


def link_for(request: SendRequest) -> NewLink | None:
    """What this message's reader may do, and until when."""
    head = f"{request.journey_id}/"
    if request.patient_id is None or not request.key.startswith(head):
        return None
    kind, number, name = [*request.key.removeprefix(head).split("/", 2), "", "", ""][:3]
    part = f"{kind}/{number}"
    if request.template in OF_A_VISIT and kind == "session":
        starts_at = request.parameters["starts_at"]
        return _link(request, Purpose.SESSION, part, starts_at, datetime.fromisoformat(starts_at))
    if request.template is TemplateName.VISIT_OFFERED and kind == "session" and name.startswith(OFFER):
        return _link(request, Purpose.OFFER, part, name.removeprefix(OFFER), request.not_after)
    week = WEEK.fullmatch(name)
    if request.template is TemplateName.FOLLOW_UP_DUE and kind == "follow-up" and week is not None:
        task = f"{part}/follow-up-week-{week[1]}/{'again' if week[2] else '1'}"
        return _link(request, Purpose.QUESTIONNAIRE, part, task, request.not_after)
    return None


def _link(
    request: SendRequest, purpose: Purpose, part: str, occurrence: str, expires_at: datetime
) -> NewLink:
    assert request.patient_id is not None
    return NewLink(
        cause=request.key,
        journey_id=request.journey_id,
        site=request.site,
        patient_id=request.patient_id,
        purpose=purpose,
        part=part,
        occurrence=occurrence,
        expires_at=min(expires_at, request.occurred_at + LIVES_AT_MOST),
        made_by="engine",
    )

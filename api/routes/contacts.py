"""How is a person reached, and who may change that? Opt-outs, languages, addresses, and codes that verify them.

Whoever changes it has looked at it: `If-Match` names the version. A patient has one's own contact only.
"""

from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import Header, Path, Query, Request, Response

from api.auth import Caller
from api.composition import Composition
from api.dependencies import CallerHere, Composed
from api.looking import seen_at
from api.paging import Paged
from api.problems import Fault, Problem
from api.routes.router import routes
from api.schemas.contacts import (
    CodeCheckIn,
    CodeIn,
    CodeOut,
    ContactChangeOut,
    ContactHistoryOut,
    ContactIn,
    ContactOut,
)
from api.schemas.values import Code, Identifier
from clinical.people import Role
from services.notifications.errors import NotificationError
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    SendRequest,
    TemplateName,
)
from services.records.contact_book import Checked, NewCode
from services.records.contact_views import ContactState, ContactView
from services.records.errors import RecordMoved, TooManyTries

router = routes("/v1/patients/{patient_id}/contact", "patients")

PatientId = Annotated[Identifier, Path()]
CHANNELS = ("email", "sms")

_log = structlog.get_logger(__name__)


@router.get("", operation_id="read_contact")
async def read_contact(
    patient_id: PatientId, here: Composed, caller: CallerHere, request: Request, response: Response
) -> ContactOut:
    """How the person is reached; `ETag` is the version that a change has to name."""
    found = await here.contacts.read(_sites(caller, patient_id), patient_id)
    seen_at(request, found.site)
    return _out(found, response)


@router.patch("", operation_id="change_contact")
async def change_contact(
    patient_id: PatientId,
    body: ContactIn,
    here: Composed,
    caller: CallerHere,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, include_in_schema=False)] = None,
) -> ContactOut:
    """Change addresses, language, zone or opt-outs of the version in `If-Match`; each change is kept with who and when.

    A code goes to an address that changed, and nothing else until it comes back. 428 without `If-Match`, 412
    `contact-changed` when somebody was faster, 422 when the preferred channel has no address.
    """
    sites = _sites(caller, patient_id)
    version = _version(if_match)
    before = await here.contacts.read(sites, patient_id)
    wanted = {
        "phone_e164" if name == "phone" else name: value
        for name, value in body.model_dump(exclude_unset=True).items()
    }
    if "opted_out_channels" in wanted:
        wanted["opted_out_channels"] = tuple(sorted(set(body.opted_out_channels)))
    _require_reachable(ContactView.model_validate({**before.model_dump(), **wanted}))
    try:
        after = await here.contacts.change(sites, patient_id, version, wanted, caller.actor)
    except RecordMoved:
        raise Problem("contact-changed", "read it again: somebody has changed it meanwhile") from None
    codes = {}
    for channel in CHANNELS:
        new = after.address(channel) is not None and after.address(channel) != before.address(channel)
        if (
            new
            and after.state(channel) is ContactState.UNVERIFIED
            and channel not in after.opted_out_channels
        ):
            codes[channel] = await _try_code(here, caller, sites, patient_id, channel)
    return _out(after, response, codes)


@router.get("/history", operation_id="read_contact_history")
async def read_contact_history(
    patient_id: PatientId,
    here: Composed,
    caller: CallerHere,
    paging: Paged,
    source: Annotated[Code | None, Query(description="only changes that came so: api, sms, code, …")] = None,
) -> ContactHistoryOut:
    """Changes of how the person is reached, oldest first: who, when, by which way, what was and what is."""
    found = await here.contacts.history(
        _sites(caller, patient_id), patient_id, source=source, after=paging.number, limit=paging.wanted
    )
    shown, mark = paging.page(found, lambda one: (one.version,))
    items = [ContactChangeOut.model_validate(one.model_dump()) for one in shown]
    counts = await here.contacts.history_counts(patient_id)
    return ContactHistoryOut(items=items, next_cursor=mark, counts=counts)


@router.post("/codes", operation_id="send_contact_code", status_code=202)
async def send_contact_code(
    patient_id: PatientId, body: CodeIn, here: Composed, caller: CallerHere
) -> CodeOut:
    """Send a new code to the address of this channel: whoever gives it back reads there.

    Until then nothing else goes to an address that was changed, and replies from there count for nobody; one that was
    told at registration goes on getting messages without details. 409 when the person has opted out of
    the channel, 429 `too-many-tries` after five in
    an hour, 503 `message-not-sent` when it could not leave.
    """
    sites = _sites(caller, patient_id)
    if body.channel in (await here.contacts.read(sites, patient_id)).opted_out_channels:
        raise Problem("not-possible-now", "the person wants nothing by this channel")
    code = await _new_code(here, caller, sites, patient_id, body.channel)
    if not await _sent(here, code):
        raise Problem("message-not-sent", "the code could not leave; ask for another one in a moment")
    return CodeOut(channel=body.channel, expires_at=code.expires_at)


@router.post("/codes/confirmation", operation_id="confirm_contact_code")
async def confirm_contact_code(
    patient_id: PatientId, body: CodeCheckIn, here: Composed, caller: CallerHere, response: Response
) -> ContactOut:
    """The code as the person read it: the address is verified.

    422 `code-wrong`; 410 `code-expired` after its time, after five attempts, when it was used or the address
    changed meanwhile.
    """
    sites, now = _sites(caller, patient_id), datetime.now(UTC)
    checked, contact = await here.contacts.confirm(
        sites, patient_id, body.channel, body.code, caller.actor, now
    )
    match checked:
        case Checked.WRONG:
            fault = Fault(pointer="/code", detail="is not the code that was sent", code="code-wrong")
            raise Problem("code-wrong", errors=[fault])
        case Checked.SPENT:
            raise Problem("code-expired", "ask for another code")
        case Checked.VERIFIED:
            if body.channel == "sms":
                await here.inbox.shared_with(patient_id, now)
            return _out(contact, response)


def _sites(caller: Caller, patient_id: str) -> list[str]:
    """Where the caller may look; a patient finds nobody else."""
    if caller.role is Role.PATIENT and caller.principal.patient != patient_id:
        raise Problem("not-found")
    return sorted(caller.principal.sites)


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise Problem("precondition-required", "send the version you have read: If-Match: <its ETag>")
    number = if_match.strip().removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdecimal()):
        raise Problem("contact-changed", "this is not the version of a contact")
    return int(number)


def _require_reachable(contact: ContactView) -> None:
    if contact.address(contact.preferred_channel) is None:
        text = "there is no address for this channel"
        fault = Fault(pointer="/preferred_channel", detail=text, code="no-contact-channel")
        raise Problem("invalid-request", text, errors=[fault])


async def _new_code(
    here: Composition, caller: Caller, sites: list[str], patient_id: str, channel: str
) -> NewCode:
    try:
        return await here.contacts.new_code(sites, patient_id, channel, caller.actor, datetime.now(UTC))
    except TooManyTries:
        headers = {"Retry-After": "3600"}
        raise Problem("too-many-tries", "five codes an hour are enough", headers=headers) from None


async def _try_code(
    here: Composition, caller: Caller, sites: list[str], patient_id: str, channel: str
) -> str:
    """The change stands, whether its code leaves or not."""
    try:
        code = await _new_code(here, caller, sites, patient_id, channel)
    except Problem:
        return "not-sent"
    return "sent" if await _sent(here, code) else "not-sent"


async def _sent(here: Composition, code: NewCode) -> bool:
    """The code goes to the address it is about and nowhere else, at any hour: somebody waits for it."""
    contact, now = code.contact, datetime.now(UTC)
    channel = ChannelName(code.channel)
    recipient = Contact(
        name="",
        email=contact.email if channel is ChannelName.EMAIL else None,
        phone_e164=contact.phone_e164 if channel is ChannelName.SMS else None,
        language=contact.language,
        time_zone=contact.time_zone,
        preferred_channel=channel,
    )
    request = SendRequest(
        key=f"code/{code.id}",
        journey_id=f"contact/{contact.site}",
        site=contact.site,
        recipient=recipient,
        template=TemplateName.CONTACT_CODE,
        parameters={"code": code.code},
        occurred_at=now,
        not_after=code.expires_at,
        urgent=True,
    )
    try:
        result = await here.messages.send(request)
    except NotificationError as failure:
        _log.warning("code not sent", code=type(failure).__name__)
        return False
    return result.status is CommunicationStatus.COMPLETED


def _out(contact: ContactView, response: Response, codes: dict[str, str] | None = None) -> ContactOut:
    response.headers["ETag"] = f'W/"{contact.version}"'
    return ContactOut.model_validate({**contact.model_dump(), "codes": codes or {}})

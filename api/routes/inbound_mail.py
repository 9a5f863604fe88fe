"""What does our mail server hand over? What patients answered to our mails, and what became of those.

It signs what it hands over (`api.mail_door`) and is always answered 202 with nothing in it: whether an address, a
message or a word is known here, nobody learns from it. It may hand the same mail over as often as it likes.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog
from fastapi import Request, Response

from api.composition import Composition
from api.dependencies import Composed
from api.mail_door import MEDIA_TYPE, SIGNATURE, TIMESTAMP
from api.problems import Problem
from api.receiving import receive
from api.routes.router import routes
from services.notifications.answers import answer_text
from services.notifications.errors import NotificationError
from services.notifications.incoming_mail import Reported, Unanswered, Written, read_mail
from services.notifications.interface import Answered, ChannelName, Contact, SendRequest, TemplateName
from services.records.inbox_views import AskedAbout, InboundText, Received

router = routes("/v1/inbound", "messages")

ANSWERED_WITHIN = timedelta(hours=24)
EXAMPLE = "From: patient@example.org\r\nIn-Reply-To: <0f1e@clinic.example.org>\r\n\r\nYES\r\n"

_log = structlog.get_logger(__name__)


def _header(name: str, pattern: str) -> dict[str, object]:
    return {"name": name, "in": "header", "required": True, "schema": {"type": "string", "pattern": pattern}}


@router.post(
    "/email",
    operation_id="receive_email",
    status_code=202,
    response_class=Response,
    openapi_extra={
        "parameters": [_header(TIMESTAMP, r"^[0-9]{1,11}$"), _header(SIGNATURE, r"^v1=[0-9a-f]{64}$")],
        "requestBody": {
            "required": True,
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "examples": [EXAMPLE]}}},
        },
    },
)
async def receive_email(request: Request, here: Composed) -> Response:
    """A mail as it came in (RFC 5322): YES, NO, CHANGE, STOP in English or Spanish above the quoted text.

    It acts only if it answers a mail of ours to this very person; any other one of theirs is read by a person. A
    report that ours did not arrive is a receipt. Machines are never answered. 403 `signature-invalid`.
    """
    mail = await asyncio.to_thread(read_mail, await here.mail_door.mail(request))
    match mail:
        case Written():
            await _receive(here, mail)
        case Reported(receipts=receipts):
            for receipt in receipts:
                await here.messages.take_receipt(receipt)
        case Unanswered(why=why):
            _log.info("mail not answered", decision=why)
    return Response(status_code=202)


async def _receive(here: Composition, mail: Written) -> None:
    answered = await here.messages.answered(mail.answers)
    if answered is None and not await here.inbox.senders(mail.sender, ChannelName.EMAIL):
        _log.info("mail not answered", decision="nobody-known")
        return
    message = InboundText(
        id=mail.id,
        sender=mail.sender,
        body=mail.text,
        channel=ChannelName.EMAIL.value,
        to_the_point=mail.to_the_point,
        to_patient=None if answered is None else answered.patient_id,
    )

    async def asked() -> Mapping[str, AskedAbout]:
        return _asked_about(answered)

    received = await receive(here, message, asked)
    if received.told and received.answer is not None and received.patient_id is not None:
        await _answer(here, message, received, received.patient_id)


def _asked_about(answered: Answered | None) -> Mapping[str, AskedAbout]:
    if answered is None or answered.asked is None:
        return {}
    return {answered.patient_id: AskedAbout(answered.asked.starts_at, answered.asked.sent_at)}


async def _answer(here: Composition, message: InboundText, received: Received, patient_id: str) -> None:
    """To the address of the patient, once for each mail. What cannot leave now leaves when the mail comes again."""
    assert received.answer is not None
    contact, site = await here.records.contact(patient_id), await here.inbox.site_of(patient_id)
    said = answer_text(
        received.answer,
        received.language,
        received.time_zone,
        received.answer_at,
        here.help_lines,
        ChannelName.EMAIL,
    )
    request = SendRequest(
        key=f"answer/{message.id}",
        journey_id=f"contact/{site}",
        site=site,
        patient_id=patient_id,
        recipient=Contact(
            name="",
            email=message.sender,
            language=received.language,
            time_zone=contact.time_zone,
            preferred_channel=ChannelName.EMAIL,
        ),
        template=TemplateName.MESSAGE_ANSWER,
        parameters={"said": said},
        occurred_at=received.received_at,
        not_after=received.received_at + ANSWERED_WITHIN,
        urgent=True,
    )
    try:
        await here.messages.send(request)
    except NotificationError:
        raise Problem("message-not-sent") from None

"""What does the SMS provider tell us? What patients wrote, and what became of what we sent.

No token: the provider signs with the account's secret. The provider may say everything twice and in any order.
The answer to a message is in the response, in the provider's markup: there is no second way on which it could
get lost or leave twice.
"""

from collections.abc import Mapping
from functools import partial
from xml.sax.saxutils import escape

from fastapi import Request, Response
from pydantic import ValidationError

from api.dependencies import Composed
from api.problems import Fault, Problem
from api.receiving import receive
from api.routes.router import routes
from api.signatures import FORM, signed_form
from clinical.replies import Reply
from services.notifications.answers import answer_text
from services.notifications.interface import Receipt
from services.records.inbox_views import AskedAbout, InboundText, Received

router = routes("/v1/inbound", "messages")

XML = "application/xml"
KEYWORDS = {"STOP": Reply.STOP, "START": Reply.START, "HELP": Reply.HELP}
"""What the provider has taken a message for (OptOutType), if it handles opting out itself."""
LONGEST_TEXT = 5000
LONGEST_ID = 64


def _form(**examples: str) -> dict[str, object]:
    fields = {name: {"type": "string"} for name in examples}
    schema = {"type": "object", "required": list(examples), "properties": fields, "examples": [examples]}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


@router.post(
    "/sms",
    operation_id="receive_sms",
    response_class=Response,
    openapi_extra=_form(MessageSid="SM01", From="+12025550143", Body="YES"),
    responses={200: {"content": {XML: {"schema": {"type": "string"}}}}},
)
async def receive_sms(request: Request, here: Composed) -> Response:
    """A text message of a patient: YES, NO, CHANGE, STOP in English or Spanish; anything else is asked once.

    Acted on once for each `MessageSid`, answered the same whenever it comes again. 403 `signature-invalid`.
    """
    fields = await signed_form(request, here.sms_provider)
    _require(fields, "MessageSid", "From", "Body")
    message = InboundText(
        id=fields["MessageSid"],
        sender=fields["From"],
        body=fields["Body"],
        keyword=KEYWORDS.get(fields.get("OptOutType", "").upper()),
    )
    received = await receive(here, message, partial(_asked, here, message.sender))
    return Response(_twiml(received, here), media_type=XML)


@router.post(
    "/sms-status",
    operation_id="receive_sms_status",
    status_code=204,
    response_class=Response,
    openapi_extra=_form(MessageSid="SM01", MessageStatus="delivered"),
)
async def receive_sms_status(request: Request, here: Composed) -> Response:
    """What became of a message: queued, sending, sent, delivered, undelivered or failed; in any order, any often.

    A message that did not arrive goes by another channel. 403 `signature-invalid`; words that are not known are
    kept by nobody and answered 204.
    """
    fields = await signed_form(request, here.sms_provider)
    _require(fields, "MessageSid", "MessageStatus")
    try:
        receipt = Receipt.model_validate(
            {
                "provider_id": fields["MessageSid"],
                "status": fields["MessageStatus"],
                "error_code": fields.get("ErrorCode") or None,
            }
        )
    except ValidationError:
        return Response(status_code=204)
    await here.messages.take_receipt(receipt)
    return Response(status_code=204)


async def _asked(here: Composed, sender: str) -> Mapping[str, AskedAbout]:
    found = await here.messages.last_asked(await here.inbox.senders(sender))
    return {who: AskedAbout(one.starts_at, one.sent_at) for who, one in found.items()}


def _require(fields: dict[str, str], *names: str) -> None:
    faults = [
        Fault(pointer=f"/{name}", detail="is required", code="missing")
        for name in names
        if name not in fields
    ]
    limits = {"MessageSid": LONGEST_ID, "From": LONGEST_ID, "Body": LONGEST_TEXT}
    faults += [
        Fault(pointer=f"/{name}", detail=f"has more than {limit} characters", code="too-long")
        for name, limit in limits.items()
        if len(fields.get(name, "")) > limit
    ]
    if "\0" in "".join(fields.values()):
        faults.append(Fault(pointer="", detail="holds a control character", code="control-character"))
    if not fields.get("MessageSid", "x"):
        faults.append(Fault(pointer="/MessageSid", detail="is empty", code="missing"))
    if faults:
        raise Problem("invalid-request", errors=faults)


def _twiml(received: Received, here: Composed) -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    if received.answer is None:
        return f"{head}<Response/>"
    said = answer_text(
        received.answer, received.language, received.time_zone, received.answer_at, here.help_lines
    )
    return f"{head}<Response><Message>{escape(said)}</Message></Response>"

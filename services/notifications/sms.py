"""How does a message leave by SMS?

A REST call in Twilio's shape: POST {url}/2010-04-01/Accounts/{account}/Messages.json with To, From and Body,
answered by 201 and {"sid": …} or by 4xx and {"code": …}. The service has no idempotency of its own; the
`Idempotency-Key` header serves gateways that have it.
Source of the codes: https://www.twilio.com/docs/api/errors
"""

from dataclasses import dataclass

import httpx2
import phonenumbers
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from services.notifications.channel import AddressRefused, OutgoingMessage
from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName

TIMEOUT_SECONDS = 15.0
# Not a number, cannot be reached, not a mobile, blocked by the person's own STOP.
BAD_NUMBER_CODES = frozenset({21211, 21214, 21217, 21610, 21612, 21614})


@dataclass(frozen=True)
class SmsGateway:
    url: str
    account: str
    token: SecretStr
    sender: str  # E.164 or a sender name
    status_callback: str | None = None  # where the provider tells what became of a message


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sid: str | None = None
    code: int | None = None


class SmsChannel:
    name = ChannelName.SMS

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway

    async def deliver(self, message: OutgoingMessage) -> str:
        number = _checked(message.address)
        gateway = self._gateway
        form = {"To": number, "From": gateway.sender, "Body": message.body}
        if gateway.status_callback is not None:
            form["StatusCallback"] = gateway.status_callback
        try:
            async with httpx2.AsyncClient(
                timeout=TIMEOUT_SECONDS, auth=(gateway.account, gateway.token.get_secret_value())
            ) as client:
                response = await client.post(
                    f"{gateway.url.rstrip('/')}/2010-04-01/Accounts/{gateway.account}/Messages.json",
                    data=form,
                    headers={"Idempotency-Key": message.reference},
                )
        except httpx2.HTTPError as failure:
            # Only the kind of failure: the text may repeat the request.
            raise ChannelUnavailable(self.name, type(failure).__name__) from None
        return _sid(response)


def _checked(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        raise AddressRefused("number-malformed") from None
    if not phonenumbers.is_possible_number(parsed):
        raise AddressRefused("number-impossible")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _sid(response: httpx2.Response) -> str:
    try:
        answer = _Answer.model_validate_json(response.content)
    except ValidationError:
        answer = _Answer()
    if response.is_success and answer.sid is not None:
        return answer.sid
    if response.status_code == 400 and answer.code in BAD_NUMBER_CODES:
        raise AddressRefused(str(answer.code))
    raise ChannelUnavailable(ChannelName.SMS, str(answer.code or response.status_code))

"""Does this really come from the SMS provider? Its signature over the address and every field tells.

Base64 of HMAC-SHA1, under the account's token, of the address it was told to call, followed by each field's name
and value in the order of the names. Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import SecretStr

from api.problems import Problem

FORM = "application/x-www-form-urlencoded"
HEADER = "x-twilio-signature"
LARGEST_FORM = 64 * 1024
MOST_FIELDS = 200


@dataclass(frozen=True)
class Provider:
    """Whose word counts: `token` signs, `public_url` is where the provider was told to call."""

    token: SecretStr | None
    public_url: str


async def signed_form(request: Request, provider: Provider) -> dict[str, str]:
    """The fields of a request whose signature is right; 403 for any other."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Problem("unsupported-media-type", f"the body must be {FORM}")
    fields = _fields(await _body(request))
    given = request.headers.get(HEADER, "")
    if provider.token is None or not given:
        raise Problem("signature-invalid")
    address = provider.public_url.rstrip("/") + request.url.path
    if request.url.query:
        address += f"?{request.url.query}"
    expected = signature(provider.token.get_secret_value(), address, fields)
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise Problem("signature-invalid")
    return dict(fields)


def signature(token: str, address: str, fields: Sequence[tuple[str, str]]) -> str:
    text = address + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


async def _body(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_FORM:
            raise Problem("body-too-large", f"the body may have {LARGEST_FORM} bytes")
    return content


def _fields(content: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Problem("bad-request", "the form cannot be read") from None

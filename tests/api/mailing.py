"""Who hands mail over in these tests? The clinic's mail server, with its signature."""

from __future__ import annotations

import time

import httpx2

from api.mail_door import MEDIA_TYPE, SIGNATURE, TIMESTAMP, signature
from services.notifications.interface import ChannelName
from tests.api.conftest import MAIL_SECRET, Clinic
from tests.api.texting import HOST, SOON, remind
from tests.services.notifications.mails import PATIENT

PATH = "/v1/inbound/email"


async def hand_over(
    clinic: Clinic,
    mail: bytes,
    secret: str = MAIL_SECRET,
    at: float | None = None,
    headers: dict[str, str] | None = None,
) -> httpx2.Response:
    """The mail server calls us."""
    stamp = str(int(time.time() if at is None else at))
    signed = {"content-type": MEDIA_TYPE, TIMESTAMP: stamp, SIGNATURE: signature(secret, stamp, mail)}
    transport = httpx2.ASGITransport(app=clinic.app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        return await client.post(PATH, content=mail, headers=signed | (headers or {}))


async def mailed(clinic: Clinic, mail: bytes) -> list[str]:
    """A mail comes in; the bodies of the mails that leave for it."""
    before = len(clinic.outgoing[ChannelName.EMAIL].sent)
    answer = await hand_over(clinic, mail)
    assert (answer.status_code, answer.content) == (202, b""), answer.text
    return [one.body for one in clinic.outgoing[ChannelName.EMAIL].sent[before:]]


async def remind_by_mail(clinic: Clinic, course: str, patient: str, n: int = 1) -> str:
    """The reminder of the visit leaves by mail; its Message-ID."""
    contact = {"email": PATIENT, "phone_e164": "+12025550199", "preferred_channel": "email"}
    await remind(clinic, course, patient, SOON, n, **contact)
    return clinic.outgoing[ChannelName.EMAIL].message_id(clinic.outgoing[ChannelName.EMAIL].sent[-1])

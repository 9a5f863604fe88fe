"""Who gets what the engine keeps encrypted? By role and purpose, written down first, for the Web UI's page only."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from google.protobuf import json_format
from sqlalchemy import text
from temporalio.api.common.v1 import Payload, Payloads

from api import codec_session
from api.codec_endpoint import Codec, create_codec
from api.codec_reading import METADATA_OF_A_WORKFLOW, PayloadReading
from clinical.people import Role
from services.access.views import AuditEventView, AuditFilter
from services.encryption import KeyRing, PayloadCodec
from services.records.sites_in_use import SitesInUse
from services.telemetry.names import DECODINGS
from services.telemetry.tracing import Tracing
from tests.api.caller import SITE, claims, signed, verifier
from tests.api.conftest import Clinic
from tests.services.telemetry.series import value
from workers.registry import WORKFLOWS, Activities

UI = "https://ui.example.org"
HOME = "https://codec.example.org"
KEYS = KeyRing({"one": bytes(range(32))}, "one")
ABOUT = Payload(metadata={"encoding": b"json/plain"}, data=b'{"reason": "nobody reads this"}')
WORD = Payload(metadata={"encoding": b"json/plain"}, data=b'"reading overdue"')
DETAILS = Payload(
    metadata={"encoding": b"json/protobuf", "messageType": METADATA_OF_A_WORKFLOW}, data=b'{"details": "x"}'
)


def endpoint(clinic: Clinic, *, development: bool = True) -> FastAPI:
    reading = PayloadReading(PayloadCodec(KEYS), clinic.access, SitesInUse(clinic.database))
    sessions = codec_session.Sessions() if development else None
    tracing = Tracing("test", "test")
    return create_codec(Codec("test", UI, verifier(), reading, sessions, tracing, clinic.database.dispose))


def token(*roles: Role, sites: tuple[str, ...] = (SITE,)) -> str:
    return signed(claims(*roles, sites=sites))


async def sealed(*plain: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=await PayloadCodec(KEYS).encode(list(plain))))


class Browser:
    """A page that calls the endpoint, with the cookies of its browser."""

    def __init__(self, app: FastAPI, origin: str | None = UI) -> None:
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url=HOME)
        self.origin = {} if origin is None else {"Origin": origin}

    async def decode(self, body: str, bearer: str = "", path: str = "/decode") -> httpx2.Response:
        headers = {**self.origin, "X-Namespace": "clinics", "Content-Type": "application/json"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        return await self.client.post(f"{path}?preserveStorageRefs=true", content=body, headers=headers)


def plain(answer: httpx2.Response) -> list[bytes]:
    return [one.data for one in json_format.Parse(answer.text, Payloads()).payloads]


async def readings(clinic: Clinic) -> list[AuditEventView]:
    return await clinic.access.audit.events(SITE, AuditFilter(act="decode_payloads"))


async def test_who_may_reads_and_it_is_written_down(clinic: Clinic) -> None:
    await clinic.a_journey()
    page = Browser(endpoint(clinic))
    body = await sealed(ABOUT, WORD)
    answer = await page.decode(body, token(Role.MEDICAL_DIRECTOR))
    assert (answer.status_code, plain(answer)) == (200, [ABOUT.data, WORD.data])
    assert answer.headers["Access-Control-Allow-Origin"] == UI
    answer = await page.decode(body, token(Role.AUDITOR), "/for/HCOMPL/decode")
    assert plain(answer) == [ABOUT.data, WORD.data]
    second, first = await readings(clinic)
    assert (first.actor_role, first.purpose) == ("medical-director", "HOPERAT")
    assert (second.actor_role, second.purpose) == ("auditor", "HCOMPL")
    assert (first.object_id, first.part) == ("namespace/clinics", "payloads/2")


@pytest.mark.parametrize(
    ("roles", "path", "status", "code"),
    [
        ((Role.NURSE, Role.COORDINATOR), "/decode", 403, "wrong-role"),
        ((Role.AUDITOR,), "/decode", 403, "purpose-required"),
        ((Role.AUDITOR,), "/for/TREAT/decode", 403, "purpose-required"),
        ((), "/decode", 401, "unauthenticated"),
    ],
)
async def test_who_may_not_gets_nothing(
    clinic: Clinic, roles: tuple[Role, ...], path: str, status: int, code: str
) -> None:
    answer = await Browser(endpoint(clinic)).decode(await sealed(ABOUT), token(*roles) if roles else "", path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await readings(clinic) == []


async def test_a_payload_says_no_site_so_its_reader_belongs_to_every_one(clinic: Clinic) -> None:
    await clinic.a_journey()
    page = Browser(endpoint(clinic))
    director = token(Role.MEDICAL_DIRECTOR, sites=("site-b",))
    assert (await page.decode(await sealed(ABOUT), director)).status_code == 403
    director = token(Role.MEDICAL_DIRECTOR, sites=("site-b", SITE))
    assert (await page.decode(await sealed(ABOUT), director)).status_code == 200


async def test_operations_read_coded_words_and_the_rest_behind_glass(clinic: Clinic) -> None:
    course = await clinic.a_journey()
    page, body = Browser(endpoint(clinic)), await sealed(ABOUT, WORD, DETAILS)
    ops = clinic.person(Role.OPS)
    hidden, word, details = plain(await page.decode(body, ops.token))
    assert (word, details) == (WORD.data, DETAILS.data)
    assert b"nobody" not in hidden
    assert await readings(clinic) == []
    broken = {"scope": "engine-payloads", "reason": "the course is stuck, its input is needed"}
    assert (await ops.post(f"{course}/break-glass", broken)).status_code == 201
    assert plain(await page.decode(body, ops.token)) == [ABOUT.data, WORD.data, DETAILS.data]
    assert [one.purpose for one in await readings(clinic)] == ["BTG"]
    assert [one.scope for one in await clinic.access.glass.reviews(SITE)] == ["engine-payloads"]


async def test_what_cannot_be_written_down_is_not_shown(clinic: Clinic) -> None:
    await clinic.a_journey()
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event RENAME TO away"))
    answer = await Browser(endpoint(clinic)).decode(await sealed(ABOUT), token(Role.MEDICAL_DIRECTOR))
    assert (answer.status_code, answer.json()["code"]) == (503, "records-unavailable")
    assert "nobody" not in answer.text


async def test_what_no_key_opens_says_so(clinic: Clinic) -> None:
    gone = PayloadCodec(KeyRing({"old": bytes(32)}, "old"))
    erased = (await gone.encode([ABOUT]))[0]
    spoilt = (await PayloadCodec(KEYS).encode([ABOUT]))[0]
    spoilt.data = spoilt.data[:-1] + bytes([spoilt.data[-1] ^ 1])
    body = json_format.MessageToJson(Payloads(payloads=[erased, spoilt, WORD]))
    answer = await Browser(endpoint(clinic)).decode(body, token(Role.MEDICAL_DIRECTOR))
    assert plain(answer) == [b'"data-erased"', b'"unreadable: changed, or from elsewhere"', WORD.data]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://ui.example.org"])
async def test_another_page_gets_nothing(clinic: Clinic, origin: str) -> None:
    page = Browser(endpoint(clinic), origin)
    answer = await page.decode(await sealed(ABOUT), token(Role.MEDICAL_DIRECTOR))
    asked = await page.client.options("/decode", headers=page.origin)
    assert (answer.status_code, asked.status_code, answer.content) == (403, 403, b"")
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_page_is_asked_before_it_sends_its_token(clinic: Clinic) -> None:
    page = Browser(endpoint(clinic))
    answer = await page.client.options("/decode", headers=page.origin)
    assert answer.status_code == 204
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_nonsense_is_refused(clinic: Clinic) -> None:
    page, director = Browser(endpoint(clinic)), token(Role.MEDICAL_DIRECTOR)
    assert (await page.decode("no json", director)).status_code == 400
    assert (await page.decode("x" * (8 * 1024 * 1024 + 1), director)).status_code == 413
    assert (await page.client.post("/encode", headers=page.origin)).status_code == 404


async def test_a_developer_signs_in_with_a_token_and_out_again(clinic: Clinic) -> None:
    page = Browser(endpoint(clinic))
    body = await sealed(ABOUT)
    assert (await page.decode(body)).status_code == 401
    wrong = await page.client.post("/codec/session", data={"token": "made.up.token"})
    assert wrong.status_code == 401
    answer = await page.client.post("/codec/session", data={"token": token(Role.MEDICAL_DIRECTOR)})
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status_code, "HttpOnly" in cookie, "SameSite=strict" in cookie) == (303, True, True)
    assert token(Role.MEDICAL_DIRECTOR)[:20] not in cookie
    assert plain(await page.decode(body)) == [ABOUT.data]
    assert (await Browser(endpoint(clinic), "https://evil.example").decode(body)).status_code == 403
    await page.client.post("/codec/session/end")
    assert (await page.decode(body)).status_code == 401


async def test_in_production_nobody_signs_in_here(clinic: Clinic) -> None:
    page = Browser(endpoint(clinic, development=False))
    answer = await page.client.post("/codec/session", data={"token": token(Role.MEDICAL_DIRECTOR)})
    assert (answer.status_code, (await page.client.get("/")).status_code) == (404, 404)


def said() -> Iterator[tuple[str, Any]]:
    """Every type that a workflow or an activity is given or answers, with where."""
    definitions: list[Any] = [vars(one)["__temporal_workflow_definition"] for one in WORKFLOWS]
    for definition in definitions:
        handlers = [*definition.updates.values(), *definition.signals.values(), *definition.queries.values()]
        for function in (definition.run_fn, *(one.fn for one in handlers)):
            yield from _types_of(function)
    for field in Activities.__dataclass_fields__.values():
        owner = typing.get_type_hints(Activities)[field.name]
        for _, method in inspect.getmembers(owner, inspect.isfunction):
            if hasattr(method, "__temporal_activity_definition"):
                yield from _types_of(method)


def _types_of(function: Any) -> Iterator[tuple[str, Any]]:
    for name, kind in typing.get_type_hints(function).items():
        yield f"{function.__qualname__}: {name}", kind


def test_no_workflow_and_no_activity_is_given_or_answers_a_bare_word() -> None:
    """Bare words in the engine are summaries, which are coded: operations read them without a right."""
    found = list(said())
    assert len(found) > 50
    words = {where for where, kind in found if str in (kind, *typing.get_args(kind))}
    assert words == {"RecordActivities.read_referral: referral_id"}, "an opaque id says nothing either"


async def test_what_came_of_asking_is_counted(clinic: Clinic) -> None:
    await clinic.a_journey()
    page, body = Browser(endpoint(clinic)), await sealed(ABOUT, WORD)

    async def counted(bearer: str) -> list[str]:
        before = {one: value("kap_codec_decoded_total", outcome=one) for one in DECODINGS}
        await page.decode(body, bearer)
        return [one for one in DECODINGS if value("kap_codec_decoded_total", outcome=one) == before[one] + 1]

    assert await counted(token(Role.MEDICAL_DIRECTOR)) == ["shown"]
    assert await counted(token(Role.OPS)) == ["coded-words"]
    assert await counted(token(Role.NURSE)) == ["refused"]
    async with clinic.database.transaction() as session:
        await session.execute(text("ALTER TABLE audit_event RENAME TO away"))
    assert await counted(token(Role.MEDICAL_DIRECTOR)) == ["failed"]

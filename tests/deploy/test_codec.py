"""Who gets what the engine keeps encrypted? Pages of the Web UI of this machine, and nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from deploy.codec import CodecEndpoint
from services.encryption import KeyRing, PayloadCodec

KEYS = KeyRing({"one": bytes(range(32))}, "one")
UI = "http://127.0.0.1:8233"


@pytest.fixture
async def endpoint() -> AsyncIterator[httpx2.AsyncClient]:
    codec = CodecEndpoint(KEYS, frozenset({UI}), 0)
    codec.start()
    async with httpx2.AsyncClient(base_url=codec.address) as client:
        yield client
    codec.stop()


async def sealed() -> str:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b'"nobody reads this"')
    return json_format.MessageToJson(Payloads(payloads=await PayloadCodec(KEYS).encode([plain])))


async def test_the_ui_gets_the_plain_payload(endpoint: httpx2.AsyncClient) -> None:
    answer = await endpoint.post(
        "/decode?preserveStorageRefs=true", content=await sealed(), headers={"Origin": UI}
    )
    decoded = json_format.Parse(answer.text, Payloads()).payloads[0]
    assert (answer.status_code, decoded.data) == (200, b'"nobody reads this"')
    assert answer.headers["Access-Control-Allow-Origin"] == UI


@pytest.mark.parametrize("origin", ["http://evil.example", "", "null"])
async def test_another_page_gets_nothing(endpoint: httpx2.AsyncClient, origin: str) -> None:
    answer = await endpoint.post("/decode", content=await sealed(), headers={"Origin": origin})
    assert (answer.status_code, answer.content) == (403, b"")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("path", "body", "status"), [("/encode", "{}", 404), ("/decode", "no json", 400)])
async def test_nonsense_is_refused(endpoint: httpx2.AsyncClient, path: str, body: str, status: int) -> None:
    assert (await endpoint.post(path, content=body, headers={"Origin": UI})).status_code == status

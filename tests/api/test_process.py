"""Does the API, or the codec, start, say how it is, and stop in good order, as a process of its own?"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from deploy.ports import free_port
from tests.api.caller import AUDIENCE, ISSUER, KEY, SITE, Person, claims, signed
from tests.api.conftest import Clinic
from tests.services.settings_builder import VALUES, as_environment

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def a_process(module: str = "api", **changes: object) -> AsyncIterator[asyncio.subprocess.Process]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAP_")}
    environment = inherited | as_environment(VALUES | changes)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, cwd=ROOT, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_healthy(client: httpx2.AsyncClient) -> httpx2.Response:
    while True:
        try:
            return await client.get("/healthz")
        except httpx2.TransportError:
            await asyncio.sleep(0.05)  # the process is starting


async def test_it_serves_and_stops_when_asked(database_url: str) -> None:
    port = free_port()
    issuer = json.dumps(KEY.as_dict(private=False))
    async with a_process(
        database_url=database_url,
        temporal_address="127.0.0.1:1",
        api_port=str(port),
        issuer_key=issuer,
        issuer_url=ISSUER,
        audience=AUDIENCE,
        build="b-17",
    ) as process:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            health = await asyncio.wait_for(until_healthy(client), 60)
            assert health.json() == {"status": "up", "build": "b-17"}
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            said = ready.json()
            assert said.pop("clock") in {"agrees", "not looked at yet"}
            assert said.pop("clock_offset_s") in (None, pytest.approx(0, abs=1))
            assert said == {"ready": False, "database": "answers", "engine": "does not answer"}
            headers = {"Authorization": f"Bearer {signed(claims('coordinator'))}"}
            listed = await client.get(f"/v1/journeys?site={SITE}", headers=headers)
            assert listed.json() == {"items": [], "next_cursor": None, "counts": []}
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0
        lines = [json.loads(line) for line in output.splitlines()]
        assert {"request"} <= {line["event"] for line in lines}
        assert all(line["build"] == "b-17" for line in lines)


async def test_the_codec_serves_and_stops_when_asked() -> None:
    port, issuer = free_port(), json.dumps(KEY.as_dict(private=False))
    known = {"codec_port": str(port), "ui_origin": "http://127.0.0.1:8233", "build": "b-17"}
    async with a_process("api.codec", issuer_key=issuer, issuer_url=ISSUER, **known) as process:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            health = await asyncio.wait_for(until_healthy(client), 60)
            assert health.json() == {"status": "up", "build": "b-17"}
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0
    async with a_process("api.codec", issuer_key=issuer, issuer_url=ISSUER) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, b"KAP_UI_ORIGIN" in errors) == (2, True)


async def test_a_wrong_configuration_is_named_and_nothing_starts() -> None:
    async with a_process(environment="production") as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"KAP_SMTP_HOST" in errors
    async with a_process() as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, b"KAP_ISSUER_URL" in errors) == (2, True)


async def test_a_port_that_is_taken_is_no_success(database_url: str) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    issuer = json.dumps(KEY.as_dict(private=False))
    async with (
        server,
        a_process(
            database_url=database_url, api_port=str(port), issuer_key=issuer, issuer_url=ISSUER
        ) as process,
    ):
        await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1


async def test_a_clock_that_differs_is_said_and_takes_nobody_out_of_service(clinic: Clinic) -> None:
    async def ready() -> httpx2.Response:
        return await Person(clinic.app, "").get("/readyz")

    assert ((await ready()).json()["clock"], (await ready()).status_code) == ("not looked at yet", 200)
    await clinic.here.clock.look()
    assert (await ready()).json()["clock"] == "agrees"
    clinic.clock.forward = timedelta(seconds=90)
    await clinic.here.clock.look()
    said = await ready()
    assert (said.status_code, said.json()["clock"]) == (200, "differs")
    assert said.json()["clock_offset_s"] == pytest.approx(-90, abs=1)

"""A client of Server-Sent Events as the standard describes it, and a real server to listen to."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import uvicorn
from fastapi import FastAPI

from api.serving import Server

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: loading certificates costs more than a connection."""


class _Quiet(Server):
    """It leaves the signals of the test's process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Listening:
    url: str
    server: uvicorn.Server
    running: asyncio.Task[None]


@asynccontextmanager
async def a_server(app: FastAPI) -> AsyncIterator[Listening]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=15
    )
    server = _Quiet(config)
    app.state.composition.outside.streams.end_when(lambda: server.should_exit)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Listening(f"http://127.0.0.1:{port}", server, running)
    finally:
        server.should_exit = True
        await running


@dataclass
class EventSource:
    """What one client has understood so far; it may break off anywhere and come back."""

    last_event_id: str = ""
    events: list[tuple[str, str, str]] = field(default_factory=list)  # id, event, data
    comments: int = 0
    retry_ms: int | None = None

    def read(self, lines: str) -> None:
        """Take in whole blocks; what was cut off before its empty line never happened."""
        for block in lines.split("\n\n")[:-1]:
            place, event, data = self.last_event_id, "message", ""
            for line in block.split("\n"):
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if not name:
                    self.comments += 1
                elif name == "id":
                    place = value
                elif name == "event":
                    event = value
                elif name == "data":
                    data = value
                elif name == "retry":
                    self.retry_ms = int(value)
            self.last_event_id = place
            if data:
                self.events.append((place, event, data))

    async def listen(self, url: str, token: str, *, bytes_at_most: int = 10**9, until: int = 10**9) -> int:
        """Connect and read until so many bytes came, or so many events are there, or the server ends."""
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
        if self.last_event_id:
            headers["last-event-id"] = self.last_event_id
        received = ""
        async with (
            httpx2.AsyncClient(timeout=20, verify=NO_TLS, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                await answer.aread()
                return answer.status_code
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for chunk in answer.aiter_text():
                chunk = chunk[: max(bytes_at_most, 0)]
                bytes_at_most -= len(chunk)
                received += chunk
                done, _, received = received.rpartition("\n\n")
                self.read(done + "\n\n" if done else "")
                if bytes_at_most <= 0 or len(self.events) >= until:
                    break
            return answer.status_code

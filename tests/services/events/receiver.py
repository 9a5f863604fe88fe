"""A receiver of webhooks on loopback that answers as a test wants; then it accepts everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """`answers` are (status, header lines); `hold` makes it silent; `endless` sends a body without end."""

    url: str = ""
    port: int = 0
    answers: list[tuple[int, str]] = field(default_factory=list)
    always: tuple[int, str] = (204, "")
    requests: list[Request] = field(default_factory=list)
    hold: bool = False
    endless: bool = False
    on_request: Callable[[Request], None] | None = None

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender has hung up
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
        request = Request(head[0].split()[1], headers, body)
        self.requests.append(request)
        if self.on_request is not None:
            self.on_request(request)
        if self.hold:
            await reader.read()
            return
        status, lines = self.answers.pop(0) if self.answers else self.always
        length = "" if self.endless else "Content-Length: 0\r\n"
        writer.write(f"HTTP/1.1 {status} Answer\r\n{length}{lines}Connection: close\r\n\r\n".encode())
        while self.endless:
            writer.write(b"x" * 65536)
            await writer.drain()
        await writer.drain()


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    listener = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = listener.sockets[0].getsockname()[1]
    receiver.url = f"http://127.0.0.1:{receiver.port}/hooks?from=kap"
    try:
        yield receiver
    finally:
        listener.close()

"""How do many clients follow the events of their sites in one process? Server-Sent Events over one look-out.

One task looks at the feed for all clients and wakes them; each client keeps nothing but the number of its last
event and reads on from there, as fast as it takes them. So a slow client costs no memory, and what a broken
connection lost is read again. A stream ends after `longest_s`, and when the process is to stop: the client
comes back with its Last-Event-ID and its token is looked at again.
Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.problems import Problem
from services.events.errors import CursorExpired, EventsUnavailable
from services.events.feed import EventFeed
from services.events.interface import Event

RETRY_MS = 3000
PAGE = 100

_log = structlog.get_logger(__name__)


class EventStreams:
    """The clients of this process."""

    def __init__(
        self,
        feed: EventFeed,
        *,
        limit: int = 100,
        look_every_s: float = 0.5,
        heartbeat_s: float = 15.0,
        longest_s: float = 900.0,
    ) -> None:
        self._feed = feed
        self._limit = limit
        self._look_every_s = look_every_s
        self._heartbeat_s = heartbeat_s
        self._longest_s = longest_s
        self._heads: dict[str, int] = {}
        self._turn = asyncio.Event()
        self._look_out: asyncio.Task[None] | None = None
        self._stopping: Callable[[], bool] = lambda: False
        self._closed = False
        self.clients = 0

    def end_when(self, stopping: Callable[[], bool]) -> None:
        """Ask this at every look: a server waits for its connections before it tells the application to stop."""
        self._stopping = stopping

    async def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()
        if self._look_out is not None:
            self._look_out.cancel()
            with suppress(asyncio.CancelledError):
                await self._look_out

    def response(self, site: str, after: int, types: Sequence[str]) -> StreamingResponse:
        """A stream of what comes after this number. Raises too-many-streams."""
        if self._closed or self.clients >= self._limit:
            raise Problem("too-many-streams", headers={"Retry-After": "5"})
        self.clients += 1
        if self._look_out is None or self._look_out.done():
            self._look_out = asyncio.create_task(self._look())
        return _Stream(self._lines(site, after, types), self._leave)

    def _leave(self) -> None:
        self.clients -= 1

    async def _look(self) -> None:
        """Publish and look for news while anybody listens; what fails now is tried again the next time."""
        while self.clients and not self._closed:
            if self._stopping():
                self._closed = True
                break
            try:
                await self._feed.publish()
                self._heads = {site: span.last_seq for site, span in (await self._feed.spans()).items()}
            except EventsUnavailable:
                _log.warning("events cannot be read now")
            self._wake()
            await asyncio.sleep(self._look_every_s)
        self._wake()

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _lines(self, site: str, after: int, types: Sequence[str]) -> AsyncIterator[str]:
        """What is written to one client. The first lines set its Last-Event-ID: nothing is lost before an event."""
        yield f"retry: {RETRY_MS}\nid: {after}\n\n"
        told = after
        began = spoke = time.monotonic()
        while not self._closed and time.monotonic() - began < self._longest_s:
            turn = self._turn
            news = await self._news(site, after, types)
            if news is None:
                return
            after, events = news
            if events:
                yield "".join(map(written, events))
                spoke, told = time.monotonic(), events[-1].seq
                continue
            quiet_s = self._heartbeat_s - (time.monotonic() - spoke)
            if quiet_s > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(turn.wait(), timeout=quiet_s)
                continue
            # Events of other types have passed by: the client need not be shown them again.
            yield ":\n\n" if told == after else f":\nid: {after}\n\n"
            spoke, told = time.monotonic(), after

    async def _news(self, site: str, after: int, types: Sequence[str]) -> tuple[int, list[Event]] | None:
        """How far the client has come then, and with what; None when it came too late."""
        head = self._heads.get(site, 0)
        if head <= after:
            return after, []
        try:
            events = await self._feed.page(site, after=after, types=types, until=head, limit=PAGE)
        except CursorExpired:
            return None  # it comes back, and is told
        except EventsUnavailable:
            return after, []
        return (events[-1].seq if len(events) == PAGE else head), events


class _Stream(StreamingResponse):
    """A response that says when it is over, however it ends."""

    def __init__(self, lines: AsyncIterator[str], over: Callable[[], None]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._over()


def written(event: Event) -> str:
    """One event in the lines of the standard."""
    body = event.model_dump_json(exclude={"seq"})
    return f"id: {event.seq}\nevent: {event.type}\ndata: {body}\n\n"

"""Does a client that listens, breaks off and comes back get every event of its site once and in order?"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.event_streams import EventStreams, written
from clinical.people import Role
from services.database import Database
from services.events.errors import EventsUnavailable
from services.events.feed import EventFeed
from services.events.interface import Event, Span
from services.outbox import tell
from tests.api.caller import SITE, claims, signed
from tests.api.conftest import Clinic
from tests.api.event_source import EventSource, a_server


@dataclass
class Following:
    """A clinic whose streams look often, and a way to make something happen."""

    clinic: Clinic
    database: Database
    feed: EventFeed

    async def happen(self, *causes: str, type: str = "plan.approved", site: str = SITE) -> None:
        async with self.database.transaction() as session:
            for cause in causes:
                tell(session, site, type, datetime.now(UTC), (site, cause), {"journey_id": cause})


@pytest.fixture
async def following(clinic: Clinic, database_url: str) -> AsyncIterator[Following]:
    database = Database(database_url)
    feed = EventFeed(database)
    composition = clinic.app.state.composition
    streams = EventStreams(feed, limit=2, look_every_s=0.01)
    outside = replace(composition.outside, feed=feed, streams=streams)
    clinic.app.state.composition = replace(composition, outside=outside)
    yield Following(clinic, database, feed)
    await streams.close()
    await database.dispose()


TOKEN = signed(claims(Role.OPS))
AT = f"/v1/events?site={SITE}"


async def test_a_client_that_breaks_off_anywhere_finds_every_event_once_and_in_order(
    following: Following,
) -> None:
    dice = random.Random(20261122)
    total = 60

    async def work() -> None:
        for number in range(0, total, 4):
            await following.happen(*(f"e{number + part}" for part in range(4)))
            await asyncio.sleep(dice.random() / 100)

    client = EventSource(last_event_id="0")
    async with a_server(following.clinic.app) as listening:
        working = asyncio.create_task(work())
        connections = 0
        while len(client.events) < total:
            connections += 1
            assert await client.listen(
                listening.url + AT, TOKEN, bytes_at_most=dice.randint(1, 2000), until=total
            ) in (200, 503)
        await working
    assert connections > 5
    assert [place for place, _, _ in client.events] == [str(number) for number in range(1, total + 1)]
    told = [json.loads(data) for _, _, data in client.events]
    assert [one["data"]["journey_id"] for one in told] == [f"e{number}" for number in range(total)]
    assert set(told[0]) == {"id", "type", "timestamp", "data"}
    assert client.retry_ms == 3000
    assert {event for _, event, _ in client.events} == {"plan.approved"}


async def test_a_stream_starts_now_knows_its_place_at_once_and_ends_well_when_the_process_stops(
    following: Following,
) -> None:
    await following.happen("before")
    client = EventSource()
    async with a_server(following.clinic.app) as listening:
        reading = asyncio.create_task(client.listen(listening.url + AT, TOKEN))
        while not client.last_event_id:
            await asyncio.sleep(0.005)
        assert client.last_event_id == "1"
        await following.happen("b1", site="site-b")
        await following.happen("after")
        while not client.events:
            await asyncio.sleep(0.005)
        listening.server.should_exit = True
        assert await asyncio.wait_for(reading, timeout=5) == 200  # the answer is complete, not cut
        await asyncio.wait_for(listening.running, timeout=5)
    assert [json.loads(data)["data"]["journey_id"] for _, _, data in client.events] == ["after"]
    assert following.clinic.app.state.composition.outside.streams.clients == 0


async def test_a_process_serves_so_many_streams_and_no_more(following: Following) -> None:
    streams = following.clinic.app.state.composition.outside.streams
    async with a_server(following.clinic.app) as listening:
        two = [asyncio.create_task(EventSource().listen(listening.url + AT, TOKEN)) for _ in range(2)]
        while streams.clients < 2:
            await asyncio.sleep(0.005)
        third = await httpx2.AsyncClient().get(
            listening.url + AT, headers={"authorization": f"Bearer {TOKEN}", "accept": "text/event-stream"}
        )
        assert (third.status_code, third.json()["code"], third.json()["retryable"]) == (
            503,
            "too-many-streams",
            True,
        )
        two[0].cancel()
        while streams.clients == 2:
            await asyncio.sleep(0.005)
        assert await EventSource().listen(listening.url + AT, TOKEN, bytes_at_most=1) == 200
        two[1].cancel()
        await asyncio.gather(*two, return_exceptions=True)


async def test_events_come_as_pages_too_and_a_place_that_is_gone_or_made_up_is_refused(
    following: Following,
) -> None:
    ops = following.clinic.person(Role.OPS)
    await following.happen("e1", "e2", type="risk.opened")
    await following.happen("e3", "e4", "e5")
    first = await ops.get("/v1/events?limit=2")
    assert [event["seq"] for event in first.json()["items"]] == [1, 2]
    rest = await ops.get(f"/v1/events?limit=2&cursor={first.json()['next_cursor']}")
    assert [event["seq"] for event in rest.json()["items"]] == [3, 4]
    assert 'rel="next"' in rest.headers["link"]
    assert (rest.json()["first_seq"], rest.json()["last_seq"]) == (1, 5)
    ranged = await ops.get("/v1/events?after=1&until=4&type=risk.opened&type=plan.approved")
    assert [event["seq"] for event in ranged.json()["items"]] == [2, 3, 4]
    assert ranged.json()["next_cursor"] is None
    wrong = await ops.get("/v1/events?type=no.such_thing&after=-1")
    assert wrong.status_code == 422
    assert len(wrong.json()["errors"]) == 2
    for headers in ({"last_event_id": "99"}, {"last_event_id": "x"}, {"last_event_id": "9" * 30}):
        refused = await ops.get("/v1/events", accept="text/event-stream", **headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "cursor-invalid")
    assert (await ops.get("/v1/events?site=site-b")).status_code == 404
    assert (await ops.get("/v1/events?after=99")).status_code == 400
    await following.feed.forget(datetime.now(UTC) + timedelta(minutes=1))
    await following.happen("e6")
    for headers in ({}, {"accept": "text/event-stream"}):
        late = await ops.get("/v1/events?after=3", **headers)
        problem = late.json()
        assert (late.status_code, problem["code"]) == (410, "cursor-expired")
        assert (problem["first_seq"], problem["last_seq"]) == (6, 6)
        assert (await following.clinic.coordinator.get(problem["snapshot"])).status_code == 200
    assert [event["seq"] for event in (await ops.get("/v1/events")).json()["items"]] == [6]


class StubFeed(EventFeed):
    """A feed out of a list, that fails when it is told to."""

    def __init__(self, *types: str) -> None:
        self.types = list(types)
        self.failing = False
        self.looks = 0

    async def publish(self) -> dict[str, int]:
        self.looks += 1
        if self.failing:
            raise EventsUnavailable
        return {}

    async def spans(self) -> dict[str, Span]:
        return {SITE: Span(last_seq=len(self.types))}

    async def page(self, site, *, after, types=(), until=None, limit=100):  # type: ignore[no-untyped-def]
        if self.failing:
            raise EventsUnavailable
        now = datetime.now(UTC)
        every = [
            Event(seq=n, id=f"evt_{n}", type=t, timestamp=now, data={}) for n, t in enumerate(self.types, 1)
        ]
        wanted = [one for one in every if after < one.seq <= until and (not types or one.type in types)]
        return wanted[:limit]


async def lines_of(streams: EventStreams, client: EventSource, *types: str) -> None:
    """What a client reads until the stream ends."""
    async for chunk in streams.response(SITE, 0, types).body_iterator:
        client.read(str(chunk))


async def test_a_quiet_stream_shows_that_it_lives_and_takes_its_client_past_what_is_not_for_it() -> None:
    feed, client = StubFeed(*["a.b"] * 250, "c.d", "a.b"), EventSource()
    streams = EventStreams(feed, look_every_s=0.005, heartbeat_s=0.02, longest_s=0.3)
    await lines_of(streams, client, "c.d")
    assert [place for place, _, _ in client.events] == ["251"]
    assert client.comments >= 3
    assert client.last_event_id == "252", "what has passed by is not read again"
    await streams.close()


async def test_a_database_that_is_away_costs_a_client_nothing_but_time() -> None:
    feed, client = StubFeed("a.b"), EventSource()
    streams = EventStreams(feed, look_every_s=0.005, heartbeat_s=0.01, longest_s=30)
    reading = asyncio.create_task(lines_of(streams, client))
    while not client.events:
        await asyncio.sleep(0.002)
    feed.failing, looks = True, feed.looks
    feed.types.append("a.b")
    while feed.looks < looks + 3:
        await asyncio.sleep(0.002)
    assert len(client.events) == 1
    feed.failing = False
    while len(client.events) < 2:
        await asyncio.sleep(0.002)
    await streams.close()
    await reading
    assert [place for place, _, _ in client.events] == ["1", "2"]


async def test_many_clients_share_one_look_out_that_ends_with_the_last_of_them() -> None:
    feed = StubFeed("a.b")
    streams = EventStreams(feed, look_every_s=0.02, longest_s=0.2)
    clients = [EventSource() for _ in range(20)]
    await asyncio.gather(*(lines_of(streams, client) for client in clients))
    assert all(len(client.events) == 1 for client in clients)
    assert feed.looks <= 15
    streams.clients = 0
    await asyncio.wait_for(asyncio.shield(streams._look_out or asyncio.sleep(0)), timeout=2)


def test_an_event_is_three_lines() -> None:
    event = Event(seq=7, id="evt_1", type="a.b", timestamp=datetime(2026, 3, 2, tzinfo=UTC), data={"n": 1})
    place, kind, data, *end = written(event).split("\n")
    assert (place, kind, end) == ("id: 7", "event: a.b", ["", ""])
    assert json.loads(data.removeprefix("data: "))["data"] == {"n": 1}

"""Does every event reach its receiver at least once, signed, over days of outages, and nothing else?"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.events.endpoints import WebhookEndpoints
from services.events.errors import (
    CursorExpired,
    EndpointChanged,
    EndpointNotFound,
    EventsUnavailable,
    TooManyEvents,
)
from services.events.feed import EventFeed
from services.events.interface import (
    Delivery,
    DeliveryStatus,
    DisabledBecause,
    EndpointStatus,
    KeyedEndpoint,
    Outcome,
)
from services.events.retrying import JITTER, SCHEDULE_S
from tests.services.events.conftest import SITE, World
from tests.services.events.receiver import Request, a_receiver
from tests.services.records.builders import a_journey, add
from tests.services.records.facts import SAMPLES, WORDS
from workers.webhooks import keep_delivering

SITES = (SITE,)


async def deliveries(world: World, endpoint: str = "hook-1") -> list[Delivery]:
    return await world.log.deliveries(SITES, endpoint)


def verified(keyed: KeyedEndpoint, request: Request) -> bool:
    """What somebody else's verifier says."""
    try:
        Webhook(keyed.secret).verify(request.body, request.headers)
    except WebhookVerificationError:
        return False
    return True


async def test_a_whole_course_arrives_signed_and_without_a_word_about_the_patient(world: World) -> None:
    keyed = await world.an_endpoint()
    stranger = await world.an_endpoint("hook-2", "nothing.like_this")
    journey_id = await a_journey(world.records, name="Maria Canary", mrn="MRN-778899")
    await add(world.records, journey_id, *SAMPLES[1:])
    while await world.deliver():
        pass
    told = await world.feed.page(SITE, after=0, limit=500)
    assert sorted(world.receiver.ids) == sorted(event.id for event in told)
    for request in world.receiver.requests:
        assert verified(keyed, request)
        assert not verified(stranger, request)
        assert not verified(keyed, replace(request, body=request.body.replace("version", "Version")))
        assert set(json.loads(request.body)) == {"type", "timestamp", "data"}
        assert request.path == "/hooks?from=kap"
    sent = " ".join(f"{request.headers} {request.body}" for request in world.receiver.requests)
    assert not [word for word in (WORDS, "Maria", "Canary", "778899", "36.5", "wept") if word in sent]
    assert {one.status for one in await deliveries(world)} == {DeliveryStatus.DELIVERED}
    assert await deliveries(world, "hook-2") == []


async def test_an_endpoint_begins_with_the_event_after_its_making_and_gets_its_types_only(
    world: World,
) -> None:
    await world.tell("before")
    await world.an_endpoint("hook-1", "risk.opened")
    await world.tell("a")
    await world.tell("b", type="risk.opened")
    await world.deliver()
    assert [json.loads(one.body)["data"]["journey_id"] for one in world.receiver.requests] == [
        "journey/site-a/b"
    ]


async def test_a_receiver_that_is_down_for_days_gets_the_event_under_its_first_id(world: World) -> None:
    keyed = await world.an_endpoint()
    await world.tell("a")
    began = world.clock.now
    world.receiver.answers = [(503, "")] * (len(SCHEDULE_S) - 1)
    tried = []
    while len(world.receiver.requests) < len(SCHEDULE_S):
        if await world.deliver():
            tried.append((world.clock.now - began).total_seconds())
        (waiting,) = await deliveries(world)
        world.clock.now = waiting.next_at or world.clock.now
    waits = [after - before for before, after in zip([0.0, *tried], tried, strict=False)]
    for wait, planned in zip(waits, SCHEDULE_S, strict=True):
        assert planned <= wait <= planned * (1 + JITTER)
    assert 3 * 86400 < tried[-1] < 4 * 86400
    assert len(set(world.receiver.ids)) == 1
    (last,) = await deliveries(world)
    assert last.status is DeliveryStatus.DELIVERED
    assert [one.http_status for one in last.attempts] == [503] * (len(SCHEDULE_S) - 1) + [204]
    stamps = {request.headers["webhook-timestamp"] for request in world.receiver.requests}
    assert len(stamps) == len(SCHEDULE_S), "each attempt has its own time: receivers refuse old ones"
    assert verified(keyed, world.receiver.requests[0])
    assert (await world.endpoints.endpoint(SITES, "hook-1")).status is EndpointStatus.ACTIVE


async def run_out(world: World) -> None:
    """Days in which every wait is waited for."""
    for _ in SCHEDULE_S:
        await world.deliver()
        world.clock.pass_by(days=2)


async def test_who_fails_over_the_whole_schedule_is_disabled_and_the_owner_told(world: World) -> None:
    await world.an_endpoint()
    await world.tell("a")
    world.receiver.always = (500, "")
    await run_out(world)
    endpoint = await world.endpoints.endpoint(SITES, "hook-1")
    assert (endpoint.status, endpoint.disabled_because) == (EndpointStatus.DISABLED, DisabledBecause.FAILING)
    (notice,) = await world.endpoints.notices(SITE)
    assert (notice.endpoint_id, notice.owner_id, notice.because) == ("hook-1", "staff-ops", "failing")
    assert (await deliveries(world))[0].status is DeliveryStatus.FAILED
    await world.feed.publish()
    assert "webhook.disabled" in [event.type for event in await world.feed.page(SITE, after=0)]


async def test_one_event_that_cannot_be_digested_costs_the_others_nothing(world: World) -> None:
    await world.an_endpoint()
    await world.tell("poison")
    world.receiver.always = (500, "")
    await world.deliver()
    world.receiver.always = (204, "")
    await world.tell("fine")
    await world.deliver()
    world.receiver.always = (500, "")
    await run_out(world)
    assert (await world.endpoints.endpoint(SITES, "hook-1")).status is EndpointStatus.ACTIVE
    assert [one.status for one in await deliveries(world)] == ["delivered", "failed"]


async def test_gone_disables_at_once_and_an_enabled_one_goes_on_where_it_stopped(world: World) -> None:
    await world.an_endpoint()
    world.receiver.answers = [(410, "")]
    await world.tell("a")
    await world.deliver()
    await world.tell("b", "c")
    assert await world.deliver() == 0
    endpoint = await world.endpoints.endpoint(SITES, "hook-1")
    assert (endpoint.status, endpoint.disabled_because) == ("disabled", "gone")
    (notice,) = await world.endpoints.notices(SITE)
    seen = await world.endpoints.acknowledge(SITES, notice.id, "staff-md", world.clock())
    again = await world.endpoints.acknowledge(SITES, notice.id, "staff-else", world.clock())
    assert seen == again
    assert await world.endpoints.notices(SITE) == []
    with pytest.raises(EndpointNotFound):
        await world.endpoints.acknowledge(("site-b",), notice.id, "x", world.clock())
    await world.endpoints.enable(SITES, "hook-1")
    await world.deliver()
    told = {json.loads(one.body)["type"] for one in world.receiver.requests[1:]}
    assert told == {"plan.approved", "webhook.disabled"}
    assert len(world.receiver.requests) == 4


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "/elsewhere"])
async def test_no_redirect_is_followed(world: World, location: str) -> None:
    async with a_receiver() as elsewhere:
        there = location if location.startswith("/") else elsewhere.url
        world.receiver.answers = [(307, f"Location: {there}\r\n")]
        await world.an_endpoint()
        await world.tell("a")
        await world.deliver()
        assert (len(world.receiver.requests), elsewhere.requests) == (1, [])
    (one,) = await deliveries(world)
    assert (one.status, one.attempts[0].outcome) == (DeliveryStatus.PENDING, Outcome.REDIRECT)


async def test_a_sender_that_dies_between_sending_and_noting_sends_the_same_id_again(world: World) -> None:
    await world.an_endpoint()
    await world.tell("a")
    await world.feed.publish()
    await world.post.queue.spread(world.clock())
    (taken,) = await world.post.queue.claim(world.clock())
    sent = await world.post.sender.send(taken.url, taken.headers, taken.body)
    # It dies here. Another one sees the claim and leaves it alone until the lease has ended.
    assert await world.deliver() == 0
    world.clock.pass_by(seconds=61)
    assert await world.deliver() == 1
    assert len(world.receiver.ids) == 2
    assert len(set(world.receiver.ids)) == 1
    assert await world.post.queue.settle(taken, sent, world.clock()) is None
    (one,) = await deliveries(world)
    assert (one.status, len(one.attempts)) == (DeliveryStatus.DELIVERED, 1)


async def test_senders_that_work_at_once_send_each_event_once(world: World) -> None:
    await world.an_endpoint()
    await world.an_endpoint("hook-2")
    await world.tell(*(f"e{number}" for number in range(10)))
    while sum(await asyncio.gather(*(world.deliver() for _ in range(3)))):
        pass
    told = {event.id for event in await world.feed.page(SITE, after=0)}
    assert sorted(world.receiver.ids) == sorted([*told, *told])


async def test_a_dead_receiver_costs_the_others_nothing(world: World) -> None:
    async with a_receiver() as dead:
        dead.hold = True
        await world.an_endpoint("a-dead", url=dead.url)
        await world.tell(*(f"e{number}" for number in range(12)))
        await world.an_endpoint("b-well")
        await world.tell(*(f"f{number}" for number in range(12)))
        arrived = asyncio.Event()
        world.receiver.on_request = lambda _: arrived.set() if len(world.receiver.requests) == 12 else None
        slow = replace(world.post, sender=type(world.post.sender)(world.post.sender._guard, timeout_s=60))
        working = asyncio.create_task(keep_delivering(slow, every_s=0.01))
        await asyncio.wait_for(arrived.wait(), timeout=20)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert len(dead.requests) <= 4 + 3, "at most a share of it is under way"


async def test_a_receiver_without_an_end_or_without_an_answer_ends_in_time(world: World) -> None:
    world.receiver.endless = True
    await world.an_endpoint()
    await world.tell("a")
    await asyncio.wait_for(world.deliver(), timeout=5)
    assert (await deliveries(world))[0].status is DeliveryStatus.DELIVERED
    world.receiver.endless, world.receiver.hold = False, True
    await world.tell("b")
    quick = type(world.post.sender)(world.post.sender._guard, timeout_s=0.1)
    world.post = replace(world.post, sender=quick)
    await asyncio.wait_for(world.deliver(), timeout=5)
    assert (await deliveries(world))[0].attempts[0].outcome is Outcome.TIMEOUT


async def test_a_receiver_may_ask_for_more_time(world: World) -> None:
    await world.an_endpoint()
    await world.tell("a")
    world.receiver.answers = [(429, "Retry-After: 7200\r\n")]
    await world.deliver()
    (one,) = await deliveries(world)
    assert one.next_at == world.clock.now + timedelta(hours=2)


async def test_both_secrets_sign_while_one_is_being_changed(world: World) -> None:
    old = await world.an_endpoint()
    new = await world.endpoints.rotate(SITES, "hook-1", timedelta(hours=24), world.clock())
    assert new.secret != old.secret
    await world.tell("a")
    await world.deliver()
    assert verified(old, world.receiver.requests[0])
    assert verified(new, world.receiver.requests[0])
    newest = await world.endpoints.rotate(SITES, "hook-1", timedelta(0), world.clock())
    await world.tell("b")
    await world.deliver()
    assert [verified(one, world.receiver.requests[1]) for one in (old, new, newest)] == [False, False, True]


async def test_ed25519_signs_too_where_it_was_asked_for(world: World) -> None:
    keyed = await world.an_endpoint(asymmetric=True)
    await world.tell("a")
    await world.deliver()
    (request,) = world.receiver.requests
    assert verified(keyed, request)
    assert keyed.public_key is not None
    kind, signature = request.headers["webhook-signature"].split(" ")[1].split(",")
    assert kind == "v1a"
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body}"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(keyed.public_key.removeprefix("whpk_")))
    key.verify(base64.b64decode(signature), signed.encode())
    assert (await world.an_endpoint("hook-2")).public_key is None


async def test_what_signs_is_not_in_the_tables(world: World) -> None:
    keyed = await world.an_endpoint(asymmetric=True)
    async with world.database.reading() as session:
        rows = " ".join(await session.scalars(text("SELECT t::text FROM webhook_endpoint t")))
    for secret in (keyed.secret, keyed.public_key or ""):
        plain = secret.partition("_")[2]
        assert plain not in rows
        assert base64.b64decode(plain).hex() not in rows
        assert plain.encode().hex() not in rows


async def test_an_endpoint_whose_key_is_gone_costs_the_others_nothing(world: World) -> None:
    await world.an_endpoint("a-broken")
    await world.an_endpoint("b-well")
    async with world.database.transaction() as session:
        await session.execute(
            text("UPDATE webhook_endpoint SET secrets = decode('0102', 'hex') WHERE id = 'a-broken'")
        )
    await world.tell("a")
    assert await world.deliver() == 1
    assert [one.status for one in await deliveries(world, "b-well")] == ["delivered"]
    assert [one.status for one in await deliveries(world, "a-broken")] == ["pending"]


async def test_the_log_of_what_was_settled_is_not_kept_for_ever(world: World) -> None:
    await world.an_endpoint()
    world.receiver.answers = [(204, ""), (500, "")]
    await world.tell("a")
    await world.deliver()
    await world.tell("b")
    await world.deliver()
    assert await world.post.queue.forget(world.clock()) == 0
    world.clock.pass_by(days=91)
    assert await world.post.queue.forget(world.clock()) == 1
    assert [one.status for one in await deliveries(world)] == ["pending"]


async def test_a_loop_that_loses_its_database_goes_on_when_it_is_back(world: World) -> None:
    await world.an_endpoint()
    await world.tell("a")
    failures = 3

    class Flaky(EventFeed):
        async def publish(self) -> dict[str, int]:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise EventsUnavailable
            return await super().publish()

    arrived = asyncio.Event()
    world.receiver.on_request = lambda _: arrived.set()
    post = replace(world.post, feed=Flaky(world.database))
    working = asyncio.create_task(keep_delivering(post, world.clock, every_s=0.01))
    await asyncio.wait_for(arrived.wait(), timeout=20)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert failures < 0


async def test_a_range_can_be_sent_again_under_the_same_ids(world: World) -> None:
    await world.an_endpoint("hook-1", "risk.opened")
    await world.tell("a", "b", type="risk.opened")
    await world.tell("c")
    await world.deliver()
    since, until = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    again = await world.log.replay(SITES, "hook-1", "replay-1", since, until, world.clock())
    twice = await world.log.replay(SITES, "hook-1", "replay-1", since, until, world.clock())
    assert (again, twice) == (2, 0)
    await world.deliver()
    assert len(world.receiver.ids) == 4
    assert len(set(world.receiver.ids)) == 2
    assert await world.log.replay(SITES, "hook-1", "r2", until, until, world.clock()) == 0
    with pytest.raises(EndpointNotFound):
        await world.log.replay(("site-b",), "hook-1", "r3", since, until, world.clock())


async def test_a_replay_is_not_larger_than_it_may_be_and_says_when_events_are_forgotten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.an_endpoint()
    await world.tell("a", "b", "c")
    await world.deliver()
    since, until = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr("services.events.delivery_log.LARGEST_REPLAY", 2)
    with pytest.raises(TooManyEvents):
        await world.log.replay(SITES, "hook-1", "r1", since, until, world.clock())
    await world.feed.forget(datetime.now(UTC))
    with pytest.raises(CursorExpired):
        await world.log.replay(SITES, "hook-1", "r2", since, until, world.clock())


async def test_an_endpoint_is_changed_by_who_has_seen_it_and_removed_for_good(world: World) -> None:
    await world.an_endpoint()
    changed = await world.endpoints.change(SITES, "hook-1", 1, types=["risk.opened", "risk.opened"])
    assert (changed.version, changed.types) == (2, ("risk.opened",))
    with pytest.raises(EndpointChanged):
        await world.endpoints.change(SITES, "hook-1", 1, types=[])
    await world.tell("a", type="risk.opened")
    world.receiver.answers = [(500, "")]
    await world.deliver()
    await world.endpoints.disable(SITES, "hook-1", world.clock())
    world.clock.pass_by(hours=1)
    assert await world.deliver() == 0
    await world.endpoints.enable(SITES, "hook-1")
    await world.endpoints.remove(SITES, "hook-1", world.clock())
    world.clock.pass_by(hours=1)
    assert await world.deliver() == 0
    assert await world.endpoints.endpoints(SITE) == []
    with pytest.raises(EndpointNotFound):
        await world.endpoints.endpoint(SITES, "hook-1")


async def test_an_event_for_trying_out_goes_to_one_endpoint_once(world: World) -> None:
    keyed = await world.an_endpoint()
    await world.an_endpoint("hook-2")
    first = await world.log.send_test(SITES, "hook-1", "key-1", world.clock())
    assert await world.log.send_test(SITES, "hook-1", "key-1", world.clock()) == first
    assert await world.deliver() == 1
    (request,) = world.receiver.requests
    assert verified(keyed, request)
    assert json.loads(request.body)["type"] == "webhook.test"


async def test_another_site_does_not_see_it(world: World) -> None:
    await world.an_endpoint()
    there: WebhookEndpoints = world.endpoints
    now = world.clock()
    for refused in (
        there.endpoint(("site-b",), "hook-1"),
        there.disable(("site-b",), "hook-1", now),
        there.remove(("site-b",), "hook-1", now),
        there.rotate(("site-b",), "hook-1", timedelta(0), now),
        world.log.deliveries(("site-b",), "hook-1"),
        world.log.send_test(("site-b",), "hook-1", "k", now),
    ):
        with pytest.raises(EndpointNotFound):
            await refused
    assert await there.endpoints("site-b") == []

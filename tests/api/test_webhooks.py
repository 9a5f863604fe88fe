"""Can the right people, and nobody else, wire a site to other systems over HTTP, and does what they wire work?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks.webhooks import Webhook

from api.outside import Outside
from clinical.people import Role
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.events.endpoints import WEBHOOKS
from services.events.queue import DeliveryQueue
from services.events.sender import WebhookSender
from services.events.targets import TargetGuard
from tests.api.caller import SITE
from tests.api.conftest import Clinic
from tests.services.events.receiver import a_receiver
from workers.webhooks import WebhookPost, keep_delivering


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


HOOKS = "/v1/webhook-endpoints"
HOOK: dict[str, Any] = {"site": SITE, "url": "https://hooks.example.org/kap", "types": ["journey.started"]}


async def test_from_the_referral_to_a_receiver_that_was_down_and_back(
    clinic: Clinic, database_url: str
) -> None:
    """The real API, the real loop of the worker and a real receiver; only the wait is cut short."""
    database, guard = Database(database_url), TargetGuard(loopback_http=True)
    cipher = FieldCipher(KeyRing({"f1": bytes(range(32))}, "f1"), bytes(32))
    outside = Outside.over(database, cipher, guard, streams=1)
    clinic.app.state.composition = replace(clinic.app.state.composition, outside=outside)
    queue = DeliveryQueue(database, cipher.for_purpose(WEBHOOKS))
    post = WebhookPost(outside.feed, queue, WebhookSender(guard, timeout_s=5), timedelta(days=30))
    ops = clinic.person(Role.OPS)
    ahead = [timedelta(0)]
    async with a_receiver() as receiver:
        made = await ops.post(HOOKS, HOOK | {"url": receiver.url}, key="hook")
        hook = made.json()
        working = asyncio.create_task(
            keep_delivering(post, clock=lambda: datetime.now(UTC) + ahead[0], every_s=0.01)
        )
        await ops.post(f"{hook['href']}/test-events")
        await until(lambda: len(receiver.requests) == 1)
        tried_out = Webhook(hook["secret"]).verify(receiver.requests[0].body, receiver.requests[0].headers)
        assert tried_out["type"] == "webhook.test"
        receiver.requests.clear()
        receiver.answers = [(503, ""), (301, "Location: https://elsewhere.example.org/\r\n")]
        course = await clinic.a_journey()
        log: dict[str, Any] = {}
        for attempts in (1, 2, 3):
            while log.get("type") != "journey.started" or len(log["attempts"]) < attempts:
                log = (await ops.get(f"{hook['href']}/deliveries")).json()["items"][0]
            ahead[0] += timedelta(minutes=10)  # longer than the first waits
        since, to = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
        again = await ops.post(
            f"{hook['href']}/replays", {"since": since.isoformat(), "until": to.isoformat()}, key="again"
        )
        assert again.json() == {"events": 1}
        await until(lambda: len(receiver.requests) == 4)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    body = json.loads(receiver.requests[-1].body)
    assert body["type"] == "journey.started"
    assert body["data"] == {"journey_id": course.replace("/v1/journeys", "journey"), "version": 1}
    assert len(set(receiver.ids)) == 1
    assert [one["http_status"] for one in log["attempts"]] == [503, 301, 204]
    assert [one["outcome"] for one in log["attempts"]] == ["refused", "redirect", "delivered"]
    await database.dispose()


async def test_an_address_inside_is_refused_with_every_fault_and_nothing_is_kept(clinic: Clinic) -> None:
    ops = clinic.person(Role.OPS)
    for url, codes in {
        "http://u:p@inside.example.org/x#y": {"not-https", "userinfo", "fragment", "not-public"},
        "https://inside.example.org/": {"not-public"},
        "https://localhost/": {"not-public"},
        "gopher://x/": {"invalid"},
    }.items():
        refused = await ops.post(HOOKS, HOOK | {"url": url})
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (422, "unsafe-endpoint")
        assert {fault["code"] for fault in problem["errors"]} == codes
        assert {fault["pointer"] for fault in problem["errors"]} == {"/url"}
        assert "inside" not in refused.text.replace(problem["instance"], "")
    both = await ops.post(HOOKS, {"site": SITE, "url": "", "types": ["no.such"], "color": "red"})
    assert {fault["pointer"] for fault in both.json()["errors"]} == {"/url", "/types/0", "/color"}
    assert (await ops.get(HOOKS)).json()["items"] == []


async def test_a_secret_is_shown_once_and_an_endpoint_is_made_once(clinic: Clinic) -> None:
    ops = clinic.person(Role.OPS)
    made = await ops.post(HOOKS, HOOK | {"ed25519": True}, key="hook")
    again = await ops.post(HOOKS, HOOK | {"ed25519": True}, key="hook")
    assert made.status_code == 201
    assert made.headers["location"] == made.json()["href"]
    assert again.headers["idempotent-replayed"] == "true"
    secret = made.json()["secret"]
    assert (secret[:6], made.json()["public_key"][:5]) == ("whsec_", "whpk_")
    shown = await ops.get(made.json()["href"])
    listed = await clinic.person(Role.AUDITOR).get(HOOKS)
    assert len(listed.json()["items"]) == 1
    rotated = await ops.post(f"{made.json()['href']}/secret-rotations", {"overlap_hours": 1})
    assert rotated.json()["secret"] != secret
    for answer in (shown, listed):
        assert secret not in answer.text
        assert "secret" not in answer.json()


async def test_an_endpoint_is_changed_disabled_enabled_and_removed_by_its_site_only(clinic: Clinic) -> None:
    ops, director = clinic.person(Role.OPS), clinic.person(Role.MEDICAL_DIRECTOR)
    stranger = clinic.person(Role.OPS, sites=("site-b",))
    href = (await ops.post(HOOKS, HOOK)).json()["href"]
    assert (await stranger.post(HOOKS, HOOK)).status_code == 404
    for path, body in {
        "/changes": {"version": 1, "types": []},
        "/disablement": {},
        "/enablement": {},
        "/secret-rotations": {"overlap_hours": 0},
        "/test-events": {},
        "/replays": {"since": "2026-03-02T09:00:00Z", "until": "2026-03-02T12:00:00Z"},
        "/removal": {},
    }.items():
        assert (await stranger.post(href + path, body)).status_code == 404, path
        assert (await clinic.person(Role.COORDINATOR).post(href + path, body)).status_code == 403, path
    assert (await stranger.get(href)).status_code == 404
    assert (await stranger.get(f"{href}/deliveries")).status_code == 404
    changed = await director.post(f"{href}/changes", {"version": 1, "types": ["risk.opened"]})
    assert (changed.json()["version"], changed.json()["types"]) == (2, ["risk.opened"])
    stale = await ops.post(f"{href}/changes", {"version": 1, "types": []})
    assert (stale.status_code, stale.json()["code"]) == (412, "endpoint-changed")
    unsafe = await ops.post(f"{href}/changes", {"version": 2, "url": "https://inside.example.org/"})
    assert unsafe.json()["code"] == "unsafe-endpoint"
    assert (await ops.post(f"{href}/disablement")).json()["disabled_because"] == "asked"
    assert (await ops.post(f"{href}/enablement")).json()["status"] == "active"
    backwards = {"since": "2026-03-02T09:00:00Z", "until": "2026-03-02T09:00:00Z"}
    assert (await ops.post(f"{href}/replays", backwards)).status_code == 422
    assert (await ops.post(f"{href}/removal")).json()["status"] == "removed"
    assert (await ops.get(href)).status_code == 404
    assert (await ops.get(f"{HOOKS}?status=removed")).json()["items"][0]["href"] == href


async def test_lists_of_endpoints_and_deliveries_have_pages(clinic: Clinic) -> None:
    ops = clinic.person(Role.OPS)
    hrefs = {(await ops.post(HOOKS, HOOK)).json()["href"] for _ in range(3)}
    seen, cursor = [], ""
    while True:
        page = (await ops.get(f"{HOOKS}?limit=2{cursor}")).json()
        seen += [one["href"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert (len(seen), set(seen)) == (3, hrefs)
    sent = [(await ops.post(f"{seen[0]}/test-events")).json()["id"] for _ in range(3)]
    first = (await ops.get(f"{seen[0]}/deliveries?limit=2&status=pending")).json()
    rest = (
        await ops.get(f"{seen[0]}/deliveries?limit=2&status=pending&cursor={first['next_cursor']}")
    ).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == sent[::-1]
    foreign = await ops.get(f"{seen[1]}/deliveries?cursor={first['next_cursor']}")
    assert (foreign.status_code, foreign.json()["code"]) == (400, "cursor-invalid")

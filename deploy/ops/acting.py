"""What does `./dev ops` do to courses? It looks first, confirms by token, shows how far it is, and reports each one.

Without `--confirm` nothing is done: the preview prints the command that confirms it. The bar is drawn on a terminal;
into a pipe go plain lines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import Progress

from deploy.ops.door import Api, Refused

ACTS = ("pause", "resume", "notify")
LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Desk:
    api: Api
    console: Console
    as_json: bool

    def say(self, *lines: str) -> None:
        if not self.as_json:
            for line in lines:
                self.console.print(line, markup=False)

    def report(self, found: dict[str, Any]) -> None:
        if self.as_json:
            print(json.dumps(found))


async def act_on_many(desk: Desk, given: argparse.Namespace) -> int:
    if given.confirm is None:
        return await _preview(desk, given)
    if given.operation is None:
        raise Refused("--confirm needs --operation ID, as the preview printed it")
    at = f"/v1/operations/{given.site}/{given.operation}"
    seen = await desk.api.get(at)
    if seen["act"] != given.way:
        raise Refused(f"this operation is to {seen['act']}, not to {given.way}")
    await desk.api.post(f"{at}/confirmation", {"token": given.confirm})
    return await follow(desk, given.site, given.operation)


async def _preview(desk: Desk, given: argparse.Namespace) -> int:
    body = {"act": given.way, "reason": given.reason, "courses": given.course, "stage": given.stage}
    draft = await desk.api.post(f"/v1/operations/{given.site}", body)
    items, name = draft["items"], draft["operation_id"]
    desk.say(f"{given.way} would touch {len(items)} courses; nothing has happened yet:")
    desk.say(
        *(f"  {one['journey_id']}  {one['stage']}{'  on hold' if one['on_hold'] else ''}" for one in items)
    )
    if draft["needs_second"]:
        desk.say("another person approves it first:")
        desk.say(f"  ./dev ops approve {given.site}/{name} --confirm {draft['token']}")
    desk.say("to do exactly this:")
    desk.say(f"  ./dev ops {given.way} {given.site} --operation {name} --confirm {draft['token']}")
    desk.report(draft)
    return 0


async def approve(desk: Desk, given: argparse.Namespace) -> int:
    approved = await desk.api.post(f"/v1/operations/{given.operation}/approval", {"token": given.confirm})
    desk.say(f"approved: {approved['act']} for {len(approved['items'])} courses")
    desk.report(approved)
    return 0


async def follow(desk: Desk, site: str, name: str) -> int:
    """Until each course was tried, or waits for the morning; then what became of each."""
    found = await _watched(desk, f"/v1/operations/{site}/{name}")
    failed = [one for one in found["items"] if one["result"] == "failed"]
    waiting = [one for one in found["items"] if one["result"] is None]
    for one in found["items"]:
        later = f"waits until {one['not_before']}" if one["not_before"] else "not tried"
        desk.say(
            f"  {one['journey_id']}  {one['result'] or later}{'  ' + one['problem'] if one['problem'] else ''}"
        )
    done = len(found["items"]) - len(failed) - len(waiting)
    desk.say(f"{done} done, {len(failed)} failed, {len(waiting)} waiting")
    if failed:
        desk.say("to try only what failed again:")
        desk.say(f"  ./dev ops {found['act']} {site} --operation {name} --confirm {found['token']}")
    desk.report(found)
    return 1 if failed else 0


async def _watched(desk: Desk, at: str) -> dict[str, Any]:
    with Progress(console=desk.console, disable=desk.as_json or not desk.console.is_terminal) as bar:
        task = bar.add_task("courses", total=None)
        while True:
            found = await desk.api.get(at)
            items = found["items"]
            bar.update(task, total=len(items), completed=sum(one["result"] is not None for one in items))
            open_items = [one for one in items if one["result"] is None]
            if found["status"] != "in-progress" or all(one["not_before"] for one in open_items):
                return found
            await asyncio.sleep(LOOK_EVERY_S)


async def reset(desk: Desk, given: argparse.Namespace) -> int:
    kind, site, ulid, *part = given.journey.split("/")
    if kind != "journey":
        raise Refused("a journey is called journey/SITE/ID")
    body = {"reason": given.reason, "part": "/".join(part)}
    done = await desk.api.post(f"/v1/journeys/{site}/{ulid}/reset", body)
    what = (
        f"activity {done['activity']}"
        if done["activity"]
        else f"run {done['run_id']} from event {done['to_event']}"
    )
    desk.say(f"{done['workflow_id']}: {done['did']}, {what}")
    desk.report(done)
    return 0

"""How do running courses go over to another protocol? `./dev ops migrate`: a look at each, then on purpose.

It speaks to the API as the medical director whose token it is given: the API asks, refuses and writes down as it does
for anybody. Without `--confirm` nothing is done. Said again it touches only the courses that have not gone over yet.
Exit status 1: some course was refused or failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from clinical.people import Role
from deploy.demo_clinic import Clinic, Refused

THERE_ALREADY = "MIG-SAME"
DIRECTOR = Role.MEDICAL_DIRECTOR.value


@dataclass(frozen=True)
class Result:
    """What became of one course: would-migrate, migrated, refused, already, failed."""

    journey: str
    outcome: str
    reasons: Sequence[str] = field(default_factory=list)
    changes: Sequence[str] = field(default_factory=list)


def add_to(subparsers: Any) -> None:
    migrate = subparsers.add_parser(
        "migrate", help="take running courses over to another protocol, one by one"
    )
    migrate.add_argument("--api", required=True, metavar="URL")
    migrate.add_argument(
        "--token-file", required=True, type=Path, metavar="FILE", help="a medical director's token"
    )
    migrate.add_argument("--site", required=True)
    migrate.add_argument("--protocol", required=True, metavar="URL|VERSION", help="published to the site")
    migrate.add_argument("--journey", action="append", metavar="ID", help="these only; repeatable")
    migrate.add_argument("--reason", default="", help="why; needed with --confirm")
    migrate.add_argument("--confirm", action="store_true", help="do it; without this it is only looked at")
    migrate.add_argument("--json", action="store_true", default=argparse.SUPPRESS)


async def run(options: argparse.Namespace) -> int:
    if options.confirm and not options.reason.strip():
        print("ops: --confirm needs --reason", file=sys.stderr)
        return 2
    clinic = Clinic(options.api, {DIRECTOR: options.token_file.read_text().strip()})
    try:
        wanted = options.journey or [journey async for journey in _open(clinic, options.site)]
        console = Console(file=sys.stderr)
        watched = track(wanted, "migrating", console=console, disable=not console.is_terminal, transient=True)
        reason = options.reason if options.confirm else None
        results = [await migrated(clinic, journey, options.protocol, reason) for journey in watched]
    finally:
        await clinic.close()
    if options.json:
        print(json.dumps([asdict(one) for one in results], indent=2))
    else:
        _print(results)
    return 1 if any(one.outcome in ("refused", "failed") for one in results) else 0


async def migrated(clinic: Clinic, journey: str, protocol: str, reason: str | None) -> Result:
    """Look, and with a reason do it; whatever is said no to becomes the result, never an end of the whole."""
    address = f"/v1/journeys/{journey.removeprefix('journey/')}/protocol-migration"
    try:
        look = await clinic.get(address, DIRECTOR, canonical=protocol)
        against = [_told(one) for one in look["reasons"] if one["verdict"] == "refuse"]
        beside = [_told(one) for one in look["reasons"] if one["verdict"] == "caution"]
        if any(one["rule"] == THERE_ALREADY for one in look["reasons"]):
            return Result(journey, "already")
        if not look["allowed"]:
            return Result(journey, "refused", against)
        if reason is None:
            return Result(journey, "would-migrate", beside, look["changes"])
        body = {"protocol": protocol, "reason": reason}
        await clinic.post(address, DIRECTOR, body, headers={"If-Match": f'"{look["after_hash"]}"'})
        return Result(journey, "migrated", beside, look["changes"])
    except Refused as refused:
        return Result(journey, "failed", [str(refused)])


def _told(reason: dict[str, Any]) -> str:
    values = f": {reason['value']} -> {reason['limit']}" if reason.get("limit") else ""
    return f"{reason['rule']}: {reason['text']}{values}"


async def _open(clinic: Clinic, site: str) -> AsyncIterator[str]:
    """Every course of the site that is not over."""
    cursor: dict[str, str] = {}
    while True:
        page = await clinic.get("/v1/journeys", DIRECTOR, site=site, **cursor)
        for line in page["items"]:
            if line["closed_at"] is None:
                yield line["journey_id"]
        if not page["next_cursor"]:
            return
        cursor = {"cursor": page["next_cursor"]}


def _print(results: Sequence[Result]) -> None:
    for one in results:
        print(f"{one.journey}: {one.outcome}")
        for line in [*one.reasons, *one.changes]:
            print(f"  {line}")
    counts = Counter(one.outcome for one in results)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    print(f"{len(results)} courses: {told or 'none'}")

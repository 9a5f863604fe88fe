"""`./dev demo`: a real referral walks the whole journey on the real engine, in virtual time.

Exit status: 0 when the course ended where it should (an ending without treatment included), 2 when the referral or
the protocol cannot be read, 1 when something went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from clinical.invariants import violations
from clinical.people import Role
from clinical.protocol import Indication, Protocol
from deploy.child import StartFailed
from deploy.demo_clinic import Clinic, Refused, tokens_of
from deploy.demo_report import history_size, show
from deploy.demo_story import TIME_ZONE, Story
from deploy.local import LocalOptions, LocalSystem
from deploy.seed import register_site
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import Referral, UnreadableBundle, read_referral
from services.process import end_process
from services.protocols import ProtocolInvalid, load_protocol
from services.temporal import connect

SAMPLE = Path(__file__).parent / "samples" / "milan-beatty.json"
PROTOCOL = "iv-racemic"
SETTING_UP = 4


@dataclass(frozen=True)
class Asked:
    referral: Path
    indication: Indication
    protocol: str
    as_json: bool


def asked(arguments: list[str]) -> Asked:
    parser = argparse.ArgumentParser(prog="./dev demo", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--referral", type=Path, default=SAMPLE, metavar="FILE", help="a FHIR R4 bundle")
    parser.add_argument(
        "--indication", choices=[str(i) for i in Indication], default=str(Indication.DEPRESSION)
    )
    parser.add_argument("--protocol", default=PROTOCOL, metavar="FILE", help="a shipped name or a file")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    given = parser.parse_args(arguments)
    return Asked(given.referral, Indication(given.indication), given.protocol, given.json)


def main(arguments: list[str]) -> int:
    wanted = asked(arguments)
    try:
        raw = wanted.referral.read_bytes()
        referral = read_referral(raw)
        protocol = load_protocol(wanted.protocol)
    except OSError as error:
        return _refuse(f"{wanted.referral}: {error.strerror or 'cannot be read'}")
    except UnreadableBundle as unreadable:
        return _refuse(f"{wanted.referral}: {'; '.join(unreadable.problems)}")
    except ProtocolInvalid as invalid:
        return _refuse(f"{wanted.protocol}: {'; '.join(f'{f.pointer} {f.detail}' for f in invalid.faults)}")
    if wanted.indication not in protocol.indications:
        return _refuse(f"{protocol.canonical} is not for {wanted.indication}")
    console = Console(soft_wrap=not sys.stdout.isatty(), highlight=False)
    try:
        return asyncio.run(demonstrate(wanted, json.loads(raw), referral, protocol, console))
    except (Refused, StartFailed, TimeoutError) as error:
        print(f"demo: {str(error) or 'the engine did not answer in time'}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


def _refuse(line: str) -> int:
    print(f"demo: {line}", file=sys.stderr)
    return 2


async def demonstrate(
    wanted: Asked, bundle: dict[str, Any], referral: Referral, protocol: Protocol, console: Console
) -> int:
    began = time.monotonic()
    with progress(console) as tell:
        async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False), tell) as system:
            client = await connect(system.settings())
            clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
            clock = VirtualClock(client)
            story = Story(clinic, clock, protocol, wanted.indication, referral.record, tell)
            tell.expect(SETTING_UP + story.steps())
            await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol_document(protocol))
            await register_site(clinic)
            stopped = await _tell_the_story(story, clinic, reachable(bundle))
            path = story.path
            journey = await story.journey()
            timeline = await _all_of(clinic, f"{path}/timeline")
            scores = (await clinic.get(f"{path}/scores"))["items"]
            messages = (await clinic.get(f"{path}/messages"))["items"]
            size = await history_size(client, story.journey_id)
            broken = await broken_rules(system, story.journey_id, protocol)
            await clinic.close()
    show(console, timeline, scores, messages, size)
    reasons = [stopped] if stopped else _reasons(journey, timeline)
    _say_the_end(console, journey, reasons, broken)
    if wanted.as_json:
        summary = {
            "journey_id": story.journey_id,
            "status": journey["status"],
            "stage": journey["stage"],
            "reasons": reasons,
            "sessions_completed": journey["sessions_completed"],
            "doses": journey["doses"],
            "messages_sent": sum(m["status"] == "completed" for m in messages),
            "history_events": size.events,
            "virtual_time_events": size.virtual_time_events,
            "workflows": size.workflows,
            "violations": broken,
            "requests": clinic.requests,
            "elapsed_s": round(time.monotonic() - began, 1),
        }
        print(json.dumps(summary))
    return 1 if broken else 0


async def _tell_the_story(story: Story, clinic: Clinic, bundle: Mapping[str, Any]) -> str | None:
    """Run it; when a rule will not let it go on, the prescriber ends the course with the rule's reasons."""
    try:
        await story.run(bundle)
    except Refused as refused:
        if not story.path or not refused.problem.get("reasons"):
            raise
        reason = "; ".join(reason["text"] for reason in refused.problem["reasons"])
        await clinic.post(f"{story.path}/end", Role.PRESCRIBER, {"reason": reason[:2000]})
        await story.until_over()
        return reason
    return None


def reachable(bundle: dict[str, Any]) -> dict[str, Any]:
    """The referral with an e-mail address, which the coordinator asked for when the sender gave none."""
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Patient":
            telecom = resource.setdefault("telecom", [])
            if not any(contact.get("system") == "email" for contact in telecom):
                telecom.append({"system": "email", "value": "patient@example.org"})
    return bundle


def protocol_document(protocol: Protocol) -> dict[str, Any]:
    return protocol.model_dump(mode="json")


async def _all_of(clinic: Clinic, path: str) -> list[dict[str, Any]]:
    page = await clinic.get(path)
    items: list[dict[str, Any]] = page["items"]
    while page["next_cursor"]:
        page = await clinic.get(path, cursor=page["next_cursor"])
        items += page["items"]
    return items


async def broken_rules(system: LocalSystem, journey_id: str, protocol: Protocol) -> list[str]:
    """Every invariant that the record breaks, and the first broken link of its chain, if any."""
    from services.database import Database
    from services.encryption import FieldCipher
    from services.records.sql import SqlRecords

    database = Database(system.database_url)
    try:
        records = SqlRecords(database, FieldCipher.from_settings(system.settings()))
        found = violations(await records.entries(journey_id), protocol, TIME_ZONE)
        chain = await records.verify_chain(journey_id)
    finally:
        await database.dispose()
    return [f"{v.rule}: {v.text}" for v in found] + [reason.text for reason in chain.objections]


def _reasons(journey: Mapping[str, Any], timeline: list[dict[str, Any]]) -> list[str]:
    """Why the course ended without treatment: what the rules objected to."""
    screening = journey.get("screening") or {}
    if journey["stage"] == "finished":
        return []
    return [
        f"{reason['rule']}: {reason['text']}"
        for reason in screening.get("reasons", [])
        if reason["verdict"] in ("refuse", "review")
    ]


def _say_the_end(console: Console, journey: Mapping[str, Any], reasons: list[str], broken: list[str]) -> None:
    console.print(
        f"Ended: {journey['stage']} ({journey['status']}); {journey['doses']} doses, "
        f"{journey['sessions_completed']} sessions completed",
        markup=False,
    )
    for reason in reasons:
        console.print(f"  because {reason}", markup=False)
    for line in broken:
        console.print(f"  VIOLATED {line}", markup=False)
    if not broken:
        console.print("Every invariant held; the chain of hashes is unbroken.", markup=False)


class Telling:
    """Called with each step; a bar on a terminal, plain lines when piped."""

    def __init__(self, console: Console, bar: Progress | None) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("starting", total=None) if bar else None

    def expect(self, steps: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, total=steps)

    def __call__(self, step: str) -> None:
        if self._bar is None or self._task is None:
            self._console.print(f"- {step}", markup=False)
        else:
            self._bar.update(self._task, description=step, advance=1)


@contextmanager
def progress(console: Console) -> Iterator[Telling]:
    if not console.is_terminal:
        yield Telling(console, None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Telling(console, bar)


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))

"""In which order does each workflow type issue its commands? The committed answer, and how it is made.

`fingerprints.json`: workflow type → a hash, and the sequences it stands for, each with the runs of the corpus that
show it. Only the journeys of `current` count.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.replay.commands import Replayed
from tests.replay.corpus import CURRENT, FINGERPRINTS

Fingerprints = dict[str, dict[str, Any]]


def fingerprints(replayed: Iterable[Replayed]) -> Fingerprints:
    """Runs with the same commands in the same order stand together."""
    sequences: dict[str, dict[tuple[str, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in replayed:
        if one.run.journey.startswith(f"{CURRENT}/"):
            sequences[one.run.workflow_type][one.commands].append(one.run.name.removeprefix(f"{CURRENT}/"))
    return {kind: _fingerprint(found) for kind, found in sorted(sequences.items())}


def _fingerprint(sequences: dict[tuple[str, ...], list[str]]) -> dict[str, Any]:
    shown = [{"runs": sorted(runs), "commands": list(commands)} for commands, runs in sequences.items()]
    shown.sort(key=lambda sequence: sequence["runs"])
    digest = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()
    return {"hash": digest[:16], "sequences": shown}


def committed() -> Fingerprints:
    found: Fingerprints = json.loads(FINGERPRINTS.read_text())
    return found


def commit(found: Fingerprints) -> None:
    FINGERPRINTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def commands_of(found: Fingerprints, workflow_type: str) -> dict[str, list[str]]:
    """Run → its commands."""
    sequences = found.get(workflow_type, {}).get("sequences", [])
    return {run: sequence["commands"] for sequence in sequences for run in sequence["runs"]}


def first_difference(before: list[str], after: Iterable[str]) -> str:
    """Where two sequences part, with the step that led there."""
    now = list(after)
    for number, (old, new) in enumerate(zip([*before, "(the end)"], [*now, "(the end)"], strict=False)):
        if old != new:
            step = f"after {before[number - 1]!r}" if number else "at the very beginning"
            return f"command {number + 1}, {step}: was {old!r}, is {new!r}"
    return "no difference"

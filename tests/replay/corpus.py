"""Where are the histories of whole journeys kept, and how are they read?

One file for each journey in `histories/<release>/`: gzip of JSON, every run of every workflow as the engine stored
it, payloads encrypted. `KEYS` is the key they were recorded with: it is committed, and protects nothing but test
data. `fingerprints.json` holds the order of commands that today's code answers them with.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from services.encryption import KeyRing
from services.temporal import data_converter

TEST_KEY_ID = "committed-test-key"
TEST_KEY = hashlib.sha256(b"the committed key of the replay corpus; it protects test data only").digest()
KEYS = KeyRing({TEST_KEY_ID: TEST_KEY}, TEST_KEY_ID)
CONVERTER = data_converter(KEYS)

HERE = Path(__file__).parent
HISTORIES = HERE / "histories"
CURRENT = "current"
FINGERPRINTS = HERE / "fingerprints.json"


@dataclass(frozen=True)
class Run:
    """One run of one workflow. `part` is its place in the journey: `session/3`, or `journey #2` after a new run."""

    journey: str
    part: str
    workflow_type: str
    history: WorkflowHistory

    @property
    def name(self) -> str:
        return f"{self.journey}: {self.part}"


def stored() -> list[str]:
    """`current/whole-course` and so on: every stored journey of every release kept."""
    return sorted(
        f"{path.parent.name}/{path.name.removesuffix('.json.gz')}" for path in HISTORIES.glob("*/*.json.gz")
    )


def load(journey: str) -> list[Run]:
    """Every run of a stored journey, parents before their parts."""
    runs = json.loads(gzip.decompress((HISTORIES / f"{journey}.json.gz").read_bytes()))
    return [_run(journey, one) for one in runs]


def save(journey: str, runs: dict[str, WorkflowHistory]) -> None:
    """`runs`: part → history. The same runs make the same bytes."""
    body = [
        {"part": part, "workflow_id": history.workflow_id, "events": history.to_json_dict()["events"]}
        for part, history in runs.items()
    ]
    path = HISTORIES / f"{journey}.json.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(body, separators=(",", ":"), sort_keys=True)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def _run(journey: str, stored_run: dict[str, Any]) -> Run:
    history = WorkflowHistory.from_json(stored_run["workflow_id"], {"events": stored_run["events"]})
    started = history.events[0].workflow_execution_started_event_attributes
    return Run(journey, stored_run["part"], started.workflow_type.name, history)

"""What is said to bulk acts and what do they answer? Frozen values, coded; no name of a patient in any of them."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinical.people import Role

MOST = 500
"""So many courses in one go; more is several acts."""
ALONE = 25
"""Up to so many one person may act on alone; beyond that a second person looks at the same preview."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BulkAct(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    NOTIFY = "notify"


class Standing(StrEnum):
    """Where an operation stands, in Task's words. `completed`: each item was tried; some may have failed."""

    DRAFT = "draft"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


class Chosen(_Value):
    """One course as it was looked at."""

    journey_id: str
    stage: str
    on_hold: bool


class Item(Chosen):
    """What became of it: `result` None: not tried yet; `problem` is the code why it failed.

    `not_before`: a message waits for the morning.
    """

    result: str | None = None
    problem: str | None = None
    not_before: datetime | None = None


class Operation(_Value):
    operation_id: str
    site: str
    act: BulkAct
    reason: str
    status: Standing
    token: str
    needs_second: bool
    items: tuple[Item, ...]
    made_at: datetime
    made_by: str
    approved_by: str | None = None
    confirmed_by: str | None = None
    confirmed_as: Role | None = None
    confirmed_at: datetime | None = None

    @property
    def failed(self) -> int:
        return sum(item.result == "failed" for item in self.items)


def token_of(site: str, act: BulkAct, reason: str, chosen: Sequence[Chosen]) -> str:
    """What binds a selection: the act, and each course as it was seen."""
    seen = sorted([one.journey_id, one.stage, one.on_hold] for one in chosen)
    return hashlib.sha256(json.dumps([site, act, reason, seen]).encode()).hexdigest()

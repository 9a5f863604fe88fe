"""What do operators see of a workflow in the Temporal Web UI? Search attributes to find it by, details to read.

All of it is coded: stages, codes of tasks, roles and instants, never anything about the person. A workflow is found
by the task that is due first; the details list every one.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributeUpdate, TypedSearchAttributes

from clinical.people import Role
from workflows.messages import Message
from workflows.names import DUE_AT, NEEDS_ATTENTION, STAGE, WAITS_FOR, WAITS_SINCE


class OpenTask(Message):
    """What a workflow waits for a person to do."""

    code: str
    owner: Role
    due_at: datetime
    since: datetime


def details(
    standing: str,
    waits: Sequence[OpenTask],
    also: Sequence[str],
    above: Callable[[Role], Role],
    *,
    on_hold: bool,
) -> str:
    """Markdown: the stage, and for each wait what it is, until when, and who can move it."""
    stage = f"**{standing}**" + (", on hold: no wait for a person runs out meanwhile" if on_hold else "")
    lines = [f"- {_wait(task, above)}" for task in waits] + [f"- {line}" for line in also]
    return "\n".join([stage, "", *(lines or ["- waits for nobody"])])


def _wait(task: OpenTask, above: Callable[[Role], Role]) -> str:
    up = above(task.owner)
    late = "" if up is task.owner else f"; late, the {up} hears of it"
    times = f"since {minute(task.since)} until {minute(task.due_at)}"
    return f"waits for **{task.code}** by the **{task.owner}** {times}{late}"


def minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def attributes(
    shown: TypedSearchAttributes,
    standing: str,
    first: OpenTask | None,
    *,
    attention: bool,
    lasting: Mapping[SearchAttributeKey[Any], Any],
    gone_over: Mapping[SearchAttributeKey[Any], Any] | None = None,
) -> list[SearchAttributeUpdate[Any]]:
    """What has to be set anew.

    `gone_over` is what a person changed on purpose. `since` and what is `lasting` (site, protocol) only ever go
    along with something else that changed: by themselves they would be a command that journeys from before they
    were there did not give.
    """
    wanted: dict[SearchAttributeKey[Any], Any] = {
        STAGE: standing,
        NEEDS_ATTENTION: attention,
        WAITS_FOR: first.owner.value if first else None,
        DUE_AT: first.due_at.replace(microsecond=0) if first else None,
        **(gone_over or {}),
    }
    along = {WAITS_SINCE: first.since.replace(microsecond=0) if first else None, **lasting}
    updates = _changes(shown, wanted)
    return updates and updates + _changes(shown, along)


def _changes(
    shown: TypedSearchAttributes, wanted: Mapping[SearchAttributeKey[Any], Any]
) -> list[SearchAttributeUpdate[Any]]:
    return [
        key.value_unset() if value is None else key.value_set(value)
        for key, value in wanted.items()
        if shown.get(key) != value and not (value is False and shown.get(key) is None)
    ]

"""What would this code have decided otherwise? The answers of a replay beside those that stand in the history.

A replay holds the same facts before the new code: the numbers that come out are those which it will come to from now
on. Told are waits that are still open, answers to commands, and what parts were begun with; never a value that says
something about a person beyond a dose, a limit or an instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from workers.listening import Said, value_of

UNLIKE = timedelta(seconds=1)
_DOSING = ("order_dose", "give_dose", "record_dose")
_TOLD = frozenset({"dose_mg", "limit", "max_mg", "mg_per_kg", "earliest_at", "state"})
_INSTANTS = ("earliest_at", "expires_at", "screening_expires_at", "due_at", "KapDueAt")
_PINNED = "protocol"
"""A part begins with the journey's protocol; that is no matter of the build."""


class Touches(StrEnum):
    DEADLINE = "deadline"
    GATE = "gate"
    DOSE = "dose rule"
    OTHER = "other"


@dataclass(frozen=True)
class Difference:
    touches: Touches
    text: str

    def __str__(self) -> str:
        return f"{self.touches}: {self.text}"


async def differences(
    converter: DataConverter, history: WorkflowHistory, said: Said
) -> tuple[Difference, ...]:
    """Everything that this code answers otherwise, in the order of the history."""
    found: list[Difference] = []
    updates: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    over = _timers_over(history.events)
    for event in history.events:
        match event.WhichOneof("attributes"):
            case "timer_started_event_attributes":
                if event.event_id not in over:
                    found += await _timer(converter, event, said)
            case "workflow_execution_update_accepted_event_attributes":
                accepted = event.workflow_execution_update_accepted_event_attributes
                named = accepted.accepted_request.input.name
                updates[accepted.accepted_request.meta.update_id] = named
            case "workflow_execution_update_completed_event_attributes":
                found += await _answer(converter, event, said, updates)
            case "start_child_workflow_execution_initiated_event_attributes":
                found += await _child(converter, event, said)
            case "upsert_workflow_search_attributes_event_attributes":
                upsert = event.upsert_workflow_search_attributes_event_attributes.search_attributes
                attributes |= {name: value_of(one) for name, one in upsert.indexed_fields.items()}
            case _:
                pass  # nothing that the code answers
    found += _values("what operations find it by", attributes, said.attributes)
    return tuple(found)


def _timers_over(events: Sequence[HistoryEvent]) -> set[int]:
    fired = {event.timer_fired_event_attributes.started_event_id for event in events}
    return fired | {event.timer_canceled_event_attributes.started_event_id for event in events}


async def _timer(converter: DataConverter, event: HistoryEvent, said: Said) -> list[Difference]:
    started = event.timer_started_event_attributes
    was = started.start_to_fire_timeout.ToTimedelta()
    will_be = said.timers.get(started.timer_id)
    if will_be is None or abs(will_be - was) < UNLIKE:
        return []
    [name] = await _values_of(converter, [event.user_metadata.summary]) or ["a wait"]
    begun = event.event_time.ToDatetime()
    text = f"{name}: waits until {_minute(begun + was)}, would wait until {_minute(begun + will_be)}"
    return [Difference(Touches.DEADLINE, text)]


async def _answer(
    converter: DataConverter, event: HistoryEvent, said: Said, updates: dict[str, str]
) -> list[Difference]:
    completed = event.workflow_execution_update_completed_event_attributes
    update_id = completed.meta.update_id
    name = updates.get(update_id, "a command")
    if update_id not in said.answers:
        return []
    answers = await _values_of(converter, completed.outcome.success.payloads)
    was, will_be = (answers[0] if answers else None), said.answers[update_id]
    if (was is None) != (will_be is None):
        words = ("refused", "taken") if was is None else ("taken", "refused")
        return [Difference(Touches.GATE, f"{name}: was {words[0]}, would be {words[1]}")]
    touches = Touches.DOSE if name in _DOSING else Touches.GATE
    return list(_values(name, was, will_be, touches))


async def _child(converter: DataConverter, event: HistoryEvent, said: Said) -> list[Difference]:
    begun = event.start_child_workflow_execution_initiated_event_attributes
    if begun.workflow_id not in said.children:
        return []
    was = await _values_of(converter, begun.input.payloads)
    part = "/".join(begun.workflow_id.split("/")[3:])
    return list(_values(f"{part} begins with", was, said.children[begun.workflow_id]))


async def _values_of(converter: DataConverter, payloads: Sequence[Payload]) -> list[Any]:
    codec = converter.payload_codec
    sent = [payload for payload in payloads if payload.data]
    plain = await codec.decode(sent) if codec is not None and sent else sent
    return [value_of(payload) for payload in plain]


def _values(
    where: str, was: Any, will_be: Any, touches: Touches = Touches.OTHER, name: str = ""
) -> Iterator[Difference]:
    """Each value that differs, by the name of its field; what says something about a person stays untold."""
    if isinstance(was, dict) and isinstance(will_be, dict):
        for key in dict.fromkeys([*was, *will_be]):
            if key != _PINNED:
                yield from _values(where, was.get(key), will_be.get(key), touches, str(key))
    elif isinstance(was, list) and isinstance(will_be, list) and len(was) == len(will_be):
        for before, after in zip(was, will_be, strict=True):
            yield from _values(where, before, after, touches, name)
    elif was != will_be:
        touched = Touches.DEADLINE if name in _INSTANTS else touches
        told = f"was {was}, would be {will_be}" if name in _TOLD | {*_INSTANTS} else "would differ"
        yield Difference(touched, f"{where}: {name or 'value'} {told}")


def _minute(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"

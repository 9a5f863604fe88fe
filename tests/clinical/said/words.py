"""How is a decision written out for a reader of the approved texts? A line a reason, all its fields."""

from collections.abc import Iterator

from clinical.decision import Decision, Reason


def reason_line(reason: Reason) -> str:
    said = f"  {reason.rule} {reason.verdict}{' MISSING' if reason.missing else ''}: {reason.text}"
    shown = reason.model_dump(mode="json", exclude={"rule", "verdict", "missing", "text"}, exclude_none=True)
    return " | ".join([said, *(f"{name}={value}" for name, value in shown.items())])


def decision(name: str, answer: Decision) -> Iterator[str]:
    yield f"{name} -> {answer.verdict}"
    yield from map(reason_line, answer.reasons)

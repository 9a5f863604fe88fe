"""Which way does a course go from box to box of its drawing, and back?"""

from collections.abc import Iterator
from typing import NamedTuple

from clinical.protocol import Protocol


class Arrow(NamedTuple):
    """From box to box; broken when somebody did not do what they owned."""

    start: str
    end: str
    label: str = ""
    broken: bool = False


def arrows(protocol: Protocol) -> Iterator[Arrow]:
    """Every arrow, in the order of the story."""
    yield from _of_intake(protocol)
    yield from _of_visits(protocol)
    yield from _beside(protocol)


def _of_intake(protocol: Protocol) -> Iterator[Arrow]:
    for start, end, label in (
        ("book_consultation", "hold_consultation", "booked"),
        ("hold_consultation", "consent", "proceed"),
        ("hold_consultation", "declined", "decline or refer on"),
        ("consent", "collect", "given"),
        ("collect", "sign", "complete"),
        ("sign", "eligible", ""),
        ("eligible", "draft", "yes"),
        ("eligible", "collect", "more is needed"),
        ("eligible", "ineligible", "no"),
        ("draft", "approve", "proposed"),
        ("approve", "draft", "rejected or changed"),
        ("approve", "book_session", "approved, prepared before"),
    ):
        yield Arrow(start, end, label)
    waits = ["book_consultation", "hold_consultation", "consent", "collect", "sign", "draft", "approve"]
    if protocol.therapy.preparation_sessions:
        yield Arrow("approve", "prepare", "approved, before the first dose")
        yield Arrow("prepare", "prepare", "another one")
        yield Arrow("prepare", "book_session", "prepared")
        waits.append("prepare")
    for start in waits:
        yield Arrow(start, "ended", "nobody", broken=True)


def _of_visits(protocol: Protocol) -> Iterator[Arrow]:
    last = len(protocol.schedule.phases) - 1
    for start, end, label in (
        ("book_session", "ready", "booked"),
        ("ready", "gate", "green"),
        ("ready", "missed", "missed or cancelled"),
        ("gate", "dose", "all open"),
        ("gate", "missed", "closed"),
        ("missed", "book_session", "no"),
        ("missed", "decide", "yes"),
        ("dose", "watch", ""),
        ("watch", "home", ""),
        ("home", "watch", "not yet"),
        ("home", "next_day", "yes"),
        ("home", "integrate", "yes"),
        ("next_day", "due", "reached"),
        ("not_reached", "due", "reached"),
        ("integrate", "due", "held"),
        ("late_integration", "due", "held"),
        ("due", "decide", "yes"),
        ("due", "book_session", "no, doses left"),
        ("due", "measure", "no, all doses given"),
        ("decide", "book_session", "go on"),
        ("decide", "phase_0", "change"),
        ("decide", "measure", "stop"),
        (f"phase_{last}", "draft", "amended plan"),
        ("measure", "measure", "the next week"),
        ("measure", "relapse", "answered"),
        ("relapse", "draft", "yes: a booster is proposed"),
        ("relapse", "finished", "no, after the last week"),
    ):
        yield Arrow(start, end, label)
    for index in range(last):
        label = "after a review" if protocol.schedule.phases[index + 1].after_review else ""
        yield Arrow(f"phase_{index}", f"phase_{index + 1}", label)
    for start, end, label in (
        ("book_session", "missed", "nobody"),
        ("next_day", "not_reached", "nobody"),
        ("not_reached", "due", "nobody"),
        ("integrate", "late_integration", "nobody"),
        ("late_integration", "due", "nobody"),
        ("decide", "measure", "nobody: no dose without a decision"),
        ("measure", "relapse", "nobody: missed"),
    ):
        yield Arrow(start, end, label, broken=True)


def _beside(protocol: Protocol) -> Iterator[Arrow]:
    yield Arrow("book_session", "pause", "paused")
    yield Arrow("pause", "book_session", "resumed")
    yield Arrow("pause", "ended", "nobody", broken=True)
    yield Arrow("book_session", "stopped", "consent withdrawn, at any time")
    rungs = len(protocol.risk.ladder)
    yield Arrow("risk", "rung_0", "")
    for index in range(rungs):
        yield Arrow(f"rung_{index}", "resolve", "acknowledged")
        following = f"rung_{index + 1}" if index + 1 < rungs else "rung_0"
        yield Arrow(f"rung_{index}", following, "silent", broken=True)
    yield Arrow("resolve", "rung_0", "not yet", broken=True)
    for index in range(len(protocol.risk.caring_contacts)):
        yield Arrow("resolve", f"caring_{index}", "moderate or high")
    yield Arrow("dose", "explain", "a difference")
    for index in range(len(protocol.long_term)):
        yield Arrow("dose", f"check_{index}", "long term")
    if protocol.reports.rems_form_days is not None:
        yield Arrow("dose", "rems", "")

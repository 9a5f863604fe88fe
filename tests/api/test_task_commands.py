"""Does every human step that a workflow opens say which command completes it, how urgent it is, what to show?

Read from the code of the workflows itself: a new task that nobody has put into the tables fails here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import workflows
from api.auth import ACTS, STEERING
from api.next_steps import CHECK_TASK, DONE_BY, FOLLOW_UP_TASK, done_by
from clinical.adverse_events import Duty
from clinical.booking_tasks import BookingTask
from clinical.custody_events import CustodyDuty
from clinical.protocol_duties import CheckCode
from clinical.task_priority import is_ranked
from clinical.working_time import PAUSES
from services.records import message_cases
from services.records.review_tasks import REVIEW
from workflows.long_term import task_code

OPENERS = {"ask", "open_task", "adopt_task", "TaskOpened"}
CODE_AT = {"ask": 0, "open_task": 0, "adopt_task": 1}
CHECKS = {task_code(check) for check in CheckCode}
DUTIES = {Duty.COMPLETE_DRAFT, Duty.NOTIFY_PRESCRIBER, Duty.SUBMIT_REMS_FORM, Duty.REVIEW_SAFETY_CHECK}
COMPUTED: dict[str, set[str]] = {
    "code": set(),  # handed on by `ask` and `open_task` themselves
    "duty.code": {*DUTIES, *CHECKS},
    "one.duty.code": {*DUTIES, *CHECKS},
    "owed.duty": {Duty.SUBMIT_REMS_FORM},
    "required.duty": {*DUTIES},
    "task_code(due.code)": CHECKS,
    "f'follow-up-week-{week}'": {f"{FOLLOW_UP_TASK}{week}" for week in (2, 4, 8, 12, 26, 52)},
}
"""Codes that are computed, in the words of the code, and what they can come to."""

IN_CODE = Path(next(iter(workflows.__path__)))


def opened() -> Iterator[tuple[str, str]]:
    """Each place of the code that opens a task, and each code that it may open."""
    for file in sorted(IN_CODE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in OPENERS:
                expression = _code(node)
                place = f"{file.name}:{node.lineno}"
                for code in _values(expression, file.stem):
                    yield place, code


def _name(function: ast.expr) -> str:
    """Of a method of `self` or of a part, or of the fact."""
    if isinstance(function, ast.Attribute):
        owner = ast.unparse(function.value)
        return function.attr if owner in {"self", "part"} else ""
    return function.id if isinstance(function, ast.Name) else ""


def _code(call: ast.Call) -> ast.expr:
    named = {word.arg: word.value for word in call.keywords}
    return named["code"] if "code" in named else call.args[CODE_AT[_name(call.func)]]


def _values(expression: ast.expr, module: str) -> set[str]:
    if isinstance(expression, ast.Constant):
        return {str(expression.value)}
    words = ast.unparse(expression)
    if words in COMPUTED:
        return COMPUTED[words]
    assert isinstance(expression, ast.Name), f"say in COMPUTED what {words} in {module} can be"
    return {str(getattr(import_module(f"workflows.{module}"), words))}


def test_every_task_of_a_workflow_has_a_command_an_urgency_and_evidence() -> None:
    found = list(opened())
    assert len({code for _, code in found}) > 30
    for place, code in found:
        does = done_by(code)
        assert does is not None, f"{place} opens {code}: say in api.next_steps which command completes it"
        assert does.act in ACTS and does.evidence
        assert ACTS[does.act] & STEERING, f"nobody of the clinic may do {code}"
        assert is_ranked(code), f"{place} opens {code}: say in clinical.task_priority how urgent it is"


def test_what_drug_books_times_and_messages_owe_has_a_command_too() -> None:
    owed = {REVIEW, *CustodyDuty, *BookingTask, *(duty.task for duty in message_cases.DUTIES.values())}
    assert all(code in DONE_BY and is_ranked(code) for code in owed)


def test_only_steps_that_exist_are_in_the_tables() -> None:
    codes = (
        {code for _, code in opened()}
        | {*CustodyDuty, *BookingTask, REVIEW}
        | {duty.task for duty in message_cases.DUTIES.values()}
    )
    assert set(DONE_BY) <= codes
    assert codes >= PAUSES


@pytest.mark.parametrize(
    "code",
    ["take-reading", "give-dose", "acknowledge-risk", "resolve-risk", "next-day-contact", "caring-contact",
     "contact-not-reached", "hold-integration", "review-concerns", "submit-rems-form", "check-in",
     "submit-loss-notice", f"{CHECK_TASK}liver-panel", f"{FOLLOW_UP_TASK}2"],
)  # fmt: skip
def test_clocks_of_medicine_and_of_the_law_never_pause(code: str) -> None:
    assert code not in PAUSES

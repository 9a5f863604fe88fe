"""What can the work list refuse? Each says who has the task, or what became of it.

RecordsError
├── TaskOver          it is completed or cancelled
├── TaskChanged       somebody has changed it since the caller looked
├── TaskHeld          another person has taken it on
├── NotYours          it is another person's to give back or to pass on
└── UnknownColleague  nobody of that name works here in a fitting role; names who does
"""

from collections.abc import Sequence
from datetime import datetime

from services.records.errors import RecordsError


class TaskOver(RecordsError):
    code = "task-over"

    def __init__(self, status: str) -> None:
        super().__init__(f"the task is {status}")
        self.status = status


class TaskChanged(RecordsError):
    code = "task-changed"

    def __init__(self, version: int) -> None:
        super().__init__("the task has another version now")
        self.version = version


class TaskHeld(RecordsError):
    code = "task-held"

    def __init__(self, holder: str | None, held_until: datetime | None = None) -> None:
        super().__init__("another person has taken the task on")
        self.holder, self.held_until = holder, held_until


class NotYours(TaskHeld):
    code = "not-your-task"


class UnknownColleague(RecordsError):
    code = "unknown-colleague"

    def __init__(self, candidates: Sequence[str]) -> None:
        super().__init__("nobody of that name works here in a fitting role")
        self.candidates = list(candidates)

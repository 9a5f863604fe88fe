"""Who may take a task on, pass it on, or take it away from somebody? And what are they told when they may not?"""

import re
from typing import Annotated

from fastapi import Response

from api.dependencies import CallerHere, Composed
from api.next_steps import may_hold
from api.on_the_loop import on_the_loop
from api.problems import Problem
from api.schemas.work import HoldingOut
from clinical.people import Actor, Role
from services.records.task_views import TaskView

STEERS = frozenset({Role.COORDINATOR, Role.MEDICAL_DIRECTOR})
"""Who keeps the list going: they give back and pass on what others hold."""

_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class _Desk:
    """Where acts of this request on tasks are handed in."""

    def __init__(self, here: Composed, caller: CallerHere) -> None:
        self._here = here
        self._caller = caller

    @property
    def actor(self) -> Actor:
        return self._caller.actor

    @property
    def steers(self) -> bool:
        return self._caller.role in STEERS

    async def task(self, row_id: str) -> TaskView:
        """The task, if it is at one of the caller's sites, and still there to be done."""
        task = await self._here.queries.task(sorted(self._caller.principal.sites), row_id)
        if task.status != "requested":
            raise Problem("task-over", f"the task is {task.status}")
        return task

    def fitting(self, task: TaskView) -> Actor:
        """The caller, if their role may do what the task asks for."""
        if self._caller.role not in may_hold(task):
            raise Problem("wrong-role", f"this task is for: {', '.join(sorted(may_hold(task)))}")
        return self.actor

    async def holding(self, row_id: str, response: Response) -> HoldingOut:
        """Who has it now; the version goes into `ETag`."""
        task = await self._here.queries.task(sorted(self._caller.principal.sites), row_id)
        response.headers["ETag"] = f'W/"{task.version}"'
        return HoldingOut.model_validate(task.model_dump(include=set(HoldingOut.model_fields)))


TaskDesk = Annotated[_Desk, on_the_loop(_Desk)]


def version_in(if_match: str | None) -> int | None:
    """The version that the caller has seen; 412 for what no task ever had."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Problem("task-changed", "If-Match is not an ETag of this task")
    return int(found[1])

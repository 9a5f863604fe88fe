"""What is said about the work list? Tasks with the command that completes them, and who has taken them on."""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.schemas.answers import Page
from api.schemas.contact import zone_name
from api.schemas.values import Code, Day, In, Out, Site, Words
from clinical.people import Role
from services.records.task_views import HoldingView, TaskCount, TaskView

A_LONG_TIME = timedelta(days=731)


class TaskLine(TaskView):
    """A task with what completes it. `overdue` is about now; `roles` may do it; `href` takes the act."""

    overdue: bool
    act: str | None
    href: str | None
    evidence: str | None
    roles: list[Role]
    course: str | None


class TaskPage(Page):
    """Open work, most urgent first; `counts` are over all of the site's open tasks."""

    items: list[TaskLine]
    counts: list[TaskCount]


class TaskOut(Out):
    """One task, and through whose hands it went."""

    task: TaskLine
    history: list[HoldingView]


class HoldingOut(Out):
    """Who has the task now; null when nobody has. `version` is the ETag for what comes next."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01JNB6Q0F0V5T9Z8X4C2M7K3HD", "holder": "staff-7", "holder_role": "nurse",
                    "held_until": "2026-03-02T22:30:00Z", "delegated_by": None, "version": 2,
                }
            ]
        }
    )  # fmt: skip

    id: str
    holder: str | None
    holder_role: str | None
    held_until: datetime | None
    delegated_by: str | None
    version: int


class HoldIn(In):
    """To take a task on or to give it back, nothing more has to be said."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class DelegationIn(In):
    """To whom: the id of a colleague who works at the site in a role that may do it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person": "staff-7"}]})

    person: Code


class ClosedDayIn(In):
    """A day on which the site is closed, by the calendar on its wall; `time_zone` is the site's.

    With `weekly_until` the same day of every week until then as well: weekends are two of these.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"site": "site-a", "day": "2026-12-25", "name": "Christmas", "time_zone": "America/New_York"}
            ]
        }
    )

    site: Site
    day: Day
    name: Annotated[Words, Field(max_length=80)]
    time_zone: Annotated[str, AfterValidator(zone_name)]
    weekly_until: Day | None = None

    @field_validator("weekly_until")
    @classmethod
    def _ends(cls, value: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("day")
        if value is not None and first is not None and not timedelta() <= value - first <= A_LONG_TIME:
            raise PydanticCustomError("weekly_until", "must lie between the day and two years after it")
        return value


class ClosedDayOut(Out):
    """The day, and the instants at which it begins and ends on the wall of the site."""

    site: str
    day: date
    name: str
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    added_by: str


class ClosedNowOut(Out):
    """The days that are closed now as they were asked for."""

    items: list[ClosedDayOut]


class ClosedDaysOut(Page):
    """Closed days of a site, earliest first."""

    items: list[ClosedDayOut]
    total: int

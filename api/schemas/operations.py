"""What is sent to act on many courses at once, and to go back to before a failed step?"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from api.schemas.values import Code, Identifier, In, Out, Site, Whole, Words
from clinical.journey import Stage
from services.bulk.interface import MOST, BulkAct

Token = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BulkIn(In):
    """What to do, why, and to which open courses: those named, or all of the site, or all in a stage.

    `pause` takes courses that go on, `resume` those on hold; `notify` asks the patient to call the clinic.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"act": "pause", "reason": "storm"}]})

    act: BulkAct
    reason: Code
    courses: Annotated[list[Identifier], Field(min_length=1, max_length=MOST)] | None = Field(
        default=None, description="the last part of each course's address"
    )
    stage: Stage | None = None


class BulkTokenIn(In):
    """Exactly what was looked at."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": "0f" * 32}]})

    token: Token


class ResetIn(In):
    """Go back to the last step that went well, and why. `part`: a part of the course, as "session/3"."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the release of today could not go on", "part": ""}]}
    )

    reason: Words
    part: Annotated[str, Field(max_length=140, pattern=r"^[A-Za-z0-9._/-]*$")] = ""


class ResetOut(Out):
    """`did`: `activity-tried-again` (what failed is tried at once), or `run-reset` with the run that goes on."""

    workflow_id: str
    did: str
    activity: str | None = None
    run_id: str | None = None
    to_event: int | None = None


class OpsCommandIn(In):
    """What was asked of the engine past this API: which command, about what, and how many it found.

    `about` is a saved query, a workflow, an operation or a build, never words. Without `site` it was about all
    sites of whoever asked. `failed`: there was no answer.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"command": "find", "about": "query/waiting", "site": "site-a", "found": 3}]
        }
    )

    command: Literal["find", "why", "stuck", "report", "versions", "upgrade-preview", "promote", "move"]
    about: Annotated[
        str,
        Field(max_length=200, pattern=r"^(query|journey|drug|operation|build)/[A-Za-z0-9][A-Za-z0-9._:/-]*$"),
    ]
    site: Site | None = None
    found: Annotated[Whole, Field(ge=0)] | None = None
    failed: bool = False


class OpsCommandOut(Out):
    """In the audit of which sites it stands now."""

    sites: list[str]

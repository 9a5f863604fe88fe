"""May this worker serve? Not when it cannot go on with what runs now and may come to it.

Of each type of workflow the newest `KAP_REPLAY_CHECK` are replayed before any work is taken: those that are pinned to
this very build, and those that are pinned to none and go to the current one. What is pinned to another build does not
come here; `./dev ops upgrade-preview` looks at that. Where nothing runs there is nothing to try.
"""

from collections.abc import AsyncIterator

from temporalio.client import Client, WorkflowHistory

from services.encryption import EncryptionError
from services.settings import Settings
from workers.registry import WORKFLOWS
from workers.replaying import Execution, Replayed, replayed
from workers.versioning import may_come_to

OTHER_CODE = (
    "Run the build that wrote these histories, or guard the change with workflow.patched "
    "(workflows/README.md, Changing a workflow that is running)."
)
OTHER_KEYS = (
    "The keys of this worker do not open what {} of them carry: KAP_PAYLOAD_KEYS has to hold every key that running "
    "workflows were written with (deploy/production.md)."
)


class CannotReplay(Exception):
    """`stuck`: every workflow of the sample that this build leaves stuck; `closed`: so many it cannot even read."""

    def __init__(self, build: str, tried: int, stuck: list[Replayed], closed: int) -> None:
        lines = "\n".join(f"- {one}" for one in stuck)
        advice = OTHER_KEYS.format(closed) if closed else OTHER_CODE
        super().__init__(
            f"build {build} does not serve: it cannot go on with {len(stuck)} of {tried} running workflows\n{lines}\n"
            f"{advice}"
        )
        self.stuck = stuck


async def check(client: Client, settings: Settings) -> int:
    """How many were replayed; raises CannotReplay, naming type and step of each that does not go on."""
    sample = [one async for one in running(client, may_come_to(settings), settings.replay_check)]
    found = [one async for one in replayed(client, sample)]
    stuck = [one for one in found if one.failure]
    if stuck:
        closed = [one for one in stuck if not await _opens(client, one.history)]
        raise CannotReplay(settings.build, len(found), stuck, len(closed))
    return len(found)


async def _opens(client: Client, history: WorkflowHistory) -> bool:
    """Has this worker the key to what the workflow was started with?"""
    codec = client.data_converter.payload_codec
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    try:
        if codec is not None:
            await codec.decode(given)
    except EncryptionError:
        return False
    return True


async def running(client: Client, query: str, most_of_a_type: int | None = None) -> AsyncIterator[Execution]:
    """The workflows of ours that the query finds, newest first in each type."""
    if most_of_a_type == 0:
        return
    for workflow in WORKFLOWS:
        of_type = f"WorkflowType = '{workflow.__name__}' AND {query}"
        async for found in client.list_workflows(of_type, limit=most_of_a_type):
            yield Execution(found.id, found.run_id, found.workflow_type)

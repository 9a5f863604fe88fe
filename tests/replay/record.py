"""`python -m tests.replay.record`: walk the journeys of the corpus on the real engine and store what it recorded.

When to run it: when a command, a workflow or a journey was added, so that the corpus shows it, and when a change
was made on purpose behind `workflow.patched` or in a new version. Never to make a red replay green: a replay that
fails says that journeys which run at this moment would get stuck. Once a release has patients, keep what its
workers recorded: `--keep NAME` puts today's histories aside under that name before it records new ones, and they
are replayed for as long as a journey of that release can be running.

`--fingerprints` only writes down anew in which order the stored histories are answered: for a change that every
replay accepts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import traceback
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import yaml
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from clinical.protocol import Protocol
from deploy.data_folder import DataFolder
from deploy.postgres import PostgresServer
from deploy.temporal_server import search_attribute_arguments, temporal_binary, virtual_time_arguments
from services.database import migrate
from services.logging import configure_logging
from services.process import end_process
from tests.replay import corpus
from tests.replay.commands import replay
from tests.replay.fingerprints import commit, fingerprints
from tests.replay.journeys import JOURNEYS
from tests.workflows.clinic import a_clinic
from tests.workflows.walk import Walk
from workers.search_attributes import SEARCH_ATTRIBUTES

PROTOCOL = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"
IDENTITY = "recorder"
"""In place of a process and its host: a history that is committed names nobody's machine."""

WALKED_WITHIN_S, ENDED_WITHIN_S = 120, 60

Histories = dict[str, WorkflowHistory]
"""Part → history."""


async def record(progress: Callable[[str], None]) -> dict[str, Histories]:
    """Every journey of the corpus, walked to its end. Raises TimeoutError, naming one that does not get there."""
    protocol = Protocol.model_validate(yaml.safe_load(PROTOCOL.read_text()))
    found: dict[str, Histories] = {}
    async with _an_engine() as environment, _a_database() as url, a_clinic(environment, url) as clinic:
        for name, journey in JOURNEYS.items():
            patient = Walk(environment, clinic.records, journey.protocol(protocol))
            try:
                async with asyncio.timeout(WALKED_WITHIN_S):
                    await journey.walk(patient)
                    outcome = await patient.outcome()
            except TimeoutError:
                raise TimeoutError(f"{name}: does not come to its end") from None
            found[name] = runs = await histories(environment.client, patient.journey_id)
            for number, beside in enumerate(patient.beside, start=1):
                [whole] = (await histories(environment.client, beside)).values()
                runs[f"beside-{number}"] = whole
            events = sum(len(history.events) for history in runs.values())
            progress(f"{name}: {outcome.stage} ({outcome.reason}); {len(runs)} runs, {events} events")
    return found


@asynccontextmanager
async def _a_database() -> AsyncIterator[str]:
    async with AsyncExitStack() as running:
        folder = DataFolder(None)
        running.callback(folder.release)
        postgres = PostgresServer(folder.path / "postgres", secret=uuid.uuid4().hex, durable=False)
        await asyncio.to_thread(postgres.start)
        running.callback(postgres.remove)
        url = postgres.create_database("kap")
        await asyncio.to_thread(migrate, url)
        yield url


@asynccontextmanager
async def _an_engine() -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False, disable_propagation=True),
        data_converter=corpus.CONVERTER,
        identity=IDENTITY,
        dev_server_existing_path=temporal_binary(),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=60),
        dev_server_extra_args=[*virtual_time_arguments(), *search_attribute_arguments(SEARCH_ATTRIBUTES)],
    )
    async with environment:
        yield environment


async def histories(client: Client, journey_id: str) -> Histories:
    """Every run of every workflow that the journey has started, each to its last event: part → history."""
    described = await client.get_workflow_handle(journey_id).describe()
    waiting = [(journey_id, described.raw_description.workflow_execution_info.first_run_id)]
    found: Histories = {}
    while waiting:
        workflow_id, run_id = waiting.pop(0)
        history = await _to_its_end(client, workflow_id, run_id)
        found[_part(journey_id, workflow_id, found)] = history
        for event in history.events:
            started = event.child_workflow_execution_started_event_attributes.workflow_execution
            if started.run_id:
                waiting.append((started.workflow_id, started.run_id))
            again = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
            if again:
                waiting.insert(0, (workflow_id, again))
    return found


async def _to_its_end(client: Client, workflow_id: str, run_id: str) -> WorkflowHistory:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    async with asyncio.timeout(ENDED_WITHIN_S):
        events = [event async for event in handle.fetch_history_events(wait_new_event=True)]
    return WorkflowHistory(workflow_id, events)


def _part(journey_id: str, workflow_id: str, known: Histories) -> str:
    """`session/3`; the id of a risk case is random and left out; later runs are numbered."""
    tail = workflow_id.removeprefix(journey_id).strip("/") or "journey"
    part = "risk" if tail.startswith("risk/") else tail
    number = 1 + sum(1 for name in known if name.partition(" #")[0] == part)
    return part if number == 1 else f"{part} #{number}"


def _store(found: dict[str, Histories], keep: str | None) -> None:
    current = corpus.HISTORIES / corpus.CURRENT
    if keep is not None:
        current.rename(corpus.HISTORIES / keep)
    for old in current.glob("*.json.gz"):
        old.unlink()
    for name, runs in found.items():
        corpus.save(f"{corpus.CURRENT}/{name}", runs)


async def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replay.record", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--keep", metavar="NAME", help="put the stored histories aside as those of a release")
    parser.add_argument("--fingerprints", action="store_true", help="leave the histories as they are")
    wanted = parser.parse_args(arguments)
    configure_logging(build=IDENTITY, level="ERROR", stream=sys.stderr)
    if not wanted.fingerprints:
        _store(await record(_say), wanted.keep)
    replayed = await replay([run for journey in corpus.stored() for run in corpus.load(journey)])
    stuck = [one for one in replayed if one.failure]
    for one in stuck:
        _say(f"cannot be replayed: {one.run.name} ({one.run.workflow_type}): {one.failure}")
    if stuck:
        return 1
    commit(fingerprints(replayed))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(arguments: list[str]) -> int:
    try:
        return asyncio.run(main(arguments))
    except Exception:  # whatever it was, the exit status is ours
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    end_process(run(sys.argv[1:]))

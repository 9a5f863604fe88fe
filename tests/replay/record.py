"""`python -m tests.replay.record`: walk the journeys of the corpus on the real engine and store their histories.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import yaml
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.queues import TaskQueue
from clinical.people import Role
from clinical.protocol import Protocol
from deploy.data_folder import DataFolder
from deploy.postgres import PostgresServer
from deploy.smtp_sink import SmtpSink
from deploy.temporal_server import search_attribute_arguments, temporal_binary, virtual_time_arguments
from services.database import Database, migrate
from services.encryption import FieldCipher
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.interface import ChannelName, Contact
from services.notifications.service import NotificationService
from services.process import end_process
from services.records.sql import SqlRecords
from services.settings import SmtpTls
from tests.replay import corpus
from tests.replay.journeys import JOURNEYS
from tests.workflows.walk import Walk
from workers.registry import Activities, workers_for
from workers.search_attributes import SEARCH_ATTRIBUTES

PROTOCOL = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"
IDENTITY = "recorder"
"""In place of process and host: a history names nobody's machine."""


@asynccontextmanager
async def a_clinic() -> AsyncIterator[tuple[WorkflowEnvironment, SqlRecords]]:
    """The engine in virtual time, the real record and message service, workers."""
    async with AsyncExitStack() as running:
        folder = DataFolder(None)
        running.callback(folder.release)
        postgres = PostgresServer(folder.path / "postgres", secret=uuid.uuid4().hex, durable=False)
        await asyncio.to_thread(postgres.start)
        running.callback(postgres.remove)
        url = postgres.create_database("kap")
        await asyncio.to_thread(migrate, url)
        sink = SmtpSink()
        sink.start()
        running.callback(sink.stop)
        environment = await running.enter_async_context(
            await WorkflowEnvironment.start_time_skipping_v2(
                ts_config=TimeSkippingConfig(enabled=False, disable_propagation=True),
                data_converter=corpus.CONVERTER,
                identity=IDENTITY,
                dev_server_existing_path=temporal_binary(),
                dev_server_log_level="error",
                dev_server_startup_timeout=timedelta(seconds=60),
                dev_server_extra_args=[
                    *virtual_time_arguments(),
                    *search_attribute_arguments(SEARCH_ATTRIBUTES),
                ],
            )
        )
        database = Database(url)
        running.push_async_callback(database.dispose)
        cipher = FieldCipher(corpus.KEYS, corpus.TEST_KEY)
        records = SqlRecords(database, cipher)
        mail = EmailChannel(SmtpServer("127.0.0.1", sink.port, "clinic@example.org", tls=SmtpTls.NONE))
        notifications = NotificationService(database, cipher, {ChannelName.EMAIL: mail})
        staff = {role: Contact(name=role, email=f"{role}@example.org", time_zone="UTC") for role in Role}
        activities = Activities.over(records, notifications, staff)
        for worker in workers_for(environment.client, activities, list(TaskQueue)):
            await running.enter_async_context(worker)
        yield environment, records


async def histories(client: Client, journey_id: str) -> dict[str, WorkflowHistory]:
    """Every run of every workflow that the journey started: part → history."""
    described = await client.get_workflow_handle(journey_id).describe()
    first = described.raw_description.workflow_execution_info.first_run_id
    waiting, found = [(journey_id, first)], {}
    counts: dict[str, int] = {}
    while waiting:
        workflow_id, run_id = waiting.pop(0)
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        history = await handle.fetch_history()
        part = workflow_id.removeprefix(journey_id).strip("/") or "journey"
        if part.startswith("risk/"):
            part = "risk"
        counts[part] = counts.get(part, 0) + 1
        found[f"{part} #{counts[part]}" if counts[part] > 1 else part] = history
        for event in history.events:
            if event.HasField("child_workflow_execution_started_event_attributes"):
                child = event.child_workflow_execution_started_event_attributes.workflow_execution
                waiting.append((child.workflow_id, child.run_id))
            if event.HasField("workflow_execution_continued_as_new_event_attributes"):
                again = event.workflow_execution_continued_as_new_event_attributes
                waiting.insert(0, (workflow_id, again.new_execution_run_id))
    return found


async def record() -> None:
    protocol = Protocol.model_validate(yaml.safe_load(PROTOCOL.read_text()))
    async with a_clinic() as (environment, records):
        for name, journey in JOURNEYS.items():
            walk = Walk(environment, records, protocol)
            await journey(walk)
            await walk.outcome()
            found = await histories(environment.client, walk.journey_id)
            corpus.save(f"{corpus.CURRENT}/{name}", found)
            print(name, len(found), EventType)


if __name__ == "__main__":
    asyncio.run(record())
    end_process(0)

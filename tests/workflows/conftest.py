"""A clinic on the real engine: the real record, the real message service, a mail sink, workers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml
from temporalio.testing import WorkflowEnvironment

from activities.queues import TaskQueue
from clinical.people import Role
from clinical.protocol import Protocol
from deploy.smtp_sink import SmtpSink
from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.interface import ChannelName, Contact
from services.notifications.service import NotificationService
from services.records.sql import SqlRecords
from services.settings import SmtpTls
from tests.workflows.walk import Walk
from workers.registry import Activities, workers_for

SHIPPED = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return Protocol.model_validate(yaml.safe_load(SHIPPED.read_text()))


@pytest.fixture
async def clinic(
    temporal_environment: WorkflowEnvironment, database_url: str, smtp_sink: SmtpSink
) -> AsyncIterator[SqlRecords]:
    database = Database(database_url)
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(range(32)))
    records = SqlRecords(database, cipher)
    mail = EmailChannel(SmtpServer("127.0.0.1", smtp_sink.port, "clinic@example.org", tls=SmtpTls.NONE))
    notifications = NotificationService(database, cipher, {ChannelName.EMAIL: mail})
    staff = {role: Contact(name=role, email=f"{role}@example.org", time_zone="UTC") for role in Role}
    activities = Activities.over(records, notifications, staff)
    async with AsyncExitStack() as running:
        for worker in workers_for(temporal_environment.client, activities, list(TaskQueue)):
            await running.enter_async_context(worker)
        yield records
    await database.dispose()


@pytest.fixture
def walk(
    clinic: SqlRecords, temporal_environment: WorkflowEnvironment, protocol: Protocol
) -> Callable[..., Walk]:
    def begin(protocol: Protocol = protocol) -> Walk:
        return Walk(temporal_environment, clinic, protocol)

    return begin

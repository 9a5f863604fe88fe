"""What does a clinic on the real engine consist of? The real record and message service, a mail sink, workers."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime

from temporalio.testing import WorkflowEnvironment

from activities.queues import TaskQueue
from clinical.people import Role
from deploy.postgres import PostgresServer
from deploy.smtp_sink import SmtpSink
from services.database import Database
from services.downtime.interface import DowntimeSpool
from services.encryption import FieldCipher, KeyRing
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.interface import ChannelName, Contact
from services.notifications.service import NotificationService, wall_clock
from services.records.interface import Records
from services.records.sql import SqlRecords
from services.settings import SmtpTls
from workers.registry import Activities, workers_for


@dataclass(frozen=True)
class Clinic:
    records: SqlRecords
    database_url: str
    mail: SmtpSink


@contextmanager
def a_database(postgres: PostgresServer, template: str) -> Iterator[str]:
    """The address of a migrated database of its own."""
    name = f"clinic_{uuid.uuid4().hex[:16]}"
    yield postgres.create_database(name, template=template)
    postgres.drop_database(name)


@asynccontextmanager
async def a_clinic(
    environment: WorkflowEnvironment,
    database_url: str,
    reached_through: Callable[[SqlRecords], Records] = lambda records: records,
    clock: Callable[[], datetime] = wall_clock,
    spool: DowntimeSpool | None = None,
) -> AsyncIterator[Clinic]:
    """A clinic at work. `reached_through` is what its workers have of the record, `clock` its post office's,
    `spool` where its downtime sheets go."""
    database, sink = Database(database_url), SmtpSink()
    cipher = FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(range(32)))
    records = SqlRecords(database, cipher)
    sink.start()
    mail = EmailChannel(SmtpServer("127.0.0.1", sink.port, "clinic@example.org", tls=SmtpTls.NONE))
    notifications = NotificationService(database, cipher, {ChannelName.EMAIL: mail}, clock=clock)
    staff = {role: Contact(name=role, email=f"{role}@example.org", time_zone="UTC") for role in Role}
    activities = Activities.over(reached_through(records), notifications, staff, spool)
    async with AsyncExitStack() as running:
        running.push_async_callback(database.dispose)
        running.callback(sink.stop)
        for worker in workers_for(environment.client, activities, list(TaskQueue)):
            await running.enter_async_context(worker)
        yield Clinic(records, database_url, sink)

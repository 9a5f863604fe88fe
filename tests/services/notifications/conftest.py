"""A notification service on a real database, with a real mail server and SMS gateway on loopback."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.notifications.email import EmailChannel, SmtpServer
from services.notifications.interface import ChannelName
from services.notifications.service import NotificationService
from services.notifications.sms import SmsChannel, SmsGateway
from services.settings import SmtpTls
from tests.services.notifications.builders import Clock
from tests.services.notifications.servers import MailServer, SmsServer, a_mail_server, an_sms_server


@dataclass
class World:
    service: NotificationService
    database: Database
    mail: MailServer
    sms: SmsServer
    clock: Clock


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    database, clock = Database(database_url), Clock()
    async with a_mail_server() as mail, an_sms_server() as sms:
        service = NotificationService(
            database,
            FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32)),
            {
                ChannelName.EMAIL: EmailChannel(
                    SmtpServer("127.0.0.1", mail.port, "clinic@example.org", tls=SmtpTls.NONE)
                ),
                ChannelName.SMS: SmsChannel(
                    SmsGateway(sms.url, "AC1", SecretStr("token"), sender="+12025550100")
                ),
            },
            clock=clock,
        )
        yield World(service, database, mail, sms, clock)
    await database.dispose()

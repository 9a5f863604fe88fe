"""How is the API put together? Constructors only: settings in, an application out.

`compose` names the concrete services; tests hand `create_app` a composition of their own. Nothing is
connected here: the database and the engine are reached by the first request that needs them.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from joserfc.jwk import KeySet
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api import errors
from api.composition import Composition
from api.cursors import Cursors
from api.description import describe
from api.engine import TemporalEngine
from api.message_concerns import keep_telling
from api.routes import (
    aftercare,
    consultation,
    contacts,
    course,
    custody,
    discrepancies,
    documentation,
    dosing,
    downtime,
    duties,
    health,
    inbound,
    inbox,
    instruments,
    journeys,
    notes,
    patients,
    plans,
    protocols,
    reading,
    referrals,
    risk,
    screenings,
    sessions,
    tasks,
)
from api.signatures import Provider
from api.telemetry import RequestLog
from api.tokens import GivenKeys, KeySource, PublishedKeys, TokenVerifier
from services import temporal
from services.database import Database
from services.downtime.page import HelpNumbers
from services.encryption import FieldCipher
from services.notifications.channels import channels
from services.notifications.service import NotificationService
from services.notifications.wording import HelpLines
from services.records.contact_book import ContactBook
from services.records.idempotency import IdempotencyKeys
from services.records.inbox import Inbox
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords
from services.records.therapy_notes import TherapyNotes
from services.settings import Settings, SettingsInvalid

IN_ORDER = (
    patients, referrals, journeys, reading, consultation, screenings, plans, sessions, dosing, downtime, notes, course,
    aftercare, risk, duties, tasks, inbox, inbound, contacts, custody, discrepancies, protocols,
    instruments, health, documentation,
)  # fmt: skip


def compose(settings: Settings) -> Composition:
    """The real services behind the API."""
    database = Database(settings.database_url)
    cipher = FieldCipher.from_settings(settings)

    async def database_is_up() -> bool:
        try:
            async with database.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    return Composition(
        build=settings.build,
        environment=settings.environment,
        public_url=settings.public_url,
        tokens=_verifier(settings),
        engine=TemporalEngine(lambda: temporal.connect(settings)),
        records=SqlRecords(database, cipher),
        queries=RecordQueries(database, cipher),
        messages=NotificationService(database, cipher, channels(settings)),
        requests=IdempotencyKeys(database, cipher),
        cursors=Cursors(base64.b64decode(settings.index_key.get_secret_value())),
        database_is_up=database_is_up,
        notes=TherapyNotes(database, cipher),
        help_numbers=HelpNumbers(settings.emergency_number, settings.crisis_line),
        close=database.dispose,
        contacts=ContactBook(database, cipher),
        inbox=Inbox(database, cipher),
        sms_provider=Provider(settings.sms_token, settings.public_url),
        help_lines=HelpLines(settings.crisis_line, settings.emergency_number, settings.text_line),
    )


def create_app(composition: Composition) -> FastAPI:
    """The application around these services."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        telling = asyncio.create_task(keep_telling(composition))
        yield
        telling.cancel()
        await composition.close()

    app = FastAPI(
        title="Treatment workflow engine",
        version="1",
        lifespan=lifespan,
        # Our own page and description: the framework's need the network and do not know the entrance.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # Its logs and operation spans would carry messages of exceptions and parsed bodies.
        telemetry={"logs": False, "operation_spans": False},
    )
    app.state.composition = composition
    app.add_middleware(RequestLog)
    errors.install(app)
    for group in IN_ORDER:
        app.include_router(group.router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # the documented way to replace it
    return app


def _verifier(settings: Settings) -> TokenVerifier:
    if settings.issuer_url is None:
        raise SettingsInvalid(("KAP_ISSUER_URL: is required by the API: tokens name their issuer",))
    keys: KeySource
    if settings.issuer_key is not None:
        key = json.loads(settings.issuer_key.get_secret_value())
        keys = GivenKeys(KeySet.import_key_set({"keys": [key]}))
    else:
        keys = PublishedKeys(settings.issuer_url)
    return TokenVerifier(keys, issuer=settings.issuer_url, audience=settings.audience)

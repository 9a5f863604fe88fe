"""How is the API put together? Constructors only: settings in, an application out.

`compose` names the concrete services; tests hand `create_app` a composition of their own. Nothing is
connected here: the database and the engine are reached by the first request that needs them.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api import bulk_desk, errors, link_acts, message_concerns
from api.composition import Composition
from api.cursors import Cursors
from api.description import describe
from api.engine import TemporalEngine
from api.finding import Finder
from api.mail_door import MailDoor
from api.outside import outside_of
from api.routes import (
    aftercare,
    api_keys,
    audit,
    board,
    bookings,
    closed_days,
    closures,
    consultation,
    contacts,
    course,
    custody,
    discrepancies,
    documentation,
    dosing,
    downtime,
    duties,
    events,
    glass,
    health,
    inbound,
    inbound_mail,
    inbox,
    instruments,
    journeys,
    links,
    migrations,
    notes,
    operations,
    patient_pages,
    patients,
    plans,
    protocols,
    reading,
    referrals,
    resources,
    risk,
    risk_cases,
    screenings,
    session_times,
    sessions,
    sites,
    tasks,
    webhook_notices,
    webhooks,
)
from api.routes.router import join
from api.signatures import Provider
from api.telemetry import RequestLog
from api.tokens import verifier_of
from services import temporal
from services.access.access import access_on
from services.booking.service import Bookings
from services.bulk.store import BulkActs
from services.clock_watch import ClockWatch
from services.database import Database
from services.downtime.page import HelpNumbers
from services.encryption import FieldCipher
from services.links.drafts import Drafts
from services.links.store import PatientLinks
from services.notifications.channels import channels
from services.notifications.service import NotificationService
from services.notifications.wording import HelpLines
from services.questionnaires.wording import PacksInvalid, Wording, wording_of
from services.records.booking_facts import BookingFacts
from services.records.booking_tasks import BookingTasks
from services.records.closed_days import ClosedDays
from services.records.contact_book import ContactBook
from services.records.idempotency import IdempotencyKeys
from services.records.inbox import Inbox
from services.records.queries import RecordQueries
from services.records.review_tasks import ReviewTasks
from services.records.sql import SqlRecords
from services.records.standings import Standings
from services.records.task_claims import TaskClaims
from services.records.therapy_notes import TherapyNotes
from services.settings import Settings, SettingsInvalid
from services.telemetry.sdk import runtime_of
from services.telemetry.tracing import Tracing

IN_ORDER = (
    patients, referrals, journeys, reading, consultation, screenings, plans, sessions, session_times, dosing,
    downtime, notes, course, migrations, aftercare, risk, links, patient_pages, risk_cases, duties, tasks, board,
    closed_days, inbox, inbound, inbound_mail, contacts, resources, closures, bookings, custody, discrepancies,
    operations,
    events, webhooks, webhook_notices,
    protocols, sites, api_keys, audit, glass, instruments, health, documentation,
)  # fmt: skip


def compose(settings: Settings, tracing: Tracing | None = None) -> Composition:
    """The real services behind the API."""
    tracing = tracing or Tracing.from_settings(settings, "kap-api")
    runtime = runtime_of(settings)
    database = tracing.of_statements(Database(settings.database_url))
    cipher = FieldCipher.from_settings(settings)
    open_for = timedelta(minutes=settings.break_glass_minutes)
    review_within = timedelta(hours=settings.break_glass_review_hours)

    async def database_is_up() -> bool:
        try:
            async with database.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    return Composition(
        tracing=tracing,
        build=settings.build,
        environment=settings.environment,
        public_url=settings.public_url,
        tokens=verifier_of(settings),
        engine=TemporalEngine(
            lambda: temporal.connect(settings, interceptors=[tracing.interceptor()], runtime=runtime)
        ),
        records=SqlRecords(database, cipher),
        queries=RecordQueries(database, cipher),
        messages=NotificationService(database, cipher, channels(settings)),
        requests=IdempotencyKeys(database, cipher),
        cursors=Cursors(base64.b64decode(settings.index_key.get_secret_value())),
        database_is_up=database_is_up,
        clock=ClockWatch(database),
        notes=TherapyNotes(database, cipher, glass_open_for=open_for),
        access=access_on(database, cipher, open_for=open_for, review_within=review_within),
        help_numbers=HelpNumbers(settings.emergency_number, settings.crisis_line, settings.text_line),
        outside=outside_of(settings, database, cipher),
        claims=TaskClaims(database, timedelta(hours=settings.task_claim_hours)),
        closed_days=ClosedDays(database),
        reviews=ReviewTasks(database),
        links=PatientLinks(database, cipher),
        drafts=Drafts(database, cipher),
        wording=_wording(settings),
        close=database.dispose,
        bookings=Bookings(database, BookingTasks(database)),
        booking_facts=BookingFacts(database),
        bulk=BulkActs(database),
        standings=Standings(database),
        contacts=ContactBook(database, cipher),
        inbox=Inbox(database, cipher),
        sms_provider=Provider(settings.sms_token, settings.public_url),
        mail_door=MailDoor(settings.email_inbound_secret if settings.email_inbound else None),
        help_lines=HelpLines(settings.crisis_line, settings.emergency_number, settings.text_line),
    )


def create_app(composition: Composition) -> FastAPI:
    """The application around these services."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        telling = [
            asyncio.create_task(kept(composition))
            for kept in (link_acts.keep_telling, message_concerns.keep_telling, bulk_desk.keep_working)
        ]
        telling.append(asyncio.create_task(composition.clock.keep_looking()))
        yield
        await composition.outside.streams.close()
        for one in telling:
            one.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
        await composition.close()
        composition.tracing.close()

    app = FastAPI(
        title="Treatment workflow engine",
        version="1",
        lifespan=lifespan,
        # Our own page and description: the framework's need the network and do not know the entrance.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # It would carry addresses, messages of exceptions and parsed bodies: api/telemetry.py does what is needed.
        telemetry={"logs": False, "operation_spans": False, "tracing": False, "metrics": False},
    )
    app.state.composition = composition
    app.add_middleware(RequestLog, tracer=composition.tracing.tracer)
    errors.install(app)
    join(app.router, (group.router for group in IN_ORDER))
    app.router.middleware_stack = Finder(
        [route for group in IN_ORDER for route in group.router.routes], app.router.middleware_stack
    )
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # the documented way to replace it
    return app


def _wording(settings: Settings) -> Wording:
    try:
        return wording_of(settings.content_dir)
    except PacksInvalid as invalid:
        raise SettingsInvalid(tuple(f"KAP_CONTENT_DIR: {fault}" for fault in invalid.faults)) from None

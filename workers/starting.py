"""What does a worker process do from its start to its end? Everything is loaded by now (`workers/__main__.py`)."""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

import structlog

from activities.queues import TaskQueue
from services.booking.service import Bookings
from services.clock_watch import ClockWatch
from services.database import Database
from services.process import STOP_SIGNALS, settle_memory
from services.records.booking_facts import BookingFacts
from services.records.booking_tasks import BookingTasks
from services.settings import Settings
from services.starting import configured
from services.telemetry.endpoint import MetricsEndpoint
from services.telemetry.sdk import runtime_of
from services.telemetry.tracing import Tracing
from services.temporal import connect
from workers.bookings import keep_sweeping
from workers.census import keep_counting
from workers.drug_cases import keep_opening
from workers.forgetting import keep_forgetting
from workers.health import Health
from workers.late_messages import keep_calling
from workers.left_behind import keep_counting_left_behind
from workers.offers import keep_telling
from workers.registry import answers, compose, drug_books, late_messages, webhook_post, workers_for
from workers.replay_check import CannotReplay, check
from workers.search_attributes import register
from workers.undelivered import keep_sending
from workers.versioning import deployment_of
from workers.webhooks import keep_delivering

CANNOT_REPLAY = 3
"""Exit status of a worker whose code cannot go on with what runs."""

log = structlog.get_logger()


async def run(settings: Settings, queues: list[TaskQueue]) -> None:
    """Take work until the process is asked to stop; then finish what is under way. Before that it ends at once: the
    engine may keep it waiting, and to replay what runs takes long."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    health = Health(
        settings.probed_at,
        settings.worker_health_port,
        build=settings.build,
        queues=[str(queue) for queue in queues],
    )
    health.start()
    tracing = Tracing.from_settings(settings, "kap-worker")
    database = tracing.of_statements(Database(settings.database_url))
    try:
        client = await connect(settings, interceptors=[tracing.interceptor()], runtime=runtime_of(settings))
        await register(client)
        if TaskQueue.JOURNEY in queues:
            tried = await check(client, settings)
            log.info("running workflows replayed", build=settings.build, count=tried)
        async with AsyncExitStack() as running:
            running.enter_context(MetricsEndpoint(settings))
            clock = asyncio.create_task(ClockWatch(database).keep_looking())
            running.callback(clock.cancel)
            activities = compose(settings, database)
            for asked in STOP_SIGNALS:
                loop.add_signal_handler(asked, stop.set)
            for worker in workers_for(client, activities, queues, deployment_of(settings)):
                await running.enter_async_context(worker)
            if TaskQueue.JOURNEY in queues:
                cases = asyncio.create_task(keep_opening(client, drug_books(settings, database)))
                running.callback(cases.cancel)
            if TaskQueue.NOTIFY in queues:
                post = asyncio.create_task(keep_delivering(webhook_post(settings, database)))
                running.callback(post.cancel)
                tasks = BookingTasks(database)
                books, facts = Bookings(database, tasks), BookingFacts(database)
                times = asyncio.create_task(keep_sweeping(books, facts, tasks))
                running.callback(times.cancel)
                late = asyncio.create_task(keep_calling(late_messages(settings, database)))
                running.callback(late.cancel)
                kept = timedelta(days=settings.idempotency_days)
                old = asyncio.create_task(keep_forgetting(answers(settings, database), kept))
                running.callback(old.cancel)
                offers = asyncio.create_task(keep_telling(books, facts, activities.notifications))
                running.callback(offers.cancel)
                again = asyncio.create_task(keep_sending(activities.notifications, books))
                running.callback(again.cancel)
                census = asyncio.create_task(keep_counting(database))
                running.callback(census.cancel)
                left = asyncio.create_task(keep_counting_left_behind(client, settings.deployment_name))
                running.callback(left.cancel)
            settle_memory()
            health.taking_work = True
            log.info("worker started", queue=",".join(queues))
            await stop.wait()
            health.taking_work = False
            log.info("worker stopping", queue=",".join(queues))
    finally:
        await database.dispose()
        tracing.close()
        health.stop()


def main(arguments: list[str]) -> int:
    """Its exit status: 0 when it was asked to stop, 2 for a wrong configuration, or CANNOT_REPLAY."""
    parser = argparse.ArgumentParser(
        prog="python -m workers", description="Run the background work of these queues, or of all of them."
    )
    parser.add_argument("--queue", action="append", choices=[str(q) for q in TaskQueue], help="repeatable")
    chosen = parser.parse_args(arguments).queue
    queues = [TaskQueue(name) for name in chosen] if chosen else list(TaskQueue)

    def work(settings: Settings) -> int:
        try:
            asyncio.run(run(settings, queues))
        except CannotReplay as refused:
            sys.stderr.write(f"{refused}\n")
            return CANNOT_REPLAY
        return 0

    return configured(work)

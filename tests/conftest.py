"""What does a test get when it asks for a real database, a real engine or a real mail server?

`database_url`: a database of its own, already migrated. `temporal_environment` and `temporal_client`: one
real server for the whole run, in virtual time that only moves when it is moved. `smtp_sink`: a mail
server of its own.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import structlog
from hypothesis import settings
from temporalio.client import Client
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from deploy.data_folder import DataFolder
from deploy.postgres import PostgresServer
from deploy.smtp_sink import SmtpSink
from deploy.temporal_server import (
    SHOWN_AS_FAILING,
    search_attribute_arguments,
    temporal_binary,
    virtual_time_arguments,
)
from services.database import migrate
from services.encryption import KeyRing
from services.process import end_process, settle_memory
from services.temporal import data_converter
from tests.databases import Databases
from tests.dealing import dealt

TEMPLATE = "kap_template"

# A slow machine is no fault, and stops for a moment where it likes.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One throw-away cluster for the run."""
    folder = DataFolder(None)
    server = PostgresServer(folder.path / "postgres", secret=uuid.uuid4().hex, durable=False)
    server.start()
    yield server
    server.remove()
    folder.release()


@pytest.fixture(scope="session")
def database_template(postgres: PostgresServer) -> str:
    """The name of an empty, migrated database to make others from."""
    migrate(postgres.create_database(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer, database_template: str) -> Databases:
    return Databases(postgres, database_template)


@pytest.fixture
def database_url(postgres: PostgresServer, databases: Databases) -> Iterator[str]:
    """The address of a migrated, empty database that nobody else uses, as the plain role."""
    name = databases.take()
    yield postgres.url(name)
    databases.give_back(name)


@pytest.fixture(scope="session")
def payload_keys() -> KeyRing:
    """The keys that every client and worker of the run shares."""
    return KeyRing({"test-1": os.urandom(32)}, "test-1")


@pytest.fixture(scope="session")
async def temporal_environment(payload_keys: KeyRing) -> AsyncIterator[WorkflowEnvironment]:
    """A real server in virtual time: `fast_forward(handle, timedelta)` moves the clock of one workflow."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False, disable_propagation=True),
        data_converter=data_converter(payload_keys),
        dev_server_existing_path=temporal_binary(),
        dev_server_log_level="error",
        dev_server_startup_timeout=timedelta(seconds=60),  # a busy machine is no failure
        dev_server_extra_args=[
            *virtual_time_arguments(),
            *SHOWN_AS_FAILING,
            *search_attribute_arguments(search_attributes()),
        ],
    )
    async with environment:
        yield environment


@pytest.fixture(scope="session")
def temporal_client(temporal_environment: WorkflowEnvironment) -> Client:
    """A client whose payloads are encrypted and whose workflows can be moved in time."""
    return temporal_environment.client


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A mail server that keeps what it gets; see deploy.smtp_sink for playing an outage."""
    sink = SmtpSink()
    sink.start()
    yield sink
    sink.stop()


def search_attributes() -> dict[str, str]:
    """What the workers' search attributes are called and of which type they are."""
    from workers.search_attributes import SEARCH_ATTRIBUTES

    return dict(SEARCH_ATTRIBUTES)


_session_key = pytest.StashKey[pytest.Session]()


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_session_key] = session


def pytest_configure() -> None:
    """Without rich, which prints every local variable of a traceback: seconds for each failure that is meant."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a run of several processes each begins with its part of the long tests."""
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    if processes > 1:
        items[:] = dealt(items, lambda item: item.path, processes)


def pytest_collection_finish() -> None:
    """Five thousand tests and all that they import stay until the end, as what a process of ours loads does."""
    settle_memory()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End with the status the tests earned: the interpreter may abort at exit after the SDK was used.

    Everything is reported by now. A worker of pytest-xdist ends as its controller wants.
    """
    session = config.stash.get(_session_key, None)
    if session is None or hasattr(config, "workerinput"):
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.flush()
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.stop_global_capturing()
    sys.stdout.flush()
    end_process(int(session.exitstatus))

"""A clinic on the real engine for the tests of one file; each test has a patient of its own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml
from temporalio.testing import WorkflowEnvironment

from clinical.protocol import Protocol
from deploy.postgres import PostgresServer
from deploy.smtp_sink import SmtpSink
from tests.databases import Databases
from tests.workflows.clinic import Clinic, a_clinic
from tests.workflows.walk import Walk

SHIPPED = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return Protocol.model_validate(yaml.safe_load(SHIPPED.read_text()))


@pytest.fixture(scope="module")
async def clinic(
    temporal_environment: WorkflowEnvironment, postgres: PostgresServer, databases: Databases
) -> AsyncIterator[Clinic]:
    """To start it takes longer than most tests do: one for a whole file."""
    name = databases.take()
    async with a_clinic(temporal_environment, postgres.url(name)) as clinic:
        yield clinic
    databases.give_back(name)


@pytest.fixture
def database_url(clinic: Clinic) -> str:
    """Where the record of this file's clinic is."""
    return clinic.database_url


@pytest.fixture
def smtp_sink(clinic: Clinic) -> SmtpSink:
    """Where the letters of this file's clinic arrive, empty at the beginning of each test."""
    clinic.mail.clear()
    return clinic.mail


@pytest.fixture
def walk(
    clinic: Clinic, temporal_environment: WorkflowEnvironment, protocol: Protocol
) -> Callable[..., Walk]:
    def begin(protocol: Protocol = protocol) -> Walk:
        return Walk(temporal_environment, clinic.records, protocol)

    return begin

"""The record on a real database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.database import Database
from services.encryption import FieldCipher, KeyRing
from services.records.idempotency import IdempotencyKeys
from services.records.queries import RecordQueries
from services.records.sql import SqlRecords


@pytest.fixture
def cipher() -> FieldCipher:
    return FieldCipher(KeyRing({"one": bytes(range(32))}, "one"), bytes(32))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.dispose()


@pytest.fixture
def records(database: Database, cipher: FieldCipher) -> SqlRecords:
    return SqlRecords(database, cipher)


@pytest.fixture
def queries(database: Database, cipher: FieldCipher) -> RecordQueries:
    return RecordQueries(database, cipher)


@pytest.fixture
def keys(database: Database, cipher: FieldCipher) -> IdempotencyKeys:
    return IdempotencyKeys(database, cipher)

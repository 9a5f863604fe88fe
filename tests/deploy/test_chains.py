"""Does a restore that brought nothing back say so?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.backup import back_up
from deploy.postgres import PostgresServer
from deploy.restore import main as restore
from services.access.audit import AuditTrail
from services.database import Database
from services.encryption import FieldCipher
from services.records.sql import SqlRecords
from tests.services.access.test_audit import a_look
from tests.services.records.builders import a_journey
from tests.services.settings_builder import VALUES, as_environment, some_settings

EMPTY = "empty: nothing to look at\n"


def configured(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name, value in as_environment(VALUES | {"database_url": url}).items():
        monkeypatch.setenv(name, value)


async def chains(*more: str) -> int:
    return await asyncio.to_thread(restore, ["--chains", *more])


async def test_an_empty_record_is_no_success_unless_it_is_expected(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, database_url)
    assert (await chains(), capsys.readouterr().out) == (1, EMPTY)
    assert (await chains("--may-be-empty"), capsys.readouterr().out) == (0, EMPTY)
    database = Database(database_url)
    try:
        await a_journey(SqlRecords(database, FieldCipher.from_settings(some_settings())))
        for site in ("site-a", "site-b"):
            await AuditTrail(database).write(a_look(site=site))
        assert await chains() == 0
        whole = "every chain of hashes is whole: 1 of courses, 2 of audits\n"
        assert capsys.readouterr().out == whole
        async with database.transaction() as session:
            await session.execute(text("DELETE FROM audit_chain WHERE site = 'site-b'"))
        assert await chains("--may-be-empty") == 1
        assert capsys.readouterr().out == "audit of site-b: the chain ends with 1, and should end with 0\n"
    finally:
        await database.dispose()


async def test_a_database_without_tables_is_empty_too(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, postgres.create_database("nothing_in_it"))
    assert (await chains(), capsys.readouterr().out) == (1, EMPTY)
    postgres.drop_database("nothing_in_it")


async def test_what_comes_back_empty_from_a_backup_is_no_success_either(
    database_url: str,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "kept").mkdir()
    back_up(some_settings(database_url=database_url), {}, tmp_path / "kept")
    for number, (more, status, said) in enumerate(
        (([], 1, EMPTY), (["--may-be-empty"], 0, f"restored; {EMPTY}"))
    ):
        configured(monkeypatch, postgres.create_database(f"came_back_{number}"))
        assert await asyncio.to_thread(restore, [str(tmp_path / "kept"), *more]) == status
        assert capsys.readouterr().out == said
        postgres.drop_database(f"came_back_{number}")

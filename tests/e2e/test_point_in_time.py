"""The machine of the database is lost; does the archive of its log bring record and engine back to one chosen moment?

With the settings of `deploy/production.md`, as they stand there.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.child import StartFailed, group_of
from deploy.data_folder import DataFolder
from deploy.postgres import ADMIN, PostgresServer
from deploy.postgres_binaries import programs_folder, unprivileged_user
from deploy.restore import main as restore
from services.access.audit import AuditTrail
from services.access.views import Looked
from services.database import Database, migrate
from services.encryption import FieldCipher
from services.records.sql import SqlRecords
from services.settings import Settings
from tests.architecture.tree import ROOT
from tests.services.records.builders import SITE, a_journey
from tests.services.settings_builder import VALUES, as_environment, some_settings

PAGE = (ROOT / "deploy" / "production.md").read_text()
SECRET = "of both machines"
PATIENCE_S = 60.0
NO_POWER_CUT = "fsync = off\n"
"""What is lost here are processes and folders; waiting for the disk would only slow the test."""


@pytest.fixture
def folder() -> Iterator[Path]:
    throw_away = DataFolder(None)
    yield throw_away.path
    throw_away.release()


@dataclass(frozen=True)
class Clinic:
    """One cluster with two databases that are written one after the other: the record's and the engine's."""

    server: PostgresServer

    @property
    def settings(self) -> Settings:
        return some_settings(database_url=self.server.url())

    async def journey(self) -> str:
        """A course that has begun, a look at it, and what the engine holds of it."""
        database = Database(self.server.url())
        try:
            journey = await a_journey(SqlRecords(database, FieldCipher.from_settings(self.settings)))
            await AuditTrail(database).write(
                Looked(
                    site=SITE,
                    actor_id="staff-1",
                    actor_role="nurse",
                    act="read_journey",
                    purpose="TREAT",
                    object_id=journey,
                    part=None,
                    trace_id="t",
                )
            )
        finally:
            await database.dispose()
        with self.server.as_admin("temporal") as engine:
            engine.execute("INSERT INTO executions VALUES (%s)", (journey,))
        return journey

    async def known(self) -> tuple[list[str], list[str]]:
        """The courses of the record and those of the engine."""
        database = Database(self.server.url())
        try:
            async with database.reading() as session:
                record = sorted(await session.scalars(text("SELECT id FROM journey")))
        finally:
            await database.dispose()
        with self.server.as_admin("temporal") as engine:
            return record, sorted(row[0] for row in engine.execute("SELECT id FROM executions"))

    def now(self) -> datetime:
        with self.server.as_admin() as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        moment: datetime = row[0]
        return moment


def lines_of(block: str, **words: str) -> str:
    """What the page says under this name, with our own folder and moment in it."""
    found = re.search(rf"^```ini {block}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    said = found[1]
    for word, value in words.items():
        assert word in said
        said = said.replace(word, value)
    return said


def a_clinic(folder: Path, archive: Path) -> Clinic:
    """A cluster whose log is archived; both databases are there and empty."""
    server = PostgresServer(folder / "first", secret=SECRET)
    server.start()
    server.stop()
    with (server.data_dir / "postgresql.conf").open("a") as settings:
        settings.write(lines_of("archive", ARCHIVE=str(archive)) + NO_POWER_CUT)
    server.start()
    migrate(server.create_database("kap"))
    server.create_database("temporal")
    with server.as_admin("temporal") as engine:
        engine.execute("CREATE TABLE executions (id text)")
    return Clinic(server)


def copied(server: PostgresServer, to: Path) -> None:
    """What the page says about the copy, as the user that runs PostgreSQL."""
    command = re.search(r"`(pg_basebackup [^`]*)`", PAGE)
    assert command is not None
    program, *arguments = command[1].replace("COPY", str(to)).split()
    with server.as_admin() as admin:
        where = {"PGHOST": admin.info.host, "PGPORT": str(admin.info.port), "PGUSER": ADMIN}
        where["PGPASSWORD"] = admin.info.password
    subprocess.run(
        [str(programs_folder() / program), *arguments, "--no-sync"],
        env={**os.environ, **where},
        check=True,
        capture_output=True,
        cwd="/",
        user=unprivileged_user(),
        group=group_of(unprivileged_user()),
    )


def archived_and_lost(server: PostgresServer) -> None:
    """The last piece of the log is in the archive; then the machine is gone, with all that was on it."""
    with server.as_admin() as admin:
        row = admin.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert row is not None

        def is_archived() -> bool:
            done = admin.execute("SELECT last_archived_wal >= %s FROM pg_stat_archiver", (row[0],)).fetchone()
            return done is not None and bool(done[0])

        assert server.child is not None
        server.child.wait_until(is_archived, PATIENCE_S)
    server.kill()
    server.remove()


def at(moment: datetime, copy: Path, archive: Path) -> PostgresServer:
    """A new machine that goes from the copy up to this moment."""
    (copy / "recovery.signal").touch()
    with (copy / "postgresql.auto.conf").open("a") as settings:
        settings.write(lines_of("moment", ARCHIVE=str(archive), MOMENT=moment.isoformat()))
    shutil.chown(copy / "recovery.signal", unprivileged_user() or os.getuid())
    server = PostgresServer(copy, secret=SECRET)
    server.start()
    with server.as_admin() as admin:
        assert admin.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    return server


def _own(folder: Path) -> Path:
    """A new folder of the user that runs PostgreSQL."""
    folder.mkdir(mode=0o711)
    user = unprivileged_user()
    if user is not None:
        os.chown(folder, user, group_of(user) or 0)
    return folder


async def test_record_and_engine_come_back_to_the_moment_between_two_courses(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, copies = _own(folder / "archive"), _own(folder / "copies")
    clinic = a_clinic(folder, archive)
    try:
        before = await clinic.journey()
        copied(clinic.server, copies / "last")
        copied(clinic.server, copies / "other")
        between = await clinic.journey()
        moment = clinic.now()
        after = await clinic.journey()
        assert await clinic.known() == 2 * (sorted([before, between, after]),)
        archived_and_lost(clinic.server)
    finally:
        clinic.server.stop()

    with pytest.raises(StartFailed, match="before configured recovery target was reached"):
        at(moment + timedelta(hours=1), copies / "other", archive)

    again = Clinic(at(moment, copies / "last", archive))
    try:
        assert await again.known() == 2 * (sorted([before, between]),)
        for name, value in as_environment(VALUES | {"database_url": again.server.url()}).items():
            monkeypatch.setenv(name, value)
        assert await asyncio.to_thread(restore, ["--chains"]) == 0
        assert capsys.readouterr().out == "every chain of hashes is whole: 2 of courses, 1 of audits\n"
        await again.journey()  # it can be written, and its chains go on
        assert await asyncio.to_thread(restore, ["--chains"]) == 0
        with again.server.as_admin("kap") as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute("UPDATE journey_entry SET actor_id = 'staff-9' WHERE journey_id = %s", (between,))
        assert await asyncio.to_thread(restore, ["--chains"]) == 1
        assert between in capsys.readouterr().out
    finally:
        again.server.stop()

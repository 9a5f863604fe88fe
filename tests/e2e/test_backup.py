"""A system is backed up with somebody in the chair, destroyed, restored on a new machine: does it all live on?"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from clinical.people import Role
from clinical.protocol import Indication
from deploy.backup import RECORD
from deploy.backup import back_up as put_aside
from deploy.backup import main as back_up
from deploy.backup_folder import Backup, BackupUnusable, digest
from deploy.data_folder import DataFolder
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import tokens_of
from deploy.dumps import tables_in
from deploy.keys import keys_of
from deploy.local import LocalOptions, LocalSystem
from deploy.postgres import PostgresServer
from deploy.restore import main as restore
from deploy.restore import restore as bring_back
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.temporal import connect
from tests.e2e.one_visit import OneVisit, Persistent, PersistentClock
from tests.e2e.soundness import kinds_of, objections
from tests.services.settings_builder import some_settings


class Moved(Exception):
    """The story stops where it is: the dose is running, the next reading is due."""


class UntilTheChair(OneVisit):
    """Leaves the patient in the chair the first time; whoever tells it again goes on there."""

    given_at: datetime
    dose_mg: float
    is_moved = False

    async def _watch(self, n: int, given_at: datetime, dose_mg: float) -> None:
        if self.is_moved:
            return await super()._watch(n, given_at, dose_mg)
        self.given_at, self.dose_mg, self.is_moved = given_at, dose_mg, True
        raise Moved

    async def go_on(self, clinic: Persistent, clock: PersistentClock) -> None:
        clock.now = self._clock.now
        self._clinic, self._clock = clinic, clock
        await self._watch(1, self.given_at, self.dose_mg)
        await self._go_home(1)
        await self._leave()


@pytest.fixture
def folder() -> Iterator[Path]:
    throw_away = DataFolder(None)
    yield throw_away.path
    throw_away.release()


async def test_a_backup_with_somebody_in_the_chair_comes_back_on_a_new_machine_and_goes_on(
    folder: Path,
) -> None:
    protocol = load_protocol("iv-racemic")
    record = read_referral(SAMPLE.read_bytes()).record
    old, new, kept = folder / "old", folder / "new", folder / "kept"
    async with LocalSystem(LocalOptions(data_dir=old, virtual_time=True, with_ui=False)) as system:
        clinic = Persistent(system.base_urls, tokens_of(system.issuer_key))
        clock = PersistentClock(await connect(system.settings()))
        await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol.model_dump(mode="json"))
        await clinic.furnish()
        story = UntilTheChair(clinic, clock, protocol, Indication.DEPRESSION, record, lambda step: None)
        with pytest.raises(Moved):
            await story.run(reachable(json.loads(SAMPLE.read_bytes())))
        await clinic.close()
        before = await kinds_of(system, story.journey_id)
        keys = ["--keys", str(folder / "keys.json")]
        assert back_up([str(folder / "early"), "--data", str(old), *keys]) == 2  # it is running
        assert not (folder / "keys.json").exists()

    assert back_up([str(kept), "--data", str(old), *keys]) == 0
    everything = b"".join(path.read_bytes() for path in kept.iterdir())
    assert all(
        key.encode() not in everything for key in keys_of(old).model_dump(include={"payload_key"}).values()
    )
    shutil.rmtree(old)

    (folder / "stranger").mkdir()
    keys_of(folder / "stranger")
    again = [str(kept), "--data", str(new), "--keys"]
    assert await asyncio.to_thread(restore, [*again, str(folder / "stranger" / "keys.json")]) == 2
    assert not new.exists()
    assert await asyncio.to_thread(restore, [*again, str(folder / "keys.json")]) == 0

    async with LocalSystem(LocalOptions(data_dir=new, virtual_time=True, with_ui=False)) as system:
        assert await kinds_of(system, story.journey_id) == before
        client = await connect(system.settings())
        clinic = Persistent(system.base_urls, tokens_of(system.issuer_key))
        await story.go_on(clinic, PersistentClock(client))
        await clinic.close()
        assert await objections(system, client, protocol, [story.journey_id]) == []
        after = await kinds_of(system, story.journey_id)
        assert after[: len(before)] == before
        assert [after.count(kind) for kind in ("dose.given", "dose.ended", "journey.closed")] == [1, 1, 1]


def test_a_backup_that_was_changed_or_is_half_is_refused(folder: Path) -> None:
    (folder / "half").mkdir()
    (folder / "half" / RECORD).write_bytes(b"PGDMP")
    with pytest.raises(BackupUnusable, match="holds no readable"):
        Backup.read(folder / "half")
    settings = some_settings()
    taken = {"taken_at": datetime.now(UTC), "build": "1", "keys": {"field key f0": "0123"}}
    Backup(**taken, files={RECORD: digest(folder / "half" / RECORD)}).write(folder / "half")
    backup = Backup.read(folder / "half")
    assert backup.faults(folder / "half", settings) == (
        "field key f0 is not among the keys of the configuration",
    )
    (folder / "half" / RECORD).write_bytes(b"PGDMQ")
    changed, _ = backup.faults(folder / "half", settings)
    assert changed == f"{RECORD} is missing or not what was written"


def test_there_is_nothing_to_back_up_where_no_system_is_and_keys_stay_apart(folder: Path) -> None:
    nowhere = [str(folder / "none"), "--data", str(folder / "nothing"), "--keys"]
    assert back_up([*nowhere, str(folder / "keys.json")]) == 2
    assert not (folder / "nothing").exists()
    assert not (folder / "none").exists()
    with pytest.raises(SystemExit):
        back_up([*nowhere, str(folder / "none" / "keys.json")])


def test_while_somebody_is_connected_nothing_is_put_aside(
    database_url: str, postgres: PostgresServer, folder: Path
) -> None:
    (folder / "kept").mkdir()
    settings = some_settings(database_url=database_url)
    engine = {"temporal": postgres.create_database("an_engine")}
    with psycopg.connect(engine["temporal"].replace("+psycopg", "")) as somebody:
        somebody.execute("CREATE TABLE executions (id int)")
        somebody.commit()
        with pytest.raises(BackupUnusable, match="temporal: 1 others are connected"):
            put_aside(settings, engine, folder / "kept")
    put_aside(settings, engine, folder / "kept")
    with pytest.raises(BackupUnusable) as refused:
        bring_back(folder / "kept", settings, {"visibility": engine["temporal"]})
    assert refused.value.faults == (
        "temporal.dump: no database is named for it",
        "visibility.dump is not in the backup",
        "the database for record.dump is not empty",
        "the database for visibility.dump is not empty",
    )
    empty = {
        "database_url": postgres.create_database("a_record"),
        "temporal": postgres.create_database("engine_2"),
    }
    anew = some_settings(database_url=empty["database_url"])
    bring_back(folder / "kept", anew, {"temporal": empty["temporal"]})
    assert (tables_in(empty["temporal"]), tables_in(database_url)) == (1, tables_in(anew.database_url))
    for name in ("an_engine", "a_record", "engine_2"):
        postgres.drop_database(name)

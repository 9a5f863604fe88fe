"""How does a system come back from a backup, on a machine that knew nothing of it? (`./dev restore`)

Refused before anything is made when a file differs, a key is missing or the place is not empty. Afterwards every
chain of hashes is looked at. `--chains` only looks, at a record that PostgreSQL itself brought back to a moment. Exit
status: 2 refused, 1 when it failed or a chain is broken.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select

from deploy.backup import ENGINE_FILE, RECORD, engine_addresses, stopped
from deploy.backup_folder import Backup, BackupUnusable
from deploy.data_folder import DataFolderInUse
from deploy.dumps import DumpFailed, load, tables_in
from deploy.keys import FILE_NAME
from deploy.local import DATABASE
from services.access.audit import AuditTrail
from services.access.tables import AuditChainRow
from services.database import Database
from services.encryption import FieldCipher
from services.process import end_process
from services.records.sql import SqlRecords
from services.records.tables import JourneyRow
from services.settings import Settings, SettingsInvalid


def restore(folder: Path, settings: Settings, engine: Mapping[str, str]) -> Backup:
    """The record and the engine's databases (name → address), all of them empty. Raises BackupUnusable."""
    backup = Backup.read(folder)
    dumps = {name for name in backup.files if name.endswith(".dump")}
    addresses = {RECORD: settings.database_url} | {f"{name}.dump": url for name, url in engine.items()}
    faults = (
        *backup.faults(folder, settings),
        *(f"{name}: no database is named for it" for name in sorted(dumps - set(addresses))),
        *(f"{name} is not in the backup" for name in sorted(set(addresses) - dumps)),
        *(
            f"the database for {name} is not empty"
            for name in sorted(addresses)
            if tables_in(addresses[name])
        ),
    )
    if faults:
        raise BackupUnusable(faults)
    for name, url in addresses.items():
        load(url, folder / name)
    return backup


def restore_folder(folder: Path, keys: Path, data: Path) -> tuple[str, ...]:
    """A data folder that `./dev up` and `./dev cluster` go on from; what its chains say. Raises BackupUnusable."""
    if data.exists() and any(data.iterdir()):
        raise BackupUnusable((f"{data} is not empty",))
    if not keys.is_file():
        raise BackupUnusable((f"{keys} is no file of keys",))
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    shutil.copy(keys, data / FILE_NAME)
    (data / FILE_NAME).chmod(0o600)
    try:
        with stopped(data) as system:
            system.postgres.start()
            try:
                system.postgres.create_database(DATABASE)
                restore(folder, system.settings(), {})
                shutil.copy(folder / ENGINE_FILE, data / ENGINE_FILE)
                return asyncio.run(broken_chains(system.settings()))
            finally:
                system.postgres.stop()
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise


async def broken_chains(settings: Settings) -> tuple[str, ...]:
    """What the chains of all courses and of all sites' audits object to; empty when the record is whole."""
    database = Database(settings.database_url)
    try:
        async with database.reading() as session:
            journeys = list(await session.scalars(select(JourneyRow.id).order_by(JourneyRow.id)))
            sites = list(await session.scalars(select(AuditChainRow.site).order_by(AuditChainRow.site)))
        records, audit = SqlRecords(database, FieldCipher.from_settings(settings)), AuditTrail(database)
        broken = [
            f"{journey}: {reason.text}"
            for journey in journeys
            for reason in (await records.verify_chain(journey)).objections
        ]
        verdicts = {site: await audit.verify(site) for site in sites}
        broken += [f"audit of {site}: {found.fault}" for site, found in verdicts.items() if not found.whole]
    finally:
        await database.dispose()
    return tuple(broken)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev restore", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="what ./dev backup made")
    parser.add_argument(
        "--chains", action="store_true", help="only look at every chain of the record at KAP_DATABASE_URL"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the new folder of a system of this machine")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="its keys (with --data)")
    parser.add_argument(
        "--engine",
        action="append",
        default=[],
        metavar="NAME=ADDRESS",
        help="an empty database for the engine's; the record's is KAP_DATABASE_URL (without --data)",
    )
    given = parser.parse_args(arguments)
    if given.data is not None and given.keys is None:
        parser.error("--data needs --keys")
    if given.chains != (given.folder is None) or (given.chains and (given.data or given.engine)):
        parser.error("FOLDER is needed, or --chains alone")
    try:
        if given.chains:
            broken = asyncio.run(broken_chains(Settings.from_environment()))
        elif given.data is None:
            settings = Settings.from_environment()
            restore(given.folder, settings, engine_addresses(given.engine))
            broken = asyncio.run(broken_chains(settings))
        else:
            broken = restore_folder(given.folder, given.keys, given.data)
    except (BackupUnusable, DataFolderInUse, SettingsInvalid) as refused:
        print(f"restore: refused\n{refused}", file=sys.stderr)
        return 2
    except DumpFailed as failed:
        print(f"restore: {failed}", file=sys.stderr)
        return 1
    whole = "every chain of hashes is whole"
    print("\n".join(broken) or (whole if given.chains else f"restored; {whole}"))
    return 1 if broken else 0


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))

"""How does a system come back from a backup, on a machine that knew nothing of it? (`./dev restore`)

Refused before anything is made when a file differs, a key is missing or the place is not empty. Afterwards every
chain of hashes is looked at (`deploy.chains`). `--chains` only looks, at a record that PostgreSQL itself brought
back to a moment. Exit status: 2 refused, 1 when it failed, a chain is broken, or the record is empty and should not be.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.backup import ENGINE_FILE, RECORD, engine_addresses, stopped
from deploy.backup_folder import Backup, BackupUnusable
from deploy.chains import Chains, chains_of
from deploy.data_folder import DataFolderInUse
from deploy.dumps import DumpFailed, load, tables_in
from deploy.keys import FILE_NAME
from deploy.local import DATABASE
from services.process import end_process
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


def restore_folder(folder: Path, keys: Path, data: Path) -> Chains:
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
                return asyncio.run(chains_of(system.settings()))
            finally:
                system.postgres.stop()
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        raise


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev restore", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="what ./dev backup made")
    parser.add_argument(
        "--chains", action="store_true", help="only look at every chain of the record at KAP_DATABASE_URL"
    )
    parser.add_argument(
        "--may-be-empty", action="store_true", help="a record with nothing in it is no fault (a new system)"
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
            chains = asyncio.run(chains_of(Settings.from_environment()))
        elif given.data is None:
            settings = Settings.from_environment()
            restore(given.folder, settings, engine_addresses(given.engine))
            chains = asyncio.run(chains_of(settings))
        else:
            chains = restore_folder(given.folder, given.keys, given.data)
    except (BackupUnusable, DataFolderInUse, SettingsInvalid) as refused:
        print(f"restore: refused\n{refused}", file=sys.stderr)
        return 2
    except DumpFailed as failed:
        print(f"restore: {failed}", file=sys.stderr)
        return 1
    good = chains.is_good(may_be_empty=given.may_be_empty)
    print(f"restored; {chains}" if good and not given.chains else chains)
    return 0 if good else 1


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))

"""How is everything that a system knows put aside, as of one moment? (`./dev backup`)

The record and the engine must be of the same moment: an engine that is older than the record asks for what has
happened, a younger one goes on from what is not written. So the doors are shut meanwhile, and that is looked at.
Exit status: 2 when somebody still writes or the folder is in use, 1 when a dump failed.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy.backup_folder import LIST, Backup, BackupUnusable, digest, fingerprints
from deploy.data_folder import DataFolder, DataFolderInUse
from deploy.dumps import DumpFailed, dump, others_at
from deploy.keys import FILE_NAME
from deploy.local import ROOT, LocalOptions, LocalSystem
from services.process import end_process
from services.settings import Settings, SettingsInvalid

RECORD = "record.dump"
ENGINE_FILE = "temporal.db"


def back_up(settings: Settings, engine: Mapping[str, str], folder: Path) -> Backup:
    """The record and the engine's databases (name → address) into an empty folder. Raises BackupUnusable."""
    addresses = {RECORD: settings.database_url} | {f"{name}.dump": url for name, url in engine.items()}
    _shut(addresses)
    taken_at = datetime.now(UTC)
    for name, url in addresses.items():
        dump(url, folder / name)
    _shut(addresses)
    return _listed(settings, folder, taken_at)


def back_up_folder(data: Path, folder: Path) -> Backup:
    """The same of a system of this machine that is stopped. Raises DataFolderInUse, BackupUnusable."""
    with stopped(data) as system:
        system.postgres.start()
        try:
            back_up(system.settings(), {}, folder)
        finally:
            system.postgres.stop()
        with (
            contextlib.closing(sqlite3.connect(data / ENGINE_FILE)) as engine,
            contextlib.closing(sqlite3.connect(folder / ENGINE_FILE)) as copy,
        ):
            engine.backup(copy)
        return _listed(system.settings(), folder, datetime.now(UTC))


@contextlib.contextmanager
def stopped(data: Path) -> Iterator[LocalSystem]:
    """The parts of the system in this folder, none of them running, and nobody else's meanwhile."""
    if not (data / FILE_NAME).is_file():
        raise BackupUnusable((f"{data} holds no system",))
    owner = DataFolder(data)
    owner.acquire()
    try:
        system = LocalSystem(LocalOptions(data_dir=data, with_ui=False))
        system.prepare()
        yield system
    finally:
        owner.release()


def _shut(addresses: Mapping[str, str]) -> None:
    there = {name: others_at(url) for name, url in addresses.items()}
    faults = tuple(
        f"{name.removesuffix('.dump')}: {number} others are connected; stop whoever writes to it"
        for name, number in there.items()
        if number
    )
    if faults:
        raise BackupUnusable(faults)


def _listed(settings: Settings, folder: Path, taken_at: datetime) -> Backup:
    files = {path.name: digest(path) for path in sorted(folder.iterdir()) if path.name != LIST}
    backup = Backup(taken_at=taken_at, build=settings.build, files=files, keys=fingerprints(settings))
    backup.write(folder)
    return backup


def engine_addresses(given: Sequence[str]) -> dict[str, str]:
    """NAME=ADDRESS of each database of the engine."""
    return {name: url for name, _, url in (one.partition("=") for one in given)}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev backup", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "to",
        type=lambda text: Path(text).absolute(),
        metavar="FOLDER",
        help="made now; its owner alone may read it",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"a stopped system ({ROOT / '.kap' / 'up'})")
    parser.add_argument(
        "--keys", type=Path, metavar="FILE", help="where the keys of --data go, apart from it"
    )
    parser.add_argument(
        "--engine",
        action="append",
        default=[],
        metavar="NAME=ADDRESS",
        help="a database of the engine; the record's is KAP_DATABASE_URL (without --data)",
    )
    given = parser.parse_args(arguments)
    if given.data is not None and (given.keys is None or given.to in given.keys.absolute().parents):
        parser.error(
            "--data needs --keys, outside of the backup: without its keys it is noise, with them no secret"
        )
    try:
        given.to.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        return _refuse(f"{given.to} exists already", 2)
    try:
        backup = _put_aside(given)
    except (BackupUnusable, DataFolderInUse, SettingsInvalid) as refused:
        shutil.rmtree(given.to)
        return _refuse(str(refused), 2)
    except DumpFailed as failed:
        shutil.rmtree(given.to)
        return _refuse(str(failed), 1)
    print(f"{given.to}: {', '.join(backup.files)}, as of {backup.taken_at.isoformat()}")
    return 0


def _put_aside(given: argparse.Namespace) -> Backup:
    if given.data is None:
        return back_up(Settings.from_environment(), engine_addresses(given.engine), given.to)
    backup = back_up_folder(given.data, given.to)
    shutil.copy(given.data / FILE_NAME, given.keys)
    return backup


def _refuse(reason: str, status: int) -> int:
    print(f"backup: {reason}", file=sys.stderr)
    return status


if __name__ == "__main__":
    end_process(main(sys.argv[1:]))

"""Where does a ward find the sheets of today? In a folder that this process writes to, if one is configured.

A sheet appears under its name when it is whole: it is written beside it, brought to the disk, and renamed.
The folder holds what was ordered for whom by code; it has to be as closed as the ward's paper.
"""

import asyncio
import os
import re
import tempfile
from pathlib import Path

from clinical.downtime_sheet import DowntimeSheet
from services.downtime.errors import SpoolUnavailable
from services.downtime.interface import DowntimeSpool
from services.downtime.page import HelpNumbers, page

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
READABLE_BY_GROUP = 0o640
"""The printer's account belongs to the folder's group."""


class DowntimeFolder(DowntimeSpool):
    """`folder` None: nobody wants sheets of this process."""

    def __init__(self, folder: str | None, numbers: HelpNumbers) -> None:
        self._folder = None if folder is None else Path(folder)
        self._numbers = numbers

    async def put(self, name: str, sheet: DowntimeSheet) -> bool:
        if self._folder is None:
            return False
        if not NAME.fullmatch(name):
            raise ValueError("this is not the name of a sheet")
        content = page(sheet, self._numbers).encode()
        try:
            await asyncio.to_thread(_write, self._folder / f"{name}.html", content)
        except OSError:
            raise SpoolUnavailable from None
        return True


def _write(target: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, READABLE_BY_GROUP)
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise

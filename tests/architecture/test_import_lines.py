"""Does every module import to its right only, and are the rules pure?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, modules_of, sources

PURE_THIRD_PARTY = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions"}
# What a pure function has no use for, beyond what the import contracts name.
WORLDLY_STANDARD_LIBRARY = {
    *("asyncio", "concurrent", "multiprocessing", "queue", "sched", "select", "selectors", "threading"),
    *("ctypes", "getpass", "inspect", "mmap", "os", "platform", "signal", "subprocess", "sys"),
    *("glob", "io", "pathlib", "shutil", "sqlite3", "tempfile", "logging"),
    *("http", "smtplib", "socket", "ssl", "urllib"),
    *("random", "secrets", "time", "uuid"),
}


CONTRACTS = 7
PLANTED = {
    "services/planted.py": "import workflows.names",
    "services/records/planted.py": "import services.notifications.interface",
    "clinical/planted.py": "import random",
    "activities/planted.py": "import sqlalchemy",
    "workflows/planted.py": "import activities.planted, services.settings",
    "api/planted.py": "import activities.planted, services.records.sql",
}


def test_the_import_contracts_hold() -> None:
    checked = lint_imports(ROOT)
    assert f"{CONTRACTS} kept, 0 broken" in checked.stdout, checked.stdout + checked.stderr


def test_every_contract_finds_what_breaks_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in set(PACKAGES) - {"tests"}:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, line in PLANTED.items():
        (tmp_path / name).write_text(line)
    checked = lint_imports(tmp_path)
    assert f"0 kept, {CONTRACTS} broken" in checked.stdout, checked.stdout + checked.stderr


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("path", sources("clinical"), ids=str)
def test_rules_import_nothing_but_pydantic_and_the_harmless_standard_library(path: Path) -> None:
    tops = {name.partition(".")[0] for name in modules_of(ROOT / path)}
    strangers = tops - PURE_THIRD_PARTY - {"clinical"} - set(sys.stdlib_module_names)
    assert not strangers
    assert not tops & WORLDLY_STANDARD_LIBRARY


@pytest.mark.parametrize("package", ["clinical", "workflows"])
def test_nothing_here_reads_a_clock_or_rolls_dice(package: str) -> None:
    checked = ruff_clocks("check", package)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("where", "is_banned"), [("clinical", True), ("workflows", True), ("services", False), ("tests", False)]
)
@pytest.mark.parametrize(
    "line",
    [
        "import datetime; datetime.datetime.now(datetime.UTC)",
        "import datetime as dt; dt.date.today()",
        "import time; time.time()",
        "from uuid import uuid4; uuid4()",
        "import random",
    ],
)
def test_a_planted_clock_or_die_is_found_here_and_only_here(line: str, where: str, is_banned: bool) -> None:
    planted = ruff_clocks("check", f"--stdin-filename={where}/planted.py", "-", given=line)
    assert planted.returncode == int(is_banned), planted.stdout


def ruff_clocks(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Ruff with nothing but the ban on clocks and dice."""
    ruff = [str(Path(sys.executable).with_name("ruff")), *arguments, "--select=TID251", "--no-cache"]
    return subprocess.run(ruff, cwd=ROOT, input=given, capture_output=True, text=True)

"""Would a test notice if a rule were wrong? `./dev mutants [MODULE…]` changes the rules line by line and asks them.

mutmut makes the mutants; only the fast pure tests are asked. What survives has to stand in
`tests/clinical/SURVIVORS.md`, each with the reason why; the exit status is 1 when something new survives. Too slow
for every change (half an hour for all modules): run it when a rule or its tests were changed.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".kap" / "mutants"
LIST = ROOT / "tests" / "clinical" / "SURVIVORS.md"
SAID = "tests/clinical/said"
DOSING_DAY = ("tests/clinical/dosing_day", "tests/clinical/test_plan.py", SAID)
RISK = ("tests/clinical/test_risk.py", SAID)
MODULES: dict[str, tuple[str, ...]] = {
    "dosing": DOSING_DAY,
    "dose_by_weight": DOSING_DAY,
    "dose_in_units": DOSING_DAY,
    "dose_reasons": DOSING_DAY,
    "gate_booster": DOSING_DAY,
    "gate_checks": DOSING_DAY,
    "gate_objection": DOSING_DAY,
    "pre_dose_gate": DOSING_DAY,
    "pre_dose_hold": DOSING_DAY,
    "discharge": ("tests/clinical/dosing_day/test_discharge.py", SAID),
    "risk": RISK,
    "risk_findings": RISK,
    "risk_ladder": RISK,
    "schedule": DOSING_DAY,
    "plan": DOSING_DAY,
}
"""Which rules are changed, and which tests are asked about each."""
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:xdist"]
[tool.mutmut]
source_paths = ["clinical"]
only_mutate = {modules}
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""
RESULT = re.compile(r"^\s*(clinical\.\S+): (survived|no tests|suspicious)$", re.MULTILINE)
LISTED = re.compile(r"^- `(\S+)`\n  - was: `(.*)`\n  - now: `(.*)`\n  - why: (\S.*)$", re.MULTILINE)


class Mutant(NamedTuple):
    """One change that no test noticed: in which function, which code, and what it became."""

    function: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"- `{self.function}`\n  - was: `{self.was}`\n  - now: `{self.now}`\n  - why: "


def listed() -> dict[Mutant, str]:
    """The survivors that are known, and why each of them survives."""
    return {Mutant(*found[:3]): found[3] for found in LISTED.findall(LIST.read_text())}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", choices=[[], *MODULES], metavar="MODULE")
    parser.add_argument("--children", type=int, default=1, help="how many mutants are tried at once")
    asked = parser.parse_args(arguments)
    modules = asked.modules or list(MODULES)
    _copy(modules)
    subprocess.run([_mutmut(), "run", "--max-children", str(asked.children)], cwd=WORK, check=True)
    found = set(_survivors())
    known = {mutant for mutant in listed() if mutant.function.partition(".")[0] in modules}
    new, gone = sorted(found - known), sorted(known - found)
    told = [str(mutant) for mutant in new]
    told += [f"no longer survives: {mutant.function}: {mutant.now}" for mutant in gone]
    told.append(
        f"{len(found)} survive: {len(new)} are missing from {LIST.name}, {len(gone)} stand there in vain"
    )
    sys.stdout.write("\n".join(told) + "\n")
    return 1 if new or gone else 0


def _mutmut() -> str:
    return str(Path(sys.executable).parent / "mutmut")


def _copy(modules: Sequence[str]) -> None:
    """A folder of its own: mutants never stand in the working tree."""
    shutil.rmtree(WORK, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__")
    for part in ("clinical", "tests/clinical"):
        shutil.copytree(ROOT / part, WORK / part, ignore=unwanted)
    shutil.copy(ROOT / "tests" / "__init__.py", WORK / "tests")
    paths = [f"clinical/{module}.py" for module in modules]
    tests = sorted({test for module in modules for test in MODULES[module]})
    (WORK / "pyproject.toml").write_text(SETTINGS.format(modules=paths, tests=tests))


def _survivors() -> Iterator[Mutant]:
    results = subprocess.run([_mutmut(), "results"], cwd=WORK, capture_output=True, text=True, check=True)
    for name, _ in RESULT.findall(results.stdout):
        shown = subprocess.run(
            [_mutmut(), "show", name], cwd=WORK, capture_output=True, text=True, check=True
        )
        lines = [line for line in shown.stdout.splitlines() if not line.startswith(("---", "+++"))]
        was = " ".join(line[1:].strip() for line in lines if line.startswith("-"))
        now = " ".join(line[1:].strip() for line in lines if line.startswith("+"))
        module, _, function = name.removeprefix("clinical.").partition(".")
        yield Mutant(f"{module}.{_name(function)}", was, now)


def _name(function: str) -> str:
    """`x__cadence__mutmut_3` is the third mutant of `_cadence`."""
    return function.rpartition("__mutmut_")[0].removeprefix("x_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

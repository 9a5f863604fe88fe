"""Is what the READMEs name there: every path, link, test, command, function and hazard?"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT

PAGES = [path.relative_to(ROOT) for name in ("", *PACKAGES) for path in (ROOT / name).glob("*.md")]
QUOTED = re.compile(r"`([\w./-]+(?:::\w+)?)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
FUNCTION_OF = re.compile(r"((?:`\w+`(?:, )?)+) in `(clinical/[\w/]+\.py)`")
HAZARD = re.compile(r"^\| (H\d+) [^|]+\| ([^|]+) \| ([^|]*) \|$", re.MULTILINE)
OURS = {*PACKAGES, "dev", "pyproject.toml", "requirements.lock"}


def text_of(page: Path | str) -> str:
    return (ROOT / page).read_text()


def named_paths(page: Path) -> Iterator[str]:
    for name in QUOTED.findall(text_of(page)):
        if name.split("/")[0] in OURS and not name.startswith("tests/fixtures"):
            yield name


def test_the_pages_are_the_ones_we_look_at() -> None:
    assert {Path("README.md"), Path("clinical/README.md"), Path("deploy/README.md")} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_path_exists(page: Path) -> None:
    missing = [name for name in named_paths(page) if not (ROOT / name.partition("::")[0]).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [
        link for link in LINK.findall(text_of(page)) if not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = [name.split("::") for name in named_paths(page) if "::" in name]
    assert [test for file, test in named if test not in functions(file)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_holds_a_path_of_one_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.}])/(?:home|root|Users|tmp|var|opt)/\S*", text_of(page)) == []


def test_every_command_of_the_readme_is_one() -> None:
    listed = subprocess.run(
        [sys.executable, str(ROOT / "dev"), "--help"], capture_output=True, text=True, check=True
    )
    commands = {line.split()[0] for line in listed.stdout.splitlines() if line.startswith("  ")}
    named = {name for page in PAGES for name in re.findall(r"\./dev ([a-z]+)", text_of(page))}
    assert named <= commands


def test_every_function_of_the_rule_index_stands_in_its_file() -> None:
    index = FUNCTION_OF.findall(text_of("clinical/README.md"))
    assert len(index) > 20
    wrong = [
        (name, file)
        for names, file in index
        for name in re.findall(r"\w+", names)
        if name not in functions(file)
    ]
    assert wrong == []


def test_every_hazard_has_a_control_and_a_test() -> None:
    rows = HAZARD.findall(text_of("clinical/README.md"))
    assert [hazard for hazard, _, _ in rows] == [f"H{number}" for number in range(1, 21)]
    assert [hazard for hazard, control, test in rows if not is_controlled(control, test)] == []


@pytest.mark.parametrize(
    ("control", "test"),
    [
        ("", "`a.py::test_b`"),
        ("Scanning of chairs and patients: *not yet*", "`a.py::test_b`"),
        ("x" * 30, ""),
    ],
)
def test_a_hazard_without_control_or_test_is_found(control: str, test: str) -> None:
    assert not is_controlled(control, test)


def is_controlled(control: str, test: str) -> bool:
    """Something is there that is no promise, and a test that is named (that it exists is asked of every page)."""
    there = [part for part in re.split(r"[.;] ", control) if "not yet" not in part.lower()]
    return len(" ".join(there)) >= 20 and "::test_" in test


def functions(file: str) -> set[str]:
    tree = ast.parse(text_of(file))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}

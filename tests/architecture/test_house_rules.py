"""Does the tree keep its own rules: empty package files, telling names, short files?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, modules_of, sources

NAMELESS = {"utils", "util", "helpers", "helper", "common", "core", "shared", "misc", "base", "lib"}
LONGEST_SOURCE = 300
LONG_FOR_A_REASON = {
    "api/auth.py": "one table, one row for each act",
    "clinical/contraindication_codes.py": "one table, one row for each code",
    "clinical/events.py": "one list of every fact that a record may hold",
    "clinical/protocol.py": "one model of everything that a clinic may tune",
    "services/records/tables.py": "one schema",
    "services/settings.py": "one list of everything that can be set",
    "workflows/messages.py": "one list of every message that history stores",
}


def test_the_packages_are_the_ones_of_the_map() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert found == set(PACKAGES)


@pytest.mark.parametrize("path", [path for path in sources() if path.name == "__init__.py"], ids=str)
def test_package_files_are_empty(path: Path) -> None:
    assert (ROOT / path).read_text() == ""


@pytest.mark.parametrize("path", sources(), ids=str)
def test_names_say_which_question_is_answered(path: Path) -> None:
    assert not NAMELESS & {part.removesuffix(".py") for part in path.parts}


@pytest.mark.parametrize("path", sources(*(name for name in PACKAGES if name != "tests")), ids=str)
def test_source_files_are_short_and_say_what_they_answer(path: Path) -> None:
    text = (ROOT / path).read_text()
    # A migration is as long as the change it makes, and is not edited afterwards.
    is_long = text.count("\n") > LONGEST_SOURCE and "versions" not in path.parts
    assert is_long == (str(path) in LONG_FOR_A_REASON)
    assert not text or text.lstrip().startswith(('"""', "#!"))


@pytest.mark.parametrize("path", sources(*(name for name in PACKAGES if name != "tests")), ids=str)
def test_nothing_outside_the_tests_imports_them(path: Path) -> None:
    assert not {name for name in modules_of(ROOT / path) if name == "tests" or name.startswith("tests.")}

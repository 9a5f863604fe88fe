"""Is the page about curl in README.md true? Its commands are run as they stand, against `./dev up` in real time."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.data_folder import DataFolder
from deploy.ports import choose_ports
from tests.architecture.tree import ROOT
from tests.deploy.test_up import Up

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS, SAID = "http://127.0.0.1:8000", ".kap/up.log"
COURSE = re.compile(r"/v1/journeys/site-a/[0-9A-Z]{26}")
AT_ONCE = "sleep() { :; }\n"
"""The hundred minutes in the chair: the readings are taken one after another, and discharge is refused."""


class Clinic(NamedTuple):
    """A running system: its API's port, and the file with what it said."""

    port: int
    said: Path


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    throw_away = DataFolder(None)
    flags = ("--port", "--temporal-port", "--ui-port")
    ports = choose_ports(dict.fromkeys(flags))
    up = Up(throw_away.path / "data", *(part for flag in flags for part in (flag, str(ports[flag]))))
    said = throw_away.path / "up.log"
    said.write_text("\n".join(up.wait_until_ready()) + "\n")
    yield Clinic(ports["--port"], said)
    up.end(signal.SIGINT)
    throw_away.release()


def test_a_course_goes_by_hand_from_the_referral_to_the_chair(clinic: Clinic) -> None:
    *blocks, in_the_chair = BLOCK.findall((ROOT / "README.md").read_text())
    answers = run("".join([*blocks, AT_ONCE, in_the_chair]), clinic)

    refusals = re.findall(r'"code":"([a-z-]+)","errors"', answers)
    assert refusals == ["separation-of-duties", "discharge-criteria-unmet", "discharge-criteria-unmet"]
    found = COURSE.search(answers)
    assert found is not None
    course = read(clinic, found[0])["journey"]
    assert (course["stage"], course["doses"], course["plans"][0]["status"]) == ("treating", 1, "active")
    visit = read(clinic, found[0] + "/sessions/1")
    assert (len(visit["doses"]), len(visit["observations"])) == (1, 8)
    assert {one["rule"] for one in last_reasons(answers)} == {"DISCHARGE-MINIMUM-TIME", "DISCHARGE-PADSS"}


def run(script: str, clinic: Clinic) -> str:
    """Everything the script says; it must not fail anywhere but where the page expects it to."""
    assert ADDRESS in script
    assert SAID in script
    script = script.replace(ADDRESS, f"http://127.0.0.1:{clinic.port}").replace(SAID, str(clinic.said))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


def last_reasons(answers: str) -> list[dict[str, Any]]:
    last = [line for line in answers.splitlines() if '"code":"discharge-criteria-unmet"' in line][-1]
    reasons: list[dict[str, Any]] = json.loads(last)["reasons"]
    return reasons


def read(clinic: Clinic, address: str) -> Any:
    token = re.findall(r"^nurse +(\S+)$", clinic.said.read_text(), re.MULTILINE)[0]
    connection = http.client.HTTPConnection("127.0.0.1", clinic.port, timeout=10)
    connection.request("GET", address, headers={"Authorization": f"Bearer {token}"})
    return json.loads(connection.getresponse().read())

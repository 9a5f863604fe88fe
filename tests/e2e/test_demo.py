"""What does `./dev demo` say of referrals that must not be treated, or cannot be read?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clinical.protocol import Indication
from deploy.demo import SAMPLE, broken_rules, main, protocol_document, reachable
from deploy.demo_clinic import Clinic, tokens_of
from deploy.demo_story import Story
from deploy.local import LocalOptions, LocalSystem
from deploy.rooms import resources
from deploy.tokens import DEMO_SITE
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.temporal import connect

ROOT = Path(__file__).parents[2]
REFERRALS = ROOT / "tests" / "fixtures" / "referrals"


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def test_a_child_is_not_treated_and_every_reason_is_said() -> None:
    ran = demo("--json", "--referral", REFERRALS / "alda-carter.json")
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert (summary["stage"], summary["doses"]) == ("ineligible", 0)
    assert any(reason.startswith("X31") for reason in summary["reasons"])
    assert summary["violations"] == []
    assert "X31" in ran.stdout


@pytest.mark.parametrize("text", ["", "{", '{"resourceType": "Patient"}', "\x00\xff"])
def test_what_is_no_bundle_ends_with_one_line_and_status_2(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    referral = tmp_path / "referral.json"
    referral.write_text(text)
    assert main(["--referral", str(referral)]) == 2
    said = capsys.readouterr()
    assert (said.out, len(said.err.splitlines())) == ("", 1)


def test_a_protocol_that_does_not_exist_ends_with_one_line_and_status_2() -> None:
    ran = demo("--protocol", "no-such-protocol")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1)


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[LocalSystem]:
    """To start it takes as long as a course does: one for all protocols."""
    async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False)) as system:
        clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
        for one in resources():  # three courses are told at the same hours
            await clinic.post(f"/v1/resources/{DEMO_SITE}", "coordinator", {**one, "capacity": 100})
        await clinic.close()
        yield system


@pytest.mark.parametrize("name", ["im-racemic", "sl-racemic", "esketamine-rems"])
async def test_every_shipped_protocol_walks_the_whole_course(system: LocalSystem, name: str) -> None:
    """The intravenous one walks it in the test of the README's own demonstration."""
    protocol = load_protocol(name)
    clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
    raw = SAMPLE.read_bytes()
    record, clock = read_referral(raw).record, VirtualClock(await connect(system.settings()))
    story = Story(clinic, clock, protocol, Indication.DEPRESSION, record, lambda step: None)
    await clinic.post("/v1/protocols", "medical-director", protocol_document(protocol))
    journey = await story.run(reachable(json.loads(raw)))
    await clinic.close()
    assert journey["stage"] == "finished"
    assert journey["doses"] == journey["sessions_completed"] >= 6
    assert await broken_rules(system, story.journey_id, protocol) == []

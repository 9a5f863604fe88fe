"""What does `./dev demo` say of referrals that must not be treated, or cannot be read?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, summary["stage"], summary["doses"]) == (0, "ineligible", 0)
    assert any(reason.startswith("X31") for reason in summary["reasons"])
    assert summary["violations"] == []
    assert "X31" in ran.stdout


@pytest.mark.parametrize("text", ["", "{", '{"resourceType": "Patient"}', "\x00\xff"])
def test_what_is_no_bundle_ends_with_one_line_and_status_2(text: str, tmp_path: Path) -> None:
    referral = tmp_path / "referral.json"
    referral.write_text(text)
    ran = demo("--referral", referral)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert len(ran.stderr.splitlines()) == 1


def test_a_protocol_that_does_not_exist_ends_with_one_line_and_status_2() -> None:
    ran = demo("--protocol", "no-such-protocol")
    assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("protocol", ["im-racemic", "sl-racemic", "esketamine-rems"])
def test_every_shipped_protocol_walks_the_whole_course(protocol: str) -> None:
    """The intravenous one walks it in the test of the README's own demonstration."""
    ran = demo("--json", "--protocol", protocol)
    summary = json.loads(ran.stdout.splitlines()[-1])
    assert (ran.returncode, summary["stage"], summary["violations"]) == (0, "finished", [])
    assert summary["doses"] == summary["sessions_completed"] >= 6

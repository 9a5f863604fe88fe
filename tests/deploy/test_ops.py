"""Does `./dev ops` say what it found, and refuse what it does not understand?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deploy.deployment_versions import Version
from deploy.ops import __main__ as ops
from deploy.ops.migrating import Result
from deploy.ops.migrating import _print as print_results
from deploy.ops.upgrading import Course, _place
from deploy.ops.upgrading import _print as print_courses
from services.settings import PREFIX, Settings
from workers.replaying import Execution


def test_without_a_configuration_every_fault_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    for command in (["versions"], ["promote", "abc"], ["move"], ["upgrade-preview"]):
        assert ops.main(command) == 2
        assert "KAP_DATABASE_URL" in capsys.readouterr().err


def test_nothing_is_done_without_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["migrate", "--api", "http://127.0.0.1:1", "--token-file", str(tmp_path), "--site", "site-a"]
    assert ops.main([*asked, "--protocol", "url|2", "--confirm"]) == 2
    assert "--reason" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["101", "-1"])
def test_a_share_is_a_percentage(share: str) -> None:
    with pytest.raises(SystemExit):
        ops.parser().parse_args(["promote", "abc", f"--ramp={share}"])


def test_workers_are_needed_until_nothing_stands_with_them() -> None:
    assert not Version("a", "draining", open=Counter({"treating": 1})).may_be_stopped
    assert Version("a", "draining").may_be_stopped
    assert Version("a", "drained").may_be_stopped
    assert not any(Version("a", status).may_be_stopped for status in ("current", "ramping", "inactive"))


def test_a_preview_lists_each_course_with_the_worst_that_would_become_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    course, part = _place(Execution("journey/site-a/ONE/session/3", "run", "TreatmentSession"))
    assert (course, part) == ("journey/site-a/ONE", "session/3")
    assert _place(Execution("drug/site-a/vial/1", "run", "DrugDiscrepancy"))[0] == "drug/site-a/vial/1"
    print_courses(
        {
            "journey/site-a/ONE": Course(2, breaks=["session/3, event 9: other order"], differs=["x"]),
            "journey/site-a/TWO": Course(1, differs=["the course, deadline: later"]),
            "journey/site-a/THREE": Course(1),
        },
        breaking=1,
    )
    said = capsys.readouterr().out
    assert "journey/site-a/ONE: would break\n  session/3, event 9: other order" in said
    assert "journey/site-a/TWO: would differ\n  the course, deadline: later" in said
    assert said.endswith("1 would break, 1 would differ, 1 go on as they are\n")


def test_a_migration_reports_each_course(capsys: pytest.CaptureFixture[str]) -> None:
    print_results(
        [
            Result("journey/a/1", "migrated", (), ("longer",)),
            Result("journey/a/2", "refused", ("MIG-CHAIR: no",)),
        ]
    )
    said = capsys.readouterr().out
    assert "journey/a/2: refused\n  MIG-CHAIR: no" in said
    assert said.endswith("2 courses: 1 migrated, 1 refused\n")

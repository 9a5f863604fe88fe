"""Does `./dev ops` say what it found, and refuse what it does not understand?"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from unittest.mock import AsyncMock, create_autospec

import pytest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from deploy import deployment_versions
from deploy.deployment_versions import Version
from deploy.ops.__main__ import main, parser
from deploy.ops.door import Api, Refused
from deploy.ops.migrating import Result
from deploy.ops.migrating import _print as print_results
from deploy.ops.noting import Seen, noted
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
        assert main(command) == 2
        assert "KAP_DATABASE_URL" in capsys.readouterr().err


def test_nothing_is_done_without_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["migrate", "--api", "http://127.0.0.1:1", "--token-file", str(tmp_path), "--site", "site-a"]
    assert main([*asked, "--protocol", "url|2", "--confirm"]) == 2
    assert "--reason" in capsys.readouterr().err


@pytest.fixture
def answers() -> Iterator[list[int]]:
    """An API at KAP_OPS_API that answers with this status, and keeps what it was told."""
    status: list[int] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status[0])
            self.end_headers()
            self.wfile.write(b'{"status": %d, "code": "so", "detail": "said"}' % status[0])

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    serving = Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAP_OPS_API", f"http://127.0.0.1:{server.server_port}")
        patch.setenv("KAP_OPS_TOKEN", "a-token")
        yield status
    server.shutdown()
    server.server_close()
    serving.join()


async def _looked(shown: list[str]) -> int:
    given = parser().parse_args(["stuck"])

    def show() -> int:
        shown.append("seen")
        return 1

    look = asyncio.sleep(0, Seen(0, show))
    async with Api(os.environ["KAP_OPS_API"], os.environ["KAP_OPS_TOKEN"]) as api:
        return await noted(api, given, look)


@pytest.mark.parametrize(("status", "says"), [(201, False), (503, True)])
async def test_a_look_is_shown_also_while_the_record_is_away(
    answers: list[int], capsys: pytest.CaptureFixture[str], status: int, says: bool
) -> None:
    answers.append(status)
    shown: list[str] = []
    assert (await _looked(shown), shown) == (1, ["seen"])
    assert ("could not be noted in the audit: 503 so" in capsys.readouterr().err) is says


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_whom_the_api_refuses_sees_nothing(answers: list[int], status: int) -> None:
    answers.append(status)
    shown: list[str] = []
    with pytest.raises(Refused, match=f"{status} so: said"):
        await _looked(shown)
    assert shown == []


@pytest.mark.parametrize("share", ["101", "-1"])
def test_a_share_is_a_percentage(share: str) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["promote", "abc", f"--ramp={share}"])


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


async def test_a_build_without_workers_is_asked_for_more_and_more_rarely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The engine answers a hundred such questions and then ten a second: past that it says nothing of the build."""
    asked = AsyncMock(side_effect=RPCError("no such build", RPCStatusCode.NOT_FOUND, b""))
    monkeypatch.setattr(deployment_versions, "_route", asked)
    monkeypatch.setattr(deployment_versions, "KNOWN_WITHIN_S", 0.5)
    with pytest.raises(RPCError, match="no such build"):
        await deployment_versions.promote(
            create_autospec(Client, instance=True), WorkerDeploymentVersion("kap-engine", "nobody-has-it")
        )
    assert 2 <= asked.await_count <= 5

"""Does `./dev ops` look after courses of a started system: find, why, stuck, pause and resume in bulk, reset?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clinical.people import Role
from deploy.demo import protocol_document
from deploy.demo_clinic import Clinic, tokens_of
from deploy.local import LocalOptions, LocalSystem
from deploy.ops.__main__ import main
from deploy.ops.noting import NOTED
from services.protocols import load_protocol
from tests.api.conftest import PATIENT

SITE = "site-a"
WITHIN_S = 30.0
"""The engine finds a moment later what it has begun."""


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[LocalSystem]:
    async with LocalSystem(LocalOptions(with_ui=False)) as system:
        yield system


@pytest.fixture(scope="module")
async def courses(system: LocalSystem) -> tuple[str, str]:
    clinic = Clinic(system.base_url, tokens_of(system.issuer_key))
    await clinic.post("/v1/protocols", Role.MEDICAL_DIRECTOR, protocol_document(load_protocol("iv-racemic")))
    made = []
    for name in ("Ada", "Bela"):
        person = PATIENT | {"name": f"{name} Example", "email": f"{name}@example.org", "confirm_new": True}
        patient = await clinic.post("/v1/patients", Role.COORDINATOR, person)
        body = {
            "site": SITE,
            "patient_id": patient["patient_id"],
            "indication": "major-depressive-disorder",
        }
        journey = await clinic.post("/v1/journeys", Role.COORDINATOR, body)
        made.append(f"journey/{journey['href'].removeprefix('/v1/journeys/')}")
    await clinic.close()
    return made[0], made[1]


@dataclass
class Said:
    status: int
    out: str
    err: str

    @property
    def found(self) -> Any:
        return json.loads(self.out)


Ops = Callable[..., Awaitable[Said]]


@pytest.fixture
def ops(system: LocalSystem, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ops:
    """Run it as a person in this role, configured as its own process would be, into pipes."""
    for name, value in {**system.environment(), "KAP_OPS_API": system.base_url}.items():
        monkeypatch.setenv(name, value)

    async def run(*arguments: str, role: str = Role.OPS) -> Said:
        monkeypatch.setenv("KAP_OPS_TOKEN", tokens_of(system.issuer_key)[role])
        capsys.readouterr()
        status = await asyncio.to_thread(main, arguments)
        return Said(status, *capsys.readouterr())

    return run


async def test_ops_looks_after_courses(courses: tuple[str, str], ops: Ops) -> None:
    first, second = courses

    async with asyncio.timeout(WITHIN_S):
        while True:
            found = await ops("--json", "find", "waiting", "--site", SITE)
            lines = {one["workflow_id"]: one for one in found.found["items"]}
            if len(lines) == 2:
                break
    assert (found.status, set(lines)) == (0, {first, second})
    assert lines[first]["KapWaitsFor"] == "coordinator"
    said = await ops("why", first)
    assert said.status == 0, said.err
    assert "waits for **book-consultation** by the **coordinator**" in said.out
    assert "timer-started" in said.out and "failing:" in said.out
    none = await ops("stuck")
    assert (none.status, none.out) == (0, "0 found\n")

    draft = (await ops("--json", "pause", SITE, "--reason", "storm")).found
    assert [one["journey_id"] for one in draft["items"]] == sorted([first, second])
    confirmed = ["--operation", draft["operation_id"], "--confirm", draft["token"]]
    done = await ops("pause", SITE, *confirmed)
    assert (done.status, done.out.splitlines()[-1]) == (0, "2 done, 0 failed, 0 waiting"), done.err
    refused = await ops("resume", SITE, "--reason", "storm")
    assert (refused.status, "403 wrong-role" in refused.err) == (2, True)
    draft = (await ops("--json", "resume", SITE, "--reason", "over", role=Role.MEDICAL_DIRECTOR)).found
    late = ["--operation", draft["operation_id"], "--confirm", "0f" * 32]
    changed = await ops("resume", SITE, *late, role=Role.MEDICAL_DIRECTOR)
    assert (changed.status, "412 selection-changed" in changed.err) == (2, True)
    confirmed = ["--operation", draft["operation_id"], "--confirm", draft["token"]]
    report = await ops("--json", "resume", SITE, *confirmed, role=Role.MEDICAL_DIRECTOR)
    assert {one["result"] for one in report.found["items"]} == {"done"}

    nothing = await ops("reset", first, "--reason", "to see")
    assert (nothing.status, "409 not-possible-now" in nothing.err) == (2, True)
    nobody = await ops("why", "journey/site-a/nobody")
    assert (nobody.status, "no such workflow" in nobody.err) == (2, True)


async def test_every_command_stands_in_the_audit(
    system: LocalSystem, courses: tuple[str, str], ops: Ops
) -> None:
    first, _ = courses
    draft = (await ops("--json", "notify", SITE, "--reason", "lot-recall")).found
    told = [
        (("find", "risk", "--site", SITE), "query/risk", "found/0"),
        (("stuck",), "query/failing", "found/0"),
        (("why", first), first, "found/1"),
        (("report", f"{SITE}/{draft['operation_id']}"), f"operation/{SITE}/{draft['operation_id']}", None),
        (("versions", "--json"), "build/all", "found/1"),
        (("upgrade-preview", "--journey", first), first, "found/1"),
        (("promote", "nobody-has-it"), "build/nobody-has-it", None),
        (("move", "--journey", first), first, None),
    ]
    assert {words[0] for words, _, _ in told} == set(NOTED)
    auditor = Clinic(system.base_url, tokens_of(system.issuer_key))
    for words, about, part in told:
        said = await ops(*words)
        assert "could not be noted" not in said.err, said.err
        act = f"ops_{words[0].replace('-', '_')}"
        (event,) = (await auditor.get("/v1/audit-events", Role.AUDITOR, site=SITE, act=act))["items"][:1]
        assert (event["object_id"], event["part"], event["actor_role"]) == (about, part, Role.OPS), said.err
    verdict = await auditor.get("/v1/audit-events/verification", Role.AUDITOR, site=SITE)
    assert verdict["whole"] and verdict["last_seq"] >= len(told)
    await auditor.close()


async def test_a_look_is_answered_when_nothing_can_note_it_and_an_act_is_not(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAP_OPS_API", "http://127.0.0.1:1")
    looked = await ops("stuck")
    assert (looked.status, looked.out) == (0, "0 found\n")
    assert "ops: this could not be noted in the audit: the API cannot be reached" in looked.err
    acted = await ops("pause", SITE, "--reason", "storm")
    assert (acted.status, acted.out) == (2, "")

"""Does the API answer as its description says, whatever it is sent? Schemathesis, with tokens of every role.

Real processes, a real engine. Three courses are there to be spoken to: one just referred, one in screening, one
with a patient in the chair. Every act is tried by every role with valid and invalid input; the answer has to be
one that is described, in the described form, and never a fault of ours. `KAP_FUZZ=100` tries harder.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clinical.people import Role
from clinical.protocol import Indication
from deploy.demo import SAMPLE, reachable
from deploy.demo_clinic import Clinic, tokens_of
from deploy.demo_story import Story
from deploy.local import LocalOptions, LocalSystem
from deploy.tokens import mint
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import read_referral
from services.protocols import load_protocol
from services.temporal import connect

EXAMPLES = int(os.environ.get("KAP_FUZZ", "6"))
SHARES = {GenerationMode.POSITIVE: EXAMPLES - EXAMPLES // 3, GenerationMode.NEGATIVE: EXAMPLES // 3}
"""Of the examples of each act; the roles take turns."""

SAID = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PARTS = {"n": 1, "round": 1, "version": 1}
LAST = {"withdraw_consent", "end_journey", "transfer_journey"}
"""After these a course takes nothing any more."""


schemathesis.serializer.alias("message/rfc822", "text/plain")


class FarEnough(Exception):
    """The story is told as far as it is needed."""


class InScreening(Story):
    async def _screen(self) -> None:
        raise FarEnough


class InTheChair(Story):
    async def _watch(self, *_: Any) -> None:
        raise FarEnough


class JustReferred(Story):
    async def _consult(self) -> None:
        raise FarEnough


@dataclass
class Target:
    base_url: str
    callers: Iterator[str]
    courses: Iterator[str]
    description: dict[str, Any]
    answers: Counter[int] = field(default_factory=Counter)


@pytest.fixture(scope="module")
async def target() -> AsyncIterator[Target]:
    protocol = load_protocol("iv-racemic")
    bundle = reachable(json.loads(SAMPLE.read_bytes()))
    async with LocalSystem(LocalOptions(virtual_time=True, with_ui=False)) as system:
        staff = tokens_of(system.issuer_key)
        everyone = [f"Bearer {mint(system.issuer_key, role)}" for role in Role if role is not Role.SYSTEM]
        everyone.append("Bearer nobody")
        clinic = Clinic(system.base_url, staff)
        client = await connect(system.settings())
        await clinic.post("/v1/protocols", "medical-director", protocol.model_dump(mode="json"))
        courses = []
        for told in (JustReferred, InScreening, InTheChair):
            record = read_referral(json.dumps(bundle).encode()).record
            clock = VirtualClock(client)
            story = told(clinic, clock, protocol, Indication.DEPRESSION, record, lambda step: None)
            with pytest.raises(FarEnough):
                await story.run(bundle)
            courses.append(story.journey_id.removeprefix("journey/"))
        yield Target(
            system.base_url,
            itertools.cycle(everyone),
            itertools.cycle(courses),
            await clinic.get("/openapi.json"),
        )
        await clinic.close()


@pytest.mark.timeout(180 * max(1, EXAMPLES // 6))
def test_every_answer_is_one_that_is_described(target: Target) -> None:
    """In the main thread: when time is up, nothing may go on beside the printing of where it stopped.

    Hypothesis reads syntax trees too, and two threads that do so at one moment break Python 3.11's.
    """
    wrong = faults(target)
    assert wrong == {}
    seen = set(target.answers)
    assert {200, 201, 401, 403, 404, 409, 422} <= seen, f"too little was tried: {target.answers}"


def faults(target: Target) -> dict[str, str]:
    """What went wrong, by act; each act is tried for itself."""
    found: dict[str, str] = {}
    described = schemathesis.openapi.from_dict(target.description)
    operations = [result.ok() for result in described.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == sum(len(path) for path in target.description["paths"].values())
    operations.sort(key=lambda operation: operation.definition.raw["operationId"] in LAST)
    with requests.Session() as http:
        for operation in operations:
            try:
                try_out(operation, target, http)
            except (Exception, ExceptionGroup) as fault:
                found[operation.definition.raw["operationId"]] = f"{type(fault).__name__}: {fault}"[:1500]
    return found


def try_out(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], target: Target, http: requests.Session
) -> None:
    def sent(case: schemathesis.Case[Any]) -> None:
        where = dict(zip(("site", "ulid"), next(target.courses).split("/"), strict=True)) | PARTS
        drawn = case.path_parameters or {}
        case.path_parameters = drawn | {name: where[name] for name in drawn.keys() & where.keys()}
        headers = {"Authorization": next(target.callers), "Accept": "application/json"}
        answer = case.call(base_url=target.base_url, session=http, headers=headers, timeout=30)
        target.answers[answer.status_code] += 1
        case.validate_response(answer, checks=SAID)

    for mode, share in SHARES.items():
        trial = settings(
            max_examples=share,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        with contextlib.suppress(Unsatisfiable):  # nothing invalid can be sent where nothing is sent
            given(operation.as_strategy(generation_mode=mode))(trial(lambda case: sent(case)))()

"""Crises at random on the real engine: levels, hours, silent people, failing channels, dying workers.

Four hundred on every run, 2,000 with `KAP_CRISES=2000`: they take two minutes.

In the end none is neither acknowledged nor escalated, judged by nothing but the recorded facts. A failure prints
the seed that the crises were made of (`KAP_SEED`); which worker dies in the middle of what is the machine's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.queues import TaskQueue
from clinical.events import Entry, RiskAcknowledged, RiskPaged
from clinical.people import CLINICIANS, Actor, Role
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, acknowledge_by
from tests.clinical.crises import Crisis, a_crisis, flaws
from tests.workflows.crisis_world import STAFF, DyingWorkers, FailingPost, RememberedRecords
from workers.registry import Activities
from workflows import messages as m
from workflows import names

MANY = int(os.environ.get("KAP_CRISES", "400"))
AT_ONCE = 40
SITE = "site-a"
A_MOMENT = timedelta(seconds=20)
ALLOWANCE = timedelta(minutes=1)
"""How late the machine may be that runs all of them at once; the clock of a crisis runs on while it works."""


def journey_of(crisis: Crisis) -> str:
    return names.journey_id(SITE, f"{crisis.number:026d}")


def quick_to_judge(protocol: Protocol) -> Protocol:
    """Everyone is paged again every four hours: one such round shows that paging goes on. No labels to carry."""
    risk = protocol.risk.model_copy(update={"repeat_page_minutes": 240})
    return protocol.model_copy(update={"risk": risk, "labels": {}})


async def lived_through(
    crisis: Crisis, environment: WorkflowEnvironment, protocol: Protocol
) -> tuple[RiskFinding, datetime]:
    """The finding, and the instant at which it is judged."""
    journey, client = journey_of(crisis), environment.client
    handle, finding = await begun(crisis, client, protocol)
    deadline = acknowledge_by(finding, protocol)
    over = deadline + timedelta(minutes=protocol.risk.repeat_page_minutes + 2)
    if crisis.answers_after is not None:
        if crisis.answers_after > A_MOMENT:  # whoever sits beside the telephone answers before time has moved
            await environment.fast_forward(handle, crisis.answers_after)
        if crisis.number % 20 == 0:
            await refused(handle, Actor(id="desk", role=Role.COORDINATOR), f"{journey}/desk")
        await said(handle, m.AcknowledgeRisk(key="taken", actor=Actor(id="x", role=crisis.answered_by)))
        return finding, max(finding.found_at + crisis.answers_after, deadline) + ALLOWANCE
    await environment.fast_forward(handle, over - finding.found_at)
    return finding, over - ALLOWANCE


async def begun(
    crisis: Crisis, client: Client, protocol: Protocol
) -> tuple[WorkflowHandle[object, object], RiskFinding]:
    journey = journey_of(crisis)
    finding = crisis.finding(datetime.now(UTC))
    signal = m.RiskSignal(
        case_id="case", level=finding.level, trigger=finding.trigger, on_site=finding.on_site,
        found_at=finding.found_at, patient_id="nobody",
    )  # fmt: skip
    start = m.StartRisk(journey_id=journey, site=SITE, protocol=protocol, finding=signal)
    handle = await client.start_workflow(
        "RiskEscalation",
        start,
        id=names.risk_id(journey, "case"),
        task_queue=TaskQueue.JOURNEY,
        task_timeout=timedelta(seconds=2),  # what a worker took with it is given to another so soon
    )
    return handle, finding


async def said(handle: WorkflowHandle[object, object], command: m.AcknowledgeRisk) -> None:
    """Say it until it is answered: a worker that dies meanwhile costs time, not the command."""
    for _ in range(50):
        try:
            await handle.execute_update("acknowledge_risk", command, id=command.key, result_type=m.Accepted)
            return
        except RPCError:
            await asyncio.sleep(0.2)
    raise AssertionError("nobody takes the command")


async def refused(handle: WorkflowHandle[object, object], actor: Actor, key: str) -> None:
    try:
        await said(handle, m.AcknowledgeRisk(key=key, actor=actor))
    except WorkflowUpdateFailedError:
        return
    raise AssertionError("the desk took a crisis over")


def judged(entries: Iterable[Entry], finding: RiskFinding, protocol: Protocol, until: datetime) -> list[str]:
    paged, answers = [], []
    for entry in entries:
        if isinstance(entry.fact, RiskPaged):
            paged.append((entry.occurred_at, entry.fact.role))
        if isinstance(entry.fact, RiskAcknowledged) and entry.actor.role in CLINICIANS:
            answers.append(entry.occurred_at)
    return flaws(finding, protocol, paged, answers, until, ALLOWANCE)


async def test_crises_end_acknowledged_or_escalated(
    temporal_environment: WorkflowEnvironment, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "temporalio")  # thousands of failures are meant to happen
    seed = int(os.environ.get("KAP_SEED") or secrets.randbelow(10**9))
    dice, rules = Random(seed), quick_to_judge(protocol)
    crises = {
        journey_of(crisis): crisis
        for crisis in (a_crisis(n, dice, rules, silent=0.1, quick=0.6) for n in range(MANY))
    }
    records, post = RememberedRecords(Random(seed)), FailingPost(crises, Random(seed))
    activities, doors = Activities.over(records, post, STAFF), asyncio.Semaphore(AT_ONCE)

    workers = DyingWorkers(temporal_environment.client, activities, Random(seed), max(4, MANY // 12))

    async def one(crisis: Crisis) -> tuple[RiskFinding, datetime]:
        async with doors:
            judged_at = await lived_through(crisis, temporal_environment, rules)
            workers.lived_through()
            return judged_at

    async with workers.at_work():
        lived = await asyncio.gather(*(one(crisis) for crisis in crises.values()))
    wrong = {}
    for (journey, crisis), (finding, until) in zip(crises.items(), lived, strict=True):
        entries = records.entries_of.get(journey, {}).values()
        found = judged(entries, finding, rules, until)
        called = {entry.fact.role for entry in entries if isinstance(entry.fact, RiskPaged)}
        found += [f"{role} was never tried" for role in called - post.tried.get(journey, set())]
        if found:
            wrong[crisis] = found
    assert wrong == {}, f"KAP_SEED={seed}: {len(wrong)} of {MANY}, the first: {next(iter(wrong.items()))}"
    assert workers.deaths >= 5, "the workers hardly died"

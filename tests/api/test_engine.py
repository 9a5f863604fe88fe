"""Does the port to the engine say what the real engine says?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.engine import EngineRefused, EngineUnavailable, NotRunning, TemporalEngine
from clinical.people import Actor, Role
from services.identifiers import new_id
from tests.shipped import shipped_protocol
from workflows.messages import Accepted, DoseOrdered, JourneyInput, Pause, StartJourney

QUEUE = "kap-journey-of-this-test"  # what is left over must not meet the real workers of other tests
AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
WHO = Actor(id="staff-1", role=Role.COORDINATOR)


@workflow.defn(name="PatientJourney")
class JourneyThatSaysNo:
    """Starts, counts, refuses in every way a workflow can, and ends when asked."""

    @workflow.init
    def __init__(self, given: JourneyInput) -> None:
        self.paused = 0
        self.over = False

    @workflow.run
    async def run(self, given: JourneyInput) -> None:
        await workflow.wait_condition(lambda: self.over)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def start(self, command: StartJourney) -> Accepted:
        if command.site == "site-no":
            raise ApplicationError("one is open", type="journey-already-active", non_retryable=True)
        return Accepted(state="referred", at=AT, detail={"patient": command.patient_id})

    @workflow.update
    async def pause(self, command: Pause) -> Accepted:
        self.paused += 1
        if command.reason == "never answered":
            await workflow.wait_condition(lambda: False)
        if command.reason == "end":
            self.over = True
        return Accepted(state=str(self.paused), at=AT)

    @pause.validator
    def _may_pause(self, command: Pause) -> None:
        if command.reason == "refused":
            details = {"reasons": [], "errors": [{"pointer": "/reason", "detail": "no", "code": "x"}]}
            raise ApplicationError("not now", details, type="not-possible-now", non_retryable=True)
        if command.reason == "unknown":
            raise ApplicationError("what", type="never-heard-of", non_retryable=True)


def start(key: str, site: str = "site-a") -> StartJourney:
    protocol = shipped_protocol()
    return StartJourney(
        key=key,
        actor=WHO,
        patient_id="p1",
        referral_id=None,
        site=site,
        time_zone="America/New_York",
        indication=protocol.indications[0],
        protocol=protocol,
    )


def pause(reason: str, key: str = "") -> Pause:
    return Pause(key=key or new_id(), actor=WHO, reason=reason)


@pytest.fixture(scope="module")
async def engine(temporal_client: Client) -> TemporalEngine:
    async def connect() -> Client:
        return temporal_client

    return TemporalEngine(connect, timedelta(seconds=10), QUEUE)


@pytest.fixture
async def worker(temporal_client: Client) -> object:
    async with Worker(
        temporal_client,
        task_queue=QUEUE,
        workflows=[JourneyThatSaysNo],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ) as running:
        yield running


@pytest.mark.usefixtures("worker")
async def test_the_same_start_twice_is_one_start(engine: TemporalEngine) -> None:
    journey = f"journey/site-a/{new_id()}"
    first = await engine.start_journey(journey, start("k1"))
    again = await engine.start_journey(journey, start("k1"))
    assert first == again
    assert (first.state, first.at, first.detail) == ("referred", AT, {"patient": "p1"})


@pytest.mark.usefixtures("worker")
async def test_a_refused_start_says_why(engine: TemporalEngine) -> None:
    with pytest.raises(EngineRefused) as refused:
        await engine.start_journey(f"journey/site-no/{new_id()}", start("k1", "site-no"))
    assert (refused.value.code, refused.value.text) == ("journey-already-active", "one is open")


@pytest.mark.usefixtures("worker")
async def test_a_command_with_the_same_key_acts_once(engine: TemporalEngine) -> None:
    journey = f"journey/site-a/{new_id()}"
    await engine.start_journey(journey, start("k1"))
    once = await engine.command(journey, "pause", pause("x", "k2"), Accepted)
    again = await engine.command(journey, "pause", pause("x", "k2"), Accepted)
    other = await engine.command(journey, "pause", pause("x", "k3"), Accepted)
    assert (once.state, again.state, other.state) == ("1", "1", "2")


@pytest.mark.usefixtures("worker")
async def test_a_refusal_keeps_its_code_and_details(engine: TemporalEngine) -> None:
    journey = f"journey/site-a/{new_id()}"
    await engine.start_journey(journey, start("k1"))
    with pytest.raises(EngineRefused) as refused:
        await engine.command(journey, "pause", pause("refused"), Accepted)
    assert (refused.value.code, refused.value.text) == ("not-possible-now", "not now")
    assert refused.value.details["errors"][0]["pointer"] == "/reason"


@pytest.mark.usefixtures("worker")
async def test_a_failure_without_a_code_of_ours_stays_a_fault(engine: TemporalEngine) -> None:
    journey = f"journey/site-a/{new_id()}"
    await engine.start_journey(journey, start("k1"))
    with pytest.raises(Exception, match="update failed") as fault:
        await engine.command(journey, "pause", pause("unknown"), Accepted)
    assert not isinstance(fault.value, EngineRefused | NotRunning | EngineUnavailable)


@pytest.mark.usefixtures("worker")
async def test_nobody_there_and_nobody_there_any_more(engine: TemporalEngine) -> None:
    with pytest.raises(NotRunning):
        await engine.command(f"journey/site-a/{new_id()}", "pause", pause("x"), Accepted)
    journey = f"journey/site-a/{new_id()}"
    await engine.start_journey(journey, start("k1"))
    await engine.command(journey, "pause", pause("end"), Accepted)
    await engine_closed(engine, journey)
    with pytest.raises(NotRunning):
        await engine.command(journey, "pause", pause("x"), DoseOrdered)


async def engine_closed(engine: TemporalEngine, journey: str) -> None:
    client = await engine._ready()
    await client.get_workflow_handle(journey).result()


@pytest.mark.usefixtures("worker")
async def test_an_answer_that_does_not_come_may_be_asked_for_again(
    engine: TemporalEngine, temporal_client: Client
) -> None:
    async def connect() -> Client:
        return temporal_client

    journey = f"journey/site-a/{new_id()}"
    await engine.start_journey(journey, start("k1"))
    hasty = TemporalEngine(connect, timedelta(milliseconds=300), QUEUE)
    with pytest.raises(EngineUnavailable):
        await hasty.command(journey, "pause", pause("never answered"), Accepted)
    await temporal_client.get_workflow_handle(journey).terminate()


async def test_without_workers_the_engine_is_up_and_does_not_answer(temporal_client: Client) -> None:
    async def connect() -> Client:
        return temporal_client

    hasty = TemporalEngine(connect, timedelta(milliseconds=300), QUEUE)
    assert await hasty.is_up()
    with pytest.raises(EngineUnavailable):
        await hasty.start_journey(f"journey/site-z/{new_id()}", start("k1"))


async def test_an_engine_that_is_away() -> None:
    async def connect() -> Client:
        return await Client.connect("127.0.0.1:1")

    away = TemporalEngine(connect, patience=timedelta(seconds=1))
    assert not await away.is_up()
    with pytest.raises(EngineUnavailable):
        await away.command("journey/site-a/x", "pause", pause("x"), Accepted)

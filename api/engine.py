"""How does the API reach the workflows? One port: start a journey, send a command, open a case.

A command is an update whose id is the command's key, so that asking again changes nothing. The answer comes
when the fact is in the record. Errors: EngineRefused (a workflow said no, with its code), NotRunning (there
is no such workflow, or it has ended), EngineUnavailable (try again with the same key).
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.engine_resets import FailedStep, failed_step, take_up
from api.problems import PROBLEMS
from services.records.custody_interface import PendingCase
from workflows.messages import (
    Accepted,
    Command,
    JourneyInput,
    Message,
    StartDiscrepancy,
    StartJourney,
    StartRisk,
)
from workflows.names import drug_case_id, risk_id

ANSWER_WITHIN = timedelta(seconds=20)
JOURNEY = "PatientJourney"
DRUG_CASE = "DrugDiscrepancy"
RISK_CASE = "RiskEscalation"
QUEUE = "kap-journey"
PATIENCE_OF_A_PROBE_S = 2.0
ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
PASSING = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.FAILED_PRECONDITION,  # a signal landed while the workflow task completed
        RPCStatusCode.CANCELLED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
    }
)
"""What may be gone the next time; any other status is a fault of ours."""

A = TypeVar("A", bound=Accepted)
M = TypeVar("M", bound=Message)
T = TypeVar("T")


class EngineRefused(Exception):
    """A workflow refused; `code` is one of the table of problems, `details` what it gave along."""

    def __init__(self, code: str, text: str, details: dict[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.details = details


class NotRunning(Exception):
    """No workflow of that id takes commands."""


class EngineUnavailable(Exception):
    """The engine or its workers did not answer in time; the command may still come to pass."""


class Engine(Protocol):
    async def start_journey(self, journey_id: str, message: StartJourney) -> Accepted:
        """Start the workflow and its first command in one; the same id and key again answer the same."""
        ...

    async def open_case(self, start: StartRisk) -> Accepted:
        """Start a risk case with the concern in it, for somebody whose course is over; once per concern."""
        ...

    async def command(self, workflow_id: str, update: str, message: Command, answer: type[A]) -> A:
        """Send one command and wait until it is in the record."""
        ...

    async def look(self, workflow_id: str, query: str, message: Command, answer: type[M]) -> M:
        """Ask what a workflow would make of a command; nothing is done, and nothing stands in its history."""
        ...

    async def open_drug_case(self, case: PendingCase) -> None:
        """Start the case of a discrepancy in the drug books; one that was started already stays as it is."""
        ...

    async def failed_step(self, workflow_id: str) -> FailedStep | None:
        """What has failed in this workflow and can be taken up; None: nothing. Raises NotRunning."""
        ...

    async def take_up(self, step: FailedStep, reason: str, key: str) -> str | None:
        """Try it again; the run that goes on, if it is another one."""
        ...

    async def is_up(self) -> bool:
        """Does the engine answer?"""
        ...


class TemporalEngine:
    """The engine, through a client that `connect` makes when it is first needed."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        patience: timedelta = ANSWER_WITHIN,
        queue: str = QUEUE,
    ) -> None:
        self._connect = connect
        self._queue = queue
        self._patience = patience
        self._connecting = asyncio.Lock()
        self._client: Client | None = None

    async def start_journey(self, journey_id: str, message: StartJourney) -> Accepted:
        given = JourneyInput(journey_id=journey_id, start=message)
        return await self._start(JOURNEY, given, journey_id, "start", message, "one course of treatment")

    async def open_case(self, start: StartRisk) -> Accepted:
        assert start.concern is not None
        case = risk_id(start.journey_id, start.finding.case_id)
        return await self._start(RISK_CASE, start, case, "raise_concern", start.concern, "risk case")

    async def _start(
        self, kind: str, given: Message, workflow_id: str, update: str, message: Command, summary: str
    ) -> Accepted:
        """Start a workflow and send its first command in one."""
        client = await self._ready()
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            kind,
            given,
            id=workflow_id,
            task_queue=self._queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=summary,
        )
        return await self._answered(
            client.execute_update_with_start_workflow(
                update,
                message,
                start_workflow_operation=start,
                id=message.key,
                result_type=Accepted,
                rpc_timeout=self._patience,
            )
        )

    async def command(self, workflow_id: str, update: str, message: Command, answer: type[A]) -> A:
        client = await self._ready()
        handle = client.get_workflow_handle(workflow_id)
        return await self._answered(
            handle.execute_update(
                update, message, id=message.key, result_type=answer, rpc_timeout=self._patience
            )
        )

    async def look(self, workflow_id: str, query: str, message: Command, answer: type[M]) -> M:
        client = await self._ready()
        handle = client.get_workflow_handle(workflow_id)
        asked = handle.query(query, message, result_type=answer, rpc_timeout=self._patience)
        return await self._answered(asked)

    async def open_drug_case(self, case: PendingCase) -> None:
        client = await self._ready()
        try:
            await client.start_workflow(
                DRUG_CASE,
                StartDiscrepancy.model_validate(case.model_dump()),
                id=drug_case_id(case.site, case.container_id, case.number),
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="a difference in the drug books",
                rpc_timeout=self._patience,
            )
        except WorkflowAlreadyStartedError:
            return
        except RPCError as error:
            if error.status in PASSING:
                raise EngineUnavailable from error
            raise

    async def failed_step(self, workflow_id: str) -> FailedStep | None:
        return await self._answered(failed_step(await self._ready(), workflow_id))

    async def take_up(self, step: FailedStep, reason: str, key: str) -> str | None:
        return await self._answered(take_up(await self._ready(), step, reason, key))

    async def is_up(self) -> bool:
        try:
            client = await asyncio.wait_for(self._ready(), PATIENCE_OF_A_PROBE_S)
            return await client.service_client.check_health(timeout=timedelta(seconds=PATIENCE_OF_A_PROBE_S))
        except (RPCError, EngineUnavailable, TimeoutError):
            return False

    async def _ready(self) -> Client:
        """The client, kept once it is connected: an engine that comes late is found by the next request."""
        async with self._connecting:
            if self._client is None:
                try:
                    self._client = await asyncio.wait_for(self._connect(), self._patience.total_seconds())
                except (RPCError, RuntimeError, TimeoutError) as error:
                    raise EngineUnavailable from error
            return self._client

    async def _answered(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from None
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise EngineUnavailable from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NotRunning from error
            if error.status in PASSING:
                raise EngineUnavailable from error
            raise


def _refused(error: BaseException) -> Exception:
    """What did the workflow mean? The first cause with a code of ours; other failures stay what they are."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApplicationError):
            if cause.type == ENDED_MEANWHILE:
                return NotRunning()
            if cause.type in PROBLEMS:
                return EngineRefused(cause.type, cause.message, _details(cause))
        cause = cause.__cause__
    return error if isinstance(error, Exception) else EngineUnavailable()


def _details(error: ApplicationError) -> dict[str, Any]:
    first = error.details[0] if error.details else None
    return dict(first) if isinstance(first, dict) else {}

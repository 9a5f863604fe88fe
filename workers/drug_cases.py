"""Has every discrepancy in the drug books its case? Whatever was found while the engine was away gets one here.

A discrepancy is in the books from the transaction that found it; a case is started for it until its first fact is
in the books. The id of the workflow makes that one case, however often and by whomever it is started.
"""

import asyncio
import contextlib

import structlog
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.queues import TaskQueue
from services.records.custody_interface import CustodyBooks, PendingCase
from services.records.errors import RecordsError
from workflows.drug_discrepancy import DrugDiscrepancy
from workflows.messages import StartDiscrepancy
from workflows.names import drug_case_id

LOOK_EVERY_S = 30.0

log = structlog.get_logger()


async def open_pending_cases(client: Client, books: CustodyBooks) -> int:
    """Start a case for each discrepancy that has none; how many were started. Raises RPCError, RecordsError."""
    pending = await books.pending_cases()
    for case in pending:
        await _start(client, case)
    return len(pending)


async def keep_opening(client: Client, books: CustodyBooks, every_s: float = LOOK_EVERY_S) -> None:
    """Look again and again until cancelled; what fails now is tried again the next time."""
    while True:
        try:
            await open_pending_cases(client, books)
        except (RPCError, RecordsError) as failure:
            log.warning("drug cases not opened", code=type(failure).__name__)
        await asyncio.sleep(every_s)


async def _start(client: Client, case: PendingCase) -> None:
    with contextlib.suppress(WorkflowAlreadyStartedError):
        await client.start_workflow(
            DrugDiscrepancy.run,
            StartDiscrepancy.model_validate(case.model_dump()),
            id=drug_case_id(case.site, case.container_id, case.number),
            task_queue=TaskQueue.JOURNEY,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary="a difference in the drug books",
        )

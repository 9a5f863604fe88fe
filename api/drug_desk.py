"""How do people act on the drug books? Movements go to the books, cases of discrepancies to the engine.

What was found is in the books before the engine hears of it: its case is opened at once, or, when the engine is
away, by the workers as soon as it is back.
"""

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from api.composition import Composition
from api.dependencies import CallerHere, Composed, KeyHere
from api.engine import EngineUnavailable, NotRunning
from api.problems import Fault, Problem
from clinical.decision import Decision, Reason
from services.records.custody_interface import Moved, NewContainer, NewMovement
from services.records.errors import MovementRefused, RecordsUnavailable
from workflows.messages import Accepted, Command
from workflows.names import drug_case_id

POINTERS = {
    "CUSTODY-WITNESS": "/witness",
    "CUSTODY-AMOUNT": "/amount_mg",
    "CUSTODY-EXPIRED": "/expires_on",
    "CUSTODY-TIME": "/occurred_at",
}

_log = structlog.get_logger(__name__)


class DrugDesk:
    """Where acts of this request on the drug books are handed in."""

    def __init__(self, here: Composed, caller: CallerHere, key: KeyHere) -> None:
        self._here = here
        self.caller = caller
        self.key = key

    async def receive(self, new: NewContainer) -> Moved:
        return await _judged(self._here.records.receive_container(new, datetime.now(UTC)))

    async def move(self, new: NewMovement) -> Moved:
        moved = await _judged(self._here.records.move(new, datetime.now(UTC)))
        if moved.discrepancy is not None:
            await open_cases(self._here, new.site)
        return moved

    async def ask(self, site: str, container_id: str, number: int, update: str, message: Command) -> Accepted:
        """Say something in the case of a discrepancy; a case that the engine does not have yet is opened."""
        await open_cases(self._here, site)
        workflow_id = drug_case_id(site, container_id, number)
        try:
            return await self._here.engine.command(workflow_id, update, message, Accepted)
        except NotRunning:
            known = await self._here.queries.discrepancies(site, container_id=container_id, limit=1000)
            if all(one.number != number for one in known):
                raise Problem("not-found", "there is no such discrepancy") from None
            raise Problem("not-possible-now", "the case of this discrepancy is closed") from None


async def open_cases(here: Composition, site: str) -> None:
    """Best effort: what cannot be opened now is opened by the workers."""
    with suppress(EngineUnavailable, RecordsUnavailable):
        for case in await here.records.pending_cases(site):
            await here.engine.open_drug_case(case)
        return
    _log.warning("drug cases not opened", code="engine-unavailable")


async def _judged(act: Awaitable[Moved]) -> Moved:
    try:
        return await act
    except MovementRefused as refused:
        raise problem_of(refused.decision) from None


def problem_of(decision: Decision) -> Problem:
    """All faults at once; the worst one decides what kind of problem it is."""
    reasons = decision.objections
    rules = {reason.rule for reason in reasons}
    faults = [_fault(reason) for reason in reasons]
    code = "movement-refused"
    if "CUSTODY-UNKNOWN" in rules:
        code = "not-found"
    elif "CUSTODY-CLOSED" in rules:
        code = "not-possible-now"
    elif _is_own_witness(reasons):
        code = "separation-of-duties"
    return Problem(code, "; ".join(reason.text for reason in reasons), errors=faults, reasons=reasons)


def _is_own_witness(reasons: Sequence[Reason]) -> bool:
    return any(reason.rule == "CUSTODY-WITNESS" and not reason.missing for reason in reasons)


def _fault(reason: Reason) -> Fault:
    limit = f" ({reason.limit})" if reason.limit else ""
    return Fault(pointer=POINTERS.get(reason.rule, ""), detail=reason.text + limit, code=reason.rule)

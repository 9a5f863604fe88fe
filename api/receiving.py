"""How is a message of a patient taken in, by whatever way it comes? Once, and with patience."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from api.composition import Composition
from api.message_concerns import tell_the_engine
from clinical.replies import Answer
from services.records.errors import RecordsError, RecordsUnavailable
from services.records.inbox_views import AskedAbout, InboundText, Received

PAUSES_S = (0.5, 1.0, 2.0, 3.0)
"""Together below the 15 s after which a provider gives up."""

Asked = Callable[[], Awaitable[Mapping[str, AskedAbout]]]

_log = structlog.get_logger(__name__)


async def receive(here: Composition, message: InboundText, asked: Asked) -> Received:
    """Nobody writes a message twice: a database that is restarted is waited for, while who hands it over waits."""
    received = await _patiently(here, message, asked)
    if received.answer is Answer.CRISIS:
        await _tell(here)
    return received


async def _patiently(here: Composition, message: InboundText, asked: Asked) -> Received:
    for pause in PAUSES_S:
        try:
            return await here.inbox.receive(message, await asked(), datetime.now(UTC))
        except (RecordsUnavailable, OperationalError, InterfaceError):
            await asyncio.sleep(pause)
    return await here.inbox.receive(message, await asked(), datetime.now(UTC))


async def _tell(here: Composition) -> None:
    """The person gets the numbers whatever else fails: what is not raised now is raised in a moment."""
    try:
        await tell_the_engine(here)
    except RecordsError as failure:
        _log.warning("concern not raised", error_type=type(failure).__name__)

"""What does it show of an address that its link was opened, and the birth date given?

The patient reads there. What they told at the beginning is verified by the first message that they open; an address
that was changed waits for its code, because nothing else goes there. Nothing of the page hangs on it.
"""

from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.composition import Composition
from services.links.interface import Link
from services.notifications.interface import ChannelName
from services.records.errors import RecordsError

_log = structlog.get_logger(__name__)


async def reads_there(here: Composition, link: Link) -> None:
    """Note it; best effort, the next link tells it again."""
    try:
        sent = await here.messages.went_to(link.cause)
        if sent is None:  # handed out at the desk
            return
        channel, address = sent
        if await here.contacts.read_there(link.patient_id, channel, address) and channel is ChannelName.SMS:
            await here.inbox.shared_with(link.patient_id, datetime.now(UTC))
    except (SQLAlchemyError, RecordsError) as failure:
        _log.warning("address not noted as read", error_type=type(failure).__name__)

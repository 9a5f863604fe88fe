"""Who hears that a link is dead because a birth date was wrong too often? The coordinator, as a task.

The patient mistyped, or somebody else has the message: a person calls, corrects the contact, hands out another link.
Told when it happens, and again and again until it is told: a lock is noted before anybody can be asked to see to it.
"""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.composition import Composition
from services.records.errors import RecordsError

_log = structlog.get_logger(__name__)


async def tell(here: Composition) -> None:
    """Open a case for every locked link of which nobody has heard. What fails is tried again the next time."""
    try:
        for link in await here.links.locked_untold():
            await here.inbox.link_locked(link.site, link.patient_id, here.links.now())
            await here.links.lock_told(link.link_id)
    except (RecordsError, SQLAlchemyError) as failure:
        _log.warning("locked link not told", error_type=type(failure).__name__)

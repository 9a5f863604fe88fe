"""How does the review of a broken glass come onto the work list of its site?

The review itself stands with the access service; here is only the task, under a name that its glass gives it.
Opened or settled again it is the same task: a request that is repeated changes nothing.
"""

from datetime import datetime

from clinical.people import Actor, Role
from services.database import Database
from services.records.availability import Sessions
from services.records.task_names import task_row_id
from services.records.task_writes import open_task, settle_task

REVIEW = "review-break-glass"
PART = "break-glass/"


class ReviewTasks:
    """Each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._sessions = Sessions(database)

    async def open(self, site: str, glass_id: str, by: Role, at: datetime, due_at: datetime) -> None:
        """It is the medical director's; the auditor's, if a medical director broke the glass."""
        owner = Role.AUDITOR if by is Role.MEDICAL_DIRECTOR else Role.MEDICAL_DIRECTOR
        values = {"site": site, "code": REVIEW, "owner": owner.value, "opened_at": at, "due_at": due_at}
        named = {"task_id": PART + glass_id}
        await self._sessions.write(lambda s: open_task(s, _row_id(site, glass_id), named, values))

    async def settle(self, site: str, glass_id: str, by: Actor, at: datetime) -> None:
        """The verdict is given."""
        row_id = _row_id(site, glass_id)
        await self._sessions.write(lambda s: settle_task(s, row_id, "completed", by, settled_at=at))


def _row_id(site: str, glass_id: str) -> str:
    return task_row_id(site, None, PART + glass_id)

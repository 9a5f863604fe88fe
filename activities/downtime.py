"""How does a downtime sheet leave for the ward's printer? Whole or not at all, and as often as it takes."""

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.exceptions import ApplicationError

from clinical.downtime_sheet import DowntimeSheet
from services.downtime.errors import SpoolUnavailable
from services.downtime.interface import DowntimeSpool


class SheetToPrint(BaseModel):
    """`name` is opaque; the same name again replaces what is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sheet: DowntimeSheet


class DowntimeActivities:
    def __init__(self, spool: DowntimeSpool) -> None:
        self._spool = spool

    @activity.defn(name="print_downtime_sheet")
    async def print_downtime_sheet(self, to_print: SheetToPrint) -> bool:
        """Put the sheet where the printer takes it from; False where no printer is foreseen."""
        try:
            return await self._spool.put(to_print.name, to_print.sheet)
        except SpoolUnavailable:
            raise ApplicationError("the printer's folder is away", type="spool-unavailable") from None

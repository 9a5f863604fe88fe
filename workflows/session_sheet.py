"""Can the chair go on without this system? Each order makes a page of paper, before its dose.

The page is in the record with the order, and the gate asks the record for it. Its way to the ward's printer is
tried beside: a printer that is away holds up no dose, but somebody is called to print the page by hand.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

from activities.downtime import DowntimeActivities, SheetToPrint
from activities.options import PRINT, PRINT_AT_ONCE
from clinical.dosing import DoseOrder
from clinical.downtime_sheet import ForWhom, downtime_sheet
from clinical.events import DowntimeSheetMade
from clinical.people import Role
from workflows.failures import ACTIVITY_FAILED
from workflows.messages import OrderDose
from workflows.session_gate import Gate

PRINT_TASK = "print-downtime-sheet"
PRINTER_TRIED_FOR = timedelta(hours=4)
"""As long as a visit lasts; after that nobody is in the chair any more."""


class Downtime(Gate):
    def sheet_for(self, command: OrderDose, order: DoseOrder, at: datetime) -> DowntimeSheetMade:
        """The page for this order; from now on it is the one that the gate looks for."""
        visit = self.visit
        visit.orders += 1
        arrived = visit.checked_in
        whom = ForWhom(
            patient_code=self.start.patient_id,
            session=self.number,
            time_zone=self.start.time_zone,
            order_id=f"{self.part}/order/{visit.orders}",
            ordered_by=command.actor.id,
            ordered_at=at,
            plan_hash=self.start.plan.plan_hash,
            max_mg=f"{self.start.plan.content.max_mg:f}",
            boosters=self.start.plan.content.boosters,
            extended=self.start.baseline.extended_observation,
            baseline=visit.baselines[-1] if visit.baselines else None,
            baseline_cadss6=arrived.cadss6_baseline if arrived else None,
            today=self.todays_doses([one.dose for one in visit.given]),
            first_given_at=visit.dose.given_at if visit.dose else None,
        )
        sheet = downtime_sheet(order, whom, self.protocol, workflow.now())
        visit.sheet_hash = sheet.content_hash
        return DowntimeSheetMade(
            session=self.number, order_id=whom.order_id, sheet_hash=visit.sheet_hash, sheet=sheet
        )

    def print_soon(self, made: DowntimeSheetMade) -> None:
        """Bring the page to the ward's printer; nobody waits for it."""
        self.beside(self._print(made))

    async def _print(self, made: DowntimeSheetMade) -> None:
        name = f"{self.journey_id}/{made.order_id}".replace("/", "-")
        to_print = SheetToPrint(name=name, sheet=made.sheet)
        try:
            await workflow.execute_local_activity_method(
                DowntimeActivities.print_downtime_sheet, to_print, summary="downtime sheet", **PRINT_AT_ONCE
            )
        except ACTIVITY_FAILED:
            await self._print_late(made, to_print)

    async def _print_late(self, made: DowntimeSheetMade, to_print: SheetToPrint) -> None:
        """The printer is away: somebody prints by hand, and it is tried until it is back or of no use."""
        words = f"the printer does not take the downtime sheet of session {self.number}: print it from its address"
        task = self.open_task(PRINT_TASK, Role.NURSE, self.today(), words, f"{self.visit.orders}")
        self.page(Role.NURSE, f"{PRINT_TASK}/{self.visit.orders}")
        self.show(attention=True)
        printing = workflow.start_activity_method(
            DowntimeActivities.print_downtime_sheet,
            to_print,
            summary="downtime sheet",
            schedule_to_close_timeout=PRINTER_TRIED_FOR,
            **PRINT,
        )
        await workflow.wait_condition(lambda: printing.done() or self._of_no_use(made))
        if not printing.done():
            printing.cancel()
        try:
            printed = await printing
        except (*ACTIVITY_FAILED, asyncio.CancelledError):
            printed = False
        if printed:
            self.close_task(task)
            return
        await workflow.wait_condition(lambda: self._of_no_use(made))
        self.cancel_task(task, "the sheet is of no more use")

    def _of_no_use(self, made: DowntimeSheetMade) -> bool:
        visit = self.visit
        over = self.stopping and visit.dose is None
        another = visit.sheet_hash != made.sheet_hash
        return over or another or bool(visit.ending) or visit.discharged_at is not None

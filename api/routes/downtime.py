"""How does the chair get its sheet of paper? As a page for the printer, or as data."""

from typing import Annotated

from fastapi import Header, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api.dependencies import CallerHere, Composed, CourseHere, Number
from api.problems import Problem
from api.routes.router import COURSE, routes
from clinical.downtime_sheet import DowntimeSheet
from clinical.people import CLINICIANS
from services.downtime.page import Identifiers, page

router = routes(COURSE + "/sessions/{n}", "dosing")

SEALED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Vary": "Accept",
}


@router.get(
    "/downtime-sheet",
    operation_id="read_downtime_sheet",
    response_model=DowntimeSheet,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
)
async def read_downtime_sheet(
    course: CourseHere,
    n: Number,
    here: Composed,
    caller: CallerHere,
    with_name: Annotated[bool, Query(description="print who it is; for clinicians")] = False,
    accept: Annotated[str, Header(max_length=500)] = "text/html",
) -> Response:
    """The page with which the chair goes on without this system: HTML to print, JSON if `Accept` asks for it."""
    if with_name and caller.role not in CLINICIANS:
        raise Problem("wrong-role", "names are printed for clinicians only")
    sheet = await here.queries.downtime_sheet([course.site], course.id, n)
    if _wants_json(accept):
        return JSONResponse(sheet.model_dump(mode="json"), headers=SEALED)
    person = None
    if with_name:
        known = await here.queries.patient([course.site], sheet.patient_code)
        person = Identifiers(known.name, known.birth_date)
    return HTMLResponse(page(sheet, here.help_numbers, person), headers=SEALED)


def _wants_json(accept: str) -> bool:
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    return "application/json" in kinds and "text/html" not in kinds

"""What does a questionnaire ask, how is it scored, and by whose leave? The same for everybody."""

from typing import Annotated

from fastapi import Path

from api.problems import Problem
from api.routes.router import routes
from clinical.instruments.answers import InstrumentDefinition, InstrumentId
from clinical.instruments.registry import definition

router = routes("/v1/instruments", "instruments")


@router.get("/{instrument}", operation_id="read_instrument")
async def read_instrument(instrument: Annotated[str, Path(max_length=40)]) -> InstrumentDefinition:
    """Items, ranges, codes, recall window and rights. Wording is shown only where it may be shipped."""
    if instrument not in set(InstrumentId):
        known = ", ".join(InstrumentId)
        raise Problem("not-found", f"the instruments are: {known}")
    return definition(InstrumentId(instrument))

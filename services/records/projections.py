"""What does one fact change in the read models?

Called for every fact that is new, inside the transaction that writes it. Every kind has its branch, in the
file of its group; mypy refuses a kind without one.
"""

from typing import assert_never

from clinical.events import Fact
from services.records.fact_groups import (
    AfterCrisisFact,
    ChairFact,
    CourseFact,
    PlanFact,
    SafetyFact,
    SuitabilityFact,
    VisitFact,
    WorkFact,
)
from services.records.fresh import Fresh
from services.records.project_after_crisis import project_after_crisis
from services.records.project_chair import project_chair
from services.records.project_course import project_course
from services.records.project_plan import project_plan
from services.records.project_safety import project_safety
from services.records.project_suitability import project_suitability
from services.records.project_visit import project_visit
from services.records.project_work import project_work


async def project(fact: Fact, fresh: Fresh) -> None:
    if isinstance(fact, CourseFact):
        project_course(fact, fresh)
    elif isinstance(fact, SuitabilityFact):
        await project_suitability(fact, fresh)
    elif isinstance(fact, PlanFact):
        await project_plan(fact, fresh)
    elif isinstance(fact, VisitFact):
        await project_visit(fact, fresh)
    elif isinstance(fact, ChairFact):
        await project_chair(fact, fresh)
    elif isinstance(fact, SafetyFact):
        await project_safety(fact, fresh)
    elif isinstance(fact, AfterCrisisFact):
        await project_after_crisis(fact, fresh)
    elif isinstance(fact, WorkFact):
        await project_work(fact, fresh)
    else:
        assert_never(fact)

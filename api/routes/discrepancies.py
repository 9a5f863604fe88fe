"""What is done about a difference in the drug books? Explained by a second person, or reported as a loss."""

from typing import Annotated

from api.dependencies import DeskHere, Number
from api.drug_desk import DrugDesk
from api.on_the_loop import on_the_loop
from api.routes.custody import At, ContainerId
from api.routes.router import routes
from api.schemas.answers import AcceptedOut
from api.schemas.custody import ExplanationIn, LossIn, ProofIn
from clinical.custody_events import CustodyDuty
from workflows.messages import Accepted, DeclareLoss, ExplainDiscrepancy, ReportLoss

router = routes("/v1/custody/{site}/discrepancies/{container_id}/{n}", "drug books")

Books = Annotated[DrugDesk, on_the_loop(DrugDesk)]


@router.post("/explanation", operation_id="explain_discrepancy", response_model=AcceptedOut)
async def explain_discrepancy(
    body: ExplanationIn, site: At, container_id: ContainerId, n: Number, desk: DeskHere, books: Books
) -> Accepted:
    """Explain it: closes the case. 403 `separation-of-duties` for those whose movement it was."""
    message = desk.message(ExplainDiscrepancy, body)
    return await books.ask(site, container_id, n, "explain_discrepancy", message)


@router.post("/loss", operation_id="declare_loss", response_model=AcceptedOut)
async def declare_loss(
    body: LossIn, site: At, container_id: ContainerId, n: Number, desk: DeskHere, books: Books
) -> Accepted:
    """It is a loss: from here it closes only by both reports."""
    return await books.ask(site, container_id, n, "declare_loss", desk.message(DeclareLoss, body))


@router.post("/loss-notice", operation_id="submit_loss_notice", response_model=AcceptedOut)
async def submit_loss_notice(
    body: ProofIn, site: At, container_id: ContainerId, n: Number, desk: DeskHere, books: Books
) -> Accepted:
    """The DEA field office has written notice; `proof` says how one can tell."""
    message = desk.message(ReportLoss, body, duty=CustodyDuty.NOTICE)
    return await books.ask(site, container_id, n, "report_loss", message)


@router.post("/loss-form", operation_id="submit_loss_form", response_model=AcceptedOut)
async def submit_loss_form(
    body: ProofIn, site: At, container_id: ContainerId, n: Number, desk: DeskHere, books: Books
) -> Accepted:
    """Form 106 is complete; `proof` says how one can tell."""
    message = desk.message(ReportLoss, body, duty=CustodyDuty.FORM)
    return await books.ask(site, container_id, n, "report_loss", message)

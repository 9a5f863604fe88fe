"""What is sent to and answered from the drug books of a site? Masses in mg."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.answers import CountedPage, Page
from api.schemas.values import Act, Code, Day, Exact, Out, Words
from clinical.custody_events import Cause
from clinical.protocol import Drug
from services.records.custody_views import ContainerView, CustodyCounts, DiscrepancyView, MovementView

Amount = Annotated[Exact, Field(ge=0)]


class ContainerIn(Act):
    """A container that came in, as its label says."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "drug": "ketamine-racemic",
                    "product": "ketamine 10 mg/mL vial, 50 mL",
                    "strength": "10 mg/mL",
                    "lot": "LOT-2291",
                    "expires_on": "2099-12-31",
                    "amount_mg": 500,
                    "witness": "staff-7",
                }
            ]
        }
    )

    drug: Drug
    product: Annotated[Words, Field(max_length=200)]
    strength: Annotated[Words, Field(max_length=64)]
    lot: Code
    expires_on: Day
    amount_mg: Amount
    witness: Code | None = None


class WasteIn(Act):
    """What was thrown away out of a container, before a witness who is somebody else."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount_mg": 12.5, "witness": "staff-7", "reason": "vial opened"}]}
    )

    amount_mg: Amount
    witness: Code | None
    reason: Words


class SendBackIn(Act):
    """What went back to the supplier or a reverse distributor; `reference` is their paper's."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"amount_mg": 50, "reference": "RD-2026-114", "witness": None}]}
    )

    amount_mg: Amount
    reference: Words
    witness: Code | None = None


class DestructionIn(Act):
    """Stock that was destroyed (Form 41), before two witnesses."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"amount_mg": 25, "witnesses": ["staff-7", "staff-8"], "reference": "Form 41, 2026-03"}
            ]
        }
    )

    amount_mg: Amount
    witnesses: tuple[Code, ...] = Field(max_length=5)
    reference: Words


class CountIn(Act):
    """A blind count: what is there, said without looking into the books."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount_mg": 412.5, "witness": "staff-7"}]})

    amount_mg: Amount
    witness: Code | None = None


class ExplanationIn(Act):
    """Where a difference comes from, by somebody whose movement it was not."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"cause": "recording", "note": "waste of the morning was not written down; seen by both"}
            ]
        }
    )

    cause: Cause
    note: Annotated[Words, Field(max_length=2000)]


class LossIn(Act):
    """The difference is a loss or a theft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "the vial cannot be found"}]})

    reason: Words


class ProofIn(Act):
    """What the receiver of a report gave back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"proof": "field office, confirmation 4711 of 2026-03-03"}]}
    )

    proof: Words


class MovedOut(Out):
    """What the books say now, and the discrepancy that this showed, if any."""

    container_id: str
    href: str
    seq: int
    remaining_mg: float
    discrepancy: int | None


class ContainerPage(Page):
    """Containers; `counts` are over all of the site's books."""

    items: list[ContainerView]
    counts: CustodyCounts


class MovementPage(CountedPage):
    container: ContainerView
    items: list[MovementView]


class DiscrepancyPage(Page):
    """Differences; `counts` are over all of the site's books."""

    items: list[DiscrepancyView]
    counts: CustodyCounts

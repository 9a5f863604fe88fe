"""What can happen to a difference in the drug books? The facts that the case of a discrepancy is made of.

That it was found stands with the movement that showed it. The facts are kept beside the movements of the
container, not in the record of any patient. Instants are aware and in UTC.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from clinical.people import Actor, Role


class CustodyDuty(StrEnum):
    """What is owed in the case of a discrepancy."""

    EXPLAIN = "explain-discrepancy"
    NOTICE = "submit-loss-notice"
    FORM = "submit-loss-form"


class Cause(StrEnum):
    """What the difference came from, when it was no loss."""

    MEASUREMENT = "measurement"
    RECORDING = "recording"
    SPILLAGE = "spillage"
    OVERFILL = "overfill"
    OTHER = "other"


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaseStarted(_Fact):
    """The engine has taken the case over."""

    kind: Literal["custody.case-started"] = "custody.case-started"


class StaffPaged(_Fact):
    kind: Literal["custody.paged"] = "custody.paged"
    role: Role
    about: str


class DutyOverdue(_Fact):
    kind: Literal["custody.overdue"] = "custody.overdue"
    duty: CustodyDuty
    escalated_to: Role


class DiscrepancyExplained(_Fact):
    kind: Literal["custody.explained"] = "custody.explained"
    cause: Cause
    note: str


class LossDeclared(_Fact):
    """By a person, or by the engine when nobody explained the difference in time."""

    kind: Literal["custody.loss-declared"] = "custody.loss-declared"
    reason: str
    notice_by: datetime
    form_by: datetime


class LossReported(_Fact):
    """Notice or Form 106 has gone out: `proof` is what the receiver gave back (a number, a confirmation)."""

    kind: Literal["custody.loss-reported"] = "custody.loss-reported"
    duty: Literal[CustodyDuty.NOTICE, CustodyDuty.FORM]
    proof: str


class DiscrepancyClosed(_Fact):
    kind: Literal["custody.closed"] = "custody.closed"
    outcome: Literal["explained", "loss-reported"]


CustodyFact = Annotated[
    CaseStarted
    | StaffPaged
    | DutyOverdue
    | DiscrepancyExplained
    | LossDeclared
    | LossReported
    | DiscrepancyClosed,
    Field(discriminator="kind"),
]


class CustodyEntry(BaseModel):
    """One fact of a case on its way into the books. `key` makes it unique in the case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    occurred_at: datetime
    actor: Actor
    fact: CustodyFact

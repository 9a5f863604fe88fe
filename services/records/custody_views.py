"""What do the drug books answer to those who read them? Masses in mg, instants in UTC."""

from datetime import date, datetime
from decimal import Decimal

from services.records.views import View


class ContainerView(View):
    """One container and its running count. `in_hand_mg` was drawn and is not accounted for.

    `inventory_by`: until when it has to be counted again, null where no protocol says so.
    """

    container_id: str
    site: str
    drug: str
    product: str
    strength: str
    lot: str
    expires_on: date
    received_at: datetime
    received_mg: Decimal
    remaining_mg: Decimal
    in_hand_mg: Decimal
    counted_at: datetime
    inventory_by: datetime | None
    closed_at: datetime | None
    discrepancies: int


class MovementView(View):
    """One movement. `remaining_mg` is the count after it; `expected_mg` what the books said before a count."""

    seq: int
    kind: str
    amount_mg: Decimal
    expected_mg: Decimal | None
    remaining_mg: Decimal
    lot: str
    actor_id: str
    actor_role: str
    witnesses: tuple[str, ...]
    occurred_at: datetime
    recorded_at: datetime
    journey_id: str | None
    dose_id: str | None
    note: str | None


class DutyView(View):
    """Something that is owed in the case of a discrepancy."""

    code: str
    owner: str
    due_at: datetime | None
    overdue: bool


class CaseEntryView(View):
    """One thing that happened in the case; `text` is what the person wrote, or the reason."""

    kind: str
    occurred_at: datetime
    actor_id: str
    actor_role: str
    text: str


class DiscrepancyView(View):
    """A difference and its case. `waits_for` is what has to be done before it can close."""

    container_id: str
    number: int
    site: str
    status: str
    kind: str
    expected_mg: Decimal
    found_mg: Decimal
    difference_mg: Decimal
    movement_seq: int
    involved: tuple[str, ...]
    opened_at: datetime
    case_started_at: datetime | None
    closed_at: datetime | None
    waits_for: tuple[DutyView, ...]
    entries: tuple[CaseEntryView, ...]


class CustodyCounts(View):
    """How many containers a site has, open and closed, and how many differences stand where."""

    open_containers: int
    closed_containers: int
    discrepancies: dict[str, int]

"""What is owed around the doses: reports, the custody of the drug, contacts after a crisis, long-term checks?

Source: clinical-facts §3.9 (reports), §8 (DEA, REMS), §6.2 (caring contacts), §7.5 (long-term monitoring).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from clinical.people import Role
from clinical.protocol_base import Ask, Count, Hours, Positive, Section


class Reports(Section):
    """Reports with a clock. `rems_form_days` count from the administration; null where no REMS applies."""

    draft_hours: Positive
    rems_form_days: Count | None
    rems_form_owner: Role
    remind_hours_before: Hours


class Custody(Section):
    """Accounting for a controlled substance, container by container.

    A difference beyond `tolerance_mg` opens a discrepancy, explained by `explain` or reported as a loss:
    notice to the DEA field office within `loss_notice_business_days`, Form 106 within `loss_form_days`.
    """

    tolerance_mg: Annotated[float, Field(ge=0)]
    explain: Ask
    loss_notice_business_days: Count
    loss_form_days: Count
    inventory_months: Count


class CaringContact(Section):
    """A contact after a risk case of moderate or more was closed: hours count from the closing."""

    from_hours: Hours
    ask: Ask


class CheckCode(StrEnum):
    """Which long-term effect is looked for (§7.5)."""

    URINARY_SYMPTOMS = "urinary-symptoms"
    URINALYSIS = "urinalysis"
    LIVER_PANEL = "liver-panel"
    COGNITION = "cognition"
    SUBSTANCE_USE = "substance-use"
    PRESCRIPTION_MONITORING = "prescription-monitoring"
    FACE_TO_FACE_REVIEW = "face-to-face-review"


class LongTermCheck(Section):
    """Due first after `after_doses` doses, then every `every_days` while the course lasts."""

    code: CheckCode
    after_doses: Count
    every_days: Count
    ask: Ask

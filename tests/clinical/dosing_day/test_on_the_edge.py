"""Plans, doses and intervals where two bounds meet: one strength on the label, a week that ends in another date."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from clinical.dosing import compute_dose, dose_allowed
from clinical.plan import PlanTerms, Standing, plan_findings
from clinical.protocol import Protocol
from clinical.schedule import PastDose, earliest_next
from tests.clinical.dosing_day.builders import (
    NEW_YORK,
    NO_DOSE_YET,
    NOW,
    a_plan_dose,
    a_weight,
    refusals,
)
from tests.clinical.dosing_day.forms import changed, devices


@pytest.mark.parametrize(("mg", "passes"), [("56", True), ("84", False)])
def test_a_label_of_one_dose_allows_that_one(mg: str, passes: bool, protocol: Protocol) -> None:
    one = changed(devices(protocol), "dosing", allowed_mg=(56,))
    terms = PlanTerms(
        sessions=4,
        mg_per_kg=None,
        dose_mg=Decimal(mg),
        max_mg=Decimal(84),
        boosters=0,
        infusion_minutes=None,
        phase=None,
        preparation_sessions=2,
    )
    assert plan_findings(terms, Standing(), one).passes is passes


def test_a_full_week_ends_on_the_wall_and_not_in_greenwich(protocol: Protocol) -> None:
    """48 h after Friday evening is Sunday evening in New York, and Monday elsewhere already."""
    zone = ZoneInfo(NEW_YORK)
    doses = [
        PastDose(session=1, given_at=datetime(2026, 9, 15, 12, tzinfo=zone), dose_mg=Decimal(56)),
        PastDose(session=2, given_at=datetime(2026, 9, 18, 21, tzinfo=zone), dose_mg=Decimal(56)),
    ]
    roomy = changed(devices(protocol), "schedule", max_per_rolling_7_days=7)
    assert earliest_next(doses, roomy, NEW_YORK) == datetime(2026, 9, 21, tzinfo=zone)


@pytest.mark.parametrize(("mg", "refused"), [("35.7", False), ("35.71", True)])
def test_the_tolerance_is_a_percentage_of_the_ordered_dose(
    mg: str, refused: bool, protocol: Protocol
) -> None:
    wider = changed(protocol, "dosing", tolerance_percent=2)
    order = compute_dose(Decimal("0.5"), a_weight(), 175, wider, NOW).model_copy(
        update={"dose_mg": Decimal(mg)}
    )
    decision = dose_allowed(order, a_plan_dose("1.0"), NO_DOSE_YET, wider, NOW)
    assert ("DOSE-ARITHMETIC" in refusals(decision)) is refused


def test_without_a_weight_nothing_is_computed(protocol: Protocol) -> None:
    with pytest.raises(ValueError, match=r"^this route is dosed by weight$"):
        compute_dose(Decimal("0.5"), None, 175, protocol, NOW)

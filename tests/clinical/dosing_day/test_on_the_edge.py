"""Plans and intervals where two bounds meet: one strength on the label, a week that ends in another date."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from clinical.plan import PlanTerms, Standing, plan_findings
from clinical.protocol import Protocol
from clinical.schedule import PastDose, earliest_next
from tests.clinical.dosing_day.builders import NEW_YORK
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

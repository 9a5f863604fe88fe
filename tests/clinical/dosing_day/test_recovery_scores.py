"""The discharge scores of §3.5."""

import pytest
from pydantic import ValidationError

from clinical.recovery_scores import AldreteItems, PadssItems, aldrete_circulation, padss_vital_signs
from tests.clinical.dosing_day.builders import a_reading


def test_the_worked_case_of_the_tables() -> None:
    items = PadssItems(vital_signs=2, ambulation=1, nausea_vomiting=2, pain=2, bleeding=2)
    assert items.total == 9


def test_bleeding_stays_two_without_surgery() -> None:
    assert PadssItems(vital_signs=0, ambulation=0, nausea_vomiting=0, pain=0).total == 2


def test_aldrete_adds_its_five_items() -> None:
    items = AldreteItems(activity=2, respiration=1, circulation=0, consciousness=2, oxygen=1)
    assert items.total == 6


@pytest.mark.parametrize("value", [-1, 3])
def test_an_item_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(ValidationError):
        AldreteItems(activity=value, respiration=1, circulation=1, consciousness=1, oxygen=1)
    with pytest.raises(ValidationError):
        PadssItems(vital_signs=value, ambulation=2, nausea_vomiting=2, pain=2)


@pytest.mark.parametrize(
    ("systolic", "aldrete", "padss"),
    [
        (100, 2, 2),
        (120, 2, 2),
        (80, 2, 2),
        (121, 1, 1),
        (140, 1, 1),
        (141, 1, 0),
        (149, 1, 0),
        (150, 0, 0),
        (50, 0, 0),
    ],
)
def test_pressure_against_baseline(systolic: int, aldrete: int, padss: int) -> None:
    baseline, reading = a_reading(100, 40), a_reading(systolic, 40)
    assert aldrete_circulation(reading, baseline) == aldrete
    assert padss_vital_signs(reading, baseline) == padss


def test_the_pulse_counts_for_padss_only() -> None:
    fast = a_reading(heart_rate_per_min=100)
    assert padss_vital_signs(fast, a_reading(heart_rate_per_min=70)) == 0
    assert aldrete_circulation(fast, a_reading(heart_rate_per_min=70)) == 2


def test_an_impossible_baseline_never_looks_recovered() -> None:
    assert padss_vital_signs(a_reading(), a_reading(0, 0)) == 0

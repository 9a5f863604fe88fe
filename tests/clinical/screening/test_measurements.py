"""Are values converted, compared with their limits, and refused where they cannot be true?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.patient_record import Answer, Interview, Measurement, MeasurementCode
from clinical.protocol import Protocol
from clinical.screening_measurements import body_mass_index, latest_values, measured_findings
from clinical.units import CANONICAL, ImpossibleValue, canonical_value
from tests.clinical.screening.complete_facts import AN_HOUR_AGO, NOW, a_measurement, days_ago, vitals

_M = MeasurementCode
REFUSE, REVIEW = Verdict.REFUSE, Verdict.REVIEW


def found(
    protocol: Protocol, *measurements: Measurement, asked: Interview | None = None
) -> list[tuple[str, Verdict]]:
    values = latest_values(measurements, protocol, NOW)
    reasons = measured_findings(values, asked or Interview(), protocol, NOW)
    return [(reason.rule, reason.verdict) for reason in reasons]


@pytest.mark.parametrize(
    ("code", "value", "unit", "canonical"),
    [
        (_M.WEIGHT, 154, "[lb_av]", 69.853),
        (_M.WEIGHT, 154, "lb", 69.853),
        (_M.WEIGHT, 70000, "g", 70),
        (_M.HEIGHT, 70, "[in_i]", 177.8),
        (_M.HEIGHT, 1.78, "m", 178),
        (_M.TEMPERATURE, 98.6, "[degF]", 37),
        (_M.TEMPERATURE, 310.15, "K", 37),
        (_M.SYSTOLIC, 16, "kPa", 120.01),
        (_M.HEART_RATE, 68, "{beats}/min", 68),
        (_M.SPO2, 98, "%", 98),
        (_M.CREATININE, 88.42, "umol/L", 1),
        (_M.GLUCOSE, 5, "mmol/L", 90.078),
        (_M.HBA1C, 48, "mmol/mol", 6.543),
        (_M.BILIRUBIN, 17.104, "umol/L", 1),
    ],
)
def test_units_are_converted(code: MeasurementCode, value: float, unit: str, canonical: float) -> None:
    assert canonical_value(code, value, unit) == pytest.approx(canonical, rel=1e-3)


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        (_M.WEIGHT, 80, ""),
        (_M.WEIGHT, 80, "mm[Hg]"),
        (_M.WEIGHT, 1000, "kg"),
        (_M.SYSTOLIC, 16, "mm[Hg]"),
        (_M.TEMPERATURE, 98.6, "Cel"),
        (_M.SPO2, 101, "%"),
        (_M.HEIGHT, 1.78, "cm"),
    ],
)
def test_what_cannot_be_is_refused(code: MeasurementCode, value: float, unit: str) -> None:
    with pytest.raises(ImpossibleValue, match=code.value):
        canonical_value(code, value, unit)


@given(code=st.sampled_from(MeasurementCode), value=st.floats(allow_nan=False), unit=st.text(max_size=6))
def test_a_value_is_in_bounds_or_refused(code: MeasurementCode, value: float, unit: str) -> None:
    try:
        converted = canonical_value(code, value, unit)
    except ImpossibleValue:
        return
    assert CANONICAL[code].low <= converted <= CANONICAL[code].high


def test_every_kind_has_its_canonical_unit_among_its_units() -> None:
    for code, canonical in CANONICAL.items():
        assert canonical_value(code, canonical.high, canonical.unit) == canonical.high


def test_normal_values_are_no_reasons(protocol: Protocol) -> None:
    assert found(protocol, *vitals()) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"systolic": 140}, []),
        ({"systolic": 140.1}, [("X06", REVIEW)]),
        ({"systolic": 159.9}, [("X06", REVIEW)]),
        ({"systolic": 160}, [("X06", REFUSE)]),
        ({"diastolic": 90}, []),
        ({"diastolic": 91}, [("X06", REVIEW)]),
        ({"diastolic": 100}, [("X06", REFUSE)]),
        ({"systolic": 170, "diastolic": 95}, [("X06", REFUSE), ("X06", REVIEW)]),
        ({"heart_rate": 49}, [("VITALS", REVIEW)]),
        ({"heart_rate": 121}, [("VITALS", REVIEW)]),
        ({"heart_rate": 120}, []),
        ({"respiratory_rate": 9}, [("VITALS", REVIEW)]),
        ({"spo2": 93}, [("VITALS", REVIEW)]),
        ({"weight": 44}, [("WEIGHT", REVIEW)]),
        ({"weight": 116, "height": 190}, [("WEIGHT", REVIEW)]),
        ({"weight": 115, "height": 181}, [("X25", REVIEW)]),
        ({"weight": 113.4, "height": 180}, []),
        ({"weight": None}, [("NEED-WEIGHT", REVIEW)]),
        ({"height": None}, [("NEED-HEIGHT", REVIEW)]),
        ({"systolic": None}, [("NEED-SYSTOLIC", REVIEW)]),
        ({"temperature": None}, [("NEED-TEMPERATURE", REVIEW)]),
    ],
)
def test_limits(protocol: Protocol, changed: dict[str, Any], expected: list[tuple[str, Verdict]]) -> None:
    assert found(protocol, *vitals(**changed)) == expected


def test_sleep_apnoea_at_the_limit_of_body_mass(protocol: Protocol) -> None:
    heavy = vitals(weight=113.4, height=180)
    assert found(protocol, *heavy, asked=Interview(sleep_apnoea=Answer.YES)) == [("X24", REVIEW)]


def test_old_values_are_out_of_date_and_an_old_crisis_still_blocks(protocol: Protocol) -> None:
    rest = vitals(systolic=None)
    old = a_measurement(_M.SYSTOLIC, 120, "mm[Hg]", days_ago(8))
    assert found(protocol, *rest, old) == [("NEED-SYSTOLIC", REVIEW)]
    crisis = a_measurement(_M.SYSTOLIC, 197, "mm[Hg]", days_ago(800))
    assert found(protocol, *rest, crisis) == [("NEED-SYSTOLIC", REVIEW), ("X06", REFUSE)]


def test_a_newer_value_counts_in_whatever_order_they_come(protocol: Protocol) -> None:
    crisis = a_measurement(_M.SYSTOLIC, 197, "mm[Hg]", days_ago(3))
    assert found(protocol, crisis, *vitals()) == []
    assert found(protocol, *vitals(), crisis) == []


def test_two_values_at_one_instant_contradict_each_other(protocol: Protocol) -> None:
    other = a_measurement(_M.SYSTOLIC, 150, "mm[Hg]", AN_HOUR_AGO)
    again = a_measurement(_M.SYSTOLIC, 118, "mm[Hg]", AN_HOUR_AGO)
    assert found(protocol, *vitals(), again) == []
    for order in ((*vitals(), other, again), (again, other, *vitals())):
        assert found(protocol, *order) == [("CONTRADICTION", REVIEW), ("X06", REVIEW)]


def test_impossible_and_future_values_are_pointed_out_and_not_used(protocol: Protocol) -> None:
    wrong = a_measurement(_M.SYSTOLIC, 118, "furlong")
    tomorrow = a_measurement(_M.SYSTOLIC, 118, "mm[Hg]", days_ago(-1))
    for one in (wrong, tomorrow):
        assert found(protocol, *vitals(), one) == [("UNREADABLE", REVIEW)]
        assert ("NEED-SYSTOLIC", REVIEW) in found(protocol, *vitals(systolic=None), one)


def test_a_sent_index_that_does_not_fit_contradicts(protocol: Protocol) -> None:
    right = a_measurement(_M.BMI, 25.2, "kg/m2")
    wrong = a_measurement(_M.BMI, 30, "kg/m2")
    another_day = a_measurement(_M.BMI, 30, "kg/m2", days_ago(400))
    assert found(protocol, *vitals(), right) == []
    assert found(protocol, *vitals(), another_day) == []
    assert found(protocol, *vitals(), wrong) == [("CONTRADICTION", REVIEW)]


def test_the_sent_index_counts_without_weight_and_height(protocol: Protocol) -> None:
    sent = latest_values([a_measurement(_M.BMI, 41, "kg/m2")], protocol, NOW)
    assert body_mass_index(sent.latest) == 41
    assert ("X25", REVIEW) in found(protocol, *vitals(weight=None), a_measurement(_M.BMI, 41, "kg/m2"))
    assert body_mass_index({}) is None

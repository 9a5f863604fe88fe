"""The tier table of §3.2 and the scales of §3.4, at their edges."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.pre_dose_hold import after_hold
from clinical.protocol import Protocol
from clinical.vitals import (
    Reading,
    Symptom,
    Tier,
    action_required,
    implausible,
    in_session_tier,
    is_at_least,
    pre_dose_tier,
    resting_tier,
)
from tests.clinical.dosing_day.builders import NOW, a_reading, ago, verdicts

ANY_NUMBER = st.integers(min_value=-9999, max_value=9999)
ANY_READING = st.builds(
    Reading,
    systolic_mmhg=ANY_NUMBER,
    diastolic_mmhg=ANY_NUMBER,
    heart_rate_per_min=ANY_NUMBER,
    spo2_percent=st.floats(allow_nan=False, allow_infinity=False),
    respiratory_rate_per_min=st.none() | ANY_NUMBER,
    moaas=st.none() | ANY_NUMBER,
    symptoms=st.frozensets(st.sampled_from(Symptom)),
    taken_at=st.integers(min_value=-300, max_value=300).map(lambda m: NOW + timedelta(minutes=m)),
)


@pytest.mark.parametrize(
    ("systolic", "diastolic", "tier"),
    [
        (140, 90, Tier.NORMAL),
        (141, 90, Tier.CAUTION),
        (140, 91, Tier.CAUTION),
        (159, 99, Tier.CAUTION),
        (160, 80, Tier.HOLD),
        (130, 100, Tier.HOLD),
    ],
)
def test_pressure_before_a_dose(systolic: int, diastolic: int, tier: Tier, protocol: Protocol) -> None:
    assert pre_dose_tier(a_reading(systolic, diastolic), protocol).tier is tier


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({"heart_rate_per_min": 50}, Tier.NORMAL),
        ({"heart_rate_per_min": 49}, Tier.CAUTION),
        ({"heart_rate_per_min": 121}, Tier.HOLD),
        ({"spo2_percent": 94}, Tier.NORMAL),
        ({"spo2_percent": 93.9}, Tier.HOLD),
        ({"spo2_percent": 89.9}, Tier.EMERGENCY),
        ({"respiratory_rate_per_min": 10}, Tier.NORMAL),
        ({"respiratory_rate_per_min": 9}, Tier.EMERGENCY),
        ({"moaas": 4}, Tier.NORMAL),
        ({"moaas": 3}, Tier.HOLD),
        ({"moaas": 1}, Tier.EMERGENCY),
        ({"symptoms": {Symptom.CHEST_PAIN}}, Tier.EMERGENCY),
        ({"respiratory_rate_per_min": None}, Tier.HOLD),
        ({"moaas": None}, Tier.HOLD),
    ],
)
def test_other_signs_before_a_dose(changes: dict[str, Any], tier: Tier, protocol: Protocol) -> None:
    assert pre_dose_tier(a_reading(**changes), protocol).tier is tier


@pytest.mark.parametrize(
    ("systolic", "diastolic", "tier"),
    [
        (164, 99, Tier.NORMAL),
        (165, 80, Tier.ALERT),
        (150, 100, Tier.ALERT),
        (180, 109, Tier.ALERT),
        (200, 120, Tier.ALERT),
        (201, 90, Tier.INTERVENE),
        (150, 121, Tier.INTERVENE),
    ],
)
def test_one_pressure_in_the_session(systolic: int, diastolic: int, tier: Tier, protocol: Protocol) -> None:
    reading = a_reading(systolic, diastolic)
    baseline = a_reading(systolic, diastolic)
    assert in_session_tier(reading, (), baseline, protocol).tier is tier


@pytest.mark.parametrize(
    ("others", "tier"),
    [
        ([(5, 182, 90)], Tier.INTERVENE),
        ([(4, 182, 90)], Tier.ALERT),
        ([(5, 179, 109)], Tier.ALERT),
        ([(6, 130, 110), (3, 150, 90)], Tier.INTERVENE),
        ([(40, 185, 90)], Tier.INTERVENE),
        ([(40, 185, 90), (20, 130, 80)], Tier.ALERT),
        ([(-6, 185, 90)], Tier.INTERVENE),
    ],
    ids=["five-apart", "four-apart", "not-high", "dip-between", "gap", "recovered-between", "typed-late"],
)
def test_two_severe_pressures(others: list[tuple[int, int, int]], tier: Tier, protocol: Protocol) -> None:
    reading = a_reading(185, 100, taken_at=NOW)
    earlier = [a_reading(sys, dia, taken_at=ago(minutes=minutes)) for minutes, sys, dia in others]
    assert in_session_tier(reading, earlier, a_reading(150, 90), protocol).tier is tier


@pytest.mark.parametrize(
    ("others", "tier"),
    [
        ([], Tier.ALERT),
        ([(5, 125)], Tier.INTERVENE),
        ([(4, 125)], Tier.ALERT),
        ([(6, 125), (3, 110)], Tier.ALERT),
    ],
)
def test_a_fast_pulse_must_last(others: list[tuple[int, int]], tier: Tier, protocol: Protocol) -> None:
    earlier = [a_reading(heart_rate_per_min=rate, taken_at=ago(minutes=minutes)) for minutes, rate in others]
    reading = a_reading(heart_rate_per_min=121, taken_at=NOW)
    assert in_session_tier(reading, earlier, a_reading(), protocol).tier is tier


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({"heart_rate_per_min": 49}, Tier.ALERT),
        ({"spo2_percent": 93}, Tier.ALERT),
        ({"spo2_percent": 89}, Tier.EMERGENCY),
        ({"moaas": 3}, Tier.ALERT),
        ({"moaas": 0}, Tier.EMERGENCY),
        ({"moaas": None, "respiratory_rate_per_min": None}, Tier.NORMAL),
        ({"respiratory_rate_per_min": 0}, Tier.EMERGENCY),
    ],
)
def test_other_signs_in_the_session(changes: dict[str, Any], tier: Tier, protocol: Protocol) -> None:
    assert in_session_tier(a_reading(**changes), (), a_reading(), protocol).tier is tier


@pytest.mark.parametrize("symptom", Symptom)
def test_any_pressure_with_a_warning_symptom_is_an_emergency(symptom: Symptom, protocol: Protocol) -> None:
    tiered = in_session_tier(a_reading(118, 76, symptoms={symptom}), (), a_reading(), protocol)
    assert tiered.tier is Tier.EMERGENCY


@pytest.mark.parametrize(
    ("systolic", "diastolic", "risen"), [(159, 99, False), (160, 80, True), (130, 105, True)]
)
def test_the_rise_from_baseline(systolic: int, diastolic: int, risen: bool, protocol: Protocol) -> None:
    decision = in_session_tier(a_reading(systolic, diastolic), (), a_reading(120, 80), protocol).decision
    assert (verdicts(decision)["VITAL-RISE"] is Verdict.CAUTION) == risen


def test_without_a_baseline_the_rise_is_unknown_and_said_so(protocol: Protocol) -> None:
    tiered = in_session_tier(a_reading(), (), None, protocol)
    assert tiered.tier is Tier.CAUTION
    assert tiered.decision.missing == ("VITAL-RISE",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"systolic_mmhg": 1200}, "systolic_mmhg"),
        ({"diastolic_mmhg": 130}, "diastolic_mmhg"),
        ({"diastolic_mmhg": 122}, "diastolic_mmhg"),
        ({"heart_rate_per_min": 0}, "heart_rate_per_min"),
        ({"spo2_percent": 100.5}, "spo2_percent"),
        ({"respiratory_rate_per_min": -1}, "respiratory_rate_per_min"),
        ({"moaas": 6}, "moaas"),
    ],
)
def test_what_no_living_person_shows(changes: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in implausible(a_reading(**changes))] == [field]


def test_an_emergency_is_never_refused_as_impossible() -> None:
    assert implausible(a_reading(60, 30, spo2_percent=45, respiratory_rate_per_min=0, moaas=0)) == ()
    assert implausible(a_reading(respiratory_rate_per_min=None, moaas=None)) == ()


def test_from_hold_on_a_reading_needs_an_action() -> None:
    assert [tier for tier in Tier if action_required(tier)] == [
        Tier.HOLD,
        Tier.ALERT,
        Tier.INTERVENE,
        Tier.EMERGENCY,
    ]


@given(ANY_READING, st.lists(ANY_READING, max_size=3), st.none() | ANY_READING)
def test_no_reading_makes_the_rules_fail(
    protocol: Protocol, reading: Reading, others: list[Reading], baseline: Reading | None
) -> None:
    implausible(reading)
    for tiered in (
        resting_tier(reading, protocol),
        pre_dose_tier(reading, protocol),
        in_session_tier(reading, others, baseline, protocol),
    ):
        assert (tiered.tier is Tier.NORMAL) == (tiered.decision.verdict is Verdict.PASS)
    assert after_hold([reading, *others], protocol).reasons


@given(ANY_READING, st.lists(ANY_READING, max_size=3), st.integers(0, 300), st.integers(0, 300))
def test_a_higher_pressure_is_never_less_worrying(
    protocol: Protocol, reading: Reading, others: list[Reading], systolic: int, diastolic: int
) -> None:
    changes = {
        "systolic_mmhg": reading.systolic_mmhg + systolic,
        "diastolic_mmhg": reading.diastolic_mmhg + diastolic,
    }
    higher = reading.model_copy(update=changes)
    baseline = a_reading()
    assert is_at_least(pre_dose_tier(higher, protocol).tier, pre_dose_tier(reading, protocol).tier)
    assert is_at_least(
        in_session_tier(higher, others, baseline, protocol).tier,
        in_session_tier(reading, others, baseline, protocol).tier,
    )


@pytest.mark.parametrize(
    ("readings", "verdict", "again_in_minutes"),
    [
        ([], Verdict.REFUSE, None),
        ([(0, 130)], Verdict.PASS, None),
        ([(0, 165)], Verdict.REVIEW, 10),
        ([(0, 165), (12, 165)], Verdict.REVIEW, 22),
        ([(0, 165), (3, 165), (6, 165)], Verdict.REVIEW, 16),
        ([(0, 165), (10, 165), (20, 165)], Verdict.REFUSE, None),
        ([(0, 165), (9, 130)], Verdict.REVIEW, 10),
        ([(0, 165), (10, 130)], Verdict.PASS, None),
    ],
)
def test_a_held_patient_rests_and_is_measured_twice_more(
    readings: list[tuple[int, int]], verdict: Verdict, again_in_minutes: int | None, protocol: Protocol
) -> None:
    taken = [a_reading(systolic, taken_at=NOW + timedelta(minutes=minute)) for minute, systolic in readings]
    (reason,) = after_hold(taken, protocol).reasons
    assert reason.verdict is verdict
    expected = None if again_in_minutes is None else NOW + timedelta(minutes=again_in_minutes)
    assert reason.available_at == expected


def test_a_pulse_at_the_limit_is_in_range(protocol: Protocol) -> None:
    reading = a_reading(heart_rate_per_min=120, taken_at=NOW)
    earlier = [a_reading(heart_rate_per_min=120, taken_at=ago(minutes=10))]
    assert pre_dose_tier(reading, protocol).tier is Tier.NORMAL
    assert in_session_tier(reading, earlier, a_reading(), protocol).tier is Tier.NORMAL


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"systolic_mmhg": 170}, Verdict.REVIEW),
        ({"systolic_mmhg": 210}, Verdict.REFUSE),
        ({"symptoms": {Symptom.SEIZURE}}, Verdict.REFUSE),
    ],
)
def test_an_alert_waits_for_the_prescriber_and_worse_stops(
    changes: dict[str, Any], verdict: Verdict, protocol: Protocol
) -> None:
    decision = in_session_tier(a_reading(**changes), (), a_reading(), protocol).decision
    assert decision.verdict is verdict


def test_the_symptoms_are_named(protocol: Protocol) -> None:
    symptoms = {Symptom.CONFUSION, Symptom.CHEST_PAIN}
    decision = pre_dose_tier(a_reading(symptoms=symptoms), protocol).decision
    (reason,) = decision.objections
    assert reason.value == "chest-pain, confusion"

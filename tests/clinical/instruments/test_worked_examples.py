"""The worked examples of clinical facts §5.5, by their numbers there; computed by hand, not by this code."""

import pytest

from clinical.instruments.answers import InstrumentId, RiskLevel
from clinical.outcomes import change
from tests.clinical.instruments.forms import a_form, a_result, a_screen


@pytest.mark.parametrize(
    ("values", "total", "band", "item9"),
    [((1, 1, 1, 1, 0, 1, 0, 0, 0), 5, "mild", 0), ((2, 2, 3, 2, 1, 2, 1, 1, 1), 15, "moderately-severe", 1)],
)
def test_1_and_2_phq9(values: tuple[int, ...], total: int, band: str, item9: int) -> None:
    result = a_result(InstrumentId.PHQ9, *values)
    assert (result.score, result.band, result.suicide_item) == (total, band, item9)
    assert result.complete
    assert result.status == "completed"
    assert result.answers == a_form(InstrumentId.PHQ9, values)


def test_3_phq9_change() -> None:
    moved = change(
        a_result(InstrumentId.PHQ9, 3, 3, 3, 3, 2, 2, 2, 2, 1),
        a_result(InstrumentId.PHQ9, 1, 0, 1, 1, 0, 1, 0, 0, 0),
    )
    assert moved.points == -17
    assert moved.percent == pytest.approx(81.0, abs=0.05)
    assert (moved.response, moved.remission, moved.mcid_met) == (True, True, True)


@pytest.mark.parametrize(
    ("values", "total", "band", "flags"),
    [((0, 1, 1, 0, 0, 1, 1), 4, "minimal", ()), ((2, 2, 2, 1, 1, 1, 1), 10, "moderate", ("case-positive",))],
)
def test_4_and_5_gad7(values: tuple[int, ...], total: int, band: str, flags: tuple[str, ...]) -> None:
    result = a_result(InstrumentId.GAD7, *values)
    assert (result.score, result.band, result.flags) == (total, band, flags)


def test_6_gad7_change() -> None:
    moved = change(
        a_result(InstrumentId.GAD7, 3, 3, 3, 2, 2, 2, 2), a_result(InstrumentId.GAD7, 1, 1, 2, 1, 1, 1, 1)
    )
    assert moved.points == -9
    assert moved.percent == pytest.approx(52.9, abs=0.05)
    assert (moved.response, moved.remission, moved.mcid_met) == (True, False, True)


@pytest.mark.parametrize(
    ("values", "total", "clusters", "endorsed", "flags"),
    [
        ((2, 1, 2, 1, 1, 1, 1, *[1] * 7, *[1] * 6), 22, (7, 2, 7, 6), (2, 0, 0, 0), ()),
        (
            (3, 2, 2, 3, 2, 3, 2, 2, 2, 1, 2, 3, 2, 1, 2, 1, 0, 3, 3, 3),
            42,
            (12, 5, 13, 12),
            (5, 2, 5, 4),
            ("provisional-ptsd", "at-or-above-31", "at-or-above-33"),
        ),
        (
            (3, 3, 1, 1, 1, 3, 1, 2, 2, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1),
            30,
            (9, 4, 9, 8),
            (2, 1, 2, 2),
            ("provisional-ptsd",),
        ),
    ],
)
def test_7_to_9_pcl5(
    values: tuple[int, ...],
    total: int,
    clusters: tuple[int, ...],
    endorsed: tuple[int, ...],
    flags: tuple[str, ...],
) -> None:
    result = a_result(InstrumentId.PCL5, *values)
    assert result.score == total
    assert result.band is None
    assert tuple(result.subscores[f"cluster_{c}"] for c in "bcde") == clusters
    assert tuple(result.subscores[f"endorsed_{c}"] for c in "bcde") == endorsed
    assert result.flags == flags


def test_10_pcl5_change() -> None:
    moved = change(
        a_result(InstrumentId.PCL5, *[2] * 19, 4), a_result(InstrumentId.PCL5, *[1] * 16, *[2] * 4)
    )
    assert moved.points == -18
    assert moved.flags == ("reliable-5", "meaningful-10", "reliable-15")
    assert moved.mcid_met
    assert moved.response is None
    assert moved.remission is None


@pytest.mark.parametrize(
    ("sex", "values", "total", "band", "flags"),
    [
        ("male", (1, 0, 0), 1, "negative", ()),
        ("female", (2, 1, 0), 3, "positive", ()),
        ("female", (3, 0, 0), 3, "positive", ("q1-only",)),
        ("male", (3, 0, 0), 3, "negative", ()),
        ("male", (2, 1, 1), 4, "positive", ()),
        (None, (3, 0, 0), 3, "positive", ("q1-only",)),
    ],
)
def test_11_to_13_audit_c(
    sex: str | None, values: tuple[int, ...], total: int, band: str, flags: tuple[str, ...]
) -> None:
    result = a_result(InstrumentId.AUDIT_C, *values, sex=sex)
    assert (result.score, result.band, result.flags) == (total, band, flags)


def test_14_qids_adds_domains_not_items() -> None:
    values = (2, 3, 1, 0, 2, 1, 0, 0, 2, 1, 2, 1, 2, 2, 1, 0)
    result = a_result(InstrumentId.QIDS_SR16, *values)
    assert sum(values) == 20
    assert (result.score, result.band, result.suicide_item) == (16, "severe", 1)
    assert tuple(result.subscores.values()) == (3, 2, 2, 1, 2, 1, 2, 2, 1)


def test_15_madrs_change() -> None:
    after = a_result(InstrumentId.MADRS, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0)
    moved = change(a_result(InstrumentId.MADRS, 4, 4, 3, 3, 2, 3, 4, 4, 3, 2), after)
    assert (moved.points, moved.percent, moved.response, moved.remission) == (-24, 75.0, True, True)
    assert after.flags == ("remission-at-most-12", "remission-at-most-10", "remission-below-10")


def test_16_pdss_change() -> None:
    before, after = (
        a_result(InstrumentId.PDSS_SR, 2, 2, 2, 1, 1, 1, 1),
        a_result(InstrumentId.PDSS_SR, 1, 1, 1, 1, 0, 1, 0),
    )
    assert (before.score, before.band) == (10, "moderate")
    assert before.flags == ("with-agoraphobia-slight", "at-or-above-8", "at-or-above-9")
    moved = change(before, after)
    assert (moved.points, moved.percent, moved.response, moved.remission) == (-5, 50.0, True, True)


@pytest.mark.parametrize(
    ("item1", "item3", "total", "band"),
    [(1, 1, 1, "low"), (1, 0, 2, "low"), (0, 0, 0, "none"), (0, 1, 0, "none")],
)
def test_17_and_18_dast10(item1: int, item3: int, total: int, band: str) -> None:
    result = a_result(InstrumentId.DAST10, item1, 0, item3, *[0] * 7)
    assert (result.score, result.band) == (total, band)


def _spread(points: int, items: int) -> list[int]:
    return [points // items + (n < points % items) for n in range(items)]


@pytest.mark.parametrize(
    ("transcendence", "percent", "band"), [(18, 60.0, "complete"), (17, 56.7, "not-complete")]
)
def test_19_and_20_meq30(transcendence: int, percent: float, band: str) -> None:
    values = [*_spread(48, 15), *_spread(20, 6), *_spread(transcendence, 6), *_spread(9, 3)]
    result = a_result(InstrumentId.MEQ30, *values)
    assert result.band == band
    assert result.score == 48 + 20 + transcendence + 9
    assert result.subscores["mystical_percent"] == 64.0
    assert result.subscores["positive_mood_percent"] == pytest.approx(66.7, abs=0.05)
    assert result.subscores["transcendence_percent"] == pytest.approx(percent, abs=0.05)
    assert result.subscores["ineffability_percent"] == 60.0


@pytest.mark.parametrize(
    ("vector", "level"),
    [
        ("0000000", RiskLevel.NONE),
        ("1000000", RiskLevel.LOW),
        ("1100000", RiskLevel.LOW),
        ("1110000", RiskLevel.MODERATE),
        ("1111000", RiskLevel.HIGH),
        ("0100100", RiskLevel.HIGH),
        ("0000010", RiskLevel.MODERATE),
        ("0000001", RiskLevel.HIGH),
    ],
)
def test_cssrs_truth_table(vector: str, level: RiskLevel) -> None:
    """Clinical facts §6.1."""
    result = a_screen(vector)
    assert (result.risk_level, result.band, result.score, result.complete) == (level, level.value, None, True)

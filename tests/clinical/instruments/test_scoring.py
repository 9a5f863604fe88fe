"""What must hold for every form, whatever is answered."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.instruments.answers import InstrumentId, InvalidAnswers, RiskLevel
from clinical.instruments.dast10 import REVERSED
from clinical.instruments.registry import INSTRUMENTS, definition, score
from clinical.instruments.totals import band
from clinical.risk_findings import SEVERITY
from tests.clinical.instruments.forms import a_form, complete_answers, partial, partial_answers

Answers = tuple[InstrumentId, dict[str, int]]
SUICIDE_ITEMS = [
    entry.definition.instrument for entry in INSTRUMENTS.values() if entry.definition.suicide_item
]


@given(complete_answers, st.sampled_from(["male", "female", "other", None]))
def test_a_complete_form_has_a_score_within_its_range(form: Answers, sex: str | None) -> None:
    instrument, answers = form
    result = score(instrument, answers, sex=sex)
    limits = definition(instrument).total_range
    if instrument is InstrumentId.CSSRS:
        assert result.score is None
        assert limits is None
    else:
        assert result.score is not None
        assert limits is not None
        assert limits[0] <= result.score <= limits[1]
    assert (result.complete, result.missing, result.prorated, result.status) == (True, (), False, "completed")
    assert result.version == definition(instrument).version


@given(partial_answers)
def test_an_incomplete_form_names_what_is_missing_and_has_no_plain_score(form: Answers) -> None:
    instrument, answers = form
    result = score(instrument, answers)
    assert result.answers == answers
    assert result.complete is (not result.missing)
    assert not set(result.missing) & set(answers)
    if result.missing and not result.prorated:
        assert result.score is None
        assert result.status == "in-progress"
    if result.prorated:
        assert instrument in (InstrumentId.PHQ9, InstrumentId.GAD7)
        assert 1 <= len(result.missing) <= 2


@given(complete_answers, st.data())
def test_raising_an_item_never_lowers_a_total_or_a_level(form: Answers, data: st.DataObject) -> None:
    instrument, answers = form
    items = [item for item in definition(instrument).items if not item.reverse_scored]
    item = data.draw(st.sampled_from(items))
    more = {**answers, item.id: data.draw(st.integers(answers[item.id], item.maximum))}
    before, after = score(instrument, answers), score(instrument, more)
    if before.risk_level and after.risk_level:
        assert SEVERITY[after.risk_level] >= SEVERITY[before.risk_level]
    else:
        assert after.score is not None
        assert before.score is not None
        assert after.score >= before.score


def test_only_item_3_of_the_dast_is_reversed() -> None:
    reversed_items = [
        (entry.definition.instrument, item.id)
        for entry in INSTRUMENTS.values()
        for item in entry.definition.items
        if item.reverse_scored
    ]
    assert reversed_items == [(InstrumentId.DAST10, REVERSED)]


@given(st.sampled_from(SUICIDE_ITEMS), st.data())
def test_without_the_suicide_item_there_is_no_score(instrument: InstrumentId, data: st.DataObject) -> None:
    answers = data.draw(partial(instrument))
    item = definition(instrument).suicide_item
    assert item is not None
    rest = {name: value for name, value in answers.items() if name != item}
    result = score(instrument, rest)
    assert result.score is None
    assert result.suicide_item is None
    assert item in result.missing
    assert result.status == "in-progress"


@given(st.sampled_from(InstrumentId), st.dictionaries(st.text(max_size=4), st.integers(-3, 200), max_size=6))
def test_nothing_but_invalid_answers_is_ever_raised_and_it_names_every_fault(
    instrument: InstrumentId, answers: dict[str, int]
) -> None:
    items = {item.id: item for item in definition(instrument).items}
    wrong = {
        name
        for name, value in answers.items()
        if name not in items or not items[name].minimum <= value <= items[name].maximum
    }
    if not wrong:
        score(instrument, answers)
        return
    with pytest.raises(InvalidAnswers) as raised:
        score(instrument, answers)
    assert {fault.item for fault in raised.value.faults} == wrong
    assert all(name in str(raised.value) for name in wrong)


def test_every_fault_is_listed_at_once() -> None:
    with pytest.raises(InvalidAnswers) as raised:
        score(InstrumentId.PHQ9, {"q1": 4, "q2": -1, "q10": 0, "q3": 3, "q4": True})
    assert [fault.item for fault in raised.value.faults] == ["q1", "q2", "q10", "q4"]


@pytest.mark.parametrize("instrument", [InstrumentId.PHQ9, InstrumentId.GAD7])
def test_two_gaps_are_filled_by_the_mean_and_flagged_three_are_not(instrument: InstrumentId) -> None:
    full = a_form(instrument, [2] * len(definition(instrument).items))
    two = {name: value for name, value in full.items() if name not in ("q1", "q4")}
    three = {name: value for name, value in two.items() if name != "q5"}
    estimate = score(instrument, two)
    assert (estimate.score, estimate.prorated, estimate.complete) == (2 * len(full), True, False)
    assert (estimate.missing, estimate.status) == (("q1", "q4"), "completed")
    assert score(instrument, three).score is None
    assert score(instrument, {}).score is None


@given(st.sampled_from([InstrumentId.PHQ9, InstrumentId.GAD7]), st.data())
def test_an_estimate_is_the_mean_times_the_number_of_items_halves_up(
    instrument: InstrumentId, data: st.DataObject
) -> None:
    ids = definition(instrument).item_ids
    gaps = data.draw(st.sets(st.sampled_from(ids[:7]), min_size=1, max_size=2))
    answers = {name: data.draw(st.integers(0, 3)) for name in ids if name not in gaps}
    result = score(instrument, answers)
    exact = sum(answers.values()) / len(answers) * len(ids)
    assert result.score == math.floor(exact + 0.5)


def test_a_half_is_rounded_towards_more_symptoms() -> None:
    answers = a_form(InstrumentId.PHQ9, [0, 1, 1, 1, 1, 0, 0, 0, 0])
    del answers["q1"]
    assert score(InstrumentId.PHQ9, answers).score == 5


def test_the_score_of_a_client_is_compared_and_never_used() -> None:
    answers = a_form(InstrumentId.GAD7, [1] * 7)
    assert score(InstrumentId.GAD7, answers, client_score=21).score == 7
    assert score(InstrumentId.GAD7, answers, client_score=21).mismatch
    assert not score(InstrumentId.GAD7, answers, client_score=7).mismatch
    assert not score(InstrumentId.GAD7, answers).mismatch


@pytest.mark.parametrize(
    ("instrument", "edges"),
    [
        (InstrumentId.PHQ9, {0: "minimal", 4: "minimal", 5: "mild", 9: "mild", 10: "moderate",
                             14: "moderate", 15: "moderately-severe", 19: "moderately-severe", 20: "severe",
                             27: "severe"}),
        (InstrumentId.GAD7, {4: "minimal", 5: "mild", 9: "mild", 10: "moderate", 14: "moderate",
                             15: "severe"}),
        (InstrumentId.MADRS, {6: "none", 7: "mild", 19: "mild", 20: "moderate", 34: "moderate",
                              35: "severe"}),
        (InstrumentId.PDSS_SR, {1: "normal", 2: "borderline", 5: "borderline", 6: "slight", 9: "slight",
                                10: "moderate", 13: "moderate", 14: "marked"}),
    ],
)  # fmt: skip
def test_bands_change_exactly_at_their_edges(instrument: InstrumentId, edges: dict[int, str]) -> None:
    items = definition(instrument).items
    for total, name in edges.items():
        rest, values = total, []
        for item in items:
            values.append(min(item.maximum, rest))
            rest -= values[-1]
        assert score(instrument, a_form(instrument, values)).band == name, total


@pytest.mark.parametrize(
    ("total", "name"),
    [(0, "none"), (2, "low"), (3, "moderate"), (5, "moderate"), (6, "substantial"), (9, "severe")],
)
def test_dast_bands(total: int, name: str) -> None:
    plain = ["q1", "q2", "q4", "q5", "q6", "q7", "q8", "q9", "q10"]
    answers = dict.fromkeys(plain, 0) | dict.fromkeys(plain[:total], 1) | {"q3": 1}
    result = score(InstrumentId.DAST10, answers)
    assert (result.score, result.band) == (total, name)


@pytest.mark.parametrize(
    ("total", "name"),
    [
        (5, "none"),
        (6, "mild"),
        (10, "mild"),
        (11, "moderate"),
        (16, "severe"),
        (20, "severe"),
        (21, "very-severe"),
    ],
)
def test_qids_bands(total: int, name: str) -> None:
    singles = ["q1", "q5", "q6", "q10", "q11", "q12", "q13", "q14", "q15"]
    answers, rest = dict.fromkeys(definition(InstrumentId.QIDS_SR16).item_ids, 0), total
    for item in singles:
        answers[item] = min(3, rest)
        rest -= answers[item]
    assert score(InstrumentId.QIDS_SR16, answers).band == name


def test_a_score_above_all_bands_lies_in_the_last() -> None:
    assert band(99, ((4, "few"), (9, "many"))) == "many"


@pytest.mark.parametrize(("gone", "missing"), [("q7", ()), ("q8", ()), ("q1", ("q1",)), ("q16", ("q16",))])
def test_qids_appetite_and_weight_are_alternatives(gone: str, missing: tuple[str, ...]) -> None:
    answers = a_form(InstrumentId.QIDS_SR16, [1] * 16)
    del answers[gone]
    result = score(InstrumentId.QIDS_SR16, answers)
    assert result.missing == missing
    assert result.score == (None if missing else 9)


def test_qids_names_both_of_a_pair_when_neither_is_answered() -> None:
    answers = a_form(InstrumentId.QIDS_SR16, [1] * 16)
    del answers["q6"], answers["q7"]
    result = score(InstrumentId.QIDS_SR16, answers)
    assert result.missing == ("q6", "q7")
    assert "appetite_weight" not in result.subscores
    assert result.subscores["sleep"] == 1


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"q1": 0, "q2": 0},
        {"q2": 0, "q6": 0},
        {"q1": 1, "q2": 1, "q6": 0},
        {"q1": 1, "q2": 1, "q3": 0, "q4": 0, "q6": 0},
        {"q1": 1, "q2": 0, "q3": 1, "q6": 0},
        {"q1": 0, "q6": 1, "q6_recent": 0},
    ],
)
def test_a_screen_with_open_questions_is_unknown(answers: dict[str, int]) -> None:
    result = score(InstrumentId.CSSRS, answers)
    assert result.risk_level is RiskLevel.UNKNOWN
    assert result.missing
    assert result.status == "in-progress"


@pytest.mark.parametrize(
    "answers", [{"q4": 1}, {"q5": 1}, {"q6_recent": 1}, {"q6": 1}, {"q1": 0, "q2": 0, "q6": 1}]
)
def test_what_is_already_high_does_not_wait_for_the_rest(answers: dict[str, int]) -> None:
    """An attempt without a date counts as recent until somebody says otherwise."""
    result = score(InstrumentId.CSSRS, answers)
    assert result.risk_level is RiskLevel.HIGH
    assert result.missing


def test_no_active_thoughts_still_reaches_question_6() -> None:
    assert score(InstrumentId.CSSRS, {"q1": 0, "q2": 0}).missing == ("q6",)
    assert score(InstrumentId.CSSRS, {"q1": 0, "q2": 0, "q6": 0}).risk_level is RiskLevel.NONE


@given(partial(InstrumentId.CSSRS))
def test_only_spoken_noes_make_a_screen_clear(answers: dict[str, int]) -> None:
    result = score(InstrumentId.CSSRS, answers)
    spoken = all(answers.get(item) == 0 for item in ("q1", "q2", "q6")) and not any(answers.values())
    assert (result.risk_level is RiskLevel.NONE) is spoken
    if result.risk_level is RiskLevel.NONE:
        assert result.complete


def test_cadss_and_edi_are_a_sum_and_a_mean() -> None:
    assert score(InstrumentId.CADSS6, a_form(InstrumentId.CADSS6, [4, 0, 1, 0, 0, 2])).score == 7
    assert score(InstrumentId.EDI, a_form(InstrumentId.EDI, [100, 0, 50, 50, 0, 0, 0, 1])).score == 25.125
    assert score(InstrumentId.EDI, {"q1": 5}).score is None


def test_severities_rise() -> None:
    ranks = [SEVERITY[RiskLevel(level)] for level in ("none", "low", "moderate", "unknown", "high")]
    assert all(low < high for low, high in pairwise(ranks))

"""Change, response, remission, worsening, relapse, and the course over time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.instruments.answers import InstrumentId, InstrumentResult, Measurement
from clinical.instruments.registry import score
from clinical.outcomes import best_improvement_percent, change, course_summary, relapse, remembered
from clinical.protocol import Outcomes, Protocol
from tests.clinical.instruments.forms import a_form, a_phq9, a_result, partial_answers

START = datetime(2026, 2, 2, 15, tzinfo=UTC)
Answers = tuple[InstrumentId, dict[str, int]]


def on_day(day: float, result: InstrumentResult) -> Measurement:
    return Measurement(at=START + timedelta(days=day), result=result)


def phq9_days(*days_and_totals: tuple[float, int]) -> list[Measurement]:
    return [on_day(day, a_phq9(total)) for day, total in days_and_totals]


# Change


def test_without_a_baseline_nothing_is_computed_and_nothing_is_not_zero() -> None:
    moved = change(None, a_phq9(3))
    assert not moved.computable
    assert (moved.points, moved.percent, moved.response, moved.remission) == (None, None, None, None)
    assert (moved.mcid_met, moved.deterioration, moved.partial) == (None, None, None)
    assert "no baseline" in moved.why


@pytest.mark.parametrize(
    ("baseline", "current", "why"),
    [
        (a_result(InstrumentId.GAD7, *[1] * 7), a_phq9(3), "another instrument"),
        (score(InstrumentId.PHQ9, {}), a_phq9(3), "baseline has no score"),
        (a_phq9(20), score(InstrumentId.PHQ9, {}), "current form has no score"),
    ],
)
def test_what_cannot_be_compared_says_why(
    baseline: InstrumentResult, current: InstrumentResult, why: str
) -> None:
    moved = change(baseline, current)
    assert (moved.computable, moved.points) == (False, None)
    assert why in moved.why


@pytest.mark.parametrize(
    ("before", "after", "response", "partial", "remission", "mcid", "worse"),
    [
        (20, 10, True, False, False, True, False),
        (20, 11, False, True, False, True, False),
        (20, 14, False, True, False, True, False),
        (20, 15, False, False, False, True, False),
        (20, 16, False, False, False, False, False),
        (20, 4, True, False, True, True, False),
        (20, 24, False, False, False, False, False),
        (20, 25, False, False, False, False, True),
        (6, 4, False, True, True, False, False),
    ],
)
def test_phq9_outcomes_at_their_edges(
    before: int, after: int, response: bool, partial: bool, remission: bool, mcid: bool, worse: bool
) -> None:
    moved = change(a_phq9(before), a_phq9(after))
    assert moved.points == after - before
    assert (moved.response, moved.partial) == (response, partial)
    assert (moved.remission, moved.mcid_met, moved.deterioration) == (remission, mcid, worse)


def test_twenty_percent_of_the_baseline_is_marked_beside_the_five_points() -> None:
    assert change(a_phq9(15), a_phq9(12)).flags == ("mcid-20-percent",)
    assert change(a_phq9(20), a_phq9(17)).flags == ()


def test_nothing_to_fall_from_is_not_a_response() -> None:
    moved = change(a_phq9(0), a_phq9(0))
    assert (moved.computable, moved.points, moved.percent) == (True, 0.0, None)
    assert (moved.response, moved.partial, moved.remission) == (None, None, True)


def test_an_estimated_score_is_marked() -> None:
    answers = a_form(InstrumentId.PHQ9, [1] * 9)
    del answers["q1"]
    assert "prorated" in change(a_phq9(20), score(InstrumentId.PHQ9, answers)).flags


def test_an_instrument_without_a_rule_moves_without_a_judgement() -> None:
    moved = change(a_result(InstrumentId.AUDIT_C, 4, 2, 2), a_result(InstrumentId.AUDIT_C, 1, 1, 0))
    assert (moved.points, moved.percent, moved.computable) == (-6, 75.0, True)
    assert (moved.response, moved.partial, moved.remission) == (None, None, None)
    assert (moved.mcid_met, moved.deterioration) == (None, None)
    assert "no rule" in moved.why


def test_qids_remission_is_five_or_less() -> None:
    before = a_result(InstrumentId.QIDS_SR16, *[3] * 16)
    five = a_result(InstrumentId.QIDS_SR16, 3, 0, 0, 0, 2, *[0] * 11)
    six = a_result(InstrumentId.QIDS_SR16, 3, 0, 0, 0, 3, *[0] * 11)
    assert change(before, five).remission
    assert not change(before, six).remission


def test_the_clinics_numbers_are_used_but_panic_keeps_its_own_response(protocol: Protocol) -> None:
    strict = Outcomes.model_validate(
        protocol.outcomes.model_dump()
        | {
            "response_percent": 80,
            "partial_percent": 60,
            "phq9_remission_below": 3,
            "gad7_remission_below": 2,
            "deterioration_points": 2,
        }
    )
    moved = change(a_phq9(20), a_phq9(4), strict)
    assert (moved.response, moved.remission) == (True, False)
    assert change(a_phq9(20), a_phq9(5), strict).partial
    assert change(a_phq9(20), a_phq9(22), strict).deterioration
    gad7 = change(a_result(InstrumentId.GAD7, *[3] * 7), a_result(InstrumentId.GAD7, 2, *[0] * 6), strict)
    assert not gad7.remission
    panic = change(
        a_result(InstrumentId.PDSS_SR, 2, 2, 2, 2, 2, 0, 0),
        a_result(InstrumentId.PDSS_SR, 2, 2, 2, 0, 0, 0, 0),
        strict,
    )
    assert (panic.percent, panic.response) == (40.0, True)
    assert not change(
        a_result(InstrumentId.AUDIT_C, 4, 2, 2), a_result(InstrumentId.AUDIT_C, 0, 0, 0), strict
    ).response


def test_the_shipped_protocol_agrees_with_the_published_rules(protocol: Protocol) -> None:
    for before in range(28):
        for after in range(28):
            assert change(a_phq9(before), a_phq9(after), protocol.outcomes) == change(
                a_phq9(before), a_phq9(after)
            )


@given(partial_answers, partial_answers)
def test_change_never_raises_and_never_invents(first: Answers, second: Answers) -> None:
    before, after = score(*first), score(*second)
    moved = change(before, after)
    known = before.instrument is after.instrument and before.score is not None and after.score is not None
    assert moved.computable is known
    assert (moved.points is not None) is known
    assert not (moved.response and moved.partial)


# Course


def test_the_best_improvement_is_the_greatest_fall() -> None:
    history = phq9_days((1, 18), (3, 12), (5, 15))
    assert best_improvement_percent(history, a_phq9(20)) == 40.0
    assert best_improvement_percent(history, None) is None
    assert best_improvement_percent([], a_phq9(20)) is None
    assert best_improvement_percent([on_day(1, a_phq9(22))], a_phq9(20)) == -10.0


def test_the_course_is_one_series_per_instrument_in_time_order(protocol: Protocol) -> None:
    gad7 = a_result(InstrumentId.GAD7, *[2] * 7)
    history = [*phq9_days((9, 8), (2, 15)), on_day(4, gad7)]
    baselines = {InstrumentId.PHQ9: a_phq9(20), InstrumentId.PCL5: a_result(InstrumentId.PCL5, *[1] * 20)}
    depression, anxiety, trauma = course_summary(history, baselines, protocol.outcomes).series
    assert [point.score for point in depression.points] == [15, 8]
    assert [point.change.response for point in depression.points] == [False, True]
    assert (depression.baseline, depression.best_percent) == (20, 60.0)
    assert (anxiety.instrument, anxiety.baseline, anxiety.best_percent) == (InstrumentId.GAD7, None, None)
    assert not anxiety.points[0].change.computable
    assert anxiety.points[0].band == "moderate"
    assert (trauma.baseline, trauma.points) == (20, ())


# Relapse


def test_two_readings_a_week_apart_that_lost_half_of_the_gain_are_a_relapse(protocol: Protocol) -> None:
    history = phq9_days((7, 10), (14, 4), (30, 12), (37, 13))
    found = relapse(history, a_phq9(20), protocol)
    assert found.relapsed
    assert (found.since, found.confirmed_at) == (history[2].at, history[3].at)
    assert found.decision.reasons[0].rule == "RELAPSE-SCORES"
    assert not found.decision.passes


@pytest.mark.parametrize(
    ("days_apart", "relapsed"),
    [(6.4, False), (6.5, True), (7, True), (14, True), (14.4, True), (14.6, False)],
)
def test_readings_too_close_or_too_far_apart_confirm_nothing(
    protocol: Protocol, days_apart: float, relapsed: bool
) -> None:
    """Whole days, so that a change of clocks does not lose a reading."""
    history = phq9_days((7, 4), (30, 15), (30 + days_apart, 15))
    assert relapse(history, a_phq9(20), protocol).relapsed is relapsed


def test_one_reading_asks_for_a_second(protocol: Protocol) -> None:
    history = phq9_days((7, 4), (30, 15))
    found = relapse(history, a_phq9(20), protocol)
    assert not found.relapsed
    assert found.since == history[1].at
    assert found.recheck_between == (history[1].at + timedelta(days=7), history[1].at + timedelta(days=14))
    assert [reason.rule for reason in found.decision.objections] == ["RELAPSE-UNCONFIRMED"]


@pytest.mark.parametrize(
    "totals",
    [
        (4, 9, 9),
        (4, 11, 11),
        (4, 15, 4, 15, 4),
    ],
)
def test_a_held_response_is_no_relapse(protocol: Protocol, totals: tuple[int, ...]) -> None:
    """Below 10, less than half of the gain, or a good reading in between."""
    history = phq9_days(*((7 * (n + 1), total) for n, total in enumerate(totals)))
    found = relapse(history, a_phq9(20), protocol)
    assert not found.relapsed
    assert found.decision.passes
    assert found.decision.reasons[0].rule == "RELAPSE-HELD"


def test_a_relapse_that_has_passed_is_not_reported_again(protocol: Protocol) -> None:
    history = phq9_days((7, 4), (14, 15), (21, 15), (28, 4))
    assert relapse(history[:3], a_phq9(20), protocol).relapsed
    assert not relapse(history, a_phq9(20), protocol).relapsed


def test_the_gain_is_counted_from_the_best_score(protocol: Protocol) -> None:
    shallow = phq9_days((7, 10), (14, 10), (21, 14), (28, 14))
    deep = phq9_days((7, 10), (14, 2), (21, 11), (28, 11))
    assert not relapse(shallow, a_phq9(20), protocol).relapsed
    assert relapse(deep, a_phq9(20), protocol).relapsed


def test_no_response_no_relapse(protocol: Protocol) -> None:
    found = relapse(phq9_days((7, 15), (14, 20), (21, 22)), a_phq9(20), protocol)
    assert (found.relapsed, found.decision.reasons[0].rule) == (False, "RELAPSE-NO-RESPONSE")
    assert not relapse(phq9_days((7, 15), (14, 15)), a_phq9(0), protocol).relapsed


@pytest.mark.parametrize(
    "baseline", [None, score(InstrumentId.PHQ9, {}), a_result(InstrumentId.GAD7, *[3] * 7)]
)
def test_without_a_baseline_a_relapse_cannot_be_told(
    protocol: Protocol, baseline: InstrumentResult | None
) -> None:
    found = relapse(phq9_days((7, 4), (14, 15), (21, 15)), baseline, protocol)
    assert not found.relapsed
    assert found.decision.missing == ("RELAPSE-BASELINE",)
    assert not found.decision.passes


def test_an_admission_or_attempt_after_the_response_is_a_relapse(protocol: Protocol) -> None:
    history = phq9_days((7, 4), (14, 4))
    before, after = START, START + timedelta(days=20)
    found = relapse(history, a_phq9(20), protocol, admissions_or_attempts=[after, before])
    assert (found.relapsed, found.since, found.confirmed_at) == (True, after, after)
    assert not relapse(history, a_phq9(20), protocol, admissions_or_attempts=[before]).relapsed


def test_other_forms_and_forms_without_a_score_do_not_count(protocol: Protocol) -> None:
    history = [
        *phq9_days((7, 4), (14, 15)),
        on_day(18, a_result(InstrumentId.GAD7, *[0] * 7)),
        on_day(19, score(InstrumentId.PHQ9, {"q1": 0})),
        *phq9_days((22, 15)),
    ]
    assert relapse(history, a_phq9(20), protocol).relapsed


@given(
    days=st.lists(st.tuples(st.floats(0, 400), st.integers(0, 24)), max_size=8),
    baseline=st.none() | st.integers(0, 24),
)
def test_a_relapse_always_rests_on_a_response_and_two_readings(
    protocol: Protocol, days: list[tuple[float, int]], baseline: int | None
) -> None:
    found = relapse(phq9_days(*days), None if baseline is None else a_phq9(baseline), protocol)
    totals = [total for _, total in days]
    if found.relapsed:
        assert baseline is not None
        assert any(total * 2 <= baseline for total in totals)
        assert sum(total >= 10 for total in totals) >= 2
        assert found.since is not None
        assert found.confirmed_at is not None
        assert found.confirmed_at > found.since
    assert found.decision.reasons


# What is enough to go on with


def test_what_is_remembered_is_the_newest_and_the_best_before_them() -> None:
    unscored = on_day(3, score(InstrumentId.PHQ9, {}))
    history = [*phq9_days((0, 20), (1, 4), (2, 9)), unscored, *phq9_days((4, 15), (5, 16))]
    assert remembered(history, 2) == [history[1], *history[-2:]]
    assert remembered(history, 6) == remembered(history, 60) == history


@given(st.lists(st.integers(0, 27), min_size=1, max_size=30), st.integers(2, 6))
def test_nothing_that_was_reached_is_forgotten(totals: list[int], newest: int) -> None:
    history = phq9_days(*enumerate(totals))
    kept = remembered(history, newest)
    baseline = a_phq9(20)
    assert best_improvement_percent(kept, baseline) == best_improvement_percent(history, baseline)
    assert kept[-newest:] == history[-newest:]
    assert len(kept) <= newest + 1

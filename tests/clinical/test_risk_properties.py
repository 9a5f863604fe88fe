"""Whatever the answers: a worse one never makes the risk smaller, and without a baseline nothing is computed."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from clinical.instruments.answers import InstrumentId, InstrumentResult, Measurement
from clinical.instruments.registry import definition, score
from clinical.outcomes import best_improvement_percent, change
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, RiskLevel, finding, joined, mismatch, staff_concern
from clinical.risk_findings import SEVERITY
from tests.clinical.instruments.forms import a_screen, complete_answers, partial, partial_answers, whole

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKING = [one for one in InstrumentId if definition(one).suicide_item is not None]
Answers = tuple[InstrumentId, dict[str, int]]


def severity(found: RiskFinding | None) -> int:
    return -1 if found is None else SEVERITY[found.level]


def found_in(result: InstrumentResult, protocol: Protocol, before: InstrumentResult | None = None) -> int:
    return severity(finding(result, before, False, NOON, protocol))


@given(answers=partial(InstrumentId.CSSRS), item=st.sampled_from(definition(InstrumentId.CSSRS).item_ids))
def test_a_yes_on_the_screener_never_lowers_the_level(
    protocol: Protocol, answers: dict[str, int], item: str
) -> None:
    levels = [found_in(score(InstrumentId.CSSRS, answers | {item: answer}), protocol) for answer in (0, 1)]
    assert levels[0] <= levels[1]


@given(st.data())
def test_a_higher_suicide_item_never_lowers_the_level(protocol: Protocol, data: st.DataObject) -> None:
    instrument = data.draw(st.sampled_from(ASKING))
    answers = data.draw(partial(instrument))
    before = data.draw(st.none() | whole(instrument))
    item = definition(instrument).suicide_item
    assert item is not None
    bounds = next(one for one in definition(instrument).items if one.id == item)
    earlier = None if before is None else score(instrument, before)
    levels = [
        found_in(score(instrument, answers | {item: answer}), protocol, earlier)
        for answer in range(bounds.minimum, bounds.maximum + 1)
    ]
    assert levels == sorted(levels)


@given(form=partial_answers, before=st.none() | complete_answers)
def test_no_answer_is_never_safer_than_no(protocol: Protocol, form: Answers, before: Answers | None) -> None:
    """Leaving the suicide item, or any question of the screener, out never makes a finding disappear."""
    instrument, answers = form
    previous = None if before is None else score(*before)
    asked = score(instrument, answers)
    gone = definition(instrument).suicide_item
    unsaid = [gone] if gone else list(answers) if instrument is InstrumentId.CSSRS else []
    for item in unsaid:
        fewer = {name: answer for name, answer in answers.items() if name != item}
        if found_in(asked, protocol, previous) >= 0 or instrument is not InstrumentId.CSSRS:
            left = found_in(score(instrument, fewer), protocol, previous)
            assert left >= 0


@given(st.lists(st.sampled_from(RiskLevel), min_size=1, max_size=6))
def test_whatever_joins_the_worst_stays(levels: list[RiskLevel]) -> None:
    case = staff_concern(levels[0], False, NOON)
    for level in levels[1:]:
        case = joined(case, staff_concern(level, False, NOON))
    assert severity(case) == max(severity(staff_concern(level, False, NOON)) for level in levels)


@given(form=complete_answers)
def test_a_screen_without_risk_clears_no_positive_item(protocol: Protocol, form: Answers) -> None:
    """Either nothing in the form was positive, or somebody has to reconcile the two."""
    result = score(*form)
    positive = result.instrument in ASKING and found_in(result, protocol) >= 0
    contradicts = mismatch(a_screen("0000000"), result, False, NOON, protocol)
    assert (contradicts is not None) == positive


@given(form=partial_answers, baseline=st.none() | partial_answers)
def test_without_a_baseline_nothing_is_computed_and_nothing_is_zero(
    protocol: Protocol, form: Answers, baseline: Answers | None
) -> None:
    start, now = None if baseline is None else score(*baseline), score(*form)
    moved = change(start, now, protocol.outcomes)
    known = (
        start is not None
        and start.instrument is now.instrument
        and start.score is not None
        and now.score is not None
    )
    assert moved.computable is known
    if not known:
        judged = (moved.points, moved.percent, moved.response, moved.partial, moved.remission)
        assert {*judged, moved.mcid_met, moved.deterioration} == {None}
        assert moved.why
        assert best_improvement_percent([Measurement(at=NOON, result=now)], start) is None

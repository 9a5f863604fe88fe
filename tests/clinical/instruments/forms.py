"""Builders for questionnaire answers."""

from collections.abc import Sequence

from hypothesis import strategies as st

from clinical.instruments.answers import InstrumentId, InstrumentResult
from clinical.instruments.registry import definition, score


def a_form(instrument: InstrumentId, values: Sequence[int]) -> dict[str, int]:
    """All items in order."""
    return dict(zip(definition(instrument).item_ids, values, strict=True))


def a_result(instrument: InstrumentId, *values: int, sex: str | None = None) -> InstrumentResult:
    return score(instrument, a_form(instrument, values), sex=sex)


def a_phq9(total: int, item9: int | None = None) -> InstrumentResult:
    """A complete PHQ-9 with this total; item 9 is 0 unless the total needs it."""
    item9 = max(0, total - 24) if item9 is None else item9
    rest, values = total - item9, []
    for _ in range(8):
        values.append(min(3, rest))
        rest -= values[-1]
    assert rest == 0
    return a_result(InstrumentId.PHQ9, *values, item9)


def a_screen(vector: str) -> InstrumentResult:
    """A C-SSRS screener in the truth table's notation: Q1–Q5, Q6 over three months ago, Q6 within three."""
    *ideation, older, recent = (int(digit) for digit in vector)
    return a_result(InstrumentId.CSSRS, *ideation, older | recent, recent)


def whole(instrument: InstrumentId) -> st.SearchStrategy[dict[str, int]]:
    """Every item answered, within its range."""
    return st.fixed_dictionaries(
        {item.id: st.integers(item.minimum, item.maximum) for item in definition(instrument).items}
    )


def partial(instrument: InstrumentId) -> st.SearchStrategy[dict[str, int]]:
    """Any of the items answered, within their ranges."""
    items = definition(instrument).items
    return st.fixed_dictionaries(
        {}, optional={item.id: st.integers(item.minimum, item.maximum) for item in items}
    )


complete_answers = st.sampled_from(InstrumentId).flatmap(lambda one: st.tuples(st.just(one), whole(one)))
partial_answers = st.sampled_from(InstrumentId).flatmap(lambda one: st.tuples(st.just(one), partial(one)))

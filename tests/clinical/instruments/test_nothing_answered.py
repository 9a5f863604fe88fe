"""What does a form come to that nobody has filled in, or only begun?"""

import pytest

from clinical.instruments.answers import InstrumentId, RiskLevel
from clinical.instruments.registry import definition, score


@pytest.mark.parametrize("instrument", InstrumentId)
def test_an_empty_form_has_no_score_and_misses_what_it_needs(instrument: InstrumentId) -> None:
    result = score(instrument, {})
    assert (result.score, result.status) == (None, "in-progress")
    assert result.band == (RiskLevel.UNKNOWN if instrument is InstrumentId.CSSRS else None)
    assert (result.complete, result.prorated) == (False, False)
    assert result.missing
    assert set(result.missing) <= set(definition(instrument).item_ids)
    assert result.risk_level in (None, RiskLevel.UNKNOWN)


@pytest.mark.parametrize("instrument", InstrumentId)
def test_the_first_item_alone_is_no_form(instrument: InstrumentId) -> None:
    first = definition(instrument).items[0]
    result = score(instrument, {first.id: first.minimum})
    assert result.score is None
    assert first.id not in result.missing


def test_a_cluster_that_is_whole_is_told_of_a_form_that_is_not() -> None:
    intrusion = {f"q{number}": 2 for number in range(1, 6)}
    result = score(InstrumentId.PCL5, intrusion)
    assert result.score is None
    assert result.subscores == {"cluster_b": 10, "endorsed_b": 5}

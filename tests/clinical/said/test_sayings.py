"""Are the reasons that clinicians read the ones that were approved? Every word, value, limit and source."""

import pytest

from tests.clinical.said.sayings import FILES, HERE, saying


@pytest.mark.parametrize("name", FILES)
def test_the_words_are_the_approved_ones(name: str) -> None:
    approved = (HERE / name).read_text().splitlines()
    assert saying(name).splitlines() == approved, "if it should be so: python -m tests.clinical.said.sayings"

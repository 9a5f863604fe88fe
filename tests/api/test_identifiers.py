"""Are identifiers opaque, distinct and well spelt?"""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from services.identifiers import PATTERN, id_from, new_id


def test_fresh_ones_differ_and_later_ones_do_not_sort_before_earlier_ones() -> None:
    made = [new_id() for _ in range(200)]
    assert len(set(made)) == 200
    assert all(re.fullmatch(PATTERN, one) for one in made)
    assert [one[:10] for one in made] == sorted(one[:10] for one in made)


@given(st.lists(st.text(), min_size=1))
def test_the_same_words_give_the_same_name(words: list[str]) -> None:
    assert id_from(*words) == id_from(*words)
    assert re.fullmatch(PATTERN, id_from(*words))
    assert id_from(*words) != id_from(*words, "more")

"""Does every test still run, once, when the long ones are dealt out to the processes of a run?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dealing import HERE, LONG, dealt, rank

LONG_ONES = [
    (HERE / "e2e" / "test_demo.py", 3),
    (HERE / "e2e" / "test_ops.py", 1),
    (HERE / "workflows" / "test_many_crises.py", 1),
]
SHORT_ONES = [(HERE / "api" / f"test_{n}.py", 7) for n in range(20)]
ITEMS = [(path, n) for path, many in SHORT_ONES[:10] + LONG_ONES + SHORT_ONES[10:] for n in range(many)]


def shares(items: list[tuple[Path, int]], processes: int) -> list[list[tuple[Path, int]]]:
    """As pytest-xdist cuts them."""
    found, left = [], list(items)
    for number in range(processes):
        size = len(left) // (processes - number)
        found.append(left[:size])
        left = left[size:]
    return found


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_each_share_begins_with_its_part_and_nothing_is_lost_or_twice(processes: int) -> None:
    order = dealt(ITEMS, lambda item: item[0], processes)
    assert sorted(order) == sorted(ITEMS)
    for share in shares(order, processes):
        is_long = [rank(path) < len(LONG) for path, _ in share]
        assert is_long == sorted(is_long, reverse=True)
    begin_long = [rank(share[0][0]) < len(LONG) for share in shares(order, processes)]
    assert begin_long == [number < len(LONG_ONES) for number in range(processes)]


def test_more_long_ones_than_a_share_holds_lose_nothing() -> None:
    only = [(HERE / "e2e" / f"test_{n}.py", m) for n in range(3) for m in range(n * 5)]
    assert sorted(dealt(only, lambda item: item[0], 3)) == sorted(only)


def test_what_is_called_long_is_there() -> None:
    assert [known for known in LONG if not (HERE / known).exists()] == []

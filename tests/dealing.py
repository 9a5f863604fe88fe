"""Which test does each process of a run begin with? The long ones first, dealt out, so that none is left for the end.

pytest-xdist gives every process an equal share of the list, in its order, and lets whoever is done take half of what
another has left. A test of minutes at the end of a share is then waited for by all. So each share begins with its part
of the long ones; short ones fill up what is left. Which process runs what changes nothing else: no test depends on
another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LONG = (
    "e2e/test_description_holds.py",
    "e2e/test_demo.py",
    "e2e/test_upgrade.py",
    "e2e/test_cluster.py",
    "clinical/model/test_walk.py",
    "workflows/test_many_crises.py",
    "e2e/test_whole_journey.py",
    "e2e/",
    "workflows/test_follow_up.py",
    "deploy/test_up.py",
    "deploy/test_bench.py",
    "services/records/test_large_lists.py",
)
"""Below tests/, the longest first; a folder stands for its files."""
HERE = Path(__file__).parent


def dealt(items: Sequence[T], path_of: Callable[[T], Path], processes: int) -> list[T]:
    """The same items, so that each of `processes` equal shares of them begins with its part of the long ones.

    The tests of a file stay together: they may share what is dear to make.
    """
    files: dict[Path, list[T]] = {}
    for item in items:
        files.setdefault(path_of(item), []).append(item)
    long = sorted((path for path in files if rank(path) < len(LONG)), key=rank)
    first: list[list[T]] = [[] for _ in range(processes)]
    for number, path in enumerate(long):
        turn = number % (2 * processes)  # there and back: nobody gets the longer one each time
        first[min(turn, 2 * processes - 1 - turn)] += files.pop(path)
    rest = iter([item for group in files.values() for item in group])
    shares = []
    left = len(items)
    for number, share in enumerate(first):
        size = left // (processes - number)
        left -= size
        shares.append([*share, *(item for _, item in zip(range(size - len(share)), rest, strict=False))])
    return [*(item for share in shares for item in share), *rest]


def rank(path: Path) -> int:
    """Its place among the long ones; len(LONG) when it is not one of them."""
    name = path.relative_to(HERE).as_posix() if HERE in path.parents else path.name
    return next((n for n, known in enumerate(LONG) if name == known or name.startswith(known)), len(LONG))

"""Is the collector of cycles what it was once everything is loaded?"""

from __future__ import annotations

import gc

import pytest

from services.process import loading


def test_the_collector_rests_while_modules_are_loaded_and_no_longer() -> None:
    before = gc.get_freeze_count()
    kept: list[list[int]] = [[] for _ in range(1000)]
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)


def test_a_module_that_cannot_be_loaded_leaves_it_on() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()

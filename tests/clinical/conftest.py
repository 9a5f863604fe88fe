"""The shipped protocol, for tests of rules; rules themselves read no files. Which tests are examples?"""

from pathlib import Path

import pytest
import yaml
from hypothesis import is_hypothesis_test

from clinical.protocol import Protocol

SHIPPED = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"
HERE = Path(__file__).parent
SEARCHES = {HERE / "model", HERE / "test_many_crises.py"}
"""A walk over all that can happen, or over thousands at random, shows that nothing bad does; that a branch is right,
an example shows."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The examples of the rules: what is neither a property over random values nor a search of a model."""
    for item in items:
        drawn = isinstance(item, pytest.Function) and is_hypothesis_test(item.obj)
        if HERE in item.path.parents and not SEARCHES & {item.path, *item.path.parents} and not drawn:
            item.add_marker("example")


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return Protocol.model_validate(yaml.safe_load(SHIPPED.read_text()))

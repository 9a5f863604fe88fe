"""The shipped protocol, for tests of rules; rules themselves read no files."""

from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from clinical.protocol import Protocol

# A slow machine is not a wrong rule.
settings.register_profile("rules", deadline=None)
settings.load_profile("rules")

SHIPPED = Path(__file__).parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return Protocol.model_validate(yaml.safe_load(SHIPPED.read_text()))

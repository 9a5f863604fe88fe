"""What does every process of ours do first? It reads its settings, and sets up its log by them."""

import sys
from collections.abc import Callable

from services.logging import configure_logging
from services.settings import Settings, SettingsInvalid

WRONG_SETTINGS = 2


def configured(work: Callable[[Settings], int]) -> int:
    """The exit status of `work`, or 2 with every fault of the settings, whoever finds them."""
    try:
        settings = Settings.from_environment()
        configure_logging(build=settings.build, level=settings.log_level)
        return work(settings)
    except SettingsInvalid as invalid:
        sys.stderr.write(f"{invalid}\n")
        return WRONG_SETTINGS

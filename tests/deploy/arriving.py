"""Which names do the manifests use already that other work brings? Once they are there, they count as all others."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from services.settings import PREFIX, Settings
from tests.architecture.tree import ROOT

SETTINGS = {"KAP_CODEC_PORT", "KAP_UI_ORIGIN", "KAP_METRICS_PORT", "KAP_SDK_METRICS_PORT"}
MODULES = {"api.codec"}
FILES = {"deploy/alerts", "deploy/dashboards"}

_known = {PREFIX + name.upper() for name in Settings.model_fields}


def there(given: Mapping[str, str]) -> dict[str, str]:
    """Without the settings that are not there yet."""
    return {name: value for name, value in given.items() if name not in SETTINGS - _known}


def can_be_run(module: str) -> bool:
    found = importlib.util.find_spec(module)
    if found is None:
        return module in MODULES
    return not found.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__") is not None


def exists(path: str) -> bool:
    """Is this file, relative to the root, there or on its way?"""
    return (ROOT / path).exists() or path in FILES

"""Is everything that can be set in `env.example`, with a word of explanation, and is what is wrong refused loudly?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from deploy.env_file import environment_of, variables
from services.settings import PREFIX, Settings, SettingsInvalid
from tests.architecture.tree import ROOT

TEXT = (ROOT / "deploy" / "env.example").read_text()
LISTED = list(variables(TEXT))


def test_every_setting_is_in_the_file_once_and_nothing_else_is() -> None:
    listed = Counter(variable.name for variable in LISTED)
    settings = Counter(PREFIX + name.upper() for name in Settings.model_fields)
    assert listed == settings


def test_each_is_explained_by_the_comment_above_it() -> None:
    assert [one.name for one in LISTED if len(one.says) < 20] == []


def test_what_is_commented_out_shows_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {one.name: one.value for one in LISTED if not one.needed}
    in_development = {**environment_of(TEXT), "KAP_ENVIRONMENT": "development"}
    assert _read(monkeypatch, {**in_development, **shown}) == _read(monkeypatch, in_development)


def test_in_production_exactly_the_samples_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        _read(monkeypatch, environment_of(TEXT))
    samples = [one.name for one in LISTED if one.is_sample]
    assert [fault.partition(":")[0] for fault in refused.value.faults] == samples
    assert "KAP_PAYLOAD_KEYS" in samples


@pytest.mark.parametrize("process", ["api", "workers"])
def test_a_process_with_a_wrong_configuration_ends_with_status_2_and_names_every_fault(process: str) -> None:
    wrong = {
        **environment_of(TEXT),
        "KAP_SMPT_HOST": "canary",
        "KAP_API_PORT": "canary",
        "KAP_LOG_LEVEL": "canary",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    ran = subprocess.run(
        [sys.executable, "-m", process], cwd=ROOT, env=inherited | wrong, capture_output=True, text=True
    )
    assert ran.returncode == 2
    named = {
        line.split(":")[0].removeprefix("- ") for line in ran.stderr.splitlines() if line.startswith("- ")
    }
    samples = {one.name for one in LISTED if one.is_sample}
    assert named == samples | {"KAP_SMPT_HOST", "KAP_API_PORT", "KAP_LOG_LEVEL"}
    assert "canary" not in ran.stderr


def _read(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Settings:
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings.from_environment()

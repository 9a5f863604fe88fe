"""Do the 26 referrals get the answer that was read out of them by hand?"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from clinical.decision import Verdict
from clinical.protocol import Protocol
from clinical.screening import Eligibility, ScreeningResult, triage
from services.fhir.bundle import read_referral
from services.protocols import load_protocol

REFERRALS = Path(__file__).parents[2] / "fixtures" / "referrals"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((REFERRALS / "expected.yaml").read_text())
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("iv-racemic")


def screened(name: str, protocol: Protocol, now: datetime = NOW) -> ScreeningResult:
    return triage(read_referral((REFERRALS / name).read_bytes()).record, protocol, now)


def test_every_referral_has_an_expected_answer() -> None:
    assert set(EXPECTED) == {path.name for path in REFERRALS.glob("*.json")}
    assert len(EXPECTED) == 26
    assert all(expected["why"] for expected in EXPECTED.values())


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_answer_is_the_one_read_by_hand(name: str, protocol: Protocol) -> None:
    result, expected = screened(name, protocol), EXPECTED[name]
    assert result.decision.value == expected["decision"]
    objecting = {r.rule for r in result.reasons if r.verdict in (Verdict.REVIEW, Verdict.REFUSE)}
    assert set(expected["rules"]) <= objecting
    if not expected["rules"]:
        assert {rule for rule in objecting if not rule.startswith("NEED-")} == set()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_referral_is_read_without_loss(name: str) -> None:
    raw = (REFERRALS / name).read_bytes()
    referral = read_referral(raw)
    record = referral.record
    assert record.unreadable == ()
    kinds = [entry["resource"]["resourceType"] for entry in json.loads(raw)["entry"]]
    assert len(record.conditions) == kinds.count("Condition")
    assert len(record.medications) == kinds.count("MedicationRequest")
    assert len(record.allergies) == kinds.count("AllergyIntolerance")
    assert {"systolic", "diastolic", "weight", "height"} <= {m.code.value for m in record.measurements}
    assert referral.identity.name
    assert referral.identity.mrn
    assert referral.identity.name not in record.model_dump_json()


def test_a_pregnancy_was_not_there_before_it_was_recorded(protocol: Protocol) -> None:
    """An entry of the future, seen from an earlier day, still counts: nobody can know it did not."""
    earlier = datetime(2020, 1, 1, tzinfo=UTC)
    assert screened("alix-reilly.json", protocol, earlier).decision is Eligibility.INELIGIBLE


def test_a_child_grows_up(protocol: Protocol) -> None:
    grown = datetime(2033, 8, 22, 12, tzinfo=UTC)
    assert screened("alda-carter.json", protocol, grown).decision is Eligibility.NEEDS_REVIEW

"""Is a consent live only while everything about it holds?"""

from datetime import datetime
from typing import Any

import pytest

from clinical.consent import ConsentRecord, consent_live
from clinical.decision import Verdict
from clinical.protocol import Protocol
from tests.clinical.screening.complete_facts import NOW, days_ago


def a_consent(protocol: Protocol, **changed: Any) -> ConsentRecord:
    good: dict[str, Any] = {
        "document_version": protocol.consent.document_version,
        "elements": protocol.consent.required_elements,
        "given_at": days_ago(10),
        "capacity_attested_by": "staff-1",
    }
    return ConsentRecord.model_validate(good | changed)


def rules(protocol: Protocol, consent: ConsentRecord | None, now: datetime = NOW) -> list[str]:
    decision = consent_live(consent, protocol, now)
    assert decision.passes == (decision.verdict is Verdict.PASS)
    return [reason.rule for reason in decision.objections]


def test_a_complete_current_consent_is_live(protocol: Protocol) -> None:
    assert rules(protocol, a_consent(protocol)) == []
    assert rules(protocol, a_consent(protocol, given_at=NOW)) == []


def test_no_consent_is_not_live(protocol: Protocol) -> None:
    assert rules(protocol, None) == ["CONSENT-ABSENT"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"document_version": "2025-01"}, "CONSENT-VERSION"),
        ({"elements": ("off-label-status",)}, "CONSENT-ELEMENTS"),
        ({"capacity_attested_by": None}, "CONSENT-CAPACITY"),
        ({"capacity_attested_by": " "}, "CONSENT-CAPACITY"),
        ({"withdrawn_at": days_ago(1)}, "CONSENT-WITHDRAWN"),
        ({"withdrawn_at": days_ago(-1)}, "CONSENT-WITHDRAWN"),
        ({"given_at": days_ago(-1)}, "CONSENT-TIME"),
        ({"given_at": days_ago(365)}, "CONSENT-EXPIRED"),
    ],
)
def test_each_fault_refuses(protocol: Protocol, changed: dict[str, Any], expected: str) -> None:
    assert rules(protocol, a_consent(protocol, **changed)) == [expected]


def test_a_consent_expires_at_its_last_moment(protocol: Protocol) -> None:
    assert rules(protocol, a_consent(protocol, given_at=days_ago(364.999))) == []


def test_every_missing_element_is_named_and_every_fault_given(protocol: Protocol) -> None:
    required = protocol.consent.required_elements
    bad = a_consent(protocol, elements=required[2:], document_version="0", withdrawn_at=NOW)
    decision = consent_live(bad, protocol, NOW)
    assert len(decision.objections) == 3
    (elements,) = (r for r in decision.reasons if r.rule == "CONSENT-ELEMENTS")
    assert all(name in elements.text for name in required[:2])


@pytest.mark.parametrize("index", range(15))
def test_no_element_can_be_left_out(protocol: Protocol, index: int) -> None:
    required = protocol.consent.required_elements
    rest = required[:index] + required[index + 1 :]
    assert rules(protocol, a_consent(protocol, elements=rest)) == ["CONSENT-ELEMENTS"]

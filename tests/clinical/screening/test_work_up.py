"""Is the work-up asked for, does it expire, and does what it found count?"""

import pytest

from clinical.decision import Verdict
from clinical.instruments.answers import RiskLevel
from clinical.patient_record import (
    InstrumentSummary,
    WorkUpItem,
    WorkUpOutcome,
    WorkUpResult,
)
from clinical.protocol import Protocol
from clinical.work_up import questionnaires, work_up_findings
from tests.clinical.screening.complete_facts import NOW, a_form, days_ago, forms, work_up

REFUSE, REVIEW, CAUTION = Verdict.REFUSE, Verdict.REVIEW, Verdict.CAUTION
BASELINE = ("phq-9", "gad-7", "c-ssrs-screener")


def found(protocol: Protocol, *results: WorkUpResult, pregnancy: bool = True) -> list[tuple[str, Verdict]]:
    reasons = work_up_findings(results, protocol, NOW, pregnancy=pregnancy, ecg=True)
    return [(reason.rule, reason.verdict) for reason in reasons]


def test_a_complete_clear_work_up_is_no_reason(protocol: Protocol) -> None:
    assert found(protocol, *work_up()) == []


def test_every_test_that_is_due_is_asked_for(protocol: Protocol) -> None:
    assert {rule for rule, _ in found(protocol)} == {f"NEED-{item.value.upper()}" for item in WorkUpItem}
    reasons = work_up_findings((), protocol, NOW, pregnancy=False, ecg=False)
    asked = {reason.rule for reason in reasons}
    assert not asked & {"NEED-ECG", "NEED-PREGNANCY-TEST"}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (WorkUpItem.PREGNANCY_TEST, ("X17", REFUSE)),
        (WorkUpItem.URINE_DRUG_SCREEN, ("X15", REVIEW)),
        (WorkUpItem.PRESCRIPTION_MONITORING, ("X14", REVIEW)),
        (WorkUpItem.ECG, ("X08", REVIEW)),
        (WorkUpItem.LIVER_FUNCTION, ("X21", REVIEW)),
        (WorkUpItem.URINARY_SYMPTOMS, ("X23", REVIEW)),
        (WorkUpItem.PSYCHIATRIC_INTERVIEW, ("WORK-UP", REVIEW)),
        (WorkUpItem.MEDICAL_HISTORY, ("WORK-UP", REVIEW)),
    ],
)
def test_what_a_test_found_counts_even_when_it_was_not_due(
    protocol: Protocol, item: WorkUpItem, expected: tuple[str, Verdict]
) -> None:
    results = work_up(**{item.name.lower(): WorkUpOutcome.ABNORMAL})
    assert found(protocol, *results, pregnancy=False) == [expected]


def test_an_unclear_result_is_no_result(protocol: Protocol) -> None:
    results = work_up(ecg=WorkUpOutcome.UNKNOWN)
    assert found(protocol, *results) == [("NEED-ECG", REVIEW)]


@pytest.mark.parametrize(
    ("item", "valid_days"),
    [
        (WorkUpItem.PREGNANCY_TEST, 3),
        (WorkUpItem.URINE_DRUG_SCREEN, 14),
        (WorkUpItem.PRESCRIPTION_MONITORING, 7),
        (WorkUpItem.URINARY_SYMPTOMS, 30),
        (WorkUpItem.LIVER_FUNCTION, 90),
        (WorkUpItem.ECG, 182.5),
    ],
)
def test_results_expire(protocol: Protocol, item: WorkUpItem, valid_days: float) -> None:
    rest = work_up(**{item.name.lower(): None})
    for days, expected in ((valid_days, []), (valid_days + 0.1, [(f"NEED-{item.value.upper()}", REVIEW)])):
        aged = WorkUpResult(test=item, outcome=WorkUpOutcome.CLEAR, observed_at=days_ago(days))
        assert found(protocol, *rest, aged) == expected


def test_the_newest_result_counts_and_of_two_at_once_the_worse(protocol: Protocol) -> None:
    def positive(days: float) -> WorkUpResult:
        return WorkUpResult(
            test=WorkUpItem.PREGNANCY_TEST, outcome=WorkUpOutcome.ABNORMAL, observed_at=days_ago(days)
        )

    assert found(protocol, *work_up(), positive(1)) == []
    assert found(protocol, positive(1 / 24), *work_up()) == [("X17", REFUSE)]


def test_a_result_of_tomorrow_is_pointed_out_and_not_used(protocol: Protocol) -> None:
    tomorrow = WorkUpResult(test=WorkUpItem.ECG, outcome=WorkUpOutcome.CLEAR, observed_at=days_ago(-1))
    rules = [rule for rule, _ in found(protocol, *work_up(ecg=None), tomorrow)]
    assert rules == ["NEED-ECG", "NEED-ECG-TIME"]


def asked(protocol: Protocol, **changed: InstrumentSummary) -> list[tuple[str, Verdict]]:
    reasons = questionnaires(forms(**changed), BASELINE, protocol, NOW)
    return [(reason.rule, reason.verdict) for reason in reasons]


def test_complete_forms_are_no_reason(protocol: Protocol) -> None:
    assert asked(protocol) == []


def test_absent_incomplete_unscored_and_old_forms_are_missing(protocol: Protocol) -> None:
    assert [r.rule for r in questionnaires({}, ("phq-9",), protocol, NOW)] == ["NEED-PHQ-9"]
    incomplete = a_form("phq-9", complete=False, score=None, missing=("q9",))
    (reason,) = questionnaires({"phq-9": incomplete}, ("phq-9",), protocol, NOW)
    assert "q9" in reason.text
    assert asked(protocol, a=a_form("phq-9", score=None)) == [("NEED-PHQ-9", REVIEW)]
    assert asked(protocol, a=a_form("phq-9", completed_at=days_ago(14))) == []
    assert asked(protocol, a=a_form("phq-9", completed_at=days_ago(15))) == [("NEED-PHQ-9", REVIEW)]
    old = a_form("c-ssrs-screener", completed_at=days_ago(1.1))
    assert asked(protocol, a=old) == [("NEED-C-SSRS-SCREENER", REVIEW)]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (RiskLevel.NONE, []),
        (RiskLevel.LOW, [("X29", CAUTION)]),
        (RiskLevel.MODERATE, [("X29", REVIEW)]),
        (RiskLevel.HIGH, [("X29", REFUSE)]),
        (RiskLevel.UNKNOWN, [("NEED-SUICIDE-RISK", REVIEW)]),
        (None, [("NEED-SUICIDE-RISK", REVIEW)]),
    ],
)
def test_the_risk_of_suicide(
    protocol: Protocol, level: RiskLevel | None, expected: list[tuple[str, Verdict]]
) -> None:
    assert asked(protocol, a=a_form("c-ssrs-screener", risk_level=level)) == expected


@pytest.mark.parametrize(("item", "expected"), [(0, []), (1, [("X29", REVIEW)]), (3, [("X29", REVIEW)])])
def test_a_positive_suicide_item_is_reconciled_even_with_a_clear_screen(
    protocol: Protocol, item: int, expected: list[tuple[str, Verdict]]
) -> None:
    assert asked(protocol, a=a_form("phq-9", suicide_item=item)) == expected

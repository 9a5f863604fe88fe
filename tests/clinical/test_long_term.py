"""Which long-term checks are due, and what a finding asks for (§7.5)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.adverse_events import Duty
from clinical.long_term import CheckResult, SafetyCheck, checks_due, review_of
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.protocol_duties import CheckCode

FIRST = datetime(2026, 1, 5, 15, tzinfo=UTC)
DOSES = tuple(FIRST + timedelta(days=3 * number) for number in range(6))
SIXTH = DOSES[-1]


def a_check(code: CheckCode, at: datetime, result: CheckResult = CheckResult.NORMAL) -> SafetyCheck:
    return SafetyCheck(code=code, result=result, at=at)


def due(
    protocol: Protocol, *checks: SafetyCheck, doses: tuple[datetime, ...] = DOSES, now: datetime = SIXTH
) -> dict[CheckCode, datetime]:
    return {one.code: one.due_at for one in checks_due(doses, checks, protocol, now)}


def test_nothing_is_due_before_the_first_dose(protocol: Protocol) -> None:
    assert due(protocol, doses=()) == {}


def test_some_are_due_from_the_first_dose_and_the_others_from_the_sixth(protocol: Protocol) -> None:
    monthly = {CheckCode.URINARY_SYMPTOMS, CheckCode.SUBSTANCE_USE, CheckCode.PRESCRIPTION_MONITORING}
    assert due(protocol, doses=DOSES[:5], now=DOSES[4]) == dict.fromkeys(monthly, FIRST)
    rest = set(CheckCode) - monthly
    assert due(protocol) == dict.fromkeys(monthly, FIRST) | dict.fromkeys(rest, SIXTH)


def test_what_was_done_is_due_again_after_its_days_to_the_hour(protocol: Protocol) -> None:
    done = a_check(CheckCode.URINARY_SYMPTOMS, FIRST + timedelta(days=1))
    again = done.at + timedelta(days=28)
    assert CheckCode.URINARY_SYMPTOMS not in due(protocol, done, now=again - timedelta(seconds=1))
    assert due(protocol, done, now=again)[CheckCode.URINARY_SYMPTOMS] == again


def test_a_panel_from_before_the_sixth_dose_does_not_stand_for_the_one_after_it(protocol: Protocol) -> None:
    early = a_check(CheckCode.LIVER_PANEL, SIXTH - timedelta(hours=1))
    assert due(protocol, early)[CheckCode.LIVER_PANEL] == SIXTH
    assert CheckCode.LIVER_PANEL not in due(protocol, a_check(CheckCode.LIVER_PANEL, SIXTH))


def test_what_was_not_done_stays_due(protocol: Protocol) -> None:
    missed = a_check(CheckCode.LIVER_PANEL, SIXTH, CheckResult.NOT_DONE)
    assert due(protocol, missed)[CheckCode.LIVER_PANEL] == SIXTH


def test_urinary_symptoms_ask_for_a_urinalysis_at_once_and_once(protocol: Protocol) -> None:
    found = a_check(CheckCode.URINARY_SYMPTOMS, FIRST + timedelta(days=1), CheckResult.ABNORMAL)
    soon = found.at + timedelta(hours=1)
    assert due(protocol, found, doses=DOSES[:1], now=soon) == {
        CheckCode.URINALYSIS: found.at,
        CheckCode.SUBSTANCE_USE: FIRST,
        CheckCode.PRESCRIPTION_MONITORING: FIRST,
    }
    before = a_check(CheckCode.URINALYSIS, FIRST)
    assert CheckCode.URINALYSIS in due(protocol, found, before, doses=DOSES[:1], now=soon)
    since = a_check(CheckCode.URINALYSIS, soon)
    assert CheckCode.URINALYSIS not in due(protocol, found, since, doses=DOSES[:1], now=soon)


def test_each_says_whose_it_is_how_long_they_have_and_why(protocol: Protocol) -> None:
    [first, *_] = checks_due(DOSES[:1], (), protocol, FIRST)
    rule = next(rule for rule in protocol.long_term if rule.code is first.code)
    assert (first.owner, first.within_hours) == (rule.ask.owner, rule.ask.due_hours)
    assert first.reason.source.startswith("clinical facts §7.5")
    assert "first after dose 1" in first.reason.text


@pytest.mark.parametrize("result", [CheckResult.NORMAL, CheckResult.NOT_DONE])
def test_without_a_finding_nothing_follows(protocol: Protocol, result: CheckResult) -> None:
    assert review_of(a_check(CheckCode.LIVER_PANEL, FIRST, result), protocol) is None


@pytest.mark.parametrize("code", CheckCode)
def test_every_finding_is_the_prescribers_within_the_hours_of_its_check(
    protocol: Protocol, code: CheckCode
) -> None:
    found = review_of(a_check(code, FIRST, CheckResult.ABNORMAL), protocol)
    assert found is not None
    owed, words = found
    hours = next(rule.ask.due_hours for rule in protocol.long_term if rule.code is code)
    assert (owed.duty, owed.owner) == (Duty.REVIEW_SAFETY_CHECK, Role.PRESCRIBER)
    assert owed.due_at == FIRST + timedelta(hours=hours)
    assert words


def test_a_finding_the_protocol_does_not_ask_for_is_reviewed_at_once(protocol: Protocol) -> None:
    silent = protocol.model_copy(update={"long_term": ()})
    found = review_of(a_check(CheckCode.COGNITION, FIRST, CheckResult.ABNORMAL), silent)
    assert found is not None
    assert found[0].due_at == FIRST


CHECKS = st.builds(
    a_check,
    st.sampled_from(CheckCode),
    st.integers(0, 400 * 24).map(lambda hours: FIRST + timedelta(hours=hours)),
    st.sampled_from(CheckResult),
)


@given(st.lists(CHECKS, max_size=8), st.integers(0, 6), st.integers(0, 800), st.integers(0, 800))
def test_time_alone_never_takes_a_check_off_the_list(
    protocol: Protocol, checks: list[SafetyCheck], doses: int, days: int, more: int
) -> None:
    now = FIRST + timedelta(days=days)
    earlier = due(protocol, *checks, doses=DOSES[:doses], now=now)
    later = due(protocol, *checks, doses=DOSES[:doses], now=now + timedelta(days=more))
    assert earlier.items() <= later.items()
    assert all(at <= now for at in earlier.values())


@given(st.lists(CHECKS, max_size=8), CHECKS)
def test_what_was_not_done_changes_nothing(
    protocol: Protocol, checks: list[SafetyCheck], missed: SafetyCheck
) -> None:
    not_done = missed.model_copy(update={"result": CheckResult.NOT_DONE})
    now = FIRST + timedelta(days=500)
    assert due(protocol, *checks, not_done, now=now) == due(protocol, *checks, now=now)

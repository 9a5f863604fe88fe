"""What is done about somebody at risk, when a case may be closed, and what is owed afterwards (§6.2-§6.4)."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from clinical.caring_contacts import contact_counts, contacts_owed
from clinical.crisis_lines import HELP_NOW
from clinical.decision import Verdict
from clinical.instruments.answers import RiskLevel
from clinical.protocol import Protocol
from clinical.risk_actions import actions, in_words
from clinical.risk_disposition import Disposition
from clinical.risk_findings import concern, joined, staff_concern
from clinical.risk_ladder import page_at_last, pages
from clinical.safety_plan import SafetyPlan, is_serious, plan_in_hand, review_by

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


# ── what to do ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("level", "on_site", "first", "codes"),
    [
        (RiskLevel.HIGH, True, "stay", {"face-to-face", "remove-means", "no-discharge", "safety-plan"}),
        (RiskLevel.HIGH, False, "call", {"emergency-contact", "welfare-check", "safety-plan"}),
        (RiskLevel.UNKNOWN, True, "ask-again", {"assess", "safety-plan", "means"}),
        (RiskLevel.MODERATE, False, "assess", {"safety-plan", "means", "caring-contact"}),
        (RiskLevel.LOW, True, "review", {"offer-plan", "screen-again"}),
        (RiskLevel.NONE, True, "reconcile", {"dose-locked"}),
    ],
)
def test_every_level_has_something_to_do_and_keeps_the_dose_locked(
    level: RiskLevel, on_site: bool, first: str, codes: set[str]
) -> None:
    listed = actions(level, on_site, NOON)
    told = [action.code for action in listed]
    assert told[0] == first
    assert codes | {"dose-locked"} <= set(told)
    assert {action.by for action in listed} == {NOON, None}
    assert in_words(level, on_site) == "; ".join(action.text for action in listed)


def test_the_lines_that_help_now_are_in_every_language() -> None:
    for words in HELP_NOW.values():
        assert all(number in words for number in ("988", "741741", "911"))


# ── findings and pages ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("opened", "new", "leads"),
    [
        (RiskLevel.LOW, RiskLevel.HIGH, "new"),
        (RiskLevel.HIGH, RiskLevel.LOW, "opened"),
        (RiskLevel.HIGH, RiskLevel.HIGH, "opened"),
    ],
)
def test_the_worse_finding_leads_with_its_own_clock(opened: RiskLevel, new: RiskLevel, leads: str) -> None:
    first, second = staff_concern(opened, True, NOON), staff_concern(new, False, NOON + HOUR)
    case = joined(first, second)
    assert case.level is RiskLevel.HIGH
    assert case.found_at == (NOON + HOUR if leads == "new" else NOON)
    assert case.on_site
    assert case.reasons == first.reasons + second.reasons


def test_a_worry_without_a_level_has_the_protocols(protocol: Protocol) -> None:
    assert concern(None, False, NOON, protocol).level is RiskLevel.MODERATE
    assert concern(RiskLevel.HIGH, False, NOON, protocol).level is RiskLevel.HIGH


def test_who_could_not_page_for_hours_calls_each_role_once(protocol: Protocol) -> None:
    finding = staff_concern(RiskLevel.MODERATE, False, NOON)
    later = NOON + 6 * HOUR
    missed = [page for page in pages(finding, protocol, later) if page.at > NOON]
    page, rounds = page_at_last(finding, protocol, NOON, later)
    assert rounds == len(missed) > 1
    assert page.at == missed[-1].at
    assert len(page.roles) == len(set(page.roles))
    assert set(page.roles) == {role for one in missed for role in one.roles}


# ── the safety plan ─────────────────────────────────────────────────────────────────────────────────────────

PLAN, STAYS = Disposition.SAFETY_PLAN, Disposition.CONTINUED_WITH_MONITORING


@pytest.mark.parametrize(
    ("level", "disposition", "planned_at", "why", "verdict", "missing"),
    [
        (RiskLevel.LOW, STAYS, None, None, Verdict.PASS, False),
        (RiskLevel.LOW, PLAN, None, None, Verdict.REFUSE, True),
        (RiskLevel.HIGH, Disposition.HOSPITALISED, None, None, Verdict.PASS, False),
        (RiskLevel.MODERATE, STAYS, NOON, None, Verdict.PASS, False),
        (RiskLevel.UNKNOWN, PLAN, NOON + HOUR, None, Verdict.PASS, False),
        (RiskLevel.MODERATE, STAYS, NOON - HOUR, None, Verdict.REFUSE, False),
        (RiskLevel.MODERATE, STAYS, NOON - HOUR, "does not want one", Verdict.CAUTION, False),
        (RiskLevel.MODERATE, STAYS, None, "does not want one", Verdict.CAUTION, False),
        (RiskLevel.MODERATE, STAYS, None, " ", Verdict.REFUSE, True),
        (RiskLevel.UNKNOWN, STAYS, None, None, Verdict.REFUSE, True),
        (RiskLevel.MODERATE, PLAN, None, "a contradiction", Verdict.REFUSE, True),
    ],
)
def test_from_moderate_on_a_case_is_closed_with_a_plan_or_a_reason(
    level: RiskLevel,
    disposition: Disposition,
    planned_at: datetime | None,
    why: str | None,
    verdict: Verdict,
    missing: bool,
) -> None:
    decision = plan_in_hand(level, disposition, NOON, planned_at, why)
    assert (decision.verdict, bool(decision.missing)) == (verdict, missing)


def test_what_is_serious() -> None:
    serious = {level for level in RiskLevel if is_serious(level)}
    assert serious == {RiskLevel.MODERATE, RiskLevel.UNKNOWN, RiskLevel.HIGH}


def test_a_plan_has_six_parts_and_is_reviewed(protocol: Protocol) -> None:
    parts = dict.fromkeys(SafetyPlan.model_fields, ("something said",))
    assert len(SafetyPlan.model_validate(parts).model_dump()) == 6
    with pytest.raises(ValidationError):
        SafetyPlan.model_validate({**parts, "own_coping": (" ",)})
    assert review_by(NOON, protocol) == NOON + timedelta(days=90)


# ── contacts afterwards ─────────────────────────────────────────────────────────────────────────────────────


def test_two_contacts_follow_a_serious_case(protocol: Protocol) -> None:
    owed = contacts_owed(RiskLevel.MODERATE, STAYS, NOON, protocol)
    assert [(one.number, one.from_at - NOON) for one in owed] == [(1, 24 * HOUR), (2, 144 * HOUR)]
    early = contact_counts(owed[0], NOON + 23 * HOUR)
    assert (early.verdict, early.reasons[0].available_at) == (Verdict.REFUSE, owed[0].from_at)
    assert contact_counts(owed[0], owed[0].from_at).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("level", "disposition"),
    [
        (RiskLevel.LOW, STAYS),
        (RiskLevel.HIGH, Disposition.DIED),
        (RiskLevel.HIGH, Disposition.FALSE_POSITIVE_RECONCILED),
    ],
)
def test_where_no_contact_is_owed(level: RiskLevel, disposition: Disposition, protocol: Protocol) -> None:
    assert contacts_owed(level, disposition, NOON, protocol) == ()

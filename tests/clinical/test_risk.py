"""Risk: what opens a case, who is paged when, who may close it, and what never clears."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.instruments.answers import InstrumentId, Measurement
from clinical.instruments.registry import definition, score
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK, Role
from clinical.protocol import Protocol, Risk
from clinical.risk import (
    Disposition,
    RiskFinding,
    RiskLevel,
    acknowledge_by,
    blocks_dosing,
    cleared,
    finding,
    joined,
    ladder,
    may_acknowledge,
    may_resolve,
    mismatch,
    next_page,
    page_at_last,
    pages,
    staff_concern,
)
from clinical.risk_findings import SEVERITY
from tests.clinical.instruments.forms import (
    a_form,
    a_phq9,
    a_result,
    a_screen,
    complete_answers,
    partial_answers,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEVELS = st.sampled_from(RiskLevel)
Answers = tuple[InstrumentId, dict[str, int]]


def a_finding(level: RiskLevel, *, on_site: bool = False, at: datetime = NOON) -> RiskFinding:
    return RiskFinding(level=level, trigger="RISK-STAFF-CONCERN", on_site=on_site, found_at=at)


def with_risk(protocol: Protocol, **changes: object) -> Protocol:
    risk = Risk.model_validate(protocol.risk.model_dump() | changes)
    return protocol.model_copy(update={"risk": risk})


# What opens a case


@pytest.mark.parametrize("item9", [1, 2, 3])
def test_any_positive_item_9_opens_a_case_until_a_screen_is_done(protocol: Protocol, item9: int) -> None:
    found = finding(a_phq9(12, item9), None, True, NOON, protocol, source_ref="form-1")
    assert found is not None
    assert (found.level, found.trigger, found.on_site) == (RiskLevel.MODERATE, "RISK-ITEM-POSITIVE", True)
    assert (found.found_at, found.source_ref) == (NOON, "form-1")
    assert [reason.value for reason in found.reasons] == [str(item9)]


def test_a_complete_no_opens_none(protocol: Protocol) -> None:
    assert finding(a_phq9(12, 0), a_phq9(20, 3), False, NOON, protocol) is None
    assert finding(a_screen("0000000"), None, False, NOON, protocol) is None
    assert finding(a_result(InstrumentId.GAD7, *[3] * 7), None, False, NOON, protocol) is None


def test_a_missing_item_9_is_a_finding_of_its_own(protocol: Protocol) -> None:
    answers = a_form(InstrumentId.PHQ9, [0] * 9)
    del answers["q9"]
    found = finding(score(InstrumentId.PHQ9, answers), None, False, NOON, protocol)
    assert found is not None
    assert (found.level, found.trigger) == (RiskLevel.UNKNOWN, "RISK-ITEM-MISSING")
    assert found.reasons[0].missing


def test_a_rise_of_item_9_is_reviewed_even_where_it_is_not_yet_positive(protocol: Protocol) -> None:
    lenient = with_risk(protocol, item9_positive_from=2)
    found = finding(a_phq9(9, 1), a_phq9(9, 0), False, NOON, lenient)
    assert found is not None
    assert (found.level, found.trigger) == (RiskLevel.LOW, "RISK-ITEM-ROSE")
    assert found.reasons[0].verdict is Verdict.REVIEW
    assert finding(a_phq9(9, 1), a_phq9(9, 1), False, NOON, lenient) is None
    assert finding(a_phq9(9, 1), None, False, NOON, lenient) is None
    assert finding(a_phq9(9, 1), a_result(InstrumentId.GAD7, *[0] * 7), False, NOON, lenient) is None


def test_a_rise_from_an_unanswered_item_is_not_counted(protocol: Protocol) -> None:
    before = score(InstrumentId.PHQ9, {"q1": 0})
    assert finding(a_phq9(9, 1), before, False, NOON, with_risk(protocol, item9_positive_from=2)) is None


def test_every_reason_is_given_and_the_worst_leads(protocol: Protocol) -> None:
    found = finding(a_phq9(15, 2), a_phq9(15, 1), False, NOON, protocol)
    assert found is not None
    assert [reason.rule for reason in found.reasons] == ["RISK-ITEM-POSITIVE", "RISK-ITEM-ROSE"]
    assert found.trigger == "RISK-ITEM-POSITIVE"


@pytest.mark.parametrize(
    ("item", "level"), [(0, None), (1, RiskLevel.MODERATE), (2, RiskLevel.HIGH), (3, RiskLevel.HIGH)]
)
def test_qids_item_12(protocol: Protocol, item: int, level: RiskLevel | None) -> None:
    found = finding(a_result(InstrumentId.QIDS_SR16, *[0] * 11, item, *[0] * 4), None, False, NOON, protocol)
    assert (found.level if found else None) == level


@pytest.mark.parametrize(
    ("item", "level"), [(1, None), (2, RiskLevel.MODERATE), (3, RiskLevel.MODERATE), (4, RiskLevel.HIGH)]
)
def test_madrs_item_10(protocol: Protocol, item: int, level: RiskLevel | None) -> None:
    found = finding(a_result(InstrumentId.MADRS, *[0] * 9, item), None, False, NOON, protocol)
    assert (found.level if found else None) == level


@pytest.mark.parametrize(
    ("vector", "level", "trigger"),
    [
        ("1000000", RiskLevel.LOW, "RISK-CSSRS-LOW"),
        ("0000010", RiskLevel.MODERATE, "RISK-CSSRS-MODERATE"),
        ("0000001", RiskLevel.HIGH, "RISK-CSSRS-HIGH"),
    ],
)
def test_any_level_of_the_screen_opens_a_case(
    protocol: Protocol, vector: str, level: RiskLevel, trigger: str
) -> None:
    found = finding(a_screen(vector), None, False, NOON, protocol)
    assert found is not None
    assert (found.level, found.trigger) == (level, trigger)


def test_an_incomplete_screen_is_unknown_and_a_high_one_stays_high(protocol: Protocol) -> None:
    unknown = finding(score(InstrumentId.CSSRS, {"q1": 0}), None, False, NOON, protocol)
    high = finding(score(InstrumentId.CSSRS, {"q5": 1}), None, False, NOON, protocol)
    assert unknown is not None
    assert high is not None
    assert (unknown.level, unknown.trigger) == (RiskLevel.UNKNOWN, "RISK-CSSRS-INCOMPLETE")
    assert (high.level, high.trigger) == (RiskLevel.HIGH, "RISK-CSSRS-HIGH")
    assert [reason.rule for reason in high.reasons] == ["RISK-CSSRS-INCOMPLETE", "RISK-CSSRS-HIGH"]


def test_a_screen_without_a_level_is_unknown(protocol: Protocol) -> None:
    bare = a_screen("0000000").model_copy(update={"risk_level": None})
    found = finding(bare, None, False, NOON, protocol)
    assert found is not None
    assert found.level is RiskLevel.UNKNOWN
    assert "the level" in found.reasons[0].text


@given(form=partial_answers, before=st.none() | complete_answers)
def test_no_finding_means_a_spoken_no(protocol: Protocol, form: Answers, before: Answers | None) -> None:
    previous = None if before is None else score(*before)
    result = score(*form)
    found = finding(result, previous, False, NOON, protocol)
    item = definition(result.instrument).suicide_item
    if found is not None:
        assert found.level is not RiskLevel.NONE
        assert found.trigger in [reason.rule for reason in found.reasons]
        return
    if item is not None:
        assert result.suicide_item is not None
    if result.instrument is InstrumentId.CSSRS:
        assert result.complete
        assert result.risk_level is RiskLevel.NONE


def test_a_screen_without_risk_beside_a_positive_item_is_reconciled(protocol: Protocol) -> None:
    none, low = a_screen("0000000"), a_screen("1000000")
    found = mismatch(none, a_phq9(9, 1), False, NOON, protocol, source_ref="form-2")
    assert found is not None
    assert (found.level, found.trigger, found.source_ref) == (RiskLevel.LOW, "RISK-MISMATCH", "form-2")
    assert acknowledge_by(found, protocol) == NOON + timedelta(hours=24)
    assert mismatch(none, a_phq9(9, 0), False, NOON, protocol) is None
    assert mismatch(low, a_phq9(9, 1), False, NOON, protocol) is None
    assert mismatch(none, a_result(InstrumentId.GAD7, *[3] * 7), False, NOON, protocol) is None
    assert mismatch(none, score(InstrumentId.PHQ9, {"q1": 1}), False, NOON, protocol) is None


@pytest.mark.parametrize(
    ("given_level", "level"),
    [(None, RiskLevel.UNKNOWN), (RiskLevel.NONE, RiskLevel.UNKNOWN), (RiskLevel.HIGH, RiskLevel.HIGH)],
)
def test_a_worried_member_of_staff_opens_a_case(given_level: RiskLevel | None, level: RiskLevel) -> None:
    found = staff_concern(given_level, True, NOON, source_ref="note-1")
    assert (found.level, found.trigger, found.source_ref) == (level, "RISK-STAFF-CONCERN", "note-1")


@given(LEVELS, LEVELS, st.booleans(), st.booleans())
def test_a_joining_finding_never_makes_a_case_smaller(
    first: RiskLevel, second: RiskLevel, here: bool, there: bool
) -> None:
    opened = staff_concern(first, here, NOON)
    new = staff_concern(second, there, NOON + timedelta(hours=1))
    case = joined(opened, new)
    assert SEVERITY[case.level] == max(SEVERITY[opened.level], SEVERITY[new.level])
    assert case.reasons == opened.reasons + new.reasons
    assert case.on_site is (here or there)
    assert case.found_at == (new.found_at if SEVERITY[new.level] > SEVERITY[opened.level] else NOON)


# Clocks and pages


@pytest.mark.parametrize(
    ("level", "on_site", "minutes"),
    [
        (RiskLevel.HIGH, True, 5),
        (RiskLevel.HIGH, False, 15),
        (RiskLevel.MODERATE, True, 240),
        (RiskLevel.UNKNOWN, False, 240),
        (RiskLevel.LOW, False, 1440),
        (RiskLevel.NONE, False, 1440),
    ],
)
def test_deadlines(protocol: Protocol, level: RiskLevel, on_site: bool, minutes: int) -> None:
    assert acknowledge_by(a_finding(level, on_site=on_site), protocol) == NOON + timedelta(minutes=minutes)


def _minutes_of(steps: list[datetime]) -> list[float]:
    return [(at - NOON) / timedelta(minutes=1) for at in steps]


def test_the_ladder_keeps_the_protocols_waits_when_there_is_time(protocol: Protocol) -> None:
    steps = ladder(a_finding(RiskLevel.MODERATE), protocol)
    assert [step.page for step in steps] == [Role.THERAPIST, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR]
    assert _minutes_of([step.at for step in steps]) == [0, 10, 20]


def test_the_ladder_is_shortened_so_that_all_are_paged_before_the_deadline(protocol: Protocol) -> None:
    steps = ladder(a_finding(RiskLevel.HIGH, on_site=True), protocol)
    assert _minutes_of([step.at for step in steps]) == pytest.approx([0, 5 / 3, 10 / 3], abs=0.001)


def test_high_and_silent_pages_everyone_at_the_deadline_and_on(protocol: Protocol) -> None:
    everyone = (Role.THERAPIST, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    rounds = pages(a_finding(RiskLevel.HIGH), protocol, NOON + timedelta(minutes=80))
    assert _minutes_of([page.at for page in rounds]) == [0, 5, 10, 15, 45, 75]
    assert [page.roles for page in rounds] == [*((role,) for role in everyone), everyone, everyone, everyone]


def test_moderate_repeats_after_the_ladder_and_low_rests_until_its_deadline(protocol: Protocol) -> None:
    moderate = pages(a_finding(RiskLevel.UNKNOWN), protocol, NOON + timedelta(hours=5))
    low = pages(a_finding(RiskLevel.LOW), protocol, NOON + timedelta(hours=25))
    assert _minutes_of([page.at for page in moderate]) == [0, 10, 20, *range(30, 301, 30)]
    assert _minutes_of([page.at for page in low]) == [0, 10, 20, 1440, 1470, 1500]


@given(
    level=LEVELS,
    on_site=st.booleans(),
    waits=st.lists(st.integers(1, 600), min_size=2, max_size=5),
    deadline=st.integers(1, 3000),
    repeat=st.integers(15, 300),
)
def test_whatever_the_protocol_somebody_is_paged_at_once_before_at_and_after_the_deadline(
    protocol: Protocol, level: RiskLevel, on_site: bool, waits: list[int], deadline: int, repeat: int
) -> None:
    clinic = with_risk(
        protocol,
        ladder=[{"page": "nurse", "wait_minutes": wait} for wait in waits],
        repeat_page_minutes=repeat,
        **dict.fromkeys(
            ["high_on_site_minutes", "high_remote_minutes", "moderate_minutes", "low_minutes"], deadline
        ),
    )
    case = a_finding(level, on_site=on_site)
    due = acknowledge_by(case, clinic)
    rounds = pages(case, clinic, due + timedelta(minutes=repeat))
    times = [page.at for page in rounds]
    assert times[0] == NOON
    assert len([at for at in times if at < due]) >= len(waits)
    assert due in times
    assert times[-1] > due
    assert all(earlier < later for earlier, later in pairwise(times))
    assert all(page.roles for page in rounds)
    for earlier, later in (*pairwise(rounds[:8]), *pairwise(rounds[-2:])):
        assert next_page(case, clinic, earlier.at) == later


def test_no_page_before_the_finding_and_always_a_next_one(protocol: Protocol) -> None:
    case = a_finding(RiskLevel.HIGH)
    assert pages(case, protocol, NOON - timedelta(seconds=1)) == ()
    assert next_page(case, protocol, NOON - timedelta(days=1)).at == NOON
    assert next_page(case, protocol, NOON + timedelta(days=30)).at > NOON + timedelta(days=30)


def test_a_rung_that_was_missed_before_the_deadline_is_made_up_for_as_it_was(protocol: Protocol) -> None:
    case = a_finding(RiskLevel.MODERATE)
    second = next_page(case, protocol, NOON)
    assert NOON < second.at < acknowledge_by(case, protocol)
    assert page_at_last(case, protocol, NOON, second.at) == (second, 1)


def test_clocks_count_elapsed_time_over_a_change_of_clocks(protocol: Protocol) -> None:
    before = datetime(2026, 11, 1, 1, 50, tzinfo=ZoneInfo("America/New_York"))
    due = acknowledge_by(a_finding(RiskLevel.MODERATE, at=before), protocol)
    assert due.astimezone(UTC) - before.astimezone(UTC) == timedelta(minutes=240)


@pytest.mark.parametrize(("told_after", "by"), [(0, 240), (3, 243), (600, 840), (-5, 240)])
def test_what_is_told_late_can_be_taken_over_from_then_on(
    protocol: Protocol, told_after: int, by: int
) -> None:
    told_at = NOON + timedelta(minutes=told_after)
    due = acknowledge_by(a_finding(RiskLevel.MODERATE), protocol, told_at)
    assert due == NOON + timedelta(minutes=by)


@pytest.mark.parametrize("level", [RiskLevel.LOW, RiskLevel.MODERATE, RiskLevel.HIGH])
def test_a_year_that_was_typed_wrong_calls_everyone_as_any_other_does(
    protocol: Protocol, level: RiskLevel
) -> None:
    """To walk through each round of a century took half a minute, in which the engine gave the case up."""
    case = a_finding(level, at=NOON - timedelta(days=36_500))
    deadline, repeat = acknowledge_by(case, protocol), timedelta(minutes=30)
    page, rounds = page_at_last(case, protocol, case.found_at - timedelta(seconds=1), NOON)
    assert set(page.roles) == {rung.page for rung in protocol.risk.ladder}
    assert NOON - repeat < page.at <= NOON
    assert rounds == len(pages(case, protocol, deadline)) + (page.at - deadline) // repeat
    assert next_page(case, protocol, page.at).at == page.at + repeat


# Who may, and what stays shut


@pytest.mark.parametrize("role", Role)
def test_only_clinicians_acknowledge(role: Role) -> None:
    assert may_acknowledge(role).passes is (role in CLINICIANS)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("disposition", [*Disposition, None, "", "looked fine"])
def test_only_a_licensed_clinician_with_a_disposition_closes(role: Role, disposition: str | None) -> None:
    answer = may_resolve(role, disposition)
    known = disposition in list(Disposition)
    assert answer.passes is (role in LICENSED_TO_CLOSE_RISK and known)
    assert len(answer.objections) == (role not in LICENSED_TO_CLOSE_RISK) + (not known)


@given(st.none() | st.integers())
def test_dosing_is_open_only_at_a_known_zero(count: int | None) -> None:
    assert blocks_dosing(count).passes is (count == 0)
    assert bool(blocks_dosing(count).missing) is (count is None or count < 0)


def a_screened(vector: str, hours_ago: float = 1) -> Measurement:
    return Measurement(at=NOON - timedelta(hours=hours_ago), result=a_screen(vector))


@pytest.mark.parametrize(
    ("vector", "released", "verdict"),
    [
        ("0000000", False, Verdict.PASS),
        ("1100000", False, Verdict.CAUTION),
        ("1110000", False, Verdict.REFUSE),
        ("1110000", True, Verdict.CAUTION),
        ("0000001", True, Verdict.REFUSE),
    ],
)
def test_levels_at_the_gate(protocol: Protocol, vector: str, released: bool, verdict: Verdict) -> None:
    assert cleared(a_screened(vector), protocol, NOON, released=released).verdict is verdict


@pytest.mark.parametrize(("hours_ago", "passes"), [(0, True), (24, True), (24.01, False), (-0.01, False)])
def test_a_screen_expires_and_may_not_come_from_the_future(
    protocol: Protocol, hours_ago: float, passes: bool
) -> None:
    answer = cleared(a_screened("0000000", hours_ago), protocol, NOON)
    assert answer.passes is passes
    assert bool(answer.missing) is not passes


def test_no_screen_or_another_form_clears_nobody(protocol: Protocol) -> None:
    assert not cleared(None, protocol, NOON).passes
    phq9 = Measurement(at=NOON, result=a_phq9(0))
    assert cleared(phq9, protocol, NOON, released=True).missing == ("RISK-SCREEN",)


def test_a_screen_that_claims_none_but_is_incomplete_clears_nobody(protocol: Protocol) -> None:
    torn = a_screen("0000000").model_copy(update={"complete": False})
    assert not cleared(Measurement(at=NOON, result=torn), protocol, NOON).passes
    bare = a_screen("0000000").model_copy(update={"risk_level": None})
    assert not cleared(Measurement(at=NOON, result=bare), protocol, NOON).passes


@given(form=partial_answers, age=st.floats(-100, 100), released=st.booleans())
def test_unknown_and_high_are_never_cleared(
    protocol: Protocol, form: Answers, age: float, released: bool
) -> None:
    result = score(*form)
    answer = cleared(
        Measurement(at=NOON - timedelta(hours=age), result=result), protocol, NOON, released=released
    )
    if result.instrument is not InstrumentId.CSSRS or result.risk_level in (
        RiskLevel.HIGH,
        RiskLevel.UNKNOWN,
    ):
        assert not answer.passes


@given(vectors=st.lists(st.just("0000000"), max_size=5), cases=st.integers(1, 5))
def test_later_negatives_never_open_the_gate_of_an_open_case(
    protocol: Protocol, vectors: list[str], cases: int
) -> None:
    """However many negative screens come in, the count of open cases is what it was."""
    case = a_finding(RiskLevel.HIGH)
    for vector in vectors:
        assert finding(a_screen(vector), None, True, NOON, protocol) is None
        assert not (cleared(a_screened(vector), protocol, NOON) + blocks_dosing(cases)).passes
        assert next_page(case, protocol, NOON + timedelta(days=1)) is not None

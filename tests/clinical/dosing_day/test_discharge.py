"""Nobody goes home too early, on a score alone, or alone (H5, H6, F14)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.discharge import (
    NEVER_OVERRIDDEN,
    Criterion,
    DischargeFacts,
    observation_ends,
    override_allowed,
    ready_for_discharge,
)
from clinical.instruments.answers import RiskLevel
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.vitals import Symptom
from tests.clinical.dosing_day.builders import (
    NOW,
    a_check,
    a_reading,
    ago,
    for_esketamine,
    recovered,
    refusals,
    verdicts,
)


def test_recovered_and_every_criterion_answered(protocol: Protocol) -> None:
    decision = ready_for_discharge(recovered(), protocol, NOW)
    assert [reason.rule for reason in decision.reasons] == list(Criterion)
    assert decision.verdict is Verdict.PASS


def test_nine_of_ten_but_unsteady_stays(protocol: Protocol) -> None:
    checks = (a_check(20), a_check(5, ambulation=1))
    decision = ready_for_discharge(recovered(recovery_checks=checks), protocol, NOW)
    assert checks[1].padss.total == 9
    assert refusals(decision) == {Criterion.AMBULATION}


@pytest.mark.parametrize(
    ("changes", "unmet"),
    [
        ({"recovery_checks": (a_check(19), a_check(5))}, {Criterion.PADSS}),
        ({"recovery_checks": (a_check(5),)}, {Criterion.PADSS}),
        ({"recovery_checks": ()}, {Criterion.PADSS, Criterion.AMBULATION}),
        ({"recovery_checks": (a_check(40), a_check(20, pain=0), a_check(5))}, {Criterion.PADSS}),
        ({"recovery_checks": (a_check(90), a_check(5))}, {Criterion.PADSS}),
        ({"recovery_checks": (a_check(20), a_check(5), a_check(-20))}, set()),
        ({"recovery_checks": (a_check(20), a_check(12), a_check(5))}, set()),
        (
            {"recovery_checks": (a_check(20, vital_signs=0, bleeding=2), a_check(5, vital_signs=1))},
            {Criterion.PADSS},
        ),
        ({"recovery_checks": (a_check(20, vital_signs=1), a_check(5, vital_signs=1))}, set()),
        ({"moaas": 4}, {Criterion.SEDATION}),
        ({"moaas": 6}, {Criterion.SEDATION}),
        ({"oriented": False}, {Criterion.ORIENTATION}),
        ({"cadss6": 3}, {Criterion.DISSOCIATION}),
        ({"cadss6": 3, "baseline_cadss6": 1}, set()),
        ({"cadss6": 20, "clinician_attests_dissociation": True}, set()),
        ({"baseline_cadss6": None}, {Criterion.DISSOCIATION}),
        ({"last_reading": a_reading(160, 80, taken_at=ago(minutes=5))}, {Criterion.VITALS}),
        ({"last_reading": a_reading(159, 99, taken_at=ago(minutes=5))}, set()),
        ({"last_reading": a_reading(taken_at=ago(minutes=26))}, {Criterion.VITALS}),
        ({"last_reading": a_reading(taken_at=NOW + timedelta(minutes=3))}, {Criterion.VITALS}),
        ({"last_reading": a_reading(80, 90, taken_at=ago(minutes=5))}, {Criterion.VITALS}),
        (
            {"last_reading": a_reading(symptoms={Symptom.CONFUSION}, taken_at=ago(minutes=5))},
            {Criterion.VITALS},
        ),
        (
            {"last_reading": a_reading(respiratory_rate_per_min=None, moaas=None, taken_at=ago(minutes=5))},
            set(),
        ),
        ({"spo2_on_room_air": 93.9}, {Criterion.OXYGEN}),
        ({"suicide_level": RiskLevel.HIGH}, {Criterion.SUICIDALITY}),
        ({"suicide_level": RiskLevel.UNKNOWN}, {Criterion.SUICIDALITY}),
        ({"escort_present": False}, {Criterion.ESCORT}),
        ({"instructions_given": False}, {Criterion.INSTRUCTIONS}),
        ({"prescriber_on_site_throughout": False}, {Criterion.PRESCRIBER}),
        ({"signed_off_by": Role.COORDINATOR}, {Criterion.SIGN_OFF}),
        ({"signed_off_by": Role.SYSTEM}, {Criterion.SIGN_OFF}),
        ({"started_at": ago(minutes=99)}, {Criterion.MINIMUM_TIME}),
        ({"extended": True}, {Criterion.MINIMUM_TIME}),
        ({"extended": None}, {Criterion.MINIMUM_TIME}),
        (
            {"ended_at": ago(minutes=59), "recovery_checks": (a_check(20), a_check(5))},
            {Criterion.MINIMUM_TIME},
        ),
        ({"ended_at": ago(minutes=121)}, {Criterion.DOSE_ENDED}),
        (
            {"ended_at": None},
            {
                Criterion.DOSE_ENDED,
                Criterion.MINIMUM_TIME,
                Criterion.PADSS,
                Criterion.AMBULATION,
                Criterion.VITALS,
            },
        ),
    ],
)
def test_what_is_unmet(changes: dict[str, Any], unmet: set[str], protocol: Protocol) -> None:
    assert refusals(ready_for_discharge(recovered(**changes), protocol, NOW)) == unmet


def test_moderate_risk_goes_home_with_a_caution(protocol: Protocol) -> None:
    decision = ready_for_discharge(recovered(suicide_level=RiskLevel.MODERATE), protocol, NOW)
    assert verdicts(decision)[Criterion.SUICIDALITY] is Verdict.CAUTION
    assert decision.passes


def test_a_protocol_may_do_without_the_prescriber(protocol: Protocol) -> None:
    remote = protocol.monitoring.model_copy(update={"prescriber_on_site": False})
    facts = recovered(prescriber_on_site_throughout=None)
    assert ready_for_discharge(facts, protocol.model_copy(update={"monitoring": remote}), NOW).passes


@pytest.mark.parametrize(
    ("changes", "criterion", "minutes"),
    [
        ({"started_at": ago(minutes=90)}, Criterion.MINIMUM_TIME, 10),
        ({"recovery_checks": (a_check(12), a_check(5))}, Criterion.PADSS, 10),
        ({"recovery_checks": ()}, Criterion.PADSS, 15),
        ({"recovery_checks": (a_check(5, pain=0),)}, Criterion.PADSS, 15),
    ],
)
def test_when_an_unmet_criterion_could_be_met(
    changes: dict[str, Any], criterion: Criterion, minutes: float, protocol: Protocol
) -> None:
    decision = ready_for_discharge(recovered(**changes), protocol, NOW)
    (reason,) = [reason for reason in decision.objections if reason.rule == criterion]
    assert reason.available_at == NOW + timedelta(minutes=minutes)


def test_knowing_nothing_everything_is_missing(protocol: Protocol) -> None:
    decision = ready_for_discharge(DischargeFacts(started_at=ago(hours=5)), protocol, NOW)
    assert refusals(decision) == set(Criterion) == set(decision.missing)


def test_the_minimum_across_the_change_of_clocks_is_elapsed_time(protocol: Protocol) -> None:
    start = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    facts = DischargeFacts(started_at=start, ended_at=start, extended=False)
    ends = observation_ends(facts, for_esketamine(protocol))
    assert ends == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)


@given(
    started=st.integers(0, 600),
    ended=st.none() | st.integers(0, 600),
    longer=st.integers(0, 600),
    extended=st.sampled_from([None, True, False]),
    wait=st.integers(0, 900),
)
def test_nothing_shortens_an_observation(
    protocol: Protocol, started: int, ended: int | None, longer: int, extended: bool | None, wait: int
) -> None:
    start = ago(minutes=started)
    end = None if ended is None else start + timedelta(minutes=ended)
    facts = recovered(started_at=start, ended_at=end, extended=extended)
    until = observation_ends(facts, protocol)
    now = NOW + timedelta(minutes=wait)
    decision = ready_for_discharge(facts, protocol, now)
    if until is None:
        assert verdicts(decision)[Criterion.MINIMUM_TIME] is Verdict.REFUSE
        return
    assert end is not None
    assert until >= start + timedelta(minutes=100)
    assert (verdicts(decision)[Criterion.MINIMUM_TIME] is Verdict.REFUSE) == (now < until)
    later_end = facts.model_copy(update={"ended_at": end + timedelta(minutes=longer)})
    at_risk = facts.model_copy(update={"extended": True})
    for worse in (later_end, at_risk):
        worse_until = observation_ends(worse, protocol)
        assert worse_until is not None
        assert worse_until >= until


WILD = st.fixed_dictionaries(
    {},
    optional={
        "ended_at": st.none() | st.integers(-10, 130).map(lambda minutes: ago(minutes=minutes)),
        "extended": st.sampled_from([None, True, False]),
        "recovery_checks": st.lists(
            st.builds(a_check, st.integers(-10, 130), ambulation=st.integers(0, 2), pain=st.integers(0, 2)),
            max_size=4,
        ).map(tuple),
        "moaas": st.none() | st.integers(),
        "oriented": st.none() | st.booleans(),
        "cadss6": st.none() | st.integers(0, 24),
        "baseline_cadss6": st.none() | st.integers(0, 24),
        "clinician_attests_dissociation": st.none() | st.booleans(),
        "last_reading": st.none()
        | st.builds(
            a_reading,
            st.integers(60, 220),
            taken_at=st.integers(-10, 130).map(lambda minutes: ago(minutes=minutes)),
        ),
        "spo2_on_room_air": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "suicide_level": st.none() | st.sampled_from(RiskLevel),
        "signed_off_by": st.none() | st.sampled_from(Role),
    },
).map(lambda changes: recovered(**changes))
MAY_BE_UNKNOWN = [name for name, field in DischargeFacts.model_fields.items() if field.default is None]


@given(WILD, st.sampled_from(MAY_BE_UNKNOWN), st.sampled_from(Role), st.text())
def test_making_a_value_unknown_never_lets_anyone_go(
    protocol: Protocol, facts: DischargeFacts, name: str, role: Role, reason: str
) -> None:
    before = ready_for_discharge(facts, protocol, NOW)
    after = ready_for_discharge(facts.model_copy(update={name: None}), protocol, NOW)
    assert refusals(before) <= refusals(after)
    assert override_allowed(role, reason, before, protocol).passes <= (role is Role.PRESCRIBER)


def test_a_prescriber_overrides_with_a_reason_and_it_is_reported(protocol: Protocol) -> None:
    unmet = ready_for_discharge(recovered(started_at=ago(minutes=90), cadss6=5), protocol, NOW)
    decision = override_allowed(Role.PRESCRIBER, "awake since 20 min, lives next door", unmet, protocol)
    assert decision.passes
    reported = {reason.rule for reason in decision.reasons if reason.verdict is Verdict.CAUTION}
    assert reported == {Criterion.MINIMUM_TIME, Criterion.DISSOCIATION}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PRESCRIBER])
def test_nobody_else_overrides(role: Role, protocol: Protocol) -> None:
    unmet = ready_for_discharge(recovered(cadss6=5), protocol, NOW)
    assert refusals(override_allowed(role, "because", unmet, protocol)) == {"OVERRIDE-ROLE"}


def test_no_override_without_a_reason(protocol: Protocol) -> None:
    unmet = ready_for_discharge(recovered(cadss6=5), protocol, NOW)
    assert refusals(override_allowed(Role.PRESCRIBER, "  \n", unmet, protocol)) == {"OVERRIDE-REASON"}


def test_esketamine_never_before_120_minutes(protocol: Protocol) -> None:
    label = for_esketamine(protocol)
    facts = recovered(started_at=ago(minutes=119), ended_at=ago(minutes=109))
    unmet = ready_for_discharge(facts, label, NOW)
    assert refusals(unmet) == {Criterion.MINIMUM_TIME}
    assert refusals(override_allowed(Role.PRESCRIBER, "in a hurry", unmet, label)) == {Criterion.MINIMUM_TIME}
    assert ready_for_discharge(facts, label, NOW + timedelta(minutes=1)).passes


@pytest.mark.parametrize(
    ("changes", "criterion"),
    [
        ({"escort_present": False}, Criterion.ESCORT),
        ({"suicide_level": RiskLevel.HIGH}, Criterion.SUICIDALITY),
        ({"ended_at": None}, Criterion.DOSE_ENDED),
    ],
)
def test_what_no_reason_makes_safe(changes: dict[str, Any], criterion: Criterion, protocol: Protocol) -> None:
    unmet = ready_for_discharge(recovered(**changes), protocol, NOW)
    assert criterion in refusals(override_allowed(Role.PRESCRIBER, "because", unmet, protocol))
    assert criterion in NEVER_OVERRIDDEN


def test_an_attestation_is_named_as_such(protocol: Protocol) -> None:
    def dissociation(**changes: Any) -> str:
        decision = ready_for_discharge(recovered(**changes), protocol, NOW)
        assert decision.missing == ()
        (reason,) = (reason for reason in decision.reasons if reason.rule == Criterion.DISSOCIATION)
        return reason.text

    assert "attested" in dissociation(cadss6=None, clinician_attests_dissociation=True)
    assert "attested" in dissociation(cadss6=9, clinician_attests_dissociation=True)
    assert "attested" not in dissociation(clinician_attests_dissociation=True)
    assert "attested" not in dissociation(cadss6=9)


def test_an_unmeasured_dissociation_is_missing(protocol: Protocol) -> None:
    for unknown in ({"cadss6": None}, {"baseline_cadss6": None}):
        decision = ready_for_discharge(recovered(**unknown), protocol, NOW)
        assert decision.missing == (Criterion.DISSOCIATION,)


def test_a_check_made_right_now_counts(protocol: Protocol) -> None:
    facts = recovered(recovery_checks=(a_check(80), a_check(0)))
    assert ready_for_discharge(facts, protocol, NOW).passes

"""Green, amber or red before the visit (F9)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Verdict
from clinical.protocol import Protocol
from clinical.readiness import Light, ReadinessAnswers, answers_refused, readiness, with_earlier
from tests.clinical.dosing_day.builders import for_esketamine, verdicts

READY: dict[str, Any] = {
    "escort_name_present": True,
    "escort_phone": "+1 212 555 0147",
    "patient_phone": "(212) 555-0100",
    "escort_confirmed": True,
    "will_fast": True,
    "will_avoid_substances": True,
    "medication_changes": False,
    "illness": False,
    "pregnancy_possible": False,
    "consent_in_force": True,
}
ORDER = {Light.GREEN: 0, Light.AMBER: 1, Light.RED: 2}


def answers(**changes: Any) -> ReadinessAnswers:
    return ReadinessAnswers.model_validate({**READY, **changes})


@pytest.mark.parametrize("hours", [72, 24, 2, 0, -1])
def test_all_answered_and_well_is_green(hours: float, protocol: Protocol) -> None:
    assert readiness(answers(), hours, protocol).light is Light.GREEN


@pytest.mark.parametrize(
    ("hours", "light", "verdict"),
    [
        (72, Light.AMBER, Verdict.CAUTION),
        (24.1, Light.AMBER, Verdict.CAUTION),
        (24, Light.AMBER, Verdict.REVIEW),
        (2.1, Light.AMBER, Verdict.REVIEW),
        (2, Light.RED, Verdict.REFUSE),
        (float("nan"), Light.RED, Verdict.REFUSE),
    ],
)
def test_silence_turns_into_work_and_then_red(
    hours: float, light: Light, verdict: Verdict, protocol: Protocol
) -> None:
    state = readiness(None, hours, protocol)
    assert (state.light, state.decision.verdict) == (light, verdict)
    assert set(state.decision.missing) == set(verdicts(state.decision))


@pytest.mark.parametrize(
    "phone", ["", "  ", "n/a", "12345", "2125550100", "+1 (212) 555-0100", "001 212 555 0100"]
)
def test_an_escort_without_a_phone_of_their_own_is_a_fault(phone: str, protocol: Protocol) -> None:
    given_answers = answers(escort_phone=phone)
    assert [fault.field for fault in answers_refused(given_answers)] == ["escort_phone"]
    assert readiness(given_answers, 72, protocol).light is Light.RED


def test_a_phone_that_cannot_be_compared_is_amber_and_never_red(protocol: Protocol) -> None:
    for hours in (72, 24, 2, 0):
        state = readiness(answers(patient_phone=None), hours, protocol)
        assert state.light is Light.AMBER


@pytest.mark.parametrize(
    ("changes", "early", "last"),
    [
        ({"escort_name_present": False}, Light.RED, Light.RED),
        ({"consent_in_force": False}, Light.RED, Light.RED),
        ({"escort_confirmed": False}, Light.AMBER, Light.RED),
        ({"will_fast": False}, Light.AMBER, Light.RED),
        ({"will_avoid_substances": False}, Light.AMBER, Light.RED),
        ({"illness": True}, Light.AMBER, Light.RED),
        ({"medication_changes": True}, Light.AMBER, Light.AMBER),
        ({"pregnancy_possible": True}, Light.AMBER, Light.AMBER),
    ],
)
def test_a_problem(changes: dict[str, Any], early: Light, last: Light, protocol: Protocol) -> None:
    assert readiness(answers(**changes), 72, protocol).light is early
    assert readiness(answers(**changes), 2, protocol).light is last


def test_esketamine_asks_for_enrolment(protocol: Protocol) -> None:
    label = for_esketamine(protocol)
    assert readiness(answers(rems_enrolled=True), 2, label).light is Light.GREEN
    assert readiness(answers(rems_enrolled=False), 72, label).light is Light.RED
    assert readiness(answers(), 2, label).light is Light.RED


def test_a_protocol_with_one_check_only_has_a_last_one(protocol: Protocol) -> None:
    once = protocol.readiness.model_copy(update={"checks_hours_before": (12,)})
    single = protocol.model_copy(update={"readiness": once})
    assert readiness(None, 13, single).light is Light.AMBER
    assert readiness(None, 12, single).light is Light.RED


YES_NO = st.none() | st.booleans()
ANY_ANSWERS = st.builds(
    ReadinessAnswers,
    **{name: YES_NO for name in READY if not name.endswith("_phone")},
    escort_phone=st.none() | st.text(),
    patient_phone=st.none() | st.text(),
    rems_enrolled=YES_NO,
)


@given(ANY_ANSWERS, st.floats(), st.floats(0, 100), st.sampled_from(sorted(READY)))
def test_silence_is_never_greener_at_the_last_check(
    protocol: Protocol, given_answers: ReadinessAnswers, anything: float, hours: float, name: str
) -> None:
    assert readiness(given_answers, anything, protocol).decision.reasons
    silent = given_answers.model_copy(update={name: None})
    assert ORDER[readiness(silent, 2, protocol).light] >= ORDER[readiness(given_answers, 2, protocol).light]
    assert (
        ORDER[readiness(given_answers, 2, protocol).light]
        >= ORDER[readiness(given_answers, hours, protocol).light]
    )


def test_what_was_not_asked_now_stays_as_it_was() -> None:
    before = ReadinessAnswers(rems_enrolled=True, illness=True)
    assert with_earlier(ReadinessAnswers(illness=False, will_fast=True), before) == ReadinessAnswers(
        rems_enrolled=True, illness=False, will_fast=True
    )

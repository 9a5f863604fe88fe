"""Preparation before, integration after, two people (§4, F15)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.people import Role
from clinical.protocol import Protocol
from clinical.therapy import (
    integration_due,
    integration_record_refused,
    integration_state,
    preparation_complete,
    separate_people,
)
from tests.clinical.dosing_day.builders import NOW, ago, refusals


@pytest.mark.parametrize(
    ("days_before", "unmet"),
    [
        ([20, 14], set()),
        ([20, 14.1], {"THERAPY-PREPARATION-RECENT"}),
        ([3], {"THERAPY-PREPARATION"}),
        ([3, -1], {"THERAPY-PREPARATION"}),
        ([], {"THERAPY-PREPARATION", "THERAPY-PREPARATION-RECENT"}),
        ([0, 0], set()),
    ],
)
def test_preparation(days_before: list[float], unmet: set[str], protocol: Protocol) -> None:
    held = [ago(days=days) for days in days_before]
    assert refusals(preparation_complete(held, NOW, protocol)) == unmet


def test_a_protocol_may_ask_for_no_preparation(protocol: Protocol) -> None:
    none = protocol.therapy.model_copy(update={"preparation_sessions": 0})
    assert preparation_complete([], NOW, protocol.model_copy(update={"therapy": none})).passes


def test_the_integration_window(protocol: Protocol) -> None:
    window = integration_due(NOW, protocol)
    assert [(at - NOW) / timedelta(hours=1) for at in window] == [24, 72, 168]


@pytest.mark.parametrize(
    ("hours_since_dose", "overdue", "blocks"), [(72, False, False), (72.1, True, False), (168, True, True)]
)
def test_an_integration_not_held(
    hours_since_dose: float, overdue: bool, blocks: bool, protocol: Protocol
) -> None:
    state = integration_state(ago(hours=hours_since_dose), None, None, NOW, protocol)
    assert (state.held, state.overdue, state.blocks_next_dose) == (False, overdue, blocks)


@pytest.mark.parametrize(
    ("held_after_hours", "held", "early"),
    [(24, True, False), (23, True, True), (-1, False, False), (201, False, False)],
)
def test_an_integration_held(held_after_hours: float, held: bool, early: bool, protocol: Protocol) -> None:
    dose_at = ago(hours=200)
    held_at = dose_at + timedelta(hours=held_after_hours)
    state = integration_state(dose_at, held_at, None, NOW, protocol)
    assert (state.held, state.early, state.blocks_next_dose) == (held, early, not held)


@pytest.mark.parametrize("role", Role)
def test_only_the_therapist_waives(role: Role, protocol: Protocol) -> None:
    state = integration_state(ago(days=8), None, role, NOW, protocol)
    assert state.waived == (role is Role.THERAPIST)
    assert state.blocks_next_dose != state.waived


@given(st.integers(0, 1000), st.none() | st.integers(0, 1000), st.integers(0, 1000))
def test_time_never_unblocks_a_dose(protocol: Protocol, dose: int, held: int | None, later: int) -> None:
    held_at = None if held is None else ago(hours=held)
    state = integration_state(ago(hours=dose), held_at, None, NOW, protocol)
    afterwards = integration_state(ago(hours=dose), held_at, None, NOW + timedelta(hours=later), protocol)
    assert state.blocks_next_dose <= afterwards.blocks_next_dose


def test_an_integration_needs_a_therapist_and_a_note() -> None:
    assert integration_record_refused("t1", "talked about the sea") == ()
    assert [fault.field for fault in integration_record_refused(None, " ")] == ["therapist_id", "note"]


@pytest.mark.parametrize(
    ("therapist", "prescriber", "separate"),
    [("t1", "p1", True), ("t1", "t1", False), ("t1", " t1", False), (None, "p1", False), ("t1", "", False)],
)
def test_therapist_and_prescriber_are_two_people(
    therapist: str | None, prescriber: str | None, separate: bool
) -> None:
    assert separate_people(therapist, prescriber).passes == separate

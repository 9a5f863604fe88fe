"""What becomes of a reservation when the record says how its visit stands?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinical.booking_reconcile import CONFIRMED_WITHIN, Outcome, Visit, outcome

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = NOW + timedelta(days=1)


def a_visit(**given: Any) -> Visit:
    values: dict[str, Any] = {
        "journey_id": "j",
        "session": 1,
        "booking_status": "booked",
        "starts_at": AT,
        "ends_at": AT + timedelta(hours=3),
        "room": "room-1",
        "gone_home": False,
        "over": False,
    }
    return Visit.model_validate({**values, **given})


def found(visit: Visit | None, since: datetime | None = None, replaced: bool = False) -> Outcome:
    return outcome(
        starts_at=AT, room="room-1", confirming_since=since, being_replaced=replaced, visit=visit, now=NOW
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Outcome.KEEP),
        ({"booking_status": "checked-in"}, Outcome.KEEP),
        ({"starts_at": AT + timedelta(hours=1)}, Outcome.MOVED),
        ({"room": "room-2"}, Outcome.MOVED),
        ({"booking_status": "cancelled"}, Outcome.CANCELLED),
        ({"booking_status": "noshow"}, Outcome.NOSHOW),
        ({"booking_status": "fulfilled"}, Outcome.FULFILLED),
        ({"booking_status": "checked-in", "gone_home": True}, Outcome.FULFILLED),
        ({"over": True}, Outcome.CANCELLED),
    ],
)
def test_a_booked_time_follows_its_visit(given: dict[str, Any], expected: Outcome) -> None:
    assert found(a_visit(**given)) is expected


def test_a_visit_that_the_record_does_not_have_keeps_its_time() -> None:
    assert found(None) is Outcome.KEEP


def test_while_another_time_is_being_confirmed_the_old_one_waits() -> None:
    assert found(a_visit(starts_at=AT + timedelta(hours=1)), replaced=True) is Outcome.KEEP


def test_a_claim_is_booked_when_the_record_has_it_and_given_back_when_nobody_finished_it() -> None:
    long_ago = NOW - CONFIRMED_WITHIN - timedelta(seconds=1)
    assert found(a_visit(), since=long_ago) is Outcome.BOOK
    elsewhere = a_visit(starts_at=None)
    assert found(elsewhere, since=NOW - CONFIRMED_WITHIN) is Outcome.KEEP
    assert found(elsewhere, since=long_ago) is Outcome.NOT_CONFIRMED
    assert found(None, since=long_ago) is Outcome.NOT_CONFIRMED
    assert found(a_visit(booking_status="cancelled"), since=NOW) is Outcome.CANCELLED


@pytest.mark.parametrize("since", [None, NOW, NOW - 2 * CONFIRMED_WITHIN])
@pytest.mark.parametrize("visit", [None, a_visit(), a_visit(room="another"), a_visit(gone_home=True)])
def test_what_stays_though_nothing_replaces_it_stays_while_something_does(
    visit: Visit | None, since: datetime | None
) -> None:
    """Whoever looks first without knowing of other times relies on it."""
    if found(visit, since) is Outcome.KEEP:
        assert found(visit, since, replaced=True) is Outcome.KEEP

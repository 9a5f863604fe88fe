"""Does a course go on by the protocol that it began with, though that is older than a section of today's?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from clinical.booking import visit_plan
from clinical.people import CLINICIANS, Role
from clinical.protocol import Protocol
from clinical.protocol_desk import BOOKING_BEFORE, ESCALATION_BEFORE, INBOX_BEFORE
from clinical.protocol_diff import told
from tests.clinical.protocols.documents import changed, pointers, shipped

LATER: tuple[tuple[str, Any], ...] = (
    ("/booking", ...),
    ("/inbox", ...),
    ("/escalation", ...),
    ("/labels/~1booking", ...),
    ("/labels/~1inbox", ...),
    ("/labels/~1escalation", ...),
    ("/version", "1.0.0"),
)
SIGNED_THEN = "c5c6d41ff6f109c74e0e0992d31b83ed258e71a13f8e4b1ac3c4188ab50d9dfc"
"""The hash under which the shipped protocol of then was published, and stands in the record of its courses."""


def the_one_of_then() -> Protocol:
    return Protocol.model_validate(changed("iv-racemic", *LATER))


def test_a_snapshot_of_then_is_read_and_its_hash_is_what_it_was() -> None:
    old = the_one_of_then()
    assert old.content_hash == SIGNED_THEN
    again = Protocol.model_validate_json(old.model_dump_json())  # through the engine, and out of the database
    assert (again, again.content_hash) == (old, SIGNED_THEN)


def test_its_course_goes_on_with_the_numbers_of_then() -> None:
    old, today = the_one_of_then(), shipped("iv-racemic")
    then = (BOOKING_BEFORE, INBOX_BEFORE, ESCALATION_BEFORE)
    assert (old.of_booking, old.of_inbox, old.of_escalation) == then
    assert (today.booking, today.inbox, today.escalation) == then  # the shipped ones say the same
    at = datetime(2026, 6, 2, 13, tzinfo=UTC)
    assert visit_plan(old, at) == visit_plan(today, at)


def test_nobody_publishes_one_like_it_again() -> None:
    assert pointers("iv-racemic", *LATER) == {"/booking", "/inbox", "/escalation"}


def test_what_a_new_version_says_for_the_first_time_is_told() -> None:
    difference = told(the_one_of_then(), shipped("iv-racemic"))
    assert "an earlier time is kept for them for: absent -> 60 min (/booking/offer_minutes)" in difference
    assert "words of crisis are answered within: absent -> 15 min (/inbox/crisis_minutes)" in difference


def test_what_is_owed_too_long_goes_up_until_the_medical_director_hears_of_it() -> None:
    escalation = shipped("iv-racemic").of_escalation
    assert escalation.above(Role.NURSE) is escalation.above(Role.THERAPIST) is Role.PRESCRIBER
    for role in (*CLINICIANS, Role.COORDINATOR):
        assert escalation.above(escalation.above(role)) is Role.MEDICAL_DIRECTOR

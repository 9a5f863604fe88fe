"""Can any calendar read the file, does it follow a visit that moves, and does it say nothing about anybody?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.booking.calendar import calendar, escaped, folded
from services.booking.interface import BookingView

AT = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30 in New York, for the first time that day
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=200)


def a_booking(**given: Any) -> BookingView:
    values: dict[str, Any] = {
        "id": "b1",
        "site": "site-a",
        "journey_id": "journey/site-a/1",
        "session": 1,
        "status": "booked",
        "starts_at": AT,
        "ends_at": AT + timedelta(hours=3),
        "dose_at": AT,
        "home_at": AT,
        "room": "ketamine;room,1",
        "parts": (),
        "sequence": 0,
        "held_at": AT,
        "expires_at": None,
        "claim_key": None,
        "claimed_at": None,
        "booked_at": AT,
        "released_at": None,
        "released_why": None,
        "late": False,
        "waiting_id": None,
    }
    return BookingView.model_validate({**values, **given})


def events(text: str) -> list[dict[str, str]]:
    """An independent, strict reading of RFC 5545: CRLF, 75 octets, unfolded, NAME:VALUE."""
    assert text.endswith("\r\n")
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", text)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")
    assert (lines[0], lines[1], lines[-1]) == ("BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR")
    found: list[dict[str, str]] = []
    for line in lines[1:-1]:
        name, value = line.split(":", 1)
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and line != "END:VEVENT":
            assert name not in found[-1]
            found[-1][name] = value
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == len(found)
    return found


def test_a_visit_is_in_utc_so_that_no_calendar_misreads_the_hour_that_comes_twice() -> None:
    (event,) = events(calendar([a_booking()], made_at=AT, with_place=True))
    assert (event["DTSTART"], event["DTEND"]) == ("20261101T053000Z", "20261101T083000Z")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", "0")
    assert event["LOCATION"] == "ketamine\\;room\\,1"


def test_a_visit_keeps_its_uid_and_counts_its_changes() -> None:
    old = a_booking(status="moved", released_at=AT)
    new = a_booking(id="b2", sequence=1, starts_at=AT + timedelta(days=1))
    (first,) = events(calendar([a_booking()], made_at=AT, with_place=False))
    (moved,) = events(calendar([old, new], made_at=AT, with_place=False))
    assert first["UID"] == moved["UID"]
    assert (moved["SEQUENCE"], moved["DTSTART"]) == ("1", "20261102T053000Z")
    (over,) = events(calendar([old, a_booking(status="cancelled", sequence=2)], made_at=AT, with_place=False))
    assert (over["UID"], over["SEQUENCE"], over["STATUS"]) == (first["UID"], "2", "CANCELLED")


def test_who_is_no_longer_part_of_a_visit_that_moved_is_told_that_it_is_cancelled() -> None:
    (event,) = events(calendar([a_booking(status="moved")], made_at=AT, with_place=True))
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", "1")


def test_a_hold_is_in_nobodys_calendar_and_visits_come_in_order() -> None:
    later = a_booking(id="b2", session=2, starts_at=AT + timedelta(days=7))
    held = a_booking(id="b3", session=3, status="pending", booked_at=None)
    found = events(calendar([later, a_booking(), held], made_at=AT, with_place=False))
    assert [event["DTSTART"] for event in found] == ["20261101T053000Z", "20261108T053000Z"]
    assert len({event["UID"] for event in found}) == 2


def test_what_leaves_says_nothing_about_anybody() -> None:
    text = calendar([a_booking()], made_at=AT, with_place=False).lower()
    for word in ("journey", "site-a", "ketamine", "patient", "session", "therapy"):
        assert word not in text
    (event,) = events(calendar([a_booking()], made_at=AT, with_place=False))
    assert (event["SUMMARY"], event["CLASS"]) == ("Appointment", "PRIVATE")


@given(TEXTS)
def test_folding_splits_no_character_and_loses_none(text: str) -> None:
    lines = folded(text).split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert folded(text).replace("\r\n ", "") == text


@given(TEXTS)
def test_an_escaped_text_can_be_read_again(text: str) -> None:
    read = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], escaped(text))
    assert read == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", escaped(text))

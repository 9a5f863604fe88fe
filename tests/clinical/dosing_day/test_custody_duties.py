"""What is owed after a difference, until when, by whom."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from clinical.custody_duties import (
    explain_by,
    given_up_at,
    inventory_by,
    loss_form_by,
    loss_notice_by,
    may_explain,
    may_report,
)
from clinical.custody_events import CustodyEntry, CustodyFact, LossReported
from clinical.people import Actor, Role
from clinical.protocol import Protocol


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "due"),
    [
        ("2026-03-04T16:00", "2026-03-05T16:00"),  # Wednesday
        ("2026-03-06T16:00", "2026-03-09T16:00"),  # Friday
        ("2026-03-07T10:00", "2026-03-09T10:00"),  # Saturday
        ("2026-03-08T10:00", "2026-03-09T10:00"),  # Sunday
        ("2026-07-02T10:00", "2026-07-06T10:00"),  # before the holiday, observed on Friday the 3rd
    ],
)
def test_notice_of_a_loss_within_one_business_day(found: str, due: str, protocol: Protocol) -> None:
    holidays = frozenset({date(2026, 7, 3)})
    assert loss_notice_by(at(found), protocol.custody, holidays) == at(due)


def test_business_days_are_those_of_the_zone(protocol: Protocol) -> None:
    friday_evening = at("2026-03-07T01:00")  # Friday 20:00 in New York
    new_york = ZoneInfo("America/New_York")
    assert loss_notice_by(friday_evening, protocol.custody, zone=new_york) == at("2026-03-10T00:00")
    assert loss_notice_by(friday_evening, protocol.custody) == at("2026-03-09T01:00")


def test_the_other_clocks(protocol: Protocol) -> None:
    found = at("2026-03-04T16:00")
    assert explain_by(found, protocol.custody) == at("2026-03-04T17:00")
    assert given_up_at(found, protocol.custody) == at("2026-03-05T16:00")
    assert loss_form_by(found, protocol.custody) == at("2026-04-18T16:00")


@pytest.mark.parametrize(
    ("last", "due"),
    [
        ("2026-03-04T16:00", "2028-03-04T16:00"),
        ("2024-02-29T16:00", "2026-02-28T16:00"),
        ("2026-12-31T00:00", "2028-12-31T00:00"),
    ],
)
def test_an_inventory_at_least_every_24_months(last: str, due: str, protocol: Protocol) -> None:
    assert inventory_by(at(last), protocol.custody) == at(due)


@given(st.integers(0, 600_000).map(lambda hours: at("2020-01-01T00:00") + timedelta(hours=hours)))
def test_a_notice_is_never_due_on_a_weekend_nor_after_four_days(protocol: Protocol, found: datetime) -> None:
    due = loss_notice_by(found, protocol.custody)
    assert due.weekday() < 5
    assert 1 <= (due - found).days <= 3


@pytest.mark.parametrize("role", Role)
def test_who_may_explain_and_who_may_report(role: Role) -> None:
    handles = role in (Role.NURSE, Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    assert may_explain(role, "a", frozenset({"b"})).passes == handles
    assert not may_explain(role, " b", frozenset({"b "})).passes
    assert may_report(role).passes == (handles and role is not Role.NURSE)


def test_a_fact_of_the_drug_books_is_read_back_as_it_was_written() -> None:
    told = CustodyEntry(
        key="case/1",
        occurred_at=at("2026-03-02T12:00"),
        actor=Actor(id="staff-1", role=Role.MEDICAL_DIRECTOR),
        fact=LossReported(duty="submit-loss-form", proof="106-2291"),
    )
    assert CustodyEntry.model_validate_json(told.model_dump_json()) == told
    with pytest.raises(ValidationError):
        TypeAdapter(CustodyFact).validate_python(
            {"kind": "custody.loss-reported", "duty": "explain-discrepancy"}
        )

"""Does a diff say, in words and with units, what a patient would notice?"""

from typing import Any

import pytest

from clinical.protocol import Protocol
from clinical.protocol_diff import changes, told
from clinical.protocol_document import waits
from clinical.protocol_words import WAITS, Noticed, pattern_of
from tests.clinical.protocols.documents import DOCUMENTS, NAMES, changed, shipped

IV, _, _, ESK = NAMES


def diff(name: str, *edits: tuple[str, Any]) -> str:
    before, after = (Protocol.model_validate(changed(name, *some)) for some in ((), edits))
    return told(before, after)


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_does_not_differ_from_itself(name: str) -> None:
    assert changes(shipped(name), shipped(name)) == ()
    assert told(shipped(name), shipped(name)) == "no difference"


@pytest.mark.parametrize(
    ("name", "pointer", "value", "heading", "line"),
    [
        (IV, "/dosing/start_mg_per_kg", 0.4, Noticed.DOSE,
         "the highest first dose: 0.5 mg/kg -> 0.4 mg/kg"),
        (ESK, "/dosing/minutes_between_units", 10, Noticed.DOSE,
         "two devices: 5 min -> 10 min"),
        (IV, "/schedule/min_interval_hours", 48, Noticed.GAP,
         "between two doses at least: 40 h -> 48 h"),
        (IV, "/schedule/phases/1/max_interval_days", 90, Noticed.GAP,
         "maintenance: between two doses at most: 84 d -> 90 d"),
        (IV, "/schedule/max_per_calendar_week", 3, Noticed.GAP,
         "at most: none -> 3"),
        (IV, "/discharge/minimum_is_absolute", True, Noticed.STAY,
         "nobody may shorten the stay: no -> yes"),
        (IV, "/monitoring/reading_minutes/7", 110, Noticed.STAY,
         "70, 85, 100 -> 10, 20, 30, 40, 55, 70, 85, 110"),
        (IV, "/plan/approve/due_hours", 24, Noticed.WAIT,
         "until the plan is approved, due within: 48 h -> 24 h"),
        (IV, "/long_term/1/ask/owner", "therapist", Noticed.WHO,
         "urinalysis: who sees to it that a long-term check is done: nurse -> therapist"),
        (IV, "/risk/caring_contacts/0/ask/give_up_hours", 90, Noticed.WAIT,
         "contact 1: until"),
        (IV, "/follow_up/weeks/5", 53, Noticed.FORM,
         "12, 26, 52 -> 2, 4, 8, 12, 26, 53"),
        (IV, "/readiness/fasting_food_hours", 8, Noticed.BEFORE,
         "no food for: 6 h -> 8 h"),
        (IV, "/vitals/hold_systolic_mmhg", 150, Noticed.LIMIT,
         "/vitals/hold_systolic_mmhg: 160 mm[Hg] -> 150 mm[Hg]"),
        (IV, "/therapy/integration_due_hours", 48, Noticed.AFTER,
         "integration until, after the dose: 72 h -> 48 h"),
        (IV, "/labels/~1pause/confidence", "U", Noticed.PAPER,
         "how well known is /pause: D -> U"),
        (IV, "/title", "A\x1b[31mB", Noticed.PAPER,
         "-> A[31mB"),
    ],
)  # fmt: skip
def test_what_is_said(name: str, pointer: str, value: Any, heading: Noticed, line: str) -> None:
    said = diff(name, (pointer, value)).splitlines()
    assert said[0] == heading.value
    assert len(said) == 2
    assert line in said[1]
    shown = pointer.rpartition("/")[0] if pointer.rpartition("/")[2].isdecimal() else pointer
    assert shown in said[1]


def test_what_is_added_or_left_out_is_told_with_everything_in_it() -> None:
    third = DOCUMENTS[ESK]["schedule"]["phases"][2] | {"name": "late"}
    added = diff(IV, ("/schedule/phases/2", third))
    assert "late: sessions of one plan: absent -> 4" in added
    assert added.count(" -> ") == len(third)
    emptied = diff("iv-racemic", ("/risk/caring_contacts", []))
    assert "contact 2: from, after the case was closed: 144 h -> absent" in emptied
    assert "/risk/caring_contacts: " not in emptied


def test_what_comes_first_is_what_a_patient_notices_first() -> None:
    headings = [
        line
        for line in told(shipped("iv-racemic"), shipped("esketamine-rems")).splitlines()
        if line[:1].isalpha()
    ]
    assert headings == [noticed.value for noticed in Noticed if noticed.value in headings]
    assert headings[0] == Noticed.DOSE.value


@pytest.mark.parametrize("name", NAMES)
def test_every_wait_has_words(name: str) -> None:
    assert {pattern_of(wait.pointer) for wait in waits(DOCUMENTS[name])} == set(WAITS)

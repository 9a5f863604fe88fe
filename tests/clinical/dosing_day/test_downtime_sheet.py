"""Everything the chair needs on one page, in the protocol's numbers, for every form of dosing (H19)."""

import re
from decimal import Decimal
from typing import Any

import pytest

from clinical.discharge import observation_ends
from clinical.discharge_facts import NEVER_OVERRIDDEN, Criterion
from clinical.dosing import TodaysDoses, compute_dose
from clinical.downtime_sheet import READING_ROWS, DowntimeSheet, ForWhom, downtime_sheet
from clinical.instants import elapsed_minutes
from clinical.protocol import ByWeight, Protocol
from clinical.vitals import Symptom, Tier, in_session_tier, pre_dose_tier
from tests.clinical.dosing_day.builders import NOW, a_reading, a_weight, ago, recovered
from tests.clinical.dosing_day.other_forms import FORMS, in_form

ONE_PAGE_CHARACTERS = 4200
"""What was printed on one A4 and one Letter page with a browser, with a little to spare."""


def a_sheet(protocol: Protocol, **changes: Any) -> DowntimeSheet:
    amount = Decimal("0.5") if isinstance(protocol.dosing, ByWeight) else Decimal(112)
    order = compute_dose(amount, a_weight("70"), 175, protocol, NOW)
    values: dict[str, Any] = {
        "patient_code": "7ZY3M5QK2B9C0D8F6G4H1J2K3M",
        "session": 2,
        "time_zone": "America/New_York",
        "order_id": "session/2/order/1",
        "ordered_by": "staff-1",
        "ordered_at": NOW,
        "plan_hash": "0f" * 32,
        "max_mg": "100",
        "boosters": 0,
        "extended": False,
        "baseline": a_reading(),
        "baseline_cadss6": 1,
    }
    return downtime_sheet(order, ForWhom.model_validate(values | changes), protocol, NOW)


def printed(sheet: DowntimeSheet) -> str:
    return "\n".join(_texts(sheet.model_dump(mode="json")))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [str(value)]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_its_readings_tiers_criteria_and_fits_a_page(form: str, protocol: Protocol) -> None:
    bent = in_form(form, protocol)
    sheet = a_sheet(bent, extended=True, boosters=1)
    assert sheet.reading_minutes == bent.monitoring.reading_minutes
    assert len(sheet.reading_minutes) + sheet.blank_readings == READING_ROWS
    assert [one.tier for one in sheet.tiers] == [tier for tier in Tier if tier is not Tier.NORMAL]
    assert len(sheet.criteria) == len(Criterion)
    for section in (sheet.second_check, sheet.stop_when, sheet.emergency, sheet.booster, sheet.afterwards):
        assert section
    assert len(printed(sheet)) <= ONE_PAGE_CHARACTERS


def test_a_long_schedule_still_leaves_rows_for_the_readings_that_follow(protocol: Protocol) -> None:
    many = protocol.monitoring.model_copy(update={"reading_minutes": tuple(range(5, 100, 5))})
    assert a_sheet(protocol.model_copy(update={"monitoring": many})).blank_readings == 4


@pytest.mark.parametrize(
    ("form", "has", "has_not"),
    [
        ("infusion", {"Volume", "Rate", "Over", "Weight"}, {"Units", "Between devices"}),
        ("injection", {"Volume", "Weight", "Dose per weight"}, {"Rate", "Over", "Units"}),
        ("lozenges", {"Units"}, {"Weight", "Volume", "Rate", "Between devices"}),
        ("devices", {"Units", "Between devices"}, {"Weight", "Volume", "Rate"}),
    ],
)
def test_the_order_has_what_its_form_has(
    form: str, has: set[str], has_not: set[str], protocol: Protocol
) -> None:
    labels = {line.label for line in a_sheet(in_form(form, protocol)).order}
    assert has <= labels
    assert not has_not & labels


def test_the_order_is_printed_with_what_it_was_computed_from(protocol: Protocol) -> None:
    order = {line.label: line.value for line in a_sheet(protocol).order}
    assert order["DOSE"] == "35.0 mg"
    assert order["Weight"] == "70 kg (actual-weight)"
    assert order["Volume"] == "35 mL"
    assert order["Rate"] == "52.5 mL/h"
    assert order["Most in this session"] == "100 mg (plan), 100 mg (protocol)"
    assert order["Baseline"] == "BP 122/78, HR 70, SpO2 98"


def test_a_baseline_that_is_not_known_is_not_invented(protocol: Protocol) -> None:
    sheet = a_sheet(protocol, baseline=None, baseline_cadss6=None)
    assert "Baseline" not in {line.label for line in sheet.order}
    assert "baseline (not measured)" in printed(sheet)


LIMIT = re.compile(r"(BP|HR|SpO2|RR|MOAA/S) (≥|>|<|≤) (\d+)(?: or [≥>] (\d+))?")
FIELD = {
    "HR": "heart_rate_per_min",
    "SpO2": "spo2_percent",
    "RR": "respiratory_rate_per_min",
    "MOAA/S": "moaas",
}


def _just(sign: str, limit: int) -> tuple[int, int]:
    """The nearest value that is over the line, and the nearest that is not."""
    return {
        "≥": (limit, limit - 1),
        ">": (limit + 1, limit),
        "<": (limit - 1, limit),
        "≤": (limit, limit + 1),
    }[sign]


@pytest.mark.parametrize("tier", [Tier.CAUTION, Tier.HOLD, Tier.ALERT, Tier.INTERVENE, Tier.EMERGENCY])
def test_what_the_paper_says_is_what_the_rules_say(tier: Tier, protocol: Protocol) -> None:
    """Each printed limit is the very value at which the rules change their answer."""
    [row] = [one for one in a_sheet(protocol).tiers if one.tier is tier]

    def judged(**values: float) -> Tier:
        reading = a_reading(**values)  # type: ignore[arg-type]  # names of the model
        if row.when.startswith("before"):
            return pre_dose_tier(reading, protocol).tier
        earlier = [a_reading(**(values | {"taken_at": ago(minutes=16)}))]  # type: ignore[arg-type]
        persists = "twice" in text or "for" in text
        return in_session_tier(reading, earlier if persists else [], a_reading(), protocol).tier

    checked = 0
    for text in row.limits:
        found = LIMIT.search(text)
        if found is None:
            continue
        sign, systolic, diastolic = found[2], int(found[3]), found[4]
        over, under = _just(sign, systolic)
        if found[1] != "BP":
            assert judged(**{FIELD[found[1]]: over}) == tier, text
            assert judged(**{FIELD[found[1]]: under}) != tier, text
        else:
            assert judged(systolic=over, diastolic=75) == tier, text
            assert judged(systolic=under, diastolic=75) != tier, text
            assert judged(diastolic=_just(sign, int(diastolic))[0], systolic=139) == tier, text
        checked += 1
    assert checked >= 2


def test_every_warning_symptom_is_printed(protocol: Protocol) -> None:
    emergency = a_sheet(protocol).tiers[-1]
    for symptom in Symptom:
        assert symptom.replace("-", " ") in emergency.limits[-1]


@pytest.mark.parametrize("form", FORMS)
def test_how_a_dose_is_stopped_is_said_in_its_form(form: str, protocol: Protocol) -> None:
    word = {"infusion": "pump", "injection": "injected", "lozenges": "mouth", "devices": "device"}[form]
    sheet = a_sheet(in_form(form, protocol))
    assert word in sheet.stop_when[-1]
    assert "slower rate" in printed(sheet) if form == "infusion" else "slower rate" not in printed(sheet)


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_the_earliest_way_home_is_the_one_of_the_rules(form: str, extended: bool, protocol: Protocol) -> None:
    bent = in_form(form, protocol)
    numbers = [
        int(text)
        for text in re.findall(r"(\d+) min after", " ".join(a_sheet(bent, extended=extended).earliest_home))
    ]
    facts = recovered(started_at=ago(minutes=300), ended_at=ago(minutes=300), extended=extended)
    until = observation_ends(facts, bent)
    assert until is not None
    assert max(numbers) == elapsed_minutes(facts.started_at, until)


def test_the_sheet_of_a_booster_counts_what_was_given_and_adds_the_time(protocol: Protocol) -> None:
    bent = in_form("injection", protocol)
    given = TodaysDoses(given=1, given_mg=Decimal(35), highest_mg=Decimal(35))
    sheet = a_sheet(bent, today=given, first_given_at=NOW, boosters=1)
    order = {line.label: line.value for line in sheet.order}
    assert order["Given already today"] == "35 mg in 1"
    assert order["First dose began"] == "2026-11-24 10:00"
    assert "180 min after the first dose began" in sheet.earliest_home
    assert "no booster" in sheet.booster[0]
    assert "20–60 min" in sheet.booster[1]
    assert a_sheet(bent, boosters=0).booster == ("No booster in this session.",)
    assert "(after a booster 60 min more)" in a_sheet(bent).earliest_home


def test_the_two_hours_of_esketamine_are_called_absolute(protocol: Protocol) -> None:
    sheet = a_sheet(in_form("devices", protocol))
    assert sheet.earliest_home == ("120 min after the first dose began", "— nobody can shorten this")
    marked = [criterion for criterion, text in zip(Criterion, sheet.criteria, strict=True) if "†" in text]
    assert set(marked) == NEVER_OVERRIDDEN | {Criterion.MINIMUM_TIME}


def test_a_prescriber_off_site_changes_what_is_asked(protocol: Protocol) -> None:
    remote = protocol.monitoring.model_copy(update={"prescriber_on_site": False})
    sheet = a_sheet(protocol.model_copy(update={"monitoring": remote}))
    assert "prescriber on site: not asked for by the protocol" in sheet.criteria
    assert "nobody can watch the patient" in sheet.stop_when


def test_no_dose_begins_on_paper_and_nothing_is_inferred(protocol: Protocol) -> None:
    text = printed(a_sheet(protocol))
    assert "No new dose begins while the system is away" in text
    assert "Reconcile, never infer" in text


def test_local_times_are_those_of_the_wall_and_an_unknown_zone_says_utc(protocol: Protocol) -> None:
    assert "staff-1, 2026-11-24 10:00" in printed(a_sheet(protocol))
    assert "staff-1, 2026-11-24 15:00 UTC" in printed(a_sheet(protocol, time_zone="Nowhere/At_All"))


def test_the_hash_is_of_everything_on_the_page(protocol: Protocol) -> None:
    sheet = a_sheet(protocol)
    assert sheet.content_hash == a_sheet(protocol).content_hash
    assert sheet.content_hash != a_sheet(protocol, order_id="session/2/order/2").content_hash
    again = DowntimeSheet.model_validate_json(sheet.model_dump_json())
    assert again == sheet
    assert again.content_hash == sheet.content_hash

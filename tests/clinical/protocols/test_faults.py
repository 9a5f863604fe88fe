"""Is each fault found where it lies, and nothing else blamed?"""

from typing import Any

import pytest

from clinical.protocol import Protocol
from clinical.protocol_check import faults
from clinical.protocol_check_bounds import _AT_MOST as AT_MOST
from clinical.protocol_document import value_at, waits
from tests.clinical.protocols.documents import DOCUMENTS, NAMES, changed, pointers

IV, IM, SL, ESK = NAMES
Changes = tuple[tuple[str, Any], ...]
A_LABEL = {"confidence": "D", "source": "x"}


def one(pointer: str, value: Any) -> Changes:
    return ((pointer, value),)


NO_BOOSTER = (
    ("/dosing/boosters_max", 0),
    ("/dosing/booster_from_minutes", 0),
    ("/dosing/booster_until_minutes", 0),
)

CASES: list[tuple[str, Changes, str]] = [
    # form, route and drug
    (IV, one("/route", "sublingual"), "/dosing/form"),
    (IV, one("/plan/director_above_mg_per_kg", None), "/plan/director_above_mg_per_kg"),
    (IV, one("/plan/director_above_mg", 80), "/plan/director_above_mg"),
    (SL, one("/plan/director_above_mg", None), "/plan/director_above_mg"),
    (SL, one("/plan/director_above_mg_per_kg", 1.0), "/plan/director_above_mg_per_kg"),
    (SL, one("/plan/director_above_mg", 450), "/plan/director_above_mg"),
    (IV, one("/readiness/nasal_spray_hours", 1), "/readiness/nasal_spray_hours"),
    # the desk
    (SL, (("/inbox", None), ("/labels/~1inbox", ...)), "/inbox"),
    (IV, one("/escalation/nurse", "coordinator"), "/escalation/nurse"),
    (IV, one("/escalation/prescriber", "auditor"), "/escalation/prescriber"),
    (IV, one("/inbox/crisis_minutes", 16), "/inbox/crisis_minutes"),
    (IV, one("/inbox/read_hours", 0.2), "/inbox/crisis_minutes"),
    (IV, one("/booking/notice_hours", 0.5), "/booking/offer_minutes"),
    # amounts
    (IV, (("/dosing/max_session_mg", 20), ("/dosing/min_mg_per_kg", 0.1)), "/dosing/max_session_mg"),
    (IV, one("/dosing/max_session_mg", 10), "/dosing/max_session_mg"),
    (IM, one("/dosing/max_session_mg", 28), "/dosing/max_session_mg"),
    (IM, one("/dosing/volume_step_ml", 0.5), "/dosing/volume_step_ml"),
    (IM, one("/dosing/concentration_mg_per_ml", 200), "/dosing/volume_step_ml"),
    (SL, one("/dosing/start_mg", 120), "/dosing/start_mg"),
    (SL, one("/dosing/step_mg", 25), "/dosing/step_mg"),
    (SL, one("/dosing/min_mg", 30), "/dosing/min_mg"),
    (SL, one("/dosing/start_mg", 250), "/dosing/start_mg"),
    (SL, one("/dosing/first_session_max_mg", 450), "/dosing/first_session_max_mg"),
    (SL, one("/dosing/step_mg", 450), "/dosing/step_mg"),
    (ESK, one("/dosing/first_session_mg", 28), "/dosing/first_session_mg"),
    (ESK, one("/dosing/allowed_mg", [56, 70]), "/dosing/allowed_mg/1"),
    (ESK, one("/dosing/allowed_mg", [56, 112]), "/dosing/allowed_mg/1"),
    (ESK, one("/dosing/allowed_mg", [56, 84, 84]), "/dosing/allowed_mg/2"),
    # boosters
    (IM, one("/dosing/booster_from_minutes", 31), "/dosing/booster_from_minutes"),
    (IM, (NO_BOOSTER[1], NO_BOOSTER[2]), "/dosing/booster_until_minutes"),
    (IM, (NO_BOOSTER[0],), "/dosing/booster_until_minutes"),
    (IV, one("/dosing/booster_until_minutes", 5), "/dosing/booster_until_minutes"),
    (
        IV,
        (("/dosing/boosters_max", 1), ("/dosing/booster_until_minutes", 39)),
        "/dosing/booster_until_minutes",
    ),
    (IM, (("/dosing/min_mg_per_kg", 0.5), ("/dosing/max_mg_per_kg", 0.9)), "/dosing/boosters_max"),
    (
        SL,
        (
            ("/dosing/boosters_max", 1),
            ("/dosing/booster_until_minutes", 60),
            ("/dosing/min_mg", 100),
            ("/dosing/max_session_mg", 150),
            ("/dosing/first_session_max_mg", 150),
            ("/plan/director_above_mg", 150),
        ),
        "/dosing/boosters_max",
    ),
    # esketamine
    (ESK, one("/dosing/unit_mg", 14), "/dosing/unit_mg"),
    (ESK, one("/dosing/max_session_mg", 112), "/dosing/max_session_mg"),
    (ESK, one("/dosing/minutes_between_units", 4), "/dosing/minutes_between_units"),
    (ESK, one("/readiness/nasal_spray_hours", None), "/readiness/nasal_spray_hours"),
    (ESK, one("/readiness/nasal_spray_hours", 0.5), "/readiness/nasal_spray_hours"),
    (ESK, one("/readiness/fasting_food_hours", 1.5), "/readiness/fasting_food_hours"),
    (ESK, one("/readiness/fasting_clear_fluids_hours", 0.25), "/readiness/fasting_clear_fluids_hours"),
    (ESK, one("/discharge/min_after_start_minutes", 119), "/discharge/min_after_start_minutes"),
    (ESK, one("/discharge/minimum_is_absolute", False), "/discharge/minimum_is_absolute"),
    (ESK, one("/monitoring/prescriber_on_site", False), "/monitoring/prescriber_on_site"),
    (ESK, one("/reports/rems_form_days", None), "/reports/rems_form_days"),
    (ESK, one("/reports/rems_form_days", 8), "/reports/rems_form_days"),
    (ESK, one("/reports/remind_hours_before", 168), "/reports/remind_hours_before"),
    (ESK, one("/consent/required_elements", ["costs"]), "/consent/required_elements"),
    (
        ESK,
        (
            ("/indications", ["major-depressive-disorder", "panic-disorder"]),
            ("/baseline_instruments/panic-disorder", ["gad-7", "c-ssrs-screener"]),
        ),
        "/indications/1",
    ),
    (IV, one("/reports/rems_form_days", 7), "/reports/rems_form_days"),
    (IV, one("/consent/required_elements", ["costs"]), "/consent/required_elements"),
    (IV, one("/consent/required_elements/0", "costs"), "/consent/required_elements/13"),
    (SL, one("/consent/required_elements", ["off-label-status"]), "/consent/required_elements"),
    # phases and calendar
    (ESK, one("/schedule/phases/1/name", "induction"), "/schedule/phases/1/name"),
    (ESK, one("/schedule/phases/0/after_review", True), "/schedule/phases/0/after_review"),
    (IV, one("/schedule/phases/0/from_week", 2), "/schedule/phases/0/from_week"),
    (ESK, one("/schedule/phases/1/from_week", 4), "/schedule/phases/1/from_week"),
    (ESK, one("/schedule/phases/2/from_week", None), "/schedule/phases/2/from_week"),
    (IV, one("/schedule/phases/1/until_week", 2), "/schedule/phases/1/until_week"),
    (
        IV,
        (("/schedule/phases/0/until_week", 1), ("/schedule/phases/1/from_week", 2)),
        "/schedule/phases/0/sessions",
    ),
    (ESK, one("/decisions/then_every_doses", 3), "/schedule/phases/2/after_review"),
    (IV, one("/schedule/phases/0/max_interval_days", 1), "/schedule/phases/0/min_interval_hours"),
    (IV, one("/schedule/series_window_days", [5, 6]), "/schedule/series_window_days/1"),
    (ESK, one("/schedule/series_window_days", [10, 22]), "/schedule/series_window_days/1"),
    (IV, one("/schedule/reentry_after_days", 13), "/schedule/reentry_after_days"),
    # decisions
    (IV, one("/decisions/review_after_doses", [3, 4, 6, 7]), "/decisions/review_after_doses/3"),
    (IV, one("/decisions/review_after_doses", [3, 6]), "/decisions/default_stop_after_dose"),
    (IV, one("/decisions/final_after_dose", 5), "/decisions/final_after_dose"),
    # what is asked on the day, and what must last until the first dose
    (IV, one("/screening/validity/pregnancy_test_hours", 1), "/screening/validity/pregnancy_test_hours"),
    (IV, one("/screening/validity/reconciliation_hours", 1), "/screening/validity/reconciliation_hours"),
    (IV, one("/risk/screen_valid_hours", 1), "/risk/screen_valid_hours"),
    (IV, one("/dosing/weight_valid_hours", 1.5), "/dosing/weight_valid_hours"),
    (IV, one("/therapy/preparation_valid_days", 1), "/therapy/preparation_valid_days"),
    (IV, one("/plan/valid_days", 15), "/plan/valid_days"),
    (IV, one("/screening/valid_days", 20), "/screening/valid_days"),
    (IV, one("/consent/valid_days", 30), "/consent/valid_days"),
    (IV, one("/therapy/integration_blocks_after_days", 2), "/therapy/integration_blocks_after_days"),
    (IV, one("/readiness/substance_free_hours", 73), "/readiness/substance_free_hours"),
    (IV, one("/readiness/fasting_food_hours", 73), "/readiness/fasting_food_hours"),
    # the stay
    (IV, one("/monitoring/reading_minutes", [10, 20]), "/monitoring/reading_minutes"),
    (IV, one("/monitoring/reading_minutes/1", 12), "/monitoring/reading_minutes/1"),
    (IV, one("/monitoring/reading_minutes/2", 20), "/monitoring/reading_minutes/2"),
    (IV, one("/discharge/min_after_start_minutes", 39), "/discharge/min_after_start_minutes"),
    (IV, one("/discharge/long_stay_page_minutes", 100), "/discharge/long_stay_page_minutes"),
    (IV, one("/discharge/padss_consecutive", 18), "/discharge/long_stay_page_minutes"),
    (IV, one("/readiness/checks_hours_before", [72, 24, 24]), "/readiness/checks_hours_before/2"),
    # waits and people
    (IV, one("/screening/collect/owner", "patient"), "/screening/collect/owner"),
    (IV, one("/custody/explain/owner", "ops"), "/custody/explain/owner"),
    (IV, one("/long_term/2/ask/owner", "auditor"), "/long_term/2/ask/owner"),
    (IV, one("/screening/sign/owner", "nurse"), "/screening/sign/owner"),
    (IV, one("/decisions/ask/owner", "therapist"), "/decisions/ask/owner"),
    (IV, one("/reports/rems_form_owner", "patient"), "/reports/rems_form_owner"),
    (IV, one("/risk/caring_contacts/1/from_hours", 169), "/risk/caring_contacts/1/from_hours"),
    (IV, one("/risk/caring_contacts/1/from_hours", 24), "/risk/caring_contacts/1/from_hours"),
    (IV, one("/long_term/1/code", "urinary-symptoms"), "/long_term/1/code"),
    (IV, one("/plan/approver_roles", ["prescriber", "prescriber"]), "/plan/approver_roles"),
    (IV, one("/plan/approver_roles", ["nurse", "therapist"]), "/plan/approver_roles"),
    (IV, one("/plan/approver_roles", ["prescriber", "coordinator"]), "/plan/approver_roles/1"),
    (IV, one("/risk/ladder/0/page", "coordinator"), "/risk/ladder/0/page"),
    # questionnaires
    (IV, one("/baseline_instruments/panic-disorder/1", "phq-10"), "/baseline_instruments/panic-disorder/1"),
    (IV, one("/baseline_instruments/panic-disorder", ["gad-7"]), "/baseline_instruments/panic-disorder"),
    (IV, one("/baseline_instruments/panic-disorder", []), "/baseline_instruments/panic-disorder"),
    (IV, one("/baseline_instruments/panic-disorder", ...), "/baseline_instruments/panic-disorder"),
    (
        IV,
        one("/baseline_instruments/panic-disorder", ["c-ssrs-screener", "gad-7"]),
        "/baseline_instruments/panic-disorder/0",
    ),
    (IV, one("/baseline_instruments/panic-disorder/2", "gad-7"), "/baseline_instruments/panic-disorder/2"),
    (
        IV,
        (
            ("/indications", ["major-depressive-disorder"]),
            ("/baseline_instruments/panic-disorder", ...),
            ("/baseline_instruments/generalised-anxiety-disorder", ...),
        ),
        "/baseline_instruments/post-traumatic-stress-disorder",
    ),
    (ESK, one("/follow_up/instruments", ["phq-9", "gad-7"]), "/follow_up/instruments"),
    (ESK, one("/follow_up/instruments", ["phq-9", "x", "c-ssrs-screener"]), "/follow_up/instruments/1"),
    (IV, one("/follow_up/weeks/1", 3), "/follow_up/measure/give_up_hours"),
    # the size of a course
    (IV, one("/monitoring/reading_minutes", list(range(5, 105, 5))), "/monitoring/reading_minutes"),
    (IV, one("/follow_up/weeks", list(range(2, 104, 2))), "/follow_up/weeks"),
    # labels
    (IV, one("/labels/nowhere", A_LABEL), "/labels/nowhere"),
    (IV, one("/labels/~1follow_up~1weeks~16", A_LABEL), "/labels/~1follow_up~1weeks~16"),
    (IV, one("/labels/~1pause/source", " "), "/labels/~1pause/source"),
]


@pytest.mark.parametrize(("name", "changes", "pointer"), CASES)
def test_a_seeded_fault_is_found_and_nothing_else(name: str, changes: Changes, pointer: str) -> None:
    assert pointers(name, *changes) == {pointer}


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        (IV, one("/plan/valid_days", 11), {"/plan/valid_days"}),
        (
            IV,
            (("/escalation/prescriber", "therapist"),),
            {"/escalation/prescriber", "/escalation/therapist", "/escalation/nurse"},
        ),
        (
            IV,
            (("/schedule/phases/1/from_week", 9), ("/schedule/phases/1/until_week", 8)),
            {"/schedule/phases/1/until_week"},
        ),
        (
            ESK,
            one("/schedule/phases/1/sessions", 6),
            {"/schedule/phases/1/sessions", "/schedule/phases/2/after_review"},
        ),
        (
            IV,
            one("/decisions/final_after_dose", 7),
            {"/decisions/final_after_dose"},
        ),
        (
            IV,
            one("/indications/3", "panic-disorder"),
            {"/indications/3", "/baseline_instruments/post-traumatic-stress-disorder"},
        ),
        (
            IV,
            one("/labels/~1pause", ...),
            {"/pause/review/due_hours", "/pause/review/give_up_hours"},
        ),
        (
            IV,
            (("/drug", "esketamine"),),
            {
                "/route",
                "/consent/required_elements",
                "/readiness/nasal_spray_hours",
                "/indications/1",
                "/indications/2",
                "/indications/3",
                "/discharge/min_after_start_minutes",
                "/discharge/minimum_is_absolute",
                "/reports/rems_form_days",
            },
        ),
        (
            ESK,
            (("/dosing/boosters_max", 1), ("/dosing/booster_until_minutes", 60)),
            {"/dosing/boosters_max"},
        ),
        (
            IV,
            one("/dosing/weight_valid_hours", 1.5) + one("/dosing/start_mg_per_kg", 1.1),
            {"/dosing/weight_valid_hours", "/dosing/start_mg_per_kg"},
        ),
    ],
)
def test_what_one_change_breaks_at_several_places(name: str, changes: Changes, expected: set[str]) -> None:
    assert pointers(name, *changes) == expected


@pytest.mark.parametrize("name", NAMES)
def test_no_wait_is_forgotten(name: str) -> None:
    """Wherever a wait stands: one that gives up before it is due, or that nobody of the clinic owns, is found."""
    found = list(waits(DOCUMENTS[name]))
    assert len(found) == 16 + 2 + 7
    for wait in found:
        assert pointers(name, (f"{wait.pointer}/give_up_hours", wait.due_hours / 2)) >= {
            f"{wait.pointer}/give_up_hours"
        }
        assert pointers(name, (f"{wait.pointer}/owner", "patient")) == {f"{wait.pointer}/owner"}


@pytest.mark.parametrize("name", NAMES)
def test_no_bound_is_forgotten(name: str) -> None:
    """The first number of each pair set above the second one is found at its own place."""
    for low, high in AT_MOST:
        try:
            limit, own = value_at(DOCUMENTS[name], high), value_at(DOCUMENTS[name], low)
        except LookupError:
            continue
        if limit is None or own is None:
            continue
        try:
            found = pointers(name, (low, limit + 1))
        except ValueError:  # beyond what the field alone allows
            continue
        assert low in found, (low, high)


def test_every_fault_names_what_it_depends_on_by_pointers() -> None:
    for name, changes, _ in CASES:
        for fault in faults(Protocol.model_validate(changed(name, *changes))):
            assert fault.pointer.startswith("/") and fault.detail
            assert all(involved == "" or involved.startswith("/") for involved in fault.involves)


def test_a_signature_is_over_this_content_by_a_director_at_a_known_instant() -> None:
    signed = {
        "signature": {
            "by": "x",
            "role": "nurse",
            "at": "2026-11-22T12:00:00",
            "content_hash": "0" * 64,
            "example": True,
        }
    }
    found = faults(Protocol.model_validate(changed(IV) | signed))
    assert [fault.pointer for fault in found] == [
        "/signature/content_hash",
        "/signature/role",
        "/signature/at",
    ]


def test_one_follow_up_week_has_no_next_one_to_run_into() -> None:
    assert pointers(IV, ("/follow_up/weeks", [2])) == set()


@pytest.mark.parametrize("pointer", ["/follow_up/weeks/x", "/version/0", "/follow_up/weeks/9", "/nothing"])
def test_a_pointer_that_names_nothing_is_a_lookup_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        value_at(DOCUMENTS[IV], pointer)


def test_the_most_in_a_calendar_week_makes_a_series_longer() -> None:
    """Six sessions, one from Monday to Sunday: four whole weeks lie between the first and the last one."""
    once_a_week = ("/schedule/max_per_calendar_week", 1)
    assert pointers(IV, once_a_week, ("/schedule/series_window_days", [12, 27])) == {
        "/schedule/series_window_days/1"
    }
    assert pointers(IV, once_a_week) == set()

"""What do a protocol's fields mean to the people of a clinic and to a patient?

Keyed by JSON Pointer, with `*` for a place in a list. A field without words of its own is named by its pointer.
"""

import re
from enum import StrEnum
from typing import Any, NamedTuple

from clinical.protocol_document import unit_of, value_at


class Noticed(StrEnum):
    """By what would a patient notice that a number has changed? In the order in which it is told."""

    DOSE = "Doses"
    GAP = "Gaps between doses, and how many"
    STAY = "How long they stay and are watched"
    WAIT = "How long they wait for somebody"
    WHO = "Who decides and who is called"
    FORM = "Questionnaires and measurements"
    BEFORE = "What is asked of them before"
    LIMIT = "Limits at which something is held back or done"
    AFTER = "What follows a dose"
    PAPER = "The document itself"


class Words(NamedTuple):
    """Where a change is told, and how the field is called."""

    noticed: Noticed
    text: str


WAITS = {
    "/consultation/book": "a consultation is booked",
    "/consultation/hold": "the outcome of the consultation is recorded",
    "/consent/ask": "consent is taken",
    "/screening/collect": "the findings of the screening are collected",
    "/screening/sign": "the screening is signed",
    "/plan/draft": "a plan is drafted",
    "/plan/approve": "the plan is approved",
    "/schedule/book": "a session is booked",
    "/therapy/prepare": "a preparation session is held",
    "/therapy/next_day_contact": "they are called the day after a dose",
    "/therapy/not_reached": "somebody looks after a patient who was not reached",
    "/therapy/late_integration": "a missed integration session is made up for",
    "/decisions/ask": "somebody decides whether to go on",
    "/follow_up/measure": "the answers of a follow-up week come in",
    "/pause/review": "a pause is looked at again",
    "/custody/explain": "a difference in the drug's count is explained",
    "/risk/caring_contacts/*/ask": "a contact after a risk case",
    "/long_term/*/ask": "a long-term check is done",
}
"""What each wait for a person waits for."""

_D, _G, _S, _W, _F, _B, _L, _A = (
    Noticed.DOSE,
    Noticed.GAP,
    Noticed.STAY,
    Noticed.WHO,
    Noticed.FORM,
    Noticed.BEFORE,
    Noticed.LIMIT,
    Noticed.AFTER,
)
_WORDS = {
    "/drug": (_D, "the drug"),
    "/route": (_D, "the way it is given"),
    "/dosing/form": (_D, "the form in which it is given"),
    "/dosing/start_mg_per_kg": (_D, "the highest first dose"),
    "/dosing/start_mg": (_D, "the highest first dose"),
    "/dosing/first_session_mg": (_D, "the dose of day 1"),
    "/dosing/first_session_max_mg": (_D, "the most in the first session"),
    "/dosing/allowed_mg": (_D, "the doses that are possible"),
    "/dosing/step_mg_per_kg": (_D, "the largest rise from one session to the next"),
    "/dosing/step_mg": (_D, "the largest rise from one session to the next"),
    "/dosing/min_mg_per_kg": (_D, "the lowest dose"),
    "/dosing/min_mg": (_D, "the lowest dose"),
    "/dosing/max_mg_per_kg": (_D, "the highest dose by weight"),
    "/dosing/max_session_mg": (_D, "the most in one session, boosters counted"),
    "/dosing/unit_mg": (_D, "one unit"),
    "/dosing/infusion_minutes": (_D, "the infusion takes"),
    "/dosing/infusion_minutes_min": (_D, "the shortest infusion"),
    "/dosing/minutes_between_units": (_D, "the rest between two devices"),
    "/dosing/boosters_max": (_D, "boosters in one session"),
    "/dosing/booster_from_minutes": (_D, "a booster is possible from, after the first dose"),
    "/dosing/booster_until_minutes": (_D, "a booster is possible until, after the first dose"),
    "/dosing/concentration_mg_per_ml": (_D, "the strength of the solution"),
    "/schedule/min_interval_hours": (_G, "between two doses at least"),
    "/schedule/max_per_rolling_7_days": (_G, "sessions in any seven days at most"),
    "/schedule/max_per_calendar_week": (_G, "sessions from Monday to Sunday at most"),
    "/schedule/series_window_days": (_G, "the first series takes"),
    "/schedule/reentry_after_days": (_G, "a prescriber looks at the dose again after a gap of"),
    "/schedule/phases/*/name": (_G, "its name"),
    "/schedule/phases/*/sessions": (_G, "sessions of one plan"),
    "/schedule/phases/*/min_interval_hours": (_G, "between two doses at least"),
    "/schedule/phases/*/max_interval_days": (_G, "between two doses at most"),
    "/schedule/phases/*/from_week": (_G, "begins in week"),
    "/schedule/phases/*/until_week": (_G, "ends with week"),
    "/schedule/phases/*/after_review": (_W, "only after somebody has judged the benefit"),
    "/discharge/min_after_start_minutes": (_S, "the shortest stay, from the first dose"),
    "/discharge/min_after_end_minutes": (_S, "the shortest stay, from the end of the last dose"),
    "/discharge/extra_minutes_if_extended": (
        _S,
        "longer for who is older, had a booster or a weak liver, by",
    ),
    "/discharge/minimum_is_absolute": (_S, "nobody may shorten the stay"),
    "/discharge/padss_min": (_S, "the recovery score to go home with"),
    "/discharge/padss_consecutive": (_S, "recovery scores in a row to go home with"),
    "/discharge/padss_apart_minutes": (_S, "between two recovery scores"),
    "/discharge/moaas_min": (_S, "the wakefulness to go home with (MOAA/S)"),
    "/discharge/cadss6_above_baseline_max": (_S, "dissociation that may be left, above the baseline"),
    "/discharge/spo2_min_percent": (_S, "the oxygen to go home with"),
    "/discharge/long_stay_page_minutes": (_S, "somebody is called when they stay longer than"),
    "/monitoring/reading_minutes": (_S, "readings, in minutes after the dose"),
    "/monitoring/repeat_after_last_minutes": (_S, "after the last one, a reading every"),
    "/monitoring/prescriber_on_site": (_W, "a prescriber on site from dose to discharge"),
    "/plan/approver_roles": (_W, "a plan is approved by"),
    "/plan/director_above_mg_per_kg": (_W, "the medical director approves as well above"),
    "/plan/director_above_mg": (_W, "the medical director approves as well above"),
    "/decisions/review_after_doses": (_W, "a prescriber decides whether to go on after dose"),
    "/decisions/default_stop_after_dose": (_W, "to stop is the default, unless it helped, after dose"),
    "/decisions/default_stop_below_percent": (_W, "to stop is the default below an improvement of"),
    "/decisions/final_after_dose": (_W, "the last decision of the series, after dose"),
    "/decisions/then_every_doses": (_W, "and then a decision every so many doses"),
    "/reports/rems_form_owner": (_W, "the REMS form is sent by"),
    "/risk/concern_level": (_W, "a worry of the staff counts as"),
    "/indications": (_B, "conditions that are treated"),
    "/consent/required_elements": (_B, "consent, element by element"),
    "/consent/document_version": (_B, "the version of the consent document"),
    "/consent/valid_days": (_B, "consent is renewed after"),
    "/screening/valid_days": (_B, "screening is renewed after"),
    "/plan/valid_days": (_B, "the plan is renewed after"),
    "/therapy/preparation_sessions": (_B, "preparation sessions before the first dose"),
    "/therapy/preparation_valid_days": (_B, "one of them within, before the first dose"),
    "/readiness/fasting_food_hours": (_B, "no food for"),
    "/readiness/fasting_clear_fluids_hours": (_B, "no clear fluids for"),
    "/readiness/substance_free_hours": (_B, "no alcohol or other substance for"),
    "/readiness/nasal_spray_hours": (_B, "no other nasal spray for"),
    "/readiness/checks_hours_before": (_B, "asked whether they are ready, in hours before"),
    "/readiness/no_show_after_minutes": (_B, "a visit is missed after"),
    "/readiness/reschedules_max": (_B, "visits in a row that may come to nothing"),
    "/booking/arrival_minutes": (_S, "they come before the dose by"),
    "/booking/talk_from_minutes": (_S, "where nothing is infused, the conversation begins after the dose by"),
    "/booking/talk_minutes": (_S, "the conversation takes"),
    "/booking/notice_hours": (_B, "a visit is called off late, and not moved by themselves, from, before it"),
    "/booking/offer_minutes": (Noticed.WAIT, "an earlier time is kept for them for"),
    "/booking/see_to_hours": (Noticed.WAIT, "somebody sees to a time that lapsed within"),
    "/inbox/crisis_minutes": (Noticed.WAIT, "words of crisis are answered within"),
    "/inbox/read_hours": (Noticed.WAIT, "a message is read by a person within"),
    "/inbox/contact_hours": (Noticed.WAIT, "an address that does not work is seen to within"),
    "/inbox/asked_again_hours": (Noticed.WAIT, "after a question back, a person reads what they write for"),
    "/escalation/coordinator": (_W, "what a coordinator owes too long is told to"),
    "/escalation/nurse": (_W, "what a nurse owes too long is told to"),
    "/escalation/therapist": (_W, "what a therapist owes too long is told to"),
    "/escalation/prescriber": (_W, "what a prescriber owes too long is told to"),
    "/follow_up/weeks": (_F, "weeks after the last dose in which they are asked"),
    "/follow_up/instruments": (_F, "questionnaires after the last dose"),
    "/follow_up/remind_hours_before": (_F, "the reminder comes before it is due by"),
    "/follow_up/window_hours": (_F, "a follow-up week can be answered for"),
    "/long_term/*/code": (_F, "which check"),
    "/long_term/*/after_doses": (_F, "first after dose"),
    "/long_term/*/every_days": (_F, "then every"),
    "/therapy/integration_from_hours": (_A, "integration from, after the dose"),
    "/therapy/integration_due_hours": (_A, "integration until, after the dose"),
    "/therapy/integration_blocks_after_days": (_A, "a missed integration blocks the next dose after"),
    "/reports/rems_form_days": (_A, "the REMS form is due within"),
    "/risk/resolve_hours": (_A, "a risk case is resolved within"),
    "/risk/safety_plan_review_days": (_A, "the safety plan is looked at again after"),
    "/risk/caring_contacts/*/from_hours": (_A, "from, after the case was closed"),
}
_OF_SECTION = {
    "baseline_instruments": _F,
    "dosing": _D,
    "schedule": _G,
    "discharge": _S,
    "monitoring": _S,
    "consultation": _B,
    "consent": _B,
    "screening": _L,
    "plan": _W,
    "readiness": _B,
    "vitals": _L,
    "therapy": _A,
    "risk": _L,
    "decisions": _W,
    "outcomes": _L,
    "follow_up": _F,
    "messages": _A,
    "booking": _S,
    "inbox": Noticed.WAIT,
    "escalation": _W,
    "pause": Noticed.WAIT,
    "reports": _A,
    "custody": _A,
    "long_term": _F,
}
_PARTS = {
    "owner": (_W, "who sees to it that {wait}"),
    "due_hours": (Noticed.WAIT, "until {wait}, due within"),
    "give_up_hours": (Noticed.WAIT, "until {wait}, waited for no longer than"),
}


_LABEL = {"confidence": "how well known is", "source": "who says so of"}


def pattern_of(pointer: str) -> str:
    """The pointer with `*` for each place in a list."""
    return re.sub(r"/\d+(?=/|$)", "/*", pointer)


def words_for(pointer: str, *documents: Any) -> Words:
    """How is this field called, and by what would a patient notice it? Items of a list are called by their names."""
    pattern = pattern_of(pointer)
    of, _, part = pattern.rpartition("/")
    item = _item_name(pointer, documents)
    if part in _PARTS and of in WAITS:
        noticed, text = _PARTS[part]
        return Words(noticed, f"{item}{text.format(wait=WAITS[of])}")
    if pattern in _WORDS:
        noticed, text = _WORDS[pattern]
        return Words(noticed, f"{item}{text}")
    steps = pointer.split("/")
    if steps[1] == "labels" and steps[-1] in _LABEL:
        labelled = steps[2].replace("~1", "/").replace("~0", "~")
        return Words(Noticed.PAPER, f"{_LABEL[steps[-1]]} {labelled}")
    return Words(_OF_SECTION.get(steps[1], Noticed.PAPER), pointer)


def in_words(value: Any, pointer: str) -> str:
    """A value of the protocol with its unit, as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == [] or value == {}:
        return "none"
    if isinstance(value, list):
        return ", ".join(in_words(item, "") for item in value)
    unit = unit_of(field_of(pointer))
    whole = isinstance(value, float) and value.is_integer()
    number = str(int(value)) if whole else "".join(filter(str.isprintable, str(value)))
    return f"{number} {unit}" if unit and isinstance(value, int | float) else number


def field_of(pointer: str) -> str:
    """The name of the field that a pointer leads to, or that has the list that it leads into."""
    return next((step for step in reversed(pointer.split("/")) if not step.isdecimal()), "")


def _item_name(pointer: str, documents: tuple[Any, ...]) -> str:
    """`induction: ` for a field of that phase; the last document that has the item names it."""
    found = re.match(r"(/schedule/phases|/long_term|/risk/caring_contacts)/(\d+)/", f"{pointer}/")
    if not found:
        return ""
    named = f"contact {int(found[2]) + 1}"
    for document in documents:
        try:
            item = value_at(document, f"{found[1]}/{found[2]}")
        except LookupError:
            continue
        named = item.get("name") or item.get("code") or named
    return f"{named}: "

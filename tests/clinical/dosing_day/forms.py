"""The shipped protocol bent to the other forms: into the muscle, under the tongue, into the nose.

The numbers are those of clinical-facts §2.2, §2.3 and §2.5; each form has its own schedule.
"""

from typing import Any

from clinical.protocol import Devices, Dosing, Drug, Injection, Lozenges, Phase, Protocol, Route

FORMS = ("infusion", "injection", "lozenges", "devices")


def changed(protocol: Protocol, section: str, **changes: Any) -> Protocol:
    """The same protocol with other numbers in one section."""
    return protocol.model_copy(update={section: getattr(protocol, section).model_copy(update=changes)})


def of_form(protocol: Protocol, form: str) -> Protocol:
    """The protocol of that form, by its name."""
    bent = {"injection": injection, "lozenges": lozenges, "devices": devices}
    return bent[form](protocol) if form in bent else protocol


def injection(protocol: Protocol) -> Protocol:
    """Into the muscle: 0.5 mg/kg, at most 1 mg/kg and 100 mg, one booster after 15 to 30 minutes."""
    shared = protocol.dosing.model_dump(exclude={"form", "infusion_minutes", "infusion_minutes_min"})
    numbers = {
        "step_mg_per_kg": 0.25,
        "min_mg_per_kg": 0.25,
        "concentration_mg_per_ml": 50,
        "boosters_max": 1,
        "booster_from_minutes": 15,
        "booster_until_minutes": 30,
    }
    rules = Injection.model_validate({**shared, **numbers, "form": "injection"})
    return _bent(protocol, rules, Drug.KETAMINE, Route.IM, min_interval_hours=72, max_per_rolling_7_days=2)


def lozenges(protocol: Protocol) -> Protocol:
    """Under the tongue: 50 mg each, 100 mg to start with, 400 mg at most, one booster."""
    rules = Lozenges(
        form="lozenges",
        unit_mg=50,
        start_mg=100,
        step_mg=50,
        min_mg=50,
        first_session_max_mg=200,
        max_session_mg=400,
        boosters_max=1,
        booster_from_minutes=30,
        booster_until_minutes=60,
        tolerance_percent=0,
    )
    bent = _bent(protocol, rules, Drug.KETAMINE, Route.SL, min_interval_hours=72, max_per_rolling_7_days=2)
    return changed(bent, "plan", director_above_mg_per_kg=None, director_above_mg=300)


def devices(protocol: Protocol) -> Protocol:
    """Into the nose, by the label: 56 mg on day 1, then 56 or 84 mg, twice a week for four weeks."""
    rules = Devices(
        form="devices",
        unit_mg=28,
        allowed_mg=(56, 84),
        first_session_mg=56,
        max_session_mg=84,
        minutes_between_units=5,
        boosters_max=0,
        booster_from_minutes=0,
        booster_until_minutes=0,
        tolerance_percent=0,
    )
    bent = _bent(
        protocol,
        rules,
        Drug.ESKETAMINE,
        Route.NASAL,
        min_interval_hours=48,
        max_per_rolling_7_days=2,
        max_per_calendar_week=2,
        phases=(
            a_phase("induction", sessions=8, hours=48, days=7, weeks=(1, 4)),
            a_phase("weekly", sessions=4, hours=168, days=14, weeks=(5, 8), after_review=True),
            a_phase("maintenance", sessions=4, hours=168, days=14, weeks=(9, None), after_review=True),
        ),
    )
    bent = changed(bent, "plan", director_above_mg_per_kg=None)
    bent = changed(bent, "readiness", nasal_spray_hours=1)
    return changed(
        bent,
        "discharge",
        min_after_start_minutes=120,
        min_after_end_minutes=0,
        minimum_is_absolute=True,
    )


def a_phase(
    name: str,
    *,
    sessions: int = 6,
    hours: float = 40,
    days: int = 14,
    weeks: tuple[int | None, int | None] = (None, None),
    after_review: bool = False,
) -> Phase:
    return Phase(
        name=name,
        sessions=sessions,
        min_interval_hours=hours,
        max_interval_days=days,
        from_week=weeks[0],
        until_week=weeks[1],
        after_review=after_review,
    )


def _bent(protocol: Protocol, rules: Dosing, drug: Drug, route: Route, **schedule: Any) -> Protocol:
    bent = protocol.model_copy(update={"dosing": rules, "drug": drug, "route": route})
    return changed(bent, "schedule", **schedule)

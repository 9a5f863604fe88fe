"""Can a whole course go as the protocol says: every phase reached, the series within its window, decisions asked?

Days count from the first dose of the course, which is day 0 of week 1.
Source: clinical-facts §2.3, §2.5, §7.1, §7.3, H17.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil

from clinical.protocol import Phase, Protocol
from clinical.protocol_fault import Fault

_WEEK = 7


def phases(protocol: Protocol) -> Iterator[Fault]:
    """Names that stand twice, weeks out of order, and phases that no course could reach."""
    stretches, at = protocol.schedule.phases, "/schedule/phases"
    for index, phase in enumerate(stretches):
        here = f"{at}/{index}"
        if any(phase.name == earlier.name for earlier in stretches[:index]):
            yield Fault(f"{here}/name", f"{phase.name} stands twice: a plan names its phase", (at,))
        if phase.until_week is not None and (phase.from_week or 1) > phase.until_week:
            detail = f"ends in week {phase.until_week}, before it begins in week {phase.from_week or 1}"
            yield Fault(f"{here}/until_week", detail, (f"{here}/from_week",))
    first = stretches[0]
    if first.after_review:
        detail = "false: before the first phase there is nothing to review, no plan could be made"
        yield Fault(f"{at}/0/after_review", detail)
    if first.from_week is not None and first.from_week > 1:
        detail = f"the first dose of a course is in week 1: nobody could begin in week {first.from_week}"
        yield Fault(f"{at}/0/from_week", detail)
    for index, (one, following) in enumerate(pairwise(stretches), start=1):
        if one.until_week is not None and (following.from_week or 1) <= one.until_week:
            detail = f"begins in week {following.from_week or 1}; {one.name} ends in week {one.until_week}"
            yield Fault(f"{at}/{index}/from_week", detail, (f"{at}/{index - 1}/until_week",))
    yield from _reached(protocol)


def _reached(protocol: Protocol) -> Iterator[Fault]:
    """Walk through the phases as fast as their gaps allow: does each begin, and end, within its weeks?"""
    begins, doses = 0.0, 0
    for index, phase in enumerate(protocol.schedule.phases):
        here = f"/schedule/phases/{index}"
        if index:
            begins += _gap_days(phase, protocol)
            if phase.after_review and not _decided_after(doses, protocol):
                detail = (
                    f"nobody decides after dose {doses}, with which the phases before it end: unreachable"
                )
                yield Fault(
                    f"{here}/after_review", detail, ("/decisions", *_before(index), "/schedule/phases")
                )
        begins = max(begins, ((phase.from_week or 1) - 1) * _WEEK)
        ends = begins + _shortest_days(phase.sessions, phase, protocol)
        last = None if phase.until_week is None else phase.until_week * _WEEK
        involved = ("/schedule", f"{here}/until_week", *_before(index))
        if last is not None and begins >= last:
            detail = f"unreachable: over after week {phase.until_week}, it could begin on day {begins:g}"
            yield Fault(f"{here}/until_week", detail, involved)
        elif last is not None and ends >= last:
            detail = f"{phase.sessions} sessions end on day {ends:g} at the earliest, week {phase.until_week} before"
            yield Fault(f"{here}/sessions", detail, involved)
        begins, doses = ends, doses + phase.sessions


def _before(index: int) -> tuple[str, ...]:
    return tuple(f"/schedule/phases/{earlier}" for earlier in range(index))


def _decided_after(dose: int, protocol: Protocol) -> bool:
    """Is this dose one after which somebody decides? After the final one every so many doses. Facts §7.3."""
    rules = protocol.decisions
    beyond = dose - rules.final_after_dose
    return dose in rules.review_after_doses or (beyond > 0 and beyond % rules.then_every_doses == 0)


def _gap_days(phase: Phase, protocol: Protocol) -> float:
    return max(protocol.schedule.min_interval_hours, phase.min_interval_hours) / 24


def _shortest_days(sessions: int, phase: Phase, protocol: Protocol) -> float:
    """How many days lie at least between the first and the last of so many sessions?"""
    schedule, gap = protocol.schedule, _gap_days(phase, protocol)
    whole_weeks, rest = divmod(sessions - 1, schedule.max_per_rolling_7_days)
    days = max((sessions - 1) * gap, whole_weeks * _WEEK + rest * gap)
    if schedule.max_per_calendar_week is not None:
        # The first and the last calendar week touch the others at their nearest ends.
        days = max(days, (ceil(sessions / schedule.max_per_calendar_week) - 2) * _WEEK)
    return days


def calendar(protocol: Protocol) -> Iterator[Fault]:
    """Can the series be given at all within its own gaps and window?"""
    schedule, window = protocol.schedule, "/schedule/series_window_days"
    for index, phase in enumerate(schedule.phases):
        gap_days = _gap_days(phase, protocol)
        if gap_days > phase.max_interval_days:
            detail = f"{gap_days * 24:g} h is longer than the longest gap, {phase.max_interval_days} d"
            depends = (f"/schedule/phases/{index}/max_interval_days", "/schedule/min_interval_hours")
            yield Fault(f"/schedule/phases/{index}/min_interval_hours", detail, depends)
    first = schedule.first
    shortest = _shortest_days(first.sessions, first, protocol)
    if shortest > schedule.series_window_days[1]:
        detail = f"{first.sessions} sessions need at least {shortest:.1f} d: the last gate could never open"
        involved = (
            "/schedule/phases/0/sessions",
            "/schedule/phases/0/min_interval_hours",
            "/schedule/min_interval_hours",
            "/schedule/max_per_rolling_7_days",
            "/schedule/max_per_calendar_week",
        )
        yield Fault(f"{window}/1", detail, involved)
    if first.max_interval_days > schedule.reentry_after_days:
        detail = f"re-entry after {schedule.reentry_after_days} d would come before the longest gap ends"
        yield Fault("/schedule/reentry_after_days", detail, ("/schedule/phases/0/max_interval_days",))
    if protocol.plan.valid_days < schedule.series_window_days[0]:
        yield Fault("/plan/valid_days", "the plan expires before the series can end", (f"{window}/0",))


def decisions(protocol: Protocol) -> Iterator[Fault]:
    """Are the decisions asked for after doses that are given, and the defaults tied to them?"""
    rules, given = protocol.decisions, protocol.schedule.first.sessions
    asked = rules.review_after_doses
    for index, dose in enumerate(asked):
        if dose > given:
            detail = f"dose {dose} is never given: the series has {given}"
            yield Fault(f"/decisions/review_after_doses/{index}", detail, ("/schedule/phases/0/sessions",))
    for pointer, dose in (
        ("/decisions/default_stop_after_dose", rules.default_stop_after_dose),
        ("/decisions/final_after_dose", rules.final_after_dose),
    ):
        if dose not in asked:
            detail = f"nobody is asked after dose {dose}: it is none of review_after_doses"
            yield Fault(pointer, detail, ("/decisions/review_after_doses",))


def follow_up(protocol: Protocol) -> Iterator[Fault]:
    """Does one measurement end before the next one begins?"""
    rules, weeks = protocol.follow_up, protocol.follow_up.weeks
    closest = min((following - one for one, following in pairwise(weeks)), default=None)
    if closest is None or closest <= 0:
        return
    hours = closest * _WEEK * 24 - rules.remind_hours_before
    if rules.measure.give_up_hours > hours:
        detail = f"{rules.measure.give_up_hours:g} h outlast the {hours:g} h until the next measurement opens"
        involved = ("/follow_up/weeks", "/follow_up/remind_hours_before")
        yield Fault("/follow_up/measure/give_up_hours", detail, involved)

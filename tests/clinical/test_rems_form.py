"""What of the REMS form does the record answer, and is what it does not know never said to be "no"? (§8)"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from clinical import events
from clinical.adverse_event_terms import Term
from clinical.adverse_events import AdverseEvent, Grade
from clinical.decision import Reason, Verdict
from clinical.events import RecordedEntry
from clinical.protocol import Drug, Protocol
from clinical.rems_form import CONCOMITANT, RemsForm, draft
from tests.clinical.recorded_journeys import dose_time, edited, recorded_journey, with_after, without

Journey = list[RecordedEntry]
MINUTES = (10, 40, 85, 102)
"""When the recorded session was read."""


@pytest.fixture(scope="module")
def rems(protocol: Protocol) -> Protocol:
    return protocol.model_copy(update={"reports": protocol.reports.model_copy(update={"rems_form_days": 7})})


@pytest.fixture(scope="module")
def journey(rems: Protocol) -> Journey:
    return recorded_journey(rems)


def changed(journey: Journey, nth: int, **reading: Any) -> Journey:
    """The nth observation of the first session read otherwise."""
    [*seen] = [e.fact for e in journey if isinstance(e.fact, events.ObservationRecorded)]
    before = seen[nth - 1]
    values = {name: reading.pop(name) for name in ("cadss6",) if name in reading}
    return edited(
        journey,
        events.ObservationRecorded,
        nth,
        reading=before.reading.model_copy(update=reading),
        **values,
    )


def form(journey: Journey, protocol: Protocol, session: int = 1, **given: Any) -> RemsForm:
    return draft(journey, session, given.get("medicines"), protocol)


def seen_at(journey: Journey, nth: int) -> datetime:
    seen = [e.fact for e in journey if isinstance(e.fact, events.ObservationRecorded)]
    return seen[nth - 1].reading.taken_at


def an_event(grade: Grade | None, at: datetime, **changes: Any) -> AdverseEvent:
    serious = None if grade is None else frozenset[Any]()
    return AdverseEvent.model_validate(
        {
            "term": Term.NAUSEA,
            "grade": grade,
            "seriousness": serious,
            "onset_at": at,
            "known_at": at,
            "dose_at": at,
            "drug": Drug.ESKETAMINE,
            "time_zone": "UTC",
            **changes,
        }
    )


def test_an_uneventful_session_fills_in_all_but_what_only_a_person_knows(
    journey: Journey, rems: Protocol
) -> None:
    found = form(journey, rems)
    given = next(e.fact for e in journey if isinstance(e.fact, events.DoseGiven))
    home = next(e.fact for e in journey if isinstance(e.fact, events.SessionDischarged))
    assert (found.administered_at, found.dose_mg, found.lots) == (dose_time(1), given.dose_mg, (given.lot,))
    assert found.due_at == dose_time(1) + timedelta(days=7)
    assert found.minutes_monitored == (home.discharged_at - dose_time(1)) / timedelta(minutes=1)
    assert found.pressure_at_40_minutes is not None and found.pressure_before is not None
    assert found.pressure_at_40_minutes.taken_at == dose_time(1) + timedelta(minutes=40)
    assert found.vitals_acceptable_before is found.vitals_acceptable_at_exit is True
    assert found.pressure_at_exit is not None
    named = {f"concomitant.{name}" for name in CONCOMITANT} | {"serious_adverse_event", "devices"}
    assert set(found.missing) >= named
    assert not any(found.concomitant.values())


def test_what_was_never_looked_at_is_missing_and_not_no(journey: Journey, rems: Protocol) -> None:
    bare = without(without(journey, events.ObservationRecorded), events.CheckedIn)
    found = form(without(bare, events.SessionDischarged), rems)
    for name in ("sedation", "dissociation", "respiratory_depression"):
        assert getattr(found, name).occurred is None
        assert name in found.missing
    assert found.vitals_acceptable_before is None and found.pressure_at_exit is None
    assert found.minutes_monitored is None and found.ready_after_minutes is None
    nothing = form(journey, rems, session=99)
    assert nothing.administered_at is None and nothing.due_at is None and nothing.dose_mg is None
    assert {"administered_at", "dose_mg", "lots"} <= set(nothing.missing)


def test_sedation_dissociation_and_breathing_have_their_times(journey: Journey, rems: Protocol) -> None:
    told = changed(changed(changed(journey, 1, cadss6=0), 2, moaas=3, cadss6=7), 3, moaas=4, cadss6=2)
    told = changed(changed(told, 2, respiratory_rate_per_min=8), 4, spo2_percent=91.0)
    found = form(told, rems)
    first, second, third = (seen_at(told, nth) for nth in (2, 3, 4))
    assert (found.sedation.occurred, found.sedation.first_seen_at) == (True, first)
    assert found.sedation.last_seen_at == second
    assert found.dissociation.occurred and found.dissociation.first_seen_at == first
    breathing = found.respiratory_depression
    assert (breathing.first_seen_at, breathing.last_seen_at) == (first, third)


def test_one_bad_reading_sets_the_moment_of_being_ready_back(journey: Journey, rems: Protocol) -> None:
    well = journey
    for nth in range(1, len(MINUTES) + 1):
        well = changed(well, nth, cadss6=0, moaas=5)
    assert form(well, rems).ready_after_minutes == MINUTES[0]
    again = form(changed(well, 2, systolic_mmhg=185), rems)
    assert again.ready_after_minutes == MINUTES[2]
    never = form(changed(well, len(MINUTES), cadss6=20), rems)
    assert never.ready_after_minutes is None and "ready_after_minutes" in never.missing
    unscored = form(changed(changed(well, 1, cadss6=None), 2, moaas=None), rems)
    assert unscored.ready_after_minutes == MINUTES[2]


def test_an_amended_reading_counts_and_the_one_before_it_does_not(journey: Journey, rems: Protocol) -> None:
    wrong = changed(journey, 2, systolic_mmhg=200)
    seen = [e.fact for e in wrong if isinstance(e.fact, events.ObservationRecorded)]
    right = seen[1].model_copy(
        update={
            "observation_id": "amended",
            "amends": seen[1].observation_id,
            "reading": seen[1].reading.model_copy(update={"systolic_mmhg": 131}),
        }
    )
    found = form(with_after(wrong, events.ObservationRecorded, 2, right), rems)
    assert found.pressure_at_40_minutes is not None
    assert found.pressure_at_40_minutes.systolic_mmhg == 131


def test_boosters_and_devices_are_summed(journey: Journey, rems: Protocol) -> None:
    given = next(e.fact for e in journey if isinstance(e.fact, events.DoseGiven))
    two = edited(journey, events.DoseGiven, 1, units=2, dose_mg=Decimal(56))
    more = given.model_copy(
        update={"units": 1, "dose_mg": Decimal(28), "lot": "LOT-Z", "booster": True,
                "given_at": given.given_at + timedelta(minutes=5)}
    )  # fmt: skip
    found = form(with_after(two, events.DoseGiven, 1, more), rems)
    assert (found.devices, found.dose_mg) == (3, Decimal(84))
    assert set(found.lots) == {given.lot, "LOT-Z"}
    assert found.administered_at == given.given_at


def test_medicines_on_the_list_are_yes_and_the_others_stay_unknown(journey: Journey, rems: Protocol) -> None:
    taken = [
        Reason(rule=rule, verdict=Verdict.REVIEW, text="taken", source="test")
        for rule in ("MED-STIMULANT", "MED-SEDATING", "MED-THYROID")
    ]
    found = form(journey, rems, medicines=taken)
    assert found.concomitant == {
        "benzodiazepine": None,
        "sedative_hypnotic_or_opioid": True,
        "stimulant": True,
        "maoi": None,
    }


@pytest.mark.parametrize(
    ("grades", "serious"),
    [((), None), ((1,), False), ((4,), True), ((1, 4), True), ((1, None), None), ((None,), None)],
)
def test_serious_is_no_only_when_every_event_was_judged(
    journey: Journey, rems: Protocol, grades: tuple[int | None, ...], serious: bool | None
) -> None:
    told = journey
    for number, grade in enumerate(grades):
        event = an_event(None if grade is None else Grade(grade), dose_time(1))
        fact = events.AdverseEventRecorded(session=1, event=event, event_id=f"ae-{number}")
        told = with_after(told, events.SessionDischarged, 1, fact)
    found = form(told, rems)
    assert found.serious_adverse_event is serious
    assert len(found.adverse_events) == len(grades)


def test_the_last_version_of_an_event_is_the_one_that_counts(journey: Journey, rems: Protocol) -> None:
    draft_, judged = an_event(None, dose_time(1)), an_event(Grade.MILD, dose_time(1))
    told = with_after(
        journey,
        events.SessionDischarged,
        1,
        events.AdverseEventRecorded(session=1, event=draft_, event_id="ae-1"),
        events.AdverseEventRecorded(session=1, event=judged, event_id="ae-1", version=2),
        events.AdverseEventRecorded(session=1, event=judged),
    )
    found = form(told, rems)
    assert found.serious_adverse_event is False
    assert found.adverse_events == ("nausea", "nausea")


def test_without_a_rems_there_is_nothing_to_be_due(journey: Journey, protocol: Protocol) -> None:
    assert form(journey, protocol).due_at is None


def test_without_a_reading_near_forty_minutes_the_field_stays_open(journey: Journey, rems: Protocol) -> None:
    moved = edited(journey, events.ObservationRecorded, 2, minute=47)
    assert form(moved, rems).pressure_at_40_minutes is None


def test_a_breathing_rate_that_was_not_counted_is_no_all_clear(journey: Journey, rems: Protocol) -> None:
    told = journey
    for nth in range(1, len(MINUTES) + 1):
        told = changed(told, nth, respiratory_rate_per_min=None)
    assert form(told, rems).respiratory_depression.occurred is None

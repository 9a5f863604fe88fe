"""In the chair: readings on time or an alarm, what an alarming value asks for, and who may go home when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from clinical.instants import later
from clinical.invariants import violations
from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.recovery_scores import PadssItems
from clinical.vitals import Action
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.walk import PEOPLE, RECOVERED, Refused, Walk, a_key, a_reading
from workflows import messages as m

Begin = Callable[..., Walk]


@pytest.fixture
async def patient(walk: Begin, protocol: Protocol) -> Walk:
    """Somebody in the chair, a moment after the dose."""
    patient = await at_treating(walk(shortened(protocol)))
    await patient.give(await patient.to_chair())
    return patient


async def given_at(patient: Walk) -> datetime:
    [dose] = await patient.facts("dose.given")
    at: datetime = dose.given_at
    return at


async def to_minute(patient: Walk, minute: float) -> datetime:
    await patient.forward_to(later(await given_at(patient), minutes=minute), patient.part)
    return await patient.here()


async def ended(patient: Walk) -> None:
    dose = (await patient.facts("dose.given"))[0].dose_mg
    end = m.EndDose(key=a_key(), actor=PEOPLE[Role.NURSE], given_mg=dose, wasted_mg=dose - dose, witness=None)
    await patient.say("end_dose", end, patient.part)


async def recovered(patient: Walk, **last: Any) -> None:
    """The dose has ended and the readings were taken, up to the minimum observation; now they may go home."""
    await to_minute(patient, 40)
    await patient.observe(40)
    await ended(patient)
    await to_minute(patient, 80)
    await patient.observe(80)
    await to_minute(patient, 101)
    await patient.observe(101, **last)


async def over(patient: Walk, broken: frozenset[str] = frozenset()) -> None:
    """End the course; `broken` are the invariants that the test has people break."""
    if await patient.stage() is Stage.TREATING:
        await patient.leave(Move.END)
    await patient.outcome()
    if not broken:
        return await patient.assert_sound()
    assert {found.rule for found in violations(await patient.record(), patient.protocol)} == broken


async def paged(patient: Walk, what: str) -> list[Any]:
    mails = await patient.facts("message.settled")
    return [mail for mail in mails if mail.template == "staff_page" and what in mail.key]


async def observation(patient: Walk, **changes: Any) -> m.RecordObservation:
    reading = changes.pop("reading", None) or a_reading(await patient.here(), **changes.pop("values", {}))
    given = {"key": a_key(), "actor": PEOPLE[Role.NURSE], "reading": reading, "oriented": True, "cadss6": 0}
    return m.RecordObservation.model_validate(given | changes)


async def test_a_missing_reading_alarms_the_nurse_then_the_prescriber_until_it_comes(patient: Walk) -> None:
    await to_minute(patient, 14)
    assert await patient.facts("observation.late") == []
    await to_minute(patient, 16)
    await patient.until_written("observation.late", 1)
    await to_minute(patient, 21)
    await patient.until_written("observation.late", 2)
    late = await patient.facts("observation.late")
    assert [fact.paged for fact in late] == [Role.NURSE, Role.PRESCRIBER]
    assert {fact.due_at for fact in late} == {later(await given_at(patient), minutes=10)}
    [task] = [task for task in await patient.facts("task.opened") if task.code == "take-reading"]
    await to_minute(patient, 31)
    await patient.eventually(lambda: _is_paged(patient, f"{Role.MEDICAL_DIRECTOR}"))
    await patient.observe(31)
    await patient.until_written("task.completed", 5)
    assert task.task_id in [done.task_id for done in await patient.facts("task.completed")]
    await recovered(patient)
    await patient.discharge()
    await over(patient)


async def _is_paged(patient: Walk, what: str) -> bool:
    return bool(await paged(patient, what))


async def test_a_reading_before_the_dose_from_the_future_or_beyond_belief_is_refused(patient: Walk) -> None:
    now = await to_minute(patient, 10)
    for rule, reading in (
        ("READING-BEFORE-DOSE", a_reading(now - timedelta(minutes=11))),
        ("READING-FUTURE", a_reading(now + timedelta(minutes=10))),
        ("READING-IMPOSSIBLE", a_reading(now, spo2_percent=140)),
    ):
        wrong = await observation(patient, reading=reading)
        refused = await patient.refused("record_observation", wrong, patient.part)
        assert (refused.code, refused.reasons) == ("invalid-observation", [rule])
    await patient.observe(10)
    await recovered(patient)
    await patient.discharge()
    await over(patient)


async def test_the_same_reading_of_the_same_device_counts_once(patient: Walk) -> None:
    now = await to_minute(patient, 10)
    from_device = a_reading(now, device_id="monitor-7")
    first = await patient.say(
        "record_observation", await observation(patient, reading=from_device), patient.part
    )
    again = await observation(patient, reading=from_device)
    second = await patient.say("record_observation", again, patient.part)
    assert (first.state, second.state) == ("final", "duplicate")
    assert second.detail["observation_id"] == first.detail["observation_id"]
    assert len(await patient.facts("observation.recorded")) == 1
    await recovered(patient)
    await patient.discharge()
    await over(patient)


async def test_an_alarming_reading_is_saved_only_with_what_was_done_and_calls_the_prescriber(
    patient: Walk,
) -> None:
    await to_minute(patient, 10)
    for action in (None, Action.NONE):
        bare = await observation(patient, values={"systolic_mmhg": 172}, action=action)
        refused = await patient.refused("record_observation", bare, patient.part)
        assert refused.code == "action-required"
        assert "VITAL-BP" in refused.reasons
    acted = await observation(
        patient, values={"systolic_mmhg": 172}, action=Action.NOTIFY_PRESCRIBER, key="the-alarming-one"
    )
    saved = await patient.say_twice("record_observation", acted, patient.part)
    assert saved.detail["tier"] == "C"
    assert datetime.fromisoformat(saved.detail["next_due_at"]) <= later(acted.reading.taken_at, minutes=5)
    await patient.eventually(lambda: _is_paged(patient, "tier/the-alarming-one"))
    await recovered(patient)
    await patient.discharge()
    await over(patient)


async def test_an_amendment_stands_beside_the_original(patient: Walk) -> None:
    now = await to_minute(patient, 10)
    first = await patient.observe(10)
    unknown = await observation(patient, amends="session/1/observation/none")
    assert (await patient.refused("record_observation", unknown, patient.part)).code == "not-possible-now"
    corrected = await observation(
        patient, reading=a_reading(now, heart_rate_per_min=81), amends=first.detail["observation_id"]
    )
    assert (await patient.say("record_observation", corrected, patient.part)).state == "amended"
    original, amendment = await patient.facts("observation.recorded")
    assert (original.reading.heart_rate_per_min, amendment.reading.heart_rate_per_min) == (72, 81)
    assert amendment.amends == original.observation_id
    await recovered(patient)
    await patient.discharge()
    await over(patient)


async def test_who_withdraws_in_the_chair_is_watched_until_they_go_home(patient: Walk) -> None:
    await patient.leave(Move.WITHDRAW)
    assert await patient.stage() is Stage.TREATING
    await to_minute(patient, 16)
    await patient.until_written("observation.late")
    await recovered(patient)
    await patient.discharge()
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    kinds = await patient.kinds()
    assert (
        kinds.index("consent.withdrawn") < kinds.index("session.discharged") < kinds.index("journey.closed")
    )
    await over(patient)


async def test_a_pause_does_not_silence_the_alarms_of_who_is_in_the_chair(patient: Walk) -> None:
    who = PEOPLE[Role.PRESCRIBER]
    await patient.say("pause", m.Pause(key=a_key(), actor=who, reason="staff shortage"))
    await to_minute(patient, 21)
    await patient.until_written("observation.late", 2)
    await recovered(patient)
    await patient.discharge()
    await patient.say("resume", m.Resume(key=a_key(), actor=who, reason="staffed again"))
    await patient.until_there("session/2")
    await over(patient)


async def test_nobody_goes_home_before_their_time_and_is_told_when(patient: Walk) -> None:
    await to_minute(patient, 40)
    await patient.observe(40)
    await ended(patient)
    await to_minute(patient, 80)
    await patient.observe(80)
    with pytest.raises(Refused) as early:
        await patient.discharge()
    assert early.value.code == "discharge-criteria-unmet"
    found = {reason["rule"]: reason for reason in early.value.details}
    until = datetime.fromisoformat(found["DISCHARGE-MINIMUM-TIME"]["available_at"])
    assert timedelta(minutes=99) < until - await given_at(patient) < timedelta(minutes=102)
    assert "DISCHARGE-PADSS" in found
    await to_minute(patient, 102)
    await patient.observe(102)
    assert (await patient.discharge()).detail["overridden"] == "false"
    await over(patient)


async def test_without_an_escort_nobody_goes_home_whatever_a_prescriber_says(patient: Walk) -> None:
    await recovered(patient)
    for reason in (None, "lives next door"):
        with pytest.raises(Refused) as alone:
            await patient.discharge(escort_present=False, override_reason=reason)
        assert alone.value.code == "discharge-criteria-unmet"
        assert "DISCHARGE-ESCORT" in alone.value.reasons
    await patient.discharge()
    await over(patient)


async def test_an_unsteady_gait_is_overridden_by_a_prescriber_with_a_reason_and_by_nobody_else(
    patient: Walk,
) -> None:
    unsteady = PadssItems(**(RECOVERED.model_dump() | {"ambulation": 1}))
    await recovered(patient, padss=unsteady)
    with pytest.raises(Refused) as stays:
        await patient.discharge()
    assert stays.value.reasons == ["DISCHARGE-AMBULATION"]
    with pytest.raises(Refused) as nurse:
        await patient.discharge(actor=PEOPLE[Role.NURSE], override_reason="has always walked so")
    assert "OVERRIDE-ROLE" in nurse.value.reasons
    home = await patient.discharge(override_reason="has always walked so")
    assert home.detail["overridden"] == "true"
    [discharged] = await patient.facts("session.discharged")
    assert (discharged.overridden, discharged.override_reason) == (True, "has always walked so")
    overridden = [r.rule for r in discharged.checklist if r.text.startswith("overridden")]
    assert overridden == ["DISCHARGE-AMBULATION"]
    await patient.eventually(lambda: _is_paged(patient, "discharge-override"))
    await over(patient)


async def test_a_prescriber_who_leaves_the_site_is_called_out_and_bars_the_plain_way_home(
    patient: Walk,
) -> None:
    gone = m.SetPresence(key=a_key(), actor=PEOPLE[Role.PRESCRIBER], present=False)
    assert (await patient.say("set_presence", gone, patient.part)).state == "away"
    await patient.eventually(lambda: _is_paged(patient, "prescriber-left"))
    back = m.SetPresence(key=a_key(), actor=PEOPLE[Role.PRESCRIBER], present=True)
    await patient.say("set_presence", back, patient.part)
    await recovered(patient)
    with pytest.raises(Refused) as barred:
        await patient.discharge()
    assert barred.value.reasons == ["DISCHARGE-PRESCRIBER"]
    await patient.discharge(override_reason="a colleague stood in for the quarter of an hour")
    await over(patient, broken=frozenset({"INV6-LEFT"}))

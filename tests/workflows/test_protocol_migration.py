"""A running course goes over to another protocol: by the medical director, visible everywhere, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from clinical.journey import Stage
from clinical.people import Role
from clinical.protocol import Protocol
from services.protocol_signing import signature_of
from tests.workflows.shortcut import at_treating, over, shortened
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m
from workflows.names import PROTOCOL

Begin = Callable[..., Walk]


def newer(protocol: Protocol, **sections: dict[str, Any]) -> Protocol:
    """The next version of it, with these fields changed, signed."""
    fields = {name: getattr(protocol, name).model_copy(update=more) for name, more in sections.items()}
    changed = protocol.model_copy(update={**fields, "version": f"{protocol.version}-next"})
    signature = signature_of(changed, "A. Director", datetime.now(UTC), example=True)
    return changed.model_copy(update={"signature": signature})


def to(protocol: Protocol, role: Role = Role.MEDICAL_DIRECTOR, **more: Any) -> m.MigrateProtocol:
    given = {"key": a_key(), "actor": PEOPLE[role], "protocol": protocol, "reason": "a longer stay", **more}
    return m.MigrateProtocol.model_validate(given)


async def test_a_course_goes_over_and_the_open_visit_with_it(walk: Begin, protocol: Protocol) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    after = newer(patient.protocol, discharge={"min_after_start_minutes": 150})
    look: m.MigrationLook = await patient.handle().query(
        "look_at_migration", to(after), result_type=m.MigrationLook
    )
    assert look.found.decision.passes and look.before == patient.protocol.canonical
    answer = await patient.say_twice("migrate_protocol", to(after))
    assert answer.detail == {"protocol": after.canonical, "plan": "stands"}
    [told] = await patient.facts("journey.protocol-migrated")
    assert (told.before_hash, told.protocol_hash) == (patient.protocol.content_hash, after.content_hash)
    patient.goes_by(after)

    async def shown() -> bool:
        described = await patient.handle().describe()
        return described.typed_search_attributes.get(PROTOCOL) == after.content_hash[:12]

    await patient.eventually(shown)
    order = await patient.to_chair()
    given = await patient.give(order)
    await patient.in_the_chair(given.at, order.order.dose_mg)
    home = {
        "key": a_key(),
        "actor": PEOPLE[Role.PRESCRIBER],
        "escort_present": True,
        "instructions_given": True,
    }
    early = await patient.refused("discharge", m.Discharge.model_validate(home), patient.part)
    assert early.reasons == ["DISCHARGE-MINIMUM-TIME"]
    for minutes in (110, 120, 130, 140, 150):
        await patient.forward_to(given.at + timedelta(minutes=minutes), patient.part)
        await patient.observe(minutes)
    await patient.discharge()
    await over(patient)


async def test_whoever_may_not_or_would_be_watched_for_less_is_refused(
    walk: Begin, protocol: Protocol
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    shorter = newer(patient.protocol, discharge={"min_after_start_minutes": 60})
    refused = await patient.refused("migrate_protocol", to(shorter))
    assert (refused.code, refused.reasons) == ("migration-refused", ["MIG-OBSERVATION"])
    longer = newer(patient.protocol, discharge={"min_after_start_minutes": 150})
    in_the_chair = await patient.refused("migrate_protocol", to(longer, in_the_chair=True))
    assert in_the_chair.reasons == ["MIG-CHAIR"]
    nurse = await patient.refused("migrate_protocol", to(longer, Role.NURSE))
    assert nurse.code == "wrong-role"
    assert await patient.facts("journey.protocol-migrated") == []
    await over(patient)


async def test_a_plan_that_does_not_stand_is_approved_anew(walk: Begin, protocol: Protocol) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    lower = newer(patient.protocol, dosing={"max_session_mg": 40.0})
    answer = await patient.say("migrate_protocol", to(lower))
    assert answer.detail["plan"] == "to-approve-anew"
    cancel = m.CancelSession.model_validate(
        {"key": a_key(), "actor": PEOPLE[Role.COORDINATOR], "reason": "the plan is approved anew first"}
    )
    await patient.say("cancel_session", cancel, patient.part)
    await patient.until_there("plan/2")
    assert await patient.stage() is Stage.PLANNING
    patient.goes_by(lower)
    patient.plan_hash = await patient.propose(version=2, sessions=2, preparation_sessions=0, max_mg=40)
    await patient.approve(patient.plan_hash, version=2)
    await patient.until_there("session/2")
    patient.session = 2
    await over(patient)

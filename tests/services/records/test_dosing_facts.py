"""Does the dose step get what the record says, and nothing kinder?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from clinical import events
from clinical.instruments.answers import InstrumentId
from clinical.people import Role
from clinical.risk import Disposition, RiskLevel
from clinical.vitals import Tier
from services.records.errors import NotFound
from services.records.sql import SqlRecords
from tests.services.records.builders import START, a_journey, add
from tests.services.records.facts import (
    HASH,
    LATER,
    WORDS,
    a_consent,
    a_cssrs,
    a_dose,
    a_phq9,
    a_reading,
    a_risk_case,
    an_approved_plan,
)

DAY = timedelta(days=1)


async def test_a_fresh_journey_has_nothing_that_would_allow_a_dose(records: SqlRecords) -> None:
    facts = await records.dosing_facts(await a_journey(records))
    assert (facts.stage, facts.on_hold, facts.last_seq) == ("referred", False, 1)
    assert (facts.consent, facts.plan, facts.doses, facts.last_suicide_screen) == (None, None, (), None)
    assert (facts.previous_weight_kg, facts.integrations_open_since, facts.preparations_held_at) == (
        None,
        (),
        (),
    )
    with pytest.raises(NotFound):
        await records.dosing_facts("journey/site-a/none")


async def test_consent_is_the_newest_signature_and_shows_its_withdrawal(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_consent("2025-01"), a_consent("2026-01"))
    given = (await records.dosing_facts(journey_id)).consent
    assert given is not None
    assert (given.document_version, given.withdrawn_at, given.capacity_attested_by) == (
        "2026-01",
        None,
        WORDS,
    )
    await add(records, journey_id, events.ConsentWithdrawn(channel="phone", reason="enough"), at=LATER)
    withdrawn = (await records.dosing_facts(journey_id)).consent
    assert withdrawn is not None
    assert withdrawn.withdrawn_at == LATER


async def test_the_plan_is_the_one_approved_last_unless_it_lapsed(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    draft = events.PlanProposed(version=3, plan_hash=HASH, content={}, required_roles=(Role.PRESCRIBER,))
    await add(records, journey_id, an_approved_plan(1), an_approved_plan(2), draft)
    plan = (await records.dosing_facts(journey_id)).plan
    assert plan is not None
    assert (plan.version, plan.superseded, plan.max_mg) == (2, False, Decimal(80))
    await add(records, journey_id, events.PlanLapsed(version=2, reason="expired"))
    assert (await records.dosing_facts(journey_id)).plan is None


async def test_doses_come_in_the_order_they_were_given(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    await add(records, journey_id, a_dose(2, at=START + 3 * DAY, dose_mg="36.55"), a_dose(1, at=START))
    doses = (await records.dosing_facts(journey_id)).doses
    assert [(dose.session, dose.dose_mg) for dose in doses] == [(1, Decimal("36.5")), (2, Decimal("36.55"))]
    assert {dose.key for dose in doses} <= {entry.key for entry in await records.entries(journey_id)}


async def test_a_risk_case_counts_until_it_is_resolved(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    steps: list[tuple[events.Fact, int]] = [
        (a_risk_case("one"), 1),
        (events.RiskJoined(case_id="two", joined_to="one", level=RiskLevel.HIGH), 1),
        (a_risk_case("three"), 2),
        (events.RiskAcknowledged(case_id="one"), 2),
        (events.RiskResolved(case_id="one", disposition=Disposition.SAFETY_PLAN, note="x"), 1),
        (events.RiskResolved(case_id="three", disposition=Disposition.SAFETY_PLAN, note="x"), 0),
    ]
    for fact, still_open in steps:
        await add(records, journey_id, fact)
        assert (await records.dosing_facts(journey_id)).open_risk_cases == still_open


async def test_the_last_suicide_screen_is_the_last_one_answered(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    newest = events.QuestionnaireScored(context="session-1", result=a_cssrs(q2=1))
    older = events.QuestionnaireScored(context="baseline", result=a_cssrs())
    other = events.QuestionnaireScored(context="session-1", result=a_phq9(1, 1))
    await add(records, journey_id, newest, at=LATER)
    await add(records, journey_id, older, at=START)
    await add(records, journey_id, other, at=LATER + DAY)
    facts = await records.dosing_facts(journey_id)
    assert facts.last_suicide_screen == newest.result
    assert facts.last_suicide_screen.instrument is InstrumentId.CSSRS
    assert facts.last_suicide_screen_at == LATER


async def test_the_previous_weight_is_not_todays(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    seen = []
    for session, weight_kg in enumerate((73.0, 74.5, 71.25), start=1):
        arrival = events.CheckedIn(
            session=session, weight_kg=weight_kg, baseline=a_reading(), tier=Tier.NORMAL
        )
        await add(records, journey_id, arrival, at=START + session * DAY)
        seen.append((await records.dosing_facts(journey_id)).previous_weight_kg)
    assert seen == [None, 73.0, 74.5]


async def test_integration_is_owed_from_the_dose_until_it_is_held(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    opened = events.SessionOpened(session=3, plan_hash=HASH, earliest_at=START)
    missed = events.IntegrationMissed(session=1, due_at=LATER)
    held = events.IntegrationHeld(session=2, held_at=LATER)
    booster = a_dose(1, at=START + timedelta(hours=1), dose_id="dose-1b", booster=True)
    await add(
        records, journey_id, a_dose(1, at=START), booster, a_dose(2, at=START + DAY), opened, missed, held
    )
    assert (await records.dosing_facts(journey_id)).integrations_open_since == (START,)


async def test_preparations_come_with_their_instants(records: SqlRecords) -> None:
    journey_id = await a_journey(records)
    held = [events.PreparationHeld(number=n, held_at=START + n * DAY) for n in (2, 1)]
    await add(records, journey_id, *held, events.JourneyPaused(reason="storm", review_at=LATER))
    facts = await records.dosing_facts(journey_id)
    assert facts.preparations_held_at == (START + DAY, START + 2 * DAY)
    assert facts.on_hold

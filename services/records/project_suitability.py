"""What do consent, questionnaires and screening change?"""

from typing import assert_never

from clinical import events
from services.records.fact_groups import SuitabilityFact
from services.records.fresh import Fresh
from services.records.tables import ConsentRow, ScoreRow, ScreeningRow
from services.records.visits import put_visit


async def project_suitability(fact: SuitabilityFact, fresh: Fresh) -> None:
    match fact:
        case events.ConsentGiven():
            await _consent_given(fact, fresh)
        case events.ConsentReaffirmed():
            reaffirmed_at = fresh.at if fact.capacity else None
            await put_visit(fresh, fact.session, consent_reaffirmed_at=reaffirmed_at)
        case events.ConsentWithdrawn():
            active = ConsentRow.status == "active"
            withdrawn = {"withdrawn_at": fresh.at, "withdrawn_seq": fresh.seq}
            await fresh.change(ConsentRow, active, status="inactive", **withdrawn)
        case events.QuestionnaireScored():
            await _scored(fact, fresh)
        case events.InterviewRecorded():
            await _put(fresh, fact.round, interview_at=fresh.at)
        case events.MeasurementsRecorded():
            await _put(fresh, fact.round, measured_at=fresh.at)
        case events.ScreeningAssessed():
            eligibility = fact.eligibility.value
            await _put(
                fresh, fact.round, eligibility=eligibility, assessed_at=fresh.at, assessed_seq=fresh.seq
            )
        case events.ScreeningSigned():
            await _signed(fact, fresh)
        case events.ScreeningLapsed():
            await _put(fresh, fact.round, lapsed_at=fresh.at)
        case _:
            assert_never(fact)


async def _consent_given(fact: events.ConsentGiven, fresh: Fresh) -> None:
    await fresh.change(ConsentRow, ConsentRow.status == "active", status="inactive")
    values = {
        "status": "active",
        "document_version": fact.document_version,
        "elements": list(fact.elements),
        "given_at": fresh.at,
        "expires_at": fact.expires_at,
    }
    await fresh.put(ConsentRow, {"seq": fresh.seq}, values, first={})


async def _scored(fact: events.QuestionnaireScored, fresh: Fresh) -> None:
    result = fact.result
    values = {
        "instrument": result.instrument.value,
        "context": fact.context,
        "score": result.score,
        "band": result.band,
        "complete": result.complete,
        "suicide_item_positive": None if result.suicide_item is None else result.suicide_item > 0,
        "risk_level": None if result.risk_level is None else result.risk_level.value,
        "measured_at": fresh.at,
    }
    await fresh.put(ScoreRow, {"seq": fresh.seq}, values, first={})


async def _signed(fact: events.ScreeningSigned, fresh: Fresh) -> None:
    await _put(
        fresh,
        fact.round,
        signed_eligibility=fact.eligibility.value,
        signed_at=fresh.at,
        signed_by=fresh.actor.id,
        signed_seq=fresh.seq,
        expires_at=fact.expires_at,
    )


async def _put(fresh: Fresh, number: int, **values: object) -> None:
    await fresh.put(ScreeningRow, {"round": number}, values, first={})

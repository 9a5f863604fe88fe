"""Is one request answered once, also when its first answerer died?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.database import Database
from services.encryption import FieldCipher
from services.records.errors import KeyReused, RecordsUnavailable
from services.records.idempotency import Claimed, IdempotencyKeys, Replay, Running


@contextmanager
def gone(database: Database) -> Iterator[None]:
    """No statement reaches the database."""

    async def refuse(*_: Any) -> Any:
        raise OperationalError("-", {}, Exception("no server"))

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(database, "ask", refuse)
        yield


async def test_the_first_claims_the_others_wait_and_then_replay(keys: IdempotencyKeys) -> None:
    claims = await asyncio.gather(*(keys.claim("scope", "key", "hash") for _ in range(8)))
    assert sorted(type(claim).__name__ for claim in claims) == ["Claimed", *["Running"] * 7]
    await keys.finish("scope", "key", 201, '{"id": "grün"}')
    assert await keys.claim("scope", "key", "hash") == Replay(status=201, body='{"id": "grün"}')


async def test_another_request_under_the_key_is_refused(keys: IdempotencyKeys) -> None:
    await keys.claim("scope", "key", "hash")
    for _ in range(2):
        with pytest.raises(KeyReused):
            await keys.claim("scope", "key", "other")
        await keys.finish("scope", "key", 200, "")
    assert await keys.claim("other scope", "key", "other") == Claimed()


async def test_the_first_answer_stays(keys: IdempotencyKeys) -> None:
    await keys.claim("scope", "key", "hash")
    await keys.finish("scope", "key", 201, "first")
    await keys.finish("scope", "key", 500, "second")
    await keys.release("scope", "key")
    assert await keys.claim("scope", "key", "hash") == Replay(status=201, body="first")


async def test_a_released_key_starts_afresh(keys: IdempotencyKeys) -> None:
    await keys.claim("scope", "key", "hash")
    await keys.release("scope", "key")
    assert await keys.claim("scope", "key", "other") == Claimed()


async def test_a_claim_that_could_not_be_given_back_waits_for_nobody(
    keys: IdempotencyKeys, database: Database, cipher: FieldCipher
) -> None:
    """The database went away in the middle: in the process that left it nobody waits, another cannot know."""
    await keys.claim("scope", "given back", "hash")
    await keys.claim("scope", "answered", "hash")
    with gone(database):
        with pytest.raises(RecordsUnavailable):
            await keys.release("scope", "given back")
        with pytest.raises(RecordsUnavailable):
            await keys.finish("scope", "answered", 200, "answer")
    another = IdempotencyKeys(database, cipher)
    for key in ("given back", "answered"):
        assert await another.claim("scope", key, "hash") == Running()
        assert await keys.claim("scope", key, "hash") == Claimed()
        assert await keys.claim("scope", key, "hash") == Running()


async def test_a_claim_whose_answer_was_lost_waits_for_nobody(
    keys: IdempotencyKeys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there, the connection broke before it was told."""
    kept = database.ask

    async def lost(*given: Any) -> Any:
        await kept(*given)
        raise OperationalError("INSERT", {}, Exception("the connection broke"))

    with monkeypatch.context() as broken:
        broken.setattr(database, "ask", lost)
        with pytest.raises(RecordsUnavailable):
            await keys.claim("scope", "key", "hash")
    assert await keys.claim("scope", "key", "hash") == Claimed()
    assert not keys._at_work - Counter({("scope", "key"): 1})


@pytest.mark.parametrize(
    ("age_s", "expected"), [(25, [Running()] * 3), (31, [Claimed(), Running(), Running()])]
)
async def test_only_a_dead_claim_is_taken_over_and_once(
    keys: IdempotencyKeys, database: Database, age_s: int, expected: list[object]
) -> None:
    await keys.claim("scope", "key", "hash")
    async with database.transaction() as session:
        older = text("UPDATE idempotency_key SET claimed_at = claimed_at - make_interval(secs => :age)")
        await session.execute(older, {"age": age_s})
    claims = await asyncio.gather(*(keys.claim("scope", "key", "hash") for _ in range(3)))
    assert sorted(claims, key=lambda claim: type(claim).__name__) == expected


async def test_old_answers_are_forgotten_and_what_somebody_is_at_stays(
    keys: IdempotencyKeys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.records.idempotency.FORGOTTEN_AT_ONCE", 2)
    for name in ("answered", "abandoned", "at work", "one", "two", "three", "young"):
        await keys.claim("scope", name, "hash")
        if name not in ("abandoned", "at work"):
            await keys.finish("scope", name, 200, name)
    async with database.transaction() as session:
        await session.execute(
            text(
                "UPDATE idempotency_key SET created_at = created_at - interval '73 hours',"
                " claimed_at = CASE key WHEN 'at work' THEN claimed_at ELSE claimed_at - interval '73 hours' END"
                " WHERE key <> 'young'"
            )
        )
    assert await keys.forget(timedelta(hours=72)) == 5
    assert await keys.forget(timedelta(hours=72)) == 0
    assert await keys.claim("scope", "young", "hash") == Replay(status=200, body="young")
    assert await keys.claim("scope", "at work", "hash") == Running()
    assert await keys.claim("scope", "answered", "another request") == Claimed()

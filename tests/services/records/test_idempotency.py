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


async def claimed(keys: IdempotencyKeys, key: str = "key", request: str = "hash") -> Claimed:
    answer = await keys.claim("scope", key, request)
    assert isinstance(answer, Claimed), answer
    return answer


async def half_a_minute_passes(database: Database, age_s: int = 31) -> None:
    async with database.transaction() as session:
        older = text("UPDATE idempotency_key SET claimed_at = claimed_at - make_interval(secs => :age)")
        await session.execute(older, {"age": age_s})


async def test_the_first_claims_the_others_wait_and_then_replay(keys: IdempotencyKeys) -> None:
    claims = await asyncio.gather(*(keys.claim("scope", "key", "hash") for _ in range(8)))
    assert sorted(type(claim).__name__ for claim in claims) == ["Claimed", *["Running"] * 7]
    [mine] = [claim for claim in claims if isinstance(claim, Claimed)]
    assert await keys.finish("scope", "key", mine, 201, '{"id": "grün"}') is None
    assert await keys.claim("scope", "key", "hash") == Replay(status=201, body='{"id": "grün"}')


async def test_another_request_under_the_key_is_refused(keys: IdempotencyKeys) -> None:
    mine = await claimed(keys)
    for _ in range(2):
        with pytest.raises(KeyReused):
            await keys.claim("scope", "key", "other")
        await keys.finish("scope", "key", mine, 200, "")
    assert isinstance(await keys.claim("other scope", "key", "other"), Claimed)


async def test_the_first_answer_stays(keys: IdempotencyKeys) -> None:
    mine, first = await claimed(keys), Replay(status=201, body="first")
    assert await keys.finish("scope", "key", mine, 201, "first") is None
    assert await keys.finish("scope", "key", mine, 500, "second") == first
    assert await keys.release("scope", "key", mine) == first
    assert await keys.claim("scope", "key", "hash") == first


async def test_a_released_key_starts_afresh(keys: IdempotencyKeys) -> None:
    assert await keys.release("scope", "key", await claimed(keys)) is None
    await claimed(keys, request="other")


@pytest.mark.parametrize("same_process", [True, False])
@pytest.mark.parametrize("late_one_has_an_answer", [True, False])
async def test_who_is_late_touches_no_claim_but_its_own(
    keys: IdempotencyKeys,
    database: Database,
    cipher: FieldCipher,
    same_process: bool,
    late_one_has_an_answer: bool,
) -> None:
    """It was slow, not dead: whoever took the key over is at it, and their answer is the one that is kept."""
    another = keys if same_process else IdempotencyKeys(database, cipher)

    async def come_late() -> Replay | None:
        if late_one_has_an_answer:
            return await keys.finish("scope", "key", late, 201, "late")
        return await keys.release("scope", "key", late)

    late = await claimed(keys)
    await half_a_minute_passes(database)
    holder = await claimed(another)
    assert await come_late() is None
    for one in (keys, another, IdempotencyKeys(database, cipher)):
        assert await one.claim("scope", "key", "hash") == Running()
    assert await another.finish("scope", "key", holder, 201, "kept") is None
    assert await keys.claim("scope", "key", "hash") == Replay(status=201, body="kept")


async def test_who_is_late_is_told_what_was_answered_to_the_same_request_only(
    keys: IdempotencyKeys, database: Database, cipher: FieldCipher
) -> None:
    another, late = IdempotencyKeys(database, cipher), await claimed(keys)
    await half_a_minute_passes(database)
    await another.release("scope", "key", await claimed(another))
    assert await keys.finish("scope", "key", late, 201, "late") is None
    other = await claimed(another, request="other")
    await another.finish("scope", "key", other, 200, "another request's")
    assert await keys.release("scope", "key", late) is None
    assert await keys.claim("scope", "key", "other") == Replay(status=200, body="another request's")


async def test_a_claim_that_could_not_be_given_back_waits_for_nobody(
    keys: IdempotencyKeys, database: Database, cipher: FieldCipher
) -> None:
    """The database went away in the middle: in the process that left it nobody waits, another cannot know."""
    given_back, answered = await claimed(keys, "given back"), await claimed(keys, "answered")
    with gone(database):
        with pytest.raises(RecordsUnavailable):
            await keys.release("scope", "given back", given_back)
        with pytest.raises(RecordsUnavailable):
            await keys.finish("scope", "answered", answered, 200, "answer")
    another = IdempotencyKeys(database, cipher)
    for key in ("given back", "answered"):
        assert await another.claim("scope", key, "hash") == Running()
        await claimed(keys, key)
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
    await claimed(keys)
    assert not keys._at_work - Counter({("scope", "key"): 1})


@pytest.mark.parametrize(("age_s", "taken_over"), [(25, 0), (31, 1)])
async def test_only_a_dead_claim_is_taken_over_and_once(
    keys: IdempotencyKeys, database: Database, age_s: int, taken_over: int
) -> None:
    await claimed(keys)
    await half_a_minute_passes(database, age_s)
    claims = await asyncio.gather(*(keys.claim("scope", "key", "hash") for _ in range(3)))
    expected = taken_over * ["Claimed"] + (3 - taken_over) * ["Running"]
    assert sorted(type(claim).__name__ for claim in claims) == expected


async def test_old_answers_are_forgotten_and_what_somebody_is_at_stays(
    keys: IdempotencyKeys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.records.idempotency.FORGOTTEN_AT_ONCE", 2)
    for name in ("answered", "abandoned", "at work", "one", "two", "three", "young"):
        mine = await claimed(keys, name)
        if name not in ("abandoned", "at work"):
            await keys.finish("scope", name, mine, 200, name)
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
    await claimed(keys, "answered", "another request")

"""Is a question that goes straight to the driver answered, refused and cut off as a statement of SQLAlchemy's is?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Numeric, any_, bindparam, column, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, OperationalError

from services.access.tables import SiteRow
from services.asking import SITES, Question, told
from services.database import Database
from services.records.availability import Sessions
from services.records.errors import RecordsUnavailable

ONE = Question(text("SELECT 1 AS one, :word AS word"))
WRITE = text("INSERT INTO audit_chain (site, last_seq, last_hash) VALUES (:site, 0, '0') RETURNING site")
CUT = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'"
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=1)
    yield database
    await database.dispose()


async def test_rows_have_the_names_of_their_columns(database: Database) -> None:
    (rows,) = await database.ask(ONE.of(word="a"))
    assert [(row.one, row.word, tuple(row), dict(row._mapping)) for row in rows] == [
        (1, "a", (1, "a"), {"one": 1, "word": "a"})
    ]


async def test_several_questions_go_over_one_connection(database: Database) -> None:
    """The pool has one: a second would wait for ever."""
    first, second = await database.ask(ONE.of(word="a"), ONE.of(word="b"))
    assert (first[0].word, second[0].word) == ("a", "b")


async def test_one_of_these_sites(database: Database) -> None:
    sites = Question(select(SiteRow.id).where(SiteRow.id == any_(SITES)))
    assert await database.ask(sites.of(sites=["site-a", "site-b"]), sites.of(sites=[])) == [[], []]


async def test_values_that_stand_in_the_statement_need_not_be_given(database: Database) -> None:
    words = Question(select(literal("a").label("word"), literal(2).in_([1, 2]).label("known")))
    (rows,) = await database.ask(words)
    assert [(row.word, row.known) for row in rows] == [("a", True)]


@pytest.mark.parametrize("given", [{}, {"word": "a", "more": 1}, {"other": "a"}])
def test_what_is_left_open_has_to_be_given_and_no_more(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="leaves open: word"):
        ONE.of(**given)


def test_a_statement_whose_values_would_be_translated_is_refused() -> None:
    """Else it would be answered with something else than SQLAlchemy answers."""
    with pytest.raises(TypeError, match="does not understand"):
        Question(select(column("dose", Numeric(asdecimal=False)))).of()


async def test_a_fault_is_said_as_sqlalchemy_says_it_and_the_connection_goes_on(database: Database) -> None:
    faulty = Question(text("SELECT CAST(:word AS integer)"))
    with pytest.raises(DataError) as fault:
        await database.ask(faulty.of(word="secret"))
    assert fault.value.hide_parameters and not fault.value.connection_invalidated
    assert "secret" not in str(fault.value.params)
    async with database.transaction() as session:  # the one connection there is
        await session.execute(text("CREATE TEMPORARY TABLE kept (word text)"))
    assert (await database.ask(ONE.of(word="b")))[0][0].word == "b"


async def test_a_transaction_after_a_question_is_one(database: Database) -> None:
    """A question commits by itself; the connection does not go on doing so."""
    await database.ask(ONE.of(word="a"))
    with suppress(ZeroDivisionError):
        async with database.transaction() as session:
            await session.execute(WRITE, {"site": "site-a"})
            raise ZeroDivisionError
    assert await database.ask(Question(text("SELECT site FROM audit_chain"))) == [[]]


async def test_a_question_that_writes_is_kept(database: Database) -> None:
    await database.ask(Question(WRITE).of(site="site-a"))
    async with database.reading() as session:
        assert await session.scalar(text("SELECT site FROM audit_chain")) == "site-a"


async def test_a_connection_that_is_lost_meanwhile_is_replaced(database_url: str, database: Database) -> None:
    waits = asyncio.create_task(database.ask(Question(text("SELECT pg_sleep(60)"))))
    other = Database(database_url)
    while not (await other.ask(Question(CUT)))[0]:  # within one transaction the server looks only once
        await asyncio.sleep(0)
    await other.dispose()
    with pytest.raises(OperationalError) as lost:
        await waits
    assert lost.value.connection_invalidated
    assert (await database.ask(ONE.of(word="a")))[0][0].word == "a"


async def test_a_server_that_does_not_answer_is_said_as_sqlalchemy_says_it() -> None:
    nobody = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OperationalError) as refused:
        await nobody.ask(ONE.of(word="secret"))
    assert "secret" not in str(refused.value)
    with pytest.raises(RecordsUnavailable):
        await Sessions(nobody).ask(ONE.of(word="a"))
    with pytest.raises(RecordsUnavailable):
        await Sessions(nobody).alone(ONE.of(word="a"))
    await nobody.dispose()


async def test_who_is_cut_off_leaves_nothing_behind(database: Database) -> None:
    asked = asyncio.Event()

    @contextmanager
    def watch(_: str, __: Mapping[str, Any]) -> Iterator[None]:
        asked.set()
        yield

    database.watch_questions(watch)
    waits = asyncio.create_task(database.ask(Question(text("SELECT pg_sleep(60)"))))
    await asked.wait()
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    assert (await database.ask(ONE.of(word="a")))[0][0].word == "a"


async def test_who_watches_is_told_the_words_and_the_values(database: Database) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []

    @contextmanager
    def watch(words: str, values: Mapping[str, Any]) -> Iterator[None]:
        heard.append((words, values))
        yield

    database.watch_questions(watch)
    dose = Question(select((bindparam("mg", type_=Numeric) * 2).label("twice")))
    (rows,) = await database.ask(dose.of(mg=Decimal("0.1")))
    assert rows[0].twice == Decimal("0.2")
    assert [values["mg"] for _, values in heard] == [Decimal("0.1")]


NEW_SITE = Question(WRITE)
BROKEN = Question(text("SELECT CAST(:word AS integer)"))
WAITING = Question(text("SELECT pg_sleep(60)"))
ALL_SITES = Question(text("SELECT site FROM audit_chain ORDER BY site"))


async def test_what_is_told_in_a_transaction_goes_with_it(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction() as session:
            assert [row.site for row in await told(session, NEW_SITE, {"site": "site-a"})] == ["site-a"]
            raise ZeroDivisionError
    assert await database.ask(ALL_SITES) == [[]]
    async with database.transaction() as session:
        await told(session, NEW_SITE, *({"site": f"site-{n}"} for n in "abc"))
        seen = await session.scalars(text("SELECT site FROM audit_chain ORDER BY site"))  # one transaction
        assert list(seen) == ["site-a", "site-b", "site-c"]
    (rows,) = await database.ask(ALL_SITES)
    assert [row.site for row in rows] == ["site-a", "site-b", "site-c"]


async def test_jsonb_is_sent_as_sqlalchemy_sends_it(database: Database) -> None:
    kept = Question(select(bindparam("words", type_=JSONB).label("words")))
    (rows,) = await database.ask(kept.of(words=["a", {"b": None}]))
    assert rows[0].words == ["a", {"b": None}]


async def test_a_fault_that_is_told_ends_its_transaction_and_no_other(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await told(session, NEW_SITE, {"site": "site-a"})
            await told(session, BROKEN, {"word": "secret"})

    with pytest.raises(DataError) as fault:
        await fail()
    assert fault.value.hide_parameters and not fault.value.connection_invalidated
    assert await database.ask(ALL_SITES) == [[]]


async def test_a_connection_that_is_lost_in_a_transaction_is_replaced(
    database_url: str, database: Database
) -> None:
    async def wait() -> None:
        async with database.transaction() as session:
            await told(session, WAITING)

    waits = asyncio.create_task(wait())
    other = Database(database_url)
    while not (await other.ask(Question(CUT)))[0]:
        await asyncio.sleep(0)
    await other.dispose()
    with pytest.raises(OperationalError):
        await waits
    assert (await database.ask(ONE.of(word="a")))[0][0].word == "a"


async def test_who_watches_is_told_of_transactions_as_well(database: Database) -> None:
    words: list[str] = []

    @contextmanager
    def watch(said: str, _: Mapping[str, Any]) -> Iterator[None]:
        words.append(said)
        yield

    database.watch_questions(watch)
    async with database.transaction() as session:
        await told(session, NEW_SITE, {"site": "site-a"})
    assert [said.split()[0] for said in words] == ["INSERT"]

"""The database or the mail server is away for a while: nothing is lost, and nothing happens twice."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from clinical.journey import Move, Stage
from clinical.people import Role
from clinical.protocol import Protocol
from deploy.postgres import PostgresServer
from services.records.sql import SqlRecords
from tests.workflows.clinic import Clinic, a_clinic, a_database
from tests.workflows.shortcut import at_treating, shortened
from tests.workflows.unreliable_records import UnreliableRecords
from tests.workflows.walk import PEOPLE, Walk, a_key
from workflows import messages as m

Begin = Callable[..., Walk]


@dataclass
class Weather:
    """What can go wrong: the record's database, and the wall clock of the post office."""

    records: list[UnreliableRecords] = field(default_factory=list)
    later: timedelta = timedelta()

    def reached_through(self, records: SqlRecords) -> UnreliableRecords:
        self.records.append(UnreliableRecords(records))
        return self.records[-1]

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.later


@pytest.fixture(scope="module")
def weather() -> Weather:
    return Weather()


@pytest.fixture(scope="module")
async def clinic(
    temporal_environment: WorkflowEnvironment,
    postgres: PostgresServer,
    database_template: str,
    weather: Weather,
) -> AsyncIterator[Clinic]:
    with a_database(postgres, database_template) as url:
        async with a_clinic(temporal_environment, url, weather.reached_through, weather.clock) as clinic:
            yield clinic


@pytest.fixture
def database(clinic: Clinic, weather: Weather) -> UnreliableRecords:
    return weather.records[-1]


async def over(patient: Walk) -> None:
    await patient.leave(Move.END)
    await patient.outcome()
    await patient.assert_sound()
    kinds = await patient.kinds()
    assert kinds.count("journey.closed") == 1


@pytest.mark.parametrize(("away", "losing"), [(2, 0), (0, 1), (1, 1)])
async def test_a_dose_during_an_outage_of_the_database_is_given_once(
    walk: Begin, protocol: Protocol, database: UnreliableRecords, away: int, losing: int
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    order = await patient.to_chair()
    database.away, database.losing = away, losing
    given = await patient.give(order)
    assert (database.away, database.losing) == (0, 0)
    [dose] = await patient.facts("dose.given")
    assert dose.given_at == given.at
    assert [gate.green for gate in await patient.facts("gate.evaluated")] == [True]
    await patient.in_the_chair(given.at, order.order.dose_mg)
    database.losing = 1
    await patient.discharge()
    await patient.until_there("session/2")
    assert len(await patient.facts("session.discharged")) == 1
    await over(patient)


@pytest.mark.parametrize(("away", "losing"), [(2, 0), (0, 1)])
async def test_a_course_begins_and_ends_once_whenever_the_database_goes_away(
    walk: Begin, database: UnreliableRecords, away: int, losing: int
) -> None:
    patient = walk()
    database.away, database.losing = away, losing
    await patient.start()
    booked = await patient.book_consultation()
    assert booked.state == "booked"
    database.away, database.losing = away, losing
    await patient.leave(Move.WITHDRAW)
    assert (database.away, database.losing) == (0, 0)
    assert (await patient.outcome()).stage is Stage.WITHDRAWN
    kinds = await patient.kinds()
    for kind in ("journey.started", "consultation.booked", "consent.withdrawn", "journey.closed"):
        assert kinds.count(kind) == 1
    await patient.assert_sound()


async def test_an_alarm_at_the_chair_is_raised_although_the_database_is_away(
    walk: Begin, protocol: Protocol, database: UnreliableRecords, clinic: Clinic
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    order = await patient.to_chair()
    given = await patient.give(order)
    clinic.mail.clear()
    database.away = 3
    await patient.forward_to(given.at + timedelta(minutes=16), patient.part)
    await patient.until_written("observation.late")
    await patient.eventually(lambda: _arrived(clinic, f"{Role.NURSE}@example.org"))
    late = await patient.facts("observation.late")
    assert [fact.paged for fact in late] == [Role.NURSE]
    await patient.observe(16)
    await patient.in_the_chair(given.at + timedelta(minutes=16), order.order.dose_mg)
    await patient.discharge()
    await over(patient)


async def _arrived(clinic: Clinic, address: str, times: int = 1) -> bool:
    return [address in message.recipients for message in clinic.mail.messages].count(True) >= times


async def _attempted(clinic: Clinic, times: int) -> bool:
    return clinic.mail.attempts >= times


async def test_a_message_that_the_mail_server_puts_off_arrives_once(walk: Begin, clinic: Clinic) -> None:
    patient = walk()
    await patient.start()
    await patient.forward_to(Walk.by_day(await patient.now("")))  # at night it would wait for the morning
    clinic.mail.clear()
    clinic.mail.refuse_with()
    await patient.book_consultation()
    await patient.eventually(lambda: _attempted(clinic, 1))
    clinic.mail.refuse_with(None)
    await patient.until_written("message.settled")
    [settled] = await patient.facts("message.settled")
    assert (settled.template, settled.status) == ("consultation_booked", "completed")
    assert clinic.mail.attempts >= 2
    assert [message.recipients for message in clinic.mail.messages] == [("ada@example.org",)]
    await over(patient)


async def test_a_message_that_is_put_off_beyond_its_time_never_leaves(
    walk: Begin, clinic: Clinic, weather: Weather
) -> None:
    patient = walk()
    await patient.start()
    await patient.forward_to(Walk.by_day(await patient.now("")))  # at night it would wait for the morning
    clinic.mail.clear()
    clinic.mail.refuse_with()
    await patient.book_consultation()
    await patient.eventually(lambda: _attempted(clinic, 1))
    weather.later = timedelta(days=3)
    clinic.mail.refuse_with(None)
    await patient.until_written("message.settled")
    weather.later = timedelta()
    [settled] = await patient.facts("message.settled")
    assert (settled.status, settled.reason, settled.sent_at) == ("not-done", "expired", None)
    assert clinic.mail.messages == []
    await over(patient)


async def test_a_command_that_is_sent_again_during_an_outage_acts_once(
    walk: Begin, protocol: Protocol, database: UnreliableRecords
) -> None:
    patient = await at_treating(walk(shortened(protocol)))
    database.losing = 1
    starts = Walk.by_day(await patient.here() + timedelta(days=3))
    booking = m.BookSession(
        key=a_key(),
        actor=PEOPLE[Role.COORDINATOR],
        starts_at=starts,
        ends_at=starts + timedelta(hours=4),
        room="room-1",
    )
    await patient.say_twice("book_session", booking, patient.part)
    assert database.losing == 0
    assert len(await patient.facts("session.booked")) == 1
    await over(patient)

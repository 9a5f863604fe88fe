"""How is one course told while anything else is sent between its acts? The story asks for leave before each.

`Keeper` stands at the door of the clinic: an act of the story waits there until it is let through, as it is or in
another form. Every answer, to whomever, is looked at: it is no fault of ours, and a refusal is a problem in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from temporalio.client import Client
from temporalio.service import RPCError

from clinical.events import ConsentWithdrawn, MessageSettled, RecordedEntry
from clinical.invariants import violations
from clinical.protocol import Indication, Protocol
from deploy.demo_clinic import Clinic, Refused
from deploy.demo_story import TIME_ZONE, Story
from deploy.virtual_clock import VirtualClock
from services.fhir.bundle import read_referral
from services.notifications.tables import Communication
from services.records.sql import SqlRecords

SOON_S = 4.0
AT_REST_S = 60.0
"""Waited for only while something is wrong: a case that weeks pass through pages every half hour of them."""


@dataclass(frozen=True)
class Act:
    """One request by one person, with all that makes it that request."""

    path: str
    by: str
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_hex(12))

    def anew(self, **changes: Any) -> Self:
        """The same with a key of its own."""
        return replace(self, key=secrets.token_hex(12), **changes)


@dataclass(frozen=True)
class Answer:
    act: Act
    status: int
    body: Any
    replayed: bool

    @property
    def accepted(self) -> bool:
        return self.status < 300

    @property
    def kind(self) -> str:
        """Valid and done, valid and done before, or refused for what."""
        if self.accepted:
            return "replayed" if self.replayed else "accepted"
        return str(self.body["code"])


class Keeper(Clinic):
    """Raises AssertionError for an answer that no caller should get, whatever they sent."""

    def __init__(self, base_url: str, tokens: Mapping[str, str]) -> None:
        super().__init__(base_url, tokens)
        self.kinds: Counter[str] = Counter()
        self.heard: list[Answer] = []
        self.waiting: Act | None = None
        self._arrived = asyncio.Event()
        self._answer: asyncio.Future[Answer] = asyncio.Future()

    async def post(
        self,
        path: str,
        role: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Wait at the door; what comes back is the answer to what was sent in place of this."""
        self._answer = asyncio.Future()
        self.waiting = Act(path, role, dict(body or {}), headers or {}, query or {})
        self._arrived.set()
        answer = await self._answer
        if answer.accepted:
            return answer.body
        raise Refused(f"{role}: POST {path}", answer.body)

    async def until_asked(self) -> None:
        await self._arrived.wait()

    def let_through(self, answer: Answer) -> None:
        self.waiting = None
        self._arrived.clear()
        self._answer.set_result(answer)

    def leave(self) -> None:
        """The story is over; nobody waits at the door."""
        self.waiting = None
        self._arrived.clear()

    async def send(self, act: Act) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._tokens[act.by]}",
            "Content-Type": "application/json",
            "Idempotency-Key": act.key,
            **act.headers,
        }
        content = json.dumps(act.body)
        raw = await self._http.post(act.path, content=content, headers=headers, params=act.query)
        answer = Answer(act, raw.status_code, raw.json(), "idempotent-replayed" in raw.headers)
        assert raw.status_code < 500, f"{act} was answered {raw.status_code}: {raw.text}"
        if not answer.accepted:
            assert raw.headers["content-type"] == "application/problem+json", act
            assert answer.body["code"], act
            assert answer.body["detail"], act
        self.kinds[answer.kind] += 1
        if answer.accepted and not answer.replayed:
            self.heard.append(answer)
        return answer


class ImpatientClock(VirtualClock):
    """Whoever disturbs a story does not wait long for what may never come."""

    moved = ""

    @staticmethod
    async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(SOON_S):
            while not await holds():  # what is waited for lives in another process
                await asyncio.sleep(0.02)

    async def move(self, workflow_id: str, instant: datetime) -> None:
        self.moved = workflow_id
        await self._move(workflow_id, instant)

    async def catch_up(self, workflow_id: str) -> None:
        """It becomes now in this workflow too."""
        await self._move(workflow_id, self.now)

    async def clocks(self, cases: str) -> dict[str, datetime]:
        """What time it is in each of them."""
        return {case.id: await self._time_in(case.id) async for case in self._client.list_workflows(cases)}

    async def _time_in(self, workflow_id: str) -> datetime:
        return await self._skipper.get_current_time(self._client.get_workflow_handle(workflow_id))

    async def _move(self, workflow_id: str, instant: datetime) -> None:
        async with asyncio.timeout(SOON_S):
            await super().move(workflow_id, instant)


class Course:
    """One patient: the story, what was sent beside it, and what the record says in the end."""

    def __init__(
        self,
        keeper: Keeper,
        client: Client,
        protocol: Protocol,
        referral: Mapping[str, Any],
        records: SqlRecords,
    ) -> None:
        self.keeper, self.client, self.protocol, self.records = keeper, client, protocol, records
        self.clock = ImpatientClock(client)
        self.first_heard = len(keeper.heard)
        record = read_referral(json.dumps(referral).encode()).record
        self.story = Story(keeper, self.clock, protocol, Indication.DEPRESSION, record, lambda step: None)
        self._telling = asyncio.create_task(self.story.run(referral))

    @property
    def heard(self) -> list[Answer]:
        """What was accepted since this course began."""
        return self.keeper.heard[self.first_heard :]

    @property
    def over(self) -> bool:
        return self._telling.done()

    async def next(self) -> Act | None:
        """The act that the story wants to do now; None when it is over."""
        asked = asyncio.create_task(self.keeper.until_asked())
        await asyncio.wait({asked, self._telling}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not self._telling.done():
            return self.keeper.waiting
        self.keeper.leave()
        # Disturbed stories end early; what they ran into must be a refusal or a wait for what does not come.
        error = self._telling.exception()
        assert error is None or isinstance(error, Refused | TimeoutError | RPCError), error
        return None

    async def go_on(self, steps: int = 1) -> None:
        for _ in range(steps):
            act = await self.next()
            if act is None:
                return
            self.keeper.let_through(await self.keeper.send(act))

    async def time_passes(self, minutes: int) -> None:
        """For the part that the story is in, if it still runs; not while the story itself waits for a time."""
        await self.next()
        if self.clock.moved:
            with contextlib.suppress(RPCError, TimeoutError):
                await self.clock.move(self.clock.moved, self.clock.now + timedelta(minutes=minutes))
        await self.catch_up()

    async def catch_up(self) -> None:
        """Each part has a clock of its own: it becomes now in the risk cases as well, with all pages on the way.

        Now is the last instant of the record: a part whose clock was still moving when nobody waited any longer is
        ahead of the story's.
        """
        if not self.story.journey_id:
            return
        told = [entry.occurred_at for entry in await self.records.entries(self.story.journey_id)]
        self.clock.now = max([self.clock.now, *told])
        async for case in self.client.list_workflows(self._cases):
            with contextlib.suppress(RPCError, TimeoutError):
                await self.clock.catch_up(case.id)

    @property
    def _cases(self) -> str:
        return f'WorkflowId STARTS_WITH "{self.story.journey_id}/risk/" AND ExecutionStatus = "Running"'

    async def stop(self) -> None:
        self._telling.cancel()
        await asyncio.wait({self._telling})
        self.keeper.leave()

    async def assert_sound(self) -> None:
        """The record keeps every invariant once it is at rest, its chain holds, and no workflow broke."""
        if not self.story.journey_id:
            return
        wrong: list[str] = []
        try:
            async with asyncio.timeout(AT_REST_S):
                await self.catch_up()
                while wrong := await self._wrong():
                    await asyncio.sleep(0.1)
                    await self.catch_up()
        except TimeoutError:
            raise AssertionError(f"{self.story.journey_id}: {wrong}\n{await self._told_of_risk()}") from None
        chain = await self.records.verify_chain(self.story.journey_id)
        assert chain.passes, chain.objections
        failed = (
            f'WorkflowId STARTS_WITH "{self.story.journey_id}" AND ExecutionStatus IN ("Failed", "TimedOut")'
        )
        assert [execution.id async for execution in self.client.list_workflows(failed)] == []

    async def _wrong(self) -> list[str]:
        entries = await self.records.entries(self.story.journey_id)
        return [
            f"{found.rule}: {found.text}"
            for found in violations(entries, self.protocol, TIME_ZONE)
            if found.rule != "INV7-MESSAGE" or not await self._was_leaving(entries, found.seq)
        ]

    async def _was_leaving(self, entries: Sequence[RecordedEntry], seq: int) -> bool:
        """Was this message handed to its channel before the withdrawal came, and only the record heard later?

        Here the clocks of the part that sends and of the journey that is left do not tell; the wall clock does.
        """
        sent = next(entry.fact for entry in entries if entry.seq == seq)
        left = next(entry for entry in entries if isinstance(entry.fact, ConsentWithdrawn))
        assert isinstance(sent, MessageSettled)
        async with self.records._sessions.reading() as session:
            row = await session.get_one(Communication, sent.key)
            return row.claimed_at is not None and row.claimed_at <= left.recorded_at

    async def _told_of_risk(self) -> str:
        """What the record says of risk, and where the clocks of the cases stand: for whoever looks for the fault."""
        entries = await self.records.entries(self.story.journey_id)
        lines = [
            f"{entry.seq} {entry.occurred_at} {entry.fact!r}"
            for entry in entries
            if entry.fact.kind.startswith("risk.")
        ]
        clocks = [f"{case}: {clock}" for case, clock in (await self.clock.clocks(self._cases)).items()]
        last = max(entries, key=lambda entry: entry.occurred_at)
        return "\n".join(
            [*lines, *clocks, f"story: {self.clock.now}, last told: {last.occurred_at} {last.key}"]
        )

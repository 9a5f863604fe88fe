"""How does a message leave once, and only once?

    claim (transaction 1) → hand over (no transaction) → settle (transaction 2)

The claim decides by `release` and marks the row before anything leaves, so that of many callers with one key
one sends and the others get SendInProgress (retry) or the stored answer. Between the mail server's "yes" and
our commit a crash cannot be told from a failure: a claim older than `claim_for` is taken over and the message
handed over again with the same Message-ID. That is the only way anything can leave twice.

`occurred_at` is the clinical now at the moment of asking. A retry of the same ask is later by the wall time
that has passed since it first came, so an outage cannot make a message leave after its `not_after`.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import assert_never

import structlog

from services.database import Database
from services.encryption import FieldCipher
from services.notifications import ledger, receipts
from services.notifications.account import Account
from services.notifications.channel import AddressRefused, Channel, OutgoingMessage
from services.notifications.claims import Claim, Outcome, attempt_of
from services.notifications.errors import ChannelUnavailable, KeyReused, SendInProgress
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    LinkSource,
    SendReason,
    SendRequest,
    SendResult,
    TemplateName,
)
from services.notifications.kinds import TEMPLATE_PARAMETERS
from services.notifications.quiet_hours import NIGHT, QuietHours
from services.notifications.release import Circumstances, Hold, Leave, Refuse, release
from services.notifications.tables import Communication
from services.notifications.wording import UNITED_STATES, HelpLines, Wording, Words

CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")

log = structlog.stdlib.get_logger(__name__)


def wall_clock() -> datetime:
    return datetime.now(UTC)


class NotificationService(Account):
    """Satisfies `Notifications`. `claim_for` must be well above twice the slowest channel's own timeout."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        channels: Mapping[ChannelName, Channel],
        *,
        quiet: QuietHours = NIGHT,
        help_lines: HelpLines = UNITED_STATES,
        claim_for: timedelta = timedelta(seconds=60),
        clock: Callable[[], datetime] = wall_clock,
        links: LinkSource | None = None,
    ) -> None:
        super().__init__(database, cipher, clock)
        self._links = links
        self._channels = channels
        self._quiet = quiet
        self._wording = Wording(help_lines)
        self._claim_for = claim_for

    async def send(self, request: SendRequest) -> SendResult:
        words = self._wording.words(request.template, request.recipient, request.parameters)
        while True:
            step = await self._claim(request, words)
            if isinstance(step, SendResult):
                self._report(request, step)
                return step
            spoken = _for_the_channel(request, step.channel)
            said = self._wording.words(spoken.template, spoken.recipient, spoken.parameters)
            outcome = await self._hand_over(spoken, await self._with_link(spoken, said), step)
            settled = await self._settle(request, step, outcome)
            if isinstance(settled, SendResult):
                self._report(request, settled)
                return settled
            if settled and outcome.error is not None:
                raise outcome.error

    async def _with_link(self, request: SendRequest, words: Words) -> Words:
        """The same with an address to open. It is in the message only: not in what is stored of it."""
        takes_one = "link" in TEMPLATE_PARAMETERS[request.template].optional
        if self._links is None or not takes_one or "link" in request.parameters:
            return words
        address = await self._links.address(request)
        if address is None:
            return words
        return self._wording.words(
            request.template, request.recipient, {**request.parameters, "link": address}
        )

    async def stop_pending(self, journey_id: str, reason: str) -> int:
        if not CODE.fullmatch(reason):
            raise ValueError("the reason of a stop is a code")
        async with self._database.transaction() as session:
            await ledger.lock_journey(session, journey_id, alone=True)
            stopped, on_the_way = await ledger.stop_journey(
                session, journey_id, reason, self._clock(), self._claim_for
            )
        if on_the_way:
            raise SendInProgress(f"{on_the_way} messages of the journey are on their way")
        return stopped

    async def withdraw(self, request: SendRequest, reason: str) -> SendResult:
        words = self._wording.words(request.template, request.recipient, request.parameters)
        now = self._clock()
        async with self._database.transaction() as session:
            await ledger.lock_journey(session, request.journey_id, alone=False)
            row = await ledger.locked_row(session, self._fresh_row(request, words, now))
            if ledger.claimed(row, now, self._claim_for):
                raise SendInProgress("another sender holds the message")
            if not ledger.is_final(row):
                row.status, row.status_reason, row.send_at = CommunicationStatus.STOPPED, reason, None
            result = ledger.result_of(row, await ledger.refused_channels(session, row.key))
        self._report(request, result)
        return result

    async def send_again(self, key: str, recipient: Contact) -> SendResult:
        """What was taken and did not arrive goes by another channel, once, unless it is too late."""
        async with self._database.reading() as session:
            row = await session.get_one(Communication, key)
        return await self.send(self._as_asked(row, recipient))

    def _as_asked(self, row: Communication, recipient: Contact) -> SendRequest:
        """The request of then; what it was in full, only its fingerprint still tells."""
        text = self._cipher.decrypt("communication.parameters", row.parameters, row=row.key)
        request = SendRequest(
            key=row.key,
            journey_id=row.journey_id,
            site=row.site,
            patient_id=row.patient_id,
            recipient=recipient,
            template=TemplateName(row.template),
            parameters=json.loads(text),
            occurred_at=row.occurred_at,
            not_after=row.not_after,
        )
        same = self._cipher.index("communication.fingerprint", _identity(request)) == row.fingerprint
        return request if same else request.model_copy(update={"urgent": True})

    async def _claim(self, request: SendRequest, words: Words) -> SendResult | Claim:
        """The final or waiting answer, or the right to hand the message over now."""
        now = self._clock()
        async with self._database.transaction() as session:
            await ledger.lock_journey(session, request.journey_id, alone=False)
            fresh = self._fresh_row(request, words, now)
            fingerprint = fresh.fingerprint
            row = await ledger.locked_row(session, fresh)
            if row.fingerprint != fingerprint:
                raise KeyReused("the key already stands for another message")
            refused = await ledger.refused_channels(session, row.key)
            if ledger.is_final(row):
                return ledger.result_of(row, refused)
            if ledger.claimed(row, now, self._claim_for):
                raise SendInProgress("another sender holds the message")
            if row.occurred_at != request.occurred_at:
                row.occurred_at, row.asked_at = request.occurred_at, now
            decision = release(
                request,
                Circumstances(
                    now=row.occurred_at + max(now - row.asked_at, timedelta()),
                    stop_reason=await ledger.stop_reason(session, row),
                    configured=self._channels.keys(),
                    refused=refused,
                    quiet=self._quiet,
                ),
            )
            if isinstance(decision, Leave):
                claim = replace(self._take(request, row, decision.channel, words, now), refused=refused)
                session.add(attempt_of(row.key, claim, now))
                return claim
            _mark(row, decision)
            return ledger.result_of(row, refused)

    def _take(
        self, request: SendRequest, row: Communication, channel: ChannelName, words: Words, now: datetime
    ) -> Claim:
        address = request.recipient.address(channel) or ""
        row.status, row.status_reason, row.send_at = CommunicationStatus.IN_PROGRESS, None, None
        row.claimed_at, row.attempts = now, row.attempts + 1
        row.channel, row.language = channel, words.language
        row.recipient = self._cipher.encrypt("communication.recipient", address, row=row.key)
        return Claim(number=row.attempts, channel=channel, address=address)

    async def _hand_over(self, request: SendRequest, words: Words, claim: Claim) -> Outcome:
        message = OutgoingMessage(
            reference=hashlib.sha256(request.key.encode()).hexdigest()[:40],
            address=claim.address,
            subject=words.subject,
            body=words.body + self._wording.how_to_reply(request.template, claim.channel, words.language),
            language=words.language,
        )
        try:
            # Half of the claim's life: whoever takes a claim over finds its holder gone.
            async with asyncio.timeout((self._claim_for / 2).total_seconds()):
                provider_id = await self._channels[claim.channel].deliver(message)
        except AddressRefused as refused:
            return Outcome("refused", code=refused.code)
        except ChannelUnavailable as unavailable:
            return Outcome("unavailable", error=unavailable, code=unavailable.code)
        except TimeoutError:
            late = ChannelUnavailable(claim.channel, "deadline")
            return Outcome("unavailable", error=late, code=late.code)
        return Outcome("delivered", provider_id=provider_id)

    async def _settle(self, request: SendRequest, claim: Claim, outcome: Outcome) -> SendResult | bool:
        """Write down what became of the attempt: the answer when all is said about the message.

        False when the journey stopped or another sender took over in the meantime: then the next claim gives it.
        """
        now = self._clock()
        async with self._database.transaction() as session:
            await ledger.lock_journey(session, request.journey_id, alone=False)
            row = await session.get_one(Communication, request.key, with_for_update=True)
            await ledger.finish_attempt(session, row.key, claim.number, outcome.attempt, outcome.code, now)
            if outcome.attempt == "delivered":
                # It has left, whatever was written meanwhile: the record says what happened.
                row.status, row.status_reason, row.sent_at = CommunicationStatus.COMPLETED, None, now
                row.channel, row.provider_id = claim.channel, outcome.provider_id
                await session.flush()
                await receipts.apply(session, row, now)  # it may have overtaken us
                return ledger.result_of(row, claim.refused) if ledger.is_final(row) else True
            if row.attempts != claim.number or row.status != CommunicationStatus.IN_PROGRESS:
                return False
            row.status, row.claimed_at = CommunicationStatus.PREPARATION, None
            return await ledger.stop_reason(session, row) is None

    def _fresh_row(self, request: SendRequest, words: Words, now: datetime) -> Communication:
        parameters = json.dumps(request.parameters, sort_keys=True)
        return Communication(
            key=request.key,
            journey_id=request.journey_id,
            site=request.site,
            patient_id=request.patient_id,
            template=request.template,
            language=words.language,
            parameters=self._cipher.encrypt("communication.parameters", parameters, row=request.key),
            fingerprint=self._cipher.index("communication.fingerprint", _identity(request)),
            status=CommunicationStatus.PREPARATION,
            attempts=0,
            not_after=request.not_after,
            occurred_at=request.occurred_at,
            asked_at=now,
            recorded_at=now,
        )

    def _report(self, request: SendRequest, result: SendResult) -> None:
        log.info(
            "message settled",
            journey_id=request.journey_id,
            step=request.template,
            status=result.status,
            reasons=[result.reason] if result.reason else [],
        )


def _for_the_channel(request: SendRequest, channel: ChannelName) -> SendRequest:
    """Details go only where the person has shown to read."""
    if channel not in request.recipient.stated_channels:
        return request
    return request.model_copy(
        update={"recipient": request.recipient.model_copy(update={"detail_opt_in": False})}
    )


def _identity(request: SendRequest) -> str:
    """What a key stands for. The contact and `occurred_at` may differ when the same message is asked for
    again: the number was corrected, the night is over."""
    stands_for = request.model_dump(mode="json", exclude={"recipient", "occurred_at"})
    return json.dumps(stands_for, sort_keys=True)


def _mark(row: Communication, decision: Hold | Refuse) -> None:
    match decision:
        case Hold(send_at=send_at):
            row.status, row.status_reason = CommunicationStatus.ON_HOLD, SendReason.QUIET_HOURS
            row.send_at = send_at
        case Refuse(status=status, reason=reason):
            row.status, row.status_reason, row.send_at = status, reason, None
        case _:
            assert_never(decision)

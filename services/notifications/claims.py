"""Who holds a message just now, and what came of a hand-over?"""

from dataclasses import dataclass, field
from datetime import datetime

from services.notifications.errors import ChannelUnavailable
from services.notifications.interface import ChannelName
from services.notifications.tables import CommunicationAttempt


@dataclass(frozen=True)
class Claim:
    """This sender holds the message: its `number`th attempt, by this channel."""

    number: int
    channel: ChannelName
    address: str = field(repr=False)
    refused: tuple[ChannelName, ...] = ()
    """The channels on which this message was refused before."""


@dataclass(frozen=True)
class Outcome:
    """What a hand-over came to, in the words of `communication_attempt`."""

    attempt: str
    provider_id: str | None = None
    error: ChannelUnavailable | None = None
    code: str | None = None


def attempt_of(key: str, claim: Claim, now: datetime) -> CommunicationAttempt:
    return CommunicationAttempt(
        communication_key=key,
        number=claim.number,
        channel=claim.channel,
        started_at=now,
        outcome="started",
    )

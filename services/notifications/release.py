"""May this message leave now, and by which channel?

Pure. The order of the questions is the order of their weight: a stopped journey sends nothing, an expired
message never leaves, an address must exist, and the night is respected unless it is urgent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    SendReason,
    SendRequest,
)
from services.notifications.quiet_hours import QuietHours, next_allowed


@dataclass(frozen=True)
class Leave:
    channel: ChannelName


@dataclass(frozen=True)
class Hold:
    send_at: datetime


@dataclass(frozen=True)
class Refuse:
    status: CommunicationStatus
    reason: str


@dataclass(frozen=True)
class Circumstances:
    """`now` is the clinical now; `stop_reason` is set when the journey was stopped for this template."""

    now: datetime
    stop_reason: str | None
    configured: Collection[ChannelName]
    refused: Collection[ChannelName]
    quiet: QuietHours


def release(request: SendRequest, given: Circumstances) -> Leave | Hold | Refuse:
    if given.stop_reason is not None:
        return Refuse(CommunicationStatus.STOPPED, given.stop_reason)
    if given.now > request.not_after:
        return _never(SendReason.EXPIRED)
    usable = [
        channel
        for channel in channel_order(request.recipient)
        if channel in given.configured and channel not in given.refused
    ]
    if not usable:
        return _never(_why_none(request.recipient, given))
    if request.urgent:
        return Leave(usable[0])
    send_at = next_allowed(given.now, request.recipient.time_zone, given.quiet)
    if send_at <= given.now:
        return Leave(usable[0])
    if send_at > request.not_after:
        return _never(SendReason.EXPIRES_IN_QUIET_HOURS)
    return Hold(send_at)


def channel_order(contact: Contact) -> list[ChannelName]:
    """The preferred channel, then the others; none opted out of, unverified or bad, none without an address."""
    closed = contact.opted_out_channels | contact.unverified_channels | contact.bad_channels
    by_wish = sorted(ChannelName, key=lambda channel: channel is not contact.preferred_channel)
    return [channel for channel in by_wish if channel not in closed and contact.address(channel)]


def _why_none(contact: Contact, given: Circumstances) -> SendReason:
    """The reason that somebody can do something about comes first."""
    if given.refused or contact.bad_channels:
        return SendReason.CONTACT_INVALID
    if contact.unverified_channels:
        return SendReason.CONTACT_UNVERIFIED
    if any(contact.address(channel) for channel in contact.opted_out_channels):
        return SendReason.OPTED_OUT
    return SendReason.NO_CHANNEL


def _never(reason: SendReason) -> Refuse:
    return Refuse(CommunicationStatus.NOT_DONE, reason)

"""When is a delivery tried again, and when is it given up? Pure: the clock and the dice come from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.events.interface import DeliveryStatus, DisabledBecause, Outcome

SCHEDULE_S = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Seconds before each attempt: a little over three days together (product §6.2)."""

JITTER = 0.2
"""The wait is longer by up to this part of itself, so that what failed together does not come back together."""

LONGEST_ASKED_S = 24 * 3600


@dataclass(frozen=True)
class Step:
    """What becomes of a delivery, and of its endpoint."""

    status: DeliveryStatus
    next_at: datetime | None = None
    disable: DisabledBecause | None = None


def after_attempt(
    tries: int,
    outcome: Outcome,
    now: datetime,
    dice: Callable[[], float],
    *,
    first_attempt_at: datetime,
    last_success_at: datetime | None,
    retry_after_s: int | None = None,
) -> Step:
    """`tries` counts this attempt. `retry_after_s`: what the receiver asked for; it never shortens a wait."""
    if outcome is Outcome.DELIVERED:
        return Step(DeliveryStatus.DELIVERED)
    if outcome is Outcome.GONE:
        return Step(DeliveryStatus.FAILED, disable=DisabledBecause.GONE)
    if tries >= len(SCHEDULE_S):
        # One event that a receiver cannot digest must not cost it all the others.
        anything = last_success_at is not None and last_success_at >= first_attempt_at
        return Step(DeliveryStatus.FAILED, disable=None if anything else DisabledBecause.FAILING)
    wait_s = SCHEDULE_S[tries] * (1 + JITTER * dice())
    if retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, LONGEST_ASKED_S))
    return Step(DeliveryStatus.PENDING, next_at=now + timedelta(seconds=wait_s))

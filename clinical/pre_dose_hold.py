"""After a hold, is it time to go on, to measure again, or to cancel?

A held patient rests `hold_repeat_minutes` before each of `hold_repeats` repeats; still held after them means
cancel and book again. A repeat taken sooner shows nothing.
Source: clinical-facts §3.2, tier B (repeat after 10-15 min of rest, twice); confidence U.
"""

from collections.abc import Sequence
from datetime import datetime

from clinical.decision import Confidence, Decision, Reason, Verdict
from clinical.instants import later, spaced_from_latest
from clinical.protocol import Protocol
from clinical.vitals import Reading, Tier, is_at_least, pre_dose_tier


def after_hold(readings: Sequence[Reading], protocol: Protocol) -> Decision:
    """One reason over all readings of today before the dose; `available_at` is the earliest useful repeat."""
    limits = protocol.vitals
    ordered = sorted(readings, key=lambda r: r.taken_at)
    if not ordered:
        return _because(Verdict.REFUSE, "no reading before the dose", missing=True)
    held = [r for r in ordered if is_at_least(pre_dose_tier(r, protocol).tier, Tier.HOLD)]
    if not held:
        return _because(Verdict.PASS, "no reading was held")
    again_at = later(held[-1].taken_at, minutes=limits.hold_repeat_minutes)
    if ordered[-1] is held[-1]:
        attempts = spaced_from_latest((r.taken_at for r in held), limits.hold_repeat_minutes)
        if attempts > limits.hold_repeats:
            return _because(
                Verdict.REFUSE, f"still held after {limits.hold_repeats} repeats: cancel and book again"
            )
        return _because(Verdict.REVIEW, "held: rest and measure again", again_at)
    if ordered[-1].taken_at < again_at:
        text = f"repeated before {limits.hold_repeat_minutes} min of rest: measure again"
        return _because(Verdict.REVIEW, text, again_at)
    return _because(Verdict.PASS, "in range again after rest")


def _because(
    verdict: Verdict, text: str, again_at: datetime | None = None, *, missing: bool = False
) -> Decision:
    reason = Reason(
        rule="VITAL-HOLD",
        verdict=verdict,
        text=text,
        source="facts §3.2 B: common clinic practice",
        confidence=Confidence.UNCERTAIN,
        available_at=again_at,
        missing=missing,
    )
    return Decision(reasons=(reason,))

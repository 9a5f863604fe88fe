"""Does this form, or this worry, mean that somebody may be at risk of suicide, and how great is the risk?

Rules of clinical facts §5.3 (suicide items), §6.1 (C-SSRS levels) and §6.2 (mismatch). From which answer an
item is positive or urgent stands in the protocol (D). A missing item and an incomplete screen are findings
too: unknown is never cleared. Every reason is returned; the worst one leads.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from clinical.decision import Reason, Verdict
from clinical.instants import Instant
from clinical.instruments.answers import InstrumentId, InstrumentResult, RiskLevel
from clinical.protocol import Protocol

SEVERITY = {
    level: rank
    for rank, level in enumerate(
        (RiskLevel.NONE, RiskLevel.LOW, RiskLevel.MODERATE, RiskLevel.UNKNOWN, RiskLevel.HIGH)
    )
}
"""Which level leads when several apply; unknown stands above moderate: it may turn out to be high."""


class RiskFinding(BaseModel):
    """What makes this a risk case: the level, the rule that fired first among the worst, and every reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: RiskLevel
    trigger: str
    on_site: bool
    found_at: Instant
    source_ref: str = ""
    reasons: tuple[Reason, ...] = ()


class _Trigger(NamedTuple):
    level: RiskLevel
    reason: Reason


def _trigger(
    level: RiskLevel,
    rule: str,
    text: str,
    *,
    value: object = None,
    limit: str | None = None,
    missing: bool = False,
) -> _Trigger:
    source = "clinical facts §5.3" if rule.startswith("RISK-ITEM") else "clinical facts §6.1, §6.2"
    verdict = Verdict.REVIEW if level is RiskLevel.LOW else Verdict.REFUSE
    shown = None if value is None else str(value)
    reason = Reason(
        rule=rule, verdict=verdict, text=text, source=source, value=shown, limit=limit, missing=missing
    )
    return _Trigger(level, reason)


def _thresholds(instrument: InstrumentId, protocol: Protocol) -> tuple[int, int | None] | None:
    """From which answer is the suicide item positive, and from which urgent? Null: no such item."""
    risk = protocol.risk
    if instrument is InstrumentId.PHQ9:
        return risk.item9_positive_from, None
    if instrument is InstrumentId.QIDS_SR16:
        return risk.qids12_positive_from, risk.qids12_urgent_from
    if instrument is InstrumentId.MADRS:
        return risk.madrs10_positive_from, risk.madrs10_urgent_from
    return None


def _item_triggers(
    result: InstrumentResult, previous: InstrumentResult | None, protocol: Protocol
) -> Iterator[_Trigger]:
    """What does the suicide item say (§5.3)? Positive waits for a C-SSRS today, urgent does not wait."""
    thresholds = _thresholds(result.instrument, protocol)
    if thresholds is None:
        return
    positive_from, urgent_from = thresholds
    name, item = result.instrument.value, result.suicide_item
    if item is None:
        yield _trigger(
            RiskLevel.UNKNOWN, "RISK-ITEM-MISSING", f"{name}: the suicide item was not answered", missing=True
        )
        return
    if urgent_from is not None and item >= urgent_from:
        text = f"{name}: the suicide item is urgent"
        yield _trigger(RiskLevel.HIGH, "RISK-ITEM-URGENT", text, value=item, limit=f"< {urgent_from}")
    if item >= positive_from:
        text = f"{name}: the suicide item is positive; C-SSRS in the same encounter"
        yield _trigger(RiskLevel.MODERATE, "RISK-ITEM-POSITIVE", text, value=item, limit=f"< {positive_from}")
    yield from _rise(result, item, previous, protocol)


def _rise(
    result: InstrumentResult, item: int, previous: InstrumentResult | None, protocol: Protocol
) -> Iterator[_Trigger]:
    """Has PHQ-9 item 9 gone up since the last form? Then a clinician reviews it, however low it still is."""
    if previous is None or {result.instrument, previous.instrument} != {InstrumentId.PHQ9}:
        return
    before, allowed = previous.suicide_item, protocol.risk.item9_rise_from
    if before is not None and item - before >= allowed:
        text = f"phq-9: the suicide item rose from {before} to {item}"
        yield _trigger(RiskLevel.LOW, "RISK-ITEM-ROSE", text, value=item - before, limit=f"< {allowed}")


def _screen_triggers(result: InstrumentResult) -> Iterator[_Trigger]:
    """What does the C-SSRS screener say (§6.1)? Anything but a complete "none" opens a case."""
    if result.instrument is not InstrumentId.CSSRS:
        return
    level = result.risk_level or RiskLevel.UNKNOWN
    if level is RiskLevel.UNKNOWN or not result.complete:
        names = ", ".join(result.missing) or "the level"
        yield _trigger(RiskLevel.UNKNOWN, "RISK-CSSRS-INCOMPLETE", f"C-SSRS without {names}", missing=True)
    if level not in (RiskLevel.NONE, RiskLevel.UNKNOWN):
        yield _trigger(level, f"RISK-CSSRS-{level.name}", f"C-SSRS: {level.value} risk", value=level.value)


def finding(
    result: InstrumentResult,
    previous: InstrumentResult | None,
    on_site: bool,
    found_at: datetime,
    protocol: Protocol,
    *,
    source_ref: str = "",
) -> RiskFinding | None:
    """Does this form open a risk case? `previous` is the last form of the same instrument, if any.

    Null only when the form says nothing about suicide or says a complete "no". Source: clinical facts §5.3,
    §6.1.
    """
    found = [*_item_triggers(result, previous, protocol), *_screen_triggers(result)]
    if not found:
        return None
    worst = max(found, key=lambda trigger: SEVERITY[trigger.level])
    return RiskFinding(
        level=worst.level,
        trigger=worst.reason.rule,
        on_site=on_site,
        found_at=found_at,
        source_ref=source_ref,
        reasons=tuple(trigger.reason for trigger in found),
    )


def mismatch(
    screen: InstrumentResult,
    form: InstrumentResult,
    on_site: bool,
    found_at: datetime,
    protocol: Protocol,
    *,
    source_ref: str = "",
) -> RiskFinding | None:
    """Does a C-SSRS without risk contradict a positive suicide item? Then a clinician reconciles them.

    Source: clinical facts §6.2, "NONE with item 9 ≥ 1" (24 h, D).
    """
    thresholds, item = _thresholds(form.instrument, protocol), form.suicide_item
    if screen.risk_level is not RiskLevel.NONE or thresholds is None or item is None or item < thresholds[0]:
        return None
    text = f"C-SSRS without risk, but the suicide item of {form.instrument.value} is positive"
    trigger = _trigger(RiskLevel.LOW, "RISK-MISMATCH", text, value=item, limit=f"< {thresholds[0]}")
    return RiskFinding(
        level=trigger.level,
        trigger=trigger.reason.rule,
        on_site=on_site,
        found_at=found_at,
        source_ref=source_ref,
        reasons=(trigger.reason,),
    )


def staff_concern(
    level: RiskLevel | None, on_site: bool, found_at: datetime, *, source_ref: str = ""
) -> RiskFinding:
    """What case does a worried member of staff open? Without a level it is unknown, never none (F11)."""
    known = RiskLevel.UNKNOWN if level is None or level is RiskLevel.NONE else level
    trigger = _trigger(known, "RISK-STAFF-CONCERN", "a member of staff is worried", value=known.value)
    return RiskFinding(
        level=known,
        trigger=trigger.reason.rule,
        on_site=on_site,
        found_at=found_at,
        source_ref=source_ref,
        reasons=(trigger.reason,),
    )


def concern(level: RiskLevel | None, on_site: bool, found_at: datetime, protocol: Protocol) -> RiskFinding:
    """The same, with the protocol's level for who is worried and names none (D, `risk.concern_level`)."""
    return staff_concern(level or RiskLevel(protocol.risk.concern_level), on_site, found_at)


def joined(opened: RiskFinding, new: RiskFinding) -> RiskFinding:
    """What is the open case after another finding joins it? Never less than before.

    The worse finding leads with its own clock (the open one when equal); deadlines that already run keep
    running.
    """
    lead = new if SEVERITY[new.level] > SEVERITY[opened.level] else opened
    return lead.model_copy(
        update={"on_site": opened.on_site or new.on_site, "reasons": opened.reasons + new.reasons}
    )

"""Who may take over and close a risk case, and what stays shut until then?

Rules of clinical facts §6.1 (a screen expires), §6.2 (who may close), §10 H7 and H8. Nothing here closes a
case: a later negative answer cannot, only a licensed clinician with a disposition can. Unknown is never
cleared. What opens a case is in `risk_findings.py`, who is paged when in `risk_ladder.py`; both can be had
from here.
"""

from datetime import datetime

from clinical.decision import Decision, Reason, Verdict
from clinical.instants import elapsed_hours
from clinical.instruments.answers import InstrumentId, Measurement, RiskLevel
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK, Role
from clinical.protocol import Protocol
from clinical.risk_disposition import Disposition
from clinical.risk_findings import RiskFinding, concern, finding, joined, mismatch, staff_concern
from clinical.risk_ladder import Page, RungAt, acknowledge_by, ladder, next_page, page_at_last, pages

__all__ = [
    "Disposition", "Page", "RiskFinding", "RiskLevel", "RungAt", "acknowledge_by", "blocks_dosing", "cleared",
    "concern", "finding", "joined", "ladder", "may_acknowledge", "may_resolve", "mismatch", "next_page",
    "page_at_last", "pages", "staff_concern",
]  # fmt: skip


def _answer(rule: str, allowed: bool, text: str, source: str, value: str | None = None) -> Reason:
    verdict = Verdict.PASS if allowed else Verdict.REFUSE
    return Reason(rule=rule, verdict=verdict, text=text, source=source, value=value)


def may_acknowledge(role: Role) -> Decision:
    """May this role take a case over? A clinician, by name; not the desk, not the engine (H7)."""
    allowed = role in CLINICIANS
    text = "a clinician takes over" if allowed else "only a clinician can acknowledge a risk case"
    return Decision.of([_answer("RISK-ACKNOWLEDGE", allowed, text, "clinical facts §10 H7", role.value)])


def may_resolve(role: Role, disposition: str | None) -> Decision:
    """May this role close a case in this way? A licensed clinician, with a known disposition (§6.2)."""
    licensed = role in LICENSED_TO_CLOSE_RISK
    known = disposition in set(Disposition)
    by = "licensed to close" if licensed else "only a licensed clinician closes a risk case"
    how = "disposition given" if known else "a disposition is needed, one of " + ", ".join(Disposition)
    source = "clinical facts §6.2, §10 H8"
    return Decision.of(
        [
            _answer("RISK-RESOLVE-ROLE", licensed, by, source, role.value),
            _answer("RISK-RESOLVE-DISPOSITION", known, how, source, disposition),
        ]
    )


def blocks_dosing(open_cases: int | None) -> Decision:
    """Do open risk cases keep the gate shut? Passes only at a known zero (facts §6.2, product invariant 2).

    Counts cases, never answers: however many negative forms come later, an open case stays open.
    """
    source = "clinical facts §6.2, §10 H8"
    if open_cases is None or open_cases < 0:
        reason = _answer("RISK-OPEN-CASES", False, "it is not known whether a risk case is open", source)
        return Decision.of([reason.model_copy(update={"missing": True})])
    text = "no risk case is open" if open_cases == 0 else "a risk case is open"
    return Decision.of([_answer("RISK-OPEN-CASES", open_cases == 0, text, source, str(open_cases))])


_VERDICTS = {
    RiskLevel.NONE: (Verdict.PASS, "the screen found no risk"),
    RiskLevel.LOW: (Verdict.CAUTION, "low risk: review by a clinician, safety plan offered"),
    RiskLevel.MODERATE: (Verdict.REFUSE, "moderate risk: locked until a clinician releases it"),
    RiskLevel.HIGH: (Verdict.REFUSE, "high risk: no dose in the clinic, escalate"),
    RiskLevel.UNKNOWN: (Verdict.REFUSE, "the screen is incomplete or was refused: not cleared"),
}


def cleared(
    last: Measurement | None, protocol: Protocol, now: datetime, *, released: bool = False
) -> Decision:
    """Does the latest C-SSRS allow a dose now? Passes for none and low only, and only while it is fresh.

    `released`: a licensed clinician has resolved the case that this very screen opened; it lifts moderate
    to a caution and changes nothing else (a high or incomplete screen needs a new screen). Ask
    `blocks_dosing` as well: a good screen does not close an open case. Source: clinical facts §3.1 G9,
    §6.1, §6.2.
    """
    source = "clinical facts §6.1, §6.2"
    if last is None or last.result.instrument is not InstrumentId.CSSRS:
        text = "there is no C-SSRS screen"
        reason = Reason(rule="RISK-SCREEN", verdict=Verdict.REFUSE, text=text, source=source, missing=True)
        return Decision.of([reason])
    return Decision.of([_level_reason(last, released, source), _age_reason(last, protocol, now, source)])


def _level_reason(last: Measurement, released: bool, source: str) -> Reason:
    level = last.result.risk_level or RiskLevel.UNKNOWN
    if level in (RiskLevel.NONE, RiskLevel.LOW) and not last.result.complete:
        level = RiskLevel.UNKNOWN
    verdict, text = _VERDICTS[level]
    if level is RiskLevel.MODERATE and released:
        verdict, text = Verdict.CAUTION, "moderate risk, released by a licensed clinician"
    return Reason(
        rule="RISK-LEVEL",
        verdict=verdict,
        text=text,
        source=source,
        value=level.value,
        observed_at=last.at,
        missing=level is RiskLevel.UNKNOWN,
    )


def _age_reason(last: Measurement, protocol: Protocol, now: datetime, source: str) -> Reason:
    valid, age = protocol.risk.screen_valid_hours, elapsed_hours(last.at, now)
    fresh = 0 <= age <= valid
    text = "the screen is fresh" if fresh else "the screen is too old"
    if age < 0:
        text = "the screen is dated in the future"
    return Reason(
        rule="RISK-SCREEN-AGE",
        verdict=Verdict.PASS if fresh else Verdict.REFUSE,
        text=text,
        source=source,
        value=f"{age:.1f}",
        unit="h",
        limit=f"0 to {valid:g}",
        observed_at=last.at,
        age_hours=age,
        missing=not fresh,
    )

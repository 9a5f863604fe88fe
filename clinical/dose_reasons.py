"""How is one bound of a dose answered? The same words for every form."""

from decimal import ROUND_DOWN, Decimal

from clinical.decision import Reason, Verdict

PLAN = "the approved plan"
CAP = "facts §2.2 (D), the protocol"
FIRST = "the first session of the course"


def bound(
    rule: str, holds: bool, text: str, value: str, source: str, limit: str, unit: str | None = None
) -> Reason:
    """A bound that refuses when it does not hold. Nothing is ever clamped to it."""
    return Reason(
        rule=rule,
        verdict=Verdict.PASS if holds else Verdict.REFUSE,
        text=text if holds else f"{text}: outside the limit",
        source=source,
        value=value,
        unit=unit,
        limit=limit,
    )


def upper(
    rule: str,
    value: Decimal,
    limit: Decimal | None,
    unit: str,
    source: str,
    text: str = "today's doses together",
) -> Reason:
    """An upper bound; one that nobody has set allows nothing."""
    if limit is None:
        return Reason(
            rule=rule,
            verdict=Verdict.REFUSE,
            text=f"{text}: no limit is set",
            source=source,
            value=f"{value:.4f}",
            unit=unit,
            missing=True,
        )
    return bound(rule, value <= limit, text, f"{value:.4f}", source, f"<= {limit:f}", unit)


def at_least(rule: str, value: Decimal, least: Decimal, unit: str) -> Reason:
    """Too small waits for a person: it harms less than too much, so it is not a refusal."""
    enough = value > 0 and value >= least
    return Reason(
        rule=rule,
        verdict=Verdict.PASS if enough else Verdict.REVIEW,
        text="not below the lowest dose" if enough else "below the lowest dose: the prescriber confirms",
        source="facts §2.2, the protocol",
        value=f"{value:f}",
        unit=unit,
        limit=f">= {least:f}",
    )


def step(value: Decimal, start: Decimal, rise: Decimal, highest: Decimal | None, unit: str) -> Reason:
    """Is this not more than one step above the highest session so far, or above where a course starts?

    Going back after a pause starts from the highest dose given, never from the plan's.
    """
    limit = start if highest is None else max(start, highest + rise)
    text = "where a course starts" if highest is None else "one step above the highest session"
    return bound("DOSE-STEP", value <= limit, text, f"{value:.4f}", "facts §2.2", f"<= {limit:f}", unit)


def down_to(value: Decimal, smallest: Decimal) -> Decimal:
    """Rounded down to what can be measured, so that the dose is never above the ordered one."""
    return (value / smallest).to_integral_value(rounding=ROUND_DOWN) * smallest


def exact(number: float) -> Decimal:
    """Exactly the number as it is written in the protocol."""
    return Decimal(str(number))

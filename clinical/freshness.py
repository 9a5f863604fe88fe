"""Is a value young enough to be used, and how is it said that something is not known?

What is too old, lies in the future or was never collected becomes a reason `NEED-…` that is marked as
missing: it waits for a person and no override clears it. Limits are hours of the protocol's
`screening.validity`.
Source: clinical-facts §1.3 ("valid for" values are design defaults).
"""

from datetime import datetime

from clinical.decision import Confidence, Reason, Verdict, age_hours
from clinical.protocol import Protocol


def missing(slug: str, text: str, source: str) -> Reason:
    """The reason that something was not collected or not answered."""
    return Reason(
        rule=f"NEED-{slug.upper()}",
        verdict=Verdict.REVIEW,
        text=text,
        source=source,
        confidence=Confidence.DESIGN,
        missing=True,
    )


def is_future(at: datetime, protocol: Protocol, now: datetime) -> bool:
    """Does this instant lie further ahead than clocks may differ?"""
    return age_hours(at, now) < -protocol.monitoring.future_tolerance_minutes / 60


def unusable(
    slug: str,
    at: datetime | None,
    valid_hours: float,
    protocol: Protocol,
    now: datetime,
    *,
    value: str | None = None,
    unit: str | None = None,
    source: str = "facts §1.3",
) -> tuple[Reason, ...]:
    """Why can a value of this age not be used? Empty when it can."""
    name = slug.replace("-", " ")
    if at is None:
        return (missing(slug, f"not known: {name}", source),)
    hours = age_hours(at, now)
    if is_future(at, protocol, now):
        text = f"lies in the future: {name}"
    elif hours > valid_hours:
        text = f"out of date: {name}"
    else:
        return ()
    update = {
        "value": value,
        "unit": unit,
        "observed_at": at,
        "age_hours": hours,
        "limit": f"at most {valid_hours:g} h old",
    }
    return (missing(slug, text, source).model_copy(update=update),)

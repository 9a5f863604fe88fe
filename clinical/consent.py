"""Is there a live consent for the next step?

Live means: the current document, every required element acknowledged one by one, capacity attested by
somebody, given before now, not withdrawn and not expired. Anything else refuses, and every fault is named.
Source: clinical-facts §1.5 (elements and rules; validity is a design default); product F7.
"""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from clinical.decision import Decision, Reason, Verdict, age_hours
from clinical.freshness import is_future
from clinical.instants import Instant, later
from clinical.protocol import Protocol

SOURCE = "facts §1.5"


class ConsentRecord(BaseModel):
    """One signed consent: which document, which elements were acknowledged, who attested capacity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document_version: str
    elements: tuple[str, ...]
    given_at: Instant
    withdrawn_at: Instant | None = None
    capacity_attested_by: str | None


def consent_live(consent: ConsentRecord | None, protocol: Protocol, now: datetime) -> Decision:
    """May anything be done on the strength of this consent? Refuses with every reason. Facts §1.5."""
    if consent is None:
        return Decision.of([_refuse("CONSENT-ABSENT", "no consent has been given", missing=True)])
    return Decision.of(_faults(consent, protocol, now) or (_passes(consent, protocol),))


def _faults(consent: ConsentRecord, protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    return (*_document(consent, protocol), *_times(consent, protocol, now))


def _document(consent: ConsentRecord, protocol: Protocol) -> Iterator[Reason]:
    current = protocol.consent.document_version
    if consent.document_version != current:
        text = "the consent document has been superseded"
        yield _refuse("CONSENT-VERSION", text, value=consent.document_version, limit=current)
    open_elements = [e for e in protocol.consent.required_elements if e not in consent.elements]
    if open_elements:
        text = f"not acknowledged: {', '.join(open_elements)}"
        yield _refuse("CONSENT-ELEMENTS", text, value=str(len(open_elements)), limit="none open")
    if not (consent.capacity_attested_by or "").strip():
        yield _refuse("CONSENT-CAPACITY", "nobody attested the capacity to consent", missing=True)


def _times(consent: ConsentRecord, protocol: Protocol, now: datetime) -> Iterator[Reason]:
    given, withdrawn = consent.given_at, consent.withdrawn_at
    if withdrawn is not None:
        yield _refuse("CONSENT-WITHDRAWN", "the consent was withdrawn", at=withdrawn)
    if is_future(given, protocol, now):
        yield _refuse("CONSENT-TIME", "the consent lies in the future", at=given)
    expires = later(given, days=protocol.consent.valid_days)
    if now >= expires:
        reason = _refuse("CONSENT-EXPIRED", "the consent has expired", at=given, limit=expires.isoformat())
        yield reason.model_copy(update={"age_hours": age_hours(given, now)})


def _passes(consent: ConsentRecord, protocol: Protocol) -> Reason:
    return Reason(
        rule="CONSENT",
        verdict=Verdict.PASS,
        text="the consent is live",
        source=SOURCE,
        value=consent.document_version,
        observed_at=consent.given_at,
        limit=later(consent.given_at, days=protocol.consent.valid_days).isoformat(),
    )


def _refuse(
    rule: str,
    text: str,
    *,
    value: str | None = None,
    limit: str | None = None,
    at: datetime | None = None,
    missing: bool = False,
) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.REFUSE,
        text=text,
        source=SOURCE,
        value=value,
        limit=limit,
        observed_at=at,
        missing=missing,
    )

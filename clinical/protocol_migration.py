"""May a course that is under way go over to another protocol, and what has to happen then?

On purpose and for one patient. Refused is what would take something away from them afterwards: a gate that they have
passed and that the new protocol makes narrower, an observation that would be shorter, a gap between doses that would
shrink. What has already begun (a round of screening, a plan under approval, a visit after check-in, a round of
follow-up) goes on by the protocol it began with. Every reason is told, not the first.
Source: product F2, F20.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from clinical.decision import Decision, Reason, Verdict
from clinical.journey import Stage
from clinical.migration_limits import GAP_LONGER, GAP_SHORTER, LONGER, SHORTER, narrower_screening
from clinical.plan import PlanTerms, Standing, plan_findings, required_approvers
from clinical.protocol import Indication, Protocol
from clinical.protocol_document import as_document, unit_of, value_at

SCREENED = frozenset({Stage.PLANNING, Stage.PREPARATION, Stage.TREATING, Stage.FOLLOW_UP})
PREPARED = frozenset({Stage.TREATING, Stage.FOLLOW_UP})
CONSENTED = SCREENED | {Stage.SCREENING}


class Underway(BaseModel):
    """Where the course stands. `plan` is the approved one, `standing` what it was approved upon."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    indication: Indication
    doses: int = 0
    decided_after: tuple[int, ...] = ()
    preparations: int = 0
    in_the_chair: bool = False
    plan: PlanTerms | None = None
    standing: Standing = Standing()


class Migration(BaseModel):
    """`plan_anew`: the approved plan does not stand under the new protocol and is approved again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Decision
    plan_anew: bool = False


def migration(before: Protocol, after: Protocol, underway: Underway) -> Migration:
    """Everything that speaks against it, and what it would bring with it."""
    reasons = [
        *_fits(before, after, underway),
        *_observation(before, after, underway),
        *_passed(before, after, underway),
    ]
    plan = list(_plan(before, after, underway))
    return Migration(
        decision=Decision.of([*reasons, *plan, *_consent(before, after, underway)]), plan_anew=bool(plan)
    )


def _fits(before: Protocol, after: Protocol, underway: Underway) -> Iterator[Reason]:
    """Is it another protocol, signed, for this treatment, and is nobody in the chair?"""
    if before.content_hash == after.content_hash:
        yield _no("MIG-SAME", "the course goes by this protocol already")
    if after.signature is None or after.signature.content_hash != after.content_hash:
        yield _no("MIG-UNSIGNED", "no medical director has signed this content")
    for name in ("drug", "route"):
        was, will_be = getattr(before, name), getattr(after, name)
        if was is not will_be:
            yield _no("MIG-ROUTE", f"another {name} is another course", str(was), str(will_be))
    if before.dosing.form != after.dosing.form:
        yield _no("MIG-ROUTE", "another form is another course", before.dosing.form, after.dosing.form)
    if underway.indication not in after.indications:
        yield _no("MIG-INDICATION", f"it is not for {underway.indication}")
    if underway.in_the_chair:
        yield _no("MIG-CHAIR", "a patient is in the chair: the visit ends first")


def _observation(before: Protocol, after: Protocol, underway: Underway) -> Iterator[Reason]:
    """Nothing that watches over a patient becomes shorter, rarer or easier to end."""
    yield from _kept("MIG-OBSERVATION", before, after, SHORTER, LONGER)
    old, new = before.monitoring.reading_minutes, after.monitoring.reading_minutes
    if new[-1] < old[-1] or len(new) < len(old) or _widest(new) > _widest(old):
        yield _no("MIG-OBSERVATION", "readings would be fewer or end earlier", _list(old), _list(new))
    if not underway.doses:
        return
    weeks = sorted(set(before.follow_up.weeks) - set(after.follow_up.weeks))
    if weeks:
        yield _no(
            "MIG-FOLLOW-UP", f"nobody would ask again in week {_list(weeks)}", _list(before.follow_up.weeks)
        )
    for form in sorted(set(before.follow_up.instruments) - set(after.follow_up.instruments)):
        yield _no("MIG-FOLLOW-UP", f"{form} would not be asked any more")
    checks = {check.code for check in before.long_term} - {check.code for check in after.long_term}
    for code in sorted(checks):
        yield _no("MIG-FOLLOW-UP", f"the long-term check {code} would not be done any more")


def _passed(before: Protocol, after: Protocol, underway: Underway) -> Iterator[Reason]:
    """What the patient has passed must not become narrower: they would go on without having passed it."""
    if underway.stage in SCREENED:
        for pointer, was, will_be in narrower_screening(before, after):
            text = f"screening was passed by another limit ({pointer})"
            yield _no("MIG-GATE", text, _worded(was), _worded(will_be), unit_of(pointer) or None)
    wanted = after.therapy.preparation_sessions
    if underway.stage in PREPARED and not underway.doses and underway.preparations < wanted:
        text = "the preparation that it asks for would be skipped"
        yield _no("MIG-GATE", text, str(underway.preparations), str(wanted), "sessions")
    if underway.doses:
        for dose in after.decisions.review_after_doses:
            if dose < underway.doses and dose not in underway.decided_after:
                yield _no("MIG-GATE", f"the decision after dose {dose} would be skipped")
        yield from _kept("MIG-GAP", before, after, GAP_SHORTER, GAP_LONGER)
        for phase in before.schedule.phases:
            rest = after.schedule.phase(phase.name)
            if rest is not None and rest.min_interval_hours < phase.min_interval_hours:
                text = f"the rest between two doses would be shorter ({phase.name})"
                was, will_be = str(phase.min_interval_hours), str(rest.min_interval_hours)
                yield _no("MIG-GAP", text, was, will_be, "h")


def _plan(before: Protocol, after: Protocol, underway: Underway) -> Iterator[Reason]:
    """The approved plan stands only where the new protocol would let it be approved by the same people."""
    if underway.plan is None:
        return
    for fault in plan_findings(underway.plan, underway.standing, after).objections:
        yield _caution("MIG-PLAN", f"the plan is approved anew: {fault.text}", fault.value, fault.limit)
    missing = set(required_approvers(underway.plan, after)) - set(required_approvers(underway.plan, before))
    for role in sorted(missing):
        yield _caution("MIG-PLAN", f"the plan is approved anew: the {role} has to approve it as well")


def _consent(before: Protocol, after: Protocol, underway: Underway) -> Iterator[Reason]:
    """Another document is asked for at the next dose: its gate stays closed until then."""
    if underway.stage not in CONSENTED:
        return
    more = set(after.consent.required_elements) - set(before.consent.required_elements)
    if more or before.consent.document_version != after.consent.document_version:
        was, will_be = before.consent.document_version, after.consent.document_version
        yield _caution("MIG-CONSENT", "consent is taken anew before the next dose", was, will_be)


def _kept(
    rule: str, before: Protocol, after: Protocol, shorter: tuple[str, ...], longer: tuple[str, ...]
) -> Iterator[Reason]:
    """`shorter`: what must not fall; `longer`: what must not rise. A limit that goes away counts as risen."""
    documents = as_document(before), as_document(after)
    for pointer in (*shorter, *longer):
        was, will_be = (value_at(document, pointer) for document in documents)
        if was is None or was == will_be:  # what was not limited may be limited from now on
            continue
        if will_be is None or (will_be < was) == (pointer in shorter):
            text = f"would be less than now ({pointer})"
            yield _no(rule, text, _worded(was), _worded(will_be), unit_of(pointer) or None)


def _widest(minutes: tuple[int, ...]) -> float:
    """The longest time between two readings, the first one after the dose included."""
    return max(after - before for before, after in zip((0, *minutes), minutes, strict=False))


def _list(values: Any) -> str:
    return ", ".join(str(value) for value in values)


def _worded(value: Any) -> str:
    return "absent" if value is None else str(value)


def _no(
    rule: str, text: str, value: str | None = None, limit: str | None = None, unit: str | None = None
) -> Reason:
    return Reason(
        rule=rule,
        verdict=Verdict.REFUSE,
        text=text,
        source="product F20",
        value=value,
        limit=limit,
        unit=unit,
    )


def _caution(rule: str, text: str, value: str | None = None, limit: str | None = None) -> Reason:
    return Reason(
        rule=rule, verdict=Verdict.CAUTION, text=text, source="product F20", value=value, limit=limit
    )

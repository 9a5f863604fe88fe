"""Does a personal plan stay inside the clinic's protocol, and who has to approve it?

A plan is by weight or in whole units, as the protocol doses; what it leaves open is a fault, never a default.
Source: product F3; clinical-facts §2.2-§2.5, H11, H17, H20.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from clinical.decision import Decision, Reason, Verdict
from clinical.dose_order import LONGEST_INFUSION_MINUTES
from clinical.people import Actor, Role
from clinical.protocol import ByWeight, Devices, Infusion, InUnits, Lozenges, Phase, Protocol


class PlanTerms(BaseModel):
    """What of a plan can be compared with the protocol. Doses in mg of base, or mg/kg."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sessions: int
    mg_per_kg: Decimal | None
    dose_mg: Decimal | None
    max_mg: Decimal
    boosters: int
    infusion_minutes: int | None
    phase: str | None
    preparation_sessions: int


class Standing(BaseModel):
    """Where the course stands when a plan is drafted: doses given, and after which of them somebody decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    doses: int = 0
    decided_after: tuple[int, ...] = ()


def phase_of(terms_phase: str | None, protocol: Protocol) -> Phase | None:
    """The phase that a plan names; without a name the first one, None when there is none of that name."""
    return protocol.schedule.first if terms_phase is None else protocol.schedule.phase(terms_phase)


def plan_findings(terms: PlanTerms, standing: Standing, protocol: Protocol) -> Decision:
    """Where does the plan leave the protocol? Every bound is answered; `value` and `limit` say by how much.

    The rule's name ends in the field it is about, e.g. `PLAN-max_mg`.
    """
    rules = protocol.dosing
    in_form = (
        _by_weight(terms, rules)
        if isinstance(rules, ByWeight)
        else _in_units(terms, rules, first_session=standing.doses == 0)
    )
    return Decision.of([*_amounts(terms, protocol), *in_form, *_course(terms, standing, protocol)])


def required_approvers(terms: PlanTerms | None, protocol: Protocol) -> tuple[Role, ...]:
    """Who has to approve: the protocol's roles, and the medical director above its limits (facts §2.2).

    Both limits are for a session as a whole: in mg it is what the plan lets the session come to.
    """
    roles = protocol.plan.approver_roles
    above = terms is not None and (
        _above(terms.mg_per_kg, protocol.plan.director_above_mg_per_kg)
        or _session_above(terms, protocol.plan.director_above_mg)
    )
    return (*roles, Role.MEDICAL_DIRECTOR) if above and Role.MEDICAL_DIRECTOR not in roles else tuple(roles)


def approval_fault(
    actor: Actor, author_id: str, given: Mapping[Role, str], required: Sequence[Role]
) -> str | None:
    """Why may this person not approve this draft? None when they may (F3, H20).

    `given`: who approved it so far, by role. `required`: the answer of `required_approvers`.
    """
    if actor.role not in required:
        return f"{actor.role} is not among those who approve this plan"
    if actor.id == author_id:
        return "the author cannot approve"
    if actor.id in given.values():
        return "the same person cannot approve twice"
    if actor.role in given:
        return f"the {actor.role} has approved already"
    return None


def _session_above(terms: PlanTerms, limit: float | None) -> bool:
    """Of whole units a session has the dose and its boosters at most, and never more than `max_mg`."""
    if limit is None or not _above(terms.max_mg, limit):
        return False
    doses = max(1, 1 + terms.boosters)
    return terms.dose_mg is None or terms.dose_mg > Decimal(str(limit)) / doses


def _above(amount: Decimal | None, limit: float | None) -> bool:
    return amount is not None and limit is not None and amount > Decimal(str(limit))


def _amounts(terms: PlanTerms, protocol: Protocol) -> Iterator[Reason]:
    rules = protocol.dosing
    yield _within("max_mg", terms.max_mg, 0, rules.max_session_mg, "mg")
    yield _within("boosters", terms.boosters, 0, rules.boosters_max, "boosters")
    if isinstance(rules, Infusion):
        shortest, longest = rules.infusion_minutes_min, LONGEST_INFUSION_MINUTES
        yield _within("infusion_minutes", terms.infusion_minutes, shortest, longest, "min")
    else:
        yield _absent("infusion_minutes", terms.infusion_minutes, "nothing is infused by this route")


def _by_weight(terms: PlanTerms, rules: ByWeight) -> Iterator[Reason]:
    yield _within("mg_per_kg", terms.mg_per_kg, rules.min_mg_per_kg, rules.max_mg_per_kg, "mg/kg")
    yield _absent("dose_mg", terms.dose_mg, "this route is dosed by weight")


def _in_units(terms: PlanTerms, rules: InUnits, *, first_session: bool) -> Iterator[Reason]:
    """A single dose in whole units; the first device session asks for at least the dose of its day 1."""
    least = rules.min_mg if isinstance(rules, Lozenges) else min(rules.allowed_mg)
    if isinstance(rules, Devices) and first_session:
        least = rules.first_session_mg
    yield _absent("mg_per_kg", terms.mg_per_kg, "this route is dosed in whole units")
    single = _within("dose_mg", terms.dose_mg, least, rules.max_session_mg, "mg")
    yield single
    if terms.dose_mg is None or single.verdict is not Verdict.PASS:
        return
    yield _units(terms.dose_mg, rules.unit_mg)
    yield _within("max_mg", terms.max_mg, float(terms.dose_mg), rules.max_session_mg, "mg")
    if isinstance(rules, Devices):
        yield _one_of(terms.dose_mg, rules.allowed_mg)


def _course(terms: PlanTerms, standing: Standing, protocol: Protocol) -> Iterator[Reason]:
    phase = phase_of(terms.phase, protocol)
    names = ", ".join(one.name for one in protocol.schedule.phases)
    yield _reason("phase", phase is not None, f"one of {names}", terms.phase, names)
    if phase is not None:
        yield _within("sessions", terms.sessions, 1, phase.sessions, "doses")
        reviewed = not phase.after_review or standing.doses in standing.decided_after
        text = "the benefit was reviewed before this phase" if reviewed else "review the benefit first"
        yield _reason("phase", reviewed, text, phase.name, "a decision after the last dose")
    least = protocol.therapy.preparation_sessions
    yield _within("preparation_sessions", terms.preparation_sessions, least, None, "sessions")


def _within(field: str, value: Decimal | int | None, low: float, high: float | None, unit: str) -> Reason:
    holds = value is not None and Decimal(str(low)) <= value
    holds = holds and (high is None or (value is not None and value <= Decimal(str(high))))
    bounds = f"at least {low:g} {unit}" if high is None else f"must lie within {low:g} and {high:g} {unit}"
    return _reason(field, holds, bounds, None if value is None else f"{value}", bounds)


def _absent(field: str, value: object, why: str) -> Reason:
    return _reason(field, value is None, why, None if value is None else str(value), "absent")


def _units(dose_mg: Decimal, unit_mg: float) -> Reason:
    whole = dose_mg % Decimal(str(unit_mg)) == 0
    return _reason("dose_mg", whole, f"whole units of {unit_mg:g} mg", str(dose_mg), f"n x {unit_mg:g}")


def _one_of(dose_mg: Decimal, allowed: Sequence[float]) -> Reason:
    known = any(dose_mg == Decimal(str(mg)) for mg in allowed)
    words = " or ".join(f"{mg:g}" for mg in allowed)
    return _reason("dose_mg", known, f"{words} mg (label)", str(dose_mg), words)


def _reason(field: str, holds: bool, text: str, value: str | None, limit: str) -> Reason:
    return Reason(
        rule=f"PLAN-{field}",
        verdict=Verdict.PASS if holds else Verdict.REFUSE,
        text=text,
        source="facts §2.2-§2.5, the protocol",
        value=value,
        limit=limit,
        missing=value is None and not holds,
    )

"""What objects to a dose at each of the sixteen gates?

One function a gate, yielding its objections; nothing yielded means the gate is open. Each names its numbers'
place in the protocol. Source: clinical-facts §3.1, §3.2, §6.2; H3, H10-H12, H17.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from clinical.custody import draw_allowed
from clinical.decision import Decision, Verdict
from clinical.gate_facts import GateFacts, ScannedDrug
from clinical.instants import elapsed_hours, elapsed_minutes, later
from clinical.instruments.answers import RiskLevel
from clinical.pre_dose_hold import after_hold
from clinical.protocol import ByWeight, Drug, Protocol
from clinical.schedule import PastDose, interval_allowed, more_doses_allowed
from clinical.vitals import Tier, implausible, pre_dose_tier
from clinical.weight import weight_findings


class Objection(NamedTuple):
    """Something that stands against the dose, or only wants to be seen (CAUTION)."""

    text: str
    verdict: Verdict = Verdict.REFUSE
    missing: bool = False
    value: str | None = None
    unit: str | None = None
    limit: str | None = None
    observed_at: datetime | None = None
    age_hours: float | None = None
    available_at: datetime | None = None


Objections = Iterator[Objection]


def identity(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G1: two identifiers, and the order belongs to the plan in force."""
    yield from _required(facts.identity_confirmed, "two identifiers", "the identifiers do not match")
    if facts.order_plan_hash is None or facts.plan is None:
        yield Objection("the order or its plan is not known", missing=True)
    elif facts.order_plan_hash != facts.plan.plan_hash:
        yield Objection(
            "the order was made for another version of the plan", value=facts.order_plan_hash[:12]
        )


def consent(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G2: live consent, and capacity today."""
    if facts.consent is None or not facts.consent.reasons:
        yield Objection("consent is not known", missing=True)
    else:
        yield from _passed_on(facts.consent)
    yield from _required(facts.capacity_today, "capacity today", "no capacity to consent today")


def plan(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G3: approved, in force, a dose of it left, the course not on hold, preparation and integration done."""
    if facts.plan is None:
        yield Objection("no plan on record", missing=True)
    else:
        if not facts.plan.approved:
            yield Objection("the plan is not approved")
        if facts.plan.superseded:
            yield Objection("the plan was replaced by another version")
        if facts.plan.expires_at <= now:
            yield Objection("the plan has expired", limit=facts.plan.expires_at.isoformat())
    if facts.dose_no is None or facts.sessions_approved is None:
        yield Objection("the number of this dose, or of the approved ones, is not known", missing=True)
    else:
        yield from _passed_on(more_doses_allowed(facts.dose_no - 1, facts.sessions_approved))
    yield from _excluded(facts.on_hold, "whether the course is on hold", "the course is on hold")
    yield from _required(facts.preparation_complete, "preparation", "preparation is not complete")
    overdue = "the integration of an earlier dose is overdue"
    yield from _excluded(facts.integration_blocked, "integration of earlier doses", overdue)


def interval(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G4: long enough since the last dose given anywhere, and none in this session yet."""
    phase = None if facts.phase is None else protocol.schedule.phase(facts.phase)
    if facts.last_doses is None or facts.time_zone is None or facts.session_no is None:
        yield Objection("earlier doses, the time zone or this session are not known", missing=True)
    elif facts.phase is None:
        yield Objection("the phase of the plan is not known", missing=True)
    elif phase is None:
        yield Objection("the plan names a phase that the protocol does not have", value=facts.phase)
    else:
        earlier = [dose for dose in facts.last_doses if dose.session != facts.session_no]
        for objection in _passed_on(interval_allowed(now, earlier, protocol, facts.time_zone, phase)):
            reviewed = objection.verdict is Verdict.REVIEW and facts.reentry_approved
            yield objection._replace(verdict=Verdict.CAUTION) if reviewed else objection
        yield from _within_session(facts, facts.last_doses, protocol, now)
    elsewhere = "a recent dose at another clinic is not ruled out"
    yield from _required(facts.other_clinic_dose_denied, "doses at other clinics", elsewhere)


def _within_session(
    facts: GateFacts, doses: Sequence[PastDose], protocol: Protocol, now: datetime
) -> Objections:
    """One dose a session, unless a booster is foreseen: agreed before, inside its window, and the person awake."""
    today = [dose.given_at for dose in doses if dose.session == facts.session_no]
    booster = facts.booster
    if booster is None:
        if today:
            yield Objection("a dose was already given in this session", value=str(facts.session_no))
        return
    if booster.given != len(today):
        yield Objection("the doses of this session are not known", missing=True, value=str(len(today)))
    last_at = max([booster.first_given_at, *today])
    most = min(booster.allowed, protocol.dosing.boosters_max)
    if booster.given > most:
        yield Objection("no further booster in this session", value=str(booster.given), limit=f"{most}")
    yield from _required(booster.ended, "the end of the dose before", "the dose before has not ended")
    yield from _booster_window(min([booster.first_given_at, *today]), last_at, protocol, now)
    if booster.moaas is None:
        yield Objection("sedation since the dose is not known", missing=True)
    elif booster.moaas <= protocol.vitals.moaas_alert:
        limit = f"> {protocol.vitals.moaas_alert}"
        yield Objection("too sedated for a booster", value=str(booster.moaas), limit=limit)
    hours = protocol.monitoring.repeat_after_last_minutes / 60
    read_at = booster.read_at if booster.read_at is None or booster.read_at >= last_at else None
    yield from _fresh("reading since the last dose", read_at, hours, protocol, now)


def _booster_window(first_at: datetime, last_at: datetime, protocol: Protocol, now: datetime) -> Objections:
    """Not before the dose before has shown its effect, not after the session's window has closed."""
    least, most = protocol.dosing.booster_from_minutes, protocol.dosing.booster_until_minutes
    opens, closes = later(last_at, minutes=least), later(first_at, minutes=most)
    if now < opens:
        yield Objection(
            "too soon for a booster",
            value=f"{elapsed_minutes(last_at, now):.1f}",
            unit="min",
            limit=f">= {least}",
            available_at=opens if opens <= closes else None,
        )
    if now > closes:
        yield Objection(
            "too late for a booster",
            value=f"{elapsed_minutes(first_at, now):.1f}",
            unit="min",
            limit=f"<= {most}",
        )


def fasting(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G5: long enough since food and since clear fluids."""
    rules = protocol.readiness
    for name, at, hours in (
        ("food", facts.food_at, rules.fasting_food_hours),
        ("clear fluids", facts.fluids_at, rules.fasting_clear_fluids_hours),
    ):
        if at is None:
            yield Objection(f"the last {name} is not known", missing=True)
        elif (since := elapsed_hours(at, now)) < hours:
            yield Objection(
                f"{name} too recent",
                value=f"{since:.2f}",
                unit="h",
                limit=f">= {hours:g}",
                observed_at=at,
                available_at=later(at, hours=hours),
            )


def escort(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G6: a named adult with a phone who has confirmed."""
    if facts.escort is None:
        yield Objection("no escort on record", missing=True)
        return
    yield from _required(facts.escort.name_present, "", "the escort has no name")
    yield from _required(facts.escort.phone_present, "", "the escort has no phone")
    yield from _required(facts.escort.confirmed, "", "the escort has not confirmed")


def pregnancy(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G7: a valid negative test where it applies."""
    if facts.pregnancy_applicable is None:
        yield Objection("whether a pregnancy test applies is not known", missing=True)
    elif facts.pregnancy_applicable:
        hours = protocol.screening.validity.pregnancy_test_hours
        yield from _fresh("negative pregnancy test", facts.pregnancy_test_negative_at, hours, protocol, now)


def intoxication(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G8: no alcohol or other substance within the protocol's hours."""
    failed = f"alcohol or another substance within {protocol.readiness.substance_free_hours:g} h"
    yield from _required(facts.substance_free, "use of alcohol and substances", failed)


def suicidality(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G9: a recent screen that is not high, and no open risk case (from moderate on one was opened)."""
    hours = protocol.risk.screen_valid_hours
    yield from _fresh("C-SSRS screen", facts.screened_at, hours, protocol, now)
    level = facts.suicide_level
    if level is None or level is RiskLevel.UNKNOWN:
        yield Objection("the risk of suicide is not cleared", missing=True)
    elif level is RiskLevel.HIGH:
        yield Objection("high risk of suicide: no dose, escalate", value=level)
    elif level is RiskLevel.MODERATE:
        yield Objection("moderate risk: released by a clinician", verdict=Verdict.CAUTION, value=level)
    if facts.open_risk_cases is None:
        yield Objection("open risk cases are not known", missing=True)
    elif facts.open_risk_cases != 0:
        yield Objection("a risk case is open", value=str(facts.open_risk_cases), limit="0")


def vital_signs(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G10: a recent, possible reading below tier B; tier A only with the prescriber's attestation."""
    baseline = facts.baseline
    if baseline is None:
        yield Objection("no vital signs before the dose", missing=True)
        return
    hours = protocol.vitals.pre_dose_valid_minutes / 60
    yield from _fresh("set of vital signs", baseline.taken_at, hours, protocol, now)
    for fault in implausible(baseline):
        yield Objection(fault.text, limit=fault.limit, observed_at=baseline.taken_at)
    tiered = pre_dose_tier(baseline, protocol)
    yield from _passed_on(tiered.decision)
    if tiered.tier is Tier.CAUTION and not facts.prescriber_attested_caution:
        yield Objection(
            "tier A: the prescriber has not attested benefit and risk", missing=True, value=tiered.tier
        )
    yield from _passed_on(after_hold((*facts.earlier_readings, baseline), protocol))


def weight(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G11, where dosed by weight: measured today, plausible, and not far from the last one unless verified."""
    rules = protocol.dosing
    if not isinstance(rules, ByWeight):
        return
    if facts.weight is None:
        yield Objection("no weight of today", missing=True)
    else:
        yield from _passed_on(Decision(reasons=weight_findings(facts.weight, rules, protocol, now)))


def medication(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G12: reconciled today, nothing that blocks."""
    hours = protocol.screening.validity.reconciliation_hours
    yield from _fresh("medication reconciliation", facts.medication_reconciled_at, hours, protocol, now)
    if facts.blocking_interactions is None:
        yield Objection("interactions are not known", missing=True)
    if protocol.readiness.nasal_spray_hours is not None:
        hours_free = f"{protocol.readiness.nasal_spray_hours:g} h"
        yield from _required(
            facts.nasal_spray_free, "other nasal sprays", f"another nasal spray within {hours_free}"
        )
    for name in facts.blocking_interactions or ():
        yield Objection("blocking interaction", value=name, limit="none")


def psychiatric_state(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G13: no new mania or psychosis."""
    failed = "new mania or psychosis"
    yield from _excluded(facts.new_psychosis_or_mania, "new mania or psychosis", failed)


def staff(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G14: a trained monitor, the prescriber where the protocol wants one on site, checked equipment."""
    yield from _required(facts.monitor_present, "a trained monitor", "no trained monitor present")
    if protocol.monitoring.prescriber_on_site:
        failed = "the prescriber is not on site"
        yield from _required(facts.prescriber_on_site, "the prescriber's presence", failed)
    failed = "airway, oxygen and monitoring kit not checked"
    yield from _required(facts.equipment_checked, "the check of the equipment", failed)
    failed = "the downtime sheet was not made: the chair could not go on without this system"
    yield from _required(facts.downtime_sheet, "the downtime sheet", failed)


def rems(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G15: for esketamine, a certified setting and an enrolled patient."""
    if protocol.drug is not Drug.ESKETAMINE:
        return
    if facts.rems is None:
        yield Objection("REMS certification and enrolment are not known", missing=True)
        return
    yield from _required(facts.rems.setting_certified, "", "the setting is not certified")
    yield from _required(facts.rems.patient_enrolled, "", "the patient is not enrolled")


def drug(facts: GateFacts, protocol: Protocol, now: datetime) -> Objections:
    """G16: the right product, with lot and expiry scanned, out of the books, and checked by a second person."""
    if facts.drug is None:
        yield Objection("the product was not scanned", missing=True)
    else:
        if facts.drug.drug is not protocol.drug:
            yield Objection("another product", value=facts.drug.drug, limit=protocol.drug)
        if not facts.drug.lot.strip():
            yield Objection("the lot was not read", missing=True)
        if facts.drug.expires_at <= now:
            yield Objection("the product has expired", limit=facts.drug.expires_at.isoformat())
        yield from _accounted(facts.drug, protocol, now)
    check = facts.second_check
    if check is None or not check.prepared_by.strip() or not check.checked_by.strip():
        yield Objection("volume and pump rate were not checked by a second person", missing=True)
        return
    if check.prepared_by.strip() == check.checked_by.strip():
        yield Objection("the second person is the first")
    yield from _required(check.agrees, "", "the second person does not agree with volume and pump rate")


def _accounted(scanned: ScannedDrug, protocol: Protocol, now: datetime) -> Objections:
    """A dose that names its container must be possible from it; one that names none is seen by counts only."""
    if scanned.container_id is None:
        yield Objection("not accounted by container", verdict=Verdict.CAUTION)
    else:
        yield from _passed_on(
            draw_allowed(scanned.container, protocol.drug, scanned.lot, scanned.drawn_mg, now)
        )


def _required(answer: bool | None, what: str, failed: str) -> Objections:
    if answer is None:
        yield Objection(f"not known: {what}", missing=True)
    elif not answer:
        yield Objection(failed)


def _excluded(answer: bool | None, what: str, failed: str) -> Objections:
    yield from _required(None if answer is None else not answer, what, failed)


def _fresh(what: str, at: datetime | None, hours: float, protocol: Protocol, now: datetime) -> Objections:
    """Is there one, not from the future and not too old?"""
    if at is None:
        yield Objection(f"no {what} on record", missing=True)
        return
    age = elapsed_hours(at, now)
    seen = Objection(f"{what} is out of date", observed_at=at, age_hours=age)
    if elapsed_minutes(now, at) > protocol.monitoring.future_tolerance_minutes:
        yield seen._replace(text=f"{what} dated in the future")
    elif age > hours:
        yield seen._replace(missing=True, value=f"{age:.2f}", unit="h", limit=f"<= {hours:g}")


def _passed_on(decision: Decision) -> Objections:
    """The reasons of another rule that are not a plain pass."""
    for reason in decision.reasons:
        if reason.verdict is not Verdict.PASS:
            yield Objection(
                f"{reason.rule}: {reason.text}",
                verdict=reason.verdict,
                missing=reason.missing,
                value=reason.value,
                unit=reason.unit,
                limit=reason.limit,
                observed_at=reason.observed_at,
                age_hours=reason.age_hours,
                available_at=reason.available_at,
            )

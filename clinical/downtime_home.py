"""When may the person in the chair go home, said so that it can be ticked off on paper?

One line for each criterion of `clinical.discharge`, with its numbers; nothing here is easier than there.
Source: clinical-facts §3.6, H5, H6.
"""

from clinical.discharge_facts import NEVER_OVERRIDDEN, Criterion
from clinical.protocol import Protocol


def earliest(protocol: Protocol, *, extended: bool) -> tuple[str, ...]:
    """The minimum stay in minutes from start and end; a booster's hour is added on the paper itself."""
    rules = protocol.discharge
    extra = rules.extra_minutes_if_extended if extended else 0
    lines = [f"{rules.min_after_start_minutes + extra} min after the first dose began"]
    if rules.min_after_end_minutes + extra:
        lines.append(f"and {rules.min_after_end_minutes + extra} min after the last dose ended")
    if extended:
        lines.append(f"({extra} min are added: age, liver or a booster)")
    elif protocol.dosing.boosters_max:
        lines.append(f"(after a booster {rules.extra_minutes_if_extended} min more)")
    if rules.minimum_is_absolute:
        lines.append("— nobody can shorten this")
    return tuple(lines)


def criteria(protocol: Protocol, baseline_cadss6: int | None) -> tuple[str, ...]:
    """Every criterion, in the order in which they are judged; † marks what no one overrides."""
    absolute = {Criterion.MINIMUM_TIME} if protocol.discharge.minimum_is_absolute else set()
    words = _words(protocol, baseline_cadss6)
    return tuple(
        words[criterion] + (" †" if criterion in NEVER_OVERRIDDEN | absolute else "")
        for criterion in Criterion
    )


def _words(protocol: Protocol, baseline_cadss6: int | None) -> dict[Criterion, str]:
    rules, vitals, monitoring = protocol.discharge, protocol.vitals, protocol.monitoring
    known = "baseline (not measured)" if baseline_cadss6 is None else f"baseline {baseline_cadss6}"
    fresh = monitoring.repeat_after_last_minutes + monitoring.late_page_minutes
    pressure = f"{vitals.hold_systolic_mmhg}/{vitals.hold_diastolic_mmhg}"
    on_site = "the prescriber was on site from the dose until now"
    return {
        Criterion.DOSE_ENDED: "the dose has ended, its end is written down",
        Criterion.MINIMUM_TIME: "the minimum stay (above) is over",
        Criterion.PADSS: f"modified PADSS ≥ {rules.padss_min} of 10, its vital signs ≥ 1, "
        f"{rules.padss_consecutive} times in a row, {rules.padss_apart_minutes} min apart",
        Criterion.AMBULATION: "walks steadily, not dizzy (ambulation = 2)",
        Criterion.SEDATION: f"MOAA/S ≥ {rules.moaas_min}",
        Criterion.ORIENTATION: "oriented to person, place and time",
        Criterion.DISSOCIATION: f"CADSS-6 ≤ {known} + {rules.cadss6_above_baseline_max}, "
        "or attested by a clinician",
        Criterion.VITALS: f"last reading below tier B (BP < {pressure}), not older than {fresh} min",
        Criterion.OXYGEN: f"SpO2 ≥ {rules.spo2_min_percent:g} on room air",
        Criterion.SUICIDALITY: "suicide risk asked today, not high",
        Criterion.ESCORT: "the escort is here, in person",
        Criterion.INSTRUCTIONS: "instructions given: no driving until tomorrow, after sleep",
        Criterion.PRESCRIBER: on_site
        if monitoring.prescriber_on_site
        else "prescriber on site: not asked for by the protocol",
        Criterion.SIGN_OFF: "signed off by a licensed clinician",
    }

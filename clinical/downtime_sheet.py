"""How does the chair go on when this system is away? Everything that is needed there, on one page of paper.

The sheet is made before the dose, for exactly one order, out of that order and the protocol. It holds minutes
and no clock times: the clock starts with the dose. It names nobody: the patient's code is opaque, the two
identifiers are written by hand. It never allows a dose: what is unknown starts none.
Source: clinical-facts H19; §3.2 to §3.7.
"""

import hashlib
import json
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from clinical.dose_order import DoseOrder, TodaysDoses
from clinical.downtime_home import criteria, earliest
from clinical.downtime_tiers import SheetTier, stopping, tiers
from clinical.instants import Instant, in_utc, zone_named
from clinical.people import Role
from clinical.protocol import Devices, Infusion, Protocol
from clinical.vital_signs import Reading

READING_ROWS = 14
"""As many as fit on the page: planned readings first, the rest is blank for those that follow."""


class _Printed(BaseModel):
    """Records hold sheets: a field may be added with a default, never renamed or removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SheetLine(_Printed):
    label: str
    value: str


class ForWhom(_Printed):
    """What the sheet needs beside order and protocol. `extended`: age or liver ask for a longer stay.

    `today` counts what this session has had already, `first_given_at` is when its first dose began.
    `boosters` is what the approved plan names.
    """

    patient_code: str
    session: int
    time_zone: str
    order_id: str
    ordered_by: str
    ordered_at: Instant
    plan_hash: str
    max_mg: str
    boosters: int
    extended: bool
    baseline: Reading | None = None
    baseline_cadss6: int | None = None
    today: TodaysDoses = TodaysDoses()
    first_given_at: Instant | None = None


class DowntimeSheet(_Printed):
    """What is printed, section by section, in the order of the page."""

    title: str
    notice: str
    patient_code: str
    session: int
    order_id: str
    made_at: Instant
    head: tuple[SheetLine, ...]
    order: tuple[SheetLine, ...]
    second_check: tuple[str, ...]
    reading_minutes: tuple[int, ...]
    blank_readings: int = Field(ge=0)
    reading_rules: tuple[str, ...]
    tiers: tuple[SheetTier, ...]
    stop_when: tuple[str, ...]
    emergency: tuple[str, ...]
    earliest_home: tuple[str, ...]
    criteria: tuple[str, ...]
    booster: tuple[str, ...]
    accounting: tuple[SheetLine, ...]
    call: tuple[SheetLine, ...]
    afterwards: tuple[str, ...]

    @property
    def content_hash(self) -> str:
        """SHA-256 over all of it, in canonical JSON."""
        content = self.model_dump(mode="json")
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def downtime_sheet(order: DoseOrder, whom: ForWhom, protocol: Protocol, now: datetime) -> DowntimeSheet:
    """The page for this order. A patient without a known baseline gets lines to write it down."""
    extended = whom.extended or whom.today.given > 0
    minutes = tuple(sorted(set(protocol.monitoring.reading_minutes)))
    return DowntimeSheet(
        title="Downtime sheet: go on at the chair without the system",
        notice=protocol.notice,
        patient_code=whom.patient_code,
        session=whom.session,
        order_id=whom.order_id,
        made_at=in_utc(now),
        head=_head(whom, protocol),
        order=_order(order, whom, protocol),
        second_check=_second_check(order, protocol),
        reading_minutes=minutes,
        blank_readings=max(READING_ROWS - len(minutes), 4),
        reading_rules=_reading_rules(protocol),
        tiers=tiers(protocol),
        stop_when=_stop_when(protocol),
        emergency=_emergency(protocol),
        earliest_home=earliest(protocol, extended=extended),
        criteria=criteria(protocol, whom.baseline_cadss6),
        booster=_booster(whom, protocol),
        accounting=_accounting(order),
        call=_call(protocol),
        afterwards=_afterwards(),
    )


def _head(whom: ForWhom, protocol: Protocol) -> tuple[SheetLine, ...]:
    return (
        SheetLine(label="Patient code", value=whom.patient_code),
        SheetLine(label="Session, order", value=f"{whom.session} ({whom.order_id})"),
        SheetLine(label="Ordered by", value=f"{whom.ordered_by}, {_clock(whom.ordered_at, whom)}"),
        SheetLine(label="Plan", value=whom.plan_hash[:12]),
        SheetLine(
            label="Protocol", value=f"{protocol.title} {protocol.version} ({protocol.content_hash[:12]})"
        ),
    )


def _order(order: DoseOrder, whom: ForWhom, protocol: Protocol) -> tuple[SheetLine, ...]:
    baseline, today = whom.baseline, whom.today
    known: list[tuple[str, str | None]] = [
        ("Drug, route", f"{order.drug}, {order.route} (mg of {order.salt})"),
        ("DOSE", f"{order.dose_mg:f} mg"),
        ("Dose per weight", None if order.mg_per_kg is None else f"{order.mg_per_kg:f} mg/kg"),
        ("Weight", None if order.weight_kg is None else f"{order.weight_kg:f} kg ({order.basis})"),
        ("Units", None if order.units is None else f"{order.units} × {order.unit_mg:f} mg"),
        ("Concentration", _with(order.concentration_mg_per_ml, "mg/mL")),
        ("Volume", _with(order.volume_ml, "mL")),
        ("Rate", _with(order.rate_ml_per_h, "mL/h")),
        ("Over", _with(order.infusion_minutes, "min")),
        ("Between devices", _between(protocol)),
        (
            "Most in this session",
            f"{whom.max_mg} mg (plan), {protocol.dosing.max_session_mg:g} mg (protocol)",
        ),
        ("Given already today", f"{today.given_mg:f} mg in {today.given}" if today.given else None),
        ("First dose began", _clock(whom.first_given_at, whom) if whom.first_given_at else None),
        (
            "Baseline",
            None
            if baseline is None
            else f"BP {baseline.systolic_mmhg}/{baseline.diastolic_mmhg}, HR {baseline.heart_rate_per_min}, "
            f"SpO2 {baseline.spo2_percent:g}",
        ),
    ]
    return tuple(SheetLine(label=label, value=value) for label, value in known if value is not None)


def _clock(at: datetime, whom: ForWhom) -> str:
    """What the clock on the wall showed; UTC, and said so, where the zone is not known."""
    zone = zone_named(whom.time_zone)
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if zone else f"{in_utc(at):%Y-%m-%d %H:%M} UTC"


def _with(value: object, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


def _between(protocol: Protocol) -> str | None:
    rules = protocol.dosing
    return f"{rules.minutes_between_units} min rest, do not prime" if isinstance(rules, Devices) else None


def _second_check(order: DoseOrder, protocol: Protocol) -> tuple[str, ...]:
    amount = "number of units" if order.units is not None else "volume drawn up"
    rate = ("pump rate and time",) if isinstance(protocol.dosing, Infusion) else ()
    return ("two identifiers", "drug, strength, lot, expiry", f"dose and {amount}", *rate, "route")


def _reading_rules(protocol: Protocol) -> tuple[str, ...]:
    rules = protocol.monitoring
    return (
        (
            f"Each within ± {rules.tolerance_minutes} min; then every {rules.repeat_after_last_minutes} min "
            f"until home; from tier C on every {protocol.vitals.intervene_pair_minutes} min."
        ),
        (
            f"Late by {rules.late_alert_minutes} min: the nurse in charge. Late by {rules.late_page_minutes} min: "
            "the prescriber."
        ),
        "From tier B on write beside the reading what was done.",
    )


def _stop_when(protocol: Protocol) -> tuple[str, ...]:
    watched = "or the prescriber leaves the site" if protocol.monitoring.prescriber_on_site else ""
    return (
        "tier D or E",
        "the patient says stop, or cannot consent any more (go on watching)",
        f"nobody can watch the patient {watched}".strip(),
        f"How: {stopping(protocol)}; write time and mg given.",
    )


def _emergency(protocol: Protocol) -> tuple[str, ...]:
    return (
        "Stop the dose. Call for help. Do not leave the patient.",
        "Airway open, oxygen, support breathing; on the side if vomiting.",
        "Call emergency services; prescriber to the bedside.",
        f"BP, HR, SpO2, RR every {protocol.vitals.intervene_pair_minutes} min or continuously; write times.",
        "High risk of suicide: not home; hand over to a hospital.",
    )


def _booster(whom: ForWhom, protocol: Protocol) -> tuple[str, ...]:
    rules, monitoring = protocol.dosing, protocol.monitoring
    most = min(whom.boosters, rules.boosters_max)
    if most == 0:
        return ("No booster in this session.",)
    window = f"{rules.booster_from_minutes}–{rules.booster_until_minutes} min"
    return (
        "While the system is away: no booster (it needs a new order and an open gate).",
        (
            f"Otherwise at most {most}, {window} after the first dose, the dose before ended, "
            f"MOAA/S > {protocol.vitals.moaas_alert}, a reading within {monitoring.repeat_after_last_minutes} min, "
            f"all doses together ≤ {whom.max_mg} mg."
        ),
    )


def _accounting(order: DoseOrder) -> tuple[SheetLine, ...]:
    drawn = "" if order.drawn_mg is None else f"{order.drawn_mg:f} mg"
    return (
        SheetLine(label="Lot / expiry / container", value=""),
        SheetLine(label="Dose began / ended (clock)", value=""),
        SheetLine(label="To be drawn up", value=drawn),
        SheetLine(label="Given, mg", value=""),
        SheetLine(label="Wasted, mg, and why", value=""),
        SheetLine(label="Witness (another person)", value=""),
    )


def _call(protocol: Protocol) -> tuple[SheetLine, ...]:
    ladder = ", then ".join(dict.fromkeys(_role(rung.page) for rung in protocol.risk.ladder))
    return (
        SheetLine(label="Reading late, tier B", value="nurse in charge"),
        SheetLine(label="Tier C, D, stop, any doubt", value=_role(Role.PRESCRIBER)),
        SheetLine(label="Prescriber silent", value=_role(Role.MEDICAL_DIRECTOR)),
        SheetLine(label="Worry about suicide", value=ladder),
        SheetLine(label="System away", value=_role(Role.COORDINATOR)),
    )


def _afterwards() -> tuple[str, ...]:
    return (
        "No new dose begins while the system is away. This page is for a dose that has begun.",
        (
            "When it is back: enter what stands here with the times written here: end of the dose, every "
            "reading, what was done, adverse events, waste, discharge. Two people compare paper and record."
        ),
        "Reconcile, never infer: what was not measured is not entered, no gap is filled.",
        "Keep the paper with the record.",
    )


def _role(role: Role) -> str:
    return role.replace("-", " ")

"""What do clinicians read? Decisions written out, reason by reason, beside the text that was approved.

`python -m tests.clinical.said.sayings` writes the texts anew; the difference is for a person to read.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from clinical.discharge import observation_ends, override_allowed, ready_for_discharge
from clinical.discharge_facts import DischargeFacts
from clinical.instruments.answers import InstrumentId, Measurement, RiskLevel
from clinical.instruments.registry import score
from clinical.people import Role
from clinical.protocol import Protocol
from clinical.risk import (
    RiskFinding,
    acknowledge_by,
    blocks_dosing,
    cleared,
    finding,
    joined,
    ladder,
    may_acknowledge,
    may_resolve,
    mismatch,
    next_page,
    pages,
    staff_concern,
)
from tests.clinical.dosing_day.builders import NOW, a_check, a_reading, ago, recovered
from tests.clinical.instruments.forms import a_form, a_phq9, a_result, a_screen
from tests.clinical.said import dosing_day
from tests.clinical.said.words import decision, reason_line

HERE = Path(__file__).parent
SHIPPED = HERE.parents[2] / "clinical" / "protocols" / "iv-racemic.yaml"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

Told = Iterator[str]


def saying(name: str) -> str:
    """The whole text of one file."""
    protocol = Protocol.model_validate(yaml.safe_load(SHIPPED.read_text()))
    return "\n".join(_once(FILES[name](protocol))) + "\n"


def _once(lines: Told) -> Told:
    """A reason that was told before is only named: what there is to read stays readable."""
    known: set[str] = set()
    for line in lines:
        again = line.startswith("  ") and line in known
        known.add(line)
        yield f"{line.partition(':')[0]}, as above" if again else line


def _discharge(protocol: Protocol) -> Told:
    remote = protocol.model_copy(
        update={"monitoring": protocol.monitoring.model_copy(update={"prescriber_on_site": False})}
    )
    label = protocol.model_copy(
        update={"discharge": protocol.discharge.model_copy(update={"minimum_is_absolute": True})}
    )
    bad = recovered(
        started_at=ago(minutes=50),
        ended_at=ago(minutes=20),
        extended=True,
        recovery_checks=(a_check(15), a_check(5, ambulation=1, pain=0)),
        moaas=4,
        oriented=False,
        cadss6=9,
        last_reading=a_reading(171, 99, taken_at=ago(minutes=5)),
        spo2_on_room_air=91.5,
        suicide_level=RiskLevel.HIGH,
        escort_present=False,
        instructions_given=False,
        prescriber_on_site_throughout=False,
        signed_off_by=Role.COORDINATOR,
    )
    people: Mapping[str, tuple[DischargeFacts, Protocol]] = {
        "recovered": (recovered(), protocol),
        "nothing is known": (DischargeFacts(started_at=ago(minutes=50)), protocol),
        "everything is wrong": (bad, protocol),
        "no prescriber on site is asked for": (recovered(prescriber_on_site_throughout=None), remote),
        "moderate risk, dissociation attested": (
            recovered(suicide_level=RiskLevel.MODERATE, cadss6=9, clinician_attests_dissociation=True),
            protocol,
        ),
        "one check, a reading of before": (
            recovered(recovery_checks=(a_check(5),), last_reading=a_reading(taken_at=ago(minutes=81))),
            protocol,
        ),
    }
    for name, (facts, under) in people.items():
        answer = ready_for_discharge(facts, under, NOW)
        yield from decision(f"{name}, until {observation_ends(facts, under)}", answer)
        if not answer.passes:
            yield from decision("- overridden", override_allowed(Role.PRESCRIBER, "agreed", answer, under))
            yield from decision("- refused to a nurse", override_allowed(Role.NURSE, " ", answer, label))


def _found(name: str, found: RiskFinding | None) -> Told:
    if found is None:
        yield f"{name} -> no case"
        return
    about = f"on site={found.on_site} | at={found.found_at.isoformat()} | of={found.source_ref!r}"
    yield f"{name} -> {found.level} by {found.trigger} | {about}"
    for reason in found.reasons:
        yield reason_line(reason)


def _findings(protocol: Protocol) -> Told:
    lenient = protocol.model_copy(
        update={"risk": protocol.risk.model_copy(update={"item9_positive_from": 2, "item9_rise_from": 1})}
    )
    no_item = a_form(InstrumentId.PHQ9, [0] * 9)
    del no_item["q9"]
    forms = {
        "phq-9, item 9 is 0": a_phq9(12, 0),
        "phq-9, item 9 is 2": a_phq9(12, 2),
        "phq-9 without item 9": score(InstrumentId.PHQ9, no_item),
        "qids, item 12 is 2": a_result(InstrumentId.QIDS_SR16, *[0] * 11, 2, *[0] * 4),
        "madrs, item 10 is 4": a_result(InstrumentId.MADRS, *[0] * 9, 4),
        "gad-7": a_result(InstrumentId.GAD7, *[3] * 7),
        "c-ssrs, no": a_screen("0000000"),
        "c-ssrs, low": a_screen("1000000"),
        "c-ssrs, moderate": a_screen("0000010"),
        "c-ssrs, high": a_screen("0000001"),
        "c-ssrs, torn": score(InstrumentId.CSSRS, {"q1": 0}),
        "c-ssrs, torn and high": score(InstrumentId.CSSRS, {"q5": 1}),
        "c-ssrs, no level": a_screen("0000000").model_copy(update={"risk_level": None}),
    }
    for name, form in forms.items():
        yield from _found(name, finding(form, None, False, NOON, protocol, source_ref="form-1"))
    yield from _found("item 9 rose", finding(a_phq9(9, 1), a_phq9(9, 0), True, NOON, lenient))
    yield from _found("item 9 rose further", finding(a_phq9(9, 3), a_phq9(9, 1), True, NOON, protocol))
    none, item = a_screen("0000000"), a_phq9(9, 1)
    yield from _found("mismatch", mismatch(none, item, False, NOON, protocol, source_ref="form-2"))
    worry = staff_concern(RiskLevel.LOW, False, NOON, source_ref="note-1")
    yield from _found("mismatch, of no form", mismatch(none, item, False, NOON, protocol))
    yield from _found("staff, of no note", staff_concern(None, False, NOON))
    for level in (None, *RiskLevel):
        yield from _found(f"staff, {level}", staff_concern(level, True, NOON, source_ref="note-1"))
    worse = staff_concern(RiskLevel.HIGH, True, NOON + timedelta(hours=1), source_ref="note-2")
    yield from _found("joined by a worse one", joined(worry, worse))
    yield from _found("joined by a lesser one", joined(worse, worry))


def _risk(protocol: Protocol) -> Told:
    yield from _findings(protocol)
    for role in (Role.NURSE, Role.COORDINATOR):
        yield from decision(f"{role} acknowledges", may_acknowledge(role))
        yield from decision(f"{role} closes", may_resolve(role, "safety-plan"))
    yield from decision("a prescriber closes", may_resolve(Role.PRESCRIBER, None))
    for cases in (None, -1, 0, 2):
        yield from decision(f"{cases} open cases", blocks_dosing(cases))
    yield from decision("no screen", cleared(None, protocol, NOON))
    for vector in ("0000000", "1000000", "0000010", "0000001"):
        screen = Measurement(at=NOON - timedelta(hours=3), result=a_screen(vector))
        for released in (False, True):
            answer = cleared(screen, protocol, NOON, released=released)
            yield from decision(f"screen {vector}, released: {released}", answer)
    yield from decision(
        "a screen of now", cleared(Measurement(at=NOON, result=a_screen("0000010")), protocol, NOON)
    )
    half = Measurement(at=NOON - timedelta(minutes=30), result=a_screen("0000000"))
    yield from decision("a screen of half an hour ago", cleared(half, protocol, NOON))
    for hours in (-2, 30):
        torn = Measurement(at=NOON - timedelta(hours=hours), result=score(InstrumentId.CSSRS, {"q1": 0}))
        yield from decision(f"torn screen {hours} h ago", cleared(torn, protocol, NOON))
    for level in RiskLevel:
        for on_site in (False, True):
            case = RiskFinding(level=level, trigger="RISK-STAFF-CONCERN", on_site=on_site, found_at=NOON)
            due = acknowledge_by(case, protocol)
            yield f"{level}, on site: {on_site}, by {due:%d %H:%M:%S}"
            yield "  " + ", ".join(f"{rung.page} {rung.at:%H:%M:%S}" for rung in ladder(case, protocol))
            rounds = pages(case, protocol, due + timedelta(minutes=61))
            yield "  " + ", ".join(f"{page.at:%d %H:%M:%S} {'+'.join(page.roles)}" for page in rounds)
            yield f"  then {next_page(case, protocol, due).at:%d %H:%M:%S}"


FILES: dict[str, Callable[[Protocol], Told]] = {
    "plans.txt": dosing_day.plans,
    "intervals.txt": dosing_day.intervals,
    "doses.txt": dosing_day.doses,
    "gates.txt": dosing_day.gates,
    "discharge.txt": _discharge,
    "risk.txt": _risk,
}

if __name__ == "__main__":
    for file in FILES:
        (HERE / file).write_text(saying(file))

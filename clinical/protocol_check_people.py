"""Does every wait have a deadline and an owner who can end it, and is every form one that can be scored?

Source: product invariant 9; clinical-facts §4 (roles), §5, §6.2, H17, H20.
"""

from collections.abc import Iterator
from typing import Any

from clinical import protocol_document
from clinical.instruments.answers import InstrumentId
from clinical.people import CLINICIANS, LICENSED_TO_CLOSE_RISK, Role
from clinical.protocol import Protocol
from clinical.protocol_fault import Fault

_NO_STAFF = frozenset({Role.PATIENT, Role.AUDITOR, Role.SYSTEM, Role.OPS})
_PRESCRIBING = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
_OWNED_BY = {
    "/screening/sign": _PRESCRIBING,
    "/decisions/ask": frozenset({Role.PRESCRIBER}),
    "/consultation/hold": CLINICIANS,
    "/consent/ask": CLINICIANS,
    "/plan/draft": CLINICIANS,
    "/plan/approve": CLINICIANS,
    "/therapy/not_reached": CLINICIANS,
}
"""Acts that only some roles may do: a wait that its owner cannot end is nobody's."""


def waits(document: Any) -> Iterator[Fault]:
    """Every wait for a person, wherever it stands."""
    for pointer, owner, due_hours, give_up_hours in protocol_document.waits(document):
        if give_up_hours < due_hours:
            detail = f"gives up after {give_up_hours:g} h, before it is due after {due_hours:g} h"
            yield Fault(f"{pointer}/give_up_hours", detail, (f"{pointer}/due_hours",))
        able = _OWNED_BY.get(pointer)
        if owner in _NO_STAFF:
            yield Fault(f"{pointer}/owner", f"{owner} cannot own a task of the clinic")
        elif able is not None and owner not in able:
            who = " or ".join(sorted(role.value for role in able))
            yield Fault(f"{pointer}/owner", f"{owner} may not do this: {who}")
    owner = document["reports"]["rems_form_owner"]
    if owner in _NO_STAFF:
        yield Fault("/reports/rems_form_owner", f"{owner} cannot own a task of the clinic")
    for index, contact in enumerate(document["risk"]["caring_contacts"]):
        if contact["from_hours"] > contact["ask"]["due_hours"]:
            at = f"/risk/caring_contacts/{index}"
            detail = f"begins after {contact['from_hours']:g} h, when it is overdue"
            yield Fault(f"{at}/from_hours", detail, (f"{at}/ask/due_hours",))
    seen: set[str] = set()
    for index, check in enumerate(document["long_term"]):
        if check["code"] in seen:
            yield Fault(f"/long_term/{index}/code", f"{check['code']} stands twice", ("/long_term",))
        seen.add(check["code"])


def people(protocol: Protocol) -> Iterator[Fault]:
    """Who approves, and who is paged."""
    approvers = protocol.plan.approver_roles
    if len(set(approvers)) != len(approvers):
        yield Fault("/plan/approver_roles", "a role stands twice: approvals come from different people")
    for index, role in enumerate(approvers):
        if role not in CLINICIANS:
            yield Fault(f"/plan/approver_roles/{index}", f"{role.value} may not approve a plan")
    if Role.PRESCRIBER not in approvers:
        yield Fault("/plan/approver_roles", "a prescriber has to approve every plan")
    for index, rung in enumerate(protocol.risk.ladder):
        if rung.page not in LICENSED_TO_CLOSE_RISK:
            yield Fault(f"/risk/ladder/{index}/page", f"{rung.page.value} may not close a risk case")


def instruments(protocol: Protocol) -> Iterator[Fault]:
    """Are there forms for every indication, can they be scored, and is the same scale asked again afterwards?"""
    asked_again = protocol.follow_up.instruments
    yield from _scoreable("/follow_up/instruments", asked_again)
    for indication, forms in protocol.baseline_instruments.items():
        pointer = f"/baseline_instruments/{indication.value}"
        yield from _scoreable(pointer, forms)
        if indication not in protocol.indications:
            yield Fault(pointer, "the protocol does not treat this indication", ("/indications",))
    for index, indication in enumerate(protocol.indications):
        if indication in protocol.indications[:index]:
            yield Fault(f"/indications/{index}", f"{indication.value} stands twice")
        else:
            forms = protocol.baseline_instruments.get(indication, ())
            yield from _judged_by(forms, f"/baseline_instruments/{indication.value}")
    for name, why in (
        (InstrumentId.PHQ9, "a relapse is never found"),
        (InstrumentId.CSSRS, "no risk is found after the last dose"),
    ):
        if name.value not in asked_again:
            yield Fault("/follow_up/instruments", f"without {name.value} {why}")


def _scoreable(pointer: str, forms: tuple[str, ...]) -> Iterator[Fault]:
    known = {instrument.value for instrument in InstrumentId}
    for index, form in enumerate(forms):
        if form not in known:
            yield Fault(f"{pointer}/{index}", f"{form!r} is not an instrument that can be scored")
        elif form in forms[:index]:
            yield Fault(f"{pointer}/{index}", f"{form} stands twice")


def _judged_by(forms: tuple[str, ...], pointer: str) -> Iterator[Fault]:
    """The first form of an indication is the one by which improvement is judged; follow-up always asks it."""
    if InstrumentId.CSSRS.value not in forms:
        yield Fault(pointer, "screening needs c-ssrs-screener for every indication", ("/indications",))
    if forms and forms[0] == InstrumentId.CSSRS.value:
        yield Fault(
            f"{pointer}/0", "improvement is judged by the first form: this one has no score", (pointer,)
        )

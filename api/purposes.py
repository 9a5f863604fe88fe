"""What is a sensitive read for, and is it written down?

`AUDITED` reads show one person's care: each becomes an event of the site's audit (`services.access.audit`) with
who, in which role, why and when, before its answer leaves; if it cannot be written, there is no answer. Lists of
the day (journeys, tasks, drug books) and `…/next` name nobody and are not audited: they are asked all day long.

`Kap-Purpose` is a code of HL7's PurposeOfUse. Clinicians and coordinators who name none read for treatment
(TREAT), patients by their own request (PATRQT), who broke a glass because of that (BTG): their daily work needs
no header, and another purpose must be said. Auditors and machines have no such daily work: on the reads of
`PURPOSE_REQUIRED` they get 403 `purpose-required` until they name one that their role can have.
"""

from collections.abc import Mapping
from enum import StrEnum

from api.auth import GLASS, Caller
from api.problems import Problem
from clinical.people import CLINICIANS, Role

AUDITED = frozenset(
    {
        "read_patient",
        "read_contact",
        "read_contact_history",
        "read_inbox_case",
        "read_journey",
        "read_timeline",
        "read_protocol_migration",
        "read_scores",
        "read_messages",
        "read_session",
        "read_rems_form",
        "read_safety_plans",
        "read_downtime_sheet",
        "list_therapy_notes",
        "read_therapy_note",
        "list_therapy_note_accesses",
    }
)
PURPOSE_REQUIRED = AUDITED - {"list_therapy_note_accesses"}
"""Who looks into the log of accesses does so for oversight: there is no other use of it."""


class Purpose(StrEnum):
    """PurposeOfUse, from HL7 v3 ActReason."""

    TREATMENT = "TREAT"
    EMERGENCY = "ETREAT"
    BREAK_GLASS = "BTG"
    COORDINATION = "COC"
    PAYMENT = "HPAYMT"
    OPERATIONS = "HOPERAT"
    COMPLIANCE = "HCOMPL"
    LEGAL = "HLEGAL"
    PATIENT_REQUEST = "PATRQT"


P = Purpose
CARING = frozenset({P.TREATMENT, P.EMERGENCY, P.COORDINATION, P.PAYMENT, P.OPERATIONS, P.PATIENT_REQUEST})

OF_ROLE: Mapping[Role, frozenset[Purpose]] = {
    **dict.fromkeys((*CLINICIANS, Role.COORDINATOR), CARING),
    Role.MEDICAL_DIRECTOR: CARING | {P.COMPLIANCE, P.LEGAL, P.BREAK_GLASS},
    Role.AUDITOR: frozenset({P.COMPLIANCE, P.OPERATIONS, P.LEGAL}),
    Role.OPS: frozenset({P.OPERATIONS}),
    Role.PATIENT: frozenset({P.PATIENT_REQUEST}),
}


def purpose_of(act: str, caller: Caller, named: str | None) -> Purpose:
    """What this read is for; raises purpose-required, naming what the role can say."""
    possible = OF_ROLE[caller.role]
    if named is not None:
        if named not in possible:
            raise _unclear(possible)
        return Purpose(named)
    usual = _usual(act, caller)
    if usual is not None:
        return usual
    if act in PURPOSE_REQUIRED:
        raise _unclear(possible)
    return Purpose.COMPLIANCE


def _usual(act: str, caller: Caller) -> Purpose | None:
    if caller.through_glass or any(
        act in glass.acts and caller.role in glass.roles for glass in GLASS.values()
    ):
        return Purpose.BREAK_GLASS
    if caller.principal.machine:
        return None
    if caller.role is Role.PATIENT:
        return Purpose.PATIENT_REQUEST
    return Purpose.TREATMENT if caller.role in CLINICIANS or caller.role is Role.COORDINATOR else None


def _unclear(possible: frozenset[Purpose]) -> Problem:
    return Problem("purpose-required", f"say in the header Kap-Purpose one of: {', '.join(sorted(possible))}")

"""Who may do what? One table from act to roles, asked on every route before anything else.

The act of a route is its `operation_id`. A person with several fitting roles says in the header `Kap-Role` in
which one they act; for reading no choice is needed. A site that is not in the token does not exist for its
bearer: 404, not 403. Roles are asked again by the workflows, which trust nobody.
"""

from dataclasses import dataclass

from api.problems import Problem
from clinical.people import CLINICIANS, Actor, Role

PRESCRIBING = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
DECIDING = frozenset({Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR})
AT_THE_CHAIR = frozenset({Role.NURSE, Role.PRESCRIBER})
COORDINATING = frozenset({Role.COORDINATOR})
STEERING = CLINICIANS | COORDINATING
THERAPY = frozenset({Role.THERAPIST})
NOTES = THERAPY | {Role.MEDICAL_DIRECTOR}
"""A medical director reads only after breaking the glass; which therapist may, the notes know."""

ANSWERING = STEERING | {Role.PATIENT}
READING = STEERING | {Role.AUDITOR}
OVERSEEING = READING | {Role.OPS}
HANDLING = AT_THE_CHAIR | {Role.MEDICAL_DIRECTOR}
"""Who handles controlled drugs."""
BOOK_READING = HANDLING | COORDINATING | {Role.AUDITOR}
EVERYONE = frozenset(Role) - {Role.SYSTEM}

ACTS: dict[str, frozenset[Role]] = {
    # intake
    "register_patient": COORDINATING,
    "receive_referral": COORDINATING,
    "change_contact": COORDINATING | {Role.PATIENT},
    "send_contact_code": COORDINATING | {Role.PATIENT},
    "confirm_contact_code": COORDINATING | {Role.PATIENT},
    # messages
    "settle_inbox_case": STEERING,
    "start_journey": COORDINATING,
    "book_consultation": COORDINATING,
    "record_consultation": DECIDING,
    "give_consent": DECIDING,
    # screening
    "record_interview": CLINICIANS,
    "record_measurements": CLINICIANS,
    "answer_screening": ANSWERING,
    "sign_screening": PRESCRIBING,
    # plan
    "propose_plan": DECIDING,
    "approve_plan": DECIDING,
    "reject_plan": DECIDING,
    "record_preparation": THERAPY,
    # session
    "book_session": COORDINATING,
    "cancel_session": STEERING,
    "answer_readiness": COORDINATING | {Role.NURSE},
    "check_in": AT_THE_CHAIR,
    "record_baseline": AT_THE_CHAIR,
    "answer_session": ANSWERING,
    "order_dose": frozenset({Role.PRESCRIBER}),
    "give_dose": AT_THE_CHAIR,
    "end_dose": AT_THE_CHAIR,
    "record_observation": AT_THE_CHAIR,
    "set_presence": frozenset({Role.PRESCRIBER}),
    "record_therapy": THERAPY,
    "discharge": AT_THE_CHAIR,
    "record_contact": AT_THE_CHAIR | THERAPY,
    "record_integration": THERAPY,
    "waive_integration": THERAPY,
    "review_concerns": DECIDING,
    "decide_course": PRESCRIBING,
    # follow-up
    "answer_follow_up": ANSWERING,
    # at any time
    "pause_journey": STEERING,
    "resume_journey": STEERING,
    "withdraw_consent": STEERING | {Role.PATIENT},
    "transfer_journey": COORDINATING | PRESCRIBING,
    "end_journey": COORDINATING | PRESCRIBING,
    "report_adverse_event": CLINICIANS,
    "amend_adverse_event": CLINICIANS,
    "complete_duty": STEERING,
    "release_duty": frozenset({Role.MEDICAL_DIRECTOR}),
    "record_safety_checks": CLINICIANS,
    "record_follow_up_checks": CLINICIANS,
    "acknowledge_risk": CLINICIANS,
    "resolve_risk": DECIDING,
    # drug books
    "receive_container": HANDLING,
    "count_container": HANDLING,
    "waste_drug": HANDLING,
    "return_drug": HANDLING,
    "destroy_drug": HANDLING,
    "explain_discrepancy": HANDLING,
    "declare_loss": PRESCRIBING,
    "submit_loss_notice": PRESCRIBING,
    "submit_loss_form": PRESCRIBING,
    "list_containers": BOOK_READING,
    "list_movements": BOOK_READING,
    "list_discrepancies": BOOK_READING,
    "raise_concern": STEERING,
    "record_safety_plan": CLINICIANS,
    "record_caring_contact": CLINICIANS,
    # protocols
    "publish_protocol": frozenset({Role.MEDICAL_DIRECTOR}),
    # psychotherapy notes: kept apart, with a permission of their own
    "list_therapy_notes": NOTES,
    "read_therapy_note": NOTES,
    "amend_therapy_note": THERAPY,
    "list_therapy_note_accesses": frozenset({Role.AUDITOR, Role.MEDICAL_DIRECTOR}),
    "open_therapy_notes": frozenset({Role.MEDICAL_DIRECTOR}),
    # reading
    "read_patient": READING,
    "read_contact": READING | {Role.PATIENT},
    "read_contact_history": READING | {Role.PATIENT},
    "list_inbox": STEERING,
    "read_inbox_case": STEERING,
    "list_journeys": OVERSEEING,
    "read_journey": READING,
    "read_next": READING,
    "read_timeline": READING,
    "read_scores": READING,
    "read_messages": READING,
    "read_session": READING,
    "read_rems_form": CLINICIANS | {Role.AUDITOR},
    "list_duties": READING,
    "read_safety_plans": CLINICIANS | {Role.AUDITOR, Role.PATIENT},
    "read_downtime_sheet": READING,
    "list_tasks": READING,
    "read_protocol": OVERSEEING,
    "read_instrument": EVERYONE,
}

OPEN_BY_SIGNATURE = {
    "receive_sms": "the SMS provider has no token; it signs every call with the account's secret",
    "receive_sms_status": "the SMS provider has no token; it signs every call with the account's secret",
}
"""Routes without a token whose callers prove who they are by a signature, and why."""

OPEN_TO_ALL = frozenset(
    {"read_health", "read_readiness", "read_description", "read_documentation"}
) | frozenset(OPEN_BY_SIGNATURE)
"""Routes without a token: they say nothing about anybody, or ask for a signature instead."""

READS = frozenset(act for act in ACTS if act.startswith(("read_", "list_")))

_WIDEST_FIRST = (*sorted(STEERING), Role.AUDITOR, Role.OPS, Role.PATIENT)


@dataclass(frozen=True)
class Principal:
    """A person, as the issuer of the token vouches for them."""

    id: str
    roles: frozenset[Role]
    sites: frozenset[str]


@dataclass(frozen=True)
class Caller:
    """A person acting in one role."""

    principal: Principal
    role: Role

    @property
    def actor(self) -> Actor:
        return Actor(id=self.principal.id, role=self.role)

    def at(self, site: str) -> str:
        """The site, if the caller belongs to it."""
        if site not in self.principal.sites:
            raise Problem("not-found", "there is no such site, or it is not one of yours")
        return site


def authorise(act: str, principal: Principal, named_role: str | None) -> Caller:
    """In which role may this person do this act? Raises wrong-role or role-unclear."""
    fitting = ACTS[act] & principal.roles
    if named_role is not None:
        if named_role not in fitting:
            raise Problem("wrong-role", _for_whom(act))
        return Caller(principal, Role(named_role))
    if not fitting:
        raise Problem("wrong-role", _for_whom(act))
    if act in READS:
        return Caller(principal, next(role for role in _WIDEST_FIRST if role in fitting))
    if len(fitting) > 1:
        choices = ", ".join(sorted(fitting))
        raise Problem("role-unclear", f"say in the header Kap-Role in which role you act: {choices}")
    return Caller(principal, next(iter(fitting)))


def _for_whom(act: str) -> str:
    return f"this is for: {', '.join(sorted(ACTS[act]))}"

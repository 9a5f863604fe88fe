"""Who may do what? One table from act to roles, asked on every route before anything else.

The act of a route is its `operation_id`. A person with several fitting roles says in the header `Kap-Role` in
which one they act; for reading no choice is needed. A site that is not in the token does not exist for its
bearer: 404, not 403. Roles are asked again by the workflows, which trust nobody. Machines call with API keys:
few roles, and never an act that one person answers for. What lies behind glass opens for who breaks it
(`GLASS`), for a while, and somebody else reviews it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from api.problems import Problem
from clinical.people import CLINICIANS, Actor, Role
from services.access.views import GlassScope

PRESCRIBING = frozenset({Role.PRESCRIBER, Role.MEDICAL_DIRECTOR})
DECIDING = frozenset({Role.PRESCRIBER, Role.THERAPIST, Role.MEDICAL_DIRECTOR})
AT_THE_CHAIR = frozenset({Role.NURSE, Role.PRESCRIBER})
COORDINATING = frozenset({Role.COORDINATOR})
STEERING = CLINICIANS | COORDINATING
THERAPY = frozenset({Role.THERAPIST})
NOTES = THERAPY | {Role.MEDICAL_DIRECTOR}
"""A medical director reads only after breaking the glass; which therapist may, the notes know."""

ARRANGING = COORDINATING | {Role.MEDICAL_DIRECTOR}
"""Who says which rooms and people there are, and when the site is closed."""

ANSWERING = STEERING | {Role.PATIENT}
READING = STEERING | {Role.AUDITOR}
OVERSEEING = READING | {Role.OPS}
HANDLING = AT_THE_CHAIR | {Role.MEDICAL_DIRECTOR}
"""Who handles controlled drugs."""
STEWARDING = frozenset({Role.MEDICAL_DIRECTOR, Role.OPS})
"""Who keeps sites and keys."""
LOOKING_AFTER = frozenset({Role.AUDITOR, Role.MEDICAL_DIRECTOR})
"""Who looks into who looked. An auditor writes nothing but verdicts on broken glasses."""
BOOK_READING = HANDLING | COORDINATING | {Role.AUDITOR}
EVERYONE = frozenset(Role) - {Role.SYSTEM}
WIRING = frozenset({Role.OPS, Role.MEDICAL_DIRECTOR})
"""Who decides to which other systems a site speaks."""

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
    # rooms, people and times
    "create_resource": ARRANGING,
    "change_resource": ARRANGING,
    "add_absence": ARRANGING,
    "end_absence": ARRANGING,
    "list_resources": STEERING,
    "read_resource": STEERING,
    "list_absences": STEERING,
    "read_resource_calendar": STEERING,
    "list_bookings": STEERING,
    "read_booking": STEERING,
    "find_slots": STEERING,
    "hold_slot": COORDINATING,
    "release_hold": COORDINATING,
    "join_waitlist": COORDINATING,
    "leave_waitlist": COORDINATING | {Role.PATIENT},
    "accept_offer": COORDINATING | {Role.PATIENT},
    "decline_offer": COORDINATING | {Role.PATIENT},
    "list_waiting": STEERING,
    "read_session_calendar": READING | {Role.PATIENT},
    "handle_booking_notice": COORDINATING,
    "preview_closure": ARRANGING,
    "confirm_closure": ARRANGING,
    "read_closure": STEERING,
    "answer_readiness": COORDINATING | {Role.NURSE},
    "ask_to_move": ANSWERING,
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
    "migrate_protocol": frozenset({Role.MEDICAL_DIRECTOR}),
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
    # patients' links
    "make_link": COORDINATING,
    "revoke_link": STEERING,
    "list_links": READING,
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
    # events for other systems
    "read_events": OVERSEEING,
    "create_webhook_endpoint": WIRING,
    "change_webhook_endpoint": WIRING,
    "disable_webhook_endpoint": WIRING,
    "enable_webhook_endpoint": WIRING,
    "remove_webhook_endpoint": WIRING,
    "rotate_webhook_secret": WIRING,
    "send_test_webhook": WIRING,
    "replay_webhooks": WIRING,
    "acknowledge_webhook_notice": WIRING,
    "list_webhook_endpoints": WIRING | {Role.AUDITOR},
    "read_webhook_endpoint": WIRING | {Role.AUDITOR},
    "list_webhook_deliveries": WIRING | {Role.AUDITOR},
    "list_webhook_notices": WIRING | {Role.AUDITOR},
    # sites, machines, audit, broken glasses
    "list_sites": EVERYONE,
    "read_site": EVERYONE,
    "change_site": STEWARDING,
    "issue_api_key": STEWARDING,
    "list_api_keys": STEWARDING,
    "revoke_api_key": STEWARDING,
    "list_audit_events": LOOKING_AFTER,
    "verify_audit": LOOKING_AFTER,
    "break_glass": frozenset({Role.MEDICAL_DIRECTOR, Role.COORDINATOR, Role.OPS}),
    "list_break_glass": LOOKING_AFTER,
    "review_break_glass": LOOKING_AFTER,
    # many courses at once, and failed steps
    "preview_operation": STEWARDING,
    "approve_operation": STEWARDING,
    "confirm_operation": STEWARDING,
    "read_operation": STEWARDING | {Role.AUDITOR},
    "reset_workflow": STEWARDING,
    "note_ops_command": STEWARDING | {Role.AUDITOR},
    # work list
    "read_board": READING,
    "list_risk_cases": READING,
    "claim_task": STEERING,
    "release_task": STEERING,
    "delegate_task": STEERING,
    "list_closed_days": OVERSEEING,
    "add_closed_day": COORDINATING | {Role.MEDICAL_DIRECTOR},
    "remove_closed_day": COORDINATING | {Role.MEDICAL_DIRECTOR},
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
    "read_protocol_migration": frozenset({Role.MEDICAL_DIRECTOR}),
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
    "read_task": READING,
    "read_protocol": OVERSEEING,
    "read_instrument": EVERYONE,
}

SITE_FROM: Mapping[str, str] = {
    "register_patient": "body",
    "start_journey": "body",
    "issue_api_key": "body",
    "receive_referral": "query",
    "publish_protocol": "query",
    "read_protocol": "query",
    "list_journeys": "query",
    "list_tasks": "query",
    "list_audit_events": "query",
    "verify_audit": "query",
    "list_api_keys": "query",
    "list_risk_cases": "query",
    "read_board": "query",
    "list_closed_days": "query",
    "list_inbox": "query",
    "read_events": "query",
    "list_webhook_endpoints": "query",
    "list_webhook_notices": "query",
    "add_closed_day": "body",
    "create_webhook_endpoint": "body",
    "note_ops_command": "body",
    **dict.fromkeys(
        (
            "read_patient", "read_contact", "change_contact", "read_contact_history", "send_contact_code",
            "confirm_contact_code", "revoke_api_key", "read_task", "claim_task", "release_task", "delegate_task",
            "read_inbox_case", "settle_inbox_case", "read_webhook_endpoint", "change_webhook_endpoint",
            "disable_webhook_endpoint", "enable_webhook_endpoint", "rotate_webhook_secret", "send_test_webhook",
            "replay_webhooks", "list_webhook_deliveries", "remove_webhook_endpoint", "acknowledge_webhook_notice",
        ),
        "record",
    ),
    "list_sites": "token",
    "read_instrument": "nowhere",
}  # fmt: skip
"""Where an act whose address names no site takes it from. An address that names one is checked at the entrance;
for these the route asks `Caller.at`, or the database for things of the caller's sites only."""

OPEN_BY_SIGNATURE = {
    "receive_sms": "the SMS provider has no token; it signs every call with the account's secret",
    "receive_sms_status": "the SMS provider has no token; it signs every call with the account's secret",
    "receive_email": "our mail server has no token; it signs every mail that it hands over",
}
"""Routes without a token whose callers prove who they are by a signature, and why."""


BY_LINK = frozenset({"open_link", "identify_by_link", "open_link_page", "act_by_link"})
"""Pages of patients: who may see one, its link and the birth date decide (`api.link_door`)."""

OPEN_TO_ALL = (
    BY_LINK
    | OPEN_BY_SIGNATURE.keys()
    | {"read_health", "read_readiness", "read_description", "read_documentation"}
)
"""Routes without a token: they say nothing about anybody, or have a door of their own."""

NOTES_A_READ = "note_ops_command"
"""Of the record it changes nothing: it writes down what was asked of the engine."""

READS = frozenset(act for act in ACTS if act.startswith(("read_", "list_", "find_", "verify_"))) | {
    NOTES_A_READ
}

MAY_GIVE: Mapping[Role, frozenset[Role]] = {
    Role.MEDICAL_DIRECTOR: frozenset({Role.COORDINATOR, Role.AUDITOR, Role.OPS}),
    Role.OPS: frozenset({Role.OPS}),
}
"""Which roles an API key may have, by who issues it. No machine is a clinician, and operations, who see nothing
about people, make no key that does."""

IN_PERSON = frozenset(
    {
        "issue_api_key",
        "revoke_api_key",
        "break_glass",
        "open_therapy_notes",
        "review_break_glass",
        "approve_operation",
        "confirm_operation",
        "reset_workflow",
    }
)
"""Acts that no machine does."""


@dataclass(frozen=True)
class Glass:
    """What one scope opens, and for whom."""

    acts: frozenset[str]
    roles: frozenset[Role]


GLASS: Mapping[GlassScope, Glass] = {
    # the notes ask again themselves: for them the table lets a medical director as far as their door
    GlassScope.NOTES: Glass(
        frozenset({"list_therapy_notes", "read_therapy_note"}), frozenset({Role.MEDICAL_DIRECTOR})
    ),
    # somebody calls in a crisis and no clinician is at hand
    GlassScope.SAFETY_PLANS: Glass(frozenset({"read_safety_plans"}), COORDINATING),
    # people must be reached when the clinic's systems are down
    GlassScope.IDENTITY: Glass(frozenset({"read_patient"}), frozenset({Role.OPS})),
    # a workflow is stuck, and only what it was given can say why; asked by the codec endpoint, not by a route
    GlassScope.ENGINE: Glass(frozenset({"decode_payloads"}), frozenset({Role.OPS})),
}

DECODING = LOOKING_AFTER
"""Who reads, in the Temporal Web UI, what the engine keeps encrypted (`api.codec_reading`)."""

_WIDEST_FIRST = (*sorted(CLINICIANS), Role.COORDINATOR, Role.AUDITOR, Role.OPS, Role.PATIENT)


@dataclass(frozen=True)
class Principal:
    """A person, as the issuer of the token vouches for them, or a machine with a live key.

    `patient` is the patient whom a token with the role patient speaks for: its claim `patient_id`, else its `sub`.
    """

    id: str
    roles: frozenset[Role]
    sites: frozenset[str]
    patient: str = ""
    machine: bool = False


@dataclass(frozen=True)
class Caller:
    """A person acting in one role; `through_glass` when only a broken glass lets them do this."""

    principal: Principal
    role: Role
    through_glass: bool = False

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
    if principal.machine and act in IN_PERSON:
        raise Problem("wrong-role", "a machine cannot do this: it is for a person")
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


def behind_glass(act: str, principal: Principal, named_role: str | None) -> tuple[GlassScope, Role] | None:
    """Which glass would this person have to have broken, and in which role, to do what the table refuses?"""
    for scope, glass in GLASS.items():
        fitting = glass.roles & principal.roles
        if named_role is not None:
            fitting &= {role for role in fitting if role == named_role}
        if act in glass.acts and fitting and not principal.machine:
            return scope, min(fitting)
    return None


def _for_whom(act: str) -> str:
    return f"this is for: {', '.join(sorted(ACTS[act]))}"

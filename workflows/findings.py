"""How does a finding of risk get into the record, together with what it was found in?

The facts are only noted here, so that they share the transaction of the answer or concern that they come from;
who calls hands the signal on to whoever escalates.
"""

from clinical.events import ConcernRaised, RiskOpened
from clinical.protocol import Protocol
from clinical.risk import RiskFinding, acknowledge_by, concern
from workflows.messages import RaiseConcern, RecordCaringContact, RiskSignal
from workflows.part import Part

CONCERN = "staff-concern"


def note_finding(part: Part, origin: str, source: str, found: RiskFinding, protocol: Protocol) -> RiskSignal:
    """Note that a case was opened by this finding, and say it in the words of the way to the journey."""
    signal = RiskSignal(
        case_id=f"{part.part}.{origin}.{source}".replace("/", "-"),
        level=found.level,
        trigger=found.trigger,
        on_site=found.on_site,
        found_at=found.found_at,
        patient_id=part.patient_id or "",
    )
    _note(part, origin, source, signal, found, protocol)
    return signal


def note_concern(part: Part, command: RaiseConcern, protocol: Protocol) -> RiskSignal:
    """Note a concern, in the words of who is worried, and the case that it opens."""
    found = concern(command.level, command.on_site, part.when(command), protocol)
    signal = note_finding(part, command.key, CONCERN, found, protocol)
    _note_words(part, command, signal)
    return signal


def note_opening(
    part: Part, command: RaiseConcern, signal: RiskSignal, found: RiskFinding, protocol: Protocol
) -> None:
    """The same for a case that the concern has opened before anybody could note it."""
    _note(part, command.key, CONCERN, signal, found, protocol)
    _note_words(part, command, signal)


def _note(
    part: Part, origin: str, source: str, signal: RiskSignal, found: RiskFinding, protocol: Protocol
) -> None:
    fact = RiskOpened(
        case_id=signal.case_id,
        level=signal.level,
        trigger=signal.trigger,
        on_site=signal.on_site,
        acknowledge_by=acknowledge_by(found, protocol, part.today()),
    )
    part.journal.note(origin, fact, at=signal.found_at, nth=source)


def _note_words(part: Part, command: RaiseConcern, signal: RiskSignal) -> None:
    words = ConcernRaised(
        case_id=signal.case_id, level=signal.level, on_site=command.on_site, text=command.text
    )
    part.journal.note(command.key, words, actor=command.actor, at=part.when(command))


def concern_after_contact(contact: RecordCaringContact) -> RaiseConcern:
    """A contact that leaves one worried is a concern."""
    return RaiseConcern(
        key=contact.key,
        actor=contact.actor,
        occurred_at=contact.occurred_at,
        text=contact.note,
        on_site=contact.on_site,
    )

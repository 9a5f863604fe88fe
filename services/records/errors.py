"""What can the record refuse? One tree of errors, each with a stable `code`.

RecordsError
├── NotFound            the thing named is not in the record
├── KeyReused           the same key came for something else
├── AlreadyActive       the patient has an open course already
├── VersionImmutable    a published document would be changed
├── RecordMoved         something was written since the caller looked
├── TooManyTries        a code was asked for, or guessed, too often
├── MovementRefused     the drug books cannot take this movement; it names every fault
└── RecordsUnavailable  the database cannot answer now; trying again may help
"""

from clinical.decision import Decision


class RecordsError(Exception):
    """Base of all; `code` is what other layers branch on, never the text."""

    code = "records-error"


class NotFound(RecordsError):
    code = "not-found"


class NotPermitted(RecordsError):
    """Not everybody who may read the record may read everything that is kept beside it."""

    code = "not-permitted"


class KeyReused(RecordsError):
    code = "idempotency-key-reused"


class AlreadyActive(RecordsError):
    """Names the open course so that the caller can go there."""

    code = "journey-already-active"

    def __init__(self, journey_id: str) -> None:
        super().__init__("the patient has an open course already")
        self.journey_id = journey_id


class VersionImmutable(RecordsError):
    code = "version-immutable"


class RecordMoved(RecordsError):
    code = "record-moved"


class TooManyTries(RecordsError):
    code = "too-many-tries"


class MovementRefused(RecordsError):
    """`decision` holds every fault."""

    code = "movement-refused"

    def __init__(self, decision: Decision) -> None:
        super().__init__("the drug books refuse this movement")
        self.decision = decision


class RecordsUnavailable(RecordsError):
    code = "records-unavailable"

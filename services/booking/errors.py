"""What can booking refuse? One tree of errors, each with a stable `code`.

BookingError
├── NotFound         there is no such resource, hold, waiting visit or closure at this site
├── SlotConflict     somebody or something is not free: every clash, and the nearest times that can be had
├── HoldExpired      the hold has lapsed; what it held may be somebody else's
├── NotPossible      it stands in another way by now (booked, released, being confirmed by another request)
├── CodeTaken        the site has a resource of that code
├── ResourceChanged  somebody changed the resource since it was read
├── ResourceFaulty   a resource cannot be like that: every fault
└── SelectionChanged what would be moved is not what was looked at
"""

from collections.abc import Sequence

from clinical.booking_match import Clash
from clinical.booking_search import Slot


class BookingError(Exception):
    code = "booking-error"


class NotFound(BookingError):
    code = "not-found"


class SlotConflict(BookingError):
    code = "slot-conflict"

    def __init__(self, clashes: Sequence[Clash], alternatives: Sequence[Slot] = ()) -> None:
        super().__init__("not everybody and everything is free")
        self.clashes = tuple(clashes)
        self.alternatives = tuple(alternatives)


class HoldExpired(BookingError):
    code = "hold-expired"


class NotPossible(BookingError):
    code = "not-possible-now"


class CodeTaken(BookingError):
    code = "resource-exists"


class ResourceChanged(BookingError):
    code = "resource-changed"


class ResourceFaulty(BookingError):
    """`faults`: JSON Pointer, words and code of each."""

    code = "invalid-request"

    def __init__(self, faults: Sequence[tuple[str, str, str]]) -> None:
        super().__init__("the resource has faults")
        self.faults = tuple(faults)


class SelectionChanged(BookingError):
    code = "selection-changed"

"""What can the events service refuse? One tree of errors, each with a stable `code`.

EventsError
├── EndpointNotFound   there is no such endpoint, delivery or notice at these sites
├── EndpointChanged    somebody changed the endpoint since the caller looked
├── UnsafeTarget       the address must not be called; it names every fault
├── CursorExpired      the events after this number are forgotten; it names what is left
├── CursorUnknown      no event had this number yet
├── TooManyEvents      more than one replay may hold
└── EventsUnavailable  the database cannot answer now; trying again may help
"""


class EventsError(Exception):
    """Base of all; `code` is what other layers branch on, never the text."""

    code = "events-error"


class EndpointNotFound(EventsError):
    code = "not-found"


class EndpointChanged(EventsError):
    code = "endpoint-changed"


class UnsafeTarget(EventsError):
    """`faults` are (what, in words) pairs; none repeats the address."""

    code = "unsafe-endpoint"

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__("the address must not be called")
        self.faults = faults


class CursorExpired(EventsError):
    """`first_seq` and `last_seq` are what can still be had of this site."""

    code = "cursor-expired"

    def __init__(self, site: str, first_seq: int, last_seq: int) -> None:
        super().__init__("the events after this one are forgotten")
        self.site = site
        self.first_seq, self.last_seq = first_seq, last_seq


class CursorUnknown(EventsError):
    code = "cursor-invalid"


class TooManyEvents(EventsError):
    code = "too-many-events"

    def __init__(self, limit: int) -> None:
        super().__init__("the range holds too many events")
        self.limit = limit


class EventsUnavailable(EventsError):
    code = "records-unavailable"

"""How does a visit get into somebody's calendar? As an iCalendar file (RFC 5545) that says nothing about anybody.

Times are in UTC, so that no calendar can misread a zone. A visit keeps its UID when it moves and its SEQUENCE grows;
who has it no longer is told that it is cancelled. Neither names nor treatment leave the house: "Appointment".
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from services.booking.interface import BookingView, Status
from services.identifiers import id_from

PRODUCT = "-//kap-engine//booking//EN"
LONGEST_LINE = 75
ENDED = (Status.CANCELLED, Status.NOSHOW, Status.MOVED, Status.RELEASED)


def calendar(bookings: Iterable[BookingView], *, made_at: datetime, with_place: bool) -> str:
    """One event a visit, in the order of their beginning. `bookings` come in the order of booking."""
    last = {(one.journey_id, one.session): one for one in bookings if one.booked_at is not None}
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for one in sorted(last.values(), key=lambda booking: (booking.starts_at, booking.id)):
        lines += _event(one, made_at, with_place)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _event(booking: BookingView, made_at: datetime, with_place: bool) -> Sequence[str]:
    over = booking.status in ENDED
    # A cancellation has counted itself already; who is no longer part of a moved visit needs one number more.
    sequence = booking.sequence + (booking.status == Status.MOVED)
    changed_at = booking.released_at or booking.booked_at or made_at
    place = [f"LOCATION:{escaped(booking.room)}"] if with_place else []
    return [
        "BEGIN:VEVENT",
        f"UID:{id_from('calendar', booking.journey_id, str(booking.session))}@kap-engine",
        f"DTSTAMP:{_utc(made_at)}",
        f"LAST-MODIFIED:{_utc(changed_at)}",
        f"DTSTART:{_utc(booking.starts_at)}",
        f"DTEND:{_utc(booking.ends_at)}",
        f"SEQUENCE:{sequence}",
        f"STATUS:{'CANCELLED' if over else 'CONFIRMED'}",
        "SUMMARY:Appointment",
        "CLASS:PRIVATE",
        *place,
        "END:VEVENT",
    ]


def escaped(text: str) -> str:
    """A text value as RFC 5545 §3.3.11 writes it."""
    for plain, safe in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, safe)
    return text


def folded(line: str) -> str:
    """A content line in pieces of at most 75 octets, none of which splits a character (RFC 5545 §3.1)."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        room = LONGEST_LINE - (1 if pieces else 0)
        if len((piece + character).encode()) > room:
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

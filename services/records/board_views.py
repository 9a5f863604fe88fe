"""What does the board of a site show? Everybody of one day: expected, here, in the chair, gone home."""

from datetime import date, datetime

from services.records.view import View


class LastReading(View):
    """The newest reading that stands. `tier`: how far it is from normal."""

    tier: str
    taken_at: datetime
    minute: int


class PersonOnBoard(View):
    """One visit. `place`: expected, arrived, in-chair, home.

    `next_reading_at` and `lateness` (on-time, late, alert, page) are for who is in the chair; without the
    protocol of the course they are unknown, and null. `late_since` is for who was expected and has not come.
    """

    journey_id: str
    patient_id: str
    session: int
    place: str
    room: str | None
    booking_status: str
    starts_at: datetime | None
    ends_at: datetime | None
    readiness: str | None
    late_since: datetime | None
    checked_in_at: datetime | None
    dosed_at: datetime | None
    dose_ended_at: datetime | None
    prescriber_present: bool
    last_reading: LastReading | None
    next_reading_at: datetime | None
    lateness: str | None
    discharged_at: datetime | None


class RoomOnBoard(View):
    """A room of this day: who is in it now, and when the next visit in it begins."""

    room: str
    journey_id: str | None
    session: int | None
    next_starts_at: datetime | None


class BoardView(View):
    """One day on the wall of the site, from `starts_at` until just before `ends_at`; `at` is now.

    Who is here stays on the board whatever the day is.
    """

    site: str
    day: date
    time_zone: str
    starts_at: datetime
    ends_at: datetime
    at: datetime
    people: tuple[PersonOnBoard, ...]
    rooms: tuple[RoomOnBoard, ...]

"""Where are rooms, people and the time that is reserved of them kept?

Codes, instants and opaque ids only: nothing here names a patient or what is done to them. That no place is taken
twice is a constraint of the database itself (see the migration): `reservation` excludes two rows of one place
whose spans overlap.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base

UNTOLD = "kind = 'offer-made' AND told_at IS NULL"
"""Offers of which nobody has told the patient yet."""

TO_LIST = "listed <> 'over' AND (listed = 'no' OR handled_at IS NOT NULL)"
"""Notices of which the work list does not know the latest."""


class ResourceRow(Base):
    """A room, a chair or a person. `number` stands for it in the constraint; `person` is the subject of a token."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("site", "code"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)
    site: Mapped[str]
    code: Mapped[str]
    kind: Mapped[str]
    roles: Mapped[list[str]]
    person: Mapped[str | None]
    capacity: Mapped[int]
    time_zone: Mapped[str]
    hours: Mapped[dict[str, Any]]
    before_minutes: Mapped[int]
    after_minutes: Mapped[int]
    active: Mapped[bool]
    version: Mapped[int]


class AbsenceRow(Base):
    """A time at which a resource is not there, whatever its hours say."""

    __tablename__ = "resource_absence"
    __table_args__ = (Index("ix_resource_absence_resource_id_ends_at", "resource_id", "ends_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]


class BookingRow(Base):
    """One time for one visit: held, being confirmed, booked, or over. `needs`: who and what, with buffers.

    `notice_hours` is what its protocol asks for. `leans` is true while a part of what it needs is held by the booking
    that it is going to replace.
    """

    __tablename__ = "booking"
    __table_args__ = (
        Index("ix_booking_site_status_starts_at", "site", "status", "starts_at"),
        Index("ix_booking_status_expires_at", "status", "expires_at"),
        Index("ix_booking_journey_id_session", "journey_id", "session"),
        Index(
            "uq_booking_booked",
            "journey_id",
            "session",
            unique=True,
            postgresql_where=text("status = 'booked'"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    journey_id: Mapped[str]
    session: Mapped[int]
    status: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    dose_at: Mapped[datetime]
    home_at: Mapped[datetime]
    room: Mapped[str]
    needs: Mapped[dict[str, Any]]
    leans: Mapped[bool]
    sequence: Mapped[int]
    held_by: Mapped[str]
    held_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    claim_key: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    booked_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    released_why: Mapped[str | None]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    notice_hours: Mapped[float | None]
    waiting_id: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ReservationRow(Base):
    """One place of one resource for one stretch of time. What is free again has no row."""

    __tablename__ = "reservation"
    __table_args__ = (Index("ix_reservation_booking_id", "booking_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    booking_id: Mapped[str] = mapped_column(ForeignKey("booking.id"))
    resource: Mapped[int] = mapped_column(BigInteger)
    place: Mapped[int]
    span: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class WaitingRow(Base):
    """A visit that would take an earlier time: offered in the order of `added_at`."""

    __tablename__ = "waiting_visit"
    __table_args__ = (
        Index("ix_waiting_visit_site_status_added_at", "site", "status", "added_at"),
        Index(
            "uq_waiting_visit_open",
            "journey_id",
            "session",
            unique=True,
            postgresql_where=text("status IN ('waiting', 'offered')"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    journey_id: Mapped[str]
    session: Mapped[int]
    status: Mapped[str]
    added_at: Mapped[datetime]
    from_at: Mapped[datetime | None]
    until_at: Mapped[datetime | None]
    booking_id: Mapped[str | None]
    offers: Mapped[int]


class FreedRow(Base):
    """A time that became free: who has been asked (`asked`), whether it is still to be given away."""

    __tablename__ = "freed_slot"
    __table_args__ = (Index("ix_freed_slot_status_starts_at", "status", "starts_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    starts_at: Mapped[datetime]
    freed_at: Mapped[datetime]
    status: Mapped[str]
    asked: Mapped[list[str]]
    booking_id: Mapped[str | None]


class NoticeRow(Base):
    """Why somebody has to see to a time: a hold that lapsed, an offer, a visit without its room.

    `listed` says what the work list knows of it: `no`, that it is `open`, that it is `over`; `told_at`, of an offer,
    when it was settled whether the patient is told of it.
    """

    __tablename__ = "booking_notice"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_booking_notice_journey_id_session", "journey_id", "session"),
        Index("ix_booking_notice_open", "id", postgresql_where=text("handled_at IS NULL")),
        Index("ix_booking_notice_untold", "id", postgresql_where=text(UNTOLD)),
        Index("ix_booking_notice_to_list", "id", postgresql_where=text(TO_LIST)),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str]
    site: Mapped[str]
    kind: Mapped[str]
    journey_id: Mapped[str]
    session: Mapped[int]
    booking_id: Mapped[str | None]
    starts_at: Mapped[datetime]
    at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[str | None]
    handled_role: Mapped[str | None]
    outcome: Mapped[str | None]
    told_at: Mapped[datetime | None]
    listed: Mapped[str] = mapped_column(server_default=text("'no'"))


class ClosureRow(Base):
    """A site that closes for a time: looked at first (`previewed`), then done (`confirmed`), item by item."""

    __tablename__ = "site_closure"
    __table_args__ = (Index("ix_site_closure_site_status_ends_at", "site", "status", "ends_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    status: Mapped[str]
    token: Mapped[str]
    items: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    confirmed_at: Mapped[datetime | None]

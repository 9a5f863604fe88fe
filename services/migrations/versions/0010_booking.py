"""Where are rooms, people and the time reserved of them kept, so that no place is ever taken twice?

The exclusion constraint compares the place as a range of one number: that needs no extension (`btree_gist` is
not everywhere), and a number equals another exactly when their ranges overlap.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BOOLEAN = sa.Boolean()
INTEGER = sa.Integer()
JSON = postgresql.JSONB(astext_type=sa.Text())


TEXT = sa.Text()


def column(
    name: str, kind: sa.types.TypeEngine[Any] = TEXT, *, nullable: bool = False, default: str | None = None
) -> sa.Column[Any]:
    server_default = None if default is None else sa.text(default)
    return sa.Column(name, kind, nullable=nullable, server_default=server_default)


def upgrade() -> None:
    op.create_table(
        "resource",
        column("id"),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        column("site"),
        column("code"),
        column("kind"),
        column("roles", JSON),
        column("person", nullable=True),
        column("capacity", INTEGER),
        column("time_zone"),
        column("hours", JSON),
        column("before_minutes", INTEGER),
        column("after_minutes", INTEGER),
        column("active", BOOLEAN),
        column("version", INTEGER),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("number", name=op.f("uq_resource_number")),
        sa.UniqueConstraint("site", "code", name=op.f("uq_resource_site_code")),
    )
    op.create_table(
        "resource_absence",
        column("id"),
        column("resource_id"),
        column("starts_at", INSTANT),
        column("ends_at", INSTANT),
        column("reason"),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resource.id"], name=op.f("fk_resource_absence_resource_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_absence")),
    )
    op.create_index("ix_resource_absence_resource_id_ends_at", "resource_absence", ["resource_id", "ends_at"])
    _bookings()
    _giving_away()


def _bookings() -> None:
    op.create_table(
        "booking",
        column("id"),
        column("site"),
        column("journey_id"),
        column("session", INTEGER),
        column("status"),
        column("starts_at", INSTANT),
        column("ends_at", INSTANT),
        column("dose_at", INSTANT),
        column("home_at", INSTANT),
        column("room"),
        column("needs", JSON),
        column("leans", BOOLEAN),
        column("sequence", INTEGER),
        column("held_by"),
        column("held_at", INSTANT),
        column("expires_at", INSTANT, nullable=True),
        column("claim_key", nullable=True),
        column("claimed_at", INSTANT, nullable=True),
        column("booked_at", INSTANT, nullable=True),
        column("released_at", INSTANT, nullable=True),
        column("released_why", nullable=True),
        column("late", BOOLEAN, default="false"),
        column("waiting_id", nullable=True),
        column("changed_at", INSTANT, default="clock_timestamp()"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
    )
    op.create_index("ix_booking_site_status_starts_at", "booking", ["site", "status", "starts_at"])
    op.create_index("ix_booking_status_expires_at", "booking", ["status", "expires_at"])
    op.create_index("ix_booking_journey_id_session", "booking", ["journey_id", "session"])
    op.create_index(
        "uq_booking_booked",
        "booking",
        ["journey_id", "session"],
        unique=True,
        postgresql_where=sa.text("status = 'booked'"),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        column("booking_id"),
        column("resource", sa.BigInteger()),
        column("place", INTEGER),
        column("span", postgresql.TSTZRANGE()),
        sa.ForeignKeyConstraint(["booking_id"], ["booking.id"], name=op.f("fk_reservation_booking_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.CheckConstraint("place BETWEEN 1 AND 1000", name=op.f("ck_reservation_place")),
        sa.CheckConstraint("NOT isempty(span)", name=op.f("ck_reservation_span")),
    )
    op.create_index("ix_reservation_booking_id", "reservation", ["booking_id"])
    one_place = "int8range(resource * 1000 + place - 1, resource * 1000 + place - 1, '[]')"
    op.execute(
        "ALTER TABLE reservation ADD CONSTRAINT ex_reservation_place"
        f" EXCLUDE USING gist (({one_place}) WITH &&, span WITH &&)"
    )


def _giving_away() -> None:
    op.create_table(
        "waiting_visit",
        column("id"),
        column("site"),
        column("journey_id"),
        column("session", INTEGER),
        column("status"),
        column("added_at", INSTANT),
        column("from_at", INSTANT, nullable=True),
        column("until_at", INSTANT, nullable=True),
        column("booking_id", nullable=True),
        column("offers", INTEGER),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_visit")),
    )
    op.create_index("ix_waiting_visit_site_status_added_at", "waiting_visit", ["site", "status", "added_at"])
    op.create_index(
        "uq_waiting_visit_open",
        "waiting_visit",
        ["journey_id", "session"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'offered')"),
    )
    op.create_table(
        "freed_slot",
        column("id"),
        column("site"),
        column("starts_at", INSTANT),
        column("freed_at", INSTANT),
        column("status"),
        column("asked", JSON),
        column("booking_id", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freed_slot")),
    )
    op.create_index("ix_freed_slot_status_starts_at", "freed_slot", ["status", "starts_at"])
    op.create_table(
        "booking_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        column("key"),
        column("site"),
        column("kind"),
        column("journey_id"),
        column("session", INTEGER),
        column("booking_id", nullable=True),
        column("starts_at", INSTANT),
        column("at", INSTANT),
        column("handled_at", INSTANT, nullable=True),
        column("handled_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_booking_notice_key")),
    )
    op.create_index("ix_booking_notice_site_handled_at_id", "booking_notice", ["site", "handled_at", "id"])
    op.create_table(
        "site_closure",
        column("id"),
        column("site"),
        column("starts_at", INSTANT),
        column("ends_at", INSTANT),
        column("reason"),
        column("status"),
        column("token"),
        column("items", JSON),
        column("made_at", INSTANT),
        column("made_by"),
        column("confirmed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_closure")),
    )
    op.create_index("ix_site_closure_site_status_ends_at", "site_closure", ["site", "status", "ends_at"])


def downgrade() -> None:
    for table in (
        "site_closure",
        "booking_notice",
        "freed_slot",
        "waiting_visit",
        "reservation",
        "booking",
        "resource_absence",
        "resource",
    ):
        op.drop_table(table)

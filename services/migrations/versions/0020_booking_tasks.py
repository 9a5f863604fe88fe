"""What of the times of visits is a task, and which offers have reached their patient?

Notices say until when, how they ended, and what the work list and the patient know. Open ones of before come onto
the work list with the next write; late cancellations and missed visits ask for nothing; of an offer of before,
nobody is told afterwards. Only columns with defaults are added, so that the release before this one goes on writing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None

UNTOLD = sa.text("kind = 'offer-made' AND told_at IS NULL")
PURPOSES = "session", "questionnaire", "withdrawal", "next"
TO_LIST = sa.text("listed <> 'over' AND (listed = 'no' OR handled_at IS NOT NULL)")


def upgrade() -> None:
    op.add_column("booking_notice", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_notice", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("booking_notice", sa.Column("handled_role", sa.Text(), nullable=True))
    op.add_column("booking_notice", sa.Column("outcome", sa.Text(), nullable=True))
    op.add_column(
        "booking_notice", sa.Column("listed", sa.Text(), server_default=sa.text("'no'"), nullable=False)
    )
    op.add_column("booking", sa.Column("notice_hours", sa.Float(), nullable=True))
    op.execute(
        "UPDATE booking_notice SET listed = 'over'"
        " WHERE handled_at IS NOT NULL OR kind IN ('late-cancellation', 'no-show')"
    )
    op.execute("UPDATE booking_notice SET told_at = at")
    op.drop_index("ix_booking_notice_site_handled_at_id", table_name="booking_notice")
    op.create_index("ix_booking_notice_journey_id_session", "booking_notice", ["journey_id", "session"])
    op.create_index(
        "ix_booking_notice_open", "booking_notice", ["id"], postgresql_where=sa.text("handled_at IS NULL")
    )
    op.create_index("ix_booking_notice_to_list", "booking_notice", ["id"], postgresql_where=TO_LIST)
    op.create_index("ix_booking_notice_untold", "booking_notice", ["id"], postgresql_where=UNTOLD)
    _purposes((*PURPOSES, "offer"))


def downgrade() -> None:
    op.execute(
        "DELETE FROM patient_link_token t USING patient_link l WHERE t.link_id = l.id AND l.purpose = 'offer'"
    )
    op.execute("DELETE FROM patient_link WHERE purpose = 'offer'")
    _purposes(PURPOSES)
    for name in ("untold", "to_list", "open", "journey_id_session"):
        op.drop_index(f"ix_booking_notice_{name}", table_name="booking_notice")
    op.create_index("ix_booking_notice_site_handled_at_id", "booking_notice", ["site", "handled_at", "id"])
    for name in ("listed", "outcome", "handled_role", "told_at", "due_at"):
        op.drop_column("booking_notice", name)
    op.drop_column("booking", "notice_hours")


def _purposes(known: tuple[str, ...]) -> None:
    """What a patient's link may be for."""
    name = op.f("ck_patient_link_purpose_is_known")
    op.drop_constraint(name, "patient_link", type_="check")
    op.create_check_constraint(name, "patient_link", f"purpose IN ({', '.join(map(repr, known))})")

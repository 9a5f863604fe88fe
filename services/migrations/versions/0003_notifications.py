"""What does the notification service need? Messages, attempts at them, journeys that send nothing more."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "communication",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("journey_id", sa.String(length=200), nullable=False),
        sa.Column("site", sa.String(length=100), nullable=False),
        sa.Column("patient_id", sa.String(length=100), nullable=True),
        sa.Column("template", sa.String(length=50), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_reason", sa.String(length=100), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.String(length=200), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("ck_communication_channel_is_known")),
        sa.CheckConstraint(
            "status IN ('preparation', 'in-progress', 'not-done', 'on-hold', 'stopped', 'completed')",
            name=op.f("ck_communication_status_is_known"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_communication")),
    )
    op.create_index(
        "ix_communication_journey_id_occurred_at",
        "communication",
        ["journey_id", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "communication_stop",
        sa.Column("journey_id", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("journey_id", name=op.f("pk_communication_stop")),
    )
    op.create_table(
        "communication_attempt",
        sa.Column("communication_key", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('started', 'delivered', 'refused', 'unavailable')",
            name=op.f("ck_communication_attempt_outcome_is_known"),
        ),
        sa.ForeignKeyConstraint(
            ["communication_key"],
            ["communication.key"],
            name=op.f("fk_communication_attempt_communication_key"),
        ),
        sa.PrimaryKeyConstraint("communication_key", "number", name=op.f("pk_communication_attempt")),
    )


def downgrade() -> None:
    op.drop_table("communication_attempt")
    op.drop_table("communication_stop")
    op.drop_table("communication")

"""What is kept about the time after a crisis? Concerns, contacts, safety plans."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("risk_case", sa.Column("concern_seq", sa.Integer(), nullable=True))
    op.create_table(
        "caring_contact",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("worried", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_caring_contact_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "seq", name=op.f("pk_caring_contact")),
    )
    op.create_table(
        "safety_plan",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("review_by", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_safety_plan_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "seq", name=op.f("pk_safety_plan")),
    )


def downgrade() -> None:
    op.drop_table("safety_plan")
    op.drop_table("caring_contact")
    op.drop_column("risk_case", "concern_seq")

"""What is open now? Indexes for the counts that are taken every few seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_risk_case_unclosed",
        "risk_case",
        ["level", "acknowledge_by"],
        postgresql_where=sa.text("status IN ('open', 'acknowledged')"),
    )
    op.create_index(
        "ix_communication_unsent",
        "communication",
        ["not_after"],
        postgresql_where=sa.text("status IN ('preparation', 'in-progress')"),
    )


def downgrade() -> None:
    op.drop_index("ix_communication_unsent", "communication")
    op.drop_index("ix_risk_case_unclosed", "risk_case")

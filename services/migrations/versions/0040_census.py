"""What is open now? Indexes for the counts that are taken every few seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():  # the table is in use; what an earlier try left is made again
        op.drop_index(
            "ix_risk_case_unclosed", table_name="risk_case", if_exists=True, postgresql_concurrently=True
        )
        op.create_index(
            "ix_risk_case_unclosed",
            "risk_case",
            ["level", "acknowledge_by"],
            postgresql_where=sa.text("status IN ('open', 'acknowledged')"),
            postgresql_concurrently=True,
        )
        op.drop_index(
            "ix_communication_unsent",
            table_name="communication",
            if_exists=True,
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_communication_unsent",
            "communication",
            ["not_after"],
            postgresql_where=sa.text("status IN ('preparation', 'in-progress')"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_communication_unsent", "communication")
    op.drop_index("ix_risk_case_unclosed", "risk_case")

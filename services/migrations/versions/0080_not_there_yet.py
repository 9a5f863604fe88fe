"""What did not arrive is found by an index: every worker that sends looked through all messages four times a minute."""

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Beside those who write: nobody waits. An index that was broken off is made anew."""
    name = "ix_communication_not_there_yet"
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name="communication", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name,
            "communication",
            ["sent_at", "key"],
            postgresql_where=sa.text(
                "((status = 'not-done' AND status_reason = 'undelivered')"
                " OR (provider_id IS NOT NULL AND status IN ('preparation', 'on-hold', 'in-progress')))"
            ),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_communication_not_there_yet", "communication")

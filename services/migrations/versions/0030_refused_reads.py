"""Why was a sensitive read refused, and which ones were? A reason in the audit; an index of what was not done."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():  # the table is in use; what an earlier try left is made again
        op.drop_index(
            "ix_audit_event_not_done", table_name="audit_event", if_exists=True, postgresql_concurrently=True
        )
        op.create_index(
            "ix_audit_event_not_done",
            "audit_event",
            ["site", "outcome", "seq"],
            unique=False,
            postgresql_where=sa.text("outcome <> '0'"),
            postgresql_concurrently=True,
        )
    op.add_column("audit_event", sa.Column("reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_index("ix_audit_event_not_done", table_name="audit_event")
    op.drop_column("audit_event", "reason")

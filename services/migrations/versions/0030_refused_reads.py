"""Why was a sensitive read refused, and which ones were? A reason in the audit; an index of what was not done."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_event", sa.Column("reason", sa.Text(), nullable=True))
    with op.get_context().autocommit_block():
        # What an earlier try left half built is no index.
        op.drop_index(
            "ix_audit_event_not_done", table_name="audit_event", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_audit_event_not_done",
            "audit_event",
            ["site", "outcome", "seq"],
            unique=False,
            postgresql_where=sa.text("outcome <> '0'"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_audit_event_not_done", table_name="audit_event")
    op.drop_column("audit_event", "reason")

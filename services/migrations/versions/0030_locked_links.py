"""Has somebody heard that a link is dead because a birth date was wrong too often?"""

import sqlalchemy as sa
from alembic import op

revision = "0030c"
down_revision = "0030b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient_link", sa.Column("lock_told_at", sa.DateTime(timezone=True), nullable=True))
    with op.get_context().autocommit_block():
        # What an earlier try left half built is no index.
        op.drop_index(
            "ix_patient_link_lock_untold",
            table_name="patient_link",
            postgresql_concurrently=True,
            if_exists=True,
        )
        op.create_index(
            "ix_patient_link_lock_untold",
            "patient_link",
            ["locked_at"],
            unique=False,
            postgresql_where=sa.text("locked_at IS NOT NULL AND lock_told_at IS NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_patient_link_lock_untold", table_name="patient_link")
    op.drop_column("patient_link", "lock_told_at")

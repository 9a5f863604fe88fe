"""Has somebody heard that a link is dead because a birth date was wrong too often? Old ones are left as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0030c"
down_revision = "0030b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient_link", sa.Column("lock_told_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE patient_link SET lock_told_at = locked_at WHERE locked_at IS NOT NULL")
    op.create_index(
        "ix_patient_link_lock_untold",
        "patient_link",
        ["locked_at"],
        unique=False,
        postgresql_where=sa.text("locked_at IS NOT NULL AND lock_told_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_patient_link_lock_untold", table_name="patient_link")
    op.drop_column("patient_link", "lock_told_at")

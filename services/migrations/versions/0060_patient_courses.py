"""The courses of a person are found by an index: a patient's page read all courses of the clinic."""

from alembic import op

revision = "0060"
down_revision = "0030c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Beside those who write: nobody waits. An index that was broken off is made anew."""
    name = "ix_journey_patient_id_started_at"
    with op.get_context().autocommit_block():
        op.drop_index(name, table_name="journey", if_exists=True, postgresql_concurrently=True)
        op.create_index(name, "journey", ["patient_id", "started_at"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index("ix_journey_patient_id_started_at", "journey")

"""By which way did a message come in, and is it answered? Patients are found by their mail address at every site."""

import sqlalchemy as sa
from alembic import op

revision = "0030b"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_message", sa.Column("channel", sa.Text(), server_default="sms", nullable=False))
    op.add_column(
        "inbound_message", sa.Column("told", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    with op.get_context().autocommit_block():
        # What an earlier try left half built is no index.
        op.drop_index(
            "ix_patient_email_index", table_name="patient", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            "ix_patient_email_index",
            "patient",
            ["email_index"],
            unique=False,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_patient_email_index", table_name="patient")
    op.drop_column("inbound_message", "told")
    op.drop_column("inbound_message", "channel")

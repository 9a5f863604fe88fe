"""Where is it kept how people may be reached, what they write back, and what became of a message?"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for state in ("email_state", "phone_state"):
        op.add_column("patient", sa.Column(state, sa.Text(), server_default="stated", nullable=False))
    op.add_column(
        "patient", sa.Column("contact_version", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.create_index("ix_patient_phone_index", "patient", ["phone_index"], unique=False)
    op.add_column("session_visit", sa.Column("confirmed_at", _AT, nullable=True))
    op.create_index("ix_communication_provider_id", "communication", ["provider_id"], unique=False)
    op.create_index(
        "ix_communication_patient_id_sent_at", "communication", ["patient_id", "sent_at"], unique=False
    )
    op.create_table(
        "communication_receipt",
        sa.Column("provider_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=100), nullable=True),
        sa.Column("received_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "status", name=op.f("pk_communication_receipt")),
    )
    _contacts()
    _inbox()


def _contacts() -> None:
    op.create_table(
        "contact_change",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("change", sa.LargeBinary(), nullable=False),
        sa.Column("at", _AT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_contact_change_patient_id")),
        sa.PrimaryKeyConstraint("patient_id", "version", name=op.f("pk_contact_change")),
    )
    op.create_table(
        "contact_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_index", sa.Text(), nullable=False),
        sa.Column("code_index", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("used_at", _AT, nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_contact_code_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_code")),
    )
    op.create_index(
        "ix_contact_code_patient_id_channel_made_at",
        "contact_code",
        ["patient_id", "channel", "made_at"],
        unique=False,
    )
    op.execute(
        "CREATE TRIGGER contact_change_written_once BEFORE UPDATE OR DELETE ON contact_change"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER contact_change_never_emptied BEFORE TRUNCATE ON contact_change"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _inbox() -> None:
    op.create_table(
        "message_case",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=True),
        sa.Column("journey_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", _AT, nullable=False),
        sa.Column("due_at", _AT, nullable=False),
        sa.Column("concern_raised_at", _AT, nullable=True),
        sa.Column("settled_at", _AT, nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_message_case_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_case")),
    )
    op.create_index(
        "ix_message_case_site_status_due_at",
        "message_case",
        ["site", "status", "due_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_message_case_open",
        "message_case",
        ["patient_id", "kind"],
        unique=True,
        postgresql_where=sa.text("status = 'requested' AND patient_id IS NOT NULL"),
    )
    op.create_table(
        "inbound_message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sender_index", sa.Text(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=True),
        sa.Column("received_at", _AT, nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_language", sa.Text(), nullable=False),
        sa.Column("answer_zone", sa.Text(), nullable=False),
        sa.Column("answer_at", _AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_message")),
    )
    op.create_index(
        "ix_inbound_message_sender_index_received_at",
        "inbound_message",
        ["sender_index", "received_at"],
        unique=False,
    )
    op.create_table(
        "inbound_case",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["message_case.id"], name=op.f("fk_inbound_case_case_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["inbound_message.id"], name=op.f("fk_inbound_case_message_id")
        ),
        sa.PrimaryKeyConstraint("case_id", "message_id", name=op.f("pk_inbound_case")),
    )


def downgrade() -> None:
    for table in ("inbound_case", "inbound_message", "message_case", "contact_code", "contact_change"):
        op.drop_table(table)
    op.drop_table("communication_receipt")
    op.drop_index("ix_communication_patient_id_sent_at", table_name="communication")
    op.drop_index("ix_communication_provider_id", table_name="communication")
    op.drop_column("session_visit", "confirmed_at")
    op.drop_index("ix_patient_phone_index", table_name="patient")
    for column in ("contact_version", "phone_state", "email_state"):
        op.drop_column("patient", column)

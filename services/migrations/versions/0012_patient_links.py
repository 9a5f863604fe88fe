"""Where are patients' links, their unfinished answers, and the answers that could not wait?"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "patient_link",
        _text("id"),
        _text("cause"),
        _text("journey_id"),
        _text("site"),
        _text("patient_id"),
        _text("purpose"),
        _text("part"),
        _text("occurrence"),
        _text("made_by"),
        _instant("made_at"),
        _instant("expires_at"),
        _instant("opened_at", nullable=True),
        _text("act", nullable=True),
        _instant("taken_at", nullable=True),
        _instant("spent_at", nullable=True),
        sa.Column("failed_checks", sa.Integer(), nullable=False),
        _instant("locked_at", nullable=True),
        _instant("revoked_at", nullable=True),
        _text("revoked_by", nullable=True),
        sa.CheckConstraint(
            "purpose IN ('session', 'questionnaire', 'withdrawal', 'next')",
            name=op.f("ck_patient_link_purpose_is_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_link")),
    )
    op.create_index("uq_patient_link_cause", "patient_link", ["cause"], unique=True)
    op.create_index("ix_patient_link_journey_id_made_at", "patient_link", ["journey_id", "made_at"])
    op.create_table(
        "patient_link_token",
        _text("token_hash"),
        _text("link_id"),
        _instant("made_at"),
        sa.ForeignKeyConstraint(["link_id"], ["patient_link.id"], name=op.f("fk_patient_link_token_link_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_patient_link_token")),
    )
    op.create_table(
        "patient_link_draft",
        _text("link_id"),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        _instant("expires_at"),
        sa.ForeignKeyConstraint(["link_id"], ["patient_link.id"], name=op.f("fk_patient_link_draft_link_id")),
        sa.PrimaryKeyConstraint("link_id", name=op.f("pk_patient_link_draft")),
    )
    op.create_index(op.f("ix_patient_link_draft_expires_at"), "patient_link_draft", ["expires_at"])
    op.create_table(
        "patient_link_alarm",
        _text("link_id"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("instrument"),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        _instant("raised_at"),
        _instant("settled_at", nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["patient_link.id"], name=op.f("fk_patient_link_alarm_link_id")),
        sa.PrimaryKeyConstraint("link_id", "number", name=op.f("pk_patient_link_alarm")),
    )
    op.create_index(
        "ix_patient_link_alarm_unsettled",
        "patient_link_alarm",
        ["raised_at"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("patient_link_alarm")
    op.drop_table("patient_link_draft")
    op.drop_table("patient_link_token")
    op.drop_table("patient_link")

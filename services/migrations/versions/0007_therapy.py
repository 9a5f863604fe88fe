"""Where are psychotherapy notes kept apart, and what does a visit know of its downtime sheet and integration?

Notes and the log of who touched them are written once: triggers refuse UPDATE, DELETE and TRUNCATE. A
correction is another note that names the one it amends; whether a note counts is told by the link that the
record itself makes, never by changing the note.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

IMMUTABLE = ("psychotherapy_note", "psychotherapy_note_access")

OF_VISIT = (
    ("sheet_hash", sa.Text()),
    ("sheet_seq", sa.Integer()),
    ("integration_waived_at", sa.DateTime(timezone=True)),
    ("integration_waived_by", sa.Text()),
    ("concerns_reviewed_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    for name, kind in OF_VISIT:
        op.add_column("session_visit", sa.Column(name, kind, nullable=True))
    op.create_table(
        "psychotherapy_note",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("amends", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column(
            "written_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journey.id"], name=op.f("fk_psychotherapy_note_journey_id")
        ),
        sa.ForeignKeyConstraint(
            ["amends"], ["psychotherapy_note.id"], name=op.f("fk_psychotherapy_note_amends")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_psychotherapy_note")),
    )
    op.create_index(
        "ix_psychotherapy_note_journey_id_written_at",
        "psychotherapy_note",
        ["journey_id", "written_at"],
        unique=False,
    )
    op.create_table(
        "psychotherapy_note_link",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("note_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journey.id"], name=op.f("fk_psychotherapy_note_link_journey_id")
        ),
        sa.PrimaryKeyConstraint("journey_id", "note_id", name=op.f("pk_psychotherapy_note_link")),
    )
    op.create_table(
        "psychotherapy_note_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("note_id", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("reason_row", sa.Text(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journey.id"], name=op.f("fk_psychotherapy_note_access_journey_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_psychotherapy_note_access")),
    )
    op.create_index(
        "ix_psychotherapy_note_access_journey_id_at",
        "psychotherapy_note_access",
        ["journey_id", "at"],
        unique=False,
    )
    for table in IMMUTABLE:
        # Constants of this file: names of tables cannot be parameters.
        op.execute(
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("psychotherapy_note_access")
    op.drop_table("psychotherapy_note_link")
    op.drop_table("psychotherapy_note")
    for name, _ in reversed(OF_VISIT):
        op.drop_column("session_visit", name)

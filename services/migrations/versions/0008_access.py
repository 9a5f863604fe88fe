"""Where are sites, API keys, audit events and broken glasses kept?

Audit events are written once: triggers refuse UPDATE, DELETE and TRUNCATE.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

IMMUTABLE = ("audit_event",)
NOW = sa.text("clock_timestamp()")
INSTANT = sa.DateTime(timezone=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "site",
        _text("id"),
        _text("name"),
        _text("time_zone"),
        _text("phone", nullable=True),
        _text("default_protocol", nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_at", INSTANT, server_default=NOW, nullable=False),
        _text("changed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_table(
        "api_key",
        _text("id"),
        _text("secret_hash"),
        _text("name"),
        sa.Column("roles", JSONB(), nullable=False),
        sa.Column("sites", JSONB(), nullable=False),
        _text("issued_by"),
        sa.Column("issued_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.Column("revoked_at", INSTANT, nullable=True),
        _text("revoked_by", nullable=True),
        _text("revoked_for", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_key_secret_hash")),
    )
    op.create_index("ix_api_key_issued_at_id", "api_key", ["issued_at", "id"], unique=False)
    op.create_table(
        "audit_event",
        _text("site"),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        _text("actor_id"),
        _text("actor_role"),
        _text("act"),
        _text("purpose"),
        _text("object_id"),
        _text("part", nullable=True),
        _text("outcome"),
        _text("trace_id"),
        _text("previous_hash"),
        _text("hash"),
        sa.PrimaryKeyConstraint("site", "seq", name=op.f("pk_audit_event")),
    )
    for column in ("at", "object_id", "actor_id"):
        op.create_index(
            f"ix_audit_event_site_{column}_seq", "audit_event", ["site", column, "seq"], unique=False
        )
    op.create_table(
        "audit_chain",
        _text("site"),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        _text("last_hash"),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_audit_chain")),
    )
    op.create_table(
        "break_glass",
        _text("id"),
        _text("site"),
        _text("journey_id"),
        _text("patient_id"),
        _text("scope"),
        _text("actor_id"),
        _text("actor_role"),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'requested'"), nullable=False),
        sa.Column("review_by", INSTANT, nullable=False),
        _text("verdict", nullable=True),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        _text("reviewed_by", nullable=True),
        sa.Column("reviewed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index(
        "ix_break_glass_actor_id_scope_until", "break_glass", ["actor_id", "scope", "until"], unique=False
    )
    op.create_index(
        "ix_break_glass_site_status_review_by", "break_glass", ["site", "status", "review_by"], unique=False
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
    for table in ("break_glass", "audit_chain", "audit_event", "api_key", "site"):
        op.drop_table(table)

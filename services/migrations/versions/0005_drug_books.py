"""Where are the drug books kept? Containers, their movements, and the cases of discrepancies.

Triggers refuse UPDATE, DELETE and TRUNCATE of what was moved and of what happened in a case.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IMMUTABLE = ("drug_movement", "drug_case_entry")


def upgrade() -> None:
    op.create_table(
        "drug_container",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("drug", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_mg", sa.Numeric(), nullable=False),
        sa.Column("remaining_mg", sa.Numeric(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("cases", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drug_container")),
    )
    op.create_table(
        "drug_movement",
        sa.Column("container_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_mg", sa.Numeric(), nullable=False),
        sa.Column("expected_mg", sa.Numeric(), nullable=True),
        sa.Column("remaining_mg", sa.Numeric(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("witnesses", postgresql.JSONB(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("journey_id", sa.Text(), nullable=True),
        sa.Column("dose_id", sa.Text(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["container_id"], ["drug_container.id"], name=op.f("fk_drug_movement_container_id")
        ),
        sa.PrimaryKeyConstraint("container_id", "seq", name=op.f("pk_drug_movement")),
        sa.UniqueConstraint("container_id", "key", name=op.f("uq_drug_movement_container_id_key")),
    )
    op.create_table(
        "drug_discrepancy",
        sa.Column("container_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("expected_mg", sa.Numeric(), nullable=False),
        sa.Column("found_mg", sa.Numeric(), nullable=False),
        sa.Column("difference_mg", sa.Numeric(), nullable=False),
        sa.Column("movement_seq", sa.Integer(), nullable=False),
        sa.Column("involved", postgresql.JSONB(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("explain_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("last_seq", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("case_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("explained_by", sa.Text(), nullable=True),
        sa.Column("loss_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("form_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("form_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["container_id"], ["drug_container.id"], name=op.f("fk_drug_discrepancy_container_id")
        ),
        sa.PrimaryKeyConstraint("container_id", "number", name=op.f("pk_drug_discrepancy")),
    )
    op.create_table(
        "drug_case_entry",
        sa.Column("container_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["container_id", "number"],
            ["drug_discrepancy.container_id", "drug_discrepancy.number"],
            name=op.f("fk_drug_case_entry_container_id_number"),
        ),
        sa.PrimaryKeyConstraint("container_id", "number", "seq", name=op.f("pk_drug_case_entry")),
        sa.UniqueConstraint(
            "container_id", "number", "key", name=op.f("uq_drug_case_entry_container_id_number_key")
        ),
    )
    op.create_index(
        "ix_drug_container_site_received_at_id", "drug_container", ["site", "received_at", "id"], unique=False
    )
    op.create_index("ix_drug_movement_dose_id", "drug_movement", ["journey_id", "dose_id"], unique=False)
    op.create_index(
        "ix_drug_discrepancy_site_status_opened_at",
        "drug_discrepancy",
        ["site", "status", "opened_at"],
        unique=False,
    )
    op.create_index(
        "ix_drug_discrepancy_to_start",
        "drug_discrepancy",
        ["site"],
        unique=False,
        postgresql_where=sa.text("case_started_at IS NULL"),
    )
    op.add_column("dose", sa.Column("returned_mg", sa.Numeric(), nullable=True))
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
    op.drop_column("dose", "returned_mg")
    for table in ("drug_case_entry", "drug_discrepancy", "drug_movement", "drug_container"):
        op.drop_table(table)

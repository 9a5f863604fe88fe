"""Where are the read models kept? Projections of the record, written with it and never without it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("document_version", sa.Text(), nullable=False),
        sa.Column("elements", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_consent_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "seq", name=op.f("pk_consent")),
    )
    op.create_table(
        "decision",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("after_dose", sa.Integer(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_seq", sa.Integer(), nullable=True),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=True),
        sa.Column("made_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_decision_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "after_dose", name=op.f("pk_decision")),
    )
    op.create_table(
        "dose",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("dose_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("dose_mg", sa.Numeric(), nullable=False),
        sa.Column("mg_per_kg", sa.Numeric(), nullable=False),
        sa.Column("weight_kg", sa.Double(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("booster", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_mg", sa.Numeric(), nullable=True),
        sa.Column("wasted_mg", sa.Numeric(), nullable=True),
        sa.Column("witness", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_dose_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "dose_id", name=op.f("pk_dose")),
    )
    op.create_table(
        "observation",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("observation_id", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("amends", sa.Text(), nullable=True),
        sa.Column("amended_by", sa.Text(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_observation_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "observation_id", name=op.f("pk_observation")),
    )
    op.create_index(
        "ix_observation_journey_id_session_minute",
        "observation",
        ["journey_id", "session", "minute"],
        unique=False,
    )
    op.create_table(
        "plan",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_seq", sa.Integer(), nullable=True),
        sa.Column(
            "required_roles",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("amends", sa.Integer(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=True),
        sa.Column("mg_per_kg", sa.Numeric(), nullable=True),
        sa.Column("max_mg", sa.Numeric(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_plan_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "version", name=op.f("pk_plan")),
    )
    op.create_table(
        "plan_approval",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_plan_approval_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "seq", name=op.f("pk_plan_approval")),
    )
    op.create_table(
        "preparation",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_preparation_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "number", name=op.f("pk_preparation")),
    )
    op.create_table(
        "risk_case",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("on_site", sa.Boolean(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_seq", sa.Integer(), nullable=False),
        sa.Column("acknowledge_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_to", sa.Text(), nullable=True),
        sa.Column("paged_role", sa.Text(), nullable=True),
        sa.Column("paged_rung", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolved_seq", sa.Integer(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_risk_case_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "case_id", name=op.f("pk_risk_case")),
    )
    op.create_index(
        "ix_risk_case_site_status_acknowledge_by",
        "risk_case",
        ["site", "status", "acknowledge_by"],
        unique=False,
    )
    op.create_table(
        "score",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("band", sa.Text(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("suicide_item_positive", sa.Boolean(), nullable=True),
        sa.Column("risk_level", sa.Text(), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_score_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "seq", name=op.f("pk_score")),
    )
    op.create_index(
        "ix_score_journey_id_instrument_seq", "score", ["journey_id", "instrument", "seq"], unique=False
    )
    op.create_table(
        "screening",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("interview_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eligibility", sa.Text(), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessed_seq", sa.Integer(), nullable=True),
        sa.Column("signed_eligibility", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("signed_seq", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_screening_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "round", name=op.f("pk_screening")),
    )
    op.create_table(
        "session_visit",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("booking_status", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=True),
        sa.Column("earliest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("moves", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("readiness", sa.Text(), nullable=True),
        sa.Column("readiness_seq", sa.Integer(), nullable=True),
        sa.Column("consent_reaffirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weight_kg", sa.Double(), nullable=True),
        sa.Column("baseline_tier", sa.Text(), nullable=True),
        sa.Column("baseline_seq", sa.Integer(), nullable=True),
        sa.Column("prescriber_present", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ordered_seq", sa.Integer(), nullable=True),
        sa.Column("gate_green", sa.Boolean(), nullable=True),
        sa.Column("gate_seq", sa.Integer(), nullable=True),
        sa.Column("dosed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dose_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("observation_late_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("therapy_minutes", sa.Integer(), nullable=True),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discharge_overridden", sa.Boolean(), nullable=True),
        sa.Column("discharge_seq", sa.Integer(), nullable=True),
        sa.Column("next_day_reached", sa.Boolean(), nullable=True),
        sa.Column("integration_held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("integration_missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_session_visit_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "session", name=op.f("pk_session_visit")),
    )
    op.create_index("ix_session_visit_site_starts_at", "session_visit", ["site", "starts_at"], unique=False)
    op.create_table(
        "task",
        sa.Column("journey_id", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_seq", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_to", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_task_journey_id")),
        sa.PrimaryKeyConstraint("journey_id", "task_id", name=op.f("pk_task")),
    )
    op.create_index(
        "ix_task_site_status_owner_due_at", "task", ["site", "status", "owner", "due_at"], unique=False
    )


def downgrade() -> None:
    op.drop_table("task")
    op.drop_table("session_visit")
    op.drop_table("screening")
    op.drop_table("score")
    op.drop_table("risk_case")
    op.drop_table("preparation")
    op.drop_table("plan_approval")
    op.drop_table("plan")
    op.drop_table("observation")
    op.drop_table("dose")
    op.drop_table("decision")
    op.drop_table("consent")

"""Where is a course of treatment kept? The record itself and the read models beside it.

`journey_entry` is the truth: append-only, encrypted, chained. All other tables are projections of it, written
in the same transaction. Projections hold codes, numbers, instants and opaque ids only: words of people stand
once, encrypted, in the entry that a projection names by its number (`…_seq`). Instants are UTC; units in
names.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.database import Base
from services.records.register_tables import PatientRow


class JourneyRow(Base):
    """One course of treatment as it stands now. `status` is EpisodeOfCare's; `version` counts writes."""

    __tablename__ = "journey"
    __table_args__ = (
        Index("uq_journey_open", "patient_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_journey_patient_id_started_at", "patient_id", "started_at"),
        Index("ix_journey_site_started_at_id", "site", "started_at", "id"),
        Index("ix_journey_site_stage_status", "site", "stage", "status"),
        Index("ix_journey_site_stage_started_at_id", "site", "stage", "started_at", "id"),
        Index("ix_journey_site_status_started_at_id", "site", "status", "started_at", "id"),
        Index("ix_journey_site_stage_status_started_at_id", "site", "stage", "status", "started_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey(PatientRow.id))
    referral_id: Mapped[str | None]
    indication: Mapped[str]
    protocol: Mapped[str]
    protocol_hash: Mapped[str]
    stage: Mapped[str]
    status: Mapped[str]
    on_hold: Mapped[bool]
    review_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    consultation_at: Mapped[datetime | None]
    consultation_outcome: Mapped[str | None]
    time_zone: Mapped[str]
    doses: Mapped[int]
    sessions_completed: Mapped[int]
    last_seq: Mapped[int]
    last_hash: Mapped[str]
    version: Mapped[int]


class EntryRow(Base):
    """One fact. Triggers refuse UPDATE, DELETE and TRUNCATE."""

    __tablename__ = "journey_entry"
    __table_args__ = (
        UniqueConstraint("journey_id", "key"),
        Index("ix_journey_entry_journey_id_kind_seq", "journey_id", "kind", "seq"),
    )

    journey_id: Mapped[str] = mapped_column(ForeignKey("journey.id"), primary_key=True, sort_order=-1)
    seq: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[str]
    session: Mapped[int | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    payload: Mapped[bytes]
    content_hash: Mapped[str]
    previous_hash: Mapped[str]
    hash: Mapped[str]


class _OfJourney:
    journey_id: Mapped[str] = mapped_column(ForeignKey("journey.id"), primary_key=True, sort_order=-1)


HERE = text("checked_in_at IS NOT NULL AND discharged_at IS NULL AND closed_at IS NULL")


class VisitRow(_OfJourney, Base):
    """One dosing-plus-therapy visit: `status` in Encounter's words, `booking_status` in Appointment's."""

    __tablename__ = "session_visit"
    __table_args__ = (
        Index("ix_session_visit_site_starts_at", "site", "starts_at"),
        Index("ix_session_visit_site_discharged_at", "site", "discharged_at"),
        Index("ix_session_visit_here", "site", "checked_in_at", postgresql_where=HERE),
    )

    session: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str]
    status: Mapped[str]
    booking_status: Mapped[str]
    plan_hash: Mapped[str | None]
    earliest_at: Mapped[datetime | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    room: Mapped[str | None]
    moves: Mapped[int] = mapped_column(server_default=text("0"))
    confirmed_at: Mapped[datetime | None]
    readiness: Mapped[str | None]
    readiness_seq: Mapped[int | None]
    consent_reaffirmed_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    weight_kg: Mapped[float | None]
    baseline_tier: Mapped[str | None]
    baseline_seq: Mapped[int | None]
    prescriber_present: Mapped[bool] = mapped_column(server_default=text("false"))
    ordered_seq: Mapped[int | None]
    sheet_hash: Mapped[str | None]
    sheet_seq: Mapped[int | None]
    gate_green: Mapped[bool | None]
    gate_seq: Mapped[int | None]
    dosed_at: Mapped[datetime | None]
    dose_ended_at: Mapped[datetime | None]
    observation_late_at: Mapped[datetime | None]
    therapy_minutes: Mapped[int | None]
    discharged_at: Mapped[datetime | None]
    discharge_overridden: Mapped[bool | None]
    discharge_seq: Mapped[int | None]
    next_day_reached: Mapped[bool | None]
    integration_held_at: Mapped[datetime | None]
    integration_missed_at: Mapped[datetime | None]
    integration_waived_at: Mapped[datetime | None]
    integration_waived_by: Mapped[str | None]
    concerns_reviewed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_seq: Mapped[int | None]


class DoseRow(_OfJourney, Base):
    """One dose. `dose_mg` counts from the moment it was started; `status` is MedicationAdministration's."""

    __tablename__ = "dose"

    dose_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    session: Mapped[int]
    status: Mapped[str]
    dose_mg: Mapped[Decimal]
    mg_per_kg: Mapped[Decimal | None]
    weight_kg: Mapped[float | None]
    given_at: Mapped[datetime]
    given_by: Mapped[str]
    checked_by: Mapped[str]
    plan_hash: Mapped[str]
    lot: Mapped[str]
    booster: Mapped[bool]
    units: Mapped[int | None]
    container_id: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    given_mg: Mapped[Decimal | None]
    wasted_mg: Mapped[Decimal | None]
    returned_mg: Mapped[Decimal | None]
    witness: Mapped[str | None]


class ObservationRow(_OfJourney, Base):
    """One set of readings (values in the entry). An amendment is a new row; the old one stays."""

    __tablename__ = "observation"
    __table_args__ = (Index("ix_observation_journey_id_session_minute", "journey_id", "session", "minute"),)

    observation_id: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[int]
    status: Mapped[str]
    minute: Mapped[int]
    tier: Mapped[str]
    action: Mapped[str | None]
    amends: Mapped[str | None]
    amended_by: Mapped[str | None]
    seq: Mapped[int]


class ScoreRow(_OfJourney, Base):
    """One scored questionnaire; `score` is empty when it has none or could not be computed."""

    __tablename__ = "score"
    __table_args__ = (Index("ix_score_journey_id_instrument_seq", "journey_id", "instrument", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True)
    instrument: Mapped[str]
    context: Mapped[str]
    score: Mapped[float | None]
    band: Mapped[str | None]
    complete: Mapped[bool]
    suicide_item_positive: Mapped[bool | None]
    risk_level: Mapped[str | None]
    measured_at: Mapped[datetime]


class PlanRow(_OfJourney, Base):
    """One version of the personal plan. `status` is CarePlan's: draft, active (approved), revoked."""

    __tablename__ = "plan"

    version: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str]
    status: Mapped[str]
    author_id: Mapped[str | None]
    proposed_at: Mapped[datetime | None]
    proposed_seq: Mapped[int | None]
    required_roles: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"))
    amends: Mapped[int | None]
    sessions: Mapped[int | None]
    mg_per_kg: Mapped[Decimal | None]
    dose_mg: Mapped[Decimal | None]
    max_mg: Mapped[Decimal | None]
    boosters: Mapped[int | None]
    phase: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    superseded_by: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    ended_seq: Mapped[int | None]


class PlanApprovalRow(_OfJourney, Base):
    """One person's approval of one exact plan."""

    __tablename__ = "plan_approval"

    seq: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    plan_hash: Mapped[str]
    role: Mapped[str]
    actor_id: Mapped[str]
    approved_at: Mapped[datetime]


class ConsentRow(_OfJourney, Base):
    """One signature under one document version. `status` is Consent's: active, inactive."""

    __tablename__ = "consent"

    seq: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    document_version: Mapped[str]
    elements: Mapped[list[str]]
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_seq: Mapped[int | None]


class ScreeningRow(_OfJourney, Base):
    """One round of screening: what the rules answered, what the prescriber signed."""

    __tablename__ = "screening"

    round: Mapped[int] = mapped_column(primary_key=True)
    interview_at: Mapped[datetime | None]
    measured_at: Mapped[datetime | None]
    eligibility: Mapped[str | None]
    assessed_at: Mapped[datetime | None]
    assessed_seq: Mapped[int | None]
    signed_eligibility: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    signed_seq: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    lapsed_at: Mapped[datetime | None]


UNCLOSED = text("status IN ('open', 'acknowledged')")


class RiskCaseRow(_OfJourney, Base):
    """One risk case: open, acknowledged, resolved, or joined to another."""

    __tablename__ = "risk_case"
    __table_args__ = (
        Index("ix_risk_case_site_status_acknowledge_by", "site", "status", "acknowledge_by"),
        Index("ix_risk_case_site_opened", "site", "opened_at", "journey_id", "case_id"),
        Index("ix_risk_case_site_status_opened", "site", "status", "opened_at", "journey_id", "case_id"),
        Index("ix_risk_case_unclosed", "level", "acknowledge_by", postgresql_where=UNCLOSED),
    )

    case_id: Mapped[str] = mapped_column(primary_key=True)
    site: Mapped[str]
    status: Mapped[str]
    level: Mapped[str]
    on_site: Mapped[bool | None]
    opened_at: Mapped[datetime]
    opened_seq: Mapped[int]
    acknowledge_by: Mapped[datetime | None]
    joined_to: Mapped[str | None]
    paged_role: Mapped[str | None]
    paged_rung: Mapped[int | None]
    pages: Mapped[int] = mapped_column(server_default=text("0"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolved_seq: Mapped[int | None]
    disposition: Mapped[str | None]
    concern_seq: Mapped[int | None]


class CaringContactRow(_OfJourney, Base):
    """One contact after a crisis that was made, tried or missed; what was said stays in the entry."""

    __tablename__ = "caring_contact"

    seq: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str]
    number: Mapped[int]
    outcome: Mapped[str]
    worried: Mapped[bool]
    at: Mapped[datetime]
    made_by: Mapped[str | None]


class SafetyPlanRow(_OfJourney, Base):
    """One version of the safety plan; versions are counted in the order of recording."""

    __tablename__ = "safety_plan"

    seq: Mapped[int] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    review_by: Mapped[datetime]


class DecisionRow(_OfJourney, Base):
    """Go on, change or stop: asked after a dose, answered by a person."""

    __tablename__ = "decision"

    after_dose: Mapped[int] = mapped_column(primary_key=True)
    proposal: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    asked_seq: Mapped[int | None]
    choice: Mapped[str | None]
    made_at: Mapped[datetime | None]
    made_by: Mapped[str | None]
    made_seq: Mapped[int | None]


class PreparationRow(_OfJourney, Base):
    """One preparation session that was held."""

    __tablename__ = "preparation"

    number: Mapped[int] = mapped_column(primary_key=True)
    held_at: Mapped[datetime]

"""What is known at the chair at the moment of the dose? The facts of all sixteen gates, gathered and judged."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from temporalio import workflow

from activities.records import DosingFacts, OwedIntegration
from clinical.consent import ConsentRecord, consent_live
from clinical.decision import Decision
from clinical.dosing import PlanDose, TodaysDoses, WeightMeasurement, dose_allowed
from clinical.gate_facts import (
    BoosterFacts,
    EscortFacts,
    GateFacts,
    PlanFacts,
    RemsFacts,
    ScannedDrug,
    SecondCheck,
)
from clinical.instruments.answers import InstrumentId
from clinical.pre_dose_gate import evaluate
from clinical.schedule import PastDose
from clinical.therapy import integration_state, preparation_complete
from workflows.messages import GiveDose
from workflows.visit import Session


def past_doses(facts: DosingFacts) -> tuple[PastDose, ...]:
    """The doses of this course as the record has them, boosters one by one."""
    return tuple(
        PastDose(session=d.session, given_at=d.given_at, dose_mg=d.dose_mg, mg_per_kg=d.mg_per_kg)
        for d in facts.doses
    )


class Gate(Session):
    def weight(self) -> WeightMeasurement | None:
        """Today's weight beside the last one: that of the last session, else of screening."""
        arrived = self.visit.checked_in
        assert arrived is not None
        if arrived.weight_kg is None:
            return None
        before = self.start.previous_weight_kg or self.start.baseline.weight_kg
        return WeightMeasurement(
            kg=arrived.weight_kg,
            measured_at=arrived.baseline.taken_at,
            previous_kg=None if before is None else Decimal(str(before)),
            verified=arrived.weight_verified,
        )

    def plan_dose(self) -> PlanDose:
        content = self.start.plan.content
        return PlanDose(
            mg_per_kg=content.mg_per_kg,
            dose_mg=content.dose_mg,
            max_mg=content.max_mg,
            boosters=content.boosters,
            route=self.protocol.route,
            drug=self.protocol.drug,
            infusion_minutes=content.infusion_minutes,
        )

    def todays_doses(self, doses: Sequence[PastDose]) -> TodaysDoses:
        """What this session has had already, and the most that one before it had."""
        return TodaysDoses.of(self.number, doses)

    def _booster(self) -> BoosterFacts | None:
        """A further dose is judged as a booster, by what was seen since the first one."""
        visit = self.visit
        if visit.dose is None:
            return None
        last = max(visit.observed, key=lambda seen: seen.reading.taken_at, default=None)
        return BoosterFacts(
            given=len(visit.given),
            first_given_at=visit.dose.given_at,
            allowed=self.start.plan.content.boosters,
            ended=visit.doses_ended_at is not None,
            moaas=last.reading.moaas if last else None,
            read_at=last.reading.taken_at if last else None,
        )

    def drawn_mg(self, command: GiveDose) -> Decimal:
        """What is taken out of the container for this dose, in mg."""
        order = self.visit.order
        return (order.drawn_mg if order else None) or command.dose_mg

    def gate(self, command: GiveDose, facts: DosingFacts, now: datetime) -> Decision:
        """All sixteen gates, and the bounds of the dose once more, from the records as they are now."""
        order = self.visit.order
        assert order is not None
        as_given = order.model_copy(update={"dose_mg": command.dose_mg})
        today = self.todays_doses(past_doses(facts))
        bounds = dose_allowed(as_given, self.plan_dose(), today, self.protocol, now)
        return evaluate(self._gate_facts(command, facts), self.protocol, now) + Decision.of(bounds.objections)

    def _gate_facts(self, command: GiveDose, facts: DosingFacts) -> GateFacts:
        visit, arrived, ordered = self.visit, self.visit.checked_in, self.visit.ordered
        assert arrived is not None and ordered is not None
        screen = self.results.get(InstrumentId.CSSRS) if InstrumentId.CSSRS in self.fresh else None
        answers = visit.readiness.answers if visit.readiness else None
        doses = past_doses(facts)
        last = max(visit.observed, key=lambda seen: seen.reading.taken_at, default=None)
        readings = [*visit.baselines, *([last.reading] if last else [])]
        now = workflow.now()
        return GateFacts(
            identity_confirmed=arrived.identifiers_confirmed >= 2,
            plan=None if facts.plan is None else PlanFacts(
                plan_hash=facts.plan.plan_hash,
                approved=True,
                expires_at=facts.plan.expires_at,
                superseded=facts.plan.superseded,
            ),
            # A command that names another plan than its session's does not belong to this order (H11).
            order_plan_hash=command.plan_hash if command.plan_hash == self.start.plan.plan_hash else None,
            session_no=self.number,
            dose_no=self.start.dose_number,
            sessions_approved=None if facts.plan is None else facts.plan.sessions,
            on_hold=facts.on_hold or self.on_hold,
            preparation_complete=preparation_complete(
                facts.preparations_held_at, doses[0].given_at if doses else now, self.protocol
            ).passes,
            integration_blocked=any(
                integration_state(one.dosed_at, None, one.waived_by, now, self.protocol).blocks_next_dose
                for one in self._owed(facts)
            ),
            consent=consent_live(self._consent(facts), self.protocol, now),
            capacity_today=ordered.capacity_today,
            last_doses=doses,
            time_zone=self.start.time_zone,
            other_clinic_dose_denied=None if arrived.other_clinic_dose is None else not arrived.other_clinic_dose,
            phase=self.start.plan.content.phase or self.protocol.schedule.first.name,
            booster=self._booster(),
            reentry_approved=bool(ordered.reentry_reviewed),
            nasal_spray_free=arrived.nasal_spray_free,
            downtime_sheet=self._sheet_made(facts),
            rems=RemsFacts(
                setting_certified=bool(arrived.rems_setting_certified),
                patient_enrolled=bool(arrived.rems_patient_enrolled),
            ),
            food_at=arrived.food_at,
            fluids_at=arrived.fluids_at,
            escort=None if answers is None else EscortFacts(
                name_present=answers.escort_name_present,
                phone_present=bool(answers.escort_phone),
                confirmed=arrived.escort_confirmed,
            ),
            pregnancy_applicable=self.start.baseline.pregnancy_applicable,
            pregnancy_test_negative_at=arrived.pregnancy_test_negative_at,
            substance_free=arrived.substance_free,
            suicide_level=None if screen is None else screen.risk_level,
            screened_at=visit.screened_at,
            open_risk_cases=facts.open_risk_cases,
            baseline=readings[-1],
            earlier_readings=tuple(readings[:-1]),
            prescriber_attested_caution=bool(ordered.caution_attested),
            weight=self.weight(),
            medication_reconciled_at=arrived.medications_reconciled_at,
            blocking_interactions=arrived.blocking_interactions,
            new_psychosis_or_mania=ordered.new_psychosis_or_mania,
            monitor_present=command.monitor_present,
            prescriber_on_site=visit.prescriber_present,
            equipment_checked=command.equipment_checked,
            drug=ScannedDrug(
                drug=self.protocol.drug,
                lot=command.lot,
                expires_at=datetime.fromisoformat(command.lot_expires_on).replace(tzinfo=UTC),
                container_id=command.container_id,
                container=facts.container,
                drawn_mg=self.drawn_mg(command),
            ),
            second_check=SecondCheck(
                prepared_by=command.actor.id, checked_by=command.second_check_by, agrees=True
            ),
        )  # fmt: skip

    @staticmethod
    def _owed(facts: DosingFacts) -> tuple[OwedIntegration, ...]:
        """The integrations that were not held, waived or not."""
        if facts.integrations_owed is not None:
            return facts.integrations_owed
        return tuple(OwedIntegration(dosed_at=at) for at in facts.integrations_open_since)

    def _sheet_made(self, facts: DosingFacts) -> bool | None:
        """Is the sheet of exactly this order in the record? None: the record does not say."""
        if facts.downtime_sheets is None:
            return None
        return self.visit.sheet_hash in facts.downtime_sheets

    @staticmethod
    def _consent(facts: DosingFacts) -> ConsentRecord | None:
        live = facts.consent
        if live is None:
            return None
        return ConsentRecord(
            document_version=live.document_version,
            elements=live.elements,
            given_at=live.given_at,
            withdrawn_at=live.withdrawn_at,
            capacity_attested_by=live.capacity_attested_by,
        )

"""Sixteen gates, each answered every time; unknown closes."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.decision import Decision, Verdict
from clinical.instruments.answers import RiskLevel
from clinical.pre_dose_gate import (
    EscortFacts,
    Gate,
    GateFacts,
    PlanFacts,
    RemsFacts,
    ScannedDrug,
    SecondCheck,
    closed_gates,
    evaluate,
)
from clinical.protocol import Drug, Protocol
from clinical.vitals import Symptom
from tests.clinical.dosing_day.builders import (
    NOW,
    a_container,
    a_dose,
    a_reading,
    a_scanned_drug,
    a_weight,
    ago,
    consent_in_force,
    for_esketamine,
    open_gate,
    verdicts,
)

SOON = NOW + timedelta(days=1)


def a_plan(**changes: Any) -> PlanFacts:
    values = {"plan_hash": "p1", "approved": True, "expires_at": SOON, "superseded": False}
    return PlanFacts.model_validate({**values, **changes})


def test_all_sixteen_answer_when_all_is_well(protocol: Protocol) -> None:
    decision = evaluate(open_gate(), protocol, NOW)
    assert [reason.rule for reason in decision.reasons] == list(Gate)
    assert decision.verdict is Verdict.PASS


def test_knowing_nothing_closes_every_gate_but_the_one_that_does_not_apply(protocol: Protocol) -> None:
    decision = evaluate(GateFacts(), protocol, NOW)
    assert closed_gates(decision) == tuple(gate for gate in Gate if gate is not Gate.REMS)
    assert set(decision.missing) == set(Gate) - {Gate.REMS}
    assert Gate.REMS in closed_gates(evaluate(GateFacts(), for_esketamine(protocol), NOW))


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        (Gate.IDENTITY, {"identity_confirmed": False}),
        (Gate.IDENTITY, {"order_plan_hash": "p0"}),
        (Gate.CONSENT, {"consent": consent_in_force(Verdict.REFUSE)}),
        (Gate.CONSENT, {"consent": consent_in_force(Verdict.REVIEW)}),
        (Gate.CONSENT, {"consent": Decision()}),
        (Gate.CONSENT, {"capacity_today": False}),
        (Gate.PLAN, {"plan": a_plan(approved=False)}),
        (Gate.PLAN, {"plan": a_plan(superseded=True)}),
        (Gate.PLAN, {"plan": a_plan(expires_at=NOW)}),
        (Gate.PLAN, {"dose_no": 7}),
        (Gate.PLAN, {"on_hold": True}),
        (Gate.PLAN, {"preparation_complete": False}),
        (Gate.PLAN, {"integration_blocked": True}),
        (Gate.INTERVAL, {"last_doses": (a_dose(1, hours=30),)}),
        (Gate.INTERVAL, {"last_doses": (a_dose(2, days=3),)}),
        (Gate.INTERVAL, {"last_doses": (a_dose(1, days=29),)}),
        (Gate.INTERVAL, {"last_doses": (a_dose(1, hours=30),), "reentry_approved": True}),
        (Gate.INTERVAL, {"other_clinic_dose_denied": False}),
        (Gate.FASTING, {"food_at": ago(hours=5.9)}),
        (Gate.FASTING, {"fluids_at": ago(hours=1.9)}),
        (Gate.FASTING, {"fluids_at": SOON}),
        (Gate.ESCORT, {"escort": EscortFacts(name_present=False, phone_present=True, confirmed=True)}),
        (Gate.ESCORT, {"escort": EscortFacts(name_present=True, phone_present=False, confirmed=True)}),
        (Gate.ESCORT, {"escort": EscortFacts(name_present=True, phone_present=True, confirmed=False)}),
        (Gate.PREGNANCY, {"pregnancy_test_negative_at": ago(hours=73)}),
        (Gate.PREGNANCY, {"pregnancy_test_negative_at": None}),
        (Gate.PREGNANCY, {"pregnancy_test_negative_at": SOON}),
        (Gate.INTOXICATION, {"substance_free": False}),
        (Gate.SUICIDALITY, {"suicide_level": RiskLevel.HIGH}),
        (Gate.SUICIDALITY, {"suicide_level": RiskLevel.UNKNOWN}),
        (Gate.SUICIDALITY, {"screened_at": ago(hours=25)}),
        (Gate.SUICIDALITY, {"open_risk_cases": 1}),
        (Gate.VITALS, {"baseline": a_reading(165, 80)}),
        (Gate.VITALS, {"baseline": a_reading(145, 80)}),
        (Gate.VITALS, {"baseline": a_reading(taken_at=ago(minutes=61))}),
        (Gate.VITALS, {"baseline": a_reading(1220, 80)}),
        (Gate.VITALS, {"baseline": a_reading(symptoms={Symptom.VISION_LOSS})}),
        (Gate.VITALS, {"baseline": a_reading(respiratory_rate_per_min=None)}),
        (Gate.VITALS, {"earlier_readings": (a_reading(165, 80, taken_at=ago(minutes=15)),)}),
        (Gate.WEIGHT, {"weight": a_weight("154")}),
        (Gate.WEIGHT, {"weight": a_weight("70", previous_kg=Decimal(60))}),
        (Gate.MEDICATION, {"medication_reconciled_at": ago(hours=25)}),
        (Gate.MEDICATION, {"blocking_interactions": ("theophylline",)}),
        (Gate.PSYCHIATRIC_STATE, {"new_psychosis_or_mania": True}),
        (Gate.STAFF, {"monitor_present": False}),
        (Gate.STAFF, {"prescriber_on_site": False}),
        (Gate.STAFF, {"equipment_checked": False}),
        (Gate.DRUG, {"drug": a_scanned_drug(drug=Drug.ESKETAMINE)}),
        (Gate.DRUG, {"drug": a_scanned_drug(lot=" ", container=a_container(lot=""))}),
        (Gate.DRUG, {"drug": a_scanned_drug(expires_at=NOW)}),
        (Gate.DRUG, {"drug": a_scanned_drug(container=None)}),
        (Gate.DRUG, {"drug": a_scanned_drug(lot="L2")}),
        (Gate.DRUG, {"drug": a_scanned_drug(drawn_mg=None)}),
        (Gate.DRUG, {"drug": a_scanned_drug(drawn_mg=Decimal("200.01"))}),
        (Gate.DRUG, {"drug": a_scanned_drug(container=a_container(drug=Drug.ESKETAMINE))}),
        (Gate.DRUG, {"drug": a_scanned_drug(container=a_container(expires_on=NOW.date()))}),
        (Gate.DRUG, {"drug": a_scanned_drug(container=a_container(closed=True))}),
        (Gate.DRUG, {"second_check": SecondCheck(prepared_by="n1", checked_by="n1 ", agrees=True)}),
        (Gate.DRUG, {"second_check": SecondCheck(prepared_by="n1", checked_by=" ", agrees=True)}),
        (Gate.DRUG, {"second_check": SecondCheck(prepared_by="n1", checked_by="n2", agrees=False)}),
    ],
)
def test_one_thing_wrong_closes_its_gate_and_no_other(
    gate: Gate, changes: dict[str, Any], protocol: Protocol
) -> None:
    decision = evaluate(open_gate(**changes), protocol, NOW)
    assert closed_gates(decision) == (gate,)
    assert {reason.rule for reason in decision.reasons} == set(Gate), "every gate still answers"


@pytest.mark.parametrize(
    ("changes", "gate", "verdict"),
    [
        ({"baseline": a_reading(145, 80), "prescriber_attested_caution": True}, Gate.VITALS, Verdict.CAUTION),
        ({"suicide_level": RiskLevel.MODERATE}, Gate.SUICIDALITY, Verdict.CAUTION),
        ({"suicide_level": RiskLevel.LOW}, Gate.SUICIDALITY, Verdict.PASS),
        ({"last_doses": (a_dose(1, days=29),), "reentry_approved": True}, Gate.INTERVAL, Verdict.CAUTION),
        ({"last_doses": (), "session_no": 1}, Gate.INTERVAL, Verdict.PASS),
        ({"pregnancy_applicable": False, "pregnancy_test_negative_at": None}, Gate.PREGNANCY, Verdict.PASS),
        ({"consent": consent_in_force(Verdict.CAUTION)}, Gate.CONSENT, Verdict.CAUTION),
        ({"earlier_readings": (a_reading(165, 80, taken_at=ago(minutes=25)),)}, Gate.VITALS, Verdict.PASS),
        ({"rems": None}, Gate.REMS, Verdict.PASS),
        ({"drug": a_scanned_drug(drawn_mg=Decimal(200))}, Gate.DRUG, Verdict.PASS),
        ({"drug": a_scanned_drug(container_id=None, container=None)}, Gate.DRUG, Verdict.CAUTION),
    ],
)
def test_what_a_person_has_settled_does_not_close(
    changes: dict[str, Any], gate: Gate, verdict: Verdict, protocol: Protocol
) -> None:
    decision = evaluate(open_gate(**changes), protocol, NOW)
    assert closed_gates(decision) == ()
    assert verdicts(decision)[gate] is verdict


def test_a_closed_gate_says_the_number_and_when(protocol: Protocol) -> None:
    (reason,) = evaluate(open_gate(food_at=ago(hours=5)), protocol, NOW).objections
    assert (reason.value, reason.unit, reason.limit) == ("5.00", "h", ">= 6")
    assert reason.available_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("rems", "closed"),
    [
        (None, (Gate.REMS,)),
        (RemsFacts(setting_certified=False, patient_enrolled=True), (Gate.REMS,)),
        (RemsFacts(setting_certified=True, patient_enrolled=False), (Gate.REMS,)),
        (RemsFacts(setting_certified=True, patient_enrolled=True), ()),
    ],
)
def test_rems_for_esketamine(rems: RemsFacts | None, closed: tuple[Gate, ...], protocol: Protocol) -> None:
    drug = a_scanned_drug(drug=Drug.ESKETAMINE, container=a_container(drug=Drug.ESKETAMINE))
    decision = evaluate(open_gate(rems=rems, drug=drug), for_esketamine(protocol), NOW)
    assert closed_gates(decision) == closed


def test_a_protocol_may_do_without_the_prescriber_on_site(protocol: Protocol) -> None:
    remote = protocol.monitoring.model_copy(update={"prescriber_on_site": False})
    decision = evaluate(
        open_gate(prescriber_on_site=None), protocol.model_copy(update={"monitoring": remote}), NOW
    )
    assert closed_gates(decision) == ()


YES_NO = st.none() | st.booleans()
INSTANTS = st.none() | st.integers(-3000, 10_000).map(lambda minutes: ago(minutes=minutes))
READINGS = st.builds(
    a_reading,
    systolic=st.sampled_from([120, 145, 165, 999]),
    heart_rate_per_min=st.sampled_from([45, 70, 130]),
    respiratory_rate_per_min=st.sampled_from([None, 8, 14]),
    moaas=st.sampled_from([None, 0, 3, 5]),
    spo2_percent=st.sampled_from([88, 92, 98]),
    taken_at=st.integers(-10, 90).map(lambda minutes: ago(minutes=minutes)),
)
WEIGHTS = st.builds(
    a_weight,
    st.sampled_from(["30", "70", "154"]),
    previous_kg=st.sampled_from([None, Decimal(50), Decimal(70)]),
    verified=st.booleans(),
    measured_at=st.integers(-10, 3000).map(lambda minutes: ago(minutes=minutes)),
)
WILD_FACTS = st.fixed_dictionaries(
    {},
    optional={
        "identity_confirmed": YES_NO,
        "plan": st.none()
        | st.builds(
            a_plan,
            plan_hash=st.sampled_from(["p1", "p2"]),
            approved=st.booleans(),
            expires_at=st.sampled_from([ago(days=1), SOON]),
            superseded=st.booleans(),
        ),
        "order_plan_hash": st.sampled_from([None, "p1", "p2"]),
        "session_no": st.none() | st.integers(-1, 8),
        "dose_no": st.none() | st.integers(-1, 8),
        "sessions_approved": st.none() | st.integers(-1, 8),
        "on_hold": YES_NO,
        "preparation_complete": YES_NO,
        "integration_blocked": YES_NO,
        "consent": st.sampled_from([None, Decision(), *map(consent_in_force, Verdict)]),
        "capacity_today": YES_NO,
        "last_doses": st.none()
        | st.lists(st.builds(a_dose, st.integers(1, 3), hours=st.integers(-50, 900)), max_size=4).map(tuple),
        "time_zone": st.sampled_from([None, "America/New_York", "Asia/Tokyo", "Nowhere/Town"]),
        "other_clinic_dose_denied": YES_NO,
        "reentry_approved": YES_NO,
        "food_at": INSTANTS,
        "fluids_at": INSTANTS,
        "escort": st.none()
        | st.builds(
            EscortFacts, name_present=st.booleans(), phone_present=st.booleans(), confirmed=st.booleans()
        ),
        "pregnancy_applicable": YES_NO,
        "pregnancy_test_negative_at": INSTANTS,
        "substance_free": YES_NO,
        "suicide_level": st.none() | st.sampled_from(RiskLevel),
        "screened_at": INSTANTS,
        "open_risk_cases": st.none() | st.integers(-1, 2),
        "baseline": st.none() | READINGS,
        "earlier_readings": st.lists(READINGS, max_size=3).map(tuple),
        "prescriber_attested_caution": YES_NO,
        "weight": st.none() | WEIGHTS,
        "medication_reconciled_at": INSTANTS,
        "blocking_interactions": st.sampled_from([None, (), ("theophylline",)]),
        "new_psychosis_or_mania": YES_NO,
        "monitor_present": YES_NO,
        "prescriber_on_site": YES_NO,
        "equipment_checked": YES_NO,
        "rems": st.none()
        | st.builds(RemsFacts, setting_certified=st.booleans(), patient_enrolled=st.booleans()),
        "drug": st.none()
        | st.builds(
            ScannedDrug,
            drug=st.sampled_from(Drug),
            lot=st.sampled_from(["", "L1"]),
            expires_at=st.sampled_from([ago(days=1), SOON]),
        ),
        "second_check": st.none()
        | st.builds(
            SecondCheck,
            prepared_by=st.sampled_from(["", "n1"]),
            checked_by=st.sampled_from(["", "n1", "n2"]),
            agrees=st.booleans(),
        ),
    },
).map(lambda changes: open_gate(**changes))

MAY_BE_UNKNOWN = [name for name, field in GateFacts.model_fields.items() if field.default is None]


@given(WILD_FACTS, st.data(), st.booleans())
def test_making_a_value_unknown_never_opens_a_gate(
    protocol: Protocol, facts: GateFacts, data: st.DataObject, esketamine: bool
) -> None:
    chosen = for_esketamine(protocol) if esketamine else protocol
    before = evaluate(facts, chosen, NOW)
    assert {reason.rule for reason in before.reasons} == set(Gate)
    unknown = data.draw(st.sampled_from(MAY_BE_UNKNOWN))
    after = evaluate(facts.model_copy(update={unknown: None}), chosen, NOW)
    assert set(closed_gates(before)) <= set(closed_gates(after))


@given(READINGS, st.sampled_from(["respiratory_rate_per_min", "moaas"]))
def test_not_measuring_a_sign_never_opens_the_gate(protocol: Protocol, reading: Any, sign: str) -> None:
    unmeasured = open_gate(baseline=reading.model_copy(update={sign: None}))
    assert Gate.VITALS in closed_gates(evaluate(unmeasured, protocol, NOW))


@given(WEIGHTS)
def test_not_knowing_the_last_weight_never_opens_the_gate(protocol: Protocol, weight: Any) -> None:
    before = closed_gates(evaluate(open_gate(weight=weight), protocol, NOW))
    forgotten = weight.model_copy(update={"previous_kg": None})
    assert set(before) <= set(closed_gates(evaluate(open_gate(weight=forgotten), protocol, NOW)))


@pytest.mark.parametrize("name", MAY_BE_UNKNOWN)
def test_each_unknown_alone_closes_a_gate_unless_it_only_widens(name: str, protocol: Protocol) -> None:
    closed = closed_gates(evaluate(open_gate(**{name: None}), protocol, NOW))
    widens = {"reentry_approved", "prescriber_attested_caution", "rems"}
    assert bool(closed) == (name not in widens)


@pytest.mark.parametrize(
    "changes",
    [
        {"pregnancy_test_negative_at": ago(hours=72)},
        {"screened_at": ago(hours=24)},
        {"screened_at": NOW + timedelta(minutes=2)},
        {"medication_reconciled_at": ago(hours=24)},
        {"baseline": a_reading(taken_at=ago(minutes=60))},
        {"food_at": ago(hours=6), "fluids_at": ago(hours=2)},
        {"dose_no": 6},
        {"session_no": 9, "dose_no": 1},
    ],
)
def test_just_in_time_is_in_time(changes: dict[str, Any], protocol: Protocol) -> None:
    assert closed_gates(evaluate(open_gate(**changes), protocol, NOW)) == ()

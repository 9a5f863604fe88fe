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
    a_booster,
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
from tests.clinical.dosing_day.forms import FORMS, changed, of_form

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
        (Gate.INTERVAL, {"phase": "maintenance"}),
        (Gate.INTERVAL, {"phase": "no-such-phase"}),
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
        (Gate.STAFF, {"downtime_sheet": False}),
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
        "phase": st.sampled_from([None, "induction", "maintenance", "weekly", "no-such-phase"]),
        "nasal_spray_free": YES_NO,
        "downtime_sheet": YES_NO,
        "booster": st.none()
        | st.builds(
            a_booster,
            given=st.integers(1, 3),
            first_given_at=st.integers(0, 90).map(lambda minutes: ago(minutes=minutes)),
            allowed=st.integers(0, 3),
            ended=YES_NO,
            moaas=st.none() | st.integers(0, 5),
            read_at=INSTANTS,
        ),
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


def is_booster(facts: GateFacts) -> bool:
    return any(dose.session == facts.session_no for dose in facts.last_doses or ())


@given(WILD_FACTS, st.data(), st.sampled_from(FORMS))
def test_making_a_value_unknown_never_opens_a_gate(
    protocol: Protocol, facts: GateFacts, data: st.DataObject, form: str
) -> None:
    """That nothing is known of a booster counts where there was a first dose: else there is none."""
    chosen = of_form(protocol, form)
    before = evaluate(facts, chosen, NOW)
    assert {reason.rule for reason in before.reasons} == set(Gate)
    unknown = data.draw(
        st.sampled_from(MAY_BE_UNKNOWN).filter(lambda name: name != "booster" or is_booster(facts))
    )
    after = evaluate(facts.model_copy(update={unknown: None}), chosen, NOW)
    assert set(closed_gates(before)) <= set(closed_gates(after))


@given(WILD_FACTS, st.sampled_from(["ended", "moaas", "read_at"]), st.sampled_from(["injection", "lozenges"]))
def test_not_knowing_how_a_dose_went_never_opens_the_gate_of_a_booster(
    protocol: Protocol, facts: GateFacts, unknown: str, form: str
) -> None:
    if facts.booster is None:
        return
    chosen, forgotten = of_form(protocol, form), facts.booster.model_copy(update={unknown: None})
    before = closed_gates(evaluate(facts, chosen, NOW))
    after = closed_gates(evaluate(facts.model_copy(update={"booster": forgotten}), chosen, NOW))
    assert {*before, Gate.INTERVAL} == {*after}


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
    widens = {"reentry_approved", "prescriber_attested_caution", "rems", "nasal_spray_free", "booster"}
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


# ── a booster ───────────────────────────────────────────────────────────────────────────────────────────────


def for_booster(
    *, form: str = "injection", given_ago: tuple[float, ...] = (25,), **changes: Any
) -> GateFacts:
    """The first session's dose 25 minutes ago, and all well since."""
    doses = tuple(a_dose(1, minutes=minutes) for minutes in given_ago)
    values = {
        "session_no": 1,
        "dose_no": 1,
        "last_doses": doses,
        "booster": a_booster(given=len(doses), first_given_at=ago(minutes=max(given_ago)), **changes),
    }
    return open_gate(**values)


def test_a_booster_that_was_foreseen(protocol: Protocol) -> None:
    assert closed_gates(evaluate(for_booster(), of_form(protocol, "injection"), NOW)) == ()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (for_booster(allowed=0), "no further booster in this session"),
        (for_booster(allowed=5, given_ago=(29, 20)), "no further booster in this session"),
        (for_booster(ended=False), "the dose before has not ended"),
        (for_booster(ended=None), "not known: the end of the dose before"),
        (for_booster(moaas=3), "too sedated for a booster"),
        (for_booster(moaas=None), "sedation since the dose is not known"),
        (for_booster(read_at=None), "no reading since the last dose on record"),
        (for_booster(read_at=ago(minutes=16)), "reading since the last dose is out of date"),
        (for_booster(read_at=ago(minutes=26)), "no reading since the last dose on record"),
        (for_booster(given_ago=(14.9,)), "too soon for a booster"),
        (for_booster(given_ago=(30.1,)), "too late for a booster"),
        (for_booster().model_copy(update={"booster": None}), "a dose was already given in this session"),
        (
            for_booster().model_copy(update={"booster": a_booster(given=2, allowed=2)}),
            "the doses of this session are not known",
        ),
        (
            for_booster().model_copy(update={"last_doses": ()}),
            "the doses of this session are not known",
        ),
    ],
)
def test_what_stands_against_a_booster(facts: GateFacts, said: str, protocol: Protocol) -> None:
    decision = evaluate(facts, of_form(protocol, "injection"), NOW)
    assert closed_gates(decision) == (Gate.INTERVAL,)
    assert said in {reason.text for reason in decision.objections}


@pytest.mark.parametrize("given_ago", [(15,), (30,)])
def test_the_window_of_a_booster_to_the_minute(given_ago: tuple[float, ...], protocol: Protocol) -> None:
    assert closed_gates(evaluate(for_booster(given_ago=given_ago), of_form(protocol, "injection"), NOW)) == ()


def test_a_second_booster_waits_for_the_first_one(protocol: Protocol) -> None:
    """Counted from the dose before it; the session's window from the first dose of all."""
    twice = changed(of_form(protocol, "injection"), "dosing", boosters_max=2, booster_until_minutes=60)
    early = evaluate(for_booster(allowed=2, given_ago=(25, 10), read_at=ago(minutes=5)), twice, NOW)
    (reason,) = early.objections
    assert (reason.text, reason.value, reason.limit) == ("too soon for a booster", "10.0", ">= 15")
    assert reason.available_at == NOW + timedelta(minutes=5)
    assert closed_gates(evaluate(for_booster(allowed=2, given_ago=(35, 15)), twice, NOW)) == ()
    last = evaluate(for_booster(allowed=2, given_ago=(55, 5), read_at=ago(minutes=1)), twice, NOW)
    assert [reason.available_at for reason in last.objections] == [None], "the window closes before"


@pytest.mark.parametrize("form", ["infusion", "devices"])
def test_where_no_booster_is_foreseen_there_is_none(form: str, protocol: Protocol) -> None:
    decision = evaluate(for_booster(given_ago=(0.5,), read_at=ago(minutes=0)), of_form(protocol, form), NOW)
    assert Gate.INTERVAL in closed_gates(decision)
    assert "no further booster in this session" in {reason.text for reason in decision.objections}


def test_without_a_first_dose_there_is_no_booster(protocol: Protocol) -> None:
    assert closed_gates(evaluate(open_gate(booster=None), of_form(protocol, "injection"), NOW)) == ()


# ── what a form asks for ────────────────────────────────────────────────────────────────────────────────────


def test_in_whole_units_nobody_needs_to_be_weighed(protocol: Protocol) -> None:
    unweighed = open_gate(weight=None)
    assert closed_gates(evaluate(unweighed, of_form(protocol, "lozenges"), NOW)) == ()
    for form in ("infusion", "injection"):
        assert closed_gates(evaluate(unweighed, of_form(protocol, form), NOW)) == (Gate.WEIGHT,)


def test_another_nasal_spray_keeps_an_hour_away(protocol: Protocol) -> None:
    drug = ScannedDrug(drug=Drug.ESKETAMINE, lot="L1", expires_at=SOON)
    for known, closed in ((True, ()), (False, (Gate.MEDICATION,)), (None, (Gate.MEDICATION,))):
        facts = open_gate(nasal_spray_free=known, drug=drug)
        assert closed_gates(evaluate(facts, for_esketamine(protocol), NOW)) == closed
        assert closed_gates(evaluate(open_gate(nasal_spray_free=known), protocol, NOW)) == ()


def test_a_week_outside_the_phase_waits_for_a_prescriber(protocol: Protocol) -> None:
    """The induction of esketamine is over after four weeks: one looks whether it helped (facts §2.3)."""
    drug = ScannedDrug(drug=Drug.ESKETAMINE, lot="L1", expires_at=SOON)
    doses = (a_dose(1, days=28), a_dose(2, days=3))
    late = open_gate(session_no=3, dose_no=3, last_doses=doses, drug=drug)
    label = for_esketamine(protocol)
    assert closed_gates(evaluate(late, label, NOW)) == (Gate.INTERVAL,)
    reviewed = late.model_copy(update={"reentry_approved": True})
    assert closed_gates(evaluate(reviewed, label, NOW)) == ()
    weekly = reviewed.model_copy(update={"phase": "weekly", "reentry_approved": None})
    assert closed_gates(evaluate(weekly, label, NOW)) == (Gate.INTERVAL,), "too soon for one dose a week"

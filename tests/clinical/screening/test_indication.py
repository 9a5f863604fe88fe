"""Is it the condition that the protocol treats, severe enough, and has the usual been tried?"""

import pytest

from clinical.decision import Verdict
from clinical.indication import indication_findings
from clinical.patient_record import Answer, AntidepressantTrial
from clinical.protocol import Indication, Protocol
from tests.clinical.screening.complete_facts import a_form, an_interview

REFUSE, REVIEW, CAUTION = Verdict.REFUSE, Verdict.REVIEW, Verdict.CAUTION


def a_trial(drug: str = "bupropion", **changed: object) -> AntidepressantTrial:
    good: dict[str, object] = {
        "drug": drug,
        "weeks": 6,
        "adequate_dose": Answer.YES,
        "current_episode": Answer.YES,
        "outcome_percent": 49,
    }
    return AntidepressantTrial.model_validate(good | changed)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ((a_trial(), a_trial("sertraline")), []),
        ((a_trial(),), ["TRD"]),
        ((a_trial(), a_trial("Bupropion ")), ["TRD"]),
        ((a_trial(), a_trial("sertraline", weeks=5.9)), ["TRD"]),
        ((a_trial(), a_trial("sertraline", weeks=None)), ["TRD"]),
        ((a_trial(), a_trial("sertraline", outcome_percent=50)), ["TRD"]),
        ((a_trial(), a_trial("sertraline", outcome_percent=None)), ["TRD"]),
        ((a_trial(), a_trial("sertraline", adequate_dose=Answer.UNKNOWN)), ["TRD"]),
        ((a_trial(), a_trial("sertraline", current_episode=Answer.NO)), ["TRD"]),
        ((), ["NEED-ANTIDEPRESSANT-TRIALS"]),
    ],
)
def test_treatment_resistance_is_two_adequate_trials_without_response(
    protocol: Protocol, trials: tuple[AntidepressantTrial, ...], expected: list[str]
) -> None:
    interview = an_interview(antidepressant_trials=trials)
    reasons = indication_findings(Indication.DEPRESSION, interview, {}, protocol)
    assert [reason.rule for reason in reasons] == expected


@pytest.mark.parametrize("indication", [Indication.ANXIETY, Indication.PANIC, Indication.PTSD])
def test_weak_evidence_is_said_and_no_trials_are_asked_for(
    protocol: Protocol, indication: Indication
) -> None:
    (reason,) = indication_findings(indication, an_interview(antidepressant_trials=()), {}, protocol)
    assert (reason.rule, reason.verdict) == ("EVIDENCE", CAUTION)


def test_an_indication_that_the_protocol_does_not_treat_is_refused(protocol: Protocol) -> None:
    other = protocol.model_copy(update={"indications": (Indication.PTSD,)})
    (reason,) = indication_findings(Indication.DEPRESSION, an_interview(), {}, other)
    assert (reason.rule, reason.verdict) == ("INDICATION", REFUSE)


@pytest.mark.parametrize("indication", Indication)
@pytest.mark.parametrize(
    ("answer", "rule", "verdict"),
    [(Answer.NO, "DIAGNOSIS", REVIEW), (Answer.UNKNOWN, "NEED-DIAGNOSIS-CONFIRMED", REVIEW)],
)
def test_a_diagnosis_is_made_by_interview_and_not_by_a_code(
    protocol: Protocol, indication: Indication, answer: Answer, rule: str, verdict: Verdict
) -> None:
    found = indication_findings(indication, an_interview(diagnosis_confirmed=answer), {}, protocol)
    assert (rule, verdict) in [(reason.rule, reason.verdict) for reason in found]


@pytest.mark.parametrize("indication", Indication)
def test_below_the_cut_of_its_own_scale_a_prescriber_weighs_the_risk(
    protocol: Protocol, indication: Indication
) -> None:
    name = protocol.baseline_instruments[indication][0]
    cut = protocol.screening.severity_from[name]
    for score, expected in ((cut - 1, ["SEVERITY"]), (cut, []), (None, [])):
        form = a_form(name, score=score)
        found = indication_findings(indication, an_interview(), {name: form}, protocol)
        assert [r.rule for r in found if r.rule == "SEVERITY"] == expected

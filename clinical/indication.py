"""Does this person have the condition that is to be treated, badly enough, and has the usual been tried?

One set of rules for each indication: the diagnosis confirmed by interview, the severity on the condition's own
scale, the trials of antidepressants for depression, and how good the evidence is.
Source: clinical-facts §0.4, §1.3, §1.4, §5.2, §9.
"""

from collections.abc import Mapping

from clinical.decision import Confidence, Reason, Verdict
from clinical.freshness import missing
from clinical.patient_record import Answer, AntidepressantTrial, InstrumentSummary, Interview
from clinical.protocol import Indication, Protocol

C = Confidence.CONFIRMED


def indication_findings(
    indication: Indication,
    interview: Interview,
    instruments: Mapping[str, InstrumentSummary],
    protocol: Protocol,
) -> tuple[Reason, ...]:
    """Is this what the protocol treats, and what must be true for this diagnosis?"""
    reasons: list[Reason] = [
        *_diagnosis(interview, indication),
        *_severity(indication, instruments, protocol),
    ]
    if indication not in protocol.indications:
        text = "the protocol does not treat this condition"
        reasons.append(
            Reason(
                rule="INDICATION",
                verdict=Verdict.REFUSE,
                text=text,
                source="protocol",
                value=indication.value,
            )
        )
    if indication is Indication.DEPRESSION:
        reasons += _trials(interview, protocol)
    elif indication is Indication.PTSD:
        reasons.append(_evidence("evidence in this condition is mixed", indication))
    else:
        reasons.append(_evidence("evidence in this condition is weak: no trial was found", indication))
    return tuple(reasons)


def _evidence(text: str, indication: Indication) -> Reason:
    return Reason(
        rule="EVIDENCE",
        verdict=Verdict.CAUTION,
        text=text,
        source="facts §0.4, §9",
        confidence=C,
        value=indication.value,
    )


def _trials(interview: Interview, protocol: Protocol) -> tuple[Reason, ...]:
    """Treatment-resistant depression: enough adequate trials in this episode that brought no response."""
    rules = protocol.screening
    failed = {t.drug.strip().casefold() for t in interview.antidepressant_trials if _failed(t, protocol)}
    if len(failed) >= rules.prior_antidepressant_trials_min:
        return ()
    if not interview.antidepressant_trials:
        return (missing("antidepressant-trials", "no antidepressant trials are recorded", "facts §1.4"),)
    return (
        Reason(
            rule="TRD",
            verdict=Verdict.REVIEW,
            text="too few adequate antidepressant trials without response in this episode",
            source="SPRAVATO US prescribing information; ESCAPE-TRD",
            confidence=C,
            value=str(len(failed)),
            limit=f"at least {rules.prior_antidepressant_trials_min}",
        ),
    )


def _failed(trial: AntidepressantTrial, protocol: Protocol) -> bool:
    weeks, outcome = trial.weeks, trial.outcome_percent
    return (
        trial.adequate_dose is Answer.YES
        and trial.current_episode is Answer.YES
        and weeks is not None
        and weeks >= protocol.screening.adequate_trial_weeks
        and outcome is not None
        and outcome < protocol.outcomes.response_percent
    )


def _diagnosis(interview: Interview, indication: Indication) -> tuple[Reason, ...]:
    """A referral's code is a claim; the diagnosis is made in the psychiatric interview (DSM-5-TR)."""
    if interview.diagnosis_confirmed is Answer.YES:
        return ()
    if interview.diagnosis_confirmed is Answer.UNKNOWN:
        return (missing("diagnosis-confirmed", "the diagnosis is not confirmed by interview", "facts §1.3"),)
    return (
        Reason(
            rule="DIAGNOSIS",
            verdict=Verdict.REVIEW,
            text="the interview does not confirm this diagnosis",
            source="facts §1.3: psychiatric diagnostic interview, DSM-5-TR",
            value=indication.value,
        ),
    )


def _severity(
    indication: Indication, instruments: Mapping[str, InstrumentSummary], protocol: Protocol
) -> tuple[Reason, ...]:
    """Is the condition severe enough, on its own scale, to weigh these risks? Below the cut a prescriber says."""
    names = protocol.baseline_instruments.get(indication, ())
    form = instruments.get(names[0]) if names else None
    least = protocol.screening.severity_from.get(names[0]) if names else None
    if form is None or form.score is None or least is None or form.score >= least:
        return ()  # a missing or incomplete form is a reason of its own
    return (
        Reason(
            rule="SEVERITY",
            verdict=Verdict.REVIEW,
            text=f"milder than a case on {names[0]}: are the risks worth it?",
            source="facts §5.2",
            confidence=C,
            value=f"{form.score:g}",
            unit="{score}",
            limit=f">= {least}",
            observed_at=form.completed_at,
        ),
    )

"""What must a clinician ask that no referral answers, and how does each answer count?

One row for each question about a contraindication of clinical-facts §1.1, keyed by the field of `Interview`.
An answer that nobody gave is missing. Questions about pregnancy are asked of whoever may become pregnant.
"""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from clinical.age import age_years
from clinical.contraindication_codes.finding import ABS, CAUTION, REL, Strength
from clinical.contraindications import VERDICT_OF
from clinical.decision import Confidence, Reason, Verdict
from clinical.freshness import missing, unusable
from clinical.patient_record import (
    Answer,
    HepaticImpairment,
    Interview,
    Person,
    Sex,
)
from clinical.protocol import Protocol, Screening

C, W, U = Confidence.CONFIRMED, Confidence.WELL_KNOWN, Confidence.UNCERTAIN
SPR = "SPRAVATO US prescribing information"
KET = "KETALAR US prescribing information"


class Question(NamedTuple):
    """`counts` when the answer is `bad`; the other answer is fine, no answer is missing."""

    field: str
    rule: str
    counts: Strength
    text: str
    source: str
    confidence: Confidence
    bad: Answer = Answer.YES


QUESTIONS: tuple[Question, ...] = (
    Question(
        "ketamine_allergy", "X01", ABS, "hypersensitivity to ketamine, esketamine or an excipient", SPR, C
    ),
    Question("aneurysm", "X02", ABS, "aneurysmal vascular disease", SPR, C),
    Question("arteriovenous_malformation", "X03", ABS, "arteriovenous malformation", SPR, C),
    Question("intracerebral_haemorrhage", "X04", ABS, "intracerebral haemorrhage, ever", SPR, C),
    Question(
        "pressure_rise_hazard", "X05", ABS, "a rise of blood pressure would be a serious hazard", KET, W
    ),
    Question("unstable_heart_disease", "X08", ABS, "unstable heart disease", "EU SmPC Spravato §4.4", W),
    Question(
        "significant_heart_disease", "X08", REL, "significant heart disease", "EU SmPC Spravato §4.4", W
    ),
    Question("stroke_or_tia", "X09", REL, "stroke, TIA or hypertensive encephalopathy, ever", f"{SPR} §5", W),
    Question(
        "raised_intracranial_pressure", "X10", ABS, "raised intracranial pressure, mass or shunt", SPR, C
    ),
    Question("psychosis_current", "X11", ABS, "schizophrenia, schizoaffective or active psychosis", SPR, C),
    Question("psychosis_past", "X11", REL, "psychosis in the past", "Hull 2022", C),
    Question("mania_current", "X12", ABS, "mania or hypomania now", "Hull 2022; clinic lists", C),
    Question("mania_lifetime", "X12", REL, "mania or hypomania, ever", "Hull 2022; clinic lists", C),
    Question(
        "family_psychosis", "X13", REL, "psychotic disorder in a first-degree relative", "NCT07139106", C
    ),
    Question(
        "substance_use_disorder_active", "X14", ABS, "active substance or alcohol use disorder", "CRTCE", C
    ),
    Question("illicit_use", "X15", REL, "illicit use without a disorder", "CRTCE; Field Trip", C),
    Question("ketamine_misuse", "X16", REL, "ketamine or PCP misuse, ever", "Mount Sinai KAP trial", C),
    Question("ketamine_dependence", "X16", ABS, "ketamine or PCP dependence", "Mount Sinai KAP trial", C),
    Question("hyperthyroidism_untreated", "X22", ABS, "untreated hyperthyroidism", "Edit Health; EU SmPC", W),
    Question("cystitis_or_urinary_symptoms", "X23", REL, "cystitis or unexplained urinary symptoms", SPR, C),
    Question("severe_respiratory_disease", "X24", REL, "severe respiratory disease", "EU SmPC Spravato", W),
    Question(
        "raised_intraocular_pressure", "X26", REL, "raised intra-ocular pressure or globe injury", KET, C
    ),
    Question("seizures_uncontrolled", "X27", REL, "seizures that are not controlled", KET, C),
    Question("dementia", "X28", ABS, "dementia or neurocognitive disorder", "TKC; CRTCE", C),
    Question(
        "brain_injury_or_intellectual_disability",
        "X28",
        REL,
        "symptomatic brain injury or intellectual disability that may limit consent",
        "TKC; CRTCE",
        C,
    ),
    Question(
        "suicidal_intent_or_plan",
        "X29",
        ABS,
        "suicidal intent or plan: needs another level of care",
        "Psyon; NCT07139106",
        C,
    ),
    Question(
        "suicide_attempt_recent",
        "X29",
        ABS,
        "suicide attempt within the protocol's window: needs another level of care",
        "Psyon; NCT07139106",
        C,
    ),
    Question("porphyria", "X30", REL, "acute porphyria", "general anaesthesia references", U),
    Question("capacity", "X32", ABS, "lacks capacity", "TKC; CRTCE", C, Answer.NO),
    Question("consent_able", "X32", ABS, "cannot give written consent", "TKC; CRTCE", C, Answer.NO),
    Question(
        "escort_available",
        "X33",
        CAUTION,
        "no escort: blocks a session, not the screening",
        f"{SPR}; facts §3",
        C,
        Answer.NO,
    ),
    Question("severe_personality_disorder", "X34", REL, "severe personality disorder", "Psyon", C),
    Question(
        "ketamine_failure_or_reaction",
        "X35",
        REL,
        "no response or a serious reaction to ketamine before",
        "Mount Sinai KAP trial; NCT07139106",
        C,
    ),
)

_ABOUT_PREGNANCY = (
    Question("trying_to_conceive", "X17", ABS, "trying to conceive", "SPRAVATO US PI; Field Trip", C),
    Question("breastfeeding", "X18", ABS, "breastfeeding", SPR, C),
)


def may_be_pregnant(person: Person, interview: Interview, rules: Screening, now: datetime) -> bool:
    """Must pregnancy be excluded? Whoever is not known to be unable: sex or age unknown means yes. X17."""
    if interview.pregnancy_possible is not Answer.UNKNOWN:
        return interview.pregnancy_possible is Answer.YES
    return _asked_about_pregnancy(person, rules, now)


def _asked_about_pregnancy(person: Person, rules: Screening, now: datetime) -> bool:
    if person.sex is Sex.MALE:
        return False
    ages, (low, high) = age_years(person, now), rules.child_bearing_age_years
    return ages is None or (ages[1] >= low and ages[0] <= high)


def interview_findings(
    interview: Interview, person: Person, protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    """Every answer that speaks against treatment, and every question nobody answered. Source: facts §1.1."""
    rules = protocol.screening
    reasons = [reason for question in QUESTIONS for reason in _answered(question, interview)]
    due = may_be_pregnant(person, interview, rules, now) or _asked_about_pregnancy(person, rules, now)
    own = [reason for question in _ABOUT_PREGNANCY for reason in _answered(question, interview)]
    # A yes counts whoever says it; only whoever may be concerned has to be asked.
    reasons += [reason for reason in own if due or not reason.missing]
    if interview.pregnancy_possible is Answer.UNKNOWN and _asked_about_pregnancy(person, rules, now):
        reasons.append(
            missing("pregnancy-possible", "not asked: can this person be pregnant?", "facts §1.1 X17")
        )
    reasons += [
        *unusable("interview", interview.completed_at, rules.validity.history_hours, protocol, now),
        *_cardiac_event(interview, rules, now),
        *_LIVER[interview.hepatic_impairment],
        *_sleep_apnoea(interview),
    ]
    return tuple(reasons)


def answered_no(rule: str, interview: Interview) -> bool:
    """Did the clinician deny everything that the questions of this rule ask?"""
    answers = [getattr(interview, q.field) for q in QUESTIONS if q.rule == rule and q.bad is Answer.YES]
    if rule == "X07":
        answers = [interview.cardiac_event]
    return bool(answers) and all(answer is Answer.NO for answer in answers)


def _answered(question: Question, interview: Interview) -> tuple[Reason, ...]:
    answer: Answer = getattr(interview, question.field)
    if answer is Answer.UNKNOWN:
        slug = question.field.replace("_", "-")
        return (missing(slug, f"not asked or not known: {slug}", f"facts §1.1 {question.rule}"),)
    if answer is not question.bad:
        return ()
    return (
        Reason(
            rule=question.rule,
            verdict=VERDICT_OF[question.counts],
            text=question.text,
            source=question.source,
            confidence=question.confidence,
            value=answer.value,
            observed_at=interview.completed_at,
        ),
    )


def _cardiac_event(interview: Interview, rules: Screening, now: datetime) -> tuple[Reason, ...]:
    """X07: blocked within the protocol's days of the event; older and undated ones wait for a prescriber."""
    if interview.cardiac_event is Answer.UNKNOWN:
        return (missing("cardiac-event", "not asked or not known: cardiac event", "facts §1.1 X07"),)
    if interview.cardiac_event is Answer.NO:
        return ()
    on, days = interview.cardiac_event_on, rules.cardiac_event_days
    verdict, text = Verdict.REVIEW, "a cardiac event, long ago"
    if on is None:
        text = "a cardiac event at an unknown date"
    elif now - datetime.combine(on, time.max, tzinfo=UTC) <= timedelta(days=days):
        verdict, text = Verdict.REFUSE, "a recent cardiac event"
    return (
        Reason(
            rule="X07",
            verdict=verdict,
            text=text,
            source="EU SmPC Spravato §4.3",
            confidence=W,
            value=None if on is None else on.isoformat(),
            limit=f"more than {days} d ago",
        ),
    )


_LIVER: dict[HepaticImpairment, tuple[Reason, ...]] = {
    HepaticImpairment.UNKNOWN: (
        missing("hepatic-impairment", "not known: hepatic impairment", "facts §1.1 X19"),
    ),
    HepaticImpairment.NONE: (),
    HepaticImpairment.MILD: (),
    HepaticImpairment.MODERATE: (
        Reason(
            rule="X20",
            verdict=Verdict.CAUTION,
            text="moderate hepatic impairment: observe longer",
            source=SPR,
            confidence=C,
            value=HepaticImpairment.MODERATE.value,
        ),
    ),
    HepaticImpairment.SEVERE: (
        Reason(
            rule="X19",
            verdict=Verdict.REFUSE,
            text="severe hepatic impairment (Child-Pugh C)",
            source=SPR,
            confidence=C,
            value=HepaticImpairment.SEVERE.value,
        ),
    ),
}
"""X19 and X20 by Child-Pugh class."""


def _sleep_apnoea(interview: Interview) -> tuple[Reason, ...]:
    """X24: untreated sleep apnoea waits for a prescriber (treated with a high body-mass index does, too)."""
    slug = "sleep-apnoea"
    if interview.sleep_apnoea is Answer.UNKNOWN:
        return (missing(slug, "not known: sleep apnoea", "facts §1.1 X24"),)
    if interview.sleep_apnoea is Answer.NO:
        return ()
    treated = interview.sleep_apnoea_treated is Answer.YES
    return (
        Reason(
            rule="X24",
            verdict=Verdict.CAUTION if treated else Verdict.REVIEW,
            text="sleep apnoea, treated" if treated else "sleep apnoea, not known to be treated",
            source="EU SmPC Spravato",
            confidence=W,
            value=interview.sleep_apnoea_treated.value,
        ),
    )

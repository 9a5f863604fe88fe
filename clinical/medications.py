"""Which of a person's medicines matter for ketamine, and was the list reconciled?

Only what is taken now counts: the sender's status, an end date given with it, and what the clinician was
told. Theophylline blocks; what needs a prescriber's decision waits for one; the rest warns. Whether the same-
day rules hold is asked again at each session (`clinical.pre_dose_gate`).
Source: clinical-facts §1.2 and §1.3 (reconciliation).
"""

from datetime import datetime

from clinical.contraindication_codes.lookup import wording
from clinical.contraindications import VERDICT_OF, merged
from clinical.decision import Reason, age_hours
from clinical.freshness import unusable
from clinical.medication_codes import DRUG_CLASSES, DrugClass
from clinical.patient_record import Interview, Medication
from clinical.protocol import Protocol


def is_taken(medication: Medication, now: datetime) -> bool:
    """Is this medicine taken now? A medicine without an end is."""
    return medication.current and (medication.until is None or medication.until > now)


def interactions(
    medications: tuple[Medication, ...], reported: tuple[str, ...], protocol: Protocol, now: datetime
) -> tuple[Reason, ...]:
    """Every interaction of the medicines in the referral and of those reported by name. Facts §1.2."""
    taken = [m for m in medications if is_taken(m, now)]
    taken += [Medication(text=name) for name in reported]
    return merged(
        _reason(row, medication, now)
        for medication in taken
        for row in DRUG_CLASSES
        if (row.routes is None or protocol.route in row.routes) and _is_one_of(row, medication)
    )


def reconciliation(interview: Interview, protocol: Protocol, now: datetime) -> tuple[Reason, ...]:
    """Were medicines and allergies gone through with the person recently enough? Facts §1.3."""
    valid = protocol.screening.validity.reconciliation_hours
    return (
        *unusable("medication-reconciliation", interview.medications_reconciled_at, valid, protocol, now),
        *unusable("allergy-reconciliation", interview.allergies_reconciled_at, valid, protocol, now),
    )


def _is_one_of(row: DrugClass, medication: Medication) -> bool:
    if any(c.system in ("rxnorm", "") and c.code.strip() in row.rxnorm for c in medication.codings):
        return True
    return row.names.search(wording(medication.codings, medication.text)) is not None


def _reason(row: DrugClass, medication: Medication, now: datetime) -> Reason:
    since = medication.since
    words = wording(medication.codings, medication.text)
    codes = ", ".join(f"{c.system} {c.code}".strip() for c in medication.codings)
    return Reason(
        rule=row.rule,
        verdict=VERDICT_OF[row.counts],
        text=row.what,
        source=row.source,
        confidence=row.confidence,
        value=f"{words} ({codes})" if codes else words,
        observed_at=since,
        age_hours=None if since is None else age_hours(since, now),
    )

"""What does the patient of the demonstration answer, and what is measured? Made up, but fitting the referral.

The clinic's own measurements repeat the referral's last values where it has some: somebody who was sent with
an uncontrolled pressure is measured with one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from clinical.patient_record import (
    Answer,
    ClinicalRecord,
    HepaticImpairment,
    Interview,
    MeasurementCode,
    Sex,
    WorkUpItem,
)
from clinical.protocol import Drug, Indication, Protocol
from clinical.protocol_duties import CheckCode
from clinical.screening_measurements import latest_values

GOOD_WHEN_YES = frozenset(
    {"diagnosis_confirmed", "capacity", "consent_able", "escort_available", "sleep_apnoea_treated"}
)
USUAL: dict[MeasurementCode, tuple[float, str]] = {
    MeasurementCode.SYSTOLIC: (122, "mm[Hg]"),
    MeasurementCode.DIASTOLIC: (78, "mm[Hg]"),
    MeasurementCode.HEART_RATE: (70, "/min"),
    MeasurementCode.RESPIRATORY_RATE: (14, "/min"),
    MeasurementCode.SPO2: (98, "%"),
    MeasurementCode.TEMPERATURE: (36.7, "Cel"),
    MeasurementCode.WEIGHT: (72, "kg"),
    MeasurementCode.HEIGHT: (172, "cm"),
}
RESPONSE = (18, 15, 13, 11, 9, 8, 6)
"""PHQ-9 at baseline and before each dose."""
FOLLOW_UP = (6, 5, 4, 4, 6, 7)
"""PHQ-9 at each week of follow-up."""
PEAK_MINUTES = 40
"""When the effect is strongest: at the end of an infusion, and about then after a spray or a lozenge."""
ESKETAMINE_TODAY = {"nasal_spray_free": True, "rems_setting_certified": True, "rems_patient_enrolled": True}
ITEMS = {"phq-9": (8, 3), "gad-7": (7, 3), "pcl-5": (20, 4), "pdss-sr": (7, 4)}
"""Items that carry the score and the highest answer of each; item 9 of PHQ-9 stays at zero."""
BEFORE_EACH_DOSE = (
    CheckCode.URINARY_SYMPTOMS,
    CheckCode.SUBSTANCE_USE,
    CheckCode.PRESCRIPTION_MONITORING,
)
"""What is asked at the door of every session (facts §7.1)."""


class DemoPatient:
    def __init__(self, record: ClinicalRecord, protocol: Protocol, indication: Indication) -> None:
        self._indication = indication
        self._record = record
        self._protocol = protocol
        self.may_be_pregnant = record.person.sex is Sex.FEMALE

    def measurements(self, at: datetime) -> list[dict[str, Any]]:
        """What the nurse measures at screening."""
        known = latest_values(self._record.measurements, self._protocol, at).latest
        values = {code: (known[code].value if code in known else usual) for code, (usual, _) in USUAL.items()}
        return [
            {
                "code": code,
                "value": values[code],
                "unit": unit,
                "observed_at": at.isoformat(),
                "source": "clinic",
            }
            for code, (_, unit) in USUAL.items()
        ]

    def weight_kg(self, at: datetime) -> float:
        known = latest_values(self._record.measurements, self._protocol, at).latest
        weight = known.get(MeasurementCode.WEIGHT)
        return round(weight.value if weight else USUAL[MeasurementCode.WEIGHT][0], 1)

    def resting_pressure(self, at: datetime) -> tuple[int, int]:
        known = latest_values(self._record.measurements, self._protocol, at).latest
        codes = (MeasurementCode.SYSTOLIC, MeasurementCode.DIASTOLIC)
        systolic, diastolic = (known[c].value if c in known else USUAL[c][0] for c in codes)
        return round(systolic), round(diastolic)

    def work_up(self, at: datetime) -> list[dict[str, Any]]:
        return [{"test": t, "outcome": "clear", "observed_at": at.isoformat()} for t in WorkUpItem]

    def interview(self, at: datetime) -> dict[str, Any]:
        """A history in which nothing speaks against treatment, beyond what the referral says."""
        answers: dict[str, Any] = {}
        for name, field in Interview.model_fields.items():
            if field.annotation is Answer:
                answers[name] = "yes" if name in GOOD_WHEN_YES else "no"
            elif field.annotation is HepaticImpairment:
                answers[name] = "none"
        tried = {"weeks": 8, "adequate_dose": "yes", "current_episode": "yes", "outcome_percent": 10}
        return answers | {
            "completed_at": at.isoformat(),
            "medications_reconciled_at": at.isoformat(),
            "allergies_reconciled_at": at.isoformat(),
            "antidepressant_trials": [{"drug": drug, **tried} for drug in ("fluoxetine", "venlafaxine")],
        }

    def forms(self, phq9: int) -> list[dict[str, Any]]:
        """PHQ-9 with this score, the other scales that follow it, and a C-SSRS screener without risk."""
        asked = [
            *self._protocol.baseline_instruments[self._indication],
            *self._protocol.follow_up.instruments,
        ]
        filled = []
        for name in dict.fromkeys(asked):
            if name in ITEMS:
                items, highest = ITEMS[name]
                score = phq9 if name == "phq-9" else round(phq9 / 27 * items * highest)
                answers = spread(score, items, highest) | ({"q9": 0} if name == "phq-9" else {})
                filled.append({"instrument": name, "answers": answers})
        return [*filled, {"instrument": "c-ssrs-screener", "answers": {"q1": 0, "q2": 0, "q6": 0}}]

    def check_in(self, at: datetime) -> dict[str, Any]:
        systolic, diastolic = self.resting_pressure(at)
        test = {"pregnancy_test_negative_at": at.isoformat()} if self.may_be_pregnant else {}
        return {
            "weight": {"value": self.weight_kg(at), "unit": "kg"},
            "baseline": reading(at, systolic, diastolic),
            "identifiers_confirmed": 2,
            "food_at": (at - timedelta(hours=13)).isoformat(),
            "fluids_at": (at - timedelta(hours=4)).isoformat(),
            "escort_confirmed": True,
            "substance_free": True,
            "medications_reconciled_at": at.isoformat(),
            "blocking_interactions": [],
            "other_clinic_dose": False,
            "cadss6_baseline": 0,
            "adverse_events_reviewed": True,
            "checks": self.checks(at, BEFORE_EACH_DOSE),
            **test,
            **(ESKETAMINE_TODAY if self._protocol.drug is Drug.ESKETAMINE else {}),
        }

    @staticmethod
    def checks(at: datetime, codes: Iterable[CheckCode]) -> list[dict[str, str]]:
        """Long-term checks, with nothing found."""
        return [{"code": code, "result": "normal", "at": at.isoformat()} for code in codes]

    def observation(self, at: datetime, minute: int) -> dict[str, Any]:
        """Pressure and dissociation rise for forty minutes and fade within the hour after that."""
        share = (
            minute / PEAK_MINUTES if minute <= PEAK_MINUTES else max(0.0, 1 - (minute - PEAK_MINUTES) / 45)
        )
        systolic, diastolic = self.resting_pressure(at)
        recovered = minute >= PEAK_MINUTES + 20
        body: dict[str, Any] = {
            "reading": reading(
                at, systolic + round(14 * share), diastolic + round(8 * share), moaas=5 if share < 0.6 else 4
            ),
            "cadss6": round(8 * share),
            "oriented": share < 0.6,
        }
        if recovered:
            body["padss"] = {"vital_signs": 2, "ambulation": 2, "nausea_vomiting": 2, "pain": 2}
        return body


def spread(score: int, items: int, highest: int) -> dict[str, int]:
    """Answers from 0 to the highest on so many items that add up to the score."""
    least, more = divmod(min(score, highest * items), items)
    return {f"q{n + 1}": least + (1 if n < more else 0) for n in range(items)}


def reading(at: datetime, systolic: int, diastolic: int, *, moaas: int = 5) -> dict[str, Any]:
    return {
        "systolic_mmhg": systolic,
        "diastolic_mmhg": diastolic,
        "heart_rate_per_min": 74,
        "spo2_percent": 97,
        "respiratory_rate_per_min": 14,
        "moaas": moaas,
        "taken_at": at.isoformat(),
        "device_id": "monitor-1",
    }

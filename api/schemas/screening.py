"""What is sent during screening: the clinician's interview, measurements, questionnaires, the signature."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.duties import SafetyCheckIn
from api.schemas.values import Act, Code, Day, Flag, In, Instant, Number, Whole, Words
from clinical.instruments.answers import InstrumentId
from clinical.patient_record import Interview, Measurement, WorkUpResult
from clinical.screening import Eligibility


class InterviewAnswers(Interview):
    """The clinician's structured history. Whatever is not answered stays `unknown`, which is never safe."""

    completed_at: Instant | None = None
    cardiac_event_on: Day | None = None
    medications_reconciled_at: Instant | None = None
    allergies_reconciled_at: Instant | None = None


class InterviewIn(Act):
    """One interview; a later one replaces it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "interview": {
                        "completed_at": "2026-03-04T10:00:00-05:00",
                        "ketamine_allergy": "no",
                        "psychosis_current": "no",
                        "capacity": "yes",
                        "hepatic_impairment": "none",
                        "antidepressant_trials": [
                            {
                                "drug": "sertraline",
                                "weeks": 8,
                                "adequate_dose": "yes",
                                "current_episode": "yes",
                            }
                        ],
                        "medications_reconciled_at": "2026-03-04T10:00:00-05:00",
                    }
                }
            ]
        }
    )

    interview: InterviewAnswers


class MeasurementIn(Measurement):
    """One value in its UCUM unit."""

    value: Number
    observed_at: Instant


class WorkUpIn(WorkUpResult):
    """One test or review and how it came out."""

    observed_at: Instant


class MeasurementsIn(Act):
    """What was measured and examined; later values replace earlier ones of the same kind."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "measurements": [
                        {
                            "code": "weight",
                            "value": 154,
                            "unit": "[lb_av]",
                            "observed_at": "2026-03-04T10:10:00-05:00",
                        }
                    ],
                    "work_up": [
                        {
                            "test": "pregnancy-test",
                            "outcome": "clear",
                            "observed_at": "2026-03-04T10:15:00-05:00",
                        }
                    ],
                }
            ]
        }
    )

    measurements: tuple[MeasurementIn, ...] = Field(default=(), max_length=100)
    work_up: tuple[WorkUpIn, ...] = Field(default=(), max_length=50)


class FilledIn(In):
    """One filled-in questionnaire; the score is made here, a score sent along is only compared."""

    instrument: InstrumentId
    answers: dict[Annotated[str, Field(pattern="^[a-z0-9_-]{1,32}$")], Whole] = Field(max_length=100)
    client_score: Number | None = None


class QuestionnairesIn(Act):
    """Filled-in questionnaires. A positive suicide item opens a risk case at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "questionnaires": [
                        {
                            "instrument": "phq-9",
                            "answers": {f"q{n}": 2 if n < 9 else 0 for n in range(1, 10)},
                        }
                    ]
                }
            ]
        }
    )

    questionnaires: list[FilledIn] = Field(min_length=1, max_length=12)
    on_site: Flag | None = Field(default=None, description="answered in the clinic; risk clocks differ")
    checks: tuple[SafetyCheckIn, ...] = Field(
        default=(), max_length=20, description="long-term checks, in a week of follow-up"
    )


class OverrideIn(In):
    """One finding of the rules set aside, for a reason and a time."""

    rule: Code
    reason: Words
    expires_at: Instant


class SignatureIn(Act):
    """The prescriber's decision over the rules' answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"eligibility": "eligible"}]})

    eligibility: Eligibility
    overrides: tuple[OverrideIn, ...] = Field(default=(), max_length=40)

"""Which adverse events are graded here, and what does each grade of them mean?

CTCAE v5.0, National Cancer Institute, 27 November 2017. The general grades are confirmed (C); the grades of
the terms are paraphrased from general knowledge (W) and are to be checked against the NCI file by the
clinic.
Source: clinical-facts §3.8.
"""

from enum import IntEnum, StrEnum


class Grade(IntEnum):
    """The general grades."""

    MILD = 1
    MODERATE = 2
    SEVERE = 3
    LIFE_THREATENING = 4
    DEATH = 5


GENERAL: dict[Grade, str] = {
    Grade.MILD: "mild; observation only",
    Grade.MODERATE: "moderate; minimal, local or non-invasive treatment; limits instrumental activities",
    Grade.SEVERE: "severe, not immediately life-threatening; hospitalisation; limits self-care",
    Grade.LIFE_THREATENING: "life-threatening; urgent intervention",
    Grade.DEATH: "death",
}


class Term(StrEnum):
    """The events of the table; `other` is graded by the general meaning only."""

    HYPERTENSION = "hypertension"
    NAUSEA = "nausea"
    VOMITING = "vomiting"
    DIZZINESS = "dizziness"
    SOMNOLENCE = "somnolence"
    HALLUCINATIONS = "hallucinations"
    ANXIETY = "anxiety"
    SUICIDAL_IDEATION = "suicidal-ideation"
    SUICIDE_ATTEMPT = "suicide-attempt"
    CYSTITIS = "cystitis-non-infective"
    ALT_RISE = "alt-rise"
    OTHER = "other"


_ROWS: dict[Term, tuple[str | None, str | None, str | None, str | None]] = {
    Term.HYPERTENSION: (
        "120-139 / 80-89 mm[Hg]",
        "140-159 / 90-99 mm[Hg], or a drug started",
        "from 160 / 100 mm[Hg] on, or more than one drug",
        "crisis",
    ),
    Term.NAUSEA: ("less appetite", "eats or drinks less", "intake inadequate, hospital", None),
    Term.VOMITING: (
        "no treatment",
        "intravenous fluids or treatment as outpatient",
        "hospital, tube feeding",
        "life-threatening",
    ),
    Term.DIZZINESS: ("mildly unsteady", "limits instrumental activities", "limits self-care", None),
    Term.SOMNOLENCE: (
        "mildly drowsy",
        "limits instrumental activities",
        "obtunded or stuporous",
        "life-threatening",
    ),
    Term.HALLUCINATIONS: ("mild", "moderate", "severe, no hospital", "hospital"),
    Term.ANXIETY: (
        "mild",
        "limits instrumental activities",
        "limits self-care, hospital",
        "life-threatening (agitation)",
    ),
    Term.SUICIDAL_IDEATION: (
        "thoughts of death, no wish to die",
        "ideation without plan or intent",
        "plan without serious intent",
        "plan with intent, hospital",
    ),
    Term.SUICIDE_ATTEMPT: (None, None, "attempt without intent to die", "attempt with intent"),
    Term.CYSTITIS: (
        "minimal frequency or dysuria",
        "moderate haematuria or symptoms",
        "gross haematuria, hospital",
        "life-threatening",
    ),
    Term.ALT_RISE: (
        "up to 3 times the upper limit",
        "3-5 times the upper limit",
        "5-20 times the upper limit",
        "more than 20 times the upper limit",
    ),
    Term.OTHER: (
        GENERAL[Grade.MILD],
        GENERAL[Grade.MODERATE],
        GENERAL[Grade.SEVERE],
        GENERAL[Grade.LIFE_THREATENING],
    ),
}


def meaning(term: Term, grade: Grade) -> str | None:
    """What does this grade of this term mean? None where the term has no such grade. Death is always 5."""
    if grade is Grade.DEATH:
        return GENERAL[Grade.DEATH]
    return _ROWS[term][grade - 1]

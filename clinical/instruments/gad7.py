"""GAD-7: how anxious has this person been in the last two weeks?

Seven items 0–3, total 0–21, 10 or more is a probable case. One or two gaps are filled by the mean and
flagged. Source: clinical facts §5.1–§5.5; Spitzer 2006; Toussaint 2020 (difference that matters: 4 points).
"""

from collections.abc import Mapping

from clinical.decision import Confidence
from clinical.instruments.answers import (
    ChangeRule,
    Instrument,
    InstrumentDefinition,
    InstrumentId,
    Item,
    Reading,
)
from clinical.instruments.phq9 import FREQUENCY
from clinical.instruments.totals import band, estimated_total, unanswered

BANDS = ((4, "minimal"), (9, "mild"), (14, "moderate"), (21, "severe"))
MISSING_AT_MOST = 2
CASE_FROM = 10

_ITEMS = (
    ("69725-0", "nervousness", "Feeling nervous, anxious or on edge"),
    ("68509-9", "uncontrolled worry", "Not being able to stop or control worrying"),
    ("69733-4", "worry about many things", "Worrying too much about different things"),
    ("69734-2", "tension", "Trouble relaxing"),
    ("69735-9", "restlessness", "Being so restless that it is hard to sit still"),
    ("69689-8", "irritability", "Becoming easily annoyed or irritable"),
    ("69736-7", "dread", "Feeling afraid as if something awful might happen"),
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.GAD7,
    title="Generalized Anxiety Disorder scale, 7 items",
    version="1.0",
    rater="self",
    recall="the last 2 weeks",
    stem="Over the last 2 weeks, how often have you been bothered by the following problems?",
    items=tuple(
        Item(id=f"q{n}", concept=concept, text=text, loinc=loinc, maximum=3, options=FREQUENCY)
        for n, (loinc, concept, text) in enumerate(_ITEMS, start=1)
    ),
    panel_loinc="69737-5",
    total_loinc="70274-6",
    total_range=(0, 21),
    wording="shipped",
    licence="© Pfizer Inc. No permission required to reproduce, translate, display or distribute.",
    credit=(
        "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an "
        "educational grant from Pfizer Inc."
    ),
    source="Spitzer 2006; clinical facts §5.2",
    change=ChangeRule(
        response_percent=50,
        remission_below=5,
        mcid_points=4,
        worse_points=4,
        source="Toussaint 2020; clinical facts §5.2, §7.2",
        confidence=Confidence.CONFIRMED,
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    missing = unanswered(DEFINITION.item_ids, answers)
    score = estimated_total(DEFINITION.item_ids, answers, MISSING_AT_MOST)
    if score is None:
        return Reading(None, missing)
    flags = ("case-positive",) if score >= CASE_FROM else ()
    return Reading(score, missing, band(score, BANDS), prorated=bool(missing), flags=flags)


GAD7 = Instrument(DEFINITION, read)

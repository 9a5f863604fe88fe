"""DAST-10: have drugs other than alcohol caused trouble in the last twelve months?

Ten questions, 0 (no) and 1 (yes), total 0–10. Only item 3 (able to stop at will) is reversed, and its "no"
counts only for somebody who uses at all: when item 1 is "no", item 3 scores nothing. Source: clinical facts
§0.2 T6, §5.2, §5.5. © Harvey Skinner/CAMH: the wording comes from the clinic's own content pack.
"""

from collections.abc import Mapping

from clinical.instruments.answers import Instrument, InstrumentDefinition, InstrumentId, Item, Reading
from clinical.instruments.cssrs import NO_YES
from clinical.instruments.totals import band, unanswered

BANDS = ((0, "none"), (2, "low"), (5, "moderate"), (8, "substantial"), (10, "severe"))
USES = "q1"
REVERSED = "q3"

_CONCEPTS = (
    "use other than for medical reasons",
    "more than one drug at a time",
    "able to stop at will",
    "blackouts or flashbacks",
    "guilt about use",
    "complaints from those close",
    "family neglected",
    "unlawful acts to obtain drugs",
    "withdrawal when stopping",
    "medical problems from use",
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.DAST10,
    title="Drug Abuse Screening Test, 10 items",
    version="1.0",
    rater="self",
    recall="the past 12 months",
    items=tuple(
        Item(id=f"q{n}", concept=concept, maximum=1, options=NO_YES, reverse_scored=f"q{n}" == REVERSED)
        for n, concept in enumerate(_CONCEPTS, start=1)
    ),
    total_loinc="82667-7",
    total_range=(0, 10),
    wording="content-pack",
    licence="© Harvey A. Skinner / CAMH: free for non-commercial use with credit. Not shipped.",
    credit="Harvey A. Skinner, 1982",
    source="Skinner 1982; clinical facts §5.2",
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    missing = unanswered(DEFINITION.item_ids, answers)
    if missing:
        return Reading(None, missing)
    plain = sum(value for item, value in answers.items() if item != REVERSED)
    cannot_stop = answers[USES] == 1 and answers[REVERSED] == 0
    score = float(plain + cannot_stop)
    return Reading(score, missing, band(score, BANDS))


DAST10 = Instrument(DEFINITION, read)

"""PDSS-SR: how severe was panic in the past week?

Seven items 0–4, total 0–28 as a sum (the mean on some sites is an older convention). The bands differ for
people with agoraphobia, which the form does not tell: the band given is the one without, never the milder,
and the other stands in the flags. Response is a fall of 40 %, remission 5 or less. Source: clinical facts
§0.2 T11, §5.2, §5.5; Furukawa 2009. © M. K. Shear: the wording comes from the clinic's own content pack.
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
from clinical.instruments.totals import band, total, unanswered

BANDS = ((1, "normal"), (5, "borderline"), (9, "slight"), (13, "moderate"), (28, "marked"))
BANDS_WITH_AGORAPHOBIA = ((2, "normal"), (7, "borderline"), (10, "slight"), (15, "moderate"), (28, "marked"))
SCREEN_CUTS = (8, 9)

_CONCEPTS = (
    "number of attacks",
    "distress in attacks",
    "worry about the next attack",
    "avoidance of situations",
    "avoidance of bodily sensations",
    "effect on work",
    "effect on social life",
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.PDSS_SR,
    title="Panic Disorder Severity Scale, self-report",
    version="1.0",
    rater="self",
    recall="the past week",
    items=tuple(Item(id=f"q{n}", concept=concept, maximum=4) for n, concept in enumerate(_CONCEPTS, start=1)),
    total_range=(0, 28),
    wording="content-pack",
    licence="© M. Katherine Shear: permission is asked for use. Not shipped.",
    credit="M. Katherine Shear and colleagues",
    source="Furukawa 2009; clinical facts §5.2",
    change=ChangeRule(
        response_percent=40, remission_below=6, source="Furukawa 2009; §5.2", confidence=Confidence.CONFIRMED
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    missing = unanswered(DEFINITION.item_ids, answers)
    score = total(DEFINITION.item_ids, answers)
    if score is None:
        return Reading(None, missing)
    flags = (
        f"with-agoraphobia-{band(score, BANDS_WITH_AGORAPHOBIA)}",
        *(f"at-or-above-{cut}" for cut in SCREEN_CUTS if score >= cut),
    )
    return Reading(score, missing, band(score, BANDS), flags=flags)


PDSS_SR = Instrument(DEFINITION, read)

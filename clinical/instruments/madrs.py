"""MADRS: how severe is depression in a clinician's judgement?

Ten items 0–6, total 0–60. Item 10 asks about suicidal thoughts. Remission is published as 10 or less
(ESCAPE-TRD), 12 or less (SUSTAIN, TRANSFORM) and below 10 (Hawley): the rule used here is 10 or less, and
the flags name all that are met. Source: clinical facts §5.2, §5.3, §5.5. © Br J Psychiatry / the authors:
the wording comes from the clinic's own content pack.
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

BANDS = ((6, "none"), (19, "mild"), (34, "moderate"), (60, "severe"))
REMISSION_RULES = (("remission-at-most-12", 13), ("remission-at-most-10", 11), ("remission-below-10", 10))
SUICIDE_ITEM = "q10"

_CONCEPTS = (
    "sadness seen",
    "sadness told",
    "tension",
    "less sleep",
    "less appetite",
    "concentration",
    "slowness to begin",
    "loss of feeling",
    "dark thoughts",
    "thoughts of suicide",
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.MADRS,
    title="Montgomery-Åsberg Depression Rating Scale",
    version="1.0",
    rater="clinician",
    recall="the last 7 days (a 24-hour version exists)",
    items=tuple(Item(id=f"q{n}", concept=concept, maximum=6) for n, concept in enumerate(_CONCEPTS, start=1)),
    total_range=(0, 60),
    suicide_item=SUICIDE_ITEM,
    wording="content-pack",
    licence="© The authors / British Journal of Psychiatry: permission needed. Not shipped.",
    credit="Stuart Montgomery and Marie Åsberg, 1979",
    source="Montgomery and Åsberg 1979; clinical facts §5.2",
    change=ChangeRule(
        response_percent=50,
        remission_below=11,
        mcid_points=2,
        source="ESCAPE-TRD 2023 (remission); difference 1.6-1.9, next whole point; §5.2",
        confidence=Confidence.CONFIRMED,
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    missing = unanswered(DEFINITION.item_ids, answers)
    score = total(DEFINITION.item_ids, answers)
    if score is None:
        return Reading(None, missing)
    flags = tuple(name for name, below in REMISSION_RULES if score < below)
    return Reading(score, missing, band(score, BANDS), flags=flags)


MADRS = Instrument(DEFINITION, read)

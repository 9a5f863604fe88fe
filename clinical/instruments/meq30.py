"""MEQ-30: was the session a mystical-type experience?

Thirty items 0–5, total 0–150, in four subscales; "complete" means at least 60 % of the points on every one
of them. Item ids carry their subscale because the printed forms number the items differently. Source:
clinical facts §5.2, §5.5 (the 60 % rule is W). Not an open licence: the wording comes from the clinic's own
content pack.
"""

from collections.abc import Mapping

from clinical.instruments.answers import Instrument, InstrumentDefinition, InstrumentId, Item, Reading
from clinical.instruments.totals import total, unanswered

SUBSCALES = {"mystical": 15, "positive_mood": 6, "transcendence": 6, "ineffability": 3}
MAXIMUM = 5
COMPLETE_FROM_PERCENT = 60

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.MEQ30,
    title="Mystical Experience Questionnaire, 30 items",
    version="1.0",
    rater="self",
    recall="the session, looking back",
    items=tuple(
        Item(id=f"{name}_{n}", concept=f"{name.replace('_', ' ')}, item {n} of {size}", maximum=MAXIMUM)
        for name, size in SUBSCALES.items()
        for n in range(1, size + 1)
    ),
    total_range=(0, 150),
    wording="content-pack",
    licence="Published for future research use; not an open licence. Not shipped until its authors agree.",
    credit="Barrett, Johnson and Griffiths, 2015",
    source="Barrett 2015; clinical facts §5.2",
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part. Subscales are points; `…_percent` their share."""
    missing = unanswered(DEFINITION.item_ids, answers)
    subscores: dict[str, float] = {}
    reached = True
    for name, size in SUBSCALES.items():
        points = total((f"{name}_{n}" for n in range(1, size + 1)), answers)
        if points is not None:
            subscores[name] = points
            subscores[f"{name}_percent"] = points * 100 / (size * MAXIMUM)
            reached &= points * 100 >= COMPLETE_FROM_PERCENT * size * MAXIMUM
    score = total(DEFINITION.item_ids, answers)
    if score is None:
        return Reading(None, missing, subscores=subscores)
    return Reading(score, missing, "complete" if reached else "not-complete", subscores=subscores)


MEQ30 = Instrument(DEFINITION, read)

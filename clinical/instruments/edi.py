"""EDI: how far did the sense of self dissolve in the session?

Eight visual analogue scales 0–100; the result is their mean. No bands. Source: clinical facts §5.2; Nour
2016 (CC BY, Frontiers in Human Neuroscience). The wording may be shipped with attribution, but was not
confirmed word by word, so it comes from the clinic's own content pack.
"""

from collections.abc import Mapping

from clinical.instruments.answers import Instrument, InstrumentDefinition, InstrumentId, Item, Reading
from clinical.instruments.totals import total, unanswered

SIZE = 8

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.EDI,
    title="Ego-Dissolution Inventory",
    version="1.0",
    rater="self",
    recall="the session, looking back",
    items=tuple(
        Item(id=f"q{n}", concept=f"dissolution of the self, scale {n} of {SIZE}", maximum=100)
        for n in range(1, SIZE + 1)
    ),
    total_range=(0, 100),
    wording="content-pack",
    licence="CC BY 4.0: may be shared with attribution.",
    credit="Nour, Evans, Nutt and Carhart-Harris, Front. Hum. Neurosci. 2016;10:269",
    source="Nour 2016; clinical facts §5.2",
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    points = total(DEFINITION.item_ids, answers)
    mean = None if points is None else points / SIZE
    return Reading(mean, unanswered(DEFINITION.item_ids, answers))


EDI = Instrument(DEFINITION, read)

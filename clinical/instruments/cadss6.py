"""CADSS-6: how strong is dissociation right now?

Items 1, 2, 6, 7, 15 and 22 of the 23-item scale, 0–4 each, total 0–24; its authors call the short form
unvalidated. There are no bands: it is compared with the person's own value before the dose
(`clinical/discharge.py`). Source: clinical facts §3.4, §5.2; Rodrigues 2021. © J. D. Bremner: the wording
comes from the clinic's own content pack.
"""

from collections.abc import Mapping

from clinical.instruments.answers import Instrument, InstrumentDefinition, InstrumentId, Item, Reading
from clinical.instruments.totals import total, unanswered

NUMBERS = (1, 2, 6, 7, 15, 22)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.CADSS6,
    title="Clinician-Administered Dissociative States Scale, 6 items",
    version="1.0",
    rater="clinician",
    recall="now",
    items=tuple(Item(id=f"q{n}", concept=f"item {n} of the 23-item scale", maximum=4) for n in NUMBERS),
    total_range=(0, 24),
    wording="content-pack",
    licence="© J. Douglas Bremner: available on request. Not shipped.",
    credit="J. Douglas Bremner, 1998; six-item form: Rodrigues and colleagues 2021",
    source="Rodrigues 2021; clinical facts §3.4",
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    return Reading(total(DEFINITION.item_ids, answers), unanswered(DEFINITION.item_ids, answers))


CADSS6 = Instrument(DEFINITION, read)

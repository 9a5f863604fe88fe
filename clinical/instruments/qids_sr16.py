"""QIDS-SR16: how severe was depression in the past week, by nine domains?

Sixteen items 0–3; the total 0–27 is the sum of nine domains, of which sleep, appetite/weight and
psychomotor count their worst item. Adding up all sixteen is wrong. Decreased and increased appetite (6, 7)
and weight (8, 9) are alternatives on the form: one answer of each pair is enough. Item 12 asks about death
and suicide. Source: clinical facts §0.2 T3, §5.2, §5.3, §5.5; Rush 2003. © Rush / UT Southwestern: the
wording comes from the clinic's own content pack.
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
from clinical.instruments.totals import band, unanswered

BANDS = ((5, "none"), (10, "mild"), (15, "moderate"), (20, "severe"), (27, "very-severe"))
SUICIDE_ITEM = "q12"
DOMAINS = {
    "sleep": ("q1", "q2", "q3", "q4"),
    "sad": ("q5",),
    "appetite_weight": ("q6", "q7", "q8", "q9"),
    "concentration": ("q10",),
    "self_view": ("q11",),
    "suicide": (SUICIDE_ITEM,),
    "interest": ("q13",),
    "energy": ("q14",),
    "psychomotor": ("q15", "q16"),
}
ALTERNATIVES = {"q6": "q7", "q7": "q6", "q8": "q9", "q9": "q8"}

_CONCEPTS = (
    "falling asleep",
    "sleep during the night",
    "waking too early",
    "sleeping too much",
    "sadness",
    "less appetite",
    "more appetite",
    "weight lost",
    "weight gained",
    "concentration and decisions",
    "view of oneself",
    "thoughts of death or suicide",
    "interest",
    "energy",
    "slowed down",
    "restless",
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.QIDS_SR16,
    title="Quick Inventory of Depressive Symptomatology, self-report, 16 items",
    version="1.0",
    rater="self",
    recall="the last 7 days",
    items=tuple(Item(id=f"q{n}", concept=concept, maximum=3) for n, concept in enumerate(_CONCEPTS, start=1)),
    total_range=(0, 27),
    suicide_item=SUICIDE_ITEM,
    wording="content-pack",
    licence="© A. John Rush / UT Southwestern; conditions for commercial or electronic use. Not shipped.",
    credit="A. John Rush and colleagues, 2003",
    source="Rush 2003; ids-qids.org; clinical facts §5.2",
    change=ChangeRule(
        response_percent=50, remission_below=6, source="ids-qids.org; §5.2", confidence=Confidence.CONFIRMED
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part. Domains are reported once they are complete."""
    missing = tuple(
        item for item in unanswered(DEFINITION.item_ids, answers) if ALTERNATIVES.get(item) not in answers
    )
    domains = {
        domain: float(max(answers[item] for item in items if item in answers))
        for domain, items in DOMAINS.items()
        if not set(items) & set(missing)
    }
    if missing:
        return Reading(None, missing, subscores=domains)
    score = sum(domains.values())
    return Reading(score, missing, band(score, BANDS), subscores=domains)


QIDS_SR16 = Instrument(DEFINITION, read)

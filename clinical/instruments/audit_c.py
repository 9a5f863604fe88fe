"""AUDIT-C: does this person's drinking need a closer look?

Three items 0–4, total 0–12; positive from 4 in men and from 3 in women. When the sex is not recorded as
male the lower cut is used: unknown is never safe. If all points come from the first question, consumption
is reviewed before anybody is labelled (`q1-only`). Source: clinical facts §5.2, §5.4; Bush 1998; WHO AUDIT.
"""

from collections.abc import Mapping

from clinical.instruments.answers import (
    AnswerOption,
    Instrument,
    InstrumentDefinition,
    InstrumentId,
    Item,
    Reading,
)
from clinical.instruments.totals import total, unanswered

POSITIVE_FROM_MALE = 4
POSITIVE_FROM_OTHERWISE = 3


def _options(*labels: str) -> tuple[AnswerOption, ...]:
    return tuple(AnswerOption(value=value, label=label) for value, label in enumerate(labels))


_ITEMS = (
    Item(
        id="q1",
        concept="how often",
        text="How often do you have a drink containing alcohol?",
        loinc="68518-0",
        maximum=4,
        options=_options(
            "Never",
            "Monthly or less",
            "2 to 4 times a month",
            "2 to 3 times a week",
            "4 or more times a week",
        ),
    ),
    Item(
        id="q2",
        concept="how much on a typical day",
        text="How many drinks containing alcohol do you have on a typical day when you are drinking?",
        loinc="68519-8",
        maximum=4,
        options=_options("1 or 2", "3 or 4", "5 or 6", "7 to 9", "10 or more"),
    ),
    Item(
        id="q3",
        concept="six or more at a time",
        text="How often do you have six or more drinks on one occasion?",
        loinc="68520-6",
        maximum=4,
        options=_options("Never", "Less than monthly", "Monthly", "Weekly", "Daily or almost daily"),
    ),
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.AUDIT_C,
    title="Alcohol Use Disorders Identification Test, consumption questions",
    version="1.0",
    rater="self",
    recall="the past 12 months, as typical",
    items=_ITEMS,
    panel_loinc="72109-2",
    total_loinc="75626-2",
    total_range=(0, 12),
    wording="shipped",
    licence="From the WHO AUDIT: free for non-commercial health use; ask WHO before commercial use.",
    credit="Alcohol Use Disorders Identification Test © World Health Organization; Bush and colleagues 1998",
    source="Bush 1998; clinical facts §5.2",
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to, for a person of this recorded sex (`male`, `female`, other or null)?"""
    missing = unanswered(DEFINITION.item_ids, answers)
    score = total(DEFINITION.item_ids, answers)
    if score is None:
        return Reading(None, missing)
    if score < (POSITIVE_FROM_MALE if sex == "male" else POSITIVE_FROM_OTHERWISE):
        return Reading(score, missing, "negative")
    flags = ("q1-only",) if score == answers["q1"] else ()
    return Reading(score, missing, "positive", flags=flags)


AUDIT_C = Instrument(DEFINITION, read)

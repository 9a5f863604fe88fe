"""PCL-5: how much do symptoms of post-traumatic stress bother this person, and would the DSM-5 rule be met?

Twenty items 0–4, total 0–80. There are no severity bands, only a cut point between 31 and 33, and the DSM-5
rule (items at 2 or more: one of cluster B, one of C, two of D, two of E); the two can disagree and both are
reported. Source: clinical facts §0.2 T2, §5.2, §5.5; Weathers 2013, VA National Center for PTSD (public
domain in the US). LOINC codes in public code disagree, so none is given.
"""

from collections.abc import Mapping

from clinical.decision import Confidence
from clinical.instruments.answers import (
    AnswerOption,
    ChangeRule,
    Instrument,
    InstrumentDefinition,
    InstrumentId,
    Item,
    Reading,
)
from clinical.instruments.totals import total, unanswered

CLUSTERS = {"b": range(1, 6), "c": range(6, 8), "d": range(8, 15), "e": range(15, 21)}
NEEDED = {"b": 1, "c": 1, "d": 2, "e": 2}
ENDORSED_FROM = 2
CUTS = (31, 33)

_DEGREE = tuple(
    AnswerOption(value=value, label=label)
    for value, label in enumerate(("Not at all", "A little bit", "Moderately", "Quite a bit", "Extremely"))
)
_ITEMS = (
    ("unwanted memories", "Repeated, disturbing, and unwanted memories of the stressful experience?"),
    ("dreams", "Repeated, disturbing dreams of the stressful experience?"),
    (
        "reliving",
        (
            "Suddenly feeling or acting as if the stressful experience were actually happening again (as if "
            "you were actually back there reliving it)?"
        ),
    ),
    ("upset at reminders", "Feeling very upset when something reminded you of the stressful experience?"),
    (
        "bodily reaction to reminders",
        (
            "Having strong physical reactions when something reminded you of the stressful experience (for "
            "example, heart pounding, trouble breathing, sweating)?"
        ),
    ),
    ("inner avoidance", "Avoiding memories, thoughts, or feelings related to the stressful experience?"),
    (
        "outer avoidance",
        (
            "Avoiding external reminders of the stressful experience (for example, people, places, "
            "conversations, activities, objects, or situations)?"
        ),
    ),
    ("gaps in memory", "Trouble remembering important parts of the stressful experience?"),
    (
        "negative beliefs",
        (
            "Having strong negative beliefs about yourself, other people, or the world (for example, having "
            "thoughts such as: I am bad, there is something seriously wrong with me, no one can be trusted, "
            "the world is completely dangerous)?"
        ),
    ),
    ("blame", "Blaming yourself or someone else for the stressful experience or what happened after it?"),
    ("negative feelings", "Having strong negative feelings such as fear, horror, anger, guilt, or shame?"),
    ("loss of interest", "Loss of interest in activities that you used to enjoy?"),
    ("distance from others", "Feeling distant or cut off from other people?"),
    (
        "numbness",
        (
            "Trouble experiencing positive feelings (for example, being unable to feel happiness or have "
            "loving feelings for people close to you)?"
        ),
    ),
    ("irritability", "Irritable behavior, angry outbursts, or acting aggressively?"),
    ("risk taking", "Taking too many risks or doing things that could cause you harm?"),
    ("vigilance", 'Being "superalert" or watchful or on guard?'),
    ("startle", "Feeling jumpy or easily startled?"),
    ("concentration", "Having difficulty concentrating?"),
    ("sleep", "Trouble falling or staying asleep?"),
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.PCL5,
    title="PTSD Checklist for DSM-5",
    version="1.0",
    rater="self",
    recall="the past month (a weekly version exists)",
    stem="In the past month, how much were you bothered by:",
    items=tuple(
        Item(id=f"q{n}", concept=concept, text=text, maximum=4, options=_DEGREE)
        for n, (concept, text) in enumerate(_ITEMS, start=1)
    ),
    total_range=(0, 80),
    wording="shipped",
    licence="Written by staff of the US Department of Veterans Affairs; public domain in the US.",
    credit=(
        "Weathers, F. W., Litz, B. T., Keane, T. M., Palmieri, P. A., Marx, B. P., & Schnurr, P. P. (2013). "
        "The PTSD Checklist for DSM-5 (PCL-5). National Center for PTSD, www.ptsd.va.gov"
    ),
    source="Weathers 2013; clinical facts §5.2",
    change=ChangeRule(
        mcid_points=10,
        worse_points=5,
        source="National Center for PTSD; §5.2",
        confidence=Confidence.CONFIRMED,
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part. Clusters are reported once they are complete."""
    missing = unanswered(DEFINITION.item_ids, answers)
    subscores: dict[str, float] = {}
    for cluster, numbers in CLUSTERS.items():
        ids = tuple(f"q{n}" for n in numbers)
        points = total(ids, answers)
        if points is not None:
            subscores[f"cluster_{cluster}"] = points
            subscores[f"endorsed_{cluster}"] = float(sum(answers[i] >= ENDORSED_FROM for i in ids))
    score = total(DEFINITION.item_ids, answers)
    if score is None:
        return Reading(None, missing, subscores=subscores)
    flags = tuple(f"at-or-above-{cut}" for cut in CUTS if score >= cut)
    if all(subscores[f"endorsed_{cluster}"] >= needed for cluster, needed in NEEDED.items()):
        flags = ("provisional-ptsd", *flags)
    return Reading(score, missing, subscores=subscores, flags=flags)


PCL5 = Instrument(DEFINITION, read)

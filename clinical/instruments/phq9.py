"""PHQ-9: how depressed has this person been in the last two weeks, and do they think of dying?

Nine items 0–3, total 0–27. One or two gaps are filled by the mean and flagged; item 9 never is: without it
there is no score, and nobody is cleared. Source: clinical facts §5.1–§5.5; Kroenke 2001; wording © Pfizer,
no permission required to reproduce, translate, display or distribute.
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
from clinical.instruments.totals import band, estimated_total, unanswered

FREQUENCY = (
    AnswerOption(value=0, label="Not at all", loinc="LA6568-5"),
    AnswerOption(value=1, label="Several days", loinc="LA6569-3"),
    AnswerOption(value=2, label="More than half the days", loinc="LA6570-1"),
    AnswerOption(value=3, label="Nearly every day", loinc="LA6571-9"),
)
BANDS = ((4, "minimal"), (9, "mild"), (14, "moderate"), (19, "moderately-severe"), (27, "severe"))
MISSING_AT_MOST = 2
SUICIDE_ITEM = "q9"

_ITEMS = (
    ("44250-9", "loss of interest", "Little interest or pleasure in doing things"),
    ("44255-8", "low mood", "Feeling down, depressed, or hopeless"),
    ("44259-0", "sleep", "Trouble falling or staying asleep, or sleeping too much"),
    ("44254-1", "energy", "Feeling tired or having little energy"),
    ("44251-7", "appetite", "Poor appetite or overeating"),
    (
        "44258-2",
        "view of oneself",
        "Feeling bad about yourself - or that you are a failure or have let yourself or your family down",
    ),
    (
        "44252-5",
        "concentration",
        "Trouble concentrating on things, such as reading the newspaper or watching television",
    ),
    (
        "44253-3",
        "slowed or restless",
        (
            "Moving or speaking so slowly that other people could have noticed. Or the opposite - being so "
            "fidgety or restless that you have been moving around a lot more than usual"
        ),
    ),
    (
        "44260-8",
        "thoughts of death or self-harm",
        "Thoughts that you would be better off dead, or of hurting yourself in some way",
    ),
)

DEFINITION = InstrumentDefinition(
    instrument=InstrumentId.PHQ9,
    title="Patient Health Questionnaire, 9 items",
    version="1.0",
    rater="self",
    recall="the last 2 weeks",
    stem="Over the last 2 weeks, how often have you been bothered by any of the following problems?",
    items=tuple(
        Item(id=f"q{n}", concept=concept, text=text, loinc=loinc, maximum=3, options=FREQUENCY)
        for n, (loinc, concept, text) in enumerate(_ITEMS, start=1)
    ),
    panel_loinc="44249-1",
    total_loinc="44261-6",
    total_range=(0, 27),
    suicide_item=SUICIDE_ITEM,
    wording="shipped",
    licence="© Pfizer Inc. No permission required to reproduce, translate, display or distribute.",
    credit=(
        "Developed by Drs. Robert L. Spitzer, Janet B.W. Williams, Kurt Kroenke and colleagues, with an "
        "educational grant from Pfizer Inc."
    ),
    source="Kroenke 2001; clinical facts §5.2",
    change=ChangeRule(
        response_percent=50,
        remission_below=5,
        mcid_points=5,
        worse_points=5,
        source="Kroenke 2001; Kounali 2020; clinical facts §5.2, §7.2",
        confidence=Confidence.CONFIRMED,
    ),
)


def read(answers: Mapping[str, int], sex: str | None) -> Reading:
    """What do these answers come to? `sex` plays no part."""
    missing = unanswered(DEFINITION.item_ids, answers)
    score = None
    if SUICIDE_ITEM not in missing:
        score = estimated_total(DEFINITION.item_ids, answers, MISSING_AT_MOST)
    if score is None:
        return Reading(None, missing)
    return Reading(score, missing, band(score, BANDS), prorated=bool(missing))


PHQ9 = Instrument(DEFINITION, read)

"""What do these answers come to, on this instrument?

The one door to all instruments. Faulty answers are refused whole, with every fault; incomplete ones are
scored null and name what is missing. Source of each rule: the instrument's own file.
"""

from collections.abc import Mapping

from clinical.instruments.answers import (
    Fault,
    Instrument,
    InstrumentDefinition,
    InstrumentId,
    InstrumentResult,
    InvalidAnswers,
)
from clinical.instruments.audit_c import AUDIT_C
from clinical.instruments.cadss6 import CADSS6
from clinical.instruments.cssrs import CSSRS
from clinical.instruments.dast10 import DAST10
from clinical.instruments.edi import EDI
from clinical.instruments.gad7 import GAD7
from clinical.instruments.madrs import MADRS
from clinical.instruments.meq30 import MEQ30
from clinical.instruments.pcl5 import PCL5
from clinical.instruments.pdss_sr import PDSS_SR
from clinical.instruments.phq9 import PHQ9
from clinical.instruments.qids_sr16 import QIDS_SR16

__all__ = ["INSTRUMENTS", "Fault", "InvalidAnswers", "definition", "faults", "score"]

INSTRUMENTS: Mapping[InstrumentId, Instrument] = {
    entry.definition.instrument: entry
    for entry in (
        PHQ9, GAD7, PCL5, CSSRS, AUDIT_C, DAST10, PDSS_SR, QIDS_SR16, MADRS, CADSS6, MEQ30, EDI,
    )
}  # fmt: skip


def definition(instrument: InstrumentId) -> InstrumentDefinition:
    """The items, ranges, codes and rights of an instrument."""
    return INSTRUMENTS[instrument].definition


def faults(instrument: InstrumentId, answers: Mapping[str, int]) -> tuple[Fault, ...]:
    """Everything that is wrong with these answers: unknown items, no whole number, out of range."""
    items = {item.id: item for item in definition(instrument).items}
    found = []
    for name, value in answers.items():
        item = items.get(name)
        if item is None:
            found.append(Fault(name, f"not an item of {instrument}"))
        elif type(value) is not int:
            found.append(Fault(name, "not a whole number"))
        elif not item.minimum <= value <= item.maximum:
            found.append(Fault(name, f"{value} is not between {item.minimum} and {item.maximum}"))
    return tuple(found)


def score(
    instrument: InstrumentId,
    answers: Mapping[str, int],
    *,
    sex: str | None = None,
    client_score: float | None = None,
) -> InstrumentResult:
    """Score a form. `sex` (male, female, other, null) matters to the AUDIT-C; `client_score` is compared.

    Raises `InvalidAnswers` with all faults; never anything else.
    """
    wrong = faults(instrument, answers)
    if wrong:
        raise InvalidAnswers(wrong)
    entry = INSTRUMENTS[instrument]
    reading = entry.read(answers, sex)
    item = entry.definition.suicide_item
    return InstrumentResult(
        instrument=instrument,
        version=entry.definition.version,
        answers=dict(answers),
        score=reading.score,
        band=reading.band,
        complete=not reading.missing,
        missing=reading.missing,
        prorated=reading.prorated,
        subscores=dict(reading.subscores),
        flags=reading.flags,
        suicide_item=None if item is None else answers.get(item),
        risk_level=reading.risk_level,
        status="completed" if reading.prorated or not reading.missing else "in-progress",
        client_score=client_score,
    )

"""In which words may a questionnaire be shown to a patient, in this language?

English where the instrument's own rights let its wording ship; Spanish for the two whose owner lets anybody
translate and show them (`packs/`); everything else from the clinic's own content packs, one YAML file for each
instrument and language, which it supplies with its permission. Without words a form is not shown: it is then
asked by phone or at the clinic. What a clinician rates is never shown.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from pydantic import ValidationError

from clinical.instruments.answers import InstrumentDefinition, InstrumentId
from clinical.instruments.content_pack import ContentPack, InvalidContentPack, worded
from clinical.instruments.registry import definition

SHIPPED = Path(__file__).parent / "packs"
OWN_LANGUAGE = "en"


class PacksInvalid(Exception):
    """Some content packs cannot be used; `faults` has a line for each."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Wording:
    """Worded instruments by id and language."""

    def __init__(self, packs: Iterable[ContentPack] = ()) -> None:
        self._worded: Mapping[tuple[InstrumentId, str], InstrumentDefinition] = {
            (pack.instrument, pack.language.partition("-")[0]): worded(definition(pack.instrument), pack)
            for pack in packs
        }

    def of(self, instrument: InstrumentId, language: str) -> InstrumentDefinition | None:
        """The instrument with words for every item and answer, or None."""
        own = definition(instrument)
        if own.rater != "self":
            return None
        found = self._worded.get((instrument, language))
        if found is None and own.wording == "shipped" and language == OWN_LANGUAGE:
            found = own
        if found is None or not all(item.text and item.options for item in found.items):
            return None
        return found


def wording_of(folder: str | None) -> Wording:
    """The shipped words, and over them those of the clinic's folder. Raises PacksInvalid with every fault."""
    packs, faults = [], []
    for path in (*_files(SHIPPED), *(_files(Path(folder)) if folder else ())):
        try:
            pack = ContentPack.model_validate(yaml.safe_load(path.read_text()))
            worded(definition(pack.instrument), pack)
            packs.append(pack)
        except (OSError, ValueError, yaml.YAMLError, ValidationError, InvalidContentPack) as fault:
            faults.append(f"{path.name}: {_in_a_line(fault)}")
    if faults:
        raise PacksInvalid(tuple(faults))
    return Wording(packs)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def _in_a_line(fault: Exception) -> str:
    if isinstance(fault, InvalidContentPack):
        return str(fault)
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in fault.errors())
    return type(fault).__name__

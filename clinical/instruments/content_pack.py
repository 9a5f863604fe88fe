"""May this clinic's own wording be shown for an instrument we ship without words?

A content pack is data the clinic supplies together with its permission; reading the file is not done here.
A pack must name every item of the definition exactly once and nothing else: half a questionnaire is not
that questionnaire. Source: clinical facts §5.1 (rights).
"""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from clinical.instruments.answers import AnswerOption, Fault, InstrumentDefinition, InstrumentId, Item

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


class ContentPack(BaseModel):
    """The words of one instrument in one language, and by whose leave they are used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument: InstrumentId
    version: Text
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
    permission: Text
    permitted_on: date
    stem: Text | None = None
    items: dict[str, Text]
    labels: tuple[Text, ...] = ()
    """The words of the answers, lowest first, where all items share one scale; none: as the definition has them."""


class InvalidContentPack(ValueError):
    """The pack does not fit its instrument; `faults` lists everything that is wrong."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.item}: {fault.detail}" for fault in faults))
        self.faults = faults


def worded(definition: InstrumentDefinition, pack: ContentPack) -> InstrumentDefinition:
    """The same instrument with the clinic's words; scoring does not change, the version names both.

    Raises `InvalidContentPack` with every fault at once.
    """
    faults = [Fault(item, "no wording") for item in definition.item_ids if item not in pack.items]
    faults += [Fault(item, "unknown item") for item in pack.items if item not in definition.item_ids]
    if pack.labels:
        faults += [
            Fault(item.id, f"{len(item.options)} answers, {len(pack.labels)} labels")
            for item in definition.items
            if len(item.options) != len(pack.labels)
        ]
    if pack.instrument is not definition.instrument:
        faults.insert(0, Fault("instrument", f"{pack.instrument} is not {definition.instrument}"))
    if faults:
        raise InvalidContentPack(tuple(faults))
    items = tuple(
        item.model_copy(update={"text": pack.items[item.id], "options": _labelled(item, pack)})
        for item in definition.items
    )
    version = f"{definition.version}+{pack.language}.{pack.version}"
    return definition.model_copy(update={"items": items, "stem": pack.stem, "version": version})


def _labelled(item: Item, pack: ContentPack) -> tuple[AnswerOption, ...]:
    if not pack.labels:
        return item.options
    return tuple(
        option.model_copy(update={"label": label})
        for option, label in zip(item.options, pack.labels, strict=True)
    )

"""Which questions does a patient's questionnaire have, one on each screen, and which answer cannot wait?

The protocol names the instruments. What has no words in the patient's language, and what a clinician rates,
is not shown: the clinic asks it.
"""

from datetime import datetime
from typing import NamedTuple

from clinical.instruments.answers import InstrumentDefinition, InstrumentId, Item
from clinical.instruments.registry import definition, score
from clinical.protocol import Indication, Protocol
from clinical.risk import finding
from services.links.drafts import Draft
from services.questionnaires.wording import Wording


class Screen(NamedTuple):
    """One question on one page, numbered from 1."""

    number: int
    form: InstrumentDefinition
    item: Item

    def given(self, draft: Draft) -> int | None:
        return draft.answers.get(self.form.instrument, {}).get(self.item.id)


class Questions(NamedTuple):
    """All screens; `elsewhere` when there are forms that can only be asked by the clinic."""

    screens: tuple[Screen, ...]
    elsewhere: bool

    def open(self, draft: Draft) -> list[Screen]:
        return [screen for screen in self.screens if screen.given(draft) is None]


def instruments(part: str, indication: str, protocol: Protocol) -> tuple[InstrumentId, ...]:
    """What is asked in this part of a course, in the protocol's order."""
    baseline = protocol.baseline_instruments.get(Indication(indication), ())
    asked = (*protocol.follow_up.instruments, *baseline[:1]) if part.startswith("follow-up/") else baseline
    return tuple(dict.fromkeys(InstrumentId(name) for name in asked))


def questions(asked: tuple[InstrumentId, ...], wording: Wording, language: str) -> Questions:
    forms = [wording.of(name, language) for name in asked]
    items = [(form, item) for form in forms if form is not None for item in form.items]
    screens = tuple(Screen(number, form, item) for number, (form, item) in enumerate(items, start=1))
    return Questions(screens, elsewhere=None in forms)


def cannot_wait(screen: Screen, form: dict[str, int], protocol: Protocol, now: datetime) -> bool:
    """Is this the suicide item, answered so that it opens a risk case? By the rules that judge whole forms."""
    if screen.item.id != definition(screen.form.instrument).suicide_item:
        return False
    return finding(score(screen.form.instrument, form), None, False, now, protocol) is not None

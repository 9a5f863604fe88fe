"""Does the drawing show every wait, loop and ending, and is it Mermaid whatever the clinic writes?"""

import re

import pytest

from clinical.protocol import Protocol
from clinical.protocol_document import waits
from clinical.protocol_draw import drawn
from clinical.protocol_draw_arrows import arrows
from clinical.protocol_draw_boxes import boxes
from tests.clinical.protocols.documents import DOCUMENTS, NAMES, changed, shipped

TEXT = r'"[^"\n]*"'
LINE = re.compile(
    "|".join(
        (
            r"flowchart TD",
            rf"  title\[{TEXT}\] --- \w+",
            rf"  \w+(\[{TEXT}\]|\({TEXT}\)|\{{{TEXT}\}}|\(\[{TEXT}\]\))",
            rf"  \w+ (-->|-\.->)(\|{TEXT}\|)? \w+",
            r"  classDef (wait|ending) [\w:#,-]+",
            r"  class \w+(,\w+)* (wait|ending)",
        )
    )
)
"""The part of Mermaid's grammar that is used: mermaid 11 parses every drawing made of these lines."""
RESERVED = {"end", "graph", "subgraph", "flowchart", "class", "classDef", "click", "style", "default"}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_mermaid(name: str) -> None:
    for line in drawn(shipped(name)).splitlines():
        assert LINE.fullmatch(line), line
    assert not RESERVED & {box.id for box in boxes(shipped(name))}


@pytest.mark.parametrize("name", NAMES)
def test_every_wait_stands_there_with_owner_and_deadlines(name: str) -> None:
    """Each wait is given an owner's hours of its own, so that no other box can show them for it."""
    edits = []
    for number, wait in enumerate(waits(DOCUMENTS[name])):
        edits += [
            (f"{wait.pointer}/due_hours", 1000.5 + number),
            (f"{wait.pointer}/give_up_hours", 2000.5 + number),
        ]
    text = drawn(Protocol.model_validate(changed(name, *edits)))
    for number, wait in enumerate(waits(DOCUMENTS[name])):
        assert f"{wait.owner}: due {1000.5 + number:g} h, at most {2000.5 + number:g} h" in text, wait.pointer


@pytest.mark.parametrize("name", NAMES)
def test_every_box_is_reached_and_led_on(name: str) -> None:
    protocol = shipped(name)
    kinds = {box.id: box.kind for box in boxes(protocol)}
    assert len(kinds) == len(boxes(protocol))
    ways = [(arrow.start, arrow.end) for arrow in arrows(protocol)]
    assert {box for way in ways for box in way} == set(kinds)
    reached = found = {"book_consultation", "risk"}
    while found:
        found = {end for start, end in ways if start in reached} - reached
        reached = reached | found
    assert reached == set(kinds)
    told_at_the_edge = {"explain", "rems", *(box for box in kinds if box.startswith(("check_", "caring_")))}
    for box, kind in kinds.items():
        leads_on = any(start == box for start, _ in ways)
        assert leads_on == (kind != "ending" and box not in told_at_the_edge), box


@pytest.mark.parametrize("name", NAMES)
def test_a_wait_says_what_happens_when_nobody_does_it(name: str) -> None:
    protocol = shipped(name)
    broken = {arrow.start for arrow in arrows(protocol) if arrow.broken}
    for box in boxes(protocol):
        if box.kind == "wait" and box.id not in ("explain",) and not box.id.startswith(("check_", "caring_")):
            assert box.id in broken, box.id


def test_the_numbers_are_this_protocols() -> None:
    text = drawn(shipped("esketamine-rems"))
    for said in (
        "day 1 56 mg, then 56 or 84 mg",
        "5 min between two devices",
        "at least 120 min after the first dose, nobody may shorten it",
        "weeks 5 to 8",
        "weeks 9 and on",
        "no other nasal spray for 1 h",
        "2 from Monday to Sunday",
        "due within 7 d of each dose",
        "asked 72, 24, 2 h before",
    ):
        assert said in text
    assert "1 booster, 15 to 30 min after the first dose" in drawn(shipped("im-racemic"))
    assert "first 200 mg" in drawn(shipped("sl-racemic"))
    assert "over 40 min" in drawn(shipped("iv-racemic"))
    assert "REMS" not in drawn(shipped("iv-racemic"))
    assert "medical director above 0.75 mg/kg" in drawn(shipped("iv-racemic"))
    unlimited = Protocol.model_validate(changed("iv-racemic", ("/plan/director_above_mg_per_kg", None)))
    assert "director above" not in drawn(unlimited)


def test_without_preparation_there_is_none_to_wait_for() -> None:
    protocol = Protocol.model_validate(changed("iv-racemic", ("/therapy/preparation_sessions", 0)))
    assert "prepare" not in {box.id for box in boxes(protocol)}
    assert "preparation session" not in drawn(protocol)


@pytest.mark.parametrize(
    "title",
    ['a"] --> b["c', "line\nflowchart LR", "%%{init: {}}%%", "a;b", "<script>x</script>", "`code` #quot; \\"],
)
def test_nothing_that_a_clinic_writes_breaks_out(title: str) -> None:
    protocol = Protocol.model_validate(changed("iv-racemic", ("/title", title), ("/notice", title)))
    for line in drawn(protocol).splitlines():
        assert LINE.fullmatch(line), line
    assert "<script>" not in drawn(protocol)

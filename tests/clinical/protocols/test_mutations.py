"""Does the check answer whatever number stands in a protocol: sound, or a fault with its place, and never an error?"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clinical.event_budget import estimate
from clinical.protocol import Protocol
from clinical.protocol_check import faults
from clinical.protocol_diff import changes, told
from clinical.protocol_document import as_document, numbers, value_at, values
from clinical.protocol_draw import drawn
from tests.clinical.protocols.documents import DOCUMENTS, NAMES, changed, shipped

PLACES = [(name, pointer) for name in NAMES for pointer, _ in numbers(DOCUMENTS[name])]
AS_SHIPPED = {name: shipped(name) for name in NAMES}
NUMBERS = (
    st.integers(-1, 12)
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.floats(0.001, 300)
)
_SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def mutated(name: str, *edits: tuple[str, Any]) -> Protocol | None:
    """The protocol with these values, None when the fields alone refuse them."""
    try:
        return Protocol.model_validate(changed(name, *edits))
    except ValidationError:
        return None


@_SLOW
@given(place=st.sampled_from(PLACES), number=NUMBERS)
def test_one_number_changed_is_sound_or_a_fault_with_its_place(place: tuple[str, str], number: float) -> None:
    name, pointer = place
    protocol = mutated(name, (pointer, number))
    if protocol is None:
        return
    found = faults(protocol)
    document = as_document(protocol)
    for fault in found:
        value_at(document, fault.pointer)
        assert fault.detail
    was = value_at(DOCUMENTS[name], pointer)
    if number == was:
        assert found == ()
    # What a change of one number breaks depends on that number.
    for fault in found:
        near = (fault.pointer, *fault.involves)
        assert any(f"{pointer}/".startswith(f"{one}/") or f"{one}/".startswith(f"{pointer}/") for one in near)
    estimate(protocol)
    drawn(protocol)


@_SLOW
@given(place=st.sampled_from(PLACES), number=NUMBERS)
def test_a_changed_number_is_told_and_nothing_else(place: tuple[str, str], number: float) -> None:
    name, pointer = place
    before = mutated(name)
    after = mutated(name, (pointer, number))
    assert before is not None
    if after is None:
        return
    found = changes(before, after)
    if as_document(before) == as_document(after):
        assert found == ()
        return
    assert len(found) == 1
    assert f"{pointer}/".startswith(f"{found[0].pointer}/")
    assert found[0].before != found[0].after


@_SLOW
@given(pair=st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), data=st.data())
def test_every_value_that_differs_is_told_once(pair: tuple[str, str], data: st.DataObject) -> None:
    places = [pointer for name, pointer in PLACES if name == pair[1]]
    edits = data.draw(st.lists(st.tuples(st.sampled_from(places), NUMBERS), max_size=4))
    before, after = AS_SHIPPED[pair[0]], mutated(pair[1], *edits)
    if after is None:
        return
    told_of = [change.pointer for change in changes(before, after)]
    assert len(set(told_of)) == len(told_of)
    old, new = dict(values(as_document(before))), dict(values(as_document(after)))
    # A list of mappings that is empty on one side is a value there and a container on the other.
    for pointer in {*old, *new}:
        differs = (pointer in old) != (pointer in new) or old[pointer] != new[pointer]
        within = [one for one in told_of if one == pointer or one.startswith(f"{pointer}/")]
        assert bool(within) == differs, pointer
    assert (told(before, after) == "no difference") == (as_document(before) == as_document(after))

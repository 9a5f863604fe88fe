"""Is every instrument whole, coded where confirmed, and worded only where its rights allow?"""

from datetime import date

import pytest

from clinical.instruments.answers import InstrumentId
from clinical.instruments.content_pack import ContentPack, InvalidContentPack, worded
from clinical.instruments.registry import INSTRUMENTS, definition

MAY_SHIP_WORDING = {
    InstrumentId.PHQ9,
    InstrumentId.GAD7,
    InstrumentId.PCL5,
    InstrumentId.AUDIT_C,
    InstrumentId.EDI,
}
SIZES = {
    InstrumentId.PHQ9: 9, InstrumentId.GAD7: 7, InstrumentId.PCL5: 20, InstrumentId.CSSRS: 7,
    InstrumentId.AUDIT_C: 3, InstrumentId.DAST10: 10, InstrumentId.PDSS_SR: 7, InstrumentId.QIDS_SR16: 16,
    InstrumentId.MADRS: 10, InstrumentId.CADSS6: 6, InstrumentId.MEQ30: 30, InstrumentId.EDI: 8,
}  # fmt: skip


@pytest.mark.parametrize("instrument", InstrumentId)
def test_every_instrument_is_there_with_all_its_items(instrument: InstrumentId) -> None:
    found = definition(instrument)
    assert found.instrument is instrument
    assert len(found.items) == len(set(found.item_ids)) == SIZES[instrument]
    assert found.suicide_item is None or found.suicide_item in found.item_ids
    assert found.licence
    assert found.credit
    for item in found.items:
        assert item.concept
        assert not item.options or [option.value for option in item.options] == list(range(item.maximum + 1))


@pytest.mark.parametrize("instrument", InstrumentId)
def test_wording_is_shipped_only_where_rights_allow(instrument: InstrumentId) -> None:
    found = definition(instrument)
    texts = [item.text for item in found.items]
    if found.wording == "shipped":
        assert instrument in MAY_SHIP_WORDING
        assert all(texts)
    else:
        assert not any(texts)
        assert found.stem is None


def test_suicide_items() -> None:
    asked = {i: e.definition.suicide_item for i, e in INSTRUMENTS.items() if e.definition.suicide_item}
    assert asked == {InstrumentId.PHQ9: "q9", InstrumentId.QIDS_SR16: "q12", InstrumentId.MADRS: "q10"}


def test_loinc_codes_of_clinical_facts_5_4() -> None:
    phq9, gad7 = definition(InstrumentId.PHQ9), definition(InstrumentId.GAD7)
    assert (phq9.panel_loinc, phq9.total_loinc) == ("44249-1", "44261-6")
    assert [item.loinc for item in phq9.items] == [
        "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8",
    ]  # fmt: skip
    assert (gad7.panel_loinc, gad7.total_loinc) == ("69737-5", "70274-6")
    assert [item.loinc for item in gad7.items] == [
        "69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7",
    ]  # fmt: skip
    assert [item.loinc for item in definition(InstrumentId.CSSRS).items] == [
        "93246-7", "93247-5", "93248-3", "93249-1", "93250-9", "93267-3", "93269-9",
    ]  # fmt: skip
    assert definition(InstrumentId.AUDIT_C).total_loinc == "75626-2"
    assert definition(InstrumentId.DAST10).total_loinc == "82667-7"
    assert definition(InstrumentId.PCL5).total_loinc is None


def _pack(instrument: InstrumentId, **items: str) -> ContentPack:
    return ContentPack(
        instrument=instrument,
        version="2026.1",
        language="en-US",
        permission="letter of the rights holder",
        permitted_on=date(2026, 1, 5),
        stem="Please answer:",
        items=items,
    )


def test_a_content_pack_gives_words_and_changes_nothing_else() -> None:
    bare = definition(InstrumentId.MADRS)
    full = worded(bare, _pack(InstrumentId.MADRS, **{item: f"words of {item}" for item in bare.item_ids}))
    assert [item.text for item in full.items] == [f"words of {item}" for item in bare.item_ids]
    assert full.stem == "Please answer:"
    assert full.version == "1.0+en-US.2026.1"
    assert [item.model_copy(update={"text": None}) for item in full.items] == list(bare.items)


def test_a_content_pack_that_does_not_fit_is_refused_with_every_fault() -> None:
    bare = definition(InstrumentId.CADSS6)
    with pytest.raises(InvalidContentPack) as raised:
        worded(bare, _pack(InstrumentId.MADRS, q1="one", q2="two", q3="three"))
    assert [fault.item for fault in raised.value.faults] == ["instrument", "q6", "q7", "q15", "q22", "q3"]
    assert "q22" in str(raised.value)


def test_a_content_pack_may_word_the_answers_where_all_items_share_them() -> None:
    words, labels = {f"q{n}": f"p{n}" for n in range(1, 10)}, ("nunca", "a veces", "mucho", "siempre")
    pack = _pack(InstrumentId.PHQ9, **words).model_copy(update={"labels": labels})
    full = worded(definition(InstrumentId.PHQ9), pack)
    assert {tuple(option.label for option in item.options) for item in full.items} == {labels}
    assert [option.value for option in full.items[8].options] == [0, 1, 2, 3]
    with pytest.raises(InvalidContentPack, match="4 answers, 2 labels"):
        worded(definition(InstrumentId.PHQ9), pack.model_copy(update={"labels": labels[:2]}))

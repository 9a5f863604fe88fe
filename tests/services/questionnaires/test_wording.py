"""Are questionnaires shown only in words that may be shown, and is the clinic's own folder checked as a whole?"""

from pathlib import Path

import pytest

from clinical.instruments.answers import InstrumentId
from services.questionnaires.wording import SHIPPED, PacksInvalid, wording_of


def test_what_has_no_words_and_what_a_clinician_rates_is_not_shown() -> None:
    words = wording_of(None)
    shown = {
        language: {one for one in InstrumentId if words.of(one, language)} for language in ("en", "es", "fr")
    }
    assert shown == {
        "en": {InstrumentId.PHQ9, InstrumentId.GAD7, InstrumentId.PCL5, InstrumentId.AUDIT_C},
        "es": {InstrumentId.PHQ9, InstrumentId.GAD7},
        "fr": set(),
    }
    assert all(words.of(one, "en") is None for one in (InstrumentId.CSSRS, InstrumentId.MADRS))


def test_a_clinic_brings_its_own_words(tmp_path: Path) -> None:
    own = (SHIPPED / "phq-9.es.yaml").read_text().replace("Poco interés", "Muy poco interés")
    (tmp_path / "mine.yaml").write_text(own)
    found = wording_of(str(tmp_path)).of(InstrumentId.PHQ9, "es")
    assert found is not None and found.items[0].text == "Muy poco interés o placer en hacer cosas"


def test_every_pack_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("instrument: phq-9\n")
    (tmp_path / "b.yaml").write_text("{")
    half = (SHIPPED / "gad-7.es.yaml").read_text().rpartition("  q7")[0]
    (tmp_path / "c.yaml").write_text(half)
    with pytest.raises(PacksInvalid) as raised:
        wording_of(str(tmp_path))
    assert [fault.partition(":")[0] for fault in raised.value.faults] == ["a.yaml", "b.yaml", "c.yaml"]
    assert "q7: no wording" in str(raised.value)

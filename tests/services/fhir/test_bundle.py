"""Is exactly a FHIR R4 Bundle about one person read, whatever is wrong inside it?"""

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.fhir.bundle import LARGEST_BYTES, UnreadableBundle, read_referral
from tests.services.fhir.bundles import (
    PATIENT_ID,
    a_bundle,
    a_condition,
    a_patient,
    a_prescription,
    an_observation,
    concept,
)

SAMPLE = json.loads((Path(__file__).parents[2] / "fixtures/referrals/bonnie-marvin.json").read_text())


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'{"resourceType": "Patient"}', "'Patient', not Bundle"),
        (b"{}", "missing, not Bundle"),
        (b'{"resourceType": 3}', "missing, not Bundle"),
        (b'{"resourceType": "Bundle"}', "0 Patient"),
        (b'{"resourceType": "Bundle", "entry": 3}', "entry is not a list"),
        (b'{"resourceType": "Bundle", "x": NaN}', "impossible number"),
        (b"[" * 100_000, "too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "impossible number"),
    ],
)
def test_what_is_no_bundle_gets_one_clear_line(raw: bytes, says: str) -> None:
    with pytest.raises(UnreadableBundle, match=says) as caught:
        read_referral(raw)
    assert "\n" not in str(caught.value)


def test_two_people_are_too_many() -> None:
    with pytest.raises(UnreadableBundle, match="2 Patient"):
        read_referral(a_bundle(a_patient(id="other")))


def test_bytes_text_and_parsed_json_are_the_same() -> None:
    bundle = a_bundle(a_condition(concept("84757009", "Epilepsy")))
    written = json.dumps(bundle)
    assert read_referral(written) == read_referral(written.encode()) == read_referral(bundle)
    assert read_referral(b"\xef\xbb\xbf" + written.encode()) == read_referral(bundle)
    assert read_referral("\ufeff" + written) == read_referral(bundle)


def test_a_file_too_large_is_not_parsed() -> None:
    with pytest.raises(UnreadableBundle, match="larger than 64 MiB"):
        read_referral(b" " * (LARGEST_BYTES + 1))


def test_the_senders_id_is_kept() -> None:
    assert read_referral(a_bundle()).source_id == PATIENT_ID


def test_resources_of_other_kinds_are_left_out() -> None:
    record = read_referral(a_bundle({"resourceType": "Claim"}, {"resourceType": "Encounter"})).record
    assert record.unreadable == ()


def test_an_entry_without_a_resource_is_pointed_out() -> None:
    bundle = a_bundle()
    bundle["entry"].append({"fullUrl": "urn:uuid:x"})
    (fault,) = read_referral(bundle).record.unreadable
    assert fault.pointer == "/entry/1/resource"


@pytest.mark.parametrize(
    "reference",
    [f"urn:uuid:{PATIENT_ID}", f"Patient/{PATIENT_ID}", f"https://ehr.example/Patient/{PATIENT_ID}"],
)
def test_the_patient_is_recognised_however_referred_to(reference: str) -> None:
    condition = a_condition(concept("84757009"), subject={"reference": reference})
    assert len(read_referral(a_bundle(condition)).record.conditions) == 1


def test_what_is_about_somebody_else_is_pointed_out_and_not_used() -> None:
    condition = a_condition(concept("84757009"), subject={"reference": "urn:uuid:somebody"})
    record = read_referral(a_bundle(condition)).record
    assert record.conditions == ()
    assert [fault.text for fault in record.unreadable] == ["a Condition is about somebody else"]


def test_an_entry_that_names_nobody_is_the_patients() -> None:
    condition = a_condition(concept("84757009"))
    del condition["subject"]
    assert len(read_referral(a_bundle(condition)).record.conditions) == 1


def test_a_relatives_disease_is_read_as_a_relatives() -> None:
    def history(kin: str, **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "FamilyMemberHistory",
            "status": "completed",
            "patient": {"reference": f"Patient/{PATIENT_ID}"},
            "relationship": {"coding": [{"code": kin}]},
            "condition": [{"code": concept("58214004", "Schizophrenia")}],
        } | more

    def conditions(resource: dict[str, Any]) -> list[bool]:
        return [c.of_relative for c in read_referral(a_bundle(resource)).record.conditions]

    assert conditions(history("MTH")) == [True]
    assert conditions(history("COUSN")) == []
    assert conditions(history("MTH", relationship={"text": "mother"})) == [True]
    assert conditions(history("MTH", status="entered-in-error")) == []


def test_text_that_no_database_can_store_is_cleaned() -> None:
    condition = a_condition({"text": "Epi\u0000lepsy\ud800 \u200b of\nold"})
    record = read_referral(json.dumps(a_bundle(condition))).record
    assert record.conditions[0].text == "Epilepsy of old"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, item in inner for place in _places(item, (*path, key))]


RICH = a_bundle(
    a_condition(concept("84757009", "Epilepsy"), onsetDateTime="2001", abatementDateTime="2002-03"),
    a_prescription(concept("3322", "Diazepam"), authoredOn="2026-01-01"),
    an_observation("29463-7", 80, "kg"),
    {
        "resourceType": "AllergyIntolerance",
        "code": concept("6130", "Ketamine"),
        "reaction": [{"substance": {}}],
    },
    {"resourceType": "FamilyMemberHistory", "condition": [{"code": concept("58214004")}]},
    patient=a_patient(name=[{"given": ["A"], "family": "B"}], telecom=[{"system": "phone", "value": "1"}]),
)
PLACES = _places(RICH)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), value=json_values)
def test_one_broken_place_never_breaks_the_reader(place: tuple[Any, ...], value: Any) -> None:
    bundle = copy.deepcopy(RICH)
    target: Any = bundle
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    with contextlib.suppress(UnreadableBundle):
        read_referral(bundle)


@given(raw=st.binary(max_size=60) | st.text(max_size=60) | st.dictionaries(st.text(max_size=4), json_values))
def test_anything_else_is_unreadable(raw: Any) -> None:
    with pytest.raises(UnreadableBundle):
        read_referral(raw)


def test_order_does_not_matter() -> None:
    backwards = SAMPLE | {"entry": SAMPLE["entry"][::-1]}
    one, other = read_referral(SAMPLE).record, read_referral(backwards).record
    assert {m.text for m in one.medications} == {m.text for m in other.medications}
    assert len(one.measurements) == len(other.measurements)

"""Are all faults of a protocol listed at once, and is only a signed one used in production?"""

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinical.people import Role
from clinical.protocol import Protocol, Signature
from clinical.protocol_check import faults
from clinical.protocol_document import unit_of, value_at
from services.protocols import (
    SHIPPED,
    ProtocolInvalid,
    load_protocol,
    read_protocol,
    shipped,
    verify_signature,
)

# Unsigned: a changed document is not the signed one.
NAMES = ("iv-racemic", "im-racemic", "sl-racemic", "esketamine-rems")
TEXTS = {
    name: (SHIPPED / f"{name}.yaml").read_text("utf-8").partition("\nsignature:")[0] + "\n" for name in NAMES
}
TEXT = TEXTS["iv-racemic"]
DOCUMENTS: dict[str, dict[str, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
DOCUMENT = DOCUMENTS["iv-racemic"]


A_LABEL = {"confidence": "D", "source": "x"}


def changed(*changes: tuple[str, Any], name: str = "iv-racemic") -> str:
    """The shipped protocol with some values set; a pointer that names nothing yet is added."""
    document = copy.deepcopy(DOCUMENTS[name])
    for pointer, value in changes:
        parent, _, last = pointer.rpartition("/")
        target = value_at(document, parent)
        target[int(last) if isinstance(target, list) else last.replace("~1", "/")] = value
    return yaml.safe_dump(document, sort_keys=False)


def found(written: str) -> dict[str, str]:
    with pytest.raises(ProtocolInvalid) as caught:
        read_protocol(written)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def test_every_shipped_protocol_is_sound() -> None:
    assert shipped() == ("esketamine-rems", "im-racemic", "iv-racemic", "sl-racemic")
    for name in shipped():
        assert load_protocol(name) == load_protocol(SHIPPED / f"{name}.yaml")


def test_json_is_read_as_well(tmp_path: Path) -> None:
    protocol = load_protocol("iv-racemic")
    path = tmp_path / "mine.json"
    path.write_text(protocol.model_dump_json())
    assert load_protocol(str(path)) == protocol


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "mapping"),
        ("- 1", "mapping"),
        ("a: [", "YAML"),
        ("a: 1\na: 2", "stands twice"),
        ("a: &x 1\nb: *x", "aliases"),
        ("a: !!python/object:os.system {}", "YAML"),
        ("{" * 3000, "YAML"),
        ("a: \x01", "YAML"),
    ],
)
def test_what_is_no_document(written: str, says: str) -> None:
    assert says in found(written)[""]


@pytest.mark.parametrize(
    ("line", "pointer"),
    [
        ("notice: !!binary aGk=", "/notice"),
        ("notice: !!set {a, b}", "/notice"),
        ("notice: !!omap [a: 1]", "/notice/0"),
        ("notice: 12:30:00", "/notice"),
        ("7: x", ""),
    ],
)
def test_only_plain_values_are_read(line: str, pointer: str) -> None:
    rest = "\n".join(kept for kept in TEXT.splitlines() if not kept.startswith("notice:"))
    assert pointer in found(f"{rest}\n{line}\n")


def test_a_date_is_read_as_text() -> None:
    signature = "{by: x, role: medical-director, at: 2026-11-01T00:00:00Z, content_hash: '0', example: true}"
    assert set(found(f"{TEXT}\nsignature: {signature}\n")) == {"/signature/content_hash"}


def test_a_document_that_is_wrong_everywhere_is_still_described() -> None:
    assert "/dosing" in found("dosing: 3\nschedule: [1]\nlabels: {a: 1}")


def test_a_file_that_is_not_there_names_the_shipped_ones(tmp_path: Path) -> None:
    for source in (tmp_path / "none.yaml", tmp_path, "a\0b"):
        with pytest.raises(ProtocolInvalid, match="iv-racemic"):
            load_protocol(source)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ProtocolInvalid, match="UTF-8"):
        load_protocol(binary)
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * 1_100_000)
    with pytest.raises(ProtocolInvalid, match="1 MiB"):
        load_protocol(huge)


def test_every_fault_is_listed_at_once() -> None:
    written = changed(
        ("/dosing/infusion_seconds", 2400),
        ("/dosing/max_mg_per_kg", "1 mg/kg"),
        ("/schedule/phases/0/sessions", 6.5),
        ("/vitals/hold_systolic_mmhg", 100),
        ("/consent/ask/give_up_hours", 1),
        ("/labels/no-such", A_LABEL),
        ("/screening/sign/owner", "nobody"),
    )
    assert set(found(written)) == {
        "/dosing/infusion_seconds",
        "/dosing/max_mg_per_kg",
        "/schedule/phases/0/sessions",
        "/vitals/caution_systolic_mmhg",
        "/consent/ask/give_up_hours",
        "/labels/no-such",
        "/screening/sign/owner",
    }


def test_a_fault_says_what_was_meant_and_in_which_unit() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["dosing"]["infusion_minute"] = document["dosing"].pop("infusion_minutes")
    faults_found = found(yaml.safe_dump(document))
    assert "did you mean infusion_minutes?" in faults_found["/dosing/infusion_minute"]
    assert faults_found["/dosing/infusion_minutes"] == "missing: a number in min"
    assert "mg/kg" in found(changed(("/dosing/max_mg_per_kg", "one")))["/dosing/max_mg_per_kg"]
    inside = found(changed(("/schedule/phases/1/session", 4), ("/risk/ladder/0/wait_minute", 4)))
    assert "did you mean sessions?" in inside["/schedule/phases/1/session"]
    assert "did you mean wait_minutes?" in inside["/risk/ladder/0/wait_minute"]


@pytest.mark.parametrize("form", ["drip", None, 7, ...])
def test_a_form_that_is_none_names_the_four(form: Any) -> None:
    document = copy.deepcopy(DOCUMENTS["iv-racemic"])
    if form is ...:
        del document["dosing"]["form"]
    else:
        document["dosing"]["form"] = form
    assert found(yaml.safe_dump(document)) == {
        "/dosing": "form is one of infusion, injection, lozenges, devices"
    }


def test_numbers_of_another_form_are_unknown_fields() -> None:
    read = found(changed(("/dosing/infusion_minutes", 40), name="sl-racemic"))
    assert set(read) == {"/dosing/infusion_minutes"}
    assert "unknown field" in read["/dosing/infusion_minutes"]


@pytest.mark.parametrize("name", ["im-racemic", "sl-racemic", "esketamine-rems"])
def test_what_lies_between_the_fields_is_found_beside_a_broken_one(name: str) -> None:
    """A broken field is thought away with that of an example of the same form, whatever the form."""
    read = found(
        changed(("/dosing/extra", 1), ("/vitals/hold_systolic_mmhg", 100), ("/pause", None), name=name)
    )
    assert set(read) == {"/dosing/extra", "/vitals/caution_systolic_mmhg", "/pause"}


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("hold_systolic_mmhg", "mm[Hg]"),
        ("start_mg_per_kg", "mg/kg"),
        ("max_session_mg", "mg"),
        ("minutes_between_units", "min"),
        ("loss_notice_business_days", "business days"),
        ("inventory_months", "mo"),
        ("max_per_rolling_7_days", None),
        ("notice", None),
    ],
)
def test_units_of_fields(field: str, unit: str | None) -> None:
    assert unit_of(field) == unit


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/schedule/phases/0/sessions", True),
        ("/schedule/phases/0/sessions", "6"),
        ("/schedule/phases/0/sessions", 0),
        ("/dosing/max_session_mg", float("inf")),
        ("/dosing/max_session_mg", float("nan")),
        ("/schedule/phases/0/sessions", 10**400),
        ("/version", 1.0),
        ("/drug", "heroin"),
        ("/monitoring/prescriber_on_site", "yes please"),
        ("/follow_up/weeks", []),
        ("/indications", "major-depressive-disorder"),
    ],
)
def test_one_wrong_value(pointer: str, value: Any) -> None:
    assert set(found(changed((pointer, value)))) == {pointer}


def test_a_signed_protocol_is_sound() -> None:
    protocol = signed(load_protocol("iv-racemic"))
    assert read_protocol(protocol.model_dump_json()) == protocol


def signed(protocol: Protocol, **more: Any) -> Protocol:
    signature = {
        "by": "staff-1",
        "role": Role.MEDICAL_DIRECTOR,
        "at": datetime(2026, 11, 1, tzinfo=UTC),
        "content_hash": protocol.content_hash,
        "example": False,
    } | more
    return protocol.model_copy(update={"signature": Signature.model_validate(signature)})


def test_production_takes_a_real_signature_only() -> None:
    protocol = load_protocol("iv-racemic").model_copy(update={"signature": None})
    verify_signature(protocol, "development")
    verify_signature(signed(protocol), "production")
    verify_signature(signed(protocol, example=True), "development")
    for bad in (protocol, signed(protocol, example=True), signed(protocol, role=Role.PRESCRIBER)):
        for environment in ("production", "staging", ""):
            with pytest.raises(ProtocolInvalid, match="/signature"):
                verify_signature(bad, environment)


def test_a_signature_over_other_content_is_refused_everywhere() -> None:
    protocol = signed(load_protocol("iv-racemic"), content_hash="0" * 64)
    assert {fault.pointer for fault in faults(protocol)} == {"/signature/content_hash"}
    for environment in ("development", "production"):
        with pytest.raises(ProtocolInvalid, match="other content"):
            verify_signature(protocol, environment)


def test_a_signature_in_the_document_is_checked() -> None:
    document = copy.deepcopy(DOCUMENT) | {
        "signature": {
            "by": "x",
            "role": "nurse",
            "at": "2026-11-01T00:00:00",
            "content_hash": "0",
            "example": True,
        }
    }
    pointers = found(yaml.safe_dump(document))
    assert set(pointers) == {"/signature/content_hash", "/signature/role", "/signature/at"}


def _leaves(value: Any, pointer: str = "") -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    children = [
        leaf
        for key, item in inner
        for leaf in _leaves(item, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    ]
    return children or [pointer]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pointer=st.sampled_from([leaf for leaf in _leaves(DOCUMENT) if not leaf.startswith("/labels")]),
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just({})
    | st.just([]),
)
def test_a_changed_protocol_is_sound_or_says_why_with_a_pointer(pointer: str, value: Any) -> None:
    written = changed((pointer, value))
    try:
        read_protocol(written)
    except ProtocolInvalid as fault:
        listed = fault.faults
    else:
        return
    assert listed
    assert all(one.pointer.startswith("/") and one.detail for one in listed)

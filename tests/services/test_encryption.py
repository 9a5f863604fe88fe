"""What was encrypted comes back unchanged, with its own key, in its own place, or not at all."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from services.encryption import (
    DataErased,
    DataTampered,
    FieldCipher,
    KeyRing,
    NotEncrypted,
    PayloadCodec,
    blind_index,
)
from services.temporal import data_converter
from tests.services.settings_builder import a_key, some_settings

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
RING = KeyRing({"old": OLD}, "old")
ROTATED = KeyRing({"old": OLD, "new": NEW}, "new")
AFTER_ERASURE = KeyRing({"new": NEW}, "new")
CANARY = "Zephyrine Quillfeather +12025550143 MRN 4711"
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=CANARY.encode())

payloads = st.builds(
    lambda metadata, data: Payload(metadata=metadata, data=data),
    st.dictionaries(st.text(max_size=10), st.binary(max_size=20), max_size=4),
    st.binary(max_size=200),
)


@given(st.lists(payloads, max_size=4))
async def test_payloads_come_back_as_they_were(given_payloads: list[Payload]) -> None:
    codec = PayloadCodec(RING)
    assert await codec.decode(await codec.encode(given_payloads)) == given_payloads


async def test_a_payload_shows_nothing_and_no_two_are_alike() -> None:
    codec = PayloadCodec(RING)
    first, second = await codec.encode([PAYLOAD, PAYLOAD])
    assert first.data != second.data
    for canary in CANARY.split():
        assert canary.encode() not in first.SerializeToString()


async def test_rotation_reads_old_payloads_and_writes_with_the_new_key() -> None:
    before = await PayloadCodec(RING).encode([PAYLOAD])
    rotated = PayloadCodec(ROTATED)
    assert await rotated.decode(before) == [PAYLOAD]
    [after] = await rotated.encode([PAYLOAD])
    assert after.metadata["encryption-key-id"] == b"new"
    with pytest.raises(DataErased):
        await PayloadCodec(RING).decode([after])


async def test_a_destroyed_key_erases_what_it_wrote() -> None:
    before = await PayloadCodec(RING).encode([PAYLOAD])
    with pytest.raises(DataErased) as erased:
        await PayloadCodec(AFTER_ERASURE).decode(before)
    assert erased.value.key_id == "old"


@given(st.data())
async def test_a_changed_payload_is_refused(data: st.DataObject) -> None:
    [payload] = await PayloadCodec(RING).encode([PAYLOAD])
    at = data.draw(st.integers(0, len(payload.data) - 1))
    changed = bytearray(payload.data)
    changed[at] ^= data.draw(st.integers(1, 255))
    payload.data = bytes(changed)
    with pytest.raises(DataTampered):
        await PayloadCodec(RING).decode([payload])


@given(st.integers(0, 11))
async def test_a_payload_cut_short_is_refused(length: int) -> None:
    [payload] = await PayloadCodec(RING).encode([PAYLOAD])
    payload.data = payload.data[:length]
    with pytest.raises(DataTampered):
        await PayloadCodec(RING).decode([payload])


async def test_a_payload_under_another_keys_name_is_refused() -> None:
    same_key_twice = KeyRing({"old": OLD, "alias": OLD}, "old")
    [payload] = await PayloadCodec(same_key_twice).encode([PAYLOAD])
    payload.metadata["encryption-key-id"] = b"alias"
    with pytest.raises(DataTampered):
        await PayloadCodec(same_key_twice).decode([payload])


async def test_a_payload_in_clear_is_refused() -> None:
    with pytest.raises(NotEncrypted):
        await PayloadCodec(RING).decode([PAYLOAD])


async def test_the_engine_sees_neither_values_nor_error_texts() -> None:
    converter: DataConverter = data_converter(RING)
    [encoded] = await converter.encode([{"name": CANARY}])
    failure = Failure()
    await converter.encode_failure(ApplicationError(CANARY, CANARY, type="RuleRefused"), failure)
    seen = encoded.SerializeToString() + failure.SerializeToString()
    for canary in CANARY.split():
        assert canary.encode() not in seen
    assert await converter.decode([encoded]) == [{"name": CANARY}]
    again = await converter.decode_failure(failure)
    assert isinstance(again, ApplicationError)
    assert (again.message, again.type, again.details) == (CANARY, "RuleRefused", (CANARY,))


@given(st.text(), st.text(max_size=20))
def test_columns_come_back_as_they_were(text: str, row: str) -> None:
    cipher = FieldCipher(RING, NEW)
    assert cipher.decrypt("patient.name", cipher.encrypt("patient.name", text, row=row), row=row) == text


def test_a_column_belongs_to_its_place() -> None:
    cipher = FieldCipher(RING, NEW)
    blob = cipher.encrypt("patient.name", CANARY, row="1")
    for column, row in (("patient.email", "1"), ("patient.name", "2"), ("patient.name", "")):
        with pytest.raises(DataTampered):
            cipher.decrypt(column, blob, row=row)


@given(st.data())
def test_a_changed_column_is_refused(data: st.DataObject) -> None:
    cipher = FieldCipher(RING, NEW)
    blob = bytearray(cipher.encrypt("patient.name", CANARY))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((DataTampered, DataErased)):
        cipher.decrypt("patient.name", bytes(blob))


@given(st.binary(max_size=20))
def test_what_never_was_a_column_is_refused(blob: bytes) -> None:
    with pytest.raises((DataTampered, DataErased)):
        FieldCipher(RING, NEW).decrypt("patient.name", blob)


def test_columns_rotate_and_are_erased_like_payloads() -> None:
    blob = FieldCipher(RING, NEW).encrypt("patient.name", CANARY)
    assert FieldCipher(ROTATED, NEW).decrypt("patient.name", blob) == CANARY
    with pytest.raises(DataErased):
        FieldCipher(AFTER_ERASURE, NEW).decrypt("patient.name", blob)


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_index_finds_equal_values_of_one_column_only(one: str, other: str) -> None:
    cipher = FieldCipher(RING, NEW)
    assert (cipher.index("p.mrn", one) == cipher.index("p.mrn", other)) == (one == other)
    assert cipher.index("p.mrn", one) != cipher.index("p.phone", one)
    assert cipher.index("p.mrn", one) != FieldCipher(RING, OLD).index("p.mrn", one)


def test_the_blind_index_is_hmac_sha_256() -> None:
    # RFC 4231, test case 2.
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert blind_index("what do ya want for nothing?", b"Jefe") == expected


def test_a_ring_needs_its_current_key_and_whole_keys() -> None:
    with pytest.raises(ValueError, match="current key id"):
        KeyRing({"old": OLD}, "new")
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing({"old": OLD[:16]}, "old")


def test_a_ring_never_shows_its_keys() -> None:
    assert repr(RING) == "KeyRing(current='old')"


def test_keys_come_from_the_settings() -> None:
    settings = some_settings()
    assert KeyRing.from_settings(settings).keys == {"p1": base64.b64decode(a_key("payload"))}
    assert KeyRing.of_fields(settings).keys == {"f1": base64.b64decode(a_key("field"))}
    cipher = FieldCipher.from_settings(settings)
    assert cipher.index("a.b", "x") == blind_index("a.b\0x", base64.b64decode(a_key("index")))

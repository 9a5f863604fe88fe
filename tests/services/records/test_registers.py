"""Are patients, referrals and protocols kept whole, once, and unchanged?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

import clinical
from clinical.patient_record import ClinicalRecord, Condition, Person, Sex
from clinical.protocol import Protocol
from services.records.errors import KeyReused, NotFound, VersionImmutable
from services.records.interface import Referral
from services.records.patients import normal_name, normal_phone
from services.records.sql import SqlRecords
from tests.services.records.builders import SITE, a_patient, an_id

PROTOCOL = Protocol.model_validate(
    yaml.safe_load((Path(clinical.__file__).parent / "protocols/iv-racemic.yaml").read_text())
)


async def test_a_patient_is_added_once(records: SqlRecords) -> None:
    patient = a_patient()
    await asyncio.gather(*(records.add_patient(patient) for _ in range(4)))
    contact = await records.contact(patient.patient_id)
    assert (contact.name, contact.email, contact.phone_e164) == (
        patient.name,
        patient.email,
        patient.phone_e164,
    )
    assert (contact.language, contact.preferred_channel, contact.opted_out_channels) == ("es", "sms", ())
    with pytest.raises(KeyReused):
        await records.add_patient(a_patient(patient.patient_id, name="Eva Ruiz"))
    with pytest.raises(NotFound):
        await records.contact(an_id())


async def test_a_patient_without_any_address_is_kept(records: SqlRecords) -> None:
    patient = a_patient(email=None, phone_e164=None, mrn=None)
    await records.add_patient(patient)
    contact = await records.contact(patient.patient_id)
    assert (contact.email, contact.phone_e164) == (None, None)


async def test_a_referral_comes_back_as_it_was_read(records: SqlRecords) -> None:
    patient = a_patient()
    await records.add_patient(patient)
    record = ClinicalRecord(person=Person(sex=Sex.FEMALE), conditions=(Condition(text="low mood"),))
    referral = Referral(referral_id=an_id(), patient_id=patient.patient_id, site=SITE, record=record)
    await records.add_referral(referral)
    await records.add_referral(referral)
    assert await records.referral_record(referral.referral_id) == record
    other = referral.model_copy(update={"record": ClinicalRecord(person=Person())})
    with pytest.raises(KeyReused):
        await records.add_referral(other)
    with pytest.raises(NotFound):
        await records.add_referral(referral.model_copy(update={"site": "site-b", "referral_id": an_id()}))
    with pytest.raises(NotFound):
        await records.referral_record(an_id())


async def test_a_published_protocol_never_changes(records: SqlRecords) -> None:
    changed = PROTOCOL.model_copy(update={"title": "Another title"})
    newer = changed.model_copy(update={"version": "2.0.0"})
    await records.publish_protocol(PROTOCOL, SITE)
    await records.publish_protocol(PROTOCOL, SITE)
    with pytest.raises(VersionImmutable):
        await records.publish_protocol(changed, SITE)
    await records.publish_protocol(newer, SITE)
    first = await records.protocol(SITE, PROTOCOL.canonical)
    assert (first, first.content_hash) == (PROTOCOL, PROTOCOL.content_hash)
    assert await records.protocol(SITE, None) == newer
    for site, canonical in (("site-b", None), (SITE, "https://example.org/none|1"), (SITE, "nonsense")):
        with pytest.raises(NotFound):
            await records.protocol(site, canonical)


@given(st.text(max_size=30))
@example("\ua7f2")
def test_normal_forms_are_stable(text: str) -> None:
    assert normal_name(normal_name(text)) == normal_name(text)
    assert normal_phone(normal_phone(text)) == normal_phone(text)


def test_the_same_person_has_one_normal_form() -> None:
    assert normal_name("GARCÍA-LÓPEZ, Ana") == normal_name("ana  garcia lopez") == "ana garcia lopez"
    assert normal_phone("+1 (202) 555-0142") == normal_phone("2025550142")

"""How is a referral kept? The clinical record that was read from it, encrypted whole and bound to its id."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.patient_record import ClinicalRecord
from services.encryption import FieldCipher
from services.records.errors import KeyReused, NotFound
from services.records.interface import Referral
from services.records.register_tables import PatientRow, ReferralRow

COLUMN = "referral.record"


async def add_referral(session: AsyncSession, cipher: FieldCipher, referral: Referral) -> None:
    """The same referral again changes nothing; another one under its id raises KeyReused."""
    home = await session.scalar(select(PatientRow.site).where(PatientRow.id == referral.patient_id))
    if home is None or home != referral.site:
        raise NotFound("the patient is not in the record of this site")
    text = referral.record.model_dump_json()
    values = {
        "id": referral.referral_id,
        "patient_id": referral.patient_id,
        "site": referral.site,
        "record": cipher.encrypt(COLUMN, text, row=referral.referral_id),
    }
    added = await session.execute(
        insert(ReferralRow).values(values).on_conflict_do_nothing().returning(ReferralRow.id)
    )
    if added.first() is None:
        row = await _row(session, referral.referral_id)
        if row.patient_id != referral.patient_id or _record(cipher, row) != referral.record:
            raise KeyReused("the id belongs to another referral")


async def referral_record(session: AsyncSession, cipher: FieldCipher, referral_id: str) -> ClinicalRecord:
    return _record(cipher, await _row(session, referral_id))


def _record(cipher: FieldCipher, row: ReferralRow) -> ClinicalRecord:
    return ClinicalRecord.model_validate_json(cipher.decrypt(COLUMN, row.record, row=row.id))


async def _row(session: AsyncSession, referral_id: str) -> ReferralRow:
    row = await session.scalar(select(ReferralRow).where(ReferralRow.id == referral_id))
    if row is None:
        raise NotFound("the referral is not in the record")
    return row

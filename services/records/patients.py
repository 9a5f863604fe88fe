"""How is a person kept so that only those who ask through here can read who it is?

Names, addresses, birth dates and record numbers are encrypted and bound to their row; equal people are found
by keyed hashes of normalised values. Normalising is on the generous side: a candidate too many is looked at
by a coordinator, a candidate too few becomes a second record of one person.
"""

import re
import unicodedata
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.encryption import FieldCipher
from services.records.contact_views import ContactState
from services.records.errors import KeyReused, NotFound
from services.records.interface import Contact, NewPatient
from services.records.register_tables import PatientRow

ENCRYPTED = {
    "name": "name",
    "birth_date": "birth_date",
    "sex": "sex",
    "email": "email",
    "phone_e164": "phone",
    "mrn": "mrn",
}
"""Fields of NewPatient by the column that keeps them."""


class PatientFile:
    """Writes and reads rows of `patient`."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    async def add(self, session: AsyncSession, patient: NewPatient) -> None:
        """Adding the same person under the same id again changes nothing; another person raises KeyReused."""
        added = await session.execute(
            insert(PatientRow)
            .values(self._columns(patient))
            .on_conflict_do_nothing()
            .returning(PatientRow.id)
        )
        if added.first() is None and self.opened(await row_of(session, patient.patient_id)) != patient:
            raise KeyReused("the id belongs to another patient")

    def opened(self, row: PatientRow | Row[Any]) -> NewPatient:
        """The row in clear."""
        return NewPatient.model_validate(self.in_clear(row))

    def in_clear(self, row: PatientRow | Row[Any]) -> dict[str, Any]:
        """The fields of a `NewPatient`, for what is made of them."""
        return {
            "patient_id": row.id,
            "site": row.site,
            "language": row.language,
            "time_zone": row.time_zone,
            "preferred_channel": row.preferred_channel,
            "detail_opt_in": row.detail_opt_in,
            **{field: self._opened(row, column) for field, column in ENCRYPTED.items()},
        }

    def contact(self, row: PatientRow) -> Contact:
        """Only what reaching the person needs."""
        return Contact(
            patient_id=row.id,
            name=self._opened(row, "name") or "",
            email=self._opened(row, "email"),
            phone_e164=self._opened(row, "phone"),
            language=row.language,
            time_zone=row.time_zone,
            preferred_channel=row.preferred_channel,
            opted_out_channels=tuple(row.opted_out_channels),
            detail_opt_in=row.detail_opt_in,
            unverified_channels=_channels_in(row, ContactState.UNVERIFIED),
            stated_channels=_channels_in(row, ContactState.STATED),
            bad_channels=_channels_in(row, ContactState.BAD),
        )

    def address_columns(self, row: PatientRow, email: str | None, phone: str | None) -> None:
        """Put other addresses into the row, and what they are found by."""
        row.email, row.email_index = self._sealed(row.id, "email", email), self.email_index(email)
        row.phone, row.phone_index = self._sealed(row.id, "phone", phone), self.phone_index(phone)

    def person_index(self, name: str, birth_date: str) -> str:
        return self._cipher.index("patient.person", f"{normal_name(name)}\0{birth_date.strip()}")

    def phone_index(self, phone: str | None) -> str | None:
        digits = normal_phone(phone or "")
        return self._cipher.index("patient.phone", digits) if digits else None

    def email_index(self, email: str | None) -> str | None:
        address = (email or "").strip().casefold()
        return self._cipher.index("patient.email", address) if address else None

    def _columns(self, patient: NewPatient) -> dict[str, object]:
        plain = patient.model_dump(exclude={"patient_id", *ENCRYPTED})
        values = patient.model_dump(include=set(ENCRYPTED))
        sealed = {
            column: self._sealed(patient.patient_id, column, values[field])
            for field, column in ENCRYPTED.items()
        }
        return {
            "id": patient.patient_id,
            **plain,
            **sealed,
            "person_index": self.person_index(patient.name, patient.birth_date),
            "phone_index": self.phone_index(patient.phone_e164),
            "email_index": self.email_index(patient.email),
        }

    def _sealed(self, patient_id: str, column: str, value: str | None) -> bytes | None:
        return None if value is None else self._cipher.encrypt(f"patient.{column}", value, row=patient_id)

    def _opened(self, row: PatientRow | Row[Any], column: str) -> str | None:
        blob: bytes | None = getattr(row, column)
        return None if blob is None else self._cipher.decrypt(f"patient.{column}", blob, row=row.id)


def _channels_in(row: PatientRow, state: ContactState) -> tuple[str, ...]:
    states = {"email": row.email_state, "sms": row.phone_state}
    return tuple(channel for channel, found in states.items() if found == state)


async def row_of(session: AsyncSession, patient_id: str) -> PatientRow:
    row = await session.scalar(select(PatientRow).where(PatientRow.id == patient_id))
    if row is None:
        raise NotFound("the patient is not in the record")
    return row


def normal_name(name: str) -> str:
    """Lower case, no accents, no punctuation, parts in alphabetic order: "GARCÍA, Ana" is "ana garcia"."""
    # Taken apart before and after: some letters have a lower case only once they are plain ones.
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(sorted(re.findall(r"\w+", plain)))


def normal_phone(phone: str) -> str:
    """The last nine digits: with or without country code or a leading zero it is the same line."""
    digits = "".join(re.findall(r"\d", phone))
    return digits[-9:]

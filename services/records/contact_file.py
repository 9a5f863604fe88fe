"""How does contact data change? Every change counts up the version and is kept for ever, with who and by what.

Works inside the caller's transaction, on a row that it has locked.
"""

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.encryption import FieldCipher
from services.records.contact_views import ContactChangeView, ContactState, ContactView
from services.records.errors import NotFound
from services.records.inbox_tables import ContactChangeRow
from services.records.patients import PatientFile
from services.records.register_tables import PatientRow

CHANGE = "contact_change.change"
STATE_OF = {"email": "email_state", "phone_e164": "phone_state"}
ADDRESS_OF = {"email": "email", "sms": "phone_e164"}


class ContactFile:
    """Reads and changes the contact data in rows of `patient`."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher
        self._patients = PatientFile(cipher)

    def opened(self, row: PatientRow) -> ContactView:
        known = self._patients.contact(row)
        return ContactView(
            patient_id=row.id,
            site=row.site,
            version=row.contact_version,
            email=known.email,
            email_state=ContactState(row.email_state),
            phone_e164=known.phone_e164,
            phone_state=ContactState(row.phone_state),
            language=row.language,
            time_zone=row.time_zone,
            preferred_channel=row.preferred_channel,
            opted_out_channels=tuple(row.opted_out_channels),
            detail_opt_in=row.detail_opt_in,
        )

    def change(
        self, session: AsyncSession, row: PatientRow, wanted: Mapping[str, object], actor: Actor, source: str
    ) -> bool:
        """Set these fields; False if all of them are so already. Another address has to be verified first."""
        before = self.opened(row)
        wanted = dict(wanted)
        for address, state in STATE_OF.items():
            if address in wanted and wanted[address] != getattr(before, address):
                known = ContactState.UNVERIFIED if wanted[address] else ContactState.STATED
                wanted.setdefault(state, known)
        after = ContactView.model_validate({**before.model_dump(), **wanted})
        was, now = _difference(before, after)
        if not now:
            return False
        self._patients.address_columns(row, after.email, after.phone_e164)
        row.email_state, row.phone_state = after.email_state.value, after.phone_state.value
        row.language, row.time_zone = after.language, after.time_zone
        row.preferred_channel, row.detail_opt_in = after.preferred_channel, after.detail_opt_in
        row.opted_out_channels = list(after.opted_out_channels)
        row.contact_version += 1
        session.add(
            ContactChangeRow(
                patient_id=row.id,
                version=row.contact_version,
                source=source,
                actor_id=actor.id,
                actor_role=actor.role.value,
                change=self._cipher.encrypt(
                    CHANGE, json.dumps({"was": was, "now": now}), row=f"{row.id}\0{row.contact_version}"
                ),
            )
        )
        return True

    def changed(self, row: ContactChangeRow) -> ContactChangeView:
        text = self._cipher.decrypt(CHANGE, row.change, row=f"{row.patient_id}\0{row.version}")
        return ContactChangeView(
            version=row.version,
            source=row.source,
            actor_id=row.actor_id,
            actor_role=row.actor_role,
            at=row.at,
            **json.loads(text),
        )

    async def holders(self, session: AsyncSession, address: str, channel: str = "sms") -> list[PatientRow]:
        """The patients who are reached at exactly this number or mail address now, locked, at whatever site."""
        same = (
            PatientRow.phone_index == self._patients.phone_index(address)
            if channel == "sms"
            else PatientRow.email_index == self._patients.email_index(address)
        )
        rows = await session.scalars(select(PatientRow).where(same).order_by(PatientRow.id).with_for_update())
        found = [(row, self.opened(row).address(channel) or "") for row in rows]
        return [row for row, known in found if known.casefold() == address.casefold()]


async def locked(session: AsyncSession, patient_id: str, sites: list[str] | None = None) -> PatientRow:
    """The row of this patient for this transaction alone; elsewhere than at `sites` there is none."""
    statement = select(PatientRow).where(PatientRow.id == patient_id).with_for_update()
    if sites is not None:
        statement = statement.where(PatientRow.site.in_(sites))
    row = await session.scalar(statement)
    if row is None:
        raise NotFound("the patient is not in the record")
    return row


def _difference(before: ContactView, after: ContactView) -> tuple[dict[str, object], dict[str, object]]:
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    differing = [name for name in new if old[name] != new[name]]
    return {name: old[name] for name in differing}, {name: new[name] for name in differing}

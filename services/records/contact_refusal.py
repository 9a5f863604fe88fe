"""What follows when the provider says that an address reaches nobody?

The address is marked, once, and a coordinator has to correct it. An address that was changed meanwhile is not
marked. The provider's word that the person has sent STOP is no bad number but a wish. Inside the caller's
transaction.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import ENGINE
from services.encryption import FieldCipher
from services.records.contact_file import ADDRESS_OF, STATE_OF, ContactFile, locked
from services.records.contact_views import ContactState
from services.records.ledger import Ledger
from services.records.message_cases import CaseKind, NewCase, open_course
from services.records.replies import write_case

OPTED_OUT_AT_PROVIDER = frozenset({"21610"})


async def refuse_channel(
    session: AsyncSession,
    cipher: FieldCipher,
    ledger: Ledger,
    patient_id: str,
    channel: str,
    address: str,
    code: str,
    now: datetime,
) -> None:
    row = await locked(session, patient_id)
    contacts = ContactFile(cipher)
    contact = contacts.opened(row)
    if contact.address(channel) != address:
        return
    if code in OPTED_OUT_AT_PROVIDER:
        out = tuple(sorted({*contact.opted_out_channels, channel}))
        contacts.change(session, row, {"opted_out_channels": out}, ENGINE, "provider")
        return
    bad = {STATE_OF[ADDRESS_OF[channel]]: ContactState.BAD}
    if contacts.change(session, row, bad, ENGINE, "provider"):
        course = await open_course(session, patient_id)
        new = NewCase(CaseKind.CONTACT_BAD, row.site, patient_id, course.id if course else None)
        await write_case(session, ledger, new, now)

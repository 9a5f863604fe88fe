"""How may a person be reached, who changed that when, and does the person read what is sent there?

A code goes to an address and comes back: six digits, once, for fifteen minutes, five attempts. Until then nothing
else goes to an address that was changed, and a reply from there counts for nobody; one that the person told at the
beginning goes on getting what has to reach them. A code belongs to the address it was sent to: when that is changed
meanwhile, the code is worth nothing. Whoever opens the link of a message and is the patient reads there as well.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor, Role
from services.database import Database, counted
from services.encryption import FieldCipher
from services.identifiers import new_id
from services.records.availability import Sessions
from services.records.contact_file import ADDRESS_OF, STATE_OF, ContactFile, locked
from services.records.contact_views import ContactChangeView, ContactState, ContactView
from services.records.errors import NotFound, RecordMoved, TooManyTries
from services.records.inbox_tables import ContactChangeRow, ContactCodeRow
from services.records.register_tables import PatientRow

CODE_VALID_FOR = timedelta(minutes=15)
ATTEMPTS = 5
CODES_AN_HOUR = 5


@dataclass(frozen=True)
class NewCode:
    """A code to be sent to `contact` by `channel`, and nowhere else."""

    id: str
    channel: str
    contact: ContactView = field(repr=False)
    code: str = field(repr=False)
    expires_at: datetime


class Checked(StrEnum):
    """What became of a code that came back."""

    VERIFIED = "verified"
    WRONG = "wrong"
    SPENT = "spent"


class ContactBook:
    """Contact data in the database, one transaction for each method. Raises the errors of `errors.py`."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._sessions = Sessions(database)
        self._cipher = cipher
        self._file = ContactFile(cipher)

    async def read(self, sites: list[str], patient_id: str) -> ContactView:
        async with self._sessions.reading() as session:
            return self._file.opened(await _found(session, sites, patient_id))

    async def history(
        self,
        sites: list[str],
        patient_id: str,
        *,
        source: str | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> list[ContactChangeView]:
        """Every change, oldest first, from the one after version `after`."""
        wanted = select(ContactChangeRow).where(ContactChangeRow.patient_id == patient_id)
        if source is not None:
            wanted = wanted.where(ContactChangeRow.source == source)
        if after is not None:
            wanted = wanted.where(ContactChangeRow.version > after)
        async with self._sessions.reading() as session:
            await _found(session, sites, patient_id)
            rows = await session.scalars(wanted.order_by(ContactChangeRow.version).limit(limit))
            return [self._file.changed(row) for row in rows]

    async def history_counts(self, patient_id: str) -> dict[str, int]:
        """Changes by the way on which they came."""
        async with self._sessions.reading() as session:
            return await counted(session, ContactChangeRow.source, ContactChangeRow.patient_id == patient_id)

    async def change(
        self, sites: list[str], patient_id: str, version: int, wanted: Mapping[str, object], actor: Actor
    ) -> ContactView:
        """Change what was looked at in this version; RecordMoved if somebody was faster."""

        async def work(session: AsyncSession) -> ContactView:
            row = await locked(session, patient_id, sites)
            if row.contact_version != version:
                raise RecordMoved("the contact data was changed since it was looked at")
            self._file.change(session, row, wanted, actor, "api")
            return self._file.opened(row)

        return await self._sessions.write(work)

    async def new_code(
        self, sites: list[str], patient_id: str, channel: str, actor: Actor, now: datetime
    ) -> NewCode:
        """Make a code for the address of this channel. NotFound without one, TooManyTries after five an hour."""
        code = f"{secrets.randbelow(10**6):06}"

        async def work(session: AsyncSession) -> NewCode:
            row = await locked(session, patient_id, sites)
            contact = self._file.opened(row)
            address = contact.address(channel)
            if address is None:
                raise NotFound("there is no address for this channel")
            if await _codes_since(session, patient_id, channel, now - timedelta(hours=1)) >= CODES_AN_HOUR:
                raise TooManyTries("too many codes were asked for")
            if contact.state(channel) is not ContactState.STATED:
                self._file.change(session, row, {_state(channel): ContactState.UNVERIFIED}, actor, "code")
            made = ContactCodeRow(
                id=new_id(),
                patient_id=patient_id,
                channel=channel,
                address_index=self._address_index(address),
                code_index="",
                attempts=0,
                made_at=now,
                expires_at=now + CODE_VALID_FOR,
            )
            made.code_index = self._code_index(made.id, code)
            session.add(made)
            return NewCode(made.id, channel, self._file.opened(row), code, made.expires_at)

        return await self._sessions.write(work)

    async def confirm(
        self, sites: list[str], patient_id: str, channel: str, code: str, actor: Actor, now: datetime
    ) -> tuple[Checked, ContactView]:
        """Is this the code that was sent last? A wrong one counts, whatever becomes of the request."""

        async def work(session: AsyncSession) -> tuple[Checked, ContactView]:
            row = await locked(session, patient_id, sites)
            contact = self._file.opened(row)
            sent = await _last_code(session, patient_id, channel)
            if sent is None or not self._usable(sent, contact.address(channel), now):
                return Checked.SPENT, contact
            sent.attempts += 1
            if sent.code_index != self._code_index(sent.id, code):
                return Checked.WRONG, contact
            sent.used_at = now
            self._file.change(session, row, {_state(channel): ContactState.VERIFIED}, actor, "code")
            return Checked.VERIFIED, self._file.opened(row)

        return await self._sessions.write(work)

    async def read_there(self, patient_id: str, channel: str, address: str) -> bool:
        """The patient has opened what went to this address: what was only stated is verified. True if it was."""

        async def work(session: AsyncSession) -> bool:
            row = await locked(session, patient_id)
            contact = self._file.opened(row)
            if contact.address(channel) != address or contact.state(channel) is not ContactState.STATED:
                return False
            patient = Actor(id=patient_id, role=Role.PATIENT)
            return self._file.change(session, row, {_state(channel): ContactState.VERIFIED}, patient, "link")

        return await self._sessions.write(work)

    def _usable(self, sent: ContactCodeRow, address: str | None, now: datetime) -> bool:
        return (
            sent.used_at is None
            and now < sent.expires_at
            and sent.attempts < ATTEMPTS
            and address is not None
            and sent.address_index == self._address_index(address)
        )

    def _address_index(self, address: str) -> str:
        return self._cipher.index("contact_code.address", address)

    def _code_index(self, code_id: str, code: str) -> str:
        return self._cipher.index("contact_code.code", f"{code_id}\0{code}")


def _state(channel: str) -> str:
    return STATE_OF[ADDRESS_OF[channel]]


async def _found(session: AsyncSession, sites: list[str], patient_id: str) -> PatientRow:
    of_site = PatientRow.id == patient_id, PatientRow.site.in_(sites)
    row = await session.scalar(select(PatientRow).where(*of_site))
    if row is None:
        raise NotFound("the patient is not in the record")
    return row


async def _codes_since(session: AsyncSession, patient_id: str, channel: str, since: datetime) -> int:
    counted = select(func.count()).where(
        ContactCodeRow.patient_id == patient_id,
        ContactCodeRow.channel == channel,
        ContactCodeRow.made_at > since,
    )
    return await session.scalar(counted) or 0


async def _last_code(session: AsyncSession, patient_id: str, channel: str) -> ContactCodeRow | None:
    return (
        await session.scalars(
            select(ContactCodeRow)
            .where(ContactCodeRow.patient_id == patient_id, ContactCodeRow.channel == channel)
            .order_by(ContactCodeRow.made_at.desc(), ContactCodeRow.id.desc())
            .limit(1)
        )
    ).one_or_none()

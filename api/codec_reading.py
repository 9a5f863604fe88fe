"""Who may read what the engine keeps encrypted, and is it written down before it is shown?

A payload does not say which course or site it belongs to. So whoever reads payloads must belong to every site of
this installation, and each reading stands in the audit of each of them: person, role, purpose, namespace and how
many. What cannot be written down is not shown.

- A medical director reads for operations (HOPERAT) unless the address names another purpose of theirs.
- An auditor names a purpose: their Web UI has `…/for/HCOMPL` as its codec endpoint.
- Operations see nothing about people, unless they broke the glass `engine-payloads` of a course: for a while, and
  somebody else reviews it. A glass is for one course, payloads name none: its reviewer sees all that was read.
- Machines do not read payloads.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.common.v1 import Payload

from api.auth import DECODING, GLASS, Caller, Principal
from api.problems import Problem
from api.purposes import OF_ROLE, Purpose
from clinical.people import Role
from services.access.access import Access
from services.access.views import GlassScope, Looked
from services.encryption import ENCODING, DataErased, DataTampered, PayloadCodec
from services.records.sites_in_use import SitesInUse

ACT = "decode_payloads"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PayloadReading:
    codec: PayloadCodec
    access: Access
    sites: SitesInUse

    async def admit(self, principal: Principal, named: str | None) -> tuple[Caller, Purpose]:
        """In which role and what for? Raises wrong-role, purpose-required."""
        caller = await self._caller(principal)
        if not await self.sites.all() <= principal.sites:
            raise Problem("wrong-role", "a payload does not say its site: who reads it belongs to every site")
        if caller.through_glass:
            return caller, Purpose.BREAK_GLASS
        possible = OF_ROLE[caller.role]
        if named is None and caller.role is Role.MEDICAL_DIRECTOR:
            return caller, Purpose.OPERATIONS
        if named is None or named not in possible:
            choices = ", ".join(sorted(possible))
            raise Problem(
                "purpose-required", f"the codec endpoint has to end with /for/ and one of: {choices}"
            )
        return caller, Purpose(named)

    async def _caller(self, principal: Principal) -> Caller:
        for role in sorted(
            DECODING & principal.roles, reverse=True
        ):  # the medical director before the auditor
            return Caller(principal, role)
        glass = GLASS[GlassScope.ENGINE]
        for role in glass.roles & principal.roles:
            if await self.access.glass.is_open_for_any(GlassScope.ENGINE, principal.id):
                return Caller(principal, role, through_glass=True)
        whom = ", ".join(sorted(DECODING))
        raise Problem(
            "wrong-role", f"what the engine keeps encrypted is for: {whom}; for others behind glass"
        )

    async def read(
        self, caller: Caller, purpose: Purpose, namespace: str, payloads: Sequence[Payload], trace_id: str
    ) -> list[Payload]:
        """Written down, then decrypted. Raises records-unavailable when the audit cannot be written."""
        for site in sorted(await self.sites.all() or caller.principal.sites):
            looked = Looked(
                site=site,
                actor_id=caller.principal.id,
                actor_role=caller.role.value,
                act=ACT,
                purpose=purpose.value,
                object_id=f"namespace/{namespace}",
                part=f"payloads/{len(payloads)}",
                trace_id=trace_id,
            )
            try:
                await self.access.audit.write(looked)
            except SQLAlchemyError as error:
                _log.error("audit not written", route=ACT, reason=type(error).__name__)
                raise Problem(
                    "records-unavailable", "this cannot be written down now: it is not shown"
                ) from None
        return [await self._plain(payload) for payload in payloads]

    async def _plain(self, payload: Payload) -> Payload:
        """What the engine itself wrote in clear stays; what no key opens any more says so."""
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        try:
            return (await self.codec.decode([payload]))[0]
        except DataErased:
            return _word("data-erased")
        except DataTampered:
            return _word("unreadable: changed, or from elsewhere")


def _word(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())

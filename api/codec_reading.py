"""Who may read what the engine keeps encrypted, and is it written down before it is shown?

A payload does not say which course or site it belongs to. So whoever reads payloads must belong to every site of
this installation, and each reading stands in the audit of each of them: person, role, purpose, namespace and how
many. What cannot be written down is not shown.

- A medical director reads for operations (HOPERAT) unless the address names another purpose of theirs.
- An auditor names a purpose: their Web UI has `…/for/HCOMPL` as its codec endpoint.
- Operations see nothing about people: of a workflow they get the coded words that are for them (summaries, current
  details), all else stays ciphertext. The glass `engine-payloads` of a course opens the rest to them, for a while, and
  somebody else reviews it. A glass is for one course, payloads name none: its reviewer sees all that was read.
- Machines do not read payloads.

Coded words are told by their form: nothing that our workflows and activities are given or answer is a bare word, and
a test holds them to it. They say no more than the search attributes, which anybody sees who may open the Web UI:
reading them is not audited.
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
CODED_WORDS = GLASS[GlassScope.ENGINE].roles
"""Who sees what is coded, and the rest behind glass."""
METADATA_OF_A_WORKFLOW = b"temporal.api.sdk.v1.WorkflowMetadata"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PayloadReading:
    codec: PayloadCodec
    access: Access
    sites: SitesInUse

    async def admit(self, principal: Principal, named: str | None) -> tuple[Caller, Purpose | None]:
        """In which role and what for? No purpose: for coded words only. Raises wrong-role, purpose-required."""
        caller = await self._caller(principal)
        if not principal.sites or not await self.sites.all() <= principal.sites:
            raise Problem("wrong-role", "a payload does not say its site: who reads it belongs to every site")
        if caller.role in CODED_WORDS:
            return caller, Purpose.BREAK_GLASS if caller.through_glass else None
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
        """The widest role first: the medical director, the auditor, operations."""
        for role in sorted(DECODING & principal.roles, reverse=True):
            return Caller(principal, role)
        for role in CODED_WORDS & principal.roles:
            broken = await self.access.glass.is_open_for_any(GlassScope.ENGINE, principal.id)
            return Caller(principal, role, through_glass=broken)
        whom = ", ".join(sorted(DECODING))
        raise Problem("wrong-role", f"what the engine keeps encrypted is for: {whom}")

    async def read(
        self,
        caller: Caller,
        purpose: Purpose | None,
        namespace: str,
        payloads: Sequence[Payload],
        trace_id: str,
    ) -> list[Payload]:
        """Written down, then decrypted. Raises records-unavailable when the audit cannot be written."""
        if purpose is None:
            plain = [await self._plain(payload) for payload in payloads]
            return [one if _is_coded(one) else sealed for one, sealed in zip(plain, payloads, strict=True)]
        looked = Looked(
            site="",
            actor_id=caller.principal.id,
            actor_role=caller.role.value,
            act=ACT,
            purpose=purpose.value,
            object_id=f"namespace/{namespace}",
            part=f"payloads/{len(payloads)}",
            trace_id=trace_id,
        )
        try:
            for site in sorted(await self.sites.all() or caller.principal.sites):
                await self.access.audit.write(looked.model_copy(update={"site": site}))
        except SQLAlchemyError as error:
            _log.error("audit not written", route=ACT, reason=type(error).__name__)
            words = "this cannot be written down now: it is not shown"
            raise Problem("records-unavailable", words) from None
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


def _is_coded(plain: Payload) -> bool:
    """A summary, which is a bare word, or what a workflow says of itself to the Web UI."""
    if plain.metadata.get("messageType") == METADATA_OF_A_WORKFLOW:
        return True
    return plain.metadata.get("encoding") == b"json/plain" and plain.data.startswith(b'"')


def _word(text: str) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode())

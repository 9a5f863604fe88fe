"""To whom of a site can a task be handed? Those whom its register of people names, and those who have acted there.

The register is what the coordinators keep for booking. Who acts is noted beside the act, not by looking at a list:
reading writes nothing. A person is noted in this process once in half a day; that it cannot be noted fails no act.
"""

from collections.abc import Collection, Mapping

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from api.auth import STEERING, Caller
from api.composition import Composition, composition_of
from clinical.people import Role
from services.records.errors import RecordsError

_log = structlog.get_logger(__name__)


async def note_who_acted(request: Request) -> None:
    """After an act that went well: whoever did it works there."""
    here, caller = composition_of(request), request.state.caller
    assert isinstance(caller, Caller)
    roles, site = caller.principal.roles & STEERING, _site(request, caller)
    if site is None or not roles or caller.principal.machine:
        return
    if not here.noted.is_new(site, caller.principal.id, roles):
        return
    try:
        await here.claims.seen(site, caller.principal.id, roles)
    except (RecordsError, SQLAlchemyError) as failure:
        _log.warning("colleague not noted", error_type=type(failure).__name__)
        return
    here.noted.keep(site, caller.principal.id, roles)


async def registered(here: Composition, site: str, fitting: Collection[Role]) -> Mapping[str, Role]:
    """Who of the register of people has one of these roles, each with one of them."""
    return await here.bookings.people(site, fitting)


def _site(request: Request, caller: Caller) -> str | None:
    """Where the act was: as its address says, else where the caller belongs, if that is one place."""
    named = request.path_params.get("site")
    if named is not None:
        return str(named)
    return next(iter(caller.principal.sites)) if len(caller.principal.sites) == 1 else None

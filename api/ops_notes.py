"""How does it stand in the audit what operations asked of the engine, past this API?

Whoever holds the engine's credentials asks it directly; `./dev ops` says here what was asked, as the person of its
token, before it shows the answer. Codes, ids and numbers only.
"""

from api.auth import Caller
from api.composition import Composition
from api.purposes import Purpose
from api.schemas.operations import OpsCommandIn
from services.access.views import Looked, Outcome


async def note(here: Composition, caller: Caller, said: OpsCommandIn, trace_id: str) -> list[str]:
    """The sites in whose chains it stands: in all of them or, whatever the database raises, in none.

    Raises not-found for a site of others.
    """
    sites = sorted(caller.principal.sites) if said.site is None else [caller.at(said.site)]
    looked = [
        Looked(
            site=site,
            actor_id=caller.principal.id,
            actor_role=caller.role.value,
            act=f"ops_{said.command.replace('-', '_')}",
            purpose=Purpose.OPERATIONS.value,
            object_id=said.about,
            part=None if said.found is None else f"found/{said.found}",
            outcome=(Outcome.FAILED if said.failed else Outcome.DONE).value,
            trace_id=trace_id,
        )
        for site in sites
    ]
    await here.access.audit.write_all(looked)
    return sites

"""Which controlled drugs does a site hold, and where did they go? Containers, movements, counts, discrepancies."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from api.dependencies import CallerHere, Composed
from api.drug_desk import DrugDesk
from api.on_the_loop import on_the_loop
from api.paging import CursorParameter, Limit, link_next
from api.routes.router import routes
from api.schemas.custody import (
    ContainerIn,
    ContainerPage,
    CountIn,
    DestructionIn,
    DiscrepancyPage,
    MovedOut,
    MovementPage,
    SendBackIn,
    WasteIn,
)
from api.schemas.values import Act, Code, Day, Identifier, Site
from clinical.custody import MovementKind
from clinical.protocol import Drug
from services.identifiers import id_from
from services.records.custody_interface import Moved, NewContainer, NewMovement

router = routes("/v1/custody/{site}", "drug books")

Desk = Annotated[DrugDesk, on_the_loop(DrugDesk)]
At = Annotated[Site, Path()]
ContainerId = Annotated[Identifier, Path()]


@router.post("/containers", operation_id="receive_container", status_code=201)
async def receive_container(body: ContainerIn, site: At, desk: Desk, response: Response) -> MovedOut:
    """Take a container into the books; the answer names it, and a dose names it by that id."""
    new = NewContainer(
        container_id=id_from("container", desk.key),
        key=desk.key,
        site=site,
        actor=desk.caller.actor,
        occurred_at=body.occurred_at or datetime.now(UTC),
        **body.model_dump(exclude={"occurred_at"}),
    )
    answer = _moved(await desk.receive(new), site)
    response.headers["Location"] = answer.href
    return answer


@router.get("/containers", operation_id="list_containers")
async def list_containers(
    site: At,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    drug: Annotated[Drug | None, Query()] = None,
    lot: Annotated[Code | None, Query()] = None,
    closed: Annotated[bool | None, Query(description="only closed ones, or only open ones")] = None,
    expires_before: Annotated[Day | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> ContainerPage:
    """Containers with their running counts, newest first."""
    listing = f"containers {caller.principal.id} {site} {drug} {lot} {closed} {expires_before}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    found = await here.queries.containers(
        site,
        drug=drug,
        lot=lot,
        closed=closed,
        expires_before=expires_before,
        cursor=None if place is None else (datetime.fromisoformat(place[0]), place[1]),
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.received_at.isoformat(), last.container_id])
        link_next(request, response, mark)
    counts = await here.queries.custody_counts(site)
    return ContainerPage(items=found[:limit], next_cursor=mark, counts=counts)


@router.get("/containers/{container_id}/movements", operation_id="list_movements")
async def list_movements(
    site: At,
    container_id: ContainerId,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    kind: Annotated[MovementKind | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> MovementPage:
    """Everything that was done with one container, in the order of recording."""
    listing = f"movements {caller.principal.id} {container_id} {kind}"
    after = 0 if cursor is None else int(here.cursors.open(listing, cursor)[0])
    container = await here.queries.container(site, container_id)
    found = await here.queries.movements(site, container_id, kind=kind, after_seq=after, limit=limit + 1)
    mark = None
    if len(found) > limit:
        mark = here.cursors.seal(listing, [str(found[limit - 1].seq)])
        link_next(request, response, mark)
    counts = await here.queries.movement_counts(container_id)
    return MovementPage(container=container, items=found[:limit], next_cursor=mark, counts=counts)


@router.post("/containers/{container_id}/count", operation_id="count_container", status_code=201)
async def count_container(body: CountIn, site: At, container_id: ContainerId, desk: Desk) -> MovedOut:
    """Say what is there. It is taken as fact; a difference opens a discrepancy and its case."""
    people = (body.witness,) if body.witness else ()
    return await _move(desk, site, container_id, MovementKind.COUNTED, body, body.amount_mg, people)


@router.post("/containers/{container_id}/waste", operation_id="waste_drug", status_code=201)
async def waste_drug(body: WasteIn, site: At, container_id: ContainerId, desk: Desk) -> MovedOut:
    """Throw away out of a container, before a witness. What is left of a dose belongs to the end of the dose."""
    people = (body.witness,) if body.witness else ()
    kind = MovementKind.WASTED
    return await _move(desk, site, container_id, kind, body, body.amount_mg, people, body.reason)


@router.post("/containers/{container_id}/return", operation_id="return_drug", status_code=201)
async def return_drug(body: SendBackIn, site: At, container_id: ContainerId, desk: Desk) -> MovedOut:
    """Send back to the supplier or a reverse distributor; a container that is empty then is closed."""
    people = (body.witness,) if body.witness else ()
    kind = MovementKind.SENT_BACK
    return await _move(desk, site, container_id, kind, body, body.amount_mg, people, body.reference)


@router.post("/containers/{container_id}/destruction", operation_id="destroy_drug", status_code=201)
async def destroy_drug(body: DestructionIn, site: At, container_id: ContainerId, desk: Desk) -> MovedOut:
    """Destroy stock before two witnesses; a container that is empty then is closed."""
    kind, people = MovementKind.DESTROYED, body.witnesses
    return await _move(desk, site, container_id, kind, body, body.amount_mg, people, body.reference)


@router.get("/discrepancies", operation_id="list_discrepancies")
async def list_discrepancies(
    site: At,
    here: Composed,
    caller: CallerHere,
    request: Request,
    response: Response,
    status: Annotated[Literal["open", "loss", "closed"] | None, Query()] = None,
    container_id: Annotated[Identifier | None, Query()] = None,
    cursor: CursorParameter = None,
    limit: Limit = 50,
) -> DiscrepancyPage:
    """Differences with their cases, oldest first; `waits_for` is what each still needs, by whom, until when."""
    listing = f"discrepancies {caller.principal.id} {site} {status} {container_id}"
    place = None if cursor is None else here.cursors.open(listing, cursor)
    found = await here.queries.discrepancies(
        site,
        status=status,
        container_id=container_id,
        cursor=None if place is None else (datetime.fromisoformat(place[0]), place[1], int(place[2])),
        limit=limit + 1,
    )
    mark = None
    if len(found) > limit:
        last = found[limit - 1]
        mark = here.cursors.seal(listing, [last.opened_at.isoformat(), last.container_id, str(last.number)])
        link_next(request, response, mark)
    counts = await here.queries.custody_counts(site)
    return DiscrepancyPage(items=found[:limit], next_cursor=mark, counts=counts)


async def _move(
    desk: DrugDesk,
    site: str,
    container_id: str,
    kind: MovementKind,
    body: Act,
    amount_mg: object,
    witnesses: tuple[str, ...],
    note: str | None = None,
) -> MovedOut:
    new = NewMovement.model_validate(
        {
            "container_id": container_id,
            "key": desk.key,
            "site": site,
            "kind": kind,
            "amount_mg": amount_mg,
            "actor": desk.caller.actor,
            "witnesses": witnesses,
            "occurred_at": body.occurred_at or datetime.now(UTC),
            "note": note,
        }
    )
    return _moved(await desk.move(new), site)


def _moved(moved: Moved, site: str) -> MovedOut:
    return MovedOut(
        container_id=moved.container_id,
        href=f"/v1/custody/{site}/containers/{moved.container_id}/movements",
        seq=moved.seq,
        remaining_mg=float(moved.remaining_mg),
        discrepancy=moved.discrepancy,
    )

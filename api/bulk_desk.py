"""How are the courses of a bulk act chosen, and how is it carried out, whoever dies meanwhile?

One course after the other; one that fails does not stop the others. A command's key is made of operation and course,
so that going on after a crash, or taking up what failed, never does anything twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog

from api.auth import Caller
from api.composition import Composition
from api.engine import EngineRefused, EngineUnavailable, NotRunning
from api.problems import Problem
from api.schemas.operations import BulkIn
from clinical.people import Actor
from services.access.views import Looked
from services.bulk.interface import MOST, BulkAct, Chosen, Item, Operation
from services.identifiers import id_from
from services.notifications.errors import NotificationError
from services.notifications.interface import (
    ChannelName,
    CommunicationStatus,
    Contact,
    SendRequest,
    SendResult,
    TemplateName,
)
from services.records.errors import RecordsError
from services.records.standings import CourseStanding
from workflows.messages import Accepted, Pause, Resume
from workflows.names import journey_id

LOOK_EVERY_S = 5.0
NOTICE_VALID = timedelta(hours=36)
PURPOSE = "HOPERAT"
ON_HOLD = {BulkAct.PAUSE: False, BulkAct.RESUME: True, BulkAct.NOTIFY: None}

_log = structlog.get_logger(__name__)


async def chosen(here: Composition, site: str, body: BulkIn) -> tuple[Item, ...]:
    """The open courses that this asks for and that the act fits. Raises not-possible-now for too many or none."""
    ids = None if body.courses is None else [journey_id(site, ulid) for ulid in body.courses]
    found = await here.standings.open_courses(
        site, ids=ids, stage=body.stage, on_hold=ON_HOLD[body.act], limit=MOST + 1
    )
    if not found or len(found) > MOST:
        words = "no open course is like that" if not found else f"more than {MOST} courses: choose fewer"
        raise Problem("not-possible-now", words)
    return tuple(Item(**one.model_dump(exclude={"patient_id"})) for one in found)


async def present(here: Composition, seen: Operation) -> list[Chosen]:
    """The same courses as they stand now; one that is closed is not among them."""
    ids = [item.journey_id for item in seen.items]
    found = await here.standings.open_courses(seen.site, ids=ids, limit=len(ids))
    return [Chosen(**one.model_dump(exclude={"patient_id"})) for one in found]


async def noted(here: Composition, caller: Caller, seen: Operation, act: str, trace_id: str) -> None:
    """Written into the audit of the site before it is done; what cannot be written is not done."""
    looked = Looked(
        site=seen.site,
        actor_id=caller.principal.id,
        actor_role=caller.role.value,
        act=act,
        purpose=PURPOSE,
        object_id=f"operation/{seen.operation_id}",
        part=f"{seen.act}/{len(seen.items)}",
        trace_id=trace_id,
    )
    await here.access.audit.write(looked)


async def keep_working(here: Composition, every_s: float = LOOK_EVERY_S) -> None:
    """Carry out what is confirmed, again and again until cancelled."""
    while True:
        try:
            while await work(here):
                pass
        except Exception as failure:  # whatever is wrong with one must not end the carrying out of all
            _log.warning("operation not carried out", code=type(failure).__name__)
        here.work_to_do.clear()
        try:
            await asyncio.wait_for(here.work_to_do.wait(), every_s)
        except TimeoutError:
            continue


async def work(here: Composition) -> bool:
    """Go on with one operation, to its end or until the morning; False when there is none."""
    operation = await here.bulk.take(datetime.now(UTC))
    if operation is None:
        return False
    ids = [item.journey_id for item in operation.items]
    patients = {
        one.journey_id: one
        for one in await here.standings.open_courses(operation.site, ids=ids, limit=len(ids))
    }
    for item in operation.items:
        now = datetime.now(UTC)
        if item.result is None and (item.not_before is None or item.not_before <= now):
            done = await _done(here, operation, item, patients.get(item.journey_id))
            operation = await here.bulk.note(operation, done, now)
    return True


async def _done(here: Composition, operation: Operation, item: Item, course: CourseStanding | None) -> Item:
    if course is None:
        return _failed(item, "not-possible-now")
    try:
        if operation.act is BulkAct.NOTIFY:
            return await _notify(here, operation, item, course)
        await _tell(here, operation, item)
    except EngineRefused as refused:
        return _failed(item, refused.code)
    except NotRunning:
        return _failed(item, "not-possible-now")
    except EngineUnavailable:
        return _failed(item, "engine-unavailable")
    except RecordsError as error:
        return _failed(item, error.code)
    except NotificationError:
        return _failed(item, "message-not-sent")
    return item.model_copy(update={"result": "done", "problem": None, "not_before": None})


async def _tell(here: Composition, operation: Operation, item: Item) -> None:
    assert operation.confirmed_by is not None and operation.confirmed_as is not None
    actor = Actor(id=operation.confirmed_by, role=operation.confirmed_as)
    signed = {"key": _key(operation, item), "actor": actor, "reason": operation.reason}
    command = Pause(**signed) if operation.act is BulkAct.PAUSE else Resume(**signed)
    await here.engine.command(item.journey_id, operation.act.value, command, Accepted)


async def _notify(here: Composition, operation: Operation, item: Item, course: CourseStanding) -> Item:
    known = await here.records.contact(course.patient_id)
    channels: dict[str, Sequence[str]] = {
        name: getattr(known, name) for name in ("opted_out_channels", "unverified_channels", "bad_channels")
    }
    recipient = Contact(
        name=known.name,
        email=known.email,
        phone_e164=known.phone_e164,
        language=known.language,
        time_zone=known.time_zone,
        preferred_channel=ChannelName(known.preferred_channel),
        detail_opt_in=known.detail_opt_in,
        **{name: frozenset(ChannelName(one) for one in given) for name, given in channels.items()},
    )
    begun = operation.confirmed_at or operation.made_at
    sent = await here.messages.send(
        SendRequest(
            key=f"{item.journey_id}/bulk/{operation.operation_id}",
            journey_id=item.journey_id,
            site=operation.site,
            patient_id=course.patient_id,
            recipient=recipient,
            template=TemplateName.CLINIC_NOTICE,
            occurred_at=begun,
            not_after=begun + NOTICE_VALID,
        )
    )
    return _sent(item, sent)


def _sent(item: Item, sent: SendResult) -> Item:
    match sent.status:
        case CommunicationStatus.COMPLETED:
            return item.model_copy(update={"result": "done", "problem": None, "not_before": None})
        case CommunicationStatus.ON_HOLD:  # the night, or a mail server that is away
            return item.model_copy(update={"not_before": sent.send_at})
        case _:
            return _failed(item, sent.reason or "message-not-sent")


def _key(operation: Operation, item: Item) -> str:
    return id_from("bulk", operation.operation_id, item.journey_id)


def _failed(item: Item, problem: str) -> Item:
    return item.model_copy(update={"result": "failed", "problem": problem, "not_before": None})

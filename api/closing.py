"""How are the visits of a closed day moved? One after the other; one that fails does not stop the others."""

from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from api.booking_desk import BookingDesk
from api.composition import Composition
from api.dependencies import Course, Desk
from api.engine import EngineRefused, EngineUnavailable
from api.problems import Problem
from services.booking.closures import DONE
from services.booking.errors import BookingError, SlotConflict
from services.booking.interface import LIVE, ClosureItem, ClosureView, Status
from services.identifiers import id_from
from workflows.messages import CancelSession
from workflows.names import journey_id


async def close(times: BookingDesk, here: Composition, closure: ClosureView, *, cancel: bool) -> ClosureView:
    """Do what is not done yet, and keep what became of each as soon as it is known."""
    for item in closure.items:
        if item.result not in DONE:
            result = await _done(times, here, closure, item, cancel=cancel)
            closure = await here.bookings.note_closure(closure.site, closure.id, [result])
    return closure


async def _done(
    times: BookingDesk, here: Composition, closure: ClosureView, item: ClosureItem, *, cancel: bool
) -> ClosureItem:
    try:
        return await _move_or_cancel(times, here, closure, item, cancel=cancel)
    except SlotConflict as conflict:
        nearest = conflict.alternatives[0].span.starts_at if conflict.alternatives else None
        return _failed(item, "slot-conflict").model_copy(update={"new_starts_at": nearest})
    except (Problem, EngineRefused, BookingError) as refused:
        return _failed(item, refused.code)
    except EngineUnavailable:
        return _failed(item, "engine-unavailable")


async def _move_or_cancel(
    times: BookingDesk, here: Composition, closure: ClosureView, item: ClosureItem, *, cancel: bool
) -> ClosureItem:
    present = await here.bookings.booking(closure.site, item.booking_id)
    if present.status not in LIVE:
        gone = "moved" if present.status == Status.MOVED else "gone"
        return item.model_copy(update={"result": gone, "problem": None})
    ulid = item.journey_id.rpartition("/")[2]
    assert journey_id(closure.site, ulid) == item.journey_id
    course = Course(closure.site, ulid, here)
    at = "" if item.new_starts_at is None else item.new_starts_at.isoformat()
    key = id_from("closing", closure.id, item.booking_id, at)
    desk = Desk(here, times.caller, key)
    mine = BookingDesk(here, times.caller, key)
    if item.new_starts_at is None:
        if not cancel:
            return _failed(item, "no-time-found")
        message = CancelSession(key=key, actor=times.caller.actor, reason="the clinic is closed")
        await desk.send(course, "cancel_session", message, part=f"session/{item.session}")
        with suppress(SQLAlchemyError):
            await mine.freed(course, item.session)
        return item.model_copy(update={"result": "cancelled", "problem": None})
    ends_at = item.new_starts_at + (item.ends_at - item.starts_at)
    wish = await mine.wish(course, item.session, item.new_starts_at, ends_at=ends_at)
    await mine.confirm(course, item.session, await mine.hold(wish), desk)
    return item.model_copy(update={"result": "moved", "problem": None})


def _failed(item: ClosureItem, problem: str) -> ClosureItem:
    return item.model_copy(update={"result": "failed", "problem": problem})

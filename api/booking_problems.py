"""How is what booking refuses said to a caller? Every clash and every alternative at once, nothing about a patient."""

from api.problems import Fault, Problem
from clinical.booking_search import Slot
from services.booking.errors import (
    BookingError,
    CodeTaken,
    HoldExpired,
    NotFound,
    NotPossible,
    ResourceChanged,
    ResourceFaulty,
    SelectionChanged,
    SlotConflict,
)

WORDS = {
    "taken": "is taken then",
    "not-at-work": "is not there then",
    "nobody": "nobody and nothing of that kind is registered at this site",
    "needed-twice": "would be needed for two parts at once",
    "unknown": "is not registered at this site",
    "closed": "the site is closed on that day",
}


def problem_of_booking(error: BookingError) -> Problem:
    match error:
        case SlotConflict():
            return _conflict(error)
        case ResourceFaulty():
            faults = [Fault(pointer=pointer, detail=text, code=code) for pointer, text, code in error.faults]
            return Problem("invalid-request", "the resource cannot be like that", errors=faults)
        case HoldExpired():
            return Problem("hold-expired", "the hold has lapsed; look for another time")
        case NotFound() | NotPossible() | CodeTaken() | ResourceChanged() | SelectionChanged():
            return Problem(error.code, str(error))
        case _:
            return Problem("internal-error")


def _conflict(error: SlotConflict) -> Problem:
    faults = [
        Fault(
            pointer="/room" if clash.part == "place" else f"/people/{clash.part}",
            detail=f"{clash.resource or clash.part}: {WORDS[clash.obstacle]}",
            code=clash.obstacle.value,
        )
        for clash in error.clashes
    ]
    members = {
        "clashes": [clash.model_dump(mode="json") for clash in error.clashes],
        "alternatives": [said(slot) for slot in error.alternatives],
    }
    return Problem(
        "slot-conflict", "each clash and the nearest times are listed", errors=faults, members=members
    )


def said(slot: Slot) -> dict[str, object]:
    """A time that can be had, for a caller."""
    content = slot.model_dump(mode="json")
    people = {one["part"]: one["code"] for one in content["chosen"] if one["part"] != "place"}
    room = next(one["code"] for one in content["chosen"] if one["part"] == "place")
    return {
        "starts_at": content["span"]["starts_at"],
        "ends_at": content["span"]["ends_at"],
        "dose_at": content["dose_at"],
        "home_at": content["home_at"],
        "room": room,
        "people": people,
    }

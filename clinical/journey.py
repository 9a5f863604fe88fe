"""What may follow what in a course of treatment? The state machine, as one table.

A course is in one `Stage`; a `Move` takes it to another. What is not in `TRANSITIONS` cannot happen. Being on
hold is not a stage: a paused course keeps its stage and takes only the moves in `ALLOWED_ON_HOLD`.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Stage(StrEnum):
    """Where a course is. The last six are final."""

    REFERRED = "referred"
    CONSULTATION = "consultation"
    SCREENING = "screening"
    PLANNING = "planning"
    PREPARATION = "preparation"
    TREATING = "treating"
    FOLLOW_UP = "follow-up"
    FINISHED = "finished"
    DECLINED = "declined"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"
    ENDED = "ended"


class Move(StrEnum):
    """What takes a course from one stage to another."""

    BOOK_CONSULTATION = "book-consultation"
    PROCEED = "proceed"
    DECLINE = "decline"
    FOUND_ELIGIBLE = "found-eligible"
    FOUND_INELIGIBLE = "found-ineligible"
    APPROVE_PLAN = "approve-plan"
    SCREEN_AGAIN = "screen-again"
    COMPLETE_PREPARATION = "complete-preparation"
    AMEND_PLAN = "amend-plan"
    COMPLETE_COURSE = "complete-course"
    STOP_COURSE = "stop-course"
    PROPOSE_BOOSTER = "propose-booster"
    COMPLETE_FOLLOW_UP = "complete-follow-up"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    END = "end"


FINAL = frozenset(
    {Stage.FINISHED, Stage.DECLINED, Stage.INELIGIBLE, Stage.WITHDRAWN, Stage.TRANSFERRED, Stage.ENDED}
)
OPEN = frozenset(Stage) - FINAL

_LEAVING: dict[Move, Stage] = {
    Move.WITHDRAW: Stage.WITHDRAWN,
    Move.TRANSFER: Stage.TRANSFERRED,
    Move.END: Stage.ENDED,
}
"""Possible from every open stage: a person may always stop, and a clinic may always end with a reason."""

_STORY: dict[Stage, dict[Move, Stage]] = {
    Stage.REFERRED: {
        Move.BOOK_CONSULTATION: Stage.CONSULTATION,
        Move.FOUND_INELIGIBLE: Stage.INELIGIBLE,
        Move.DECLINE: Stage.DECLINED,
    },
    Stage.CONSULTATION: {
        Move.PROCEED: Stage.SCREENING,
        Move.DECLINE: Stage.DECLINED,
    },
    Stage.SCREENING: {
        Move.FOUND_ELIGIBLE: Stage.PLANNING,
        Move.FOUND_INELIGIBLE: Stage.INELIGIBLE,
        Move.STOP_COURSE: Stage.FOLLOW_UP,
    },
    Stage.PLANNING: {
        Move.APPROVE_PLAN: Stage.PREPARATION,
        Move.SCREEN_AGAIN: Stage.SCREENING,
        Move.STOP_COURSE: Stage.FOLLOW_UP,
    },
    Stage.PREPARATION: {
        Move.COMPLETE_PREPARATION: Stage.TREATING,
        Move.SCREEN_AGAIN: Stage.SCREENING,
        Move.AMEND_PLAN: Stage.PLANNING,
    },
    Stage.TREATING: {
        Move.COMPLETE_COURSE: Stage.FOLLOW_UP,
        Move.STOP_COURSE: Stage.FOLLOW_UP,
        Move.AMEND_PLAN: Stage.PLANNING,
        Move.SCREEN_AGAIN: Stage.SCREENING,
    },
    Stage.FOLLOW_UP: {
        Move.PROPOSE_BOOSTER: Stage.PLANNING,
        Move.COMPLETE_FOLLOW_UP: Stage.FINISHED,
    },
}

TRANSITIONS: dict[Stage, dict[Move, Stage]] = {
    stage: ({**_STORY[stage], **_LEAVING} if stage in OPEN else {}) for stage in Stage
}

ALLOWED_ON_HOLD = frozenset(_LEAVING)
"""While a course is paused nothing moves forward, but anyone may still leave."""


class Refusal(BaseModel):
    """Why a move is not possible, and what would be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage
    move: Move
    text: str
    possible: tuple[Move, ...]


def possible_moves(stage: Stage, *, on_hold: bool = False) -> tuple[Move, ...]:
    """Which moves does a course in this stage have? Empty for a final stage."""
    moves = TRANSITIONS[stage]
    return tuple(m for m in moves if not on_hold or m in ALLOWED_ON_HOLD)


def next_stage(stage: Stage, move: Move, *, on_hold: bool = False) -> Stage | Refusal:
    """Where does this move lead? A `Refusal` names what would be possible instead."""
    possible = possible_moves(stage, on_hold=on_hold)
    if move in possible:
        return TRANSITIONS[stage][move]
    if stage in FINAL:
        text = f"the course is {stage} and takes no further step"
    elif on_hold and move in TRANSITIONS[stage]:
        text = "the course is on hold; resume it first"
    else:
        text = f"{move} is not possible while the course is in {stage}"
    return Refusal(stage=stage, move=move, text=text, possible=possible)

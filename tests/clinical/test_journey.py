"""Does the state machine let through what it should, and nothing else? Every cell is walked."""

from collections.abc import Iterable
from itertools import product

import pytest

from clinical.journey import (
    ALLOWED_ON_HOLD,
    FINAL,
    OPEN,
    TRANSITIONS,
    Move,
    Refusal,
    Stage,
    next_stage,
    possible_moves,
)

EXPECTED: dict[tuple[Stage, Move], Stage] = {
    (Stage.REFERRED, Move.BOOK_CONSULTATION): Stage.CONSULTATION,
    (Stage.REFERRED, Move.FOUND_INELIGIBLE): Stage.INELIGIBLE,
    (Stage.REFERRED, Move.DECLINE): Stage.DECLINED,
    (Stage.CONSULTATION, Move.PROCEED): Stage.SCREENING,
    (Stage.CONSULTATION, Move.DECLINE): Stage.DECLINED,
    (Stage.SCREENING, Move.FOUND_ELIGIBLE): Stage.PLANNING,
    (Stage.SCREENING, Move.FOUND_INELIGIBLE): Stage.INELIGIBLE,
    (Stage.SCREENING, Move.STOP_COURSE): Stage.FOLLOW_UP,
    (Stage.PLANNING, Move.APPROVE_PLAN): Stage.PREPARATION,
    (Stage.PLANNING, Move.SCREEN_AGAIN): Stage.SCREENING,
    (Stage.PLANNING, Move.STOP_COURSE): Stage.FOLLOW_UP,
    (Stage.PREPARATION, Move.COMPLETE_PREPARATION): Stage.TREATING,
    (Stage.PREPARATION, Move.SCREEN_AGAIN): Stage.SCREENING,
    (Stage.PREPARATION, Move.AMEND_PLAN): Stage.PLANNING,
    (Stage.TREATING, Move.COMPLETE_COURSE): Stage.FOLLOW_UP,
    (Stage.TREATING, Move.STOP_COURSE): Stage.FOLLOW_UP,
    (Stage.TREATING, Move.AMEND_PLAN): Stage.PLANNING,
    (Stage.TREATING, Move.SCREEN_AGAIN): Stage.SCREENING,
    (Stage.FOLLOW_UP, Move.PROPOSE_BOOSTER): Stage.PLANNING,
    (Stage.FOLLOW_UP, Move.COMPLETE_FOLLOW_UP): Stage.FINISHED,
}
"""The journey of the product, written down a second time; leaving is possible from every open stage."""

LEAVING = {
    Move.WITHDRAW: Stage.WITHDRAWN,
    Move.TRANSFER: Stage.TRANSFERRED,
    Move.END: Stage.ENDED,
}

CELLS = list(product(Stage, Move, (False, True)))


def _expected(stage: Stage, move: Move, on_hold: bool) -> Stage | None:
    if stage in FINAL or (on_hold and move not in LEAVING):
        return None
    return LEAVING.get(move) or EXPECTED.get((stage, move))


@pytest.mark.parametrize(("stage", "move", "on_hold"), CELLS)
def test_every_cell(stage: Stage, move: Move, on_hold: bool) -> None:
    expected = _expected(stage, move, on_hold)
    answer = next_stage(stage, move, on_hold=on_hold)
    possible = possible_moves(stage, on_hold=on_hold)
    if expected is None:
        assert isinstance(answer, Refusal)
        assert (answer.stage, answer.move, answer.possible) == (stage, move, possible)
        assert move not in possible
    else:
        assert answer is expected
        assert move in possible


@pytest.mark.parametrize(("stage", "move", "on_hold"), CELLS)
def test_a_refusal_says_why(stage: Stage, move: Move, on_hold: bool) -> None:
    answer = next_stage(stage, move, on_hold=on_hold)
    if isinstance(answer, Stage):
        assert answer is not stage
    elif stage in FINAL:
        assert answer.text == f"the course is {stage} and takes no further step"
    elif isinstance(next_stage(stage, move), Stage):
        assert answer.text == "the course is on hold; resume it first"
    else:
        assert answer.text == f"{move} is not possible while the course is in {stage}"


def test_there_are_seven_open_stages_and_six_final_ones() -> None:
    assert len(OPEN) == 7
    assert list(Stage)[len(OPEN) :] == [stage for stage in Stage if stage in FINAL]
    assert len(FINAL) == 6


@pytest.mark.parametrize("stage", sorted(FINAL))
@pytest.mark.parametrize("on_hold", [False, True])
def test_a_final_stage_takes_nothing(stage: Stage, on_hold: bool) -> None:
    assert possible_moves(stage, on_hold=on_hold) == ()


@pytest.mark.parametrize("stage", sorted(OPEN))
@pytest.mark.parametrize("on_hold", [False, True])
def test_every_open_stage_can_be_left_even_on_hold(stage: Stage, on_hold: bool) -> None:
    assert set(possible_moves(stage, on_hold=on_hold)) >= set(LEAVING) == ALLOWED_ON_HOLD


def test_every_stage_can_be_reached_from_the_referral() -> None:
    assert _reachable(Stage.REFERRED) == set(Stage)


@pytest.mark.parametrize("stage", sorted(OPEN))
def test_every_open_stage_reaches_a_final_one_by_the_story_alone(stage: Stage) -> None:
    story = set(Move) - set(LEAVING)
    assert _reachable(stage, story) & FINAL


def test_every_move_leads_somewhere() -> None:
    assert {move for moves in TRANSITIONS.values() for move in moves} == set(Move)


def _reachable(start: Stage, moves: Iterable[Move] = tuple(Move)) -> set[Stage]:
    found, allowed, frontier = {start}, set(moves), [start]
    while frontier:
        stage = frontier.pop()
        following = {entered for move, entered in TRANSITIONS[stage].items() if move in allowed}
        frontier += following - found
        found |= following
    return found

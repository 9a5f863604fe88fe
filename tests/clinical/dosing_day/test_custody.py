"""A container's count: never below zero by what is accepted, and every difference is found."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical.custody import (
    Container,
    FindingKind,
    Movement,
    MovementKind,
    Standing,
    after,
    count_finding,
    dose_finding,
    draw_allowed,
    movement_allowed,
    receipt_allowed,
    standing_after,
)
from clinical.decision import Decision
from clinical.protocol import Drug
from tests.clinical.dosing_day.builders import NOW, a_container, ago

TOLERANCE = Decimal("0.5")
K = MovementKind
AMOUNTS = st.decimals(0, 500, places=2)
TAKING = (K.DRAWN, K.WASTED, K.SENT_BACK, K.DESTROYED)


def moved(kind: MovementKind, amount: object, **changes: Any) -> Movement:
    values: dict[str, Any] = {
        "kind": kind,
        "amount_mg": Decimal(str(amount)),
        "actor": "nurse-1",
        "witnesses": ("nurse-2", "nurse-3"),
        "occurred_at": ago(hours=1),
    }
    return Movement.model_validate({**values, **changes})


def rules(decision: Decision) -> set[str]:
    return {reason.rule for reason in decision.objections}


def of(standing: Standing) -> Container:
    return a_container(remaining_mg=standing.remaining_mg, closed=standing.closed)


def test_a_day_of_a_vial() -> None:
    standing = standing_after(
        [
            moved(K.RECEIVED, 500),
            moved(K.DRAWN, 50, dose_id="d1"),
            moved(K.GIVEN, "34.9", dose_id="d1"),
            moved(K.WASTED, "15.1", dose_id="d1"),
            moved(K.DRAWN, 84, dose_id="d2"),
            moved(K.GIVEN, 56, dose_id="d2"),
            moved(K.RETURNED, 28, dose_id="d2"),
            moved(K.WASTED, 4),
            moved(K.DRAWN, 10, dose_id="d3"),
        ],
        TOLERANCE,
    )
    assert standing.remaining_mg == 500 - 50 - 84 + 28 - 4 - 10
    assert standing.in_hand == {"d3": Decimal(10)}
    assert not standing.closed


@pytest.mark.parametrize("kind", [K.DESTROYED, K.SENT_BACK])
def test_what_is_gone_is_closed_and_what_comes_back_opens_it(kind: MovementKind) -> None:
    before = [moved(K.RECEIVED, 84), moved(K.DRAWN, 28, dose_id="d"), moved(kind, 56)]
    closed = standing_after(before, TOLERANCE)
    assert closed.closed and closed.remaining_mg == 0
    assert not after(closed, moved(K.RETURNED, 28, dose_id="d"), TOLERANCE).closed
    assert not standing_after([moved(K.RECEIVED, 84), moved(K.DRAWN, 84)], TOLERANCE).closed


@pytest.mark.parametrize(
    ("changes", "scanned", "rule"),
    [
        ({"drug": Drug.ESKETAMINE}, {}, "CUSTODY-DRUG"),
        ({"lot": "L9"}, {}, "CUSTODY-LOT"),
        ({}, {"lot": "L9"}, "CUSTODY-LOT"),
        ({"expires_on": NOW.date()}, {}, "CUSTODY-EXPIRED"),
        ({"closed": True}, {}, "CUSTODY-CLOSED"),
        ({}, {"drawn_mg": Decimal("200.01")}, "CUSTODY-AMOUNT"),
        ({}, {"drawn_mg": None}, "CUSTODY-AMOUNT"),
    ],
)
def test_a_dose_that_cannot_come_from_this_container(
    changes: dict[str, Any], scanned: dict[str, Any], rule: str
) -> None:
    asked = {"drug": Drug.KETAMINE, "lot": "L1", "drawn_mg": Decimal(200), "now": NOW}
    assert rules(draw_allowed(a_container(), **asked)) == set()  # type: ignore[arg-type]
    assert rules(draw_allowed(a_container(**changes), **{**asked, **scanned})) == {rule}


def test_an_unknown_container_is_refused() -> None:
    assert rules(draw_allowed(None, Drug.KETAMINE, "L1", Decimal(1), NOW)) == {"CUSTODY-UNKNOWN"}
    assert rules(movement_allowed(None, moved(K.WASTED, 1), NOW)) == {"CUSTODY-UNKNOWN"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"amount_mg": Decimal(201)}, {"CUSTODY-AMOUNT"}),
        ({"amount_mg": Decimal(0)}, {"CUSTODY-AMOUNT"}),
        ({"witnesses": ()}, {"CUSTODY-WITNESS"}),
        ({"witnesses": ("nurse-1 ",)}, {"CUSTODY-WITNESS"}),
        ({"witnesses": (" ",)}, {"CUSTODY-WITNESS"}),
        ({"kind": K.DESTROYED, "witnesses": ("nurse-2", "nurse-2")}, {"CUSTODY-WITNESS"}),
        ({"kind": K.SENT_BACK, "witnesses": ()}, set()),
        ({"occurred_at": NOW + timedelta(seconds=1)}, {"CUSTODY-TIME"}),
        ({"kind": K.COUNTED, "amount_mg": Decimal(0), "witnesses": ()}, set()),
        ({"kind": K.COUNTED, "amount_mg": Decimal(999)}, set()),
        ({"kind": K.COUNTED, "occurred_at": ago(days=2)}, {"CUSTODY-TIME"}),
        (
            {"amount_mg": Decimal(999), "witnesses": ("nurse-1",), "occurred_at": NOW + timedelta(days=1)},
            {"CUSTODY-AMOUNT", "CUSTODY-WITNESS", "CUSTODY-TIME"},
        ),
    ],
)
def test_what_the_books_refuse_they_refuse_all_at_once(changes: dict[str, Any], expected: set[str]) -> None:
    movement = (
        moved(K.WASTED, 12, **changes)
        if "kind" not in changes
        else moved(changes["kind"], 12, **{k: v for k, v in changes.items() if k != "kind"})
    )
    assert rules(movement_allowed(a_container(), movement, NOW)) == expected
    closed = movement_allowed(a_container(closed=True), movement, NOW)
    assert rules(closed) == expected | {"CUSTODY-CLOSED"}


def test_what_is_taken_in() -> None:
    later = date(2099, 1, 1)
    assert receipt_allowed(moved(K.RECEIVED, 500), later, NOW).passes
    wrong = receipt_allowed(moved(K.RECEIVED, 0, witnesses=("nurse-1",)), NOW.date(), NOW)
    assert rules(wrong) == {"CUSTODY-WITNESS", "CUSTODY-EXPIRED", "CUSTODY-AMOUNT"}


STEPS = st.lists(st.tuples(st.sampled_from(TAKING), AMOUNTS), max_size=12)


@given(AMOUNTS, STEPS)
def test_accepted_movements_never_take_the_count_below_zero(start: Decimal, steps: list[Any]) -> None:
    standing = standing_after([moved(K.RECEIVED, start)], TOLERANCE)
    for number, (kind, amount) in enumerate(steps):
        movement = moved(kind, amount, dose_id=f"d{number}" if kind is K.DRAWN else None)
        if kind is K.DRAWN:
            accepted = draw_allowed(of(standing), Drug.KETAMINE, "L1", amount, NOW).passes
        else:
            accepted = movement_allowed(of(standing), movement, NOW).passes
        standing = after(standing, movement, TOLERANCE) if accepted else standing
        assert standing.remaining_mg >= 0


@given(AMOUNTS, STEPS, st.randoms())
def test_the_order_of_independent_movements_does_not_matter(
    start: Decimal, steps: list[Any], dice: Any
) -> None:
    movements = [moved(kind, amount, dose_id=f"d{n}") for n, (kind, amount) in enumerate(steps)]
    shuffled = dice.sample(movements, len(movements))
    received = moved(K.RECEIVED, start)
    one, other = (standing_after([received, *some], TOLERANCE) for some in (movements, shuffled))
    assert (one.remaining_mg, one.in_hand) == (other.remaining_mg, other.in_hand)


@given(AMOUNTS, AMOUNTS)
def test_any_difference_is_found_and_nothing_else_is(expected: Decimal, found: Decimal) -> None:
    for finding, kind in (
        (count_finding(expected, found, TOLERANCE), FindingKind.COUNT_DIFFERS),
        (dose_finding(expected, found, TOLERANCE), FindingKind.DOSE_UNACCOUNTED),
    ):
        assert (finding is not None) == (abs(found - expected) > TOLERANCE)
        if finding is not None:
            assert (finding.kind, finding.expected_mg + finding.difference_mg) == (kind, found)


@given(st.lists(st.decimals("-0.5", "0.5", places=2), min_size=1, max_size=40))
def test_small_losses_add_up_until_they_are_seen(losses: list[Decimal]) -> None:
    """A count within the tolerance changes no book: a drift is found as soon as it exceeds it, however slow."""
    standing, real, seen = standing_after([moved(K.RECEIVED, 500)], TOLERANCE), Decimal(500), False
    for loss in losses:
        real += loss
        seen = count_finding(standing.remaining_mg, real, TOLERANCE) is not None
        assert seen == (abs(real - standing.remaining_mg) > TOLERANCE)
        standing = after(standing, moved(K.COUNTED, real), TOLERANCE)
        assert abs(standing.remaining_mg - real) <= TOLERANCE
        assert standing.remaining_mg == real or not seen


@pytest.mark.parametrize(
    ("found", "difference"), [("199.5", None), ("200.5", None), ("199.49", "-0.51"), ("200.51", "0.51")]
)
def test_a_difference_is_one_beyond_the_tolerance(found: str, difference: str | None) -> None:
    finding = count_finding(Decimal(200), Decimal(found), TOLERANCE)
    of_dose = dose_finding(Decimal(200), Decimal(found), TOLERANCE)
    if difference is None:
        assert (finding, of_dose) == (None, None)
        return
    assert finding is not None
    assert of_dose is not None
    assert (finding.kind, finding.difference_mg) == (FindingKind.COUNT_DIFFERS, Decimal(difference))
    assert (finding.expected_mg, finding.found_mg) == (Decimal(200), Decimal(found))
    assert of_dose.kind is FindingKind.DOSE_UNACCOUNTED


def test_a_count_within_the_tolerance_leaves_the_books_as_they_are() -> None:
    stands = standing_after([moved(K.RECEIVED, 500), moved(K.COUNTED, "499.6")], TOLERANCE)
    assert stands.remaining_mg == 500
    assert after(stands, moved(K.COUNTED, 499), TOLERANCE).remaining_mg == 499


def test_stock_is_sent_back_without_a_dose() -> None:
    stands = standing_after([moved(K.RECEIVED, 500), moved(K.SENT_BACK, 100)], TOLERANCE)
    assert (stands.remaining_mg, stands.closed) == (Decimal(400), False)
    assert not stands.in_hand

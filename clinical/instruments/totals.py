"""What do the items add up to, and what is still missing?"""

from collections.abc import Iterable, Mapping, Sequence

Bands = Sequence[tuple[float, str]]
"""Upper bounds (inclusive) with their names, in rising order; the last one is open upwards."""


def unanswered(items: Iterable[str], answers: Mapping[str, int]) -> tuple[str, ...]:
    """Which of these items have no answer?"""
    return tuple(item for item in items if item not in answers)


def total(items: Iterable[str], answers: Mapping[str, int]) -> float | None:
    """The plain sum of the items; null when one of them has no answer."""
    values = [answers.get(item) for item in items]
    known = [value for value in values if value is not None]
    return float(sum(known)) if len(known) == len(values) else None


def estimated_total(items: Sequence[str], answers: Mapping[str, int], missing_at_most: int) -> float | None:
    """The sum with few gaps filled by the mean: `round(mean × n)`; null when too many are missing.

    Halves are rounded up, towards more symptoms (Python's own rounding would go to the even neighbour).
    Source: clinical facts §5.2, missing items (D).
    """
    known = [answers[item] for item in items if item in answers]
    if not known or len(items) - len(known) > missing_at_most:
        return None
    return float((2 * sum(known) * len(items) + len(known)) // (2 * len(known)))


def band(score: float, bands: Bands) -> str:
    """In which band does the score lie?"""
    return next((name for upper, name in bands if score <= upper), bands[-1][1])

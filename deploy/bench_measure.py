"""What did the bench find, and was it good enough? Figures, quantiles, the table, and what a process has worked."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HEADINGS = ("part", "what", "measured", "floor", "ratio", "aim", "")


@dataclass(frozen=True)
class Figure:
    """One line. With a floor the ratio is judged, else the measured value; without an aim it is only written down."""

    part: str
    what: str
    unit: str
    measured: float
    floor: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if not self.floor else self.measured / self.floor

    @property
    def ok(self) -> bool | None:
        """None: there is no aim. A floor that could not be measured is no excuse."""
        judged = self.measured if self.floor is None else self.ratio
        if self.at_most is None and self.at_least is None:
            return None
        if judged is None or math.isnan(judged):
            return False
        return (self.at_most is None or judged <= self.at_most) and (
            self.at_least is None or judged >= self.at_least
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "ok": self.ok}

    def cells(self) -> tuple[str, ...]:
        aim = "" if self.at_most is None else f"<= {self.at_most:g}"
        aim = aim if self.at_least is None else f">= {self.at_least:g}"
        verdict = {None: "", True: "ok", False: "FAIL"}[self.ok]
        floor = "" if self.floor is None else f"{self.floor:,.4g} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.part, self.what, f"{self.measured:,.4g} {self.unit}", floor, ratio, aim, verdict


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def processor_ms(pid: int, *, with_children: bool = False) -> float:
    """How long has this process run on a processor, in milliseconds? 0 where the system does not say."""
    spent = 0.0
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # a thread may end while we look
            spent += int((task / "schedstat").read_text().split()[0]) / 1e6
            if with_children:
                children = (task / "children").read_text().split()
                spent += sum(processor_ms(int(child)) for child in children)
    return spent


def table(figures: Sequence[Figure]) -> str:
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def missed(figures: Sequence[Figure]) -> list[Figure]:
    return [figure for figure in figures if figure.ok is False]

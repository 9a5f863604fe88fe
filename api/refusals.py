"""How many refused reads of one person does the audit keep? All of a few; of a flood, that it was one.

A refusal costs its sender nothing, a row in the audit costs us a place in a chain for ever. So within an hour each
process writes the first thirty of one person down; of those that follow, the tenth, the hundredth, the thousandth …,
with how many there were. Every one is in the request log. Only who shows a genuine token or key is counted here:
nobody can make up persons.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Refusals:
    """Counts in this process alone; forgets whom it has not seen for long."""

    each: int = 30
    window_s: float = 3600.0
    clock: Callable[[], float] = time.monotonic
    remembered: int = 10_000
    _seen: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def told(self, person: str, code: str) -> str | None:
        """What the audit is told of this refusal; None when it is told nothing."""
        now = self.clock()
        began, count = self._seen.pop(person, (now, 0))
        if now - began >= self.window_s:
            began, count = now, 0
        self._seen[person] = (began, count + 1)
        while len(self._seen) > self.remembered:
            self._seen.popitem(last=False)
        if count < self.each:
            return code
        more = count + 1 - self.each
        return f"{code}; {more} more since {self.each} were kept" if _power_of_ten(more) else None


def _power_of_ten(number: int) -> bool:
    return number >= 10 and str(number).strip("0") == "1"

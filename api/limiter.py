"""How often may one address ask for pages that need no token?"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field


class TooMany(Exception):
    """One address asks for too many pages."""


@dataclass
class Limiter:
    """At most `most` pages within `window_s` for one address; forgets whom it has not seen for long."""

    most: int = 120
    window_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    remembered: int = 10_000
    _seen: OrderedDict[str, tuple[float, int]] = field(default_factory=OrderedDict)

    def admit(self, address: str) -> None:
        now = self.clock()
        began, count = self._seen.pop(address, (now, 0))
        if now - began >= self.window_s:
            began, count = now, 0
        self._seen[address] = (began, count + 1)
        while len(self._seen) > self.remembered:
            self._seen.popitem(last=False)
        if count >= self.most:
            raise TooMany

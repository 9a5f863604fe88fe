"""Whom has this process noted as working where? So that not every act asks the database again."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from clinical.people import Role


@dataclass
class Noted:
    """Forgets whom it has not noted for long; then the database says that it knows them."""

    again_after_s: float = 12 * 3600.0
    clock: Callable[[], float] = time.monotonic
    remembered: int = 10_000
    _seen: OrderedDict[tuple[str, str, frozenset[Role]], float] = field(default_factory=OrderedDict)

    def is_new(self, site: str, person: str, roles: frozenset[Role]) -> bool:
        at = self._seen.get((site, person, roles))
        return at is None or self.clock() - at >= self.again_after_s

    def keep(self, site: str, person: str, roles: frozenset[Role]) -> None:
        self._seen[site, person, roles] = self.clock()
        while len(self._seen) > self.remembered:
            self._seen.popitem(last=False)

"""How does a route get something made for its request without waiting for a thread?

The framework hands a dependency that is a class or a plain function to a thread, in case it blocks. Ours only put
together what is there already: on a busy machine the way to a thread and back costs more than all of them do.
"""

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import Depends

from api.straight import AT_ONCE


def on_the_loop(make: Callable[..., Any]) -> Any:
    """A dependency of what `make` needs, made where the request is answered; `make` must not block."""

    async def made(**given: Any) -> Any:
        return make(**given)

    made.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]  # this is what the framework reads
    setattr(made, AT_ONCE, make)
    return Depends(made)

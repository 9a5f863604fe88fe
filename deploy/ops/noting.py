"""How does the audit know what operations asked of the engine? Told through the API, before the answer is shown.

As the person of KAP_OPS_TOKEN: who, which command, about what, and how many were found. Whom the API refuses sees
nothing. When it cannot write it down now (it or its database is away), the answer is shown all the same and stderr
says that it was not noted: that is when operations need it most, and they hold the engine's credentials anyway.
`promote` and `move` are noted before they act, by the same rule: a bad release must not bar the way back from it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console

from deploy.ops.door import Api, Unreachable
from services.settings import Settings

NOTED = ("find", "why", "stuck", "report", "versions", "upgrade-preview", "promote", "move")
NOTE_WITHIN_S = 5.0


@dataclass(frozen=True)
class Seen:
    """What a command found and has not shown yet; `show` tells it and answers the exit status."""

    found: int
    show: Callable[[], int]


Look = Callable[[Settings, argparse.Namespace, Console], Awaitable[Seen]]


async def noted(api: Api, given: argparse.Namespace, look: Awaitable[Seen]) -> int:
    """Looked, written down, shown. Raises Refused when the API refuses to write it down, and what `look` raises."""
    try:
        seen = await look
    except Exception:
        await note(api, given, failed=True)
        raise
    await note(api, given, found=seen.found)
    return seen.show()


async def note(
    api: Api, given: argparse.Namespace, found: int | None = None, *, failed: bool = False
) -> None:
    about, site = _about(given)
    body = {"command": given.way, "about": about, "site": site, "found": found, "failed": failed}
    try:
        await api.post("/v1/ops-commands", body, within_s=NOTE_WITHIN_S)
    except Unreachable as lost:
        print(f"ops: this could not be noted in the audit: {lost}", file=sys.stderr)


def _about(given: argparse.Namespace) -> tuple[str, str | None]:
    """The name under which the audit keeps what was asked about, and the site, if it is of one."""
    match given.way:
        case "find" | "stuck":
            return f"query/{getattr(given, 'name', 'failing')}", given.site
        case "report":
            return f"operation/{given.operation}", given.operation.split("/")[0]
        case "versions" | "promote":
            return f"build/{getattr(given, 'build', 'all')}", None
        case _:
            name = given.journey or "journey/all"
            return name, name.split("/")[1] if name.count("/") > 1 else None

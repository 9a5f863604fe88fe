"""Which route answers this address? Looked up by what every address of it has in common.

The framework tries all routes in turn, some of them twice: for the last of two hundred that costs more than the
question to the database. Here each is found by its method, its first two words and how many it has. What is not
found so (a first word with a value behind it, a method that is wrong, an address that is none) the framework tries as
before.
"""

from collections import defaultdict
from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

Place = tuple[str, str, str, int]


class Finder:
    """Stands before the router and hands a request to the route that this would have come to."""

    def __init__(self, routes: Iterable[BaseRoute], router: ASGIApp) -> None:
        self._router = router
        self._at: dict[Place, list[APIRoute]] = defaultdict(list)
        for route in routes:
            if not isinstance(route, APIRoute) or ":path}" in route.path:
                raise LookupError("only a route whose addresses have one length can be looked up")
            for method in route.methods or ():
                self._at[_place(method, route.path)].append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._found(scope) if scope["type"] == "http" else None
        await (route.handle if route else self._router)(scope, receive, send)

    def _found(self, scope: Scope) -> APIRoute | None:
        for route in self._at.get(_place(scope["method"], scope["path"]), ()):
            match, about = route.matches(scope)
            if match is Match.FULL:
                scope.update(about)
                return route
        return None


def _place(method: str, path: str) -> Place:
    words = path.split("/", 3)
    return method, words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else "", path.count("/")

"""Does the way that is looked up lead to where the framework would have come?"""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from api.finding import Finder
from clinical.people import Role
from tests.api.conftest import Clinic
from tests.api.routes_of import routes_of


def a_request(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


def tried(clinic: Clinic, scope: Scope) -> APIRoute | None:
    """The first that matches when all are tried in turn."""
    for route in clinic.app.router.routes:
        if route.matches(scope)[0] is Match.FULL:
            assert isinstance(route, APIRoute)
            return route
    return None


async def test_every_address_leads_to_the_route_that_is_tried_first(clinic: Clinic) -> None:
    finder = clinic.app.router.middleware_stack
    assert isinstance(finder, Finder)
    routes = routes_of(clinic.app)
    assert len(routes) > 150
    looked_up = 0
    for one in routes:
        scope = a_request(one.method, one.at())
        found, first = finder._found(dict(scope)), tried(clinic, dict(scope))
        assert first is not None, one
        if not any(word.startswith("{") for word in one.path.split("/")[1:3]):
            assert found is first, one
            looked_up += 1
    assert looked_up > 0.95 * len(routes)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/v1/tasks", 405),
        ("GET", "/v1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v1/tasks/", 307),
        ("GET", "/v1/tasks", 200),
    ],
)
async def test_what_is_not_found_is_answered_as_ever(
    clinic: Clinic, method: str, path: str, status: int
) -> None:
    answer = await clinic.person(Role.COORDINATOR).send(method, path, None, {})
    assert answer.status_code == status
    if status == 405:
        assert "GET" in answer.headers["allow"]


async def test_a_route_that_cannot_be_looked_up_is_refused() -> None:
    async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("asked for nothing")

    async def whatever() -> None:
        return None

    with pytest.raises(LookupError, match="one length"):
        Finder([APIRoute("/v1/files/{name:path}", whatever)], nowhere)

"""Does a route get the same parameters the short way, and is what is wrong said in the framework's words?"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic_core import to_json

from api.on_the_loop import on_the_loop
from api.straight import straight
from clinical.people import Role
from tests.api.conftest import Clinic

ALL_DAY = {"/v1/tasks", "/v1/board", "/v1/patients/{patient_id}"}


def _address(request: Request) -> str:
    return request.url.path


def an_echo(asked: list[str], route_class: type[APIRoute]) -> FastAPI:
    router = APIRouter(route_class=route_class)

    async def echo(
        request: Request,
        response: Response,
        place: Annotated[str, on_the_loop(_address)],
        name: Annotated[str, Path(max_length=5)],
        needed: Annotated[int, Query(le=9)],
        role: Annotated[Role | None, Query()] = None,
        status: Literal["open", "done"] = "open",
        late: bool = False,
        since: datetime | None = None,
        limit: Annotated[int, Query(ge=1)] = 50,
    ) -> Response:
        response.headers["Kap-Seen"] = "yes"
        seen = [place, name, needed, role, status, late, since, limit, request.method, response.status_code]
        return Response(to_json(seen), headers=dict(response.headers))

    router.get("/{name}")(echo)
    app = FastAPI()
    app.include_router(router)
    return app


def _class(asked: list[str], *, short: bool) -> type[APIRoute]:
    class Watched(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            answer = super().get_route_handler()

            async def framework(request: Request) -> Response:
                asked.append(request.url.query)
                answered: Response = await answer(request)
                return answered

            return straight(self, framework) if short else framework

    return Watched


async def _answered(app: FastAPI, address: str) -> tuple[int, Any, str | None]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://here") as http:
        answer = await http.get(address)
        return answer.status_code, answer.json(), answer.headers.get("kap-seen")


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("/a?needed=1", True),
        ("/a?needed=1&needed=2&limit=3", True),
        ("/a?needed=1&role=nurse&status=done&late=true&since=2026-01-31T08:00:00Z&limit=7", True),
        ("/a?needed=1&other=2&since=2026-01-31T08:00:00%2B02:00", True),
        ("/a", False),
        ("/a?needed=", False),
        ("/a?needed=1&role=", False),
        ("/a?needed=10&limit=0&late=perhaps", False),
        ("/too-long?needed=1&status=gone", False),
    ],
)
async def test_both_ways_lead_to_the_same(address: str, right: bool) -> None:
    by_framework: list[str] = []
    short, full = (an_echo(by_framework, _class(by_framework, short=one)) for one in (True, False))
    answer = await _answered(short, address)
    assert len(by_framework) == (0 if right else 1)
    assert answer == await _answered(full, address)
    assert answer[0] == (200 if right else 422)


async def _framework(_: Request) -> Response:
    return Response()


async def _with_header(word: Annotated[str, Header()] = "") -> Response:
    return Response(word)


async def _with_list(words: Annotated[list[str], Query()] = []) -> Response:  # noqa: B006  # the framework copies it
    return Response("".join(words))


async def _renamed(word: Annotated[str, Query(alias="w")] = "") -> Response:
    return Response(word)


async def _with_a_dependency(one: Annotated[Any, Depends(_framework)]) -> Response:
    return Response(str(one))


async def _of_a_model() -> dict[str, str]:
    return {}


async def _of_nothing() -> Response:
    return Response()


@pytest.mark.parametrize("endpoint", [_with_header, _with_list, _renamed, _with_a_dependency, _of_a_model])
def test_every_other_route_is_left_to_the_framework(endpoint: Callable[..., Awaitable[Any]]) -> None:
    assert straight(APIRoute("/", endpoint, methods=["GET"]), _framework) is _framework


def test_only_reading_goes_straight() -> None:
    assert straight(APIRoute("/", _of_nothing, methods=["POST"]), _framework) is _framework
    assert straight(APIRoute("/", _of_nothing, methods=["GET"]), _framework) is not _framework


async def test_what_is_asked_all_day_goes_straight(clinic: Clinic) -> None:
    found = set()
    for route in clinic.app.router.routes:
        if isinstance(route, APIRoute) and straight(route, _framework) is not _framework:
            found.add(route.path)
    assert found >= ALL_DAY

"""Is what a route needs made where it is answered, and not handed to a thread?"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import iscoroutinefunction

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from tests.api.conftest import Clinic


def made_for(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from made_for(one)


async def test_no_route_waits_for_a_thread(clinic: Clinic) -> None:
    waiting, made = set(), 0
    for context in iter_route_contexts(clinic.app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute)
        for one in (route.dependant, *made_for(route.dependant)):
            made += 1
            if not iscoroutinefunction(one.call):
                waiting.add((route.operation_id, getattr(one.call, "__name__", "")))
    assert made > 100
    assert not waiting

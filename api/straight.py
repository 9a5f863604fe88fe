"""How does a page that is asked all day get its parameters? From the framework's own fields, the short way.

With each request the framework asks of each parameter anew whether it is a model, a list, a header, and of each
dependency whether it has some of its own: for the filters of the work list that costs as much as its rows. All of it
is known when the route is made. Here a value goes to its field at once. What is missing or wrong is left to the
framework, which says so as ever: this way only ever finds the parameters of a request that is right.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction, signature
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

Answer = Callable[[Request], Awaitable[Response]]
Field = Any
"""What the framework has made of a parameter; it does not say the name of its class."""

AT_ONCE = "at_once"
"""Under this name a dependency says what it is made by when it is not waited for (`api.on_the_loop`)."""
SIMPLE = (str, int, float, bool, type(None))


class Wrong(Exception):
    """The framework has to say what is wrong with this request."""


def straight(route: APIRoute, answer: Answer) -> Answer:
    """The answer of this route, found the short way if it is one that writes out what it has read."""
    needs, endpoint = route.dependant, route.endpoint
    if route.methods != {"GET"} or not iscoroutinefunction(endpoint) or not _is_plain(needs):
        return answer
    if signature(endpoint, eval_str=True).return_annotation is not Response:
        return answer
    made = {
        str(one.name): (getattr(one.call, AT_ONCE), str(one.request_param_name)) for one in needs.dependencies
    }

    async def answer_straight(request: Request) -> Response:
        try:
            given = _given(needs.path_params, request.path_params)
            given |= _given(needs.query_params, request.query_params)
        except Wrong:
            return await answer(request)
        given |= {name: make(**{its_name: request}) for name, (make, its_name) in made.items()}
        if needs.request_param_name:
            given[needs.request_param_name] = request
        if needs.response_param_name:
            given[needs.response_param_name] = _nothing_said()
        written: Response = await endpoint(**given)
        return written

    return answer_straight


def _given(fields: list[Field], values: Mapping[str, str]) -> dict[str, Any]:
    """The value of each field; Wrong when one is missing or refused."""
    given = {}
    for field in fields:
        value = values.get(field.name)
        if value is None:
            if field.field_info.is_required():
                raise Wrong
            given[field.name] = field.field_info.default
        else:
            given[field.name], faults = field.validate(value, {}, loc=())
            if faults:
                raise Wrong
    return given


def _nothing_said() -> Response:
    """What a route sets its headers on, as the framework makes it."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]  # as the framework leaves it
    return response


def _is_plain(needs: Dependant) -> bool:
    """Nothing but values of the address, the request itself, and what is made of that at once."""
    beside = (
        *(needs.header_params, needs.cookie_params, needs.body_params, needs.background_tasks_param_name),
        *(needs.websocket_param_name, needs.http_connection_param_name, needs.security_scopes_param_name),
    )
    return (
        not any(beside)
        and all(map(_is_simple, (*needs.path_params, *needs.query_params)))
        and all(map(_is_of_the_request, needs.dependencies))
    )


def _is_simple(field: Field) -> bool:
    """Known by its own name, with a default that nobody can change and nothing has to check."""
    about = field.field_info
    named = {field.alias, field.validation_alias} <= {field.name, None} and not about.validate_default
    return named and about.default_factory is None and (about.is_required() or type(about.default) in SIMPLE)


def _is_of_the_request(one: Dependant) -> bool:
    asks_more = one.path_params or one.query_params or one.dependencies or one.response_param_name
    return hasattr(one.call, AT_ONCE) and bool(one.request_param_name) and not asks_more and _is_plain(one)

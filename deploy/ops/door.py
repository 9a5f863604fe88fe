"""How does `./dev ops` speak to the API? As the person of its token; a refusal is told in the API's own words."""

from __future__ import annotations

import secrets
from types import TracebackType
from typing import Any, Self

import httpx2

ANSWERS_WITHIN_S = 60.0


class Refused(Exception):
    """The API said no, or cannot be reached."""


class Unreachable(Refused):
    """Nobody said no: the API does not answer, or its database is away."""


class Api:
    def __init__(self, address: str, token: str) -> None:
        if not token:
            raise Refused("KAP_OPS_TOKEN has to hold the token of whoever acts")
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.AsyncClient(base_url=address, headers=headers, timeout=ANSWERS_WITHIN_S)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def post(
        self, path: str, body: dict[str, Any], within_s: float = ANSWERS_WITHIN_S
    ) -> dict[str, Any]:
        once = {"Idempotency-Key": secrets.token_hex(16)}
        return await self._ask("POST", path, json=body, headers=once, timeout=within_s)

    async def get(self, path: str) -> dict[str, Any]:
        return await self._ask("GET", path)

    async def _ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, **given)
        except httpx2.HTTPError as error:
            raise Unreachable(f"the API cannot be reached: {type(error).__name__}") from None
        if answer.is_server_error:
            raise Unreachable(_words(answer))
        if answer.is_error:
            raise Refused(_words(answer))
        found: dict[str, Any] = answer.json()
        return found


def _words(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"the API answered {answer.status_code}"
    faults = "; ".join(f"{one['pointer']}: {one['detail']}" for one in problem.get("errors", []))
    return f"{problem['status']} {problem['code']}: {faults or problem['detail']}"

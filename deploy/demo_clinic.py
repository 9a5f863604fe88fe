"""How do the people of the demonstration clinic speak to the engine? Over HTTP, each with their own token."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import httpx2

from deploy.tokens import mint, staff_tokens


class Refused(Exception):
    """The API said no; `problem` is the whole RFC 9457 document."""

    def __init__(self, act: str, problem: Mapping[str, Any]) -> None:
        reasons = "; ".join(reason["text"] for reason in problem.get("reasons", []))
        faults = "; ".join(f"{e.get('pointer', '')} {e['detail']}" for e in problem.get("errors", []))
        detail = reasons or faults or problem.get("detail", "")
        super().__init__(f"{act}: {problem.get('status')} {problem.get('code')}: {detail}")
        self.problem = problem
        self.code = str(problem.get("code"))


def tokens_of(issuer_key: Mapping[str, str]) -> dict[str, str]:
    """A token for each role, and one for the clinician who sees the patient first and drafts the plan."""
    clinician = mint(issuer_key, "prescriber", subject="staff-clinician")
    return staff_tokens(issuer_key) | {"clinician": clinician}


class Clinic:
    def __init__(self, base_url: str, tokens: Mapping[str, str]) -> None:
        self._http = httpx2.AsyncClient(base_url=base_url, timeout=60)
        self._tokens = tokens
        self.requests = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, role: str = "medical-director", **query: Any) -> Any:
        return await self._ask("GET", path, role, params=query)

    async def post(
        self,
        path: str,
        role: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """One act of one person, with a key of its own."""
        key = {"Idempotency-Key": secrets.token_hex(12)}
        return await self._ask(
            "POST", path, role, params=query or {}, json=body or {}, headers={**key, **(headers or {})}
        )

    async def _ask(self, method: str, path: str, role: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens[role]}", **given.pop("headers", {})}
        answer = await self._http.request(method, path, headers=headers, **given)
        self.requests += 1
        body = answer.json()
        if answer.is_success:
            return body
        raise Refused(f"{role}: {method} {path}", body)

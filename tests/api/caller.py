"""Who calls the API in these tests? People with signed tokens, and a client that speaks for one of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from api.tokens import GivenKeys, TokenVerifier
from clinical.people import Role

ISSUER = "https://issuer.example.org/test"
AUDIENCE = "kap-test"
SITE = "site-a"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig", "alg": "ES256"})


def verifier() -> TokenVerifier:
    public = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
    return TokenVerifier(GivenKeys(public), issuer=ISSUER, audience=AUDIENCE)


def claims(*roles: Role | str, subject: str = "", sites: tuple[str, ...] = (SITE,)) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject or f"staff-{'-'.join(roles)}",
        "roles": list(roles),
        "sites": list(sites),
        "iat": now,
        "exp": now + 600,
    }


def signed(content: dict[str, Any], key: ECKey = KEY, **header: str) -> str:
    return jwt.encode({"alg": "ES256", "kid": "k1", **header}, content, key)


@dataclass(frozen=True)
class Person:
    """Somebody at a client: `await nurse.post(path, body)`."""

    app: FastAPI
    token: str

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.send("GET", path, None, headers)

    async def post(
        self, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        if key is not None:
            headers["idempotency-key"] = key
        return await self.send("POST", path, body, headers)

    async def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = {"authorization": f"Bearer {self.token}"} if self.token else {}
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://api.example.org") as client:
            return await client.request(method, path, json=body, headers={**authorization, **named})


def person(app: FastAPI, *roles: Role, subject: str = "", sites: tuple[str, ...] = (SITE,)) -> Person:
    return Person(app, signed(claims(*roles, subject=subject, sites=sites)))

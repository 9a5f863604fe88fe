"""Is this bearer token genuine, and whom does it name?

Signed JWTs of one issuer, checked with its public keys: allowed algorithms only (so `none`, and a public key
abused as a secret, are refused), issuer, audience, expiry. Claims: `sub` (opaque), `roles`, `sites`, and for a
patient whose `sub` is not the id of the register, `patient_id`.
A role we do not know gives no right; nobody carries the engine's own.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import httpx2
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from api.auth import EVERYONE, Principal
from api.problems import Problem
from services.settings import Settings, SettingsInvalid

ALGORITHMS = ("ES256", "ES384", "RS256", "PS256", "EdDSA")
NOT_VALID = "the token is not valid here, or no longer"
LEEWAY_S = 30
REFETCH_COOLDOWN_S = 30.0
REMEMBERED = 2048
"""So many tokens that were found genuine are known again; then all are forgotten."""
KEYS_FRESH_S = 300.0
"""How long a key that the issuer has withdrawn can still be taken for good."""
KEYS_LAST_S = 24 * 3600.0
"""How long the last known keys serve while the issuer cannot be reached."""
FETCH_TIMEOUT_S = 5.0
SUBJECT = re.compile(r"[A-Za-z0-9._:|-]{1,128}")
SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class KeySource(Protocol):
    """Where the issuer's public keys come from."""

    async def keys(self) -> KeySet: ...

    async def newer_keys(self) -> KeySet:
        """Look again, because a token names a key that was not there."""
        ...


class GivenKeys:
    """Keys from the configuration: the development issuer."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def keys(self) -> KeySet:
        return self._keys

    async def newer_keys(self) -> KeySet:
        return self._keys


class PublishedKeys:
    """Keys that the issuer publishes: fetched again when they are no longer fresh or a token names an unknown one,
    never in a storm; while the issuer is away the last ones serve, for a day."""

    def __init__(
        self,
        issuer: str,
        http: Callable[[], httpx2.AsyncClient] = lambda: httpx2.AsyncClient(timeout=FETCH_TIMEOUT_S),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._http = http
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: KeySet | None = None
        self._tried_at = float("-inf")
        self._got_at = float("-inf")

    async def keys(self) -> KeySet:
        if self._keys is not None and self._clock() - self._got_at < KEYS_FRESH_S:
            return self._keys
        return await self.newer_keys()

    async def newer_keys(self) -> KeySet:
        async with self._lock:
            if self._clock() - self._tried_at >= REFETCH_COOLDOWN_S:
                self._tried_at = self._clock()
                fetched = await self._fetch()
                if fetched is not None:
                    self._keys, self._got_at = fetched, self._clock()
        if self._keys is None or self._clock() - self._got_at > KEYS_LAST_S:
            raise Problem("unauthenticated", "the issuer of tokens cannot be reached now")
        return self._keys

    async def _fetch(self) -> KeySet | None:
        try:
            async with self._http() as http:
                answer = await http.get(f"{self._issuer}/.well-known/openid-configuration")
                about = answer.raise_for_status().json()
                if str(about["issuer"]).rstrip("/") != self._issuer:  # OpenID Connect Discovery 1.0, 4.3
                    return None
                published = await http.get(about["jwks_uri"])
                return KeySet.import_key_set(published.raise_for_status().json())
        except (httpx2.HTTPError, JoseError, ValueError, KeyError, TypeError):
            return None


class TokenVerifier:
    """Turns the header `Authorization` into a person, or refuses without saying why in detail."""

    def __init__(self, keys: KeySource, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._known: dict[bytes, _Known] = {}
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, authorization: str | None) -> Principal:
        """Raises unauthenticated for whatever is not a genuine, live token for us."""
        token = bearer_of(authorization)
        name, keys = sha256(token.encode()).digest(), await self._keys.keys()
        known = self._known.get(name)
        try:
            if known is None or known.by is not keys:
                known = await self._checked(token, keys)
            self._claims.validate_exp(known.expires)
        except (JoseError, ValueError, TypeError):
            self._known.pop(name, None)
            raise refused(NOT_VALID) from None
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[name] = known
        return known.principal

    async def _checked(self, token: str, keys: KeySet) -> "_Known":
        try:
            claims = jwt.decode(token, keys, list(ALGORITHMS)).claims
        except InvalidKeyIdError:
            keys = await self._keys.newer_keys()
            claims = jwt.decode(token, keys, list(ALGORITHMS)).claims
        self._claims.validate(claims)
        return _Known(keys, claims["exp"], _principal(claims))


@dataclass(frozen=True)
class _Known:
    """A token that these very keys have vouched for: other keys are asked again, and its time is looked at always."""

    by: KeySet
    expires: int
    principal: Principal


def verifier_of(settings: Settings) -> TokenVerifier:
    """The verifier of whatever process was configured so; SettingsInvalid without an issuer."""
    if settings.issuer_url is None:
        raise SettingsInvalid(("KAP_ISSUER_URL: is required: tokens name their issuer",))
    keys: KeySource
    if settings.issuer_key is not None:
        key = json.loads(settings.issuer_key.get_secret_value())
        keys = GivenKeys(KeySet.import_key_set({"keys": [key]}))
    else:
        keys = PublishedKeys(settings.issuer_url)
    return TokenVerifier(keys, issuer=settings.issuer_url, audience=settings.audience)


def bearer_of(authorization: str | None) -> str:
    """What stands in the header Authorization; raises unauthenticated when nothing does."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise refused("send a bearer token in the header Authorization", error=None)
    return token.strip()


def refused(detail: str, error: str | None = "invalid_token") -> Problem:
    """The answer to a caller whom we do not know (RFC 6750)."""
    challenge = 'Bearer realm="kap"' + (f', error="{error}"' if error else "")
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": challenge})


def _principal(claims: dict[str, Any]) -> Principal:
    if not SUBJECT.fullmatch(claims["sub"]):
        raise refused("the token does not name its bearer by an opaque id")
    known = {str(role): role for role in EVERYONE}
    roles = frozenset(known[name] for name in _words(claims.get("roles")) if name in known)
    sites = frozenset(name for name in _words(claims.get("sites")) if SITE.fullmatch(name))
    patient = claims.get("patient_id")
    if patient is not None and not (isinstance(patient, str) and SUBJECT.fullmatch(patient)):
        raise refused("the token does not name its patient by an opaque id")
    return Principal(id=claims["sub"], roles=roles, sites=sites, patient=patient or claims["sub"])


def _words(claim: object) -> Iterable[str]:
    return [word for word in claim if isinstance(word, str)] if isinstance(claim, list) else []

"""Who may do what in a demonstration?

A development token for a role: a JWT signed with the local issuer's key. It names an opaque person
(`staff-…`), the same one for the same role and site at every start, so that an approval by two people is
by two people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER_URL = "https://issuer.example.org/kap-local"
AUDIENCE = "kap-engine"
DEMO_SITE = "site-a"
DEMO_STAFF = ("coordinator", "prescriber", "therapist", "nurse", "medical-director", "ops", "auditor")
LIFETIME = timedelta(days=30)


def staff_id(role: str, site: str = DEMO_SITE) -> str:
    """The opaque id of the one demo person in this role at this site."""
    return f"staff-{hashlib.sha256(f'{site}/{role}'.encode()).hexdigest()[:12]}"


def mint(
    issuer_key_jwk: Mapping[str, str],
    role: str,
    *,
    subject: str | None = None,
    sites: Sequence[str] = (DEMO_SITE,),
    issuer: str = ISSUER_URL,
    audience: str = AUDIENCE,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A bearer token for `role` at `sites`, valid from now; `subject` replaces the demo person."""
    now = datetime.now(UTC)
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject or staff_id(role, sites[0] if sites else "-"),
        "roles": [role],
        "sites": list(sites),
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    header = {"alg": "ES256", "kid": issuer_key_jwk["kid"], "typ": "JWT"}
    return jwt.encode(header, claims, ECKey.import_key(dict(issuer_key_jwk)))


def staff_tokens(issuer_key_jwk: Mapping[str, str]) -> dict[str, str]:
    """A token for each demo role of the staff."""
    return {role: mint(issuer_key_jwk, role) for role in DEMO_STAFF}

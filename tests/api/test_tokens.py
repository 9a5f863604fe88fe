"""Where do the keys of tokens come from, and what happens when they change?"""

from __future__ import annotations

from unittest.mock import Mock

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from api.problems import Problem
from api.tokens import KEYS_FRESH_S, KEYS_LAST_S, LEEWAY_S, REFETCH_COOLDOWN_S, PublishedKeys, TokenVerifier
from clinical.people import Role
from tests.api.caller import AUDIENCE, claims

ISSUER = "https://login.example.org"


class Issuer:
    """Publishes keys as OpenID Connect says; counts who asks, and can be away."""

    def __init__(self) -> None:
        self.keys = [self.new_key("a")]
        self.asked = 0
        self.name = ISSUER
        self.away = False

    def new_key(self, name: str) -> ECKey:
        return ECKey.generate_key("P-256", {"kid": name, "alg": "ES256", "use": "sig"})

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if self.away:
            return httpx2.Response(503)
        if request.url.path == "/.well-known/openid-configuration":
            return httpx2.Response(200, json={"issuer": self.name, "jwks_uri": f"{ISSUER}/keys"})
        self.asked += 1
        return httpx2.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer))

    def token(self, key: ECKey) -> str:
        content = claims(Role.NURSE) | {"iss": ISSUER}
        return "Bearer " + jwt.encode({"alg": "ES256", "kid": key.kid}, content, key)


def verifier(issuer: Issuer, clock: list[float]) -> TokenVerifier:
    keys = PublishedKeys(ISSUER, issuer.http, lambda: clock[0])
    return TokenVerifier(keys, issuer=ISSUER, audience=AUDIENCE)


async def test_keys_are_fetched_once() -> None:
    issuer = Issuer()
    checks = verifier(issuer, [0.0])
    for _ in range(3):
        assert (await checks.verify(issuer.token(issuer.keys[0]))).roles == {Role.NURSE}
    assert issuer.asked == 1


async def test_a_new_key_is_found_but_not_by_asking_all_the_time() -> None:
    issuer, clock = Issuer(), [0.0]
    checks = verifier(issuer, clock)
    await checks.verify(issuer.token(issuer.keys[0]))
    fresh = issuer.new_key("b")
    issuer.keys.append(fresh)
    for _ in range(3):
        with pytest.raises(Problem, match="unauthenticated"):
            await checks.verify(issuer.token(fresh))
    assert issuer.asked == 1
    clock[0] += REFETCH_COOLDOWN_S
    assert (await checks.verify(issuer.token(fresh))).roles == {Role.NURSE}
    assert issuer.asked == 2


async def test_old_keys_serve_while_the_issuer_is_away() -> None:
    issuer, clock = Issuer(), [0.0]
    checks = verifier(issuer, clock)
    await checks.verify(issuer.token(issuer.keys[0]))
    issuer.away = True
    clock[0] += REFETCH_COOLDOWN_S
    with pytest.raises(Problem, match="unauthenticated"):
        await checks.verify(issuer.token(issuer.new_key("z")))
    assert (await checks.verify(issuer.token(issuer.keys[0]))).roles == {Role.NURSE}


async def test_a_key_that_the_issuer_withdrew_is_worth_nothing_soon() -> None:
    issuer, clock = Issuer(), [0.0]
    checks = verifier(issuer, clock)
    old = issuer.keys[0]
    await checks.verify(issuer.token(old))
    issuer.keys = [issuer.new_key("b")]
    clock[0] += KEYS_FRESH_S
    with pytest.raises(Problem, match="unauthenticated"):
        await checks.verify(issuer.token(old))
    assert (await checks.verify(issuer.token(issuer.keys[0]))).roles == {Role.NURSE}


async def test_keys_that_nobody_has_vouched_for_in_a_day_serve_no_more() -> None:
    issuer, clock = Issuer(), [0.0]
    checks = verifier(issuer, clock)
    await checks.verify(issuer.token(issuer.keys[0]))
    issuer.away = True
    clock[0] = KEYS_LAST_S
    assert (await checks.verify(issuer.token(issuer.keys[0]))).roles == {Role.NURSE}
    clock[0] += REFETCH_COOLDOWN_S
    with pytest.raises(Problem, match="unauthenticated"):
        await checks.verify(issuer.token(issuer.keys[0]))


async def test_keys_of_another_issuer_are_not_taken() -> None:
    issuer = Issuer()
    issuer.name = "https://login.example.com"
    with pytest.raises(Problem, match="unauthenticated"):
        await verifier(issuer, [0.0]).verify(issuer.token(issuer.keys[0]))


async def test_a_patient_may_be_named_by_a_claim_of_its_own() -> None:
    issuer = Issuer()
    checks = verifier(issuer, [0.0])

    async def patient_of(**more: object) -> str:
        content = claims(Role.PATIENT, subject="login-7") | {"iss": ISSUER} | more
        header = {"alg": "ES256", "kid": issuer.keys[0].kid}
        return (await checks.verify("Bearer " + jwt.encode(header, content, issuer.keys[0]))).patient

    assert await patient_of() == "login-7"
    assert await patient_of(patient_id="01JNB6Q0F0V5T9Z8X4C2M7K3HD") == "01JNB6Q0F0V5T9Z8X4C2M7K3HD"
    for wrong in ("jane doe", 7, ["x"], ""):
        with pytest.raises(Problem, match="unauthenticated"):
            await patient_of(patient_id=wrong)


async def test_without_any_keys_nobody_comes_in() -> None:
    issuer = Issuer()
    issuer.away = True
    with pytest.raises(Problem, match="unauthenticated"):
        await verifier(issuer, [0.0]).verify(issuer.token(issuer.keys[0]))


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer ", "Bearer a b", "Bearer é"])
async def test_a_header_that_is_none(header: str | None) -> None:
    with pytest.raises(Problem, match="unauthenticated") as refused:
        await verifier(Issuer(), [0.0]).verify(header)
    assert refused.value.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_is_known_is_not_known_for_longer_than_it_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer = Issuer()
    checks = verifier(issuer, [0.0])
    token = issuer.token(issuer.keys[0])
    assert await checks.verify(token) == await checks.verify(token)
    lasts = claims(Role.NURSE)["exp"] + LEEWAY_S
    monkeypatch.setattr("time.time", lambda: lasts - 10)
    assert (await checks.verify(token)).roles == {Role.NURSE}
    monkeypatch.setattr("time.time", lambda: lasts + 10)
    for _ in range(2):
        with pytest.raises(Problem, match="unauthenticated"):
            await checks.verify(token)


async def test_a_signature_is_checked_once_for_each_set_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer, clock = Issuer(), [0.0]
    decode = Mock(wraps=jwt.decode)
    monkeypatch.setattr("api.tokens.jwt.decode", decode)
    checks = verifier(issuer, clock)
    token = issuer.token(issuer.keys[0])
    for _ in range(3):
        await checks.verify(token)
    assert decode.call_count == 1
    clock[0] += KEYS_FRESH_S  # fetched again, and the key is still there
    for _ in range(3):
        await checks.verify(token)
    assert decode.call_count == 2
    with pytest.raises(Problem, match="unauthenticated"):
        await checks.verify(token[:-4] + "AAAA")  # another token is none that is known


async def test_no_more_tokens_are_known_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tokens.REMEMBERED", 2)
    issuer = Issuer()
    checks = verifier(issuer, [0.0])
    for _ in range(5):
        await checks.verify(issuer.token(issuer.keys[0]))
    assert len(checks._known) <= 2

"""How does one webhook leave? One POST to a checked address; what the receiver says is its status and no more.

No redirect is followed, no proxy or password of the environment used, the answer's body is never read, and the
whole attempt ends after `timeout_s`.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from services.events.errors import UnsafeTarget
from services.events.interface import Outcome
from services.events.targets import Target, TargetGuard

TIMEOUT_S = 15.0
CONNECT_S = 5.0
ADDRESSES_TRIED = 3


@dataclass(frozen=True)
class Sent:
    """How one attempt ended."""

    outcome: Outcome
    duration_ms: int
    http_status: int | None = None
    retry_after_s: int | None = None


class WebhookSender:
    def __init__(
        self, guard: TargetGuard, *, timeout_s: float = TIMEOUT_S, trust: ssl.SSLContext | None = None
    ) -> None:
        self._guard = guard
        self._timeout_s = timeout_s
        self._trust = trust or ssl.create_default_context()

    async def send(self, url: str, headers: Mapping[str, str], body: str) -> Sent:
        """One attempt. Never raises: whatever happens is an outcome."""
        started = time.perf_counter()
        status: int | None = None
        retry_after: int | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                target = await self._guard.checked(url)
                status, retry_after = await self._post(target, headers, body.encode())
            outcome = _outcome(status)
        except UnsafeTarget:
            outcome = Outcome.UNSAFE
        except (TimeoutError, httpx2.TimeoutException):
            outcome = Outcome.TIMEOUT
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
            outcome = Outcome.UNREACHABLE
        duration_ms = round((time.perf_counter() - started) * 1000)
        return Sent(outcome, duration_ms, status, retry_after)

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> tuple[int, int | None]:
        last: httpx2.ConnectError | httpx2.ConnectTimeout | None = None
        for address in target.addresses[:ADDRESSES_TRIED]:
            try:
                return await self._post_to(address, target.url, headers, body)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as failure:
                last = failure  # nothing was sent yet: the next address may answer
        assert last is not None
        raise last

    async def _post_to(
        self, address: str, url: httpx2.URL, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, int | None]:
        """Connect to the address that was checked; the certificate must still be the name's."""
        limits = httpx2.Timeout(self._timeout_s, connect=CONNECT_S)
        async with (
            httpx2.AsyncClient(
                verify=self._trust, trust_env=False, follow_redirects=False, timeout=limits
            ) as client,
            client.stream(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={**headers, "host": url.netloc.decode("ascii"), "accept-encoding": "identity"},
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as answer,
        ):
            return answer.status_code, _seconds(answer.headers.get("retry-after"))


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status == 410:
        return Outcome.GONE
    return Outcome.REDIRECT if 300 <= status < 400 else Outcome.REFUSED


def _seconds(retry_after: str | None) -> int | None:
    plain = retry_after is not None and retry_after.isascii() and retry_after.isdecimal()
    return int(retry_after) if plain and retry_after is not None and len(retry_after) < 10 else None

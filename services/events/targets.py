"""May this address be called at all? Asked when an endpoint is made, and again for every attempt.

Nobody may use our place in the network: only https, and only names that lead to public addresses, all of them.
The check answers with the addresses it checked, and the sender connects to one of those: a name that leads
elsewhere a moment later leads nowhere. http to this machine is for development, by a setting.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx2

from services.events.errors import UnsafeTarget

LONGEST_URL = 2000
LAST_PORT = 65535
RESOLVE_S = 5.0
ODD = re.compile(r"[\x00-\x20\x7f-\xff\\]")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NOT_PUBLIC_EITHER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments; a metadata service of some clouds
        "168.63.129.16/32",  # answers inside Azure only
    )
)
"""What some versions of the library take for global."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

INVALID = ("invalid", "must be an absolute https address without spaces or control characters")
NOT_HTTPS = ("not-https", "must be an https address")
USERINFO = ("userinfo", "must not hold a user name or password")
FRAGMENT = ("fragment", "must not have a fragment")
UNKNOWN_HOST = ("unknown-host", "its host name leads nowhere")
NOT_PUBLIC = ("not-public", "its host leads to an address that is not public")


@dataclass(frozen=True)
class Target:
    """An address that may be called, and where: only at these IP addresses."""

    url: httpx2.URL
    addresses: tuple[str, ...]


async def system_resolve(host: str, port: int) -> list[str]:
    """Every address that the system's resolver has for this name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


class TargetGuard:
    """Knows what may be called."""

    def __init__(self, *, loopback_http: bool = False, resolve: Resolve = system_resolve) -> None:
        self._loopback_http = loopback_http
        self._resolve = resolve

    async def checked(self, url: str) -> Target:
        """The target with its addresses of this moment. Raises UnsafeTarget with every fault."""
        parsed = _parsed(url)
        faults = list(_faults_of_spelling(parsed))
        addresses = await self._addresses(parsed)
        loopback = self._loopback_http and addresses != [] and all(map(_is_loopback, addresses))
        if not loopback:
            if parsed.scheme != "https":
                faults.append(NOT_HTTPS)
            if not addresses:
                faults.append(UNKNOWN_HOST)
            elif not all(map(is_public, addresses)):
                faults.append(NOT_PUBLIC)
        if faults:
            raise UnsafeTarget(*faults)
        return Target(parsed, tuple(str(address) for address in addresses))

    async def _addresses(self, url: httpx2.URL) -> list[IpAddress]:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await self._resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError, TimeoutError):
            return []
        # A scoped address (fe80::1%eth0) is never public; what cannot be read is not either.
        return [ipaddress.ip_address(address.partition("%")[0]) for address in found]


def is_public(address: IpAddress) -> bool:
    """Is this an address of the open Internet, and not one of ours in disguise?"""
    inner = _hidden_in(address)
    if inner is not None:
        return is_public(inner)
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in NOT_PUBLIC_EITHER)


def _hidden_in(address: IpAddress) -> IpAddress | None:
    """The IPv4 address that this IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def _is_loopback(address: IpAddress) -> bool:
    return (_hidden_in(address) or address).is_loopback


def _parsed(url: str) -> httpx2.URL:
    if len(url) > LONGEST_URL or ODD.search(url) or not url.isascii():
        raise UnsafeTarget(INVALID)
    try:
        parsed = httpx2.URL(url)
        known = parsed.scheme in {"http", "https"} and parsed.raw_host != b""
        if not known or parsed.port == 0 or (parsed.port or 1) > LAST_PORT:
            raise UnsafeTarget(INVALID)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise UnsafeTarget(INVALID) from None
    return parsed


def _faults_of_spelling(url: httpx2.URL) -> list[tuple[str, str]]:
    faults = []
    if url.userinfo:
        faults.append(USERINFO)
    if url.fragment:
        faults.append(FRAGMENT)
    return faults

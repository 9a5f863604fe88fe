"""Can nobody make us call what is ours: by an address, by a name, or by a name that changes its mind?"""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.errors import UnsafeTarget
from services.events.interface import Outcome
from services.events.sender import WebhookSender
from services.events.targets import TargetGuard, is_public, system_resolve
from tests.services.events.receiver import a_receiver

PUBLIC = "93.184.216.34"


class Names:
    """A resolver whose answers are given one after the other; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise OSError("no such name")
        return answer


async def faults(url: str, *addresses: str, loopback_http: bool = False) -> set[str]:
    guard = TargetGuard(loopback_http=loopback_http, resolve=Names(list(addresses)))
    try:
        await guard.checked(url)
    except UnsafeTarget as unsafe:
        return {code for code, _ in unsafe.faults if "hooks" not in str(unsafe)}
    return set()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "::", "::1", "::7f00:1", "64:ff9b:1::7f00:1",
        "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "fe80::1%eth0",
    ],
)  # fmt: skip
async def test_no_name_leads_to_an_address_that_is_not_public(address: str) -> None:
    assert await faults("https://hooks.example.org/in", address) == {"not-public"}
    assert await faults("https://hooks.example.org/in", PUBLIC, address) == {"not-public"}


@given(st.integers(min_value=0, max_value=2**32 - 1))
def test_an_address_is_as_public_in_disguise_as_it_is_plainly(number: int) -> None:
    plain = ipaddress.IPv4Address(number)
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        hidden = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + number)
        assert is_public(hidden) == is_public(plain)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.org/in?a=b", set()),
        ("https://hooks.example.org:8443/in", set()),
        ("http://hooks.example.org/in", {"not-https"}),
        ("http://u:p@hooks.example.org/in#x", {"not-https", "userinfo", "fragment"}),
        ("ftp://hooks.example.org/in", {"invalid"}),
        ("file:///etc/passwd", {"invalid"}),
        ("https:///in", {"invalid"}),
        ("//hooks.example.org/in", {"invalid"}),
        ("hooks", {"invalid"}),
        ("", {"invalid"}),
        ("https://hooks.example.org/a b", {"invalid"}),
        ("https://hooks.example.org/\r\nX: y", {"invalid"}),
        ("https://hooks.example.org\\@127.0.0.1/", {"invalid"}),
        ("https://hooks.exämple.org/", {"invalid"}),
        ("https://hooks.example.org:99999/", {"invalid"}),
        ("https://hooks.example.org/" + "x" * 2000, {"invalid"}),
    ],
)
async def test_what_an_address_must_look_like(url: str, expected: set[str]) -> None:
    assert await faults(url, PUBLIC) == expected


async def test_all_faults_come_at_once_and_a_name_without_address_is_one() -> None:
    assert await faults("http://u@hooks.example.org/", "10.0.0.1") == {"not-https", "userinfo", "not-public"}
    assert await faults("https://hooks.example.org/") == {"unknown-host"}


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "2130706433", "0x7f.1", "127.1", "[::ffff:7f00:1]"])
async def test_numbers_that_mean_this_machine_are_found_out_by_the_real_resolver(host: str) -> None:
    with pytest.raises(UnsafeTarget) as unsafe:
        await TargetGuard(resolve=system_resolve).checked(f"https://{host}/")
    assert {code for code, _ in unsafe.value.faults} <= {"not-public", "unknown-host", "invalid"}


async def test_this_machine_is_for_development_only_and_then_nothing_else_is_allowed_with_it() -> None:
    assert await faults("http://localhost:9/", "127.0.0.1", "::1", loopback_http=True) == set()
    assert await faults("http://localhost:9/", "127.0.0.1") == {"not-https", "not-public"}
    assert await faults("http://x.example.org/", "10.0.0.1", loopback_http=True) == {
        "not-https",
        "not-public",
    }
    assert await faults("http://x.example.org/", "127.0.0.1", PUBLIC, loopback_http=True) != set()
    assert await faults("http://x.example.org/", PUBLIC, loopback_http=True) == {"not-https"}
    assert await faults("http://x.example.org/", loopback_http=True) == {"not-https", "unknown-host"}


async def test_a_name_that_leads_home_after_it_was_checked_leads_nowhere() -> None:
    """DNS rebinding: public when the endpoint is made, this machine when it is called."""
    async with a_receiver() as ours:
        names = Names([PUBLIC], ["127.0.0.1"])
        guard = TargetGuard(resolve=names)
        url = f"https://hooks.example.org:{ours.port}/in"
        assert (await guard.checked(url)).addresses == (PUBLIC,)
        sent = await WebhookSender(guard, timeout_s=2).send(url, {"webhook-id": "evt_1"}, "{}")
        assert sent.outcome is Outcome.UNSAFE
        assert ours.requests == []
        assert len(names.asked) == 2


async def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    """One look-up an attempt: what the name leads to after the check is not asked."""
    async with a_receiver() as ours:
        names = Names(["127.0.0.1"], ["10.255.255.1"])
        sender = WebhookSender(TargetGuard(loopback_http=True, resolve=names), timeout_s=2)
        sent = await sender.send(f"http://hooks.example.org:{ours.port}/in", {"webhook-id": "evt_1"}, "{}")
        assert sent.outcome is Outcome.DELIVERED
        assert ours.requests[0].headers["host"] == f"hooks.example.org:{ours.port}"
        assert len(names.asked) == 1


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_receiver() as ours, a_receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        sender = WebhookSender(TargetGuard(loopback_http=True), timeout_s=2)
        assert (await sender.send(ours.url, {}, "{}")).outcome is Outcome.DELIVERED
        assert proxy.requests == []


async def test_nobody_there_is_an_outcome_and_the_next_address_is_tried() -> None:
    async with a_receiver() as ours:
        names = Names(["127.0.0.2", "127.0.0.1"])
        sender = WebhookSender(TargetGuard(loopback_http=True, resolve=names), timeout_s=2)
        assert (await sender.send(ours.url, {}, "{}")).outcome is Outcome.DELIVERED
        port = ours.port
    sent = await sender.send(f"http://hooks.example.org:{port}/", {}, "{}")
    assert (sent.outcome, sent.http_status) == (Outcome.UNREACHABLE, None)

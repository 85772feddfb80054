from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.network.guard import Guard, Refused, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "93.184.215.14", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "223.255.255.255"),
        *("2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
        *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        "168.63.129.16",
        # IPv6: unspecified, loopback, compatible, link-local with and without a zone, site-local, unique local, multicast
        *("::", "::1", "::7f00:1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        # protocol assignments, Teredo, benchmarks, documentation, discard, segment routing, local NAT64
        *("2001::1", "2001:2::1", "2001:db8::1", "3fff::1", "100::1", "5f00::1", "64:ff9b:1::1"),
        # private IPv4 addresses inside: mapped, NAT64, 6to4
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a00:1::1",
        ),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_python_agrees_about_private_addresses(address: Any) -> None:
    if address.is_private or address.is_multicast or address.is_link_local or address.is_reserved:
        assert not is_public(address)
    for embedding in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1",
    ):
        assert is_public(ip_address(embedding)) == is_public(address)


@given(st.ip_addresses(v=6))
def test_python_agrees_about_private_ipv6_addresses(address: Any) -> None:
    if address.is_private and not (address.ipv4_mapped or address.sixtofour):
        assert not is_public(address)


class Names:
    """A resolver of names to fixed addresses, which counts its calls."""

    def __init__(self, **names: tuple[str, ...]) -> None:
        self.names = names
        self.calls = 0

    def __call__(self, host: str, port: int, *, type: int) -> list[Any]:
        self.calls += 1
        found = self.names.get(host, (host,))
        return [i for a in found for i in socket.getaddrinfo(a, port, type=type, flags=socket.AI_NUMERICHOST)]


def addresses(guard: Guard, host: str) -> list[str]:
    return [address.socket_address[0] for address in guard.addresses(host, 80)]


def test_only_the_public_addresses_of_a_host_are_used() -> None:
    names = Names(mixed=("10.0.0.1", "8.8.8.8", "8.8.8.8", "::1", "2606:4700::1111"), private=("10.0.0.1", "8.8.8.8"))
    guard = Guard(resolve=names)
    assert addresses(guard, "mixed") == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_an_address_is_refused(host: str) -> None:
    with pytest.raises(Refused, match=f"^{host} is not a public address; if it is yours, add {host} to fetch.allow$"):
        Guard(resolve=Names()).addresses(host, 80)


def test_a_host_is_refused() -> None:
    with pytest.raises(
        Refused, match=r"^inside \(10.0.0.1\) is not a public address; if .* add inside to fetch.allow$"
    ):
        Guard(resolve=Names(inside=("10.0.0.1", "::1"))).addresses("inside", 80)


def test_allowed() -> None:
    names = Names(inside=("10.0.0.1",), sub=("10.0.0.2",))
    assert addresses(Guard(["Inside "], names), "inside") == ["10.0.0.1"]
    with pytest.raises(Refused):
        Guard(["inside"], names).addresses("sub", 80)
    with pytest.raises(Refused):
        Guard(["10.0.0.1"], names).addresses("sub", 80)
    for network in ("10.0.0.0/8", "10.0.0.2", "10.0.0.9/24"):
        assert addresses(Guard([network], names), "sub") == ["10.0.0.2"]
    assert addresses(Guard(["::1/128"], Names(six=("::1",))), "six") == ["::1"]
    # An entry that means nothing allows nothing.
    for entry in ("", "http://", "*", "10.0.0.0/99"):
        with pytest.raises(Refused):
            Guard([entry], names).addresses("inside", 80)


def test_an_internationalised_host_is_allowed_by_its_name() -> None:
    assert addresses(
        Guard(["Exämple.example"], Names(**{"xn--exmple-cua.example": ("127.0.0.1",)})), "xn--exmple-cua.example"
    )


def test_few_addresses_are_tried() -> None:
    many = tuple(f"8.8.8.{number}" for number in range(20))
    assert addresses(Guard(resolve=Names(many=many)), "many") == list(many[:4])


def test_a_label_that_is_too_long_is_no_host() -> None:
    with pytest.raises(OSError, match="not a host"):
        Guard().addresses("x" * 64 + ".example", 80)

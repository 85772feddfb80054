"""Decides which network addresses may be connected to, so that no feed and no redirect reaches a private network.

A host is resolved once, its addresses are checked, and the connection goes to one of these very addresses: a name that
resolves differently a moment later gains nothing. The networks are those of the IANA special-purpose registries
(https://www.iana.org/assignments/iana-ipv4-special-registry/ and iana-ipv6-special-registry).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple, Protocol

from newsgen import canonical

_NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers (CGNAT); also metadata of Alibaba Cloud
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the host of a virtual machine in Azure; a public address with private services
            "169.254.0.0/16",  # link-local; metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
# All public IPv6 addresses are global unicast addresses, and these are not public.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
_6TO4 = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")

_MAX_ADDRESSES = 4
"""Addresses of one host that are tried."""

SocketAddress = tuple[Any, ...]


class Address(NamedTuple):
    """An address that may be connected to: the family of its socket, and the address itself."""

    family: int
    socket_address: SocketAddress


class Resolve(Protocol):
    """The signature of `socket.getaddrinfo`, as far as it is used here."""

    def __call__(self, host: str, port: int, *, type: int) -> Sequence[tuple[int, int, int, str, SocketAddress]]: ...


class Refused(Exception):  # noqa: N818  a decision, not an error
    """The guard does not permit a connection. The message is the reason, as a sentence without a full stop."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet. An IPv6 address that embeds an IPv4 one is judged by it.

    >>> is_public(ip_address("8.8.8.8")), is_public(ip_address("::ffff:127.0.0.1"))
    (True, False)
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC)
    embedded = address.ipv4_mapped or (address.sixtofour if address in _6TO4 else None)
    if address in _NAT64:
        embedded = IPv4Address(int(address) & 0xFFFFFFFF)
    if embedded is not None:
        return is_public(embedded)
    return address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_PUBLIC_6)


class Guard:
    """Resolves hosts and refuses addresses that are not public.

    `allow` names the exceptions: hosts, which may then have any address, and networks or single addresses in the usual
    notation ("192.168.0.0/16"). A host stands for itself only, not for its sub-domains.
    """

    def __init__(self, allow: Iterable[str] = (), resolve: Resolve = socket.getaddrinfo) -> None:
        self._resolve = resolve
        self._hosts: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for name in allow:
            try:
                self._networks.append(ip_network(name.strip(), strict=False))
            except ValueError:
                self._hosts.add(host_of(f"http://{name.strip()}/"))
        self._hosts.discard("")

    def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host that may be connected to, in the order to try them.

        `host` is a normalised host. Raises Refused if there is none, and OSError if the host cannot be resolved.
        """
        try:
            found = self._resolve(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:  # a label that is empty or too long
            raise socket.gaierror(socket.EAI_NONAME, "not a host") from None
        permitted: list[Address] = []
        refused = ""
        for family, _, _, _, socket_address in found:
            address = ip_address(socket_address[0])
            if not (host in self._hosts or is_public(address) or any(address in n for n in self._networks)):
                refused = refused or str(address)
            elif (entry := Address(family, socket_address)) not in permitted:
                permitted.append(entry)
        if not permitted:
            where = host if host == refused else f"{host} ({refused})"
            raise Refused(f"{where} is not a public address; if it is yours, add {host} to fetch.allow")
        return permitted[:_MAX_ADDRESSES]


def host_of(url: str) -> str:
    """The normalised host of an http(s) URL, with `www.` if the URL has it; "" if the URL is invalid."""
    return canonical.web_address(url).partition("://")[2].partition("/")[0].partition(":")[0]

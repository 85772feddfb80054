"""One HTTP/1.1 connection, with a limit on the time and on the bytes of each answer.

HTTP itself is that of `http.client`, which reads from any object with a `makefile` method. It is used without its own
connections because they resolve the host themselves and limit the time of single reads only.
"""

from __future__ import annotations

import http
import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from newsgen.fetch.network.guard import Address

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CONNECT_SECONDS = 10.0
"""The longest that one of several addresses of a host may take to answer."""

_MAX_HEAD = 1 << 17
"""Bytes of an answer that are not its body."""

_CHUNK = 1 << 16


class TooLarge(Exception):  # noqa: N818  a limit, not an error
    """An answer is larger than its limit."""


class Deadline:
    """The moment when the time of a request is over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds left. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class Origin(NamedTuple):
    """Where a connection leads to. `host` is a normalised host."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, address: str) -> Origin:
        """The origin of a normalised http(s) URL."""
        parts = urlsplit(address)
        return cls(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


class Connection:
    """A connection to one of the addresses of an origin.

    TLS and the Host header use the name of the origin, whatever the address. Every method raises OSError; when the time
    is over, that is a TimeoutError.
    """

    def __init__(
        self, origin: Origin, addresses: Sequence[Address], tls: ssl.SSLContext | None, deadline: Deadline
    ) -> None:
        self.origin = origin
        self._socket = _connected(addresses, deadline)
        if tls:
            try:
                self._socket.settimeout(deadline.left())
                self._socket = tls.wrap_socket(self._socket, server_hostname=origin.host)
            except BaseException:
                self._socket.close()
                raise

    def get(self, address: str, headers: Mapping[str, str], deadline: Deadline, max_bytes: int) -> HTTPResponse:
        """Requests a normalised URL of this origin. The status and the headers of the result are read, its body is not.

        Reading more than `max_bytes` of the body raises TooLarge. Raises HTTPException if the answer is not HTTP.
        """
        parts = urlsplit(address)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
        self._socket.settimeout(deadline.left())
        self._socket.sendall("\r\n".join(lines).encode("ascii"))
        reader = _Reader(_Source(self._socket, deadline, max_bytes + _MAX_HEAD), _CHUNK)
        while True:
            response = HTTPResponse(cast("socket.socket", reader), method="GET")
            response.begin()
            if response.status >= 200 or response.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return response
            response.fp = cast("Any", None)  # an interim answer, such as 103; its end must not close the reader

    def close(self) -> None:
        self._socket.close()


def body(response: HTTPResponse) -> Iterator[bytes]:
    """The body of a response, in pieces. Raises what `Connection.get` does, and IncompleteRead if the end is missing.

    `readinto`, in contrast to `read`, never holds more than the buffer, whatever size the server announces.
    """
    buffer = bytearray(_CHUNK)
    while size := response.readinto(buffer):
        yield bytes(buffer[:size])
    if response.length:
        raise IncompleteRead(b"", response.length)


def _connected(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """A socket that is connected to the first address that answers."""
    failed = OSError("no address")
    for family, socket_address in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(_CONNECT_SECONDS, deadline.left()) if len(addresses) > 1 else deadline.left())
            connection.connect(socket_address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            failed = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failed


class _Source(io.RawIOBase):
    """What a socket receives until the deadline, and up to a number of bytes."""

    def __init__(self, source: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._socket = source
        self._deadline = deadline
        self._left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(self._deadline.left())
        size = self._socket.recv_into(buffer)
        self._left -= size
        if self._left < 0:
            raise TooLarge
        return size


class _Reader(io.BufferedReader):
    """A buffered reader that `HTTPResponse` takes for a socket."""

    def makefile(self, _mode: str) -> _Reader:
        return self

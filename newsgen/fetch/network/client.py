"""Requests feeds and pages over HTTP: politely, from public addresses only, and with a limit on everything.

One host gets one request at a time, and all hosts together `WORKERS`. HTTP/2 would therefore gain nothing.
"""

from __future__ import annotations

import contextlib
import http
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse, IncompleteRead
from queue import SimpleQueue
from time import monotonic
from typing import NamedTuple, TypeAlias
from urllib.parse import urljoin

from msgspec.structs import replace

import newsgen
from newsgen import canonical
from newsgen.fetch.network import encodings, headers
from newsgen.fetch.network.connection import Connection, Deadline, Origin, TooLarge, body
from newsgen.fetch.network.encodings import Undecodable
from newsgen.fetch.network.guard import Guard, Refused, Resolve
from newsgen.model import Value

WORKERS = 8
"""Concurrent requests."""

_MAX_WAITING = 4
"""Answers that may wait to be taken while the workers go on."""

_MAX_IDLE = 16
"""Connections that are kept for the next request to their origin."""

_MAX_TIMEOUTS = 2
"""After so many timeouts in succession, a server is not asked again."""

_MAX_DRAINED = 1 << 16
"""The largest body that is read only to keep its connection."""

_REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
FEEDS = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
PICTURES = "image/avif, image/webp, image/*;q=0.9, */*;q=0.1"


class Validators(Value, frozen=True, kw_only=True):
    """What a server compares to decide whether an answer changed (RFC 9110, 8.8), and the URL that it belongs to."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""


NO_VALIDATORS = Validators()


class Response(Value, frozen=True, kw_only=True):
    """An answer that can be used: a body, or the message that it did not change (`status` 304).

    `url` is the normalised URL that answered. `moved` is the URL that the requested one permanently redirects to, "" if
    it does not. `fresh_for` are the seconds for which the answer is fresh, 0 if the server does not say.
    """

    url: str
    status: int
    body: bytes = b""
    content_type: str = ""
    validators: Validators = NO_VALIDATORS
    fresh_for: int = 0
    moved: str = ""


class Failure(Value, frozen=True, kw_only=True):
    """Why there is no answer that can be used: `reason` is a sentence without a full stop. It contains no URL.

    `status` is that of the answer, 0 if there was none. `retry_after` are the seconds that the server asks to wait, 0
    if it does not say. `gone`: the server says that the URL, or the one it permanently moved to, will not come back
    (410).
    """

    reason: str
    status: int = 0
    retry_after: int = 0
    gone: bool = False


Result: TypeAlias = Response | Failure


class Request(Value, frozen=True, kw_only=True):
    """A URL to request, and the validators of its last answer."""

    url: str
    validators: Validators = NO_VALIDATORS


class Limits(Value, frozen=True, kw_only=True):
    """The limits of one request: bytes of the body, also after decompression; seconds and redirects in total."""

    max_bytes: int = 10_000_000
    seconds: float = 30.0
    redirects: int = 5


DEFAULT_LIMITS = Limits()


class _Redirect(NamedTuple):
    """A redirect. `url` is normalised, "" if newsgen does not follow it."""

    url: str
    permanent: bool


class Client:
    """Makes requests. Close it, preferably with a `with` statement.

    `base_url` is that of the site, for the User-Agent; `allow` is as in `Guard`, and `accept` names the media types
    that are wanted. Nothing is taken from the environment: no proxy, no netrc. No cookie is kept. A server that cannot
    be reached, or asks to wait, is not asked again by the same client.
    """

    def __init__(
        self,
        *,
        base_url: str = "",
        allow: Iterable[str] = (),
        accept: str = FEEDS,
        limits: Limits = DEFAULT_LIMITS,
        resolve: Resolve = socket.getaddrinfo,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._guard = Guard(allow, resolve)
        self._limits = limits
        self._make_tls = tls
        self._tls: ssl.SSLContext | None = None
        self._now = now
        self._headers = {
            "User-Agent": f"newsgen/{newsgen.__version__}" + (f" (+{base_url})" if base_url else ""),
            "Accept": accept,
            "Accept-Encoding": encodings.accepted(),
        }
        self._turns: dict[str, threading.Lock] = {}
        # Each is used only by the thread whose turn it is at the host.
        self._abandoned: dict[Origin, Failure] = {}
        self._timeouts: dict[Origin, int] = {}
        self._lock = threading.Lock()  # of all that follow
        self._closed = False
        self._idle: dict[Origin, Connection] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, {}
        for connection in idle.values():
            connection.close()

    def get_all(self, requests: Mapping[str, Request]) -> Iterator[tuple[str, Result]]:
        """Makes all requests, and yields the name and the result of each as it arrives, in no particular order.

        Only a few results exist at a time, so take and forget them. An iteration that ends early stops the rest.
        """
        hosts: dict[str, list[tuple[str, Request]]] = {}
        for name, request in requests.items():
            hosts.setdefault(Origin.of(canonical.web_address(request.url)).host, []).append((name, request))
        # The hosts with the most requests take the longest, so they come first.
        todo = deque(sorted(hosts.values(), key=len, reverse=True))
        results: SimpleQueue[tuple[str, Result] | BaseException] = SimpleQueue()
        places = threading.Semaphore(WORKERS + _MAX_WAITING)
        stopped = threading.Event()

        def work() -> None:
            try:
                while todo:
                    with contextlib.suppress(IndexError):  # another worker was faster
                        for name, request in todo.popleft():
                            places.acquire()
                            if stopped.is_set():
                                return
                            results.put((name, self.get(request.url, request.validators)))
            except BaseException as error:  # raised where the results are taken
                results.put(error)

        for _ in range(min(WORKERS, len(todo))):
            # Daemons, so that an interrupted command ends at once and not with the slowest server.
            threading.Thread(target=work, name="fetch", daemon=True).start()
        try:
            for _ in requests:
                result = results.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
                places.release()
        finally:
            stopped.set()
            places.release(WORKERS)

    def get(self, url: str, validators: Validators = NO_VALIDATORS) -> Result:
        """Requests a URL and follows its redirects. The validators are sent only to the URL that they belong to."""
        address = canonical.web_address(url).partition("#")[0]
        if not address:
            return Failure(reason="the URL is not an http(s) address, or contains a user name")
        moved, permanent = "", True
        seconds = self._limits.seconds
        for _ in range(self._limits.redirects + 1):
            origin = Origin.of(address)
            with self._turns.setdefault(origin.host, threading.Lock()):
                started = monotonic()  # waiting for the turn does not count
                answer = self._ask(address, origin, validators, Deadline(seconds))
                seconds -= monotonic() - started
            if isinstance(answer, Response):
                return replace(answer, moved=moved)
            if isinstance(answer, Failure):
                return replace(answer, gone=answer.gone and permanent)
            if not answer.url:
                return Failure(reason=f"{origin.host} redirects to what is not an http(s) address")
            permanent = permanent and answer.permanent
            address = answer.url
            if permanent:
                moved = address
        return Failure(reason=f"redirected more than {self._limits.redirects} times")

    def _ask(
        self, address: str, origin: Origin, validators: Validators, deadline: Deadline
    ) -> Response | _Redirect | Failure:
        """Makes one request. Only one thread at a time does so for a host."""
        host = origin.host
        if origin in self._abandoned:
            return self._abandoned[origin]
        known = validators if validators.url == address else NO_VALIDATORS
        try:
            connection, response = self._send(address, origin, known, deadline)
            try:
                answer = self._read(address, response, known)
            except BaseException:
                connection.close()
                raise
            self._put_back(connection, response)
        except _UnreachableError as error:
            failure = self._abandoned[origin] = Failure(reason=_explained(error.reason, host))
            return failure
        except TimeoutError:
            failure = Failure(reason=f"{host} did not answer within {self._limits.seconds:g} seconds")
            self._timeouts[origin] = self._timeouts.get(origin, 0) + 1
            if self._timeouts[origin] == _MAX_TIMEOUTS:
                self._abandoned[origin] = failure
            return failure
        except (Refused, Undecodable) as error:
            return Failure(reason=str(error))
        except TooLarge:
            return Failure(reason=f"the answer is larger than {self._limits.max_bytes / 1e6:g} MB")
        except (OSError, HTTPException) as error:
            return Failure(reason=_explained(error, host))
        self._timeouts.pop(origin, None)
        if isinstance(answer, Failure) and (answer.status == 429 or (answer.status == 503 and answer.retry_after)):
            self._abandoned[origin] = answer
        return answer

    def _send(
        self, address: str, origin: Origin, known: Validators, deadline: Deadline
    ) -> tuple[Connection, HTTPResponse]:
        """Sends a request, over a connection that is open if there is one, and reads the headers of the answer."""
        sent = self._headers.copy()
        if known.etag:
            sent["If-None-Match"] = known.etag
        if known.last_modified:
            sent["If-Modified-Since"] = known.last_modified
        with self._lock:
            connection = self._idle.pop(origin, None)
        if connection:
            try:
                return connection, connection.get(address, sent, deadline, self._limits.max_bytes)
            except (ConnectionError, ssl.SSLError, HTTPException):  # closed in the meantime
                connection.close()
            except BaseException:
                connection.close()
                raise
        connection = self._connect(origin, deadline)
        try:
            return connection, connection.get(address, sent, deadline, self._limits.max_bytes)
        except BaseException:
            connection.close()
            raise

    def _connect(self, origin: Origin, deadline: Deadline) -> Connection:
        try:
            addresses = self._guard.addresses(origin.host, origin.port)
            return Connection(origin, addresses, self._tls_context() if origin.scheme == "https" else None, deadline)
        except TimeoutError:
            raise
        except OSError as error:
            raise _UnreachableError(error) from None

    def _tls_context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                self._tls = self._make_tls()
            return self._tls

    def _read(self, address: str, response: HTTPResponse, known: Validators) -> Response | _Redirect | Failure:
        status, fields = response.status, response.headers
        if status in _REDIRECTS:
            return _redirect(address, response)
        is_known = status == 304 and bool(known.etag or known.last_modified)
        if is_known or status in (200, 203):
            before = known if is_known else NO_VALIDATORS
            return Response(
                url=address,
                status=304 if is_known else 200,
                body=b"" if is_known else self._body(response),
                content_type=headers.returned(fields, "Content-Type"),
                validators=Validators(
                    url=address,
                    etag=headers.returned(fields, "ETag") or before.etag,
                    last_modified=headers.returned(fields, "Last-Modified") or before.last_modified,
                ),
                fresh_for=headers.fresh_for(fields, self._now()),
            )
        return Failure(
            reason=f"{Origin.of(address).host} answers {_phrase(status)}",
            status=status,
            retry_after=headers.retry_after(fields, self._now()),
            gone=status == 410,
        )

    def _body(self, response: HTTPResponse) -> bytes:
        data = bytearray()
        for piece in encodings.decoded(body(response), response.headers.get("Content-Encoding", "")):
            data += piece
            if len(data) > self._limits.max_bytes:
                raise TooLarge
        return bytes(data)

    def _put_back(self, connection: Connection, response: HTTPResponse) -> None:
        """Keeps a connection for the next request if the answer allows it, otherwise closes it."""
        keep = not response.will_close
        if keep and not response.isclosed():
            # The body was not read. Reading a large one would cost more than connecting again.
            keep = response.length is not None and response.length <= _MAX_DRAINED
            try:
                for _ in body(response) if keep else ():
                    pass
            except (OSError, HTTPException, TooLarge):
                keep = False
        with self._lock:
            if keep and not self._closed:
                self._idle[connection.origin] = connection
                if len(self._idle) <= _MAX_IDLE:
                    return
                connection = self._idle.pop(next(iter(self._idle)))
        connection.close()


class _UnreachableError(Exception):
    """No connection to a host can be made, for another reason than a timeout."""

    def __init__(self, reason: OSError) -> None:
        self.reason = reason


def _redirect(address: str, response: HTTPResponse) -> _Redirect:
    """Where an answer redirects to. A redirect from https to http is never taken as a permanent one."""
    location = response.headers.get("Location", "")
    # As in browsers, bytes that are not ASCII are read as UTF-8.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace").strip()
    try:
        url = canonical.web_address(urljoin(address, location)) if location else ""
    except ValueError:
        url = ""
    url = url.partition("#")[0]
    is_safe = url.startswith("https:") or address.startswith("http:")
    return _Redirect(url, response.status in _PERMANENT and is_safe)


def _phrase(status: int) -> str:
    """A status with its standard name. The server's own words are not shown."""
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _explained(error: Exception, host: str) -> str:
    """Why a request failed, as a sentence."""
    if isinstance(error, socket.gaierror):
        return f"the host {host} cannot be found"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not valid: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError):
        return (
            f"there is no secure connection to {host}: {(error.reason or 'unknown reason').replace('_', ' ').lower()}"
        )
    if isinstance(error, ConnectionRefusedError):
        return f"{host} refuses the connection"
    if isinstance(error, ConnectionError):
        return f"{host} closed the connection"
    if isinstance(error, IncompleteRead):
        return "the answer ends too early"
    if isinstance(error, HTTPException):
        return f"{host} does not answer in HTTP"
    return f"{host} cannot be reached: {error.strerror if isinstance(error, OSError) and error.strerror else error}"

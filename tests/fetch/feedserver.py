"""A server on loopback that answers as many hosts: correctly, slowly, wrongly or not at all.

It speaks HTTP itself, so that a test can send any bytes. Run as a program it serves generated feeds to measure a fetch:
`python tests/fetch/feedserver.py --hosts 100 --feeds 500 --items 50` prints the URLs of the feeds, one a line. A line of
its input is the number of a feed that gets one more item; it prints the line when that is done.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import socket
import ssl
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass
class Answer:
    """What the server sends. `raw` is sent as it is, in place of everything else.

    `encoding`: gzip, deflate, br, or "raw-deflate" (deflate without zlib's header). `etag` and `modified` are compared
    with the request's. `cut`: the connection ends after so many bytes of the body. `drip`: the seconds before each byte.
    `think`: the seconds before the answer.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    etag: str = ""
    modified: str = ""
    chunked: bool = False
    close: bool = False
    cut: int | None = None
    drip: float = 0.0
    think: float = 0.0
    raw: bytes | None = None

    def bytes_for(self, asked: Asked) -> bytes:
        if self.raw is not None:
            return self.raw
        status, headers = self.status, {"Content-Type": "application/rss+xml", **self.headers}
        if self.etag:
            headers["ETag"] = self.etag
        if self.modified:
            headers["Last-Modified"] = self.modified
        matches = (self.etag and asked.headers.get("if-none-match") == self.etag) or (
            self.modified and asked.headers.get("if-modified-since") == self.modified
        )
        body = b""
        if matches:
            status = 304
        else:
            body = compressed(self.body, self.encoding)
            if self.encoding:
                headers["Content-Encoding"] = self.encoding.removeprefix("raw-")
            if self.chunked:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(len(body))
        if self.close:
            headers["Connection"] = "close"
        sent = body[: self.cut]
        if self.chunked and not matches:
            pieces = [sent[at : at + 1000] for at in range(0, len(sent), 1000)]
            sent = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
            sent += b"0\r\n\r\n" if self.cut is None else b""
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + sent

    @property
    def ends_connection(self) -> bool:
        return self.close or self.cut is not None or self.raw is not None


@dataclass
class Asked:
    """A request. `host` has no port, header names are in lower case."""

    host: str
    path: str
    headers: Mapping[str, str]
    connection: int
    peer: str


Page: TypeAlias = Answer | Callable[[Asked], Answer]


def compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.compress(body)
    if encoding == "deflate":
        return zlib.compress(body)
    if encoding == "raw-deflate":
        return zlib.compress(body)[2:-4]
    if encoding == "br":
        import brotli

        return bytes(brotli.compress(body))
    return body


class FeedServer:
    """Serves `pages`, by host and path ("news.example/feed"), on a port of 127.0.0.1 until it is closed.

    `asked` are the requests so far. `most` is the highest number of requests at one time, in all and by host.
    """

    def __init__(self, addresses: tuple[str, ...] = ("127.0.0.1",), tls: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._addresses = addresses
        self._tls = tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def __enter__(self) -> FeedServer:
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def url(self, page: str) -> str:
        """The URL of a page such as "news.example/feed"."""
        host, slash, path = page.partition("/")
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{slash}{path}"

    def add(self, page: str, answer: Page | bytes) -> str:
        """Serves a page and returns its URL."""
        self.pages[page] = Answer(answer) if isinstance(answer, bytes) else answer
        return self.url(page)

    def paths(self) -> list[str]:
        """The pages that were requested, in order."""
        return [f"{request.host}{request.path}" for request in self.asked]

    def resolve(self, host: str, port: int, *, type: int) -> list[Any]:
        """Resolves the names below `.example` to the server, and addresses to themselves; no other name exists."""
        if host.endswith(".example"):
            host = self._addresses[0]
        return socket.getaddrinfo(host, port, type=type, flags=socket.AI_NUMERICHOST)

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._serve, self._addresses[0], 0, ssl=self._tls, backlog=500)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        for address in self._addresses[1:]:
            self._servers.append(await asyncio.start_server(self._serve, address, port, ssl=self._tls, backlog=500))
        return port

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # sockets are closed in the next turns of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(self._numbers)
        self._writers.add(writer)
        try:
            while await self._answer(reader, writer, number):
                pass
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        first = await reader.readexactly(1)
        if first == b"\x16":  # the client speaks TLS
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("ascii").splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-1])}
        host = headers["host"].partition(":")[0]
        asked = Asked(host, head[0].split(" ")[1], headers, number, writer.get_extra_info("sockname")[0])
        self.asked.append(asked)
        self._now.update((host, ""))
        self.most |= self._now
        try:
            page = self.pages.get(f"{host}{asked.path}", Answer(b"not here", 404))
            answer = page if isinstance(page, Answer) else page(asked)
            await asyncio.sleep(answer.think)
            data = answer.bytes_for(asked)
            for at in range(0, len(data), 1 if answer.drip else 1 << 16):
                writer.write(data[at : at + 1] if answer.drip else data[at : at + (1 << 16)])
                await writer.drain()
                await asyncio.sleep(answer.drip)
        finally:
            self._now.subtract((host, ""))
        return not answer.ends_connection


def feed(name: str, items: int) -> bytes:
    """A feed of many articles, each with a picture and text, as RSS 2.0."""
    text = "The council met on Tuesday and talked about the bridge, the budget and the weather of the last weeks. " * 3
    entries = "".join(
        f"<item><title>{name}: article number {at} about the bridge</title><link>https://{name}.example/{at}</link>"
        f'<guid isPermaLink="false">{name}-{at}</guid><pubDate>Sat, 28 Nov 2026 {at % 24:02}:{at % 60:02}:00 GMT</pubDate>'
        f"<category>Bridges</category><description>{text}</description>"
        f'<enclosure url="https://{name}.example/{at}.jpg" type="image/jpeg" length="1000"/></item>\n'
        for at in range(items)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{name}</title><link>https://{name}.example/</link><description>News</description>{entries}</channel></rss>"
    ).encode()


def main() -> None:
    parser = argparse.ArgumentParser()
    for option, default in (("--hosts", 100), ("--feeds", 500), ("--items", 50)):
        parser.add_argument(option, type=int, default=default)
    options = parser.parse_args()
    hosts = tuple(f"127.0.0.{number + 1}" for number in range(options.hosts))
    with FeedServer(hosts) as server:

        def add(number: int, items: int) -> str:
            body = feed(f"feed{number}", items)
            page = f"{hosts[number % len(hosts)]}/{number}.xml"
            return server.add(page, Answer(body, encoding="gzip", etag=f'"{zlib.crc32(body)}"'))

        for number in range(options.feeds):
            print(add(number, options.items), flush=number == options.feeds - 1)  # noqa: T201
        more = Counter[int]()
        for line in sys.stdin:
            more[int(line)] += 1
            add(int(line), options.items + more[int(line)])
            print(line, end="", flush=True)  # noqa: T201
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()

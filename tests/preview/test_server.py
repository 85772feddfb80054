"""The preview's server, tested over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sites import NOW, Site

from newsgen.builder import Options
from newsgen.errors import ConfigError
from newsgen.preview.rebuilder import FOLDER
from newsgen.preview.server import Server, listen

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@contextlib.contextmanager
def served(root: Path, **chosen: bool) -> Iterator[int]:
    """Serves a site's preview and yields its port."""
    options = Options(site=root, output=root / FOLDER, now=NOW, fingerprints=False)
    server = Server(options, "127.0.0.1", **chosen)
    server.preview.build()
    listening = listen("127.0.0.1", 0)
    http = uvicorn.Server(uvicorn.Config(server.app, log_level="error", ws="websockets-sansio"))
    thread = threading.Thread(target=http.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        http.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    site = Site(tmp_path_factory.mktemp("serve") / "site")
    site.write(
        "site.toml", 'title = "The Paper"\nbase_url = "https://paper.example/news/"\n[redirects]\npages = false\n'
    )
    site.article("größe", aliases="/old/place/")
    site.write("static/data.bin", bytes(range(256)) * 4).write("static/pic.webp", b"RIFF").write(
        "static/.hidden", b"no"
    )
    (site.root / "secret.txt").write_text("secret")
    (site.root / ".newsgen/preview/news").mkdir(parents=True)
    with served(site.root) as port:
        (site.root / FOLDER / "out.txt").symlink_to(site.root / "secret.txt")
        yield port


def ask(
    port: int, target: str, *headers: str, method: str = "GET", host: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Sends one raw request. Returns status, headers with lower-case names, and body."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", "Connection: close", *headers]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        data = b""
        while more := connection.recv(65536):
            data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, _, v in (row.partition(": ") for row in rest)}, body


def test_pages_answer_at_the_addresses_that_hosting_would_give_them(port: int) -> None:
    assert ask(port, "/")[1]["location"] == "/news/"
    status, headers, body = ask(port, "/news/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"The Paper" in body
    assert body.count(b"/_newsgen/client.js") == 1
    status, headers, _ = ask(port, "/news/2026/11/08/gr%C3%B6sse?a=b")
    assert (status, headers["location"]) == (301, "/news/2026/11/08/gr%C3%B6sse/?a=b")
    assert ask(port, headers["location"])[0] == 200
    assert ask(port, "/news/old/place/")[:1] == (301,)
    assert ask(port, "/news/old/place/")[1]["location"] == "/news/2026/11/08/gr%C3%B6sse/"
    status, _, body = ask(port, "/news/nowhere/")
    assert status == 404
    assert b"Page not found" in body
    assert ask(port, "/elsewhere/")[0] == 404
    assert ask(port, "/news/", method="POST")[0] == 405


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("feed.xml", "application/rss+xml; charset=utf-8"),
        ("atom.xml", "application/atom+xml; charset=utf-8"),
        ("feed.json", "application/feed+json; charset=utf-8"),
        ("css/site.css", "text/css; charset=utf-8"),
        ("img/favicon.svg", "image/svg+xml; charset=utf-8"),
        ("pic.webp", "image/webp"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("data.bin", "application/octet-stream"),
    ],
)
def test_files_have_the_right_media_type(port: int, path: str, kind: str) -> None:
    assert ask(port, f"/news/{path}")[1]["content-type"] == kind


def test_conditional_requests_ranges_and_head(port: int) -> None:
    for path in ("/news/", "/news/data.bin"):
        tag = ask(port, path)[1]["etag"]
        assert ask(port, path, f"If-None-Match: {tag}")[0] == 304
        assert ask(port, path, 'If-None-Match: "another"')[0] == 200
        status, headers, body = ask(port, path, method="HEAD")
        assert (status, body) == (200, b"")
        assert int(headers["content-length"]) > 0
    status, headers, body = ask(port, "/news/data.bin", "Range: bytes=10-19")
    assert (status, headers["content-range"], body) == (206, "bytes 10-19/1024", bytes(range(10, 20)))
    assert ask(port, "/news/data.bin", "Range: bytes=5000-")[0] == 416


@pytest.mark.parametrize(
    "target",
    [
        "/news/../../secret.txt", "/news/%2e%2e/%2e%2e/secret.txt", "/news/..%2f..%2fsecret.txt", "/news/..%5c..%5csecret.txt",
        "/news/..\\..\\secret.txt", "/news/%252e%252e/%252e%252e/secret.txt", "/news/%c0%ae%c0%ae/secret.txt", "/news/%ff",
        "/news/a%00.txt", "/news//secret.txt", "//secret.txt", "/news/./feed.xml", "/news/out.txt", "/news/.hidden",
        "/news/.newsgen-manifest.json", "/news/.newsgen-staging/", "/_newsgen/", "/_newsgen/../site.toml", "/_newsgen/idiomorph.min.js",
        "/news/" + "a/" * 3000, "/news/" + "a" * 3000,
    ],
)  # fmt: skip
def test_files_outside_the_site_and_hidden_files_are_not_served(port: int, target: str) -> None:
    status, _, body = ask(port, target)
    assert status in (400, 404)
    assert b"secret" not in body.replace(b"secret.txt", b"")


def test_folders_are_not_listed(port: int) -> None:
    assert ask(port, "/news/css/")[0] == 404
    assert ask(port, "/news/2026/")[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "[", ":80"]
)
def test_requests_with_a_foreign_host_name_are_refused(port: int, host: str) -> None:
    status, _, body = ask(port, "/news/", host=host)
    assert status in (400, 421)
    assert b"The Paper" not in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000", "192.168.1.2:8000"])
def test_requests_with_a_local_host_name_or_an_ip_address_are_answered(port: int, host: str) -> None:
    assert ask(port, "/news/", host=host)[0] == 200


def upgrade(port: int, origin: str) -> int:
    headers = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    headers += [f"Origin: {origin}"] if origin else []
    lines = ["GET /_newsgen/live HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return int(connection.recv(4096).split()[1])


def test_the_websocket_accepts_only_pages_of_this_server(port: int) -> None:
    assert upgrade(port, f"http://127.0.0.1:{port}") == 101
    for origin in (
        "",
        "null",
        "http://evil.example",
        f"http://evil.example:{port}",
        f"ftp://127.0.0.1:{port}",
        "http://127.0.0.1:1",
    ):
        assert upgrade(port, origin) == 403


def test_invalid_messages_from_a_tab_are_ignored(port: int) -> None:
    from websockets.sync.client import connect

    origin = f"http://127.0.0.1:{port}"
    for message in ("no json", "[]", "1", '{"gate": "blocked", "on": true}', '{"gate": {}}', '{"page": 5}'):
        with connect(f"ws://127.0.0.1:{port}/_newsgen/live", origin=origin) as tab:  # type: ignore[arg-type]
            tab.send(message)
    with connect(f"ws://127.0.0.1:{port}/_newsgen/live", origin=origin) as tab:  # type: ignore[arg-type]
        tab.send('{"page": "/news/../../secret.txt"}')
        assert json.loads(tab.recv())["state"]["problems"] == []


def test_a_tab_is_closed_silently_when_the_server_stops_while_it_connects(site: Callable[..., Site]) -> None:
    """uvicorn cancels the task of such a connection after a second."""
    server = Server(Options(site=site().article("a").root, now=NOW), "127.0.0.1")
    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")]
    scope = {"type": "websocket", "path": "/_newsgen/live", "raw_path": b"/_newsgen/live", "headers": headers}
    sent: list[str] = []

    async def tab() -> None:
        received: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        received.put_nowait({"type": "websocket.connect"})
        accepted = asyncio.Event()

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message["type"])
            accepted.set()

        task = asyncio.create_task(server.app(scope, received.get, send))  # type: ignore[arg-type]
        await accepted.wait()
        task.cancel()
        await task

    # Use a separate thread: Playwright leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(tab())).result()
    assert sent == ["websocket.accept"]


def test_a_production_preview_serves_the_bytes_of_the_build(tmp_path: Path) -> None:
    site = Site(tmp_path / "site").article("a")
    with served(site.root, live=False) as port:
        assert ask(port, "/2026/11/08/a/")[2] == (site.root / FOLDER / "2026/11/08/a/index.html").read_bytes()
        assert upgrade(port, f"http://127.0.0.1:{port}") == 403


def test_a_port_in_use_is_reported(site: Callable[..., Site]) -> None:
    with listen("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {number} of 127.0.0.1"):
            listen("127.0.0.1", number)
        done = site().spawn("serve", "--port", str(number))
        assert (done.returncode, done.stdout) == (2, "")
        assert "--port" in done.stderr
    with pytest.raises(ConfigError, match="--host"):
        listen("no.such.host.invalid", 0)


def test_tabs_get_the_warnings_that_a_build_gives(site: Callable[..., Site]) -> None:
    from websockets.sync.client import connect

    s = site().article("a", webUrl=None, body="[x](/nowhere/)")
    with served(s.root) as port:
        origin = f"http://127.0.0.1:{port}"
        with connect(f"ws://127.0.0.1:{port}/_newsgen/live", origin=origin) as tab:  # type: ignore[arg-type]
            tab.send('{"page": "/"}')
            (warning,) = json.loads(tab.recv())["state"]["warnings"]
    assert warning.startswith("content/a.md:5: link: there is no page or file '/nowhere/'")
    assert warning in map(str, s.build().warnings)


def test_pages_and_files_have_the_headers_that_the_site_sets(port: int) -> None:
    for path in ("", "css/site.css", "nowhere/", "data.bin"):
        headers = ask(port, f"/news/{path}")[1]
        assert headers["content-security-policy"].startswith("default-src 'none'; img-src 'self'"), path
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert headers["cache-control"] == "no-cache" or path == "nowhere/"
    assert ask(port, "/news/feed.xml")[1]["content-type"] == "application/rss+xml; charset=utf-8"
    assert "content-security-policy" not in ask(port, "/_newsgen/client.js")[1]


def test_the_preview_of_an_empty_site_says_what_to_do_next(tmp_path: Path) -> None:
    site = Site(tmp_path / "<my site>")
    with served(site.root) as port:
        page = ask(port, "/")[2].decode()
        assert "newsgen new article &quot;" not in page
        assert "--publish --site &#x27;" in page
        assert "&lt;my site&gt;" in page
        assert "newsgen new" not in (site.root / FOLDER / "index.html").read_text()
    site.article("a", draft="true")
    with served(site.root) as port:
        assert "1 article is a draft" in ask(port, "/")[2].decode()
        assert "newsgen new" not in ask(port, "/404.html")[2].decode()
    site.article("b")
    with served(site.root) as port:
        assert "is a draft" not in ask(port, "/")[2].decode()

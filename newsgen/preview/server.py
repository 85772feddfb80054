"""Serves the preview over HTTP as hosting would, and pushes updates to open pages over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import html
import ipaddress
import os
import secrets
import shlex
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from newsgen import config, files, urls
from newsgen.builder import Options, media_type
from newsgen.errors import ConfigError, NewsgenError, Problem
from newsgen.library import GATES
from newsgen.preview import siteheaders
from newsgen.preview.rebuilder import FramedProblem, Preview, Update
from newsgen.preview.watch import Watch
from newsgen.text import digest

PORT = 8000
PORT_COUNT = 20
"""How many ports to try, starting at `PORT`."""

PREFIX = "/_newsgen/"
"""The path of the preview's own files. No address of a site starts with an underscore."""

_CLIENT = Path(__file__).parent / "browser"
_MESSAGE = msgspec.json.Decoder(dict[str, Any])


class Server:
    """The web server of one preview. With `navigate`, browsers go to the page of the file that was edited."""

    def __init__(self, options: Options, host: str, *, navigate: bool = False, live: bool = True) -> None:
        self.preview = Preview(
            options, self._notify, lambda: {self._output_path(page) for page in self._tab_pages.values()}
        )
        self._navigate, self._is_live = navigate, live
        self._run_id = secrets.token_hex(4)
        self._tab_pages: dict[WebSocket, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        self._redirect_rules: tuple[files.Stamp | None, dict[str, str]] = (None, {})
        self._header_rules: tuple[files.Stamp | None, list[siteheaders.Rule]] = (None, [])
        routes = [
            Route(PREFIX + "client.js", self._serve_script),
            Route(PREFIX + "client.css", lambda _: FileResponse(_CLIENT / "client.css")),
            WebSocketRoute(PREFIX + "live", self._serve_socket),
            Route("/{path:path}", self._serve_page, methods=["GET", "HEAD"]),
        ]
        self.app: ASGIApp = _HostCheck(Starlette(routes=routes, lifespan=self._lifespan), host)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        yield

    def watch(self, watch: Watch) -> None:
        """Starts the thread that builds every batch of changes."""
        self._watch = watch
        # Forking worker processes is unsafe once the process has threads.
        self.preview.options = msgspec.structs.replace(self.preview.options, jobs=1)
        threading.Thread(target=self.preview.run, args=(watch,), daemon=True).start()

    # HTTP

    def root(self) -> str:
        """The path of the site's front page: "/" or the path of `base_url`."""
        if self.preview.loaded:
            return self.preview.loaded.site.root
        try:
            return config.load(self.preview.options.site / "site.toml").root
        except NewsgenError:
            return "/"

    def _output_path(self, path: str) -> str:
        """The path of the output file that answers a path from a browser's address bar."""
        return urls.file(unquote(path).removeprefix(self.root()).removeprefix("/"))

    async def _serve_page(self, request: Request) -> Response:
        response = self._answer(request)
        if _safe_path(path := request.url.path):
            for name, value in siteheaders.of(path, self._headers(), live=self._is_live).items():
                response.headers[name] = value
        return response

    def _answer(self, request: Request) -> Response:
        raw = request.scope.get("raw_path", b"").decode("ascii", "replace")
        root = self.root()
        if raw in ("", "/") and root != "/":
            return RedirectResponse(root, 307)
        path = _safe_path(raw)
        if path is None or not path.startswith(root):
            return self._not_found(request)
        rule = self._redirects().get(path)
        if rule:
            return RedirectResponse(rule, 301)
        relative = path[len(root) :]
        name = urls.file(relative)
        unwritten = self.preview.unwritten.get(name)
        if unwritten is not None:
            self.preview.fetched.set()
            if name.endswith(".html"):
                return self._html(request, unwritten)
            return Response(
                unwritten, 200, {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}, "text/css"
            )
        place = self._output_file(name)
        if place is None:
            if name == relative and self._output_file(relative + "/index.html"):
                query = f"?{request.url.query}" if request.url.query else ""
                return RedirectResponse(quote(path) + "/" + query, 301)
            return self._not_found(request)
        if name.endswith(".html"):
            return self._html(request, self._with_first_steps(name, place.read_bytes()))
        return _file_response(request, place)

    def _output_file(self, name: str) -> Path | None:
        """The file with this path in the output folder. None if there is none or it lies outside."""
        root = self.preview.output.resolve()
        try:
            place = (root / name).resolve()
            return place if place.is_relative_to(root) and place.is_file() else None
        except (OSError, RuntimeError, ValueError):
            return None

    def _not_found(self, request: Request) -> Response:
        place = self._output_file("404.html")
        if place:
            return self._html(request, place.read_bytes(), 404)
        if self._is_live:
            return self._html(request, _PLACEHOLDER.encode(), 404)
        return PlainTextResponse("page not found", 404)

    def _with_first_steps(self, name: str, data: bytes) -> bytes:
        """The front page of a site that has nothing to show, with what to do next. Only a preview shows it."""
        loaded = self.preview.loaded
        if not self._is_live or name != "index.html" or not loaded or loaded.library.facts.published:
            return data
        site = shlex.quote(str(self.preview.options.site))
        place = "" if site == "." else f" --site {site}"
        is_empty = not loaded.library.facts.gates
        notes = "".join(f"<p>{html.escape(note)}.</p>" for note in self.preview.report.notes)
        steps = _FIRST_STEPS.format(place=html.escape(place)) if is_empty else notes
        head, end, rest = data.rpartition(b"</main>")
        return head + steps.encode() + end + rest if end else data

    def _html(self, request: Request, data: bytes, status: int = 200) -> Response:
        if self._is_live:
            script = f'<script src="{PREFIX}client.js" defer></script>'.encode()
            head, end, rest = data.rpartition(b"</body>")
            data = head + script + end + rest if end else data + script
        tag = f'"{digest(data)}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if status == 200 and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(data, status, headers, "text/html; charset=utf-8")

    def _redirects(self) -> dict[str, str]:
        """The rules in the site's `_redirects`: decoded old path to new address."""
        place = self._output_file("_redirects")
        stamp = files.stamp(place) if place else None
        if not place or not stamp or self._redirect_rules[0] != stamp:
            rows = (line.split() for line in place.read_text(encoding="utf-8").splitlines()) if place else ()
            found = {
                unquote(row[0]): row[1]
                for row in rows
                if len(row) >= 2 and row[1].startswith("/") and row[1][1:2] != "/" and row[2:3] != ["410!"]
            }
            self._redirect_rules = stamp, found
        return self._redirect_rules[1]

    def _headers(self) -> list[siteheaders.Rule]:
        """The rules in the site's `_headers`."""
        place = self._output_file("_headers")
        stamp = files.stamp(place) if place else None
        if not place or not stamp or self._header_rules[0] != stamp:
            self._header_rules = stamp, siteheaders.parse(place.read_text("utf-8", "replace")) if place else []
        return self._header_rules[1]

    async def _serve_script(self, _: Request) -> Response:
        parts = [(_CLIENT / name).read_text(encoding="utf-8") for name in ("idiomorph.min.js", "client.js")]
        return Response("\n".join(parts), media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    # WebSocket

    async def _serve_socket(self, socket: WebSocket) -> None:
        if not self._is_live or not _is_same_origin(socket):
            await socket.close(1008)
            return
        try:
            await socket.accept()
            while True:
                message = _MESSAGE.decode(await socket.receive_text())
                if isinstance(message.get("page"), str):
                    self._tab_pages[socket] = message["page"]
                    await self._send(socket, Update())
                elif message.get("gate") in GATES and self._watch:
                    self.preview.set_gate(message["gate"], on=message.get("on") is True)
                    self._watch.trigger()
        except (WebSocketDisconnect, msgspec.DecodeError, KeyError, RuntimeError, asyncio.CancelledError):
            pass  # CancelledError: the tab connected while the server was shutting down
        finally:
            self._tab_pages.pop(socket, None)

    def _notify(self, update: Update) -> None:
        """Sends an update to all tabs. Safe to call from any thread."""
        if self._loop and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._notify_all(update), self._loop)

    async def _notify_all(self, update: Update) -> None:
        for tab in list(self._tab_pages):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._send(tab, update)

    async def _send(self, tab: WebSocket, update: Update) -> None:
        path = self._output_path(self._tab_pages[tab])
        root = self.root()
        missing = self._output_file(path) is None
        message = {
            "run": self._run_id,
            "changed": path in update.changed or (missing and "404.html" in update.changed),
            "styles": [root + p for p in update.changed if p.endswith(".css")],
            "reload": any(p.endswith(".js") or p == "_headers" for p in update.changed),
            "go": urls.href(update.article, root) if self._navigate and update.article else "",
            "state": {
                "problems": self.preview.problems,
                "warnings": list(map(str, self.preview.report.warnings)),
                "show": self.preview.show,
                "gates": self.preview.gates(),
                **self.preview.page_info(path),
            },
        }
        await tab.send_text(msgspec.json.encode(message).decode())


_FIRST_STEPS = """\
<div class="prose">
<h2>Your site works. It needs an article</h2>
<p>Write one of your own, then edit the file whose name this prints:</p>
<pre><code>newsgen new article "My first article" --publish{place}</code></pre>
<p>Or follow a feed, and turn its entries into articles:</p>
<pre><code>newsgen new feed https://example.org/feed.xml{place}
newsgen fetch{place}</code></pre>
<p>Articles appear here as soon as their files are saved. The title of the site, its language and all other settings are in
<code>site.toml</code>. Only the preview shows this text.</p>
</div>
"""
_PLACEHOLDER = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Preview</title></head><body><h1>No pages yet</h1></body></html>"
)


class _HostCheck:
    """Rejects requests whose Host header is neither an IP address nor this server's name (against DNS rebinding)."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._allowed = {"localhost", host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            names = [value for name, value in scope["headers"] if name == b"host"]
            if len(names) != 1 or not self._is_allowed(names[0].decode("latin-1")):
                if scope["type"] == "http":
                    await PlainTextResponse("unknown host name; use the address that `newsgen serve` prints", 421)(
                        scope, receive, send
                    )
                else:
                    await send({"type": "websocket.close", "code": 1008})
                return
        await self._app(scope, receive, send)

    def _is_allowed(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
            if name in self._allowed:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _is_same_origin(connection: HTTPConnection) -> bool:
    """Whether the Origin header (RFC 6454) names this server."""
    origin = connection.headers.get("origin", "")
    return urlsplit(origin).netloc == connection.headers.get("host") and urlsplit(origin).scheme in ("http", "https")


def _safe_path(raw: str) -> str | None:
    """The decoded path. None if it has `..`, hidden parts or encoded slashes."""
    if "%2f" in raw.lower() or "%5c" in raw.lower() or "\\" in raw:
        return None
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    parts = path.split("/")
    good = path.startswith("/") and path.isprintable() and "\\" not in path and "" not in parts[1:-1]
    return path if good and not any(part.startswith(".") for part in parts) else None


def _file_response(request: Request, place: Path) -> Response:
    kind = media_type(place.name)
    is_text = kind.startswith("text/") or kind.endswith(("json", "xml"))
    if is_text:
        kind += "; charset=utf-8"
    with place.open("rb") as file:
        found = os.fstat(file.fileno())
        # A text is read at once, because a build may replace it meanwhile. Browsers may ask for parts of other files.
        data = file.read() if is_text else None
    tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if data is not None:
        return Response(data, headers=headers, media_type=kind)
    return FileResponse(place, headers=headers, media_type=kind, stat_result=found)


def listen(host: str, port: int | None) -> socket.socket:
    """Opens a listening socket on `port`, or on the first free port from `PORT` on. Raises ConfigError."""
    candidates = [port] if port is not None else list(range(PORT, PORT + PORT_COUNT))
    reason = ""
    for number in candidates:
        try:
            family, _, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        except OSError as error:
            raise ConfigError(f"--host {host}: {error.strerror or error}") from None
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(128)
            return found
        except OSError as error:
            found.close()
            reason = error.strerror or str(error)
    ports = f"port {port}" if port is not None else f"ports {PORT} to {PORT + PORT_COUNT - 1}"
    raise ConfigError(f"cannot listen on {ports} of {host}: {reason}; choose another with --port")


def serve(
    options: Options,
    *,
    host: str,
    port: int | None,
    poll: bool,
    navigate: bool,
    live: bool,
    ready: Callable[[str, list[FramedProblem], list[Problem]], None],
) -> None:
    """Serves a preview until it is interrupted.

    Calls `ready` with the address and the site's problems and warnings as soon as the server answers.
    """
    server = Server(options, host, navigate=navigate, live=live)
    listening = listen(host, port)
    # Build before starting threads: this build may fork worker processes.
    server.preview.build()
    name = f"[{host}]" if ":" in host else host
    http = uvicorn.Server(
        uvicorn.Config(
            server.app, log_level="warning", access_log=False, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
    )
    content = options.content or options.site / "content"
    # Switch threads often, so that requests do not wait 5 ms each time for the building thread.
    sys.setswitchinterval(0.0005)
    with listening, Watch(options.site, content, poll=poll) as watch:
        address = f"http://{name}:{listening.getsockname()[1]}{server.root()}"
        ready(address, server.preview.problems, server.preview.report.warnings)
        server.watch(watch)
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl+C is how a preview ends
            http.run(sockets=[listening])
        server.preview.stop()

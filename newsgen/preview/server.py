"""A preview's folder and its news, over HTTP on loopback: what hosting would serve, and a script that keeps pages fresh."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
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
from newsgen.errors import ConfigError, NewsgenError
from newsgen.library import GATES
from newsgen.preview.rebuilder import News, Preview, Shown
from newsgen.preview.watch import Watch
from newsgen.text import digest

PORT = 8000
PORTS = 20
"""How many ports are tried, from `PORT` on."""

OWN = "/_newsgen/"
"""Where the preview's own script is: no address of a site begins with an underscore."""

_CLIENT = Path(__file__).parent / "browser"
_SAID = msgspec.json.Decoder(dict[str, Any])


class Server:
    """One preview, served. `navigate` takes browsers to the page of the file that was edited."""

    def __init__(self, options: Options, host: str, *, navigate: bool = False, live: bool = True) -> None:
        self.preview = Preview(options, self._tell, lambda: {self._file(page) for page in self._tabs.values()})
        self._navigate, self._live = navigate, live
        self._run = secrets.token_hex(4)
        self._tabs: dict[WebSocket, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch: Watch | None = None
        self._rules: tuple[files.Stamp | None, dict[str, str]] = (None, {})
        routes = [
            Route(OWN + "client.js", self._script),
            Route(OWN + "client.css", lambda _: FileResponse(_CLIENT / "client.css")),
            WebSocketRoute(OWN + "live", self._listen),
            Route("/{path:path}", self._page, methods=["GET", "HEAD"]),
        ]
        self.app: ASGIApp = _Guard(Starlette(routes=routes, lifespan=self._lifespan), host)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        yield

    def watch(self, watch: Watch) -> None:
        """Begins to build what changes, in a thread of its own."""
        self._watch = watch
        # A process that has threads is not one to fork workers from.
        self.preview.options = msgspec.structs.replace(self.preview.options, jobs=1)
        threading.Thread(target=self.preview.run, args=(watch,), daemon=True).start()

    # What is served

    def root(self) -> str:
        """The path below which the site is."""
        if self.preview.loaded:
            return self.preview.loaded.site.root
        try:
            return config.load(self.preview.options.site / "site.toml").root
        except NewsgenError:
            return "/"

    def _file(self, path: str) -> str:
        """The output file, by its path, that answers a path of the address bar."""
        below = unquote(path).removeprefix(self.root())
        return urls.path("/" + below.removeprefix("/"))

    async def _page(self, request: Request) -> Response:
        raw = request.scope.get("raw_path", b"").decode("ascii", "replace")
        root = self.root()
        if raw in ("", "/") and root != "/":
            return RedirectResponse(root, 307)
        asked = _clean(raw)
        if asked is None or not asked.startswith(root):
            return self._missing(request)
        rules = self._redirects()
        rule = rules.get(asked) or rules.get(quote(asked, safe="/%:@!$&'()*+,;=~-._"))
        if rule:
            return RedirectResponse(rule, 301)
        below = asked[len(root) :]
        name = urls.path("/" + below)
        early = self.preview.early.get(name)
        if early is not None:
            self.preview.fetched.set()
            if name.endswith(".html"):
                return self._html(request, early)
            return Response(early, 200, {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}, "text/css")
        place = self._place(name)
        if place is None:
            if name == below and self._place(below + "/index.html"):
                query = f"?{request.url.query}" if request.url.query else ""
                return RedirectResponse(quote(asked) + "/" + query, 301)
            return self._missing(request)
        if name.endswith(".html"):
            return self._html(request, place.read_bytes())
        return _file_response(request, place)

    def _place(self, name: str) -> Path | None:
        """The file of that name in the output folder, and nowhere else."""
        root = self.preview.output.resolve()
        try:
            place = (root / name).resolve()
            return place if place.is_relative_to(root) and place.is_file() else None
        except (OSError, RuntimeError, ValueError):
            return None

    def _missing(self, request: Request) -> Response:
        place = self._place("404.html")
        if place:
            return self._html(request, place.read_bytes(), 404)
        if self._live:
            return self._html(request, _EMPTY.encode(), 404)
        return PlainTextResponse("there is no such page", 404)

    def _html(self, request: Request, data: bytes, status: int = 200) -> Response:
        if self._live:
            script = f'<script src="{OWN}client.js" defer></script>'.encode()
            head, end, rest = data.rpartition(b"</body>")
            data = head + script + end + rest if end else data + script
        tag = f'"{digest(data)}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        if status == 200 and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(data, status, headers, "text/html; charset=utf-8")

    def _redirects(self) -> dict[str, str]:
        """The rules of the site's `_redirects`: old path, new address."""
        place = self._place("_redirects")
        stamp = files.stamp(place) if place else None
        if not place or not stamp or self._rules[0] != stamp:
            rows = (line.split() for line in place.read_text(encoding="utf-8").splitlines()) if place else ()
            found = {row[0]: row[1] for row in rows if len(row) >= 2 and row[1].startswith("/") and row[1][1:2] != "/"}
            self._rules = stamp, found
        return self._rules[1]

    async def _script(self, _: Request) -> Response:
        parts = [(_CLIENT / name).read_text(encoding="utf-8") for name in ("idiomorph.min.js", "client.js")]
        return Response("\n".join(parts), media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    # What tabs are told

    async def _listen(self, socket: WebSocket) -> None:
        if not self._live or not _is_own(socket):
            await socket.close(1008)
            return
        try:
            await socket.accept()
            while True:
                said = _SAID.decode(await socket.receive_text())
                if isinstance(said.get("page"), str):
                    self._tabs[socket] = said["page"]
                    await self._send(socket, News())
                elif said.get("gate") in GATES and self._watch:
                    self.preview.choose(said["gate"], on=said.get("on") is True)
                    self._watch.stir()
        except (WebSocketDisconnect, msgspec.DecodeError, KeyError, RuntimeError, asyncio.CancelledError):
            pass  # the last where a server ends that could not tell this tab, which came at that very moment
        finally:
            self._tabs.pop(socket, None)

    def _tell(self, news: News) -> None:
        """Tells all tabs; from any thread."""
        if self._loop and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._spread(news), self._loop)

    async def _spread(self, news: News) -> None:
        for tab in list(self._tabs):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._send(tab, news)

    async def _send(self, tab: WebSocket, news: News) -> None:
        path = self._file(self._tabs[tab])
        root = self.root()
        missing = self._place(path) is None
        said = {
            "run": self._run,
            "changed": path in news.changed or (missing and "404.html" in news.changed),
            "styles": [root + p for p in news.changed if p.endswith(".css")],
            "reload": any(p.endswith(".js") for p in news.changed),
            "go": urls.href(news.article, root) if self._navigate and news.article else "",
            "state": {
                "problems": self.preview.problems,
                "show": self.preview.show,
                "gates": self.preview.gates(),
                **self.preview.about(path),
            },
        }
        await tab.send_text(msgspec.json.encode(said).decode())


_EMPTY = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Preview</title></head><body><h1>Nothing here yet</h1></body></html>"
)


class _Guard:
    """Answers only those who call the server by an address of its own: a foreign name may lead here too (DNS rebinding)."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = {"localhost", host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            names = [value for name, value in scope["headers"] if name == b"host"]
            if len(names) != 1 or not self._knows(names[0].decode("latin-1")):
                if scope["type"] == "http":
                    await PlainTextResponse("call this server by its address", 421)(scope, receive, send)
                else:
                    await send({"type": "websocket.close", "code": 1008})
                return
        await self._app(scope, receive, send)

    def _knows(self, header: str) -> bool:
        try:
            name = urlsplit(f"//{header}").hostname or ""
            if name in self._names:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _is_own(connection: HTTPConnection) -> bool:
    """Whether a page of this very server asks, as browsers say (RFC 6454)."""
    origin = connection.headers.get("origin", "")
    return urlsplit(origin).netloc == connection.headers.get("host") and urlsplit(origin).scheme in ("http", "https")


def _clean(raw: str) -> str | None:
    """A path as it is meant, None where it is none of ours: climbing, hidden, or a slash in disguise."""
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
    if kind.startswith("text/") or kind.endswith(("json", "xml")):
        kind += "; charset=utf-8"
    found = place.stat()
    tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(place, headers=headers, media_type=kind, stat_result=found)


def listen(host: str, port: int | None) -> socket.socket:
    """A socket on a port; without one on the first that is free from `PORT` on. Raises ConfigError."""
    wanted = [port] if port is not None else list(range(PORT, PORT + PORTS))
    reason = ""
    for number in wanted:
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
    places = f"port {port}" if port is not None else f"ports {PORT} to {PORT + PORTS - 1}"
    raise ConfigError(f"{places} of {host}: {reason}; choose another with --port")


def serve(
    options: Options,
    *,
    host: str,
    port: int | None,
    poll: bool,
    navigate: bool,
    live: bool,
    ready: Callable[[str, list[Shown]], None],
) -> None:
    """Serves a preview until it is interrupted. `ready` is told its address when it answers, and what is wrong with the site."""
    server = Server(options, host, navigate=navigate, live=live)
    listening = listen(host, port)
    # Before there are threads: this one may fork workers.
    server.preview.build()
    name = f"[{host}]" if ":" in host else host
    http = uvicorn.Server(
        uvicorn.Config(
            server.app, log_level="warning", access_log=False, ws="websockets-sansio", timeout_graceful_shutdown=1
        )
    )
    content = options.content or options.site / "content"
    # What browsers ask is not to wait, 5 ms each time, for the thread that builds.
    sys.setswitchinterval(0.0005)
    with listening, Watch(options.site, content, poll=poll) as watch:
        ready(f"http://{name}:{listening.getsockname()[1]}{server.root()}", server.preview.problems)
        server.watch(watch)
        with contextlib.suppress(KeyboardInterrupt):  # how a preview ends
            http.run(sockets=[listening])
        server.preview.stop()

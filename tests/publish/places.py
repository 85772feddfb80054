"""Real places to publish to, and how readers see them: a folder, a branch, a server, an S3 and an Azure store."""

from __future__ import annotations

import base64
import contextlib
import email.utils
import getpass
import hashlib
import hmac
import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sites import Site, skip_or_fail

ROOT = Path(__file__).parents[2]


class Place:
    """A place to publish to. `to` is its address, `env` the environment that its tools need."""

    def __init__(self, to: str, env: dict[str, str] | None = None) -> None:
        self.to = to
        self.env = env or {}

    def read(self, path: str) -> bytes | None:
        """The file at a path as a reader gets it, or None."""
        raise NotImplementedError

    def files(self) -> dict[str, bytes]:
        """All files that readers can get, except newsgen's own records."""
        raise NotImplementedError

    def put(self, path: str, data: bytes) -> None:
        """Adds a file that newsgen does not know."""
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """Removes a file without newsgen's knowledge."""
        raise NotImplementedError


class Web:
    """Reads from a web server with one connection per thread."""

    def __init__(self, base: str) -> None:
        self._parts = urlsplit(base)
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []

    def response(self, path: str) -> tuple[int, dict[str, str], bytes]:
        for attempt in (1, 2):
            connection = getattr(self._mine, "connection", None)
            if connection is None:
                assert self._parts.hostname
                connection = http.client.HTTPConnection(self._parts.hostname, self._parts.port, timeout=20)
                self._mine.connection = connection
                self._all.append(connection)
            try:
                connection.request("GET", f"{self._parts.path}/{quote(path)}")
                answer = connection.getresponse()
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._mine.connection = None
                if attempt == 2:
                    raise
        raise AssertionError

    def read(self, path: str) -> bytes | None:
        status, _, data = self.response(path)
        assert status in (200, 404), (path, status, data[:200])
        return data if status == 200 else None

    def close(self) -> None:
        for connection in self._all:
            connection.close()


class Folder(Place):
    """A folder of releases on this machine, read through a web server."""

    def __init__(self, root: Path, web: Web, to: str = "", env: dict[str, str] | None = None) -> None:
        super().__init__(to or f"dir:{root}", env)
        self.root = root
        self.web = web

    def read(self, path: str) -> bytes | None:
        return self.web.read(path)

    def files(self) -> dict[str, bytes]:
        top = self.root / "current"
        return {p.relative_to(top).as_posix(): p.read_bytes() for p in top.rglob("*") if p.is_file()}


class Pages(Place):
    """A branch, read as a pages host serves it: the files of its newest commit."""

    def __init__(self, repository: Path) -> None:
        super().__init__(f"git:{repository}#pages")
        self.repository = repository
        git("init", "-q", "--bare", str(repository))

    def _git(self, *args: str, **given: Any) -> bytes:
        return git("--git-dir", str(self.repository), *args, **given)

    def read(self, path: str) -> bytes | None:
        with contextlib.suppress(subprocess.CalledProcessError):
            return self._git("cat-file", "blob", f"refs/heads/pages:{path}")
        return None

    def files(self) -> dict[str, bytes]:
        names = self._git("ls-tree", "-r", "-z", "--name-only", "refs/heads/pages").decode().split("\0")
        ours = (n for n in names if n and not n.startswith(".n"))
        return {name: self._git("cat-file", "blob", f"refs/heads/pages:{name}") for name in ours}

    def commits(self) -> list[str]:
        return self._git("log", "--format=%H", "refs/heads/pages").decode().split()

    def _commit(self, edit: bytes) -> None:
        existing = subprocess.run(
            ["git", "--git-dir", str(self.repository), "rev-parse", "-q", "--verify", "refs/heads/pages"],
            capture_output=True,
            check=False,
        )
        parent = b"from refs/heads/pages^0\n" if existing.returncode == 0 else b""
        head = b"commit refs/heads/pages\ncommitter someone <s@example.org> 1 +0000\ndata 4\nhand\n" + parent
        self._git("fast-import", "--quiet", input=head + edit)

    def put(self, path: str, data: bytes) -> None:
        self._commit(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))

    def remove(self, path: str) -> None:
        self._commit(b"D %s\n" % path.encode())


class S3(Place):
    """A prefix of a bucket, written through the endpoint in `env` and read directly from the store."""

    def __init__(self, store: str, prefix: str, env: dict[str, str]) -> None:
        super().__init__(f"s3://site/{prefix}", env)
        self.web = Web(f"{store}/site/{prefix}")
        self._direct = env | {"AWS_ENDPOINT_URL": store}
        self._prefix = prefix

    def store(self) -> Any:
        from obstore.store import S3Store

        return S3Store(
            "site",
            prefix=self._prefix,
            endpoint=self._direct["AWS_ENDPOINT_URL"],
            access_key_id=self._direct["AWS_ACCESS_KEY_ID"],
            secret_access_key=self._direct["AWS_SECRET_ACCESS_KEY"],
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def read(self, path: str) -> bytes | None:
        return self.web.read(path)

    def names(self) -> set[str]:
        import obstore

        return {row["path"] for row in obstore.list(self.store()).collect()}

    def files(self) -> dict[str, bytes]:
        found = {name: self.web.read(name) for name in self.names() if not name.startswith(".newsgen/")}
        return {name: data for name, data in found.items() if data is not None}

    def put(self, path: str, data: bytes) -> None:
        import obstore

        obstore.put(self.store(), path, data)

    def remove(self, path: str) -> None:
        import obstore

        obstore.delete(self.store(), path)


class Azure(S3):
    """A prefix of a container."""

    def __init__(self, store: str, prefix: str, env: dict[str, str]) -> None:
        super().__init__(store, prefix, env)
        self.to = f"az://site/{prefix}"

    def store(self) -> Any:
        from obstore.store import AzureStore

        return AzureStore(
            "site",
            prefix=self._prefix,
            endpoint=self.env["AZURE_STORAGE_ENDPOINT"],
            account_name=self.env["AZURE_STORAGE_ACCOUNT_NAME"],
            account_key=self.env["AZURE_STORAGE_ACCOUNT_KEY"],
            client_options={"allow_http": True},
        )


def git(*args: str, **given: Any) -> bytes:
    return subprocess.run(["git", *args], check=True, capture_output=True, **given).stdout


def ports(count: int) -> list[int]:
    """Ports that are free at the moment."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def running(command: list[str], log: Path, port: int, **given: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server until the block ends. The block starts once the server answers at `port`."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, **given) as process:
        try:
            deadline = time.monotonic() + 60
            while not answers(port):
                assert process.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Ignores errors of clients that were killed."""


@contextlib.contextmanager
def served(handler: Any) -> Iterator[str]:
    """Runs an HTTP server until the block ends. Yields its address."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def folder(root: Path, to: str = "", env: dict[str, str] | None = None) -> Iterator[Folder]:
    with served(partial(_Quiet, directory=str(root / "current"))) as base:
        web = Web(base)
        try:
            yield Folder(root, web, to, env)
        finally:
            web.close()


KEY, SECRET = "AKIDOFTHETESTS", "a-secret-of-the-tests"


@contextlib.contextmanager
def seaweed(top: Path) -> Iterator[str]:
    """Runs SeaweedFS with a bucket `site` that everyone may read. Yields its S3 endpoint."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        skip_or_fail("no SeaweedFS: it comes with the extra [dev]")
    top.mkdir(parents=True)
    (top / "s3.json").write_text(
        '{"identities": [{"name": "anonymous", "actions": ["Read:site"]}, {"name": "publisher", "actions": ["Admin"], '
        f'"credentials": [{{"accessKey": "{KEY}", "secretKey": "{SECRET}"}}]}}]}}'
    )
    names = ["master", "volume", "filer", "s3"]
    free = iter(ports(8))
    flags = [f"-{name}.port{kind}={next(free)}" for name in names for kind in ("", ".grpc")]
    s3 = int(flags[6].partition("=")[2])
    command = [
        str(weed), "-logtostderr=true", "server", f"-dir={top}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", *flags,
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", f"-s3.config={top / 's3.json'}", "-volume.max=8",
        "-master.volumeSizeLimitMB=512", "-master.telemetry=false",
    ]  # fmt: skip
    with running(command, top / "log", s3):
        store = f"http://127.0.0.1:{s3}"
        place = S3(store, "", s3_env(store))
        deadline = time.monotonic() + 60
        import obstore

        while True:
            try:
                obstore.put(place.store(), "ready", b"")
                break
            except obstore.exceptions.BaseError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield store


def s3_env(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


# Azurite's default account. It is the same everywhere and not a secret.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = base64.b64encode(b"a key for the tests of newsgen, of some length").decode()


@contextlib.contextmanager
def azurite(top: Path) -> Iterator[str]:
    """Runs Azurite with a container `site` that everyone may read. Yields its endpoint."""
    own = ROOT / ".azurite/node_modules/.bin/azurite-blob"
    program = str(own) if own.exists() else shutil.which("azurite-blob")
    if not program:
        skip_or_fail("no Azurite: npm install --prefix .azurite azurite@3.37.0")
    top.mkdir(parents=True)
    (port,) = ports(1)
    command = [
        program,
        "--blobPort",
        str(port),
        "--inMemoryPersistence",
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
    ]
    env = os.environ | {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY}"}
    with running(command, top / "log", port, cwd=top, env=env):
        store = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
        # https://learn.microsoft.com/rest/api/storageservices/create-container, signed with the account's key.
        date, access = email.utils.formatdate(usegmt=True), "x-ms-blob-public-access:container"
        headers = f"{access}\nx-ms-date:{date}\nx-ms-version:2021-08-06"
        what = f"PUT{chr(10) * 12}{headers}\n/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/site\nrestype:container"
        mark = base64.b64encode(hmac.new(base64.b64decode(AZURE_KEY), what.encode(), hashlib.sha256).digest()).decode()
        given = dict(line.split(":", 1) for line in headers.split("\n"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            path = f"/{AZURE_ACCOUNT}/site?restype=container"
            connection.request("PUT", path, headers={**given, "Authorization": f"SharedKey {AZURE_ACCOUNT}:{mark}"})
            answer = connection.getresponse()
            assert answer.status == 201, answer.read()
        finally:
            connection.close()
        yield store


def azure_env(endpoint: str) -> dict[str, str]:
    return {
        "AZURE_STORAGE_ENDPOINT": endpoint,
        "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
    }


@contextlib.contextmanager
def sshd(top: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Runs an sshd that accepts this user. Yields the start of its addresses, and the environment for its clients."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    for tool, found in (("sshd", program), ("ssh", shutil.which("ssh")), ("rsync", shutil.which("rsync"))):
        if not found:
            skip_or_fail(f"no {tool}: apt-get install openssh-server openssh-client rsync")
    assert program
    top.mkdir(parents=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd requires it
    for name in ("host", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(top / name)], check=True)
    (port,) = ports(1)
    (top / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {top}/host\nAuthorizedKeysFile {top}/key.pub\nPidFile none\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxStartups 100\n"
    )
    public = (top / "host.pub").read_text().split()
    (top / "known").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    (top / "config").write_text(
        f"Host *\n  IdentityFile {top}/key\n  IdentitiesOnly yes\n  UserKnownHostsFile {top}/known\n  LogLevel ERROR\n"
    )
    (top / "bin").mkdir()
    (top / "bin/ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {top}/config "$@"\n')
    (top / "bin/ssh").chmod(0o755)
    with running([program, "-D", "-e", "-f", str(top / "sshd_config")], top / "log", port):
        env = {"PATH": f"{top / 'bin'}:{os.environ['PATH']}"}
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}", env


class Proxy:
    """A proxy in front of a store that makes a share of the requests fail, hang up or wait.

    A connection dropped after the request went through leaves the client unable to tell whether it succeeded.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.failing = 0.0
        self.delay = 0.0
        self.refuses: Callable[[str, str], bool] = lambda *_: False
        self.seen: list[tuple[str, str]] = []
        self.failures = 0
        self._random = random.Random(7)

    def choice(self) -> str:
        if self._random.random() >= self.failing:
            return "pass"
        self.failures += 1
        return self._random.choice(["fail", "drop before", "drop after", "slow"])

    def count(self, method: str, part: str = "") -> int:
        return sum(1 for m, path in self.seen if m == method and part in path)


@contextlib.contextmanager
def proxied(upstream: str) -> Iterator[tuple[str, Proxy]]:
    proxy = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def setup(self) -> None:
            super().setup()
            assert proxy.upstream.hostname
            self.store = http.client.HTTPConnection(proxy.upstream.hostname, proxy.upstream.port, timeout=30)

        def finish(self) -> None:
            self.store.close()
            super().finish()

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.seen.append((self.command, self.path))
            choice = "fail" if proxy.refuses(self.command, self.path) else proxy.choice()
            time.sleep(proxy.delay + (0.3 if choice == "slow" else 0))
            if choice == "drop before":
                self.close_connection = True
                return
            if choice == "fail":
                status, headers, data = 503, [], b"<Error><Code>SlowDown</Code><Message>later</Message></Error>"
            else:
                self.store.request(self.command, self.path, body, dict(self.headers.items()))
                answer = self.store.getresponse()
                status, headers, data = answer.status, answer.getheaders(), answer.read()
            if choice == "drop after":
                self.close_connection = True
                return
            self.send_response_only(status)
            length = None
            for name, value in headers:
                if name.lower() == "content-length":
                    length = value
                elif name.lower() not in ("transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815

    with served(Handler) as base:
        yield base + proxy.upstream.path, proxy


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"a": "href", "link": "href", "img": "src", "script": "src", "source": "src"}.get(tag)
        self.found += [value for name, value in attrs if name == wanted and value]


class Reader(threading.Thread):
    """A reader who crawls the site again and again and records broken links and truncated pages."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        super().__init__()
        self._read = read
        self._over = threading.Event()
        self._random = random.Random(11)
        self.pages = 0
        self.rounds = 0
        self.broken_links: list[tuple[str, str]] = []
        self.truncated: list[str] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._over.is_set():
                self.rounds += bool(self.crawl())
        except BaseException as error:
            self.failure = error

    def crawl(self) -> int:
        """Follows every link once. Returns the number of files read, 0 if there is no front page yet."""
        seen = {"index.html"}
        due = [("", "index.html")]
        count = 0
        while due and not (self._over.is_set() and self.rounds):
            page, path = due.pop(self._random.randrange(len(due)))
            data = self._read(path)
            if data is None:
                if page:
                    self.broken_links.append((page, path))
                    continue
                time.sleep(0.02)
                return 0
            count += 1
            self.pages += 1
            if not path.endswith(".html"):
                continue
            if b"</html>" not in data:
                self.truncated.append(path)
            links = _Links()
            links.feed(data.decode())
            for link in links.found:
                if link.startswith("/") and not link.startswith("//"):
                    to = unquote(link.partition("#")[0].partition("?")[0])[1:]
                    to = to + "index.html" if not to or to.endswith("/") else to
                    if to not in seen:
                        seen.add(to)
                        due.append((path, to))
        return count

    def __enter__(self) -> Reader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        if self.failure:
            raise self.failure


def edition(s: Site, place: Place, number: int, settings: str = "") -> Site:
    """The site on day `number`: articles come, change and go, stories form and fall apart, and the style changes."""
    s.write(
        "site.toml",
        f'base_url = "https://news.example/"\npage_size = 4\n[publish.live]\nto = "{place.to}"\n{settings}',
    )
    for old in (s.root / "content").glob("a*.md"):
        old.unlink()
    for n in range(number, number + 12):
        story = {0: "one", 1: "one", 2: f"two-{number}"}.get(n % 5)
        s.article(
            f"a{n:03}",
            title=f"Article {n}" + (f" on day {number}" if n % 2 else ""),
            publishedDateTime=f"2026-11-{n % 20 + 1:02}T10:00:00Z",
            topics=f"[T{n % 3}, Day {number // 2}]",
            story=story,
        )
    s.write("static/css/site.css", f"body {{ color: #{number % 10}00 }}")
    return s

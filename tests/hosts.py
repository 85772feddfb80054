"""`make hosts`: serves the demonstration site with Cloudflare's wrangler, and reads its files with Netlify's parsers.

Publishes it to a folder, as the recipes in docs/publishing.md do. Checks the headers and redirects of some paths, and that no header has values from two rules. Needs npm, which the tests
do not. Nothing leaves the machine but the installation of the npm packages.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from newsgen.builder import Options
from newsgen.files import shipped_site
from newsgen.publish import PublishOptions, publish

PACKAGES = ("wrangler@4.86.0", "@netlify/headers-parser@10.1.1", "@netlify/redirect-parser@16.1.1")
FOLDER = Path(".hosts")
DOCS = Path(__file__).parent.parent / "docs/publishing.md"
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "public, max-age=0, must-revalidate"
"""What the hosts themselves set where no rule sets Cache-Control."""

# Prints, for each path, the headers that every matching rule sets, and the redirect rules, as Netlify reads them.
NETLIFY = """
import {parseAllHeaders} from '@netlify/headers-parser'
import {parseAllRedirects} from '@netlify/redirect-parser'
const [root, ...paths] = process.argv.slice(2)
const h = await parseAllHeaders({headersFiles: [root + '/_headers'], configHeaders: [], minimal: false})
const r = await parseAllRedirects({redirectsFiles: [root + '/_redirects'], configRedirects: [], minimal: false})
const set = Object.fromEntries(paths.map(p => [p, h.headers.filter(x => x.forRegExp.test(p)).map(x => x.values)]))
const errors = [...h.errors, ...r.errors].map(String)
console.log(JSON.stringify({errors, set, redirects: r.redirects.map(x => [x.from, x.to, x.status])}))
"""

POST = """---
title: "AT&T <3 C++ & <dialog>"
publishedDateTime: 2026-11-08T08:00:00Z
topics: [Hosts]
aliases: ["/a b/é/", "/caf%C3%A9/", "2019/07/old.html", "/News/Upper.php", "/wiki/Talk:Hosts/"]
---
An own post.
"""

FEEDS = """
[feeds]
sections = ["rss", "atom", "jsonfeed"]
min_members = 1
"""


def main() -> int:
    """Prints all problems. Returns 1 if there are any, else 0."""
    if not shutil.which("npm"):
        sys.exit("make hosts needs npm")
    if not (FOLDER / "node_modules/wrangler").exists():
        FOLDER.mkdir(exist_ok=True)
        install = ["npm", "install", "--silent", "--no-package-lock", "--prefix", str(FOLDER), *PACKAGES]
        subprocess.run(install, check=True)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        for name in ("content", "static", "templates"):
            shutil.copytree(shipped_site() / name, site / name)
        settings = (shipped_site() / "site.toml").read_text(encoding="utf-8")
        (site / "site.toml").write_text(settings + FEEDS, encoding="utf-8")
        (site / "content/hosts.md").write_text(POST, encoding="utf-8")
        (site / "static/_redirects").write_text("/own /sources/ 302\n", encoding="utf-8")
        (site / "static/plain.css").write_text("/* a file without a fingerprint */\n", encoding="utf-8")
        # As the recipes in docs/publishing.md: the folder of a publish holds the site and nothing else.
        publish(Options(site=site), PublishOptions(target=f"dir:{folder}/dist"))
        public = Path(folder, "dist/current").resolve()
        wrong = [*only_the_site(public), *cloudflare(public), *workers(public), *netlify(public)]
    print("\n".join(wrong) or "files, headers and redirects are right on all hosts")
    return min(len(wrong), 1)


def expected_headers(public: Path) -> dict[str, dict[str, str]]:
    """The headers that some paths must have on every host."""
    fingerprinted = next(p.relative_to(public).as_posix() for p in public.glob("css/site.*.css"))
    return {
        "/": {"cache-control": REVALIDATED},
        f"/{fingerprinted}": {"cache-control": IMMUTABLE},
        "/plain.css": {"cache-control": REVALIDATED},
        "/feed.xml": {"content-type": "application/rss+xml; charset=utf-8"},
        "/topics/hosts/feed.xml": {"content-type": "application/rss+xml; charset=utf-8"},
        "/topics/hosts/atom.xml": {"content-type": "application/atom+xml; charset=utf-8"},
        "/topics/hosts/feed.json": {"content-type": "application/feed+json; charset=utf-8"},
    }


REDIRECTS = {
    "/own": "/sources/",
    "/a%20b/%C3%A9/": "/2026/11/08/hosts/",
    "/caf%C3%A9/": "/2026/11/08/hosts/",
    "/2019/07/old.html": "/2026/11/08/hosts/",
    "/News/Upper.php": "/2026/11/08/hosts/",
}


def cloudflare(public: Path) -> Iterator[str]:
    """What is wrong on Cloudflare Pages, as `wrangler pages dev` emulates it."""
    with wrangler(public, "pages", "dev", ".", "--compatibility-date", "2026-01-01") as port:
        for path, headers in expected_headers(public).items():
            status, found = request(port, path)
            if status != 200:
                yield f"cloudflare: {path}: status {status}"
            policy = found.get("content-security-policy", "")
            if policy.count("default-src") != 1 or "frame-src" in policy:
                yield f"cloudflare: {path}: content-security-policy: {policy}"
            for name, value in headers.items():
                if found.get(name) != value:
                    yield f"cloudflare: {path}: {name}: {found.get(name)!r}, not {value!r}"
        for old, new in REDIRECTS.items():
            status, found = request(port, old)
            if found.get("location") != new:
                yield f"cloudflare: {old}: leads to {found.get('location')!r} (status {status}), not {new!r}"
        # A stub answers what no line can: `:Hosts` in a line would be a placeholder.
        status, _ = request(port, "/wiki/Talk:Hosts/")
        if status != 200:
            yield f"cloudflare: /wiki/Talk:Hosts/: status {status}"
        status, _ = request(port, "/wiki/Talkabout/")
        if status != 404:
            yield f"cloudflare: /wiki/Talkabout/: status {status}"


def only_the_site(public: Path) -> Iterator[str]:
    """What is in the folder and must not be uploaded: wrangler uploads names that begin with a dot, too."""
    yield from (f"{path.name} is in the folder" for path in public.iterdir() if path.name.startswith(".newsgen"))


def workers(public: Path) -> Iterator[str]:
    """What is wrong on Cloudflare Workers, as `wrangler dev` emulates it with the settings of docs/publishing.md."""
    settings = re.search(r"```toml\n(name = .*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert settings
    folder = public.parents[2]
    (folder / "wrangler.toml").write_text(settings[1], encoding="utf-8")
    with wrangler(folder, "dev") as port:
        for old, new in REDIRECTS.items():
            status, found = request(port, old)
            if found.get("location") != new:
                yield f"workers: {old}: leads to {found.get('location')!r} (status {status}), not {new!r}"
        for path in ("/nothing/", "/.newsgen-manifest.json"):
            status, found = request(port, path)
            if status != 404 or not found.get("content-type", "").startswith("text/html"):
                yield f"workers: {path}: status {status}, not the site's 404 page"


def netlify(public: Path) -> Iterator[str]:
    """What is wrong on Netlify, as its own parsers read the files."""
    script = FOLDER / "netlify.mjs"
    script.write_text(NETLIFY, encoding="utf-8")
    expected = expected_headers(public)
    done = subprocess.run(["node", script, public, *expected], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    yield from (f"netlify: {error}" for error in report["errors"])
    for path, headers in expected.items():
        rules = [{name.lower(): value for name, value in rule.items()} for rule in report["set"][path]]
        names = [name for rule in rules for name in rule]
        yield from (f"netlify: {path}: {name} is set twice" for name in {n for n in names if names.count(n) > 1})
        found = {name: value for rule in rules for name, value in rule.items()}
        for name, value in headers.items():
            if found.get(name, REVALIDATED if name == "cache-control" else None) != value:
                yield f"netlify: {path}: {name}: {found.get(name)!r}, not {value!r}"
    lines = {old: new for old, new, _ in report["redirects"]}
    yield from (
        f"netlify: {old}: leads to {lines.get(old)!r}" for old, new in REDIRECTS.items() if lines.get(old) != new
    )


@contextlib.contextmanager
def wrangler(folder: Path, *words: str) -> Iterator[int]:
    """Runs a command of wrangler that serves, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [FOLDER.resolve() / "node_modules/.bin/wrangler", *words, "--ip", "127.0.0.1", "--port", str(port)]
    environment = os.environ | {"CI": "1", "WRANGLER_SEND_METRICS": "false", "XDG_CONFIG_HOME": str(folder.parent)}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        ) as running,
    ):
        try:
            for _ in range(240):
                with contextlib.suppress(OSError):
                    request(port, "/")
                    break
                if running.poll() is not None:
                    break
                time.sleep(0.25)
            else:
                running.send_signal(signal.SIGTERM)
            if running.poll() is not None:
                log.seek(0)
                sys.exit(f"wrangler does not run here:\n{log.read().decode(errors='replace')}")
            yield port
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGTERM)


def request(port: int, path: str) -> tuple[int, dict[str, str]]:
    """The status and the headers, with names in lower case, of one path."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        return answer.status, headers
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())

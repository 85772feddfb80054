"""Fixtures: a real Chromium and a static server on loopback. Without a browser, these tests are skipped."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, sync_playwright
from sites import skip_or_fail

from newsgen import files
from newsgen.builder import Options
from newsgen.builder import pipeline as build

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def _chromium() -> str:
    names = (os.environ.get("NEWSGEN_BROWSER"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), "")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = _chromium()
    if not path:
        skip_or_fail("there is no Chromium on the PATH nor in NEWSGEN_BROWSER")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serve(folder: Path) -> tuple[ThreadingHTTPServer, str]:
    """Serves a folder on a free port of loopback. Returns the server and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The demonstration site, built for and served at the path /news/: its address and its folder."""
    root = tmp_path_factory.mktemp("demo")
    home = files.shipped_site()
    shutil.copytree(home / "content", root / "site/content")
    shutil.copytree(home / "static/demo", root / "site/static/demo")
    text = (home / "site.toml").read_text(encoding="utf-8")
    settings = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("base_url"))
    server, address = serve(root / "web")
    (root / "site/site.toml").write_text(
        f'base_url = "{address}/news/"\npage_size = 12\npages.articles = "all"\n{settings}', encoding="utf-8"
    )
    report = build.build(Options(site=root / "site", output=root / "web/news"))
    assert not report.problems
    yield f"{address}/news/", root / "web/news"
    server.shutdown()
    server.server_close()

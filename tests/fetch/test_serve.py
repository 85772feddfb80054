"""The preview shows what a fetch brings."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

from feedserver import Answer, FeedServer
from sites import Site

SECONDS = 30


def feed(titles: list[str]) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://port.example/{at}</link><pubDate>2 Jul 2020 10:{at:02}:00 GMT</pubDate></item>"
        for at, title in enumerate(titles)
    )
    return f'<rss version="2.0"><channel><title>Port</title>{items}</channel></rss>'.encode()


def wait_for(address: str, *words: str) -> str:
    """The page at an address, once it has all these words."""
    deadline = time.monotonic() + SECONDS
    while True:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            page = str(answer.read().decode())
        if all(word in page for word in words):
            return page
        assert time.monotonic() < deadline, page
        time.sleep(0.05)


def test_the_preview_shows_what_a_fetch_brings(site: Callable[..., Site], server: FeedServer) -> None:
    s = site().write("site.toml", '[fetch]\nallow = ["127.0.0.1"]\n').article("ours", publishedDateTime="2020-07-01")
    server.add("127.0.0.1/feed", Answer(feed([f"Ship number {at} arrives" for at in range(12)]), etag='"1"'))
    s.write("content/_feeds/port.md", f'---\nurl: "http://127.0.0.1:{server.port}/feed"\n---\n')
    command = [sys.executable, "-m", "newsgen", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=s.root, stdout=subprocess.PIPE, text=True) as preview:
        try:
            assert preview.stdout
            address = preview.stdout.readline().split()[0]
            wait_for(address, "Ours")
            done = s.run("fetch")
            assert done.returncode == 0, done.stderr
            wait_for(address, *(f"Ship number {at} arrives" for at in range(12)))
            server.add("127.0.0.1/feed", Answer(feed(["Ship number 0 sails again"]), etag='"2"'))
            assert s.run("fetch", "port").returncode == 0
            wait_for(address, "Ship number 0 sails again", "Ship number 11 arrives")
        finally:
            preview.kill()

"""A fetch that is killed at any moment leaves whole files, and the next one completes its work."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from feedserver import Answer, FeedServer
from sites import Site

from newsgen.fetch import FetchOptions, FetchReport, fetch
from newsgen.fetch.network.client import Request, Response, Result, Validators

FIRST = datetime(2026, 11, 28, 8, tzinfo=UTC)
SECOND = FIRST + timedelta(hours=2)
FEEDS = 6

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def body(feed: int, *, later: bool) -> bytes:
    """A feed. Later, half of its entries changed, one is in other words, a third are new, and the oldest are missing."""
    items = []
    for at in range(4 if later else 0, 16 if later else 10):
        title = f"Report {at} of feed {feed}" + (", corrected" if later and at % 2 else "")
        day = "" if at % 5 == 0 else f"<pubDate>Fri, 27 Nov 2026 {at:02}:00:00 GMT</pubDate>"
        link = f"https://n{feed}.example/{at}" if at % 3 else f"https://shared.example/{at}"  # one text in all feeds
        link = f"<link>{link}</link>" if at % 7 else ""
        items.append(
            f"<item><title>{title}</title>{link}<guid>{feed}-{at}</guid>{day}<category>T{feed}</category></item>"
        )
    return f'<rss version="2.0"><channel><title>{feed}</title>{"".join(items)}</channel></rss>'.encode()


class Canned:
    """A client that has all answers, without a network."""

    def __init__(self, *, later: bool) -> None:
        self._later = later

    def __call__(self, **_: object) -> Canned:
        return self

    def __enter__(self) -> Canned:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get_all(self, requests: Mapping[str, Request]) -> Iterator[tuple[str, Result]]:
        for name, request in reversed(requests.items()):
            tag = Validators(url=request.url, etag=f'"{self._later}"')
            known = request.validators == tag
            data = b"" if known else body(int(name[4:]), later=self._later)
            yield name, Response(url=request.url, status=304 if known else 200, body=data, validators=tag)


def run(s: Site, now: datetime) -> FetchReport:
    return fetch(FetchOptions(site=s.root, now=now), make_client=Canned(later=now >= SECOND))  # type: ignore[arg-type]


def content(s: Site) -> dict[str, bytes]:
    return s.tree(s.root / "content")


Versions = dict[str, set[bytes]]
"""All that was ever in each file, by path."""


def recorded(s: Site, work: Callable[[], object]) -> Versions:
    """The versions of all files before, during and after some work that is not disturbed."""
    versions: Versions = defaultdict(set)
    for path, data in content(s).items():
        versions[path].add(data)
    replace = Path.replace

    def noted(self: Path, target: Path) -> Path:
        versions[target.relative_to(s.root / "content").as_posix()].add(self.read_bytes())
        return replace(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", noted)
        work()
    return versions


def check_whole(s: Site, versions: Versions, at: object) -> None:
    """Every file is as it was at some time. Those with a dot are not: no build sees them."""
    for path, data in content(s).items():
        assert data in versions[path] or path.rpartition("/")[2].startswith("."), (at, path)


def subscribe(s: Site, url: Callable[[int], str]) -> None:
    for number in range(FEEDS):
        s.write(f"content/_feeds/feed{number}.md", f'---\nurl: "{url(number)}"\ntopics: [F{number}]\n---\n')


def edit(s: Site) -> None:
    """What an editor does between two fetches."""
    s.edit("content/2026/11/2026-11-28-report-5-of-feed-0.md", "Report 5", "Our words on report 5")
    for at in (4, 8):
        (s.root / f"content/2026/11/2026-11-27-report-{at}-of-feed-1.md").unlink()
    (s.root / "content/better").mkdir()
    old = s.root / "content/2026/11/2026-11-27-report-7-of-feed-2.md"
    old.rename(s.root / "content/better/place.md")


@pytest.fixture
def states(site: Callable[..., Site]) -> tuple[Site, Versions, dict[str, bytes]]:
    """A site after a fetch and an editor; the versions of its files during the next fetch, and its content after it."""
    s = site("", "work")
    subscribe(s, lambda number: f"https://n{number}.example/feed")
    assert run(s, FIRST).added > 40
    edit(s)
    shutil.copytree(s.root, s.root.parent / "kept")

    def work() -> None:
        report = run(s, SECOND)
        assert report.deleted == 2
        assert (report.added > 25, report.updated > 10, report.changed) == (True, True, 1)

    versions = recorded(s, work)
    after = content(s)
    restore(s)
    return s, versions, after


def restore(s: Site) -> None:
    shutil.rmtree(s.root)
    shutil.copytree(s.root.parent / "kept", s.root)


EVENTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate", "sqlite3.connect")


def fetch_and_kill(s: Site, nth: int) -> int:
    """Fetches in a child process that is killed at the nth of the `EVENTS` in the site. Returns their number if not."""
    ends, pipe = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, args: tuple[Any, ...]) -> None:
            nonlocal count
            if event in EVENTS and str(args[0]).startswith(str(s.root)):
                count += 1
                if count == nth:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            run(s, SECOND)
            os.write(pipe, b"%d" % count)
        finally:
            os._exit(0)
    os.close(pipe)
    with os.fdopen(ends, "rb") as read:
        counted = read.read()
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert killed or counted
    return 0 if killed else int(counted)


@needs_fork
def test_a_fetch_killed_at_any_moment(states: tuple[Site, Versions, dict[str, bytes]]) -> None:
    s, versions, after = states
    before = content(s)
    events = fetch_and_kill(s, 0)
    assert content(s) == after
    chance = random.Random(18)
    mixed = 0
    for at in sorted(chance.sample(range(1, events), 40)):
        restore(s)
        assert fetch_and_kill(s, at) == 0
        check_whole(s, versions, at)
        mixed += content(s) not in (before, after)
        # The next one is killed too; the one after it is not.
        fetch_and_kill(s, chance.randrange(1, events))
        check_whole(s, versions, at)
        run(s, SECOND)
        assert content(s) == after, at
        report = run(s, SECOND + timedelta(hours=2))
        assert (report.added, report.updated, report.deleted, report.changed) == (0, 0, 0, 0), at
        assert content(s) == after, at
    assert mixed > 15, "most kills must happen between the first file and the last"


def test_the_command_killed_at_any_time(site: Callable[..., Site], server: FeedServer) -> None:
    def subscribed(name: str) -> Site:
        s = site("", name).write("site.toml", '[fetch]\nallow = ["127.0.0.1"]\n')
        subscribe(s, lambda number: f"http://127.0.0.1:{server.port}/{number}")
        return s

    clean = subscribed("clean")
    versions = recorded(clean, lambda: run(clean, FIRST))
    after = content(clean)
    for number in range(FEEDS):
        server.add(f"127.0.0.1/{number}", Answer(body(number, later=False), etag='"1"', think=0.03))
    s = subscribed("work")
    command = ["fetch", "--now", FIRST.isoformat()]
    for count in (0, 1, 9, 15, 22, 36):
        with subprocess.Popen(
            [sys.executable, "-m", "newsgen", *command], cwd=s.root, stdout=subprocess.DEVNULL
        ) as run_:
            while sum(len(names) for *_, names in os.walk(s.root / "content")) < FEEDS + count:
                assert run_.poll() is None
                time.sleep(0.001)
            run_.kill()
        check_whole(s, versions, count)
    assert content(s) != after
    done = s.run(*command)
    assert done.returncode == 0, done.stderr
    assert content(s) == after

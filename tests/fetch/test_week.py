"""Days of a real aggregator, hour by hour: every entry becomes one file, and the site is that of a cold build.

`make bench-fetch` runs a week.
"""

from __future__ import annotations

import functools
import shutil
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feedserver import FeedServer
from sites import Site
from stream import Row, Stream, rows

from newsgen import canonical
from newsgen.builder import Report
from newsgen.content import parse_front_matter
from newsgen.fetch import FetchOptions, FetchReport, fetch
from newsgen.fetch.network.client import Client

DAY = datetime(2020, 7, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stamps(content: Path) -> dict[str, tuple[int, int]]:
    """What changes if a file is written, by path."""
    return {str(p): (s.st_mtime_ns, s.st_ino) for p in content.rglob("*") if p.is_file() for s in [p.stat()]}


def run(site: Site, stream: Stream, server: FeedServer, now: datetime) -> FetchReport:
    """Fetches at a moment."""
    stream.now = now
    make = functools.partial(Client, resolve=server.resolve)
    report = fetch(FetchOptions(site=site.root, now=now), make_client=make)
    assert not report.problems
    assert (report.requests, report.failed, report.notes) == (len(stream.urls), 0, [])
    return report


def text_id(feed: str, guid: str, url: str) -> str:
    """What two entries share if they are the same text. The front page of a site is no text."""
    key = canonical.key(url)
    return key if canonical.identifies_text(key) else f"{feed}: {guid}"


def check_files(site: Site, stream: Stream) -> int:
    """Every text that was ever served has exactly one file, and there are no other files. Returns their number."""
    files: dict[str, list[Path]] = defaultdict(list)
    for path in (site.root / "content/2020").rglob("*.md"):
        values = parse_front_matter(path.read_bytes()).values
        feed, guid = values["fetched"]["feed"], values["fetched"]["guid"]
        assert values["publishedDateTime"] == stream.served[feed, guid]["published"], path
        files[text_id(feed, guid, values["webUrl"])].append(path)
    assert not {text: paths for text, paths in files.items() if len(paths) > 1}, "double"
    served = {text_id(feed, guid, row["url"]) for (feed, guid), row in stream.served.items()}
    assert served - files.keys() == set(), "entries without a file"
    assert files.keys() - served == set(), "files of no entry"
    return len(files)


def check_build(report: Report) -> None:
    """A build has nothing to say about files that a fetch wrote."""
    assert not [warning for warning in report.warnings if warning.path.startswith("content/2")]


def simulate(
    site: Site, server: FeedServer, articles: list[Row], hours: int, fetch_every: int, build_every: int
) -> tuple[int, Stream]:
    """Fetches and builds from DAY on for some hours, and checks the result. Returns the number of articles."""
    end = DAY + hours * HOUR
    stream = Stream(server, articles)
    site.write("site.toml", '[fetch]\nallow = ["127.0.0.0/8"]\n')
    stream.subscribe(site.root / "content")
    for hour in range(fetch_every, hours + 1, fetch_every):
        now = DAY + hour * HOUR
        run(site, stream, server, now)
        if hour % build_every == 0:
            check_build(site.good(now=now))
    check_build(site.good(now=end))
    before = stamps(site.root / "content")
    server.asked.clear()
    report = run(site, stream, server, end + HOUR)
    assert all("if-none-match" in asked.headers for asked in server.asked)
    assert {feed.outcome for feed in report.feeds} == {"unchanged"}
    assert stamps(site.root / "content") == before
    return check_files(site, stream), stream


def check_cold(site: Site, now: datetime) -> None:
    """The site is that of a cold build of the same folder."""
    cold = Site(site.root.parent / "cold")
    shutil.copytree(site.root / "content", cold.root / "content", dirs_exist_ok=True)
    shutil.copy(site.root / "site.toml", cold.root)
    assert cold.good(now=now).stories > 30
    assert cold.tree() == site.tree()


def test_a_day_of_an_aggregator(site: Callable[..., Site], server: FeedServer, data: Path) -> None:
    s = site()
    articles = rows(data, DAY, DAY + 24 * HOUR)
    count, stream = simulate(s, server, articles, hours=24, fetch_every=4, build_every=8)
    assert count > 1250
    assert len(stream.urls) > 400
    check_cold(s, DAY + 24 * HOUR)
    # Without what it knows of earlier requests, a fetch finds every article again.
    shutil.rmtree(s.root / ".newsgen")
    before = stamps(s.root / "content")
    run(s, stream, server, DAY + 26 * HOUR)
    assert stamps(s.root / "content") == before

"""The feeds in the test suites of feedparser, gofeed and the W3C's validator."""

from __future__ import annotations

import contextlib
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from time import process_time
from typing import Any

import pytest
from sites import Site

from newsgen import canonical
from newsgen.config import Config
from newsgen.fetch.archive import Archive
from newsgen.fetch.entry import Feed
from newsgen.fetch.formats import words
from newsgen.fetch.formats.parser import FeedError, parse
from newsgen.model import Subscription

# Parsed and refused files. What is refused is KML, OPML, OpenSearch, Atom services and single entries, and web pages.
COUNTS = {
    "feedparser-tests": (2105, 1),
    "feedvalidator-testcases": (1856, 368),
}


def members(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile():
                yield PurePosixPath(member.name), tar.extractfile(member).read()


@pytest.mark.parametrize("suite", COUNTS)
def test_every_file_is_parsed_or_refused_with_a_reason(data: Path, suite: str) -> None:
    counts = Counter[str]()
    for path, content in members(data / f"data/suites/{suite}.tar.gz"):
        started = process_time()
        try:
            parse(content, url="https://feed.example/rss")
            counts["parsed"] += 1
        except FeedError as error:
            counts["refused" if str(error) else "without a reason"] += 1
        assert process_time() - started < 2, path
    assert (counts["parsed"], counts["refused"]) == COUNTS[suite]
    assert not counts["without a reason"]


def test_titles_links_and_dates_are_those_that_gofeed_expects(data: Path) -> None:
    files = dict(members(data / "data/suites/gofeed-testdata.tar.gz"))
    compared, differing = 0, {}
    for path, content in files.items():
        expected = (
            files.get(path.with_suffix(".json"))
            if path.suffix == ".xml"
            else files.get(path.with_name(f"{path.stem}_expected.json"))
        )
        if expected is None or not (rows := _expected(json.loads(expected))):
            continue
        compared += 1
        found = parse(content, url="")
        got = [
            (found.title, found.home, None, None),
            *((e.title, e.url, e.published, e.updated) for e in found.entries),
        ]
        if reason := _difference(rows, got):
            differing[str(path)] = reason
    assert compared >= 128
    assert differing == {}


def _expected(feed: dict[str, Any]) -> list[tuple[str, ...]]:
    """Title, link, and both times of a feed and of its entries in gofeed's JSON, none if all are empty."""
    rows = [(feed.get("title") or "", _link(feed), "", "")]
    for entry in feed.get("items") or feed.get("entries") or []:
        published = entry.get("publishedParsed") or entry.get("pubDateParsed") or entry.get("date_published") or ""
        rows.append((entry.get("title") or "", _link(entry), published, entry.get("updatedParsed") or ""))
    return rows if any(map(any, rows)) else []


def _link(part: dict[str, Any]) -> str:
    alternates = (
        link.get("href") or ""
        for link in part.get("links") or []
        if isinstance(link, dict) and link.get("rel", "alternate") == "alternate"
    )
    return part.get("link") or part.get("url") or part.get("home_page_url") or next(alternates, "")


def _difference(rows: list[tuple[str, ...]], got: list[tuple[Any, ...]]) -> str:
    """What differs of that which gofeed expects. It gives an entry that is not updated the time of its publication."""
    if len(rows) != len(got):
        return f"{len(got)} entries in place of {len(rows)}"
    for (title, link, published, updated), (our_title, our_link, our_published, our_updated) in zip(
        rows, got, strict=True
    ):
        if title and _letters(title) != _letters(our_title):
            return f"title {our_title!r} in place of {title!r}"
        if link and canonical.web_address(link) != our_link:
            return f"link {our_link!r} in place of {link!r}"
        if published and _time(published) != our_published:
            return f"published {our_published} in place of {published}"
        if updated not in ("", published) and _time(updated) != our_updated:
            return f"updated {our_updated} in place of {updated}"
    return ""


def _letters(title: str) -> str:
    """A title without markup and spaces: gofeed keeps them as they are in the feed."""
    return "".join(words.visible(words.visible(title)).split())


def _time(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


def test_every_entry_of_others_test_suites_becomes_a_file_that_builds(site: Callable[..., Site], data: Path) -> None:
    s = site()
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    feeds: list[Feed] = []
    for name in ("feedparser-tests", "gofeed-testdata", "feedvalidator-testcases"):
        for _, content in members(data / f"data/suites/{name}.tar.gz"):
            with contextlib.suppress(FeedError):
                feeds.append(parse(content, url=f"https://f{len(feeds)}.example/feed"))
    counts = []
    for _ in range(2):
        archive = Archive(s.root, s.root / "content", Config(), [f"f{number}" for number in range(len(feeds))])
        taken = [
            archive.take(Subscription(id="", name=f"f{number}", url=f"https://f{number}.example/"), feed, now=now)
            for number, feed in enumerate(feeds)
        ]
        counts.append((sum(len(t.added) for t in taken), sum(len(t.updated) + len(t.changed) for t in taken)))
        assert archive.save() == ""
    assert counts[0][0] > 900
    assert counts[1] == (0, 0)
    report = s.load(now=now).report
    assert (report.articles, report.problems, report.warnings) == (counts[0][0], [], [])

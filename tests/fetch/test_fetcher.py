"""A whole fetch, against a server on loopback."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from feedserver import Answer, FeedServer
from sites import Site

from newsgen.errors import ConfigError
from newsgen.fetch import FetchOptions, FetchReport, feeds, fetch
from newsgen.fetch.fetcher import lock

Make = Callable[..., Site]
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SETTINGS = '[fetch]\nallow = ["127.0.0.0/8"]\n'


def rss(*items: int, name: str = "post", **more: str) -> bytes:
    rows = "".join(
        f"<item><title>{more.get('title', 'Article')} {n} of {name}</title><link>https://{name}.example/{n}</link>"
        f"<guid>{name}-{n}</guid><pubDate>Sat, 28 Nov 2026 0{n % 10}:00:00 GMT</pubDate></item>"
        for n in items
    )
    return f"<rss version='2.0'><channel><title>{name}</title>{rows}</channel></rss>".encode()


class News:
    """A site with feeds, and the server that they are on."""

    def __init__(self, site: Site, server: FeedServer, client: Callable[..., Any]) -> None:
        self.site, self.server, self.client = site.write("site.toml", SETTINGS), server, client

    def feed(self, name: str, answer: Any, more: str = "") -> None:
        url = self.server.add(f"{name}.example/feed", answer)
        self.site.write(f"content/_feeds/{name}.md", f"---\nurl: {url}\n{more}---\n")

    def fetch(self, *names: str, hours: float = 0, **chosen: Any) -> FetchReport:
        options = {"site": self.site.root, "names": names, "now": NOW + timedelta(hours=hours), **chosen}
        return fetch(FetchOptions(**options), make_client=lambda **_: self.client())

    def outcomes(self, *names: str, **chosen: Any) -> dict[str, str]:
        return {feed.name: feed.outcome for feed in self.fetch(*names, **chosen).feeds}

    def names(self) -> list[str]:
        return sorted(p.name for p in (self.site.root / "content/2026").rglob("*.md"))


@pytest.fixture
def news(site: Make, server: FeedServer, client: Callable[..., Any]) -> News:
    return News(site(), server, client)


def test_what_is_new_becomes_files_and_the_rest_costs_one_small_answer(news: News) -> None:
    news.feed("a", Answer(rss(1, 2, name="a"), etag='"1"'), "topics: [Boats]\n")
    news.feed("b", Answer(rss(1, name="b"), encoding="gzip"))
    report = news.fetch()
    assert (report.requests, report.added, report.failed) == (2, 3, 0)
    assert news.names() == [
        "2026-11-28-article-1-of-a.md",
        "2026-11-28-article-1-of-b.md",
        "2026-11-28-article-2-of-a.md",
    ]
    assert [a.topics for a in news.site.load(now=NOW).library.sections["topic"]["boats"].members] == [("Boats",)] * 2
    assert news.outcomes() == {"a": "waiting", "b": "waiting"}
    before = {p: p.stat() for p in (news.site.root / "content").rglob("*.md")}
    assert news.outcomes(hours=1) == {"a": "unchanged", "b": "unchanged"}
    assert {p: p.stat() for p in before} == before
    news.feed("a", Answer(rss(2, 3, name="a"), etag='"2"'), "topics: [Boats]\n")
    report = news.fetch(hours=2)
    assert (report.added, report.feeds[0].added) == (1, ["2026/11/2026-11-28-article-3-of-a.md"])
    assert not news.site.load().report.problems


def test_a_time_without_a_zone_is_in_that_of_the_site(news: News) -> None:
    news.site.write("site.toml", 'timezone = "Asia/Seoul"\n' + SETTINGS)
    news.feed("a", Answer(rss(1).replace(b"Sat, 28 Nov 2026 01:00:00 GMT", b"2026-11-28 20:59:59")))
    news.fetch()
    (article,) = news.site.load(now=NOW).library.articles
    assert article.published == datetime(2026, 11, 28, 11, 59, 59, tzinfo=UTC)


def test_failures_are_named_back_off_and_stop_no_other(news: News) -> None:
    news.feed("bad", Answer(b"no", 500))
    news.feed("good", rss(1, name="good"))
    news.feed("page", b"<html><title>x</title>")
    news.feed("private", Answer(b"", 302, {"Location": "http://10.0.0.1/"}))
    report = news.fetch()
    assert (report.requests, report.failed, report.nothing_done) == (4, 3, False)
    reasons = {feed.name: feed.reason for feed in report.feeds if feed.outcome == "failed"}
    assert reasons["page"] == "the answer is a web page, not a feed"
    assert "10.0.0.1 is not a public address" in reasons["private"]
    assert "500" in reasons["bad"]
    assert news.outcomes(hours=0.4)["bad"] == "waiting"
    assert news.outcomes(hours=40)["bad"] == "failed"
    rows, _ = feeds(news.site.root)
    assert [(row["name"], row["status"], row["failures"], row["articles"]) for row in rows] == [
        ("bad", "failing", 2, 0), ("good", "ok", 0, 1), ("page", "failing", 2, 0), ("private", "failing", 2, 0),
    ]  # fmt: skip


def test_a_fault_of_ours_stops_no_other_feed(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsgen.fetch.formats import parser

    news.feed("a", rss(1, name="a"))
    news.feed("b", rss(1, name="b"))
    parse = parser.parse
    monkeypatch.setattr(parser, "parse", lambda data, **how: 1 / 0 if b"of a" in data else parse(data, **how))
    assert news.outcomes() == {"a": "failed", "b": "new"}


def test_nothing_done_is_told(news: News) -> None:
    news.feed("bad", Answer(b"no", 500))
    assert news.fetch().nothing_done
    assert not news.fetch().nothing_done  # nothing was due
    # A feed that fails often is due alone at times. That must not stop a publish.
    news.feed("good", rss(1, name="good"))
    news.feed("other", Answer(b"no", 500), "every: 1h\n")
    assert not news.fetch().nothing_done
    assert news.outcomes(hours=0.6) == {"bad": "waiting", "good": "unchanged", "other": "waiting"}
    report = news.fetch(hours=0.9)
    assert {feed.name: feed.outcome for feed in report.feeds} == {
        "bad": "failed",
        "good": "waiting",
        "other": "waiting",
    }
    assert not report.nothing_done
    assert news.fetch("bad").nothing_done


def test_a_feed_that_is_gone_is_not_requested_again_unless_named(news: News) -> None:
    news.feed("a", Answer(b"", 410))
    before = (news.site.root / "content/_feeds/a.md").read_bytes()
    assert news.outcomes() == {"a": "gone"}
    assert news.outcomes(hours=999) == {"a": "gone"}
    assert len(news.server.asked) == 1
    news.feed("a", rss(1))
    assert (news.site.root / "content/_feeds/a.md").read_bytes() == before
    assert news.outcomes("a") == {"a": "new"}


def test_feeds_that_moved_are_told(news: News) -> None:
    there = news.server.add("new.example/feed", rss(1))
    news.feed("a", Answer(b"", 301, {"Location": there}))
    assert news.fetch().feeds[0].moved == there
    news.fetch(hours=1)
    assert news.server.paths()[-1] == "new.example/feed"


def test_disabled_feeds_are_requested_only_by_name(news: News) -> None:
    news.feed("a", rss(1), "enabled: false\n")
    assert news.outcomes() == {"a": "disabled"}
    assert news.outcomes("a") == {"a": "new"}


def test_other_settings_of_a_feed_read_its_entries_again(news: News) -> None:
    news.feed("a", Answer(rss(1, 2), etag='"1"'), "exclude: Article 2\n")
    assert news.fetch().added == 1
    news.feed("a", Answer(rss(1, 2), etag='"1"'), "topics: [X]\n")
    report = news.fetch(hours=0.01)
    assert (report.added, report.updated) == (1, 1)


def test_since_takes_the_place_of_max_age(news: News) -> None:
    news.feed("a", Answer(rss(1, 2, 3), etag='"1"'), "max_age: 10h\n")
    assert news.fetch().added == 2
    assert news.fetch(since=datetime(2026, 11, 28, tzinfo=UTC)).added == 1


def test_dry_run_writes_nothing_at_all(news: News) -> None:
    news.feed("a", rss(1))
    assert news.fetch(dry_run=True).added == 1
    assert not (news.site.root / ".newsgen").exists()
    assert not (news.site.root / "content/2026").exists()


def test_changes_of_edited_files_are_listed_and_adopted(news: News) -> None:
    news.feed("a", rss(1))
    news.fetch()
    path = "content/2026/11/2026-11-28-article-1-of-post.md"
    news.site.edit(path, "Article 1", "My article 1")
    news.feed("a", rss(1, title="New"))
    assert news.fetch(hours=1).feeds[0].changed == [path.removeprefix("content/")]
    assert news.fetch(hours=2).changed == 0  # the body is known
    assert news.fetch(hours=2, adopt=True).feeds[0].adopted == [path.removeprefix("content/")]
    assert 'title: "New 1 of post"' in (news.site.root / path).read_text()


def test_the_same_answers_give_the_same_files_in_any_order(site: Make, server: FeedServer, client: Any) -> None:
    trees = []
    for run in range(3):
        news = News(site(name=str(run)), server, client)
        for number in range(6):
            body = rss(1, 2, number + 3).replace(
                b"<guid>post", f"<category>T{number}</category><guid>{number}".encode()
            )
            news.feed(f"f{number}", Answer(body, think=random.Random(run * 10 + number).random() / 5))
        news.fetch()
        root = news.site.root / "content/2026"
        trees.append({p.relative_to(root): p.read_bytes() for p in root.rglob("*.md")})
    assert len(trees[0]) == 8
    assert trees[0] == trees[1] == trees[2]
    assert sum(b"T5" in data for data in trees[0].values()) == 3


def test_unknown_and_broken_feeds_are_wrong_usage(news: News) -> None:
    news.feed("harbour", rss(1))
    news.site.write("content/_feeds/broken.md", "---\ntitle: x\n---\n")
    with pytest.raises(ConfigError, match="there is no feed 'harbor' in content/_feeds; did you mean 'harbour'"):
        news.fetch("harbor")
    with pytest.raises(ConfigError, match=r"content/_feeds/broken.md:1: url: missing"):
        news.fetch("broken")
    report = news.fetch()
    assert (len(report.problems), report.added) == (1, 1)


def test_only_one_fetch_of_a_site_runs(news: News) -> None:
    local(news, "a", rss(1))
    with lock(news.site.root):
        done = news.site.spawn("fetch")  # a process does not meet its own lock
    assert done.returncode == 3
    assert "another fetch of this site is running; wait until it has finished" in done.stderr
    assert not news.server.asked


def test_lost_state_costs_requests_only(news: News) -> None:
    news.feed("a", Answer(rss(1, 2), etag='"1"'))
    news.fetch()
    for path in (news.site.root / ".newsgen").iterdir():
        path.unlink()
    assert (news.fetch().added, len(news.names())) == (0, 2)


# The command


def command(news: News, *args: str) -> subprocess.CompletedProcess[str]:
    return news.site.run(*args)


def local(news: News, name: str, answer: Any) -> None:
    """A feed whose address needs no name: the command resolves names itself."""
    url = news.server.add(f"127.0.0.1/{name}", answer)
    news.site.write(f"content/_feeds/{name}.md", f"---\nurl: {url}\n---\n")


def test_the_command_prints_a_line_a_feed_and_a_summary(news: News) -> None:
    local(news, "a", rss(1, 2, name="a"))
    local(news, "b", Answer(b"", 404))
    done = command(news, "fetch", "--now", "2026-11-28T12:00:00Z")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "a: 2 new\nb: failed: 127.0.0.1 answers 404 Not Found\n2 feeds requested, 2 articles added, 0 updated, 1 failed\n"
    )
    assert command(news, "fetch", "--force", "--strict").returncode == 1
    assert command(news, "fetch", "b").returncode == 3
    done = command(news, "fetch", "a", "--json")
    report = json.loads(done.stdout)
    assert (report["requests"], report["feeds"][0]["outcome"]) == (1, "unchanged")
    listed = command(news, "list", "feeds").stdout.splitlines()
    assert listed[0].split("\t")[:3] == ["a", "ok", "2"]
    assert listed[1].split("\t")[:3] == ["b", "failing", "0"]
    (news.site.root / "content/2026/11/2026-11-28-article-1-of-a.md").unlink()
    done = command(news, "fetch", "a", "--force")
    assert (
        "1 article file deleted since the last fetch will not come back; content/_feeds/NAME.gone lists them"
        in done.stderr
    )


def test_a_site_without_feeds_says_how_to_begin(site: Make) -> None:
    done = site().run("fetch")
    assert (done.returncode, done.stdout) == (0, "there are no feeds; create one with `newsgen new feed URL`\n")
    assert site(name="other").run("fetch", "x").returncode == 2


def test_new_feed_finds_the_feed_of_a_page(news: News) -> None:
    feed = news.server.add("127.0.0.1/feed.xml", rss(1, name="The Harbour Post & more".replace("&", "&amp;")))
    page = news.server.add(
        "127.0.0.1/",
        Answer(b'<link rel=alternate type="application/rss+xml" href="/feed.xml"><link rel=alternate type="application/atom+xml" href="/b.xml">',
               headers={"Content-Type": "text/html"}),
    )  # fmt: skip
    done = command(news, "new", "feed", page)
    assert done.stdout == "content/_feeds/the-harbour-post-more.md\n"
    assert "1 entry; next: newsgen fetch" in done.stderr
    assert f"the page also announces {news.server.url('127.0.0.1/b.xml')}" in done.stderr
    text = (news.site.root / "content/_feeds/the-harbour-post-more.md").read_text()
    assert text.startswith(f'---\ntitle: "The Harbour Post & more"\nurl: "{feed}"\n')
    assert not news.site.load().report.problems
    again = command(news, "new", "feed", feed)
    assert (again.returncode, again.stderr) == (
        2, "error: content/_feeds/the-harbour-post-more.md: is the file of this feed already\n",
    )  # fmt: skip
    assert command(news, "fetch").stdout.startswith("the-harbour-post-more: 1 new\n")


@pytest.mark.parametrize(
    ("page", "code", "message"),
    [
        (Answer(b"<p>x"), 3, "announces no feed"),
        (Answer(b"", 404), 3, "404 Not Found"),
        (Answer(b'<link rel=alternate type="application/rss+xml" href="/none">'), 3, "none of the feeds"),
        (Answer(b"", 302, {"Location": "http://192.168.1.1/"}), 3, "192.168.1.1 is not a public address"),
    ],
)
def test_new_feed_without_a_feed_is_an_error(news: News, page: Answer, code: int, message: str) -> None:
    done = command(news, "new", "feed", news.server.add("127.0.0.1/page", page))
    assert done.returncode == code
    assert message in done.stderr
    assert not (news.site.root / "content/_feeds").exists()


def test_import_opml_creates_a_file_for_each_feed(news: News) -> None:
    outline = '<outline text="{0}" title="{0}" type="rss" xmlUrl="{1}" htmlUrl="https://www.{2}/"/>'
    news.site.write("feeds.opml", '<?xml version="1.0"?><opml version="2.0"><body>'
        + outline.format("Post", "https://post.example/feed", "post.example")
        + '<outline text="Sea &amp; land"><outline text="Boats">'
        + outline.format("Post", "https://boats.example/feed", "boats.example")
        + outline.format("Bad", "ftp://x.example/", "x.example")
        + "</outline></outline></body></opml>")  # fmt: skip
    done = news.site.spawn("import", "opml", "feeds.opml")
    assert done.stdout == "content/_feeds/post.md\ncontent/_feeds/post-2.md\n"
    assert done.stderr == "warning: 'ftp://x.example/' is not a web address\n2 feeds imported\n"
    assert (news.site.root / "content/_feeds/post-2.md").read_text() == (
        '---\ntitle: "Post"\nurl: "https://boats.example/feed"\nprovider:\n  name: "Post"\n  domain: "boats.example"\n'
        'topics:\n  - "Sea & land"\n  - "Boats"\n---\n'
    )
    assert command(news, "import", "opml", "feeds.opml").stderr.endswith("0 feeds imported, 2 known already\n")
    for path in (news.site.root / "content/_feeds").iterdir():
        path.unlink()
    command(news, "import", "opml", "feeds.opml", "--outlines", "category")
    assert 'category: "Sea & land"\n' in (news.site.root / "content/_feeds/post-2.md").read_text()
    assert not news.site.load().report.problems
    news.site.write("bad.opml", "<html/>")
    assert command(news, "import", "opml", "bad.opml").returncode == 2
    assert "cannot be read" in command(news, "import", "opml", "none.opml").stderr

"""Entries as article files: what a build reads back, and how a file follows its publisher."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import frontmatter
import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from newsgen import text
from newsgen.config import Config
from newsgen.content import Reader, Source
from newsgen.fetch import articlefile
from newsgen.fetch.entry import Entry
from newsgen.model import Article, Image, Subscription

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
CONFIG = Config()
READER = Reader(CONFIG)
FEED = Subscription(id="_feeds/a.md", name="a", url="https://a.example/feed")

WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from([
        "a &amp; b", "<b>bold</b>", "<script>x()</script>", "AT&T", "&lt;b&gt;", "Yes", "2026-11-08", "1e3", "~", "- x", "# x", "a: b",
        "---", "\x85\u2028x", "\ufeffx", "\U0001f6b2 bike", "'\"\\", "{{ x }}", "%TAG", "!!python/object", "&x *x", "\ud800x", "\x00\x07x",
        "Ferry fares - Harbour Post", "null", "x" * 400, "=", "مدينة", "<p>one</p>", "&#0;", "\u202ex",
    ]),
)  # fmt: skip
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
URLS = st.sampled_from(
    [
        "",
        "https://a.example/1",
        "https://a.example/ä?q='\"&x=<>#f",
        "https://xn--80ak6aa92e.example/",
        "http://a.example:8080/[x]",
    ]
)
ENTRIES = st.builds(
    Entry,
    guid=WORDS, url=URLS, title=WORDS, excerpt=WORDS, published=st.none() | TIMES, all_day=st.booleans(), updated=st.none() | TIMES,
    image=st.none() | st.builds(Image, url=URLS, width=st.integers(-5, 10**9), height=st.integers(-5, 10**9), title=WORDS, attribution=WORDS),
    topics=st.lists(WORDS, max_size=60).map(tuple), provider=WORDS, provider_url=URLS, lang=WORDS, author=WORDS,
)  # fmt: skip


def shown(words: str) -> str:
    """What a build shows of a text, without the marks that turn the direction of all that follows."""
    return " ".join(re.sub("[\u202a-\u202e\u2066-\u2069]", "", text.printable(words)).split())


@given(ENTRIES, WORDS)
def test_every_entry_is_read_back_without_a_problem(entry: Entry, name: str) -> None:
    if not shown(entry.title):
        return
    row = articlefile.values(entry, FEED, "", CONFIG, NOW)
    row["fetched"] = articlefile.fetched(shown(name), shown(entry.guid), row, undated=True)
    data = articlefile.render(row)
    article, problems = READER.parse(Source("2026-11-28-a.md", data))
    assert not problems, problems
    assert isinstance(article, Article)
    assert text.headline(shown(entry.title), article.provider_name, article.provider) == article.title
    assert article.excerpt == shown(entry.excerpt)
    assert article.topics == tuple(t for t in article.topics if t in map(shown, entry.topics))
    assert {*map(text.slug, article.topics)} == {
        *list(dict.fromkeys(text.slug(t) for x in entry.topics if (t := shown(x))))[:50]
    }
    assert bool(article.url) == bool(entry.url)
    assert article.updated is None or article.published < article.updated <= NOW
    assert article.published <= NOW + timedelta(days=1)
    assert not article.extra
    parsed = articlefile.parsed(data)
    assert articlefile.digest(parsed) == row["fetched"]["digest"]
    assert parsed == row
    post = frontmatter.loads(data.decode())
    assert post.metadata["title"] == row["title"]


def file(**changes: Any) -> tuple[bytes, dict[str, Any]]:
    entry = Entry(
        guid="1", url="https://a.example/1", title="Ferry fares", excerpt="They rise.", published=NOW - timedelta(days=1),
        topics=("Harbour", "Fares"), image=Image(url="https://a.example/1.jpg", width=10),
    )  # fmt: skip
    row = articlefile.values(msgspec.structs.replace(entry, **changes), FEED, "", CONFIG, NOW)
    row["fetched"] = articlefile.fetched("a", "1", row, undated=False)
    return articlefile.render(row), row


def test_a_file_has_the_format_of_the_others() -> None:
    assert file()[0].decode() == (
        '---\ntitle: "Ferry fares"\nexcerpt: "They rise."\npublishedDateTime: 2026-11-27T12:00:00Z\nwebUrl: "https://a.example/1"\n'
        'provider:\n  domain: "a.example"\ntopics:\n  - "Harbour"\n  - "Fares"\nimages:\n  - url: "https://a.example/1.jpg"\n    width: 10\n'
        f'fetched:\n  feed: "a"\n  guid: "1"\n  digest: "{file()[1]["fetched"]["digest"]}"\n---\n'
    )


def test_an_update_keeps_what_an_editor_added_byte_for_byte() -> None:
    data, _ = file()
    edited = data.replace(b"webUrl", b"# a comment\nheat: 5   # hot\n\nwebUrl").replace(
        b"images:", b"story:   storm\nimages:"
    )
    edited = edited[:-4] + b"pin: 2026-12-01\n---\n\nMy *words*.\n---\nmore\n"
    new, row = file(title="Ferry fares fall", image=None, topics=("Harbour",))
    result = articlefile.updated(edited, row, adopt=False)
    assert result is not None
    assert result.decode() == (
        '---\ntitle: "Ferry fares fall"\nexcerpt: "They rise."\npublishedDateTime: 2026-11-27T12:00:00Z\n# a comment\nheat: 5   # hot\n\n'
        'webUrl: "https://a.example/1"\nprovider:\n  domain: "a.example"\ntopics:\n  - "Harbour"\nstory:   storm\n'
        f'fetched:\n  feed: "a"\n  guid: "1"\n  digest: "{row["fetched"]["digest"]}"\npin: 2026-12-01\n---\n\nMy *words*.\n---\nmore\n'
    )
    assert articlefile.updated(data, row, adopt=False) == new


def test_a_new_field_stands_in_its_usual_place() -> None:
    data, _ = file(excerpt="", image=None)
    assert articlefile.updated(data, file()[1], adopt=False) == file()[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'excerpt: "They rise."\n', b"excerpt: They rise.\n"),
        (b'excerpt: "They rise."\n', b"excerpt: >-\n  They\n\n  rise.\n"),
        (b'topics:\n  - "Harbour"\n  - "Fares"\n', b"topics: [Harbour, Mine]\n"),
        (b'topics:\n  - "Harbour"\n  - "Fares"\n', b"topics:\n- Harbour\n- Mine\n"),
    ],
)
def test_other_spellings_are_an_editors_and_are_only_adopted(old: bytes, new: bytes) -> None:
    edited = file()[0].replace(old, new)
    assert edited != file()[0]
    row = file(excerpt="They fall.", topics=("Harbour", "Sea"))[1]
    assert articlefile.updated(edited, row, adopt=False) is None
    adopted = articlefile.updated(edited, row, adopt=True)
    assert adopted is not None
    assert articlefile.parsed(adopted) == row


@pytest.mark.parametrize(
    "data",
    [
        b"+++\ntitle = 'x'\n+++\n",
        b'{\n"title": "x"\n}\n',
        b"---\ntitle: [x\n---\n",
        b"---\r\ntitle: x\n---\r\n",
        b"---\n{title: x, excerpt: y}\n---\n",
        b'---\n"title": x\n---\n',
        b"\xff",
        b"",
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone(data: bytes) -> None:
    assert articlefile.updated(data, file()[1], adopt=True) is None


def test_line_ends_of_windows_stay() -> None:
    data, row = file()
    mine = data.replace(b"\n", b"\r\n")
    changed = row | {"title": "Another"}
    result = articlefile.updated(mine, changed, adopt=False)
    assert result is not None
    assert result == (articlefile.updated(data, changed, adopt=False) or b"").replace(b"\n", b"\r\n")
    assert b'title: "Another"\r\n' in result


def test_marks_that_turn_the_direction_of_what_follows_are_left_out() -> None:
    assert articlefile.escaped("a\u202eb\u2066c") == "abc"


@given(ENTRIES, ENTRIES, st.dictionaries(st.sampled_from(["heat", "story", "note"]), WORDS), WORDS)
def test_any_update_of_any_file_is_exact(one: Entry, other: Entry, more: dict[str, str], body: str) -> None:
    if not shown(one.title) or not shown(other.title):
        return
    rows = [articlefile.values(entry, FEED, "", CONFIG, NOW) for entry in (one, other)]
    for row in rows:
        row["fetched"] = articlefile.fetched("a", "g", row, undated=False)
    extra = {name: shown(value) for name, value in more.items()}
    block = yaml.safe_dump(extra) if extra else ""
    words = " ".join(text.printable(body).split())
    data = articlefile.render(rows[0])[:-4] + f"{block}---\n{words}\n".encode()
    result = articlefile.updated(data, rows[1], adopt=False)
    assert result is not None
    assert articlefile.parsed(result) == rows[1] | extra
    assert result.endswith(f"{block}---\n{words}\n".encode())


@pytest.mark.parametrize(
    ("published", "usable"),
    [
        (None, False),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (NOW + timedelta(hours=23), True),
        (NOW + timedelta(hours=25), False),
        (NOW - timedelta(days=9000), True),
    ],
)
def test_a_date_that_cannot_be_is_the_time_of_first_sight(published: datetime | None, usable: bool) -> None:
    entry = Entry(title="A", published=published)
    assert (articlefile.usable_date(entry, NOW) is not None) is usable
    row = articlefile.values(entry, FEED, "", CONFIG, NOW)
    assert row["publishedDateTime"] == (published if usable else NOW)


@pytest.mark.parametrize(
    ("site", "feed", "written"),
    [
        ("en", "en-US", ""),
        ("en", "de", "de"),
        ("de-AT", "de", ""),
        ("zh-TW", "zh-CN", "zh-CN"),
        ("en", "?", ""),
        ("EN", "en", ""),
    ],
)
def test_only_another_language_than_the_sites_is_written(site: str, feed: str, written: str) -> None:
    row = articlefile.values(Entry(title="A"), FEED, feed, Config(language=site), NOW)
    assert row.get("lang", "") == written


def test_the_provider_of_an_entry_counts_before_that_of_its_feed() -> None:
    feed = msgspec.structs.replace(FEED, provider="search.example", provider_name="Search")
    entry = Entry(title="A", url="https://a.example/1")
    assert articlefile.values(entry, feed, "", CONFIG, NOW)["provider"] == {
        "name": "Search",
        "domain": "search.example",
    }
    named = msgspec.structs.replace(entry, provider="Post", provider_url="https://www.post.example/")
    assert articlefile.values(named, feed, "", CONFIG, NOW)["provider"] == {"name": "Post", "domain": "post.example"}
    author = msgspec.structs.replace(entry, url="https://medium.com/@ann/x")
    assert articlefile.values(author, FEED, "", CONFIG, NOW)["provider"] == {"domain": "ann.medium.com"}


def test_the_byline_is_the_author_unless_it_says_nothing() -> None:
    feed = msgspec.structs.replace(FEED, provider_name="Post")

    def author(byline: str) -> Any:
        return articlefile.values(Entry(title="A", author=byline), feed, "", CONFIG, NOW).get("author")

    assert [author(name) for name in ("Ann Lee, Bo", "POST", "admin", "")] == ["Ann Lee, Bo", None, None, None]


def test_files_from_before_there_were_authors_still_count_as_not_edited() -> None:
    row = {"title": "A", "webUrl": "https://a.example/1"}
    assert articlefile.digest(row) == "d3fc384559151c03bb5bb1b3a77487ee"
    assert articlefile.digest(row) != articlefile.digest(row | {"author": "Ann"})

"""Files about feeds, `_feeds/NAME.md`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sites import Site

from newsgen.config import Config
from newsgen.content import Parsed, Reader, pack, unpack
from newsgen.content.source import Source
from newsgen.model import Subscription

Make = Callable[..., Site]


def parse(front_matter: str, id: str = "_feeds/post.md") -> Parsed:
    found = Reader(Config()).parse(Source(id, f"---\n{front_matter}---\nA note.\n".encode()))
    assert unpack(pack(found)) == found
    return found


def test_a_feed_file_is_read() -> None:
    found = parse(
        "url: HTTPS://harbourpost.example/feed.xml\ntitle: Harbour &amp; Post\nprovider: {name: Harbour Post, domain: www.harbourpost.example}\n"
        "category: news\ntopics: Harbour, Ferries\nlang: en\nquality: 80\ntype: video\ninclude: [ferry, /tram\\b/]\n"
        "exclude: Weather\nmax_age: 7d\nevery: 90m\nenabled: false\n"
    )
    assert not found.problems
    assert found.value == Subscription(
        id="_feeds/post.md", name="post", url="https://harbourpost.example/feed.xml", title="Harbour & Post",
        provider="harbourpost.example", provider_name="Harbour Post", category="news", topics=("Harbour", "Ferries"), lang="en",
        quality=80, type="video", include=("ferry", "/tram\\b/"), exclude=("Weather",), max_age=7 * 86_400, every=5400, enabled=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message", "kept"),
    [
        ("every: 900", "every: '900' is not a duration; write it as 30m, 12h or 7d", {"every": None}),
        ("max_age: week", "max_age: 'week' is not a duration; write it as 30m, 12h or 7d", {"max_age": None}),
        ("quality: high", "quality: expected a whole number or null, got text", {"quality": None}),
        ("lang: '?'", "lang: '?' is not a language tag; use a tag such as en or pt-BR", {"lang": ""}),
        ("include: [a, '!', /(/]", "include[1]: '!' has no letter or digit; write a word or a phrase", {"include": ("a",)}),
        ("exclude: /(/", "exclude[0]: '/(/' is not a regular expression: missing ), unterminated subpattern;", {"exclude": ()}),
        ("exclude: /(a+)+$/", "exclude[0]: '/(a+)+$/' can take very long: it repeats a repetition;", {"exclude": ()}),
        ("enabled: perhaps", "enabled: expected true or false, got text; write true or false, without quotes", {"enabled": True}),
        ("exlude: [a]", "exlude: unknown field; did you mean 'exclude'?", {}),
        ("provider: {domain: '?'}", "provider.domain: '?' is not a domain; write it as example.org", {"provider": ""}),
    ],
)  # fmt: skip
def test_a_bad_value_costs_that_value(line: str, message: str, kept: dict[str, Any]) -> None:
    found = parse(f"url: https://a.example/feed\n{line}\n")
    assert str(found.problems[0]).startswith(f"content/_feeds/post.md:3: {message}")
    assert {p.scope for p in found.problems} == {"value"}
    assert isinstance(found.value, Subscription)
    for name, value in kept.items():
        assert getattr(found.value, name) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: x\n", "content/_feeds/post.md:1: url: missing"),
        ("url: ''\n", "content/_feeds/post.md:2: url: missing; write the address of the feed"),
        ("url: ftp://a.example/\n", "content/_feeds/post.md:2: url: 'ftp://a.example/' is not a web address;"),
    ],
)
def test_a_file_without_an_address_is_left_out(text: str, message: str) -> None:
    found = parse(text)
    assert found.value is None
    assert str(found.problems[0]).startswith(message)
    assert {p.scope for p in found.problems} == {"file"}


def test_two_files_for_one_feed_or_with_one_name_are_a_warning(site: Make) -> None:
    s = site().write("content/_feeds/a.md", "---\nurl: https://a.example/f\n---\n")
    s.write("content/_feeds/b.md", "---\ntitle: B\nurl: https://a.example/f\n---\n")
    s.write("content/_feeds/sub/a.md", "---\nurl: https://b.example/f\n---\n")
    assert list(map(str, s.load().report.warnings)) == [
        "content/_feeds/b.md:3: url: is the feed of _feeds/a.md too; keep one of the two files",
        "content/_feeds/sub/a.md: has the same name as _feeds/a.md, so it is not fetched; rename one of the two",
    ]


def test_the_note_of_a_fetch_is_a_known_field(site: Make) -> None:
    s = site().article("a", more="fetched: {feed: x, guid: '1', digest: abc, undated: true}\n")
    report = s.load().report
    assert not report.problems
    assert not report.warnings


@pytest.mark.parametrize("name", ["feeds.example", "192.168.0.0/16", "::1", "10.0.0.1"])
def test_allow_takes_hosts_and_networks(site: Make, name: str) -> None:
    assert site().write("site.toml", f'[fetch]\nallow = ["{name}"]\n').load().config.fetch.allow == (name,)


@pytest.mark.parametrize("name", ["", "http://a.example/", "a b", "a.example:80"])
def test_allow_refuses_everything_else(site: Make, name: str) -> None:
    done = site().write("site.toml", f'[fetch]\nallow = ["{name}"]\n').run("build")
    assert done.returncode == 2
    assert f"site.toml:2: fetch.allow[0]: {name!r} is not a host or network" in done.stderr

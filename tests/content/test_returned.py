"""What plugins make of articles is checked as strictly as what files say."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from newsgen.config import Block, Config
from newsgen.content import Reader, Source
from newsgen.model import Article, Image, Link, Related

FILE = """---
title: Before
publishedDateTime: 2026-11-08T10:00:00Z
webUrl: https://a.example/a/
{}---
{}"""
READER = Reader(Config(base_url="https://bikes.example/news/"))


def article(more: str = "", body: str = "Own words.\n") -> Article:
    value = READER.parse(Source("a.md", FILE.format(more, body).encode()), b"digest").value
    assert isinstance(value, Article)
    return value


def accepted(before: Article, **changes: Any) -> Article:
    """What becomes of an article that a plugin changes. Fails if the reader says that something is wrong."""
    after, problems = READER.accept(before, replace(before, **changes), "bikes")
    assert not problems
    return after


NAIVE = datetime(2026, 11, 8)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "javascript:alert(1)"}, "url: plugin 'bikes': 'javascript:alert(1)' is not a web address"),
        ({"url": " "}, "url: plugin 'bikes': must not be empty"),
        ({"title": " "}, "title: plugin 'bikes': must not be empty"),
        ({"title": 7}, "title: plugin 'bikes': expected text, got a whole number"),
        ({"topics": ["A", 7]}, "expected text, got a whole number"),
        ({"topics": [str(n) for n in range(60)]}, "an article can have 50 topics"),
        ({"published": "yesterday"}, "published: plugin 'bikes': "),
        ({"published": NAIVE}, "a time without a zone"),
        ({"images": [Image(url="data:x")]}, "is not the address of a picture"),
        ({"images": ["https://a.example/x.jpg"]}, "images: plugin 'bikes': "),
        ({"embed": "https://evil.example/"}, "is not the https address of a player"),
        ({"aliases": ("../../etc/passwd",)}, "is not an address on this site"),
        ({"lang": "<b>"}, "is not a language tag"),
        ({"dir": "up"}, "dir: plugin 'bikes': "),
        ({"provider": "no domain"}, "is not a domain"),
        ({"quality": 2**70}, "quality: plugin 'bikes': "),
        ({"heat": float("nan")}, "heat: plugin 'bikes': "),
        ({"authors": [Link(title="A", url="javascript:x")]}, "author[0].url: plugin 'bikes': 'javascript:x' is not"),
        ({"related": [1]}, "related: plugin 'bikes': "),
        ({"extra": 5}, "extra: plugin 'bikes': "),
        ({"body": object()}, "body: plugin 'bikes': "),
        ({"body": "<div>" * 10_000}, "is nested too deeply"),
        ({"body": "x" * 2_000_000}, "has more than 1,048,576 bytes"),
        ({"held": 1}, "held: plugin 'bikes': "),
    ],
)
def test_a_bad_value_costs_that_value(changes: dict[str, Any], said: str) -> None:
    before = article()
    after, problems = READER.accept(before, replace(before, category="Kept", **changes), "bikes")
    assert len(problems) == 1
    assert said in str(problems[0])
    assert problems[0].scope == "value"
    (name,) = changes
    assert after.category == "Kept"
    assert getattr(after, name) == getattr(before, name) or name in ("topics", "images")


@pytest.mark.parametrize("returned", ["text", 5, [], object()])
def test_something_else_than_an_article_changes_nothing(returned: object) -> None:
    after, problems = READER.accept(article(), returned, "bikes")
    assert after == article()
    assert "so the article stays as it was; return an Article, or None" in str(problems[0])


def test_texts_become_one_printable_line() -> None:
    after = accepted(article(), title="<b>A</b>\n\x00 &amp; B", excerpt=" a\n b ", topics=["<i>T</i>", "t"])
    assert (after.title, after.excerpt, after.topics) == ("<b>A</b> &amp; B", "a b", ("T",))


def test_a_body_is_sanitised_and_keeps_its_ids_and_links() -> None:
    before = article(body="# One\n\n[here](#one), [there](/x/)\n\nNote[^1].\n\n[^1]: Text.\n")
    assert 'href="/news/x/"' in before.body
    more = '<p onclick="x()"><a href="javascript:x">b</a><script>alert(1)</script></p><a href="/y/">y</a>'
    after = accepted(before, body=before.body + more)
    assert after.body == before.body + ('<p><a rel="noopener">b</a></p><a href="/news/y/" rel="noopener">y</a>')
    assert after.links == ("/x/", "/y/")


def test_an_address_decides_what_the_article_is_the_same_as() -> None:
    after = accepted(article("ampWebUrl: https://a.example/amp-of/1\n"), url="https://B.example/b/?utm_source=x")
    assert after.keys == ("b.example/b", "a.example/amp-of/1")


def test_related_entries_get_keys_and_lose_what_has_no_address() -> None:
    entry = Related(
        keys=(), url="https://b.example/1", title="B", excerpt="", published=NAIVE, provider="B.example", provider_name="",
        type="", quality=None, image=Image(url="https://b.example/x.jpg", width=-1),
    )  # fmt: skip
    after = accepted(article(), related=[entry, replace(entry, title="")])
    (found,) = after.related
    assert (found.keys, found.published, found.provider, found.type) == (("b.example/1",), None, "b.example", "article")
    assert found.image == Image(url="https://b.example/x.jpg")


def test_extra_fields_are_plain_values() -> None:
    assert accepted(article(), extra={"b": [1, {"x": 2**80}], "a": None}).extra == (("b", (1, (("x", str(2**80)),))),)


def test_a_change_changes_the_digest_and_nothing_keeps_it() -> None:
    before = article()
    assert accepted(before, title="Before") is before
    assert accepted(before, title="After").digest not in (b"", before.digest)
    assert accepted(before, title="After").digest == accepted(before, title="After").digest


def test_none_and_the_blocklist_leave_an_article_out() -> None:
    assert READER.accept(article(), None, "bikes")[0].blocked
    reader = Reader(Config(block=Block(providers=("b.example",))))
    before = article()
    assert reader.accept(before, replace(before, url="https://b.example/1", provider="b.example"), "bikes")[0].blocked
    assert (
        reader.accept(before, replace(before, images=(Image(url="https://b.example/x.jpg"),)), "bikes")[0].images == ()
    )


LATER, EARLIER = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "changes", "kept"),
    [
        ("published: false\n", {"held": False}, {"held": True}),
        ("draft: true\n", {"draft": False}, {"draft": True}),
        ("expiryDate: 2026-11-09T00:00:00Z\n", {"expires": None}, {"expires": datetime(2026, 11, 9, tzinfo=UTC)}),
        ("expiryDate: 2026-11-09T00:00:00Z\n", {"expires": LATER}, {"expires": datetime(2026, 11, 9, tzinfo=UTC)}),
        ("publishDate: 2026-12-01T00:00:00Z\n", {"embargo": None}, {"embargo": LATER}),
        ("publishDate: 2026-12-01T00:00:00Z\n", {"embargo": EARLIER}, {"embargo": LATER}),
        ("", {"published": EARLIER}, {"published": EARLIER, "embargo": datetime(2026, 11, 8, 10, tzinfo=UTC)}),
        ("published: false\n", {"heat": -1.0}, {"heat": None}),
        ("heat: -1\n", {"held": True}, {"held": True, "heat": None}),
    ],
)
def test_a_plugin_cannot_open_a_gate(more: str, changes: dict[str, Any], kept: dict[str, Any]) -> None:
    before = article(more)
    after, _ = READER.accept(before, replace(before, **changes), "bikes")
    assert {name: getattr(after, name) for name in kept} == kept


@pytest.mark.parametrize("changes", [{"held": True}, {"draft": True}, {"embargo": LATER}, {"expires": EARLIER}])
def test_a_plugin_can_close_a_gate(changes: dict[str, Any]) -> None:
    after = accepted(article(), **changes)
    assert {name: getattr(after, name) for name in changes} == changes

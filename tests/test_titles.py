"""Titles and other plain texts: words in angle brackets, entities, and the provider's name at the end."""

import time
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from sites import Site

from newsgen import text

Make = Callable[..., Site]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Rust's Option<T> and the <dialog> element: if a < b && c > d",) * 2,
        (
            "Vec<u8> beats &lt;div&gt; soup; use <slot> tags & AT&T <3",
            "Vec<u8> beats <div> soup; use <slot> tags & AT&T <3",
        ),
        ("<false>", "<false>"),
        ("Write <https://docs.example/> or <desk@wire.example>",) * 2,
        ("Box<str>, <D>, List<i>",) * 2,
        ("<b>Bold</b> and <B class='x'>bold</B>, <em>emphatic</em>", "Bold and bold, emphatic"),
        ("An open <b>tag and a stray </i>",) * 2,
        ("<i>Mean Girls</i> and List<i>", "Mean Girls and List<i>"),
        ("Line<br>line<br/>line<br />line", "Line line line line"),
        ("<a href='x'>linked</a>", "linked"),
        ("Why <script> and </script> differ",) * 2,
        ("a<script>alert(1)</script>b <script>c", "ab <script>c"),
        ("a<style>p { }</style> <STYLE>", "a <STYLE>"),
        ("a<!-- b -->c <!-- d", "ac <!-- d"),
        ("<p>One.</p>\n<p>Two &amp; <em>three</em></p>\n", "One. Two & three"),
        ("The <p> tag",) * 2,
        ("&amp;lt; &#60;i&#62; &copy 2026 &hellip;", "&lt; <i> © 2026 …"),
        ("R&D, ?a=1&region=2, &notit;, &nosuch; AT&T",) * 2,
    ],
)
def test_only_markup_that_is_closed_goes(written: str, plain: str) -> None:
    assert text.plain(written) == plain


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<b>",
        "</b>",
        "<b><i>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "</script ",
        "<script>a</script x>",
        "&",
        "&amp",
        "<a ",
        "<p>",
        "</p>  ",
        "<br>",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "<p>{}</p>", "{}</script>", "{}-->"])
def test_plain_takes_linear_time(part: str, frame: str) -> None:
    hostile = frame.format(part * (1_000_000 // len(part)))
    started = time.process_time()
    text.plain(hostile)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("title", "provider", "shown"),
    [
        ("Ferry fares rise - Harbour Post", ("Harbour Post",), "Ferry fares rise"),
        ("Ferry fares rise » harbourpost.example", ("", "harbourpost.example"), "Ferry fares rise"),
        ("Ferry fares rise · Harbour Post", ("Harbour Post",), "Ferry fares rise"),
        ("Ferry • fares » rise", ("Harbour Post",), "Ferry • fares » rise"),
        ("Ferry fares rise | HARBOUR POST", ("harbour post",), "Ferry fares rise"),
        ("Ferry fares rise – Harbour Post", ("", "harbourpost.example"), "Ferry fares rise"),
        ("Ferry fares rise — www.harbourpost.example", ("", "harbourpost.example"), "Ferry fares rise"),
        ("Ferry fares rise - News - Harbour Post | Harbour Post", ("Harbour Post",), "Ferry fares rise - News"),
        ("Ferry fares rise - Ledgerline", ("Harbour Post", "harbourpost.example"), "Ferry fares rise - Ledgerline"),
        ("Spider-Man", ("Man",), "Spider-Man"),
        ("Harbour Post", ("Harbour Post",), "Harbour Post"),
        ("- Harbour Post", ("Harbour Post",), "- Harbour Post"),
        ("Why - !", ("!",), "Why - !"),
        ("渡轮 - 港报", ("港报",), "渡轮"),
    ],
)
def test_a_headline_is_shown_without_its_provider(title: str, provider: tuple[str, ...], shown: str) -> None:
    assert text.headline(title, *provider) == shown


def test_a_headline_of_many_tails_takes_little_time() -> None:
    started = time.process_time()
    text.headline(" - P" * 250_000, "P")
    assert time.process_time() - started < 2


def test_pages_feeds_and_stories_agree_on_headlines(site: Make) -> None:
    s = site('-- site.toml --\ntitle = "Wire"\nbase_url = "https://t.example/"\n')
    s.article(
        "a",
        title="Ferry fares to rise by a tenth - Harbour Post",
        provider='{name: "Harbour Post", domain: "hp.example"}',
    )
    s.article("b", title="Ferry fares to rise by a tenth | The Ledger", provider='{domain: "ledger.example"}')
    s.write("content/_providers/ledger.example.md", "---\nname: The Ledger\n---\n")
    s.article("c", title="A note - Wire", webUrl=None)
    s.good()
    for path, data in s.tree().items():
        if path.endswith((".html", ".xml", ".json")):
            assert "tenth - " not in data.decode(), path
            assert "tenth | " not in data.decode(), path
            assert "A note - Wire" not in data.decode(), path
    assert len(s.load().library.stories) == 1


def test_words_in_angle_brackets_are_on_every_page_and_in_every_feed(site: Make) -> None:
    title = "AT&T <3 C++ & <dialog>"
    s = site('-- site.toml --\ntitle = "T"\nbase_url = "https://t.example/"\n').article("a", title=title, excerpt=title)
    s.good()
    feed = ElementTree.fromstring(s.read("feed.xml"))
    assert title in [t.text for t in feed.iter("title")]
    assert "AT&amp;T &lt;3 C++ &amp; &lt;dialog&gt;" in s.read("index.html")

"""The feeds that a page announces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.formats import discovery

PAGE = "https://paper.example/news/"


def find(page: str) -> list[str]:
    return discovery.find(page.encode(), PAGE)


def test_announced_feeds_come_in_order_and_those_of_comments_last() -> None:
    page = """<!doctype html><head><title>x</title>
      <link rel="alternate" type="application/rss+xml" href="/comments/feed/">
      <link rel=ALTERNATE type="application/atom+xml; charset=utf-8" href="atom.xml">
      <link rel="alternate" type="application/feed+json" href="//cdn.example/feed.json">
      <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/7">
      <link rel="alternate" hreflang="de" href="/de/">
      <link rel="stylesheet alternate" type="text/xml" href="/feed.xsl">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
      <link rel="alternate" type="application/rss+xml" href="/comments/feed/"></head><a href="/rss">RSS</a>"""
    assert find(page) == [
        "https://paper.example/news/atom.xml",
        "https://cdn.example/feed.json",
        "https://paper.example/comments/feed/",
    ]


def test_a_base_counts_and_its_own_address_is_resolved() -> None:
    assert find('<base href="/a/b/"><link rel="feed" href="feed">') == ["https://paper.example/a/b/feed"]


def test_links_that_look_like_feeds_count_if_none_is_announced() -> None:
    page = '<a href="/about">About</a><a href="/rss.xml">RSS</a><a href="feed:https://paper.example/feed">F</a><a href="/feedback">x</a>'
    assert find(page) == ["https://paper.example/rss.xml", "https://paper.example/feed"]


def test_a_page_without_feeds_has_none() -> None:
    assert find("") == find("<!-- -->") == find("<p>Hello</p>") == discovery.find(b"\xff\xfe\x00", PAGE) == []


def test_a_page_in_another_charset_is_read() -> None:
    page = '<meta charset="windows-1251"><link rel="alternate" type="application/rss+xml" href="/ж">'
    assert discovery.find(page.encode("cp1251"), PAGE) == ["https://paper.example/%D0%B6"]


@given(
    st.lists(
        st.sampled_from(
            [
                '<link rel="alternate" type="application/rss+xml" href="',
                "/feed",
                '"',
                ">",
                "<base href=",
                "<a href=",
                "\0",
                "http://[",
            ]
        )
    )
)
def test_any_page_gives_web_addresses(pieces: list[str]) -> None:
    assert all(found.startswith(("http://", "https://")) for found in find("".join(pieces)))

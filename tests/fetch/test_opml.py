"""Lists of feeds."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from newsgen.fetch.formats import opml
from newsgen.fetch.formats.documents import FeedError

LIST = """<?xml version="1.0"?>
<opml version="2.0"><head><title>Mine</title></head><body>
  <outline text="City">
    <outline text="Traffic"><outline type="rss" title="Harbour &amp; Post" text="x" xmlUrl="https://post.example/feed" htmlUrl="https://post.example/"/></outline>
    <outline text="Times" XMLURL=" feed://times.example/rss "/>
  </outline>
  <outline text="Local" xmlUrl="file:///etc/motd"/>
  <outline text="no feed" url="https://x.example/"/>
</body></opml>"""


def test_outlines_have_titles_addresses_and_the_path_of_those_around_them() -> None:
    assert opml.read(LIST.encode()) == [
        opml.Outline(
            title="Harbour & Post",
            url="https://post.example/feed",
            written="https://post.example/feed",
            home="https://post.example/",
            path=("City", "Traffic"),
        ),
        opml.Outline(
            title="Times", url="https://times.example/rss", written="feed://times.example/rss", path=("City",)
        ),
        opml.Outline(title="Local", url="", written="file:///etc/motd"),
    ]


def test_values_with_quotes_and_html_as_they_are_lose_nothing() -> None:
    body = """<outline text="Paper "Post"" description="by <a href="https://x.example/" rel="me">us</a>" xmlUrl="https://post.example/feed" />"""
    found = opml.read(
        f'<opml version="1.0"><body>\n{body}\n<outline text="B" xmlUrl="https://b.example/"/>\n</body></opml>'.encode()
    )
    assert [(outline.title, outline.url) for outline in found] == [
        ('Paper "Post"', "https://post.example/feed"),
        ("B", "https://b.example/"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"feeds:", "is neither XML nor JSON"),
        (b"<rss/>", "is not OPML: its root element is not <opml>"),
        (b"<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", "has a document type (DOCTYPE), which may pull in other files"),
        (b"<opml>" + b" " * opml.MAX_BYTES, "has more than 10,485,760 bytes"),
        (b"<opml><body>" + b"<outline xmlUrl='x'/>" * (opml.MAX_OUTLINES + 1), "has more than 10,000 feeds"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(FeedError) as raised:
        opml.read(data)
    assert str(raised.value) == message


def test_every_feed_of_real_lists_is_found(data: Path) -> None:
    lists = outlines = 0
    with tarfile.open(data / "data/suites/opml.tar.gz") as archive:
        for member in archive:
            if not member.isfile():
                continue
            content = archive.extractfile(member).read()
            found = opml.read(content)
            assert len(found) == content.count(b'xmlUrl="http'), member.name
            assert all(outline.url for outline in found), member.name
            lists, outlines = lists + 1, outlines + len(found)
    assert (lists, outlines) == (59, 786)

"""Reads lists of feeds in OPML (https://opml.org/spec2.opml)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsgen import text
from newsgen.fetch.formats import documents, draft, words
from newsgen.fetch.formats.discovery import feed_address
from newsgen.fetch.formats.documents import FeedError
from newsgen.model import Value

if TYPE_CHECKING:
    from newsgen.fetch.formats.documents import Node

MAX_BYTES = 10 * 1024 * 1024
MAX_OUTLINES = 10_000


class Outline(Value, frozen=True, kw_only=True):
    """A feed in a list. `path` are the titles of the outlines around it, outermost first.

    `url` is the address of the feed and `home` that of its site; "" if it is no web address. `written` is the feed's
    address as the file writes it.
    """

    title: str
    url: str
    written: str
    home: str = ""
    path: tuple[str, ...] = ()


def read(data: bytes) -> list[Outline]:
    """The feeds in an OPML file, in its order. Raises FeedError if it is none, is too large or has a DOCTYPE."""
    if len(data) > MAX_BYTES:
        raise FeedError(f"has more than {MAX_BYTES:,} bytes")
    root = documents.xml(data, doctype=False)
    if str(root.tag).rpartition("}")[2].lower() != "opml":
        raise FeedError("is not OPML: its root element is not <opml>")
    outlines: list[Outline] = []
    _collect(root, (), outlines)
    return outlines


def _collect(node: Node, path: tuple[str, ...], outlines: list[Outline]) -> None:
    """Adds the feeds below an element. Depth is limited: the parser reads at most 256 levels."""
    for child in node:
        name = str(child.tag).rpartition("}")[2].lower()
        if name == "body":
            _collect(child, path, outlines)
        elif name == "outline":
            given = {key.lower(): value for key, value in child.items()}
            title = text.shorten(words.plain(given.get("title") or given.get("text") or ""), draft.MAX_NAME)
            written = " ".join(text.printable(given.get("xmlurl", "")).split())
            if written:
                if len(outlines) == MAX_OUTLINES:
                    raise FeedError(f"has more than {MAX_OUTLINES:,} feeds")
                outlines.append(
                    Outline(
                        title=title,
                        url=draft.web_address(feed_address(written)),
                        written=text.shorten(written, draft.MAX_URL),
                        home=draft.web_address(given.get("htmlurl", "")),
                        path=path,
                    )
                )
            _collect(child, (*path, title) if title and not written else path, outlines)

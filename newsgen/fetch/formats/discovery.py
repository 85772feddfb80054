"""Finds the feeds that a web page announces (https://html.spec.whatwg.org/#rel-alternate)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from newsgen.fetch.formats import charsets, documents, draft

if TYPE_CHECKING:
    from newsgen.fetch.formats.documents import Node

MAX_FEEDS = 50
_MAX_PAGE = 1 << 20

_TYPES = frozenset(
    "application/rss+xml application/atom+xml application/rdf+xml application/feed+json application/rss application/atom".split()  # noqa: SIM905
)
# Types that other documents have too: they count if the address looks like that of a feed.
_VAGUE_TYPES = frozenset(["application/xml", "text/xml", "application/json", ""])
_LOOKS_LIKE_FEED = re.compile(
    r"(?:^|[/._?=&-])(?:rss|atom|feeds?|rdf|index\.xml)(?:$|[/._?=&-]|2|20|10)", re.IGNORECASE
)
# WordPress announces the comments on all articles, or on one, beside the articles.
_COMMENTS = re.compile(r"comments?(?:$|[/?&_-])", re.IGNORECASE)


def find(page: bytes, url: str, content_type: str = "") -> list[str]:
    """The addresses of the feeds that an HTML page announces, the best first; those of comments come last.

    `url` is the page's address. If the page announces no feeds, its links count whose addresses look like feeds.
    """
    root = documents.html(charsets.decode(page[:_MAX_PAGE], content_type), _MAX_PAGE)
    if root is None:
        return []
    base = next((found for node in root.iter("base") if (found := draft.address(node.get("href") or "", url))), url)
    announced = [_address(node, base) for node in root.iter("link") if _is_announced(node)]
    if not any(announced):
        announced = [_address(node, base) for node in root.iter("a") if _LOOKS_LIKE_FEED.search(_path(node))]
    feeds = list(dict.fromkeys(filter(None, announced)))
    feeds.sort(key=lambda feed: _COMMENTS.search(feed) is not None)
    return feeds[:MAX_FEEDS]


def _is_announced(link: Node) -> bool:
    relations = (link.get("rel") or "").lower().split()
    kind = (link.get("type") or "").partition(";")[0].strip().lower()
    if "stylesheet" in relations or not {"alternate", "feed"} & {*relations}:
        return False
    if kind in _TYPES or "feed" in relations:
        return True
    return kind in _VAGUE_TYPES and _LOOKS_LIKE_FEED.search(_path(link)) is not None


def _path(link: Node) -> str:
    """The address of a link from its path on: a host may be called feed.example."""
    return re.sub(r"^\s*(?:\w+:)?//[^/?#]*", "", link.get("href") or "")


def _address(link: Node, base: str) -> str:
    return draft.address(feed_address(link.get("href") or ""), base)


def feed_address(written: str) -> str:
    """The address with the scheme of the web in place of `feed:`, as some pages and programs write it."""
    found = re.match(r"\s*feed:(?://)?(https?://)?", written, re.IGNORECASE)
    return (found[1] or "https://") + written[found.end() :] if found else written

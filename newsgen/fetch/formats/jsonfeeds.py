"""Reads JSON Feed 1 and 1.1 (https://www.jsonfeed.org/version/1.1/). Values of a wrong type count as absent."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Any

import msgspec

from newsgen import text
from newsgen.fetch.entry import Feed
from newsgen.fetch.formats import draft, words
from newsgen.fetch.formats.documents import FeedError
from newsgen.fetch.formats.draft import Draft, Media
from newsgen.fetch.formats.words import Literal

_VERSION = re.compile(r"https?://(?:www\.)?jsonfeed\.org/version/1(?:\.\d)?/?", re.IGNORECASE)
_MAX_PARTS = 100


def parse(source: str, url: str, zone: tzinfo) -> Feed:
    """The feed in a JSON document. `url` is its address. Times without a zone are in `zone`. Raises FeedError if it is no feed."""
    try:
        feed = msgspec.json.decode(source.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        raise FeedError("is JSON with a syntax error") from None
    if not isinstance(feed, dict) or not (
        _VERSION.fullmatch(_text(feed, "version")) or isinstance(feed.get("items"), list)
    ):
        raise FeedError("is JSON, but no JSON Feed")
    home = draft.address(_text(feed, "home_page_url"), url)
    authors = _authors(feed)
    items = [item for item in _list(feed, "items") if isinstance(item, dict)]
    newest = draft.newest(items, lambda item: [_text(item, "date_published"), _text(item, "date_modified")])
    return Feed(
        title=text.shorten(words.visible(words.literal(_text(feed, "title"))), draft.MAX_TITLE),
        home=home,
        lang=draft.language(_text(feed, "language")),
        image=next((found for name in ("icon", "favicon") if (found := draft.address(_text(feed, name), url))), ""),
        format="json",
        entries=tuple(draft.entry(_item(item, home or url, authors), zone) for item in newest),
    )


def _item(item: dict[str, Any], base: str, authors: list[str]) -> Draft:
    guid = _text(item, "id") or (str(item["id"]) if type(item.get("id")) in (int, float) else "")
    attached = [part for part in _list(item, "attachments") if isinstance(part, dict)]
    content = _text(item, "content_html")
    pictures = [Media(url=found, medium="image") for name in ("image", "banner_image") if (found := _text(item, name))]
    return Draft(
        base=base,
        content_base=base,
        guid=guid,
        guid_is_url=re.match(r"https?://", guid.strip(), re.IGNORECASE) is not None,
        links=[_text(item, "url"), _text(item, "external_url"), guid if re.match(r"https?://", guid.strip()) else ""],
        title=words.visible(words.literal(_text(item, "title"))),
        texts=[words.literal(_text(item, "summary")), content, Literal(_text(item, "content_text"))],
        contents=[content],
        published=[_text(item, "date_published")],
        updated=[_text(item, "date_modified")],
        media=[pictures, [Media(url=_text(part, "url"), type=_text(part, "mime_type")) for part in attached]],
        topics=[tag for tag in _list(item, "tags") if isinstance(tag, str)],
        authors=_authors(item) or authors,
        lang=_text(item, "language"),
    )


def _authors(part: dict[str, Any]) -> list[str]:
    found = [*_list(part, "authors"), part.get("author")]
    return [name for author in found if isinstance(author, dict) and (name := _text(author, "name"))]


def _text(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _list(part: dict[str, Any], name: str) -> list[Any]:
    value = part.get(name)
    return value[: _MAX_PARTS if name != "items" else None] if isinstance(value, list) else []

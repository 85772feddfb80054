"""The values that the modules of this room exchange: a feed and its entries, as they were read."""

from __future__ import annotations

from datetime import datetime

from newsgen.model import Image, Value


class Entry(Value, frozen=True, kw_only=True):
    """One entry of a feed, as plain text and checked addresses. Nothing in it is longer than an article file may hold.

    `guid` is the entry's own id as the feed writes it, "" if it has none; `guid_is_url` if it is a web address that the
    feed does not deny to be one. `url` is the article's http(s) address where the feed says it best
    (`feedburner:origLink` before `link`), "" if there is none. `published` is None if it is missing or unreadable.
    `provider` is the name and `provider_url` the address of the publisher if the entry comes from another one, as in a
    search feed (`<source url>`). `author` is the byline.
    """

    guid: str = ""
    guid_is_url: bool = False
    url: str = ""
    title: str = ""
    excerpt: str = ""
    published: datetime | None = None
    all_day: bool = False
    updated: datetime | None = None
    image: Image | None = None
    topics: tuple[str, ...] = ()
    author: str = ""
    provider: str = ""
    provider_url: str = ""
    lang: str = ""


class Hints(Value, frozen=True, kw_only=True):
    """When a feed asks to be read again: seconds (0 if it does not say), and hours and days (UTC) to leave it alone."""

    every: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


class Feed(Value, frozen=True, kw_only=True):
    """A feed as it was read. `home` is the address of the site it belongs to. `format` is rss, atom or json."""

    title: str = ""
    home: str = ""
    lang: str = ""
    image: str = ""
    format: str = ""
    hints: Hints = Hints()
    entries: tuple[Entry, ...] = ()

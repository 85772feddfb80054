"""Every address of ours, and only here.

An address begins with a slash and leaves out the path of the site's `base_url`; letters of every script stand as they
are. `href` makes one fit for a page, `path` turns it into the file that answers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from urllib.parse import quote

from newsgen import text
from newsgen.model import Article, by_time

_SAFE = "/!$&'()*+,;=:@~-._"


def articles(found: Iterable[Article], pattern: str, zone: tzinfo) -> dict[str, str]:
    """The address of each article by its id, each its own.

    Of articles that would share an address the earliest published keeps it, the others get six digits of their id's
    digest, so that what is published later never moves what stands. Held ones count: to publish one moves nothing.
    """
    out: dict[str, str] = {}
    taken: set[str] = set()
    filled = _filling(pattern, zone)
    for article in sorted(found, key=by_time):
        address = filled(article, article.slug)
        if address in taken:
            address = filled(article, f"{article.slug}-{text.digest6(article.id)}")
        taken.add(address)
        out[article.id] = address
    return out


_TOKEN = re.compile(":(year|month|day|slug|category|provider)")
_DATES = ("year", "month", "day")


def _filling(pattern: str, zone: tzinfo) -> Callable[[Article, str], str]:
    """What puts an article's facts and a slug into a permalink pattern; only what the pattern asks for is worked out."""
    asked = _TOKEN.findall(pattern)
    dated = not set(_DATES).isdisjoint(asked)
    others = [name for name in asked if name not in _DATES]

    @cache
    def shape(date: str) -> str:
        dates = dict(zip(_DATES, date.split("-"), strict=False))
        return _TOKEN.sub(lambda token: dates.get(token[1], "%s"), pattern.replace("%", "%%"))

    def fact(name: str, article: Article, slug: str) -> str:
        if name == "slug":
            return slug
        if name == "provider":
            return article.provider or "own"
        return text.slug(article.category) if article.category else "posts"

    def filled(article: Article, slug: str) -> str:
        whole = shape(day(article.published, zone) if dated else "")
        return whole % tuple([fact(name, article, slug) for name in others])

    return filled


def day(moment: datetime, zone: tzinfo) -> str:
    """The day of a time in the site's zone, as 2026-11-08."""
    return _iso(local(moment, zone).date())


_iso = lru_cache(maxsize=1 << 14)(date.isoformat)


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A time in the site's zone; the first and last days that a calendar has stay in UTC."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


def story(article: str) -> str:
    """The page of the story whose earliest member has this address."""
    return "/story" + article


HOME = "/"
TOPICS = "/topics/"
SOURCES = "/sources/"
ARCHIVE = "/archive/"


def section(axis: str, key: str) -> str:
    """The first page of a topic (by slug), provider (by domain), category (by slug) or day (as 2026-11-08)."""
    if axis == "day":
        return ARCHIVE + key.replace("-", "/") + "/"
    return {"topic": TOPICS, "provider": "/providers/", "category": "/categories/"}[axis] + key + "/"


def archive(*parts: str) -> str:
    """The archive of a year, or of a month of it."""
    return ARCHIVE + "".join(p + "/" for p in parts)


def numbered(address: str, number: int) -> str:
    """A page of a list, numbered from the oldest; 0 is the first page that readers see."""
    return f"{address}page/{number}/" if number else address


def page(name: str) -> str:
    """A plain page of the site's own."""
    return f"/{name}/"


FEEDS = {"rss": "feed.xml", "atom": "atom.xml", "jsonfeed": "feed.json"}
"""RSS, Atom and JSON Feed: their kinds, and the names they have beside the page they belong to."""


def path(address: str) -> str:
    """The output file that answers an address."""
    return address[1:] + "index.html" if address.endswith("/") else address[1:]


def address(path: str) -> str:
    """The address that an output file answers: the reverse of `path`."""
    return "/" + (path.removesuffix("index.html") if path == "index.html" or path.endswith("/index.html") else path)


def href(address: str, root: str = "/") -> str:
    """The address as a page links to it; an http(s) URL passes as it is."""
    if not address.startswith("/"):
        return address
    whole = root + address[1:]
    return whole if whole.isascii() and " " not in whole and "%" not in whole else quote(whole, safe=_SAFE)


def absolute(address: str, base: str) -> str:
    """The whole URL of an address."""
    return base + href(address) if address.startswith("/") else address

"""The addresses of all pages. No other module builds addresses.

An address begins with a slash, does not include the path of `base_url`, and is not percent-encoded. `href` turns it
into a link, `path` into the output file that serves it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache
from urllib.parse import quote

from newsgen import text, times
from newsgen.model import Article, by_time

_SAFE = "/!$&'()*+,;=:@~-._"


def articles(articles: Iterable[Article], pattern: str, zone: tzinfo) -> dict[str, str]:
    """A unique address for each article, by its id.

    If articles would share an address, the earliest keeps it and each of the others gets six digits of its id's digest.
    So a later article never moves an earlier one. Include held articles, so that publishing one later moves nothing.
    """
    out: dict[str, str] = {}
    taken: set[str] = set()
    fill = _filler(pattern, zone)
    for article in sorted(articles, key=by_time):
        address = fill(article, article.slug)
        if address in taken:
            address = fill(article, f"{article.slug}-{text.digest6(article.id)}")
        taken.add(address)
        out[article.id] = address
    return out


_TOKEN = re.compile(":(year|month|day|slug|category|provider)")
_DATES = ("year", "month", "day")


def _filler(pattern: str, zone: tzinfo) -> Callable[[Article, str], str]:
    """A function that fills a permalink pattern from an article and a slug. It computes only what the pattern uses."""
    used = _TOKEN.findall(pattern)
    dated = not set(_DATES).isdisjoint(used)
    others = [name for name in used if name not in _DATES]

    @cache
    def template(date: str) -> str:
        dates = dict(zip(_DATES, date.split("-"), strict=False))
        return _TOKEN.sub(lambda token: dates.get(token[1], "%s"), pattern.replace("%", "%%"))

    def value(name: str, article: Article, slug: str) -> str:
        if name == "slug":
            return slug
        if name == "provider":
            return article.provider or "own"
        return text.slug(article.category) if article.category else "posts"

    def fill(article: Article, slug: str) -> str:
        template_of_day = template(day(article.published, zone) if dated else "")
        return template_of_day % tuple([value(name, article, slug) for name in others])

    return fill


def day(moment: datetime, zone: tzinfo) -> str:
    """The day of a time in the site's time zone, in the form 2026-11-08."""
    return _iso(times.local(moment, zone).date())


_iso = lru_cache(maxsize=1 << 14)(date.isoformat)


def story(article: str) -> str:
    """The address of the story whose earliest member with a file has this address."""
    return "/story" + article


HOME = "/"
TOPICS = "/topics/"
SOURCES = "/sources/"
ARCHIVE = "/archive/"


def section(axis: str, key: str) -> str:
    """The first page of a section. `key` is the slug of a topic or category, a provider's domain or a day (2026-11-08)."""
    if axis == "day":
        return ARCHIVE + key.replace("-", "/") + "/"
    return {"topic": TOPICS, "provider": "/providers/", "category": "/categories/"}[axis] + key + "/"


def archive(*parts: str) -> str:
    """The archive page of a year, or of a year and month."""
    return ARCHIVE + "".join(p + "/" for p in parts)


def numbered(address: str, number: int) -> str:
    """A page of a list. Pages count from the oldest, starting at 1; 0 is the first page that readers see."""
    return f"{address}page/{number}/" if number else address


def page(name: str) -> str:
    """The address of a plain page."""
    return f"/{name}/"


FEEDS = {"rss": "feed.xml", "atom": "atom.xml", "jsonfeed": "feed.json"}
"""The file name of each feed kind. A feed is in the folder of the page it belongs to."""


def path(address: str) -> str:
    """The output file that serves an address."""
    return address[1:] + "index.html" if address.endswith("/") else address[1:]


def address(path: str) -> str:
    """The address that an output file serves: the inverse of `path`."""
    return "/" + (path.removesuffix("index.html") if path == "index.html" or path.endswith("/index.html") else path)


def href(address: str, root: str = "/") -> str:
    """The address as a link target, percent-encoded and below `root`. An http(s) URL is returned unchanged."""
    if not address.startswith("/"):
        return address
    full = root + address[1:]
    return full if full.isascii() and " " not in full and "%" not in full else quote(full, safe=_SAFE)


def absolute(address: str, base: str) -> str:
    """The full URL of an address. An http(s) URL is returned unchanged."""
    return base + href(address) if address.startswith("/") else address

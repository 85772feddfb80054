"""Creates files about feeds: for the feed at an address or announced by a page, and for those in an OPML file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from newsgen import canonical, config, files, text
from newsgen.errors import ConfigError, FetchError
from newsgen.fetch import articlefile, subscriptions
from newsgen.fetch.entry import Feed
from newsgen.fetch.fetcher import MakeClient, content_folder
from newsgen.fetch.formats import discovery, opml, parser
from newsgen.fetch.formats.parser import FeedError
from newsgen.fetch.network.client import Client, Failure

Outlines = Literal["topics", "category", "none"]
"""What the outlines around a feed in OPML become."""

_MAX_TRIES = 5
"""The feeds of a page that are tried until one can be read."""

_MAX_NAME = 60


class Subscribed(msgspec.Struct, kw_only=True):
    """A feed that has a file now. `others` are further feeds that the page announces."""

    path: Path
    url: str
    title: str
    entries: int
    others: list[str] = []


class Imported(msgspec.Struct, kw_only=True):
    """What an import did: the files that it created, the feeds that had one, and those without a usable address."""

    created: list[Path] = []
    known: list[str] = []
    unusable: list[str] = []


def subscribe(site: Path, url: str, make_client: MakeClient = Client) -> Subscribed:
    """Creates the file of the feed at a URL, or of the first feed that the page there announces.

    Raises FetchError if there is none, and ConfigError if the feed has a file already.
    """
    settings = config.load(site / "site.toml")
    address = canonical.web_address(url if "://" in url else f"https://{url}")
    if not address:
        raise ConfigError(f"{url!r} is not a web address; write it in full, beginning with https://")
    known = _Files(site, settings)
    known.refuse_known(address)
    with make_client(base_url=settings.base_url, allow=settings.fetch.allow) as client:
        found = _read(client, address)
        others: list[str] = []
        if isinstance(found, list):
            others = found
            address, found = _first(client, address, found)
            others = [other for other in others if other != address]
    address = found.url
    known.refuse_known(address)
    feed = found.feed
    path = known.create(address, feed.title, feed.home, topics=(), category="")
    return Subscribed(path=path, url=address, title=feed.title, entries=len(feed.entries), others=others)


class _Found(msgspec.Struct):
    url: str
    feed: Feed


def _read(client: Client, address: str) -> _Found | list[str]:
    """The feed at an address, or the addresses of those that the page there announces. Raises FetchError."""
    answer = client.get(address)
    if isinstance(answer, Failure):
        raise FetchError(f"{address}: {answer.reason}")
    try:
        feed = parser.parse(answer.body, url=answer.url, content_type=answer.content_type)
    except FeedError as error:
        announced = discovery.find(answer.body, answer.url, answer.content_type)
        if not announced:
            raise FetchError(f"{address}: the answer {error}, and announces no feed") from None
        return announced
    # A feed is known by the address that leads to it, or by the one to which that has permanently moved.
    return _Found(answer.moved or address, feed)


def _first(client: Client, page: str, announced: list[str]) -> tuple[str, _Found]:
    """The first of the feeds that can be read, and its address."""
    reasons = []
    for address in announced[:_MAX_TRIES]:
        try:
            found = _read(client, address)
        except FetchError as error:
            reasons.append(str(error))
            continue
        if isinstance(found, _Found):
            return address, found
        reasons.append(f"{address}: is a web page, not a feed")
    raise FetchError(f"{page}: none of the feeds that the page announces can be read", *reasons)


def import_opml(site: Path, file: Path, outlines: Outlines = "topics") -> Imported:
    """Creates files for the feeds in an OPML file. Those that have one already are left alone.

    The titles of the outlines around a feed become topics, or the outermost one its category.
    """
    settings = config.load(site / "site.toml")
    try:
        with file.open("rb") as opened:
            data = opened.read(opml.MAX_BYTES + 1)
        found = opml.read(data)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except FeedError as error:
        raise ConfigError(f"{file}: {error}") from None
    known = _Files(site, settings)
    imported = Imported()
    for outline in found:
        if not outline.url:
            imported.unusable.append(outline.written)
        elif outline.url in known.urls:
            imported.known.append(outline.url)
        else:
            topics = outline.path if outlines == "topics" else ()
            category = outline.path[0] if outlines == "category" and outline.path else ""
            imported.created.append(known.create(outline.url, outline.title, outline.home, topics, category))
    return imported


class _Files:
    """The files about feeds of a site. `urls` are those of their feeds."""

    def __init__(self, site: Path, settings: config.Config) -> None:
        self._settings = settings
        content = content_folder(site)
        self._folder = content / subscriptions.FOLDER
        found, _ = subscriptions.load(content, settings)
        self.urls = {feed.url: f"{content.name}/{feed.id}" for feed in found}
        self._names = {feed.name.casefold() for feed in found}

    def refuse_known(self, url: str) -> None:
        if url in self.urls:
            raise ConfigError(f"{self.urls[url]}: is the file of this feed already")

    def create(self, url: str, title: str, home: str, topics: Iterable[str], category: str) -> Path:
        """Creates the file of a feed, as a whole or not at all."""
        platforms = self._settings.platforms
        domain = platforms.provider(canonical.key(home)) or platforms.provider(canonical.key(url))
        title = articlefile.escaped(title)
        provider = {name: value for name, value in (("name", title), ("domain", domain)) if value}
        row: dict[str, Any] = {"title": title, "url": url, "provider": provider if domain else {}}
        row |= {
            "category": articlefile.escaped(category),
            "topics": articlefile.union(map(articlefile.escaped, topics)),
        }
        path = self._folder / f"{self._name(title or domain)}.md"
        data = articlefile.render({name: value for name, value in row.items() if value})
        files.write(path, data)
        self.urls[url] = path.name
        self._names.add(path.stem)
        return path

    def _name(self, title: str) -> str:
        """A name for a feed that no other has."""
        slug = text.slug(text.shorten(title, _MAX_NAME).rstrip("…"))
        number, name = 1, slug
        while name in self._names or os.path.lexists(self._folder / f"{name}.md"):
            number += 1
            name = f"{slug}-{number}"
        return name

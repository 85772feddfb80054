"""The pages: each type lists exactly what its template may read, so a page's digest is all it depends on.

Fields are str, int, bool, None, datetime, tuples and nouns of `model`: no sets, no dicts, no totals that every new
article would change. Addresses begin with a slash and leave out the path of the site's `base_url`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Union

import msgspec

from newsgen.model import Card, Cluster, CountedLink, Image, Link, ProviderStats, Value, frozen

_encode = msgspec.msgpack.Encoder().encode


class Page(Value, frozen=True, kw_only=True, tag=True):
    """One output file. `path` is where, below the output folder, with forward slashes; `template` who renders it."""

    path: str
    template: ClassVar[str] = ""

    def encode(self) -> bytes:
        """The page as msgpack, its type's name first: bytes that differ whenever anything the template may read differs."""
        return _encode(self)


class Head(Value, frozen=True, kw_only=True):
    """What every HTML page says about itself. `address` is its canonical one, `crumbs` the way to it from the home page."""

    title: str
    description: str
    address: str
    noindex: bool = False
    image: Image | None = None
    feeds: tuple[Link, ...] = ()
    breadcrumbs: tuple[Link, ...] = ()
    lang: str = ""
    dir: str = ""


class HtmlPage(Page, frozen=True, kw_only=True):
    """A page for people."""

    head: Head


class Block(Value, frozen=True, kw_only=True):
    """A titled part of a page: the first few clusters of a topic, say. `url` leads to all of them."""

    title: str
    url: str
    clusters: tuple[Cluster, ...]


class HomePage(HtmlPage, frozen=True, kw_only=True):
    """The front page; all is empty where nothing is published yet."""

    template: ClassVar[str] = "pages/home.html"
    lead: Cluster | None
    top: tuple[Cluster, ...]
    blocks: tuple[Block, ...]
    latest: tuple[Card, ...]
    trending: tuple[Link, ...]
    providers: tuple[Link, ...]
    days: tuple[CountedLink, ...]


class StoryEntry(Value, frozen=True, kw_only=True):
    """A piece, and those that other providers published with the very same text."""

    card: Card
    copies: tuple[Card, ...]


class Group(Value, frozen=True, kw_only=True):
    """The members of a story that one provider published, oldest first, but copies of what another did before."""

    provider: Link
    entries: tuple[StoryEntry, ...]


class TimelinePoint(Value, frozen=True, kw_only=True):
    """A piece on a story's timeline: minutes after the first one, and the place of its dot.

    `x` and `y` are in units of `StoryPage.axis`, from the start and from the bottom.
    """

    card: Card
    lag: int
    x: int
    y: int


class Reason(Value, frozen=True, kw_only=True):
    """Why a piece is in its story: `kind` of evidence that ties it to the `other`; their words are about `quarters` / 4 alike."""

    card: Card
    other: Card
    kind: str
    quarters: int


class NearMiss(Value, frozen=True, kw_only=True):
    """Why a piece is not in a story: its words are about `quarters` / 4 alike to those of the `other`, which is.

    `fit` is about how many quarters it has of what would be enough.
    """

    card: Card
    other: Card
    reason: str
    quarters: int
    fit: int


class StoryPage(HtmlPage, frozen=True, kw_only=True):
    """All coverage of one event.

    `why` is what made the lead the lead. `groups` are in the order of their best member; `timeline` is all, oldest
    first; `axis` the width and height of its drawing. `beside` are related but different stories and articles.
    """

    template: ClassVar[str] = "pages/story.html"
    title: str
    summary: str
    lead: Card
    lead_reason: str
    first: Card
    last: datetime
    sources: int
    groups: tuple[Group, ...]
    timeline: tuple[TimelinePoint, ...]
    axis: tuple[int, int]
    topics: tuple[Link, ...]
    related: tuple[Cluster, ...]
    reasons: tuple[Reason, ...]
    near_misses: tuple[NearMiss, ...]
    body: str


class ArticlePage(HtmlPage, frozen=True, kw_only=True):
    """One article. `excerpt` is the text that a card may shorten; `earlier` are the nearest older ones around it."""

    template: ClassVar[str] = "pages/article.html"
    card: Card
    excerpt: str
    updated: datetime | None
    category: Link | None
    images: tuple[Image, ...]
    embed: str
    body: str
    story: Cluster | None
    related: tuple[Card, ...]
    earlier: tuple[Block, ...]
    extra: tuple[tuple[str, Any], ...]


class ListPage(HtmlPage, frozen=True, kw_only=True):
    """A topic, provider, category or day: first page (`number` 0) or one of those numbered from the oldest.

    `axis` is topic, provider, category or day; `topics` and `providers` are what occurs with it, `home` the provider's
    own site, `after` and `before` the neighbouring days that have content, `figures` a provider's. Fields with a default are those of first
    pages, which change with every new article.
    """

    template: ClassVar[str] = "pages/list.html"
    axis: str
    key: str
    title: str
    home: str
    number: int
    cards: tuple[Card, ...]
    newer: Link | None
    older: Link | None
    parent: Link | None
    intro: str = ""
    body: str = ""
    image: Image | None = None
    ranked: tuple[Cluster, ...] = ()
    next_day: Link | None = None
    previous_day: Link | None = None
    children: tuple[Link, ...] = ()
    topics: tuple[CountedLink, ...] = ()
    providers: tuple[CountedLink, ...] = ()
    stats: ProviderStats | None = None


class IndexGroup(Value, frozen=True, kw_only=True):
    """One titled row of an index: a letter of the topics, a month of a year."""

    title: str
    items: tuple[CountedLink, ...]


class IndexPage(HtmlPage, frozen=True, kw_only=True):
    """Links with counts under headings: all topics from A to Z, the years, months or days of the archive."""

    template: ClassVar[str] = "pages/index.html"
    axis: str
    title: str
    groups: tuple[IndexGroup, ...]
    newer: Link | None
    older: Link | None


class Source(Value, frozen=True, kw_only=True):
    """One provider's row: items listed, what it is to stories, when its newest item came."""

    provider: Link
    domain: str
    home: str
    count: int
    stats: ProviderStats
    last: datetime


class SourcesPage(HtmlPage, frozen=True, kw_only=True):
    """All providers with their figures, and how the site ranks and groups."""

    template: ClassVar[str] = "pages/sources.html"
    sources: tuple[Source, ...]
    newer: Link | None
    older: Link | None
    similarity: bool
    half_life: float
    provider_cap: int
    topic_cap: int


class TextPage(HtmlPage, frozen=True, kw_only=True):
    """A plain page of the site's own, from `_pages`."""

    template: ClassVar[str] = "pages/text.html"
    title: str
    body: str


class NotFoundPage(HtmlPage, frozen=True, kw_only=True):
    """What a host shows for an address that does not exist."""

    template: ClassVar[str] = "pages/404.html"


class RedirectPage(Page, frozen=True, kw_only=True):
    """An old address that leads to `target`, an address on this site."""

    template: ClassVar[str] = "pages/redirect.html"
    target: str


class FeedEntry(Value, frozen=True, kw_only=True):
    """A story or an article alone. `address` names it for good; `page` is our page about it, `url` the publisher's."""

    address: str
    page: str
    url: str
    title: str
    summary: str
    provider: Link
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    image: Image | None
    coverage: tuple[Card, ...]


class Feed(Page, frozen=True, kw_only=True):
    """The newest entries of the site or a section. `address` is its own, `home` that of the page it belongs to."""

    title: str
    description: str
    address: str
    home: str
    updated: datetime
    entries: tuple[FeedEntry, ...]


class RssFeed(Feed, frozen=True, kw_only=True):
    """RSS 2.0 (https://www.rssboard.org/rss-specification)."""

    template: ClassVar[str] = "feeds/rss.xml"


class AtomFeed(Feed, frozen=True, kw_only=True):
    """Atom (RFC 4287)."""

    template: ClassVar[str] = "feeds/atom.xml"


class JsonFeed(Feed, frozen=True, kw_only=True):
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    template: ClassVar[str] = "feeds/feed.json"


class Outline(Value, frozen=True, kw_only=True):
    """One provider in the subscription list: its own site and our feed of it."""

    title: str
    home: str
    feed: str


class OpmlPage(Page, frozen=True, kw_only=True):
    """The subscription list of all providers, OPML 2.0 (http://opml.org/spec2.opml)."""

    template: ClassVar[str] = "feeds/opml.xml"
    outlines: tuple[Outline, ...]


class SitemapEntry(Value, frozen=True, kw_only=True):
    """An address in a sitemap, and when what it shows last changed."""

    address: str
    modified: datetime | None


class SitemapPage(Page, frozen=True, kw_only=True):
    """At most 50,000 addresses (https://www.sitemaps.org/protocol.html)."""

    template: ClassVar[str] = "feeds/sitemap.xml"
    entries: tuple[SitemapEntry, ...]


class SitemapIndex(Page, frozen=True, kw_only=True):
    """The sitemaps of the site."""

    template: ClassVar[str] = "feeds/sitemap_index.xml"
    entries: tuple[SitemapEntry, ...]


class RobotsPage(Page, frozen=True, kw_only=True):
    """robots.txt (RFC 9309). `sitemap` is the address of the index, "" where there is none."""

    template: ClassVar[str] = "feeds/robots.txt"
    sitemap: str


class HeadersPage(Page, frozen=True, kw_only=True):
    """`_headers`, as static hosts read it. `frames` are the hosts whose players may be embedded."""

    template: ClassVar[str] = "feeds/_headers.txt"
    frames: tuple[str, ...]


class RedirectsPage(Page, frozen=True, kw_only=True):
    """`_redirects`, as static hosts read it: old address, new address."""

    template: ClassVar[str] = "feeds/_redirects.txt"
    redirects: tuple[Link, ...]


class FilePage(Page, frozen=True, kw_only=True):
    """A static file, copied as it is. `source` is its path below a static folder, `content` the digest of its bytes."""

    source: str
    content: str


KINDS = (
    HomePage, StoryPage, ArticlePage, ListPage, IndexPage, SourcesPage, TextPage, NotFoundPage, RedirectPage, RssFeed, AtomFeed,
    JsonFeed, OpmlPage, SitemapPage, SitemapIndex, RobotsPage, HeadersPage, RedirectsPage, FilePage,
)  # fmt: skip
_decode = msgspec.msgpack.Decoder(Union[KINDS]).decode  # noqa: UP007


def decode(data: bytes) -> Page:
    """The page that `Page.encode` was asked of."""
    page: Page = _decode(data)
    if isinstance(page, ArticlePage) and page.extra:
        return msgspec.structs.replace(page, extra=frozen(page.extra))
    return page

"""Defines the types of pages.

A page holds exactly what its template may read, so its digest covers everything that it depends on. Fields are str,
int, float, bool, None, datetime, tuples and types of `model`. There are no sets, no dicts, and no totals that every new
article would change. Addresses begin with a slash and do not include the path of the site's `base_url`.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Union

import msgspec

from newsgen.model import Card, Cluster, CountedLink, Image, Link, ProviderStats, Value, frozen

_encode = msgspec.msgpack.Encoder().encode


class Page(Value, frozen=True, kw_only=True, tag=True):
    """One output file. `path` is its path below the output folder, with forward slashes."""

    path: str
    template: ClassVar[str] = ""

    def encode(self) -> bytes:
        """The page as msgpack, with the name of its type first."""
        return _encode(self)


class Head(Value, frozen=True, kw_only=True):
    """The metadata of an HTML page. `address` is the canonical one; the last of `breadcrumbs` is the page itself.

    `qualifier` tells the page from others with the same `title`, for example by provider and day; only <title> shows
    it.
    """

    title: str
    qualifier: str = ""
    description: str
    address: str
    noindex: bool = False
    image: Image | None = None
    feeds: tuple[Link, ...] = ()
    breadcrumbs: tuple[Link, ...] = ()
    lang: str = ""
    dir: str = ""


class HtmlPage(Page, frozen=True, kw_only=True):
    """An HTML page with metadata."""

    head: Head


class Block(Value, frozen=True, kw_only=True):
    """A titled group of clusters, such as the best of a topic. `url` is the page with all of them."""

    title: str
    url: str
    clusters: tuple[Cluster, ...]


class HomePage(HtmlPage, frozen=True, kw_only=True):
    """The front page. `lead` is None, and everything else empty, if nothing is published yet."""

    template: ClassVar[str] = "pages/home.html"
    lead: Cluster | None
    top: tuple[Cluster, ...]
    blocks: tuple[Block, ...]
    latest: tuple[Card, ...]
    trending: tuple[Link, ...]
    providers: tuple[Link, ...]
    days: tuple[CountedLink, ...]


class StoryEntry(Value, frozen=True, kw_only=True):
    """A member of a story, and the other members that have the same text.

    `anchor` is the name of its place on the page, where the address of its article leads; "" for coverage.
    """

    card: Card
    anchor: str
    copies: tuple[StoryEntry, ...] = ()


class TimelinePoint(Value, frozen=True, kw_only=True):
    """A member on the timeline of a story.

    `lag` is the minutes since the first member, None if one of the two has a day without a time. `x` is the position of
    the dot's centre from the left, in the units of `StoryPage.axis`; `y` is the number of dots below it.
    """

    card: Card
    lag: int | None
    x: int
    y: int


class Reason(Value, frozen=True, kw_only=True):
    """Why a member is in its story: the `kind` of evidence that joins it to the `other`.

    `quarters` is their similarity, 0 to 4.
    """

    card: Card
    other: Card
    kind: str
    quarters: int


class NearMiss(Value, frozen=True, kw_only=True):
    """Why an article is not in a story. `other` is the most similar member, or the other side of a one-way entry.

    `quarters` is their similarity, and `fit` the fit to the story, both 0 to 4.
    """

    card: Card
    other: Card
    reason: str
    quarters: int
    fit: int


class Content(Value, frozen=True, kw_only=True):
    """What an article shows of itself, on its own page or on that of the story that it began.

    `updated_all_day`: only the day of `updated` is known. `excerpt` is complete for own posts and shortened for others.
    `embed` is a video's player, `watch` the page on which people watch it. `extra` holds the unknown front matter
    fields.
    """

    card: Card
    excerpt: str
    updated: datetime | None
    updated_all_day: bool
    images: tuple[Image, ...]
    embed: str
    watch: str
    body: str
    extra: tuple[tuple[str, Any], ...]


class Difference(Value, frozen=True, kw_only=True):
    """Words or a number that these reports of a story have and others have not."""

    words: str
    cards: tuple[Card, ...]


class StoryPage(HtmlPage, frozen=True, kw_only=True):
    """All members of one story, at the address of its earliest file.

    `post` is that file if it has content of its own: an own post, or an article with a body. `lead_reason` is what
    decided the lead. `reports` are the members without copies, newest first; if the story is `developing`, the first is
    more than an hour younger than the lead. `marginal` are those that may be about something else. `first_report` is the
    first of the others, none where that is not certain. `numbers` are those that some reports have and others have not,
    `names` those that only one has, for each report that has any. `timeline` holds all members, oldest first, and `axis` is the
    width and height of its drawing. `siblings` are stories and articles on the same event, `related` others.
    """

    template: ClassVar[str] = "pages/story.html"
    title: str
    summary: str
    post: Content | None
    lead: Card
    lead_reason: str
    first: Card
    last: Card
    first_report: Card | None
    sources: int
    reports: tuple[StoryEntry, ...]
    marginal: tuple[StoryEntry, ...]
    developing: bool
    timeline: tuple[TimelinePoint, ...]
    axis: tuple[int, int]
    topics: tuple[Link, ...]
    numbers: tuple[Difference, ...]
    names: tuple[Difference, ...]
    siblings: tuple[Cluster, ...]
    related: tuple[Cluster, ...]
    reasons: tuple[Reason, ...]
    near_misses: tuple[NearMiss, ...]
    body: str


class ArticlePage(HtmlPage, frozen=True, kw_only=True):
    """An article that is in no story, or has content of its own.

    `related` are the members outside its story that its related entries lead to. `earlier` are the nearest older
    members of its provider and first topic.
    """

    template: ClassVar[str] = "pages/article.html"
    content: Content
    category: Link | None
    story: Cluster | None
    related: tuple[Card, ...]
    earlier: tuple[Block, ...]


class Trend(Value, frozen=True, kw_only=True):
    """How many members a section has on each day up to that of its newest. `first` and `last` name days."""

    first: str
    last: str
    counts: tuple[int, ...]


class DayLine(Value, frozen=True, kw_only=True):
    """The best item of a day, among those that the page does not show elsewhere."""

    day: Link
    cluster: Cluster


class ListPage(HtmlPage, frozen=True, kw_only=True):
    """A page of a topic, provider, category or day: the first (`number` 0) or one that is numbered from the oldest.

    `home` is the provider's own site. `topics` and `providers` are those that occur most often in the section.
    `next_day` and `previous_day` are the adjacent days that have members. `trend` and `days` are those of a topic or
    category with more members than its first page has room for; `kind`, `country` and `owner` those of a provider. Fields
    with a default are set on first pages only, which change with every new article.
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
    trend: Trend | None = None
    days: tuple[DayLine, ...] = ()
    kind: str = ""
    country: str = ""
    owner: str = ""


class LinkGroup(Value, frozen=True, kw_only=True):
    """A titled group of links."""

    title: str
    items: tuple[Link, ...]


class IndexGroup(Value, frozen=True, kw_only=True):
    """A titled group of links: the topics or categories with one first letter."""

    title: str
    items: tuple[Link, ...]


class IndexPage(HtmlPage, frozen=True, kw_only=True):
    """An index: all topics or categories from A to Z."""

    template: ClassVar[str] = "pages/index.html"
    axis: str
    title: str
    groups: tuple[IndexGroup, ...]
    newer: Link | None
    older: Link | None


class Headline(Value, frozen=True, kw_only=True):
    """The words of a headline, with their language and direction."""

    title: str
    lang: str
    dir: str


class CalendarDay(Value, frozen=True, kw_only=True):
    """A day of a calendar. `url` is "" if it has no members; otherwise `level` is 1 to 4, the more the busier.

    `headline` is that of its first story, if the calendar has headlines.
    """

    day: str
    url: str = ""
    level: int = 0
    headline: Headline | None = None


class Calendar(Value, frozen=True, kw_only=True):
    """A month up to its last day with members. `start` is the column of its first day, from 0."""

    title: str
    url: str
    start: int
    days: tuple[CalendarDay, ...]


class ArchiveYear(Value, frozen=True, kw_only=True):
    """A year of the archive, with its months that have members."""

    year: Link
    months: tuple[Link, ...]


class ArchivePage(HtmlPage, frozen=True, kw_only=True):
    """A page of the archive: a month with the headline of each day, a year with its months, or the newest month, followed
    by all years.
    """

    template: ClassVar[str] = "pages/archive.html"
    title: str
    calendars: tuple[Calendar, ...]
    years: tuple[ArchiveYear, ...]
    newer: Link | None
    older: Link | None


class Source(Value, frozen=True, kw_only=True):
    """One provider among the strongest. `stats` is none if it is in no story of several sources."""

    provider: Link
    domain: str
    home: str
    image: Image | None
    kind: str
    country: str
    owner: str
    stats: ProviderStats | None


class SourceLine(Value, frozen=True, kw_only=True):
    """One provider in the list of all."""

    provider: Link
    domain: str


class SourceGroup(Value, frozen=True, kw_only=True):
    """The providers with one first letter. `id` is the name of their place on the page."""

    title: str
    id: str
    sources: tuple[SourceLine, ...]


class SourcesPage(HtmlPage, frozen=True, kw_only=True):
    """The strongest providers and the settings for grouping and ranking that the page explains, on the first page only, and
    all providers by first letter. `letters` lead to the places of all letters.
    """

    template: ClassVar[str] = "pages/sources.html"
    number: int
    sources: tuple[Source, ...]
    letters: tuple[Link, ...]
    groups: tuple[SourceGroup, ...]
    newer: Link | None
    older: Link | None
    similarity: bool
    half_life: float
    provider_cap: int
    topic_cap: int


class TextPage(HtmlPage, frozen=True, kw_only=True):
    """A plain page from a file in `_pages`."""

    template: ClassVar[str] = "pages/text.html"
    title: str
    body: str


class FollowingPage(HtmlPage, frozen=True, kw_only=True):
    """The page of what the reader follows, which a script fills in."""

    template: ClassVar[str] = "pages/following.html"


class NotFoundPage(HtmlPage, frozen=True, kw_only=True):
    """The page that hosts show for addresses that do not exist."""

    template: ClassVar[str] = "pages/404.html"


class SearchPage(HtmlPage, frozen=True, kw_only=True):
    """The page on which a script searches the index below the address `index`.

    `ways` lead to all stories without a script; `archive` is the address of that of the days, "" if there is none.
    """

    template: ClassVar[str] = "pages/search.html"
    index: str
    archive: str
    ways: tuple[Link, ...]


class SearchPeriod(Value, frozen=True, kw_only=True):
    """A part of the search index: a day of the form 2026-11-08 (`key`), or a month of the form 2026-11.

    `shards` is the number of files that its words are in, and `days` are the days whose stories they are of.
    """

    key: str
    shards: int
    days: tuple[str, ...]


class SearchIndex(Page, frozen=True, kw_only=True):
    """What the search index consists of, the newest period first. `names` is the number of files with names."""

    template: ClassVar[str] = "search/index.json"
    periods: tuple[SearchPeriod, ...]
    names: int


class SearchDay(Value, frozen=True, kw_only=True):
    """The blocks of the documents of a day: their sizes, and four letters for each that change with what is in it."""

    day: str
    sizes: str
    ids: str


class SearchTerms(Page, frozen=True, kw_only=True):
    """The words of one of the `shards` of a period, with the numbers of the documents that have them.

    `version` is the same in all files of the period, whose documents are numbered through its `days`. `words` has a
    line for each word. newsgen/pages/search.py describes how numbers and lines are written.
    """

    template: ClassVar[str] = "search/terms.json"
    version: str
    shards: int
    days: tuple[SearchDay, ...]
    words: str


class SearchFacets(Page, frozen=True, kw_only=True):
    """The topics and sources of the documents of a period; `of_topics` and `of_sources` say which each document has."""

    template: ClassVar[str] = "search/facets.json"
    version: str
    topics: tuple[str, ...]
    sources: tuple[str, ...]
    of_topics: str
    of_sources: str


class SearchReport(Value, frozen=True, kw_only=True):
    """A report in a result of the search. `time` has the form 16:30, "" if only its day is known."""

    title: str
    source: str
    time: str
    lang: str


class SearchResult(Value, frozen=True, kw_only=True):
    """A document of the search: the reports of a story on one day, newest first, or an article that is in no story."""

    url: str
    in_story: bool
    reports: tuple[SearchReport, ...]


class SearchResults(Page, frozen=True, kw_only=True):
    """The documents of a block, of which `id` are the letters in `SearchDay.ids`."""

    template: ClassVar[str] = "search/results.json"
    id: str
    results: tuple[SearchResult, ...]


class SearchName(Value, frozen=True, kw_only=True):
    """A topic, section or source that can be found by its name; `kind` is what readers call it."""

    kind: str
    title: str
    url: str


class SearchNames(Page, frozen=True, kw_only=True):
    """Topics, sections and sources: those with a word in one of the shards of names."""

    template: ClassVar[str] = "search/names.json"
    names: tuple[SearchName, ...]


class RedirectPage(Page, frozen=True, kw_only=True):
    """A stub at an old address. `target` is the new address, or the URL of an article that has no page here."""

    template: ClassVar[str] = "pages/redirect.html"
    target: str


class GonePage(HtmlPage, frozen=True, kw_only=True):
    """What answers the address of a page that was removed on purpose."""

    template: ClassVar[str] = "pages/gone.html"


class FeedEntry(Value, frozen=True, kw_only=True):
    """A story or a single member in a feed.

    `id` is a URL that never changes. `page` is the address of its page here, `url` the publisher's page; each is "" if
    there is none. `authors` are those of the article, then its publisher. `body` is the whole text of an own post as safe HTML with absolute links, "" for all others.
    """

    id: str
    page: str
    url: str
    title: str
    summary: str
    provider: Link
    authors: tuple[Link, ...]
    published: datetime
    updated: datetime
    topics: tuple[str, ...]
    image: Image | None
    coverage: tuple[Card, ...]
    body: str


class Feed(Page, frozen=True, kw_only=True):
    """The newest entries of the site, a section or a story. `address` is the feed's own, `home` that of its page.

    `id` is a URL that never changes.
    """

    id: str
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
    """One provider in the subscription list. `home` is its own site, `feed` the address of its feed here."""

    title: str
    home: str
    feed: str


class OpmlPage(Page, frozen=True, kw_only=True):
    """The subscription list of all providers, OPML 2.0 (http://opml.org/spec2.opml)."""

    template: ClassVar[str] = "feeds/opml.xml"
    outlines: tuple[Outline, ...]


class SitemapEntry(Value, frozen=True, kw_only=True):
    """An address in a sitemap, and the time of its last change."""

    address: str
    modified: datetime | None


class SitemapPage(Page, frozen=True, kw_only=True):
    """A sitemap of at most 50,000 addresses (https://www.sitemaps.org/protocol.html)."""

    template: ClassVar[str] = "feeds/sitemap.xml"
    entries: tuple[SitemapEntry, ...]


class NewsEntry(Value, frozen=True, kw_only=True):
    """A page of the last two days. `all_day`: only the day of `published` is known."""

    address: str
    title: str
    published: datetime
    all_day: bool


class NewsSitemap(Page, frozen=True, kw_only=True):
    """The sitemap of the pages of the last two days
    (https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).

    `language` is that of the site, in the form that the format asks for.
    """

    template: ClassVar[str] = "feeds/news_sitemap.xml"
    language: str
    entries: tuple[NewsEntry, ...]


class SitemapIndex(Page, frozen=True, kw_only=True):
    """The index of the site's sitemaps."""

    template: ClassVar[str] = "feeds/sitemap_index.xml"
    entries: tuple[SitemapEntry, ...]


class RobotsPage(Page, frozen=True, kw_only=True):
    """robots.txt (RFC 9309). `sitemap` is the address of the sitemap index, "" if there is none."""

    template: ClassVar[str] = "feeds/robots.txt"
    sitemap: str


class Icon(Value, frozen=True, kw_only=True):
    """A square PNG among the static files: its address, and its width in pixels. `maskable`: it may be cropped."""

    address: str
    size: int
    maskable: bool


class ManifestPage(Page, frozen=True, kw_only=True):
    """The manifest that lets readers install the site (https://www.w3.org/TR/appmanifest/)."""

    template: ClassVar[str] = "feeds/manifest.json"
    icons: tuple[Icon, ...]


class StylesPage(Page, frozen=True, kw_only=True):
    """The style sheet of an editor's own look. `source` is its path without fingerprint."""

    template: ClassVar[str] = "css/brand.css"
    source: str
    text: str


class LlmsPage(Page, frozen=True, kw_only=True):
    """llms.txt, a guide to the site for language models (https://llmstxt.org). `groups` have lists, pages and files."""

    template: ClassVar[str] = "feeds/llms.txt"
    groups: tuple[LinkGroup, ...]


class HeadersPage(Page, frozen=True, kw_only=True):
    """`_headers` for static hosts.

    `policy` is the content security policy. `feeds` are the file names of feeds. `fingerprinted` are the addresses of
    files with a fingerprint, which never change. `attachments` says whether there are files that articles name, which
    never change either.
    """

    template: ClassVar[str] = "feeds/_headers.txt"
    policy: str
    feeds: tuple[str, ...]
    fingerprinted: tuple[str, ...]
    attachments: bool = False


class RedirectLine(Value, frozen=True, kw_only=True):
    """A line of `_redirects`: the old address, the new one, and the status that the host answers with."""

    old: str
    new: str
    status: str


class RedirectsPage(Page, frozen=True, kw_only=True):
    """`_redirects` for static hosts.

    `own` is the text of the site's own `static/_redirects`. Its lines come first, so they win.
    """

    template: ClassVar[str] = "feeds/_redirects.txt"
    own: str
    redirects: tuple[RedirectLine, ...]


class Listed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What a list holds, in JSON: `kind` says what it is. Addresses are URLs if the site has a `base_url`."""


class ListedArticle(Listed, frozen=True, kw_only=True, tag="article"):
    """An article, or a report elsewhere that an article lists.

    `authors` are those that its file names. `image` is a picture's address, `caption` and `credit` are the words for it.
    `url` is the publisher's page, or that of an own post here. `page` is the page here about it, and `story` that of its
    story. `published` is a time in UTC, or a day where only that is known.
    """

    title: str
    url: str | None
    page: str | None
    story: str | None
    summary: str
    provider: str
    published: str
    type: str
    lang: str | None
    image: str | None
    caption: str | None
    credit: str | None
    authors: tuple[str, ...]
    topics: tuple[str, ...]


class ListedStory(Listed, frozen=True, kw_only=True, tag="story"):
    """A story: the number of its reports and of independent sources, the report that stands for it, and a few others."""

    title: str
    url: str
    reports: int
    sources: int
    lead: ListedArticle
    coverage: tuple[ListedArticle, ...]


class ListedSection(Listed, frozen=True, kw_only=True, tag="list"):
    """A list: its page, the same as JSON, and how many articles it holds."""

    title: str
    url: str | None
    json: str | None
    count: int


class ListJson(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of a list, in JSON.

    `page` is 0 for the first page, and otherwise the number in the address. Whoever follows `nextPage` from the first
    page finds everything once, newest first.
    """

    page: int
    value: tuple[ListedArticle | ListedStory | ListedSection, ...]
    next_page: str | None


class ApiPage(Page, frozen=True, kw_only=True):
    """A page of a list for programs. `newsgen schema api` prints the JSON Schema of its `list`."""

    template: ClassVar[str] = "feeds/list.json"
    list: ListJson


class PluginPage(HtmlPage, frozen=True, kw_only=True):
    """An HTML page of a plugin's own. `template` is the one that the plugin names, `data` are plain values."""

    template: str  # type: ignore[misc]
    plugin: str
    title: str
    data: Any


class PluginFile(Page, frozen=True, kw_only=True):
    """A file of a plugin's own that is no HTML page."""

    template: str  # type: ignore[misc]
    plugin: str
    data: Any


class FilePage(Page, frozen=True, kw_only=True):
    """A static file, copied unchanged. `source` is its path below a static folder, `content` its digest."""

    source: str
    content: str


class AttachmentPage(Page, frozen=True, kw_only=True):
    """A file that content files name, or a copy of a picture. `source` is its path below the content folder.

    `content` is the digest of its bytes, and `kind` says what they are. They are copied unchanged if there is no
    `encoder`, which makes a picture of this `width` and `format` otherwise.
    """

    source: str
    content: str
    kind: str
    width: int
    format: str
    encoder: str


KINDS = (
    HomePage, StoryPage, ArticlePage, ListPage, IndexPage, ArchivePage, SourcesPage, TextPage, FollowingPage, NotFoundPage,
    RedirectPage, GonePage, RssFeed, AtomFeed, JsonFeed, OpmlPage, SitemapPage, NewsSitemap, SitemapIndex, RobotsPage, ManifestPage,
    StylesPage, LlmsPage, HeadersPage, RedirectsPage, ApiPage, FilePage, AttachmentPage, SearchPage, SearchIndex, SearchTerms,
    SearchFacets, SearchResults, SearchNames, PluginPage, PluginFile,
)  # fmt: skip


@cache
def _decoder() -> msgspec.msgpack.Decoder[Page]:
    """Made late, as it takes time: a build in one process decodes no pages."""
    return msgspec.msgpack.Decoder(Union[KINDS])  # noqa: UP007


def decode(data: bytes) -> Page:
    """Reverses `Page.encode`."""
    page = _decoder().decode(data)
    if isinstance(page, ArticlePage):
        return msgspec.structs.replace(page, content=_frozen_extra(page.content))
    if isinstance(page, StoryPage) and page.post:
        return msgspec.structs.replace(page, post=_frozen_extra(page.post))
    return page


def _frozen_extra(content: Content) -> Content:
    return msgspec.structs.replace(content, extra=frozen(content.extra)) if content.extra else content

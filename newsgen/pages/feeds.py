"""Makes the files that machines read: feeds, the OPML list of sources, sitemaps, robots.txt, the manifest, llms.txt and
headers.
"""

from __future__ import annotations

import html
import re
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice, takewhile
from typing import Any, NamedTuple
from urllib.parse import urljoin

from newsgen import times, urls
from newsgen.library import Section
from newsgen.model import Article, Card, Link, Member, Story
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import (
    AtomFeed,
    Feed,
    FeedEntry,
    FilePage,
    HeadersPage,
    Icon,
    JsonFeed,
    LinkGroup,
    LlmsPage,
    ManifestPage,
    NewsEntry,
    NewsSitemap,
    OpmlPage,
    Outline,
    Page,
    RobotsPage,
    RssFeed,
    SitemapEntry,
    SitemapIndex,
    SitemapPage,
    StylesPage,
)
from newsgen.store import Rows, StoredRow
from newsgen.stories import members_of

COVERAGE = 12
"""The maximum number of other members that a feed entry lists."""

_SITEMAP_SIZE = 1000
"""The entries of a sitemap: far below the 50,000 that are allowed, so that a change writes little."""

_FORMATS = {"rss": "RSS", "atom": "Atom", "jsonfeed": "JSON Feed"}

# The languages that Google's news sitemaps name with more than their first part.
_CHINESE = {
    "zh-cn": "zh-cn",
    "zh-hans": "zh-cn",
    "zh-sg": "zh-cn",
    "zh-tw": "zh-tw",
    "zh-hant": "zh-tw",
    "zh-hk": "zh-tw",
}


def site(cards: Cards) -> Iterator[Page]:
    """The feeds of the whole site."""
    if cards.feed_formats:
        config = cards.config
        entries = [_entry(cards, id) for _, id in _newest(cards, cards.library.rows)]
        yield from _feeds(cards, config.title, config.description, urls.HOME, entries, cards.feed_formats)


def section(cards: Cards, section: Section) -> tuple[tuple[Page, ...], datetime]:
    """The feeds of a section, and the time of their oldest entry: the least one if they have room for more entries, and
    the greatest one if there are no feeds, as of days.
    """
    formats = cards.section_formats(section)
    if not formats:
        return (), times.LAST
    about = section.about.description if section.about else ""
    title, address = f"{section.title} · {cards.config.title}", cards.places.section(section.axis, section.key)
    provider = section.key if section.axis == "provider" else ""
    newest = _newest(cards, section.rows)
    entries = [_entry(cards, id, provider) for _, id in newest]
    is_full = len(newest) == cards.config.feed_size
    return tuple(_feeds(cards, title, about, address, entries, formats)), newest[-1][0] if is_full else times.FIRST


def _newest(cards: Cards, rows: Rows[Any]) -> list[tuple[datetime, str]]:
    """The `feed_size` items of these rows whose earliest files are the newest, by time and id, the newest first."""
    size, found = cards.config.feed_size, list[tuple[datetime, str]]()
    known = set[str]()
    for row in rows.descending():
        # An item that has not been met yet begins no later than this member.
        if len(found) >= size and found[-size][0] > row.published:
            break
        id = row.item or row.id
        if id not in known:
            known.add(id)
            story = cards.library.story_record(id)
            insort(found, (story.first_file[0] if story else row.published, id))
    return found[::-1][:size]


def has_sitemap(cards: Cards) -> bool:
    """Whether the site has sitemaps."""
    return cards.has("sitemap") and bool(cards.config.base)


def site_files(cards: Cards, files: Iterable[FilePage | StylesPage], policy: str) -> Iterator[Page]:
    """The files that a site has once, except sitemaps and `_redirects`. `files` are its static files and style sheet."""
    config, has = cards.config, cards.has
    files = list(files)
    if has("opml"):
        yield _opml(cards)
    if has("robots"):
        yield RobotsPage(path="robots.txt", sitemap="/sitemap.xml" if has_sitemap(cards) else "")
    if has("manifest"):
        yield ManifestPage(path=urls.path(urls.MANIFEST), icons=tuple(_icons({file.source for file in files})))
    if has("llms"):
        yield LlmsPage(path="llms.txt", groups=tuple(_guide(cards)))
    host = config.limits
    if has("headers") and (host is None or host.reads_headers):
        yield HeadersPage(
            path="_headers",
            policy=policy,
            feeds=tuple(urls.FEEDS[name] for name in cards.feed_formats),
            fingerprinted=tuple(sorted(urls.address(file.path) for file in files if file.path != file.source)),
            attachments=next(cards.library.attachments(), None) is not None,
        )


_ICON = re.compile(r"img/icon-(maskable-)?([1-9][0-9]{0,3})\.png")


def _icons(sources: Iterable[str]) -> Iterator[Icon]:
    """The icons among these static files: img/icon-192.png, img/icon-maskable-512.png."""
    for source in sorted(sources):
        if match := _ICON.fullmatch(source):
            yield Icon(address=urls.address(source), size=int(match[2]), maskable=bool(match[1]))


def _guide(cards: Cards) -> Iterator[LinkGroup]:
    """The lists, pages and files of the site that hardly ever change."""
    has = cards.has
    indexes = {"home": Link(title=cards.gettext("Front page"), url=urls.HOME)} | cards.index_links
    lists = [(link.title, link.url) for kind, link in indexes.items() if has(kind)]
    pages = [(page.title, urls.page(page.key)) for page in cards.library.about["page"].values() if has("page")]
    files = [(_FORMATS[name], urls.HOME + urls.FEEDS[name]) for name in cards.feed_formats]
    if has("api"):
        files += [(cards.gettext("%(title)s, as JSON", title=title), urls.json(url)) for title, url in lists]
    files += [(cards.gettext("Sitemap"), "/sitemap.xml")] if has_sitemap(cards) else []
    files += [(cards.gettext("Sources, as OPML"), "/sources.opml")] if has("opml") else []
    for title, links in (
        (cards.gettext("Lists"), lists),
        (cards.gettext("About"), pages),
        (cards.gettext("Files"), files),
    ):
        if links:
            yield LinkGroup(title=title, items=tuple(Link(title=name, url=url) for name, url in links))


def _feeds(
    cards: Cards,
    title: str,
    description: str,
    address: str,
    entries: Sequence[FeedEntry],
    formats: Iterable[str],
) -> Iterator[Feed]:
    """The feed of a list in each of the formats."""
    updated = max((e.updated for e in entries), default=cards.library.clock)
    kinds = {"rss": RssFeed, "atom": AtomFeed, "jsonfeed": JsonFeed}
    for name in formats:
        feed_address = address + urls.FEEDS[name]
        yield kinds[name](
            path=urls.path(feed_address),
            id=_id(cards, feed_address),
            title=title,
            description=description,
            address=feed_address,
            home=address,
            updated=updated,
            entries=tuple(entries),
        )


def story_address(address: str) -> str:
    """The address of a story's feed, given the address of the story."""
    return address + urls.FEEDS["atom"]


def story(cards: Cards, story: Story, title: str, description: str) -> AtomFeed:
    """The feed of a story, with an entry for each of its newest members."""
    newest = story.members[::-1][: cards.config.feed_size]
    address_of = cards.library.address
    entries = tuple(_member_entry(cards, m, address_of[m.id] if isinstance(m, Article) else m.url) for m in newest)
    address = cards.story_url(story)
    return AtomFeed(
        path=urls.path(story_address(address)),
        id=_id(cards, story_address(address)),
        title=f"{title} · {cards.config.title}",
        description=description,
        address=story_address(address),
        home=address,
        updated=max(e.updated for e in entries),
        entries=entries,
    )


def _member_entry(cards: Cards, member: Member, address: str) -> FeedEntry:
    """The feed entry of one member. `address` is the one that its id is made of, or a URL."""
    card = cards.card(member)
    updated = member.updated if isinstance(member, Article) else None
    return FeedEntry(
        id=_id(cards, address),
        page=card.page,
        url=card.url,
        title=card.title,
        summary=card.summary,
        provider=card.provider,
        authors=_authors(card),
        published=member.published,
        updated=max(member.published, updated or member.published),
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=(),
        body=_body(cards, member),
    )


def _entry(cards: Cards, id: str, provider: str = "") -> FeedEntry:
    """The feed entry of an item. In the feeds of a provider, a story is represented by that provider's first member.

    The entry's id is made of the address of the earliest article, so that it stays the same when a story grows.
    """
    library = cards.library
    story = library.story_record(id)
    if story is None:
        return _member_entry(cards, library.by_id[id], library.address[library.origins.get(id, id)])
    lead = story.lead_key
    if provider:
        rows = filter(None, map(library.rows.get, story.members))
        lead = next(row.key for row in rows if row.provider == provider and row.item == id)
    card = cards.card_in(story, lead)
    is_own_post = card.url == card.page
    return FeedEntry(
        id=_id(cards, library.address[id]),
        page=library.address[id],
        url=card.url,
        title=card.title,
        summary=card.summary,
        provider=card.provider,
        authors=_authors(card),
        published=story.first_file[0],
        updated=story.updated,
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=tuple(cards.card_in(story, key) for key in [key for key in story.members if key != lead][:COVERAGE]),
        body=_body(cards, library.by_id[lead[1]]) if is_own_post else "",
    )


def _authors(card: Card) -> tuple[Link, ...]:
    """The authors of an entry: those of the article and, but for an own post with authors, its publisher."""
    publisher = () if card.authors and card.url == card.page else (Link(title=card.provider.title, url=""),)
    return (*card.authors, *publisher)


def _id(cards: Cards, address: str) -> str:
    """The id of a feed or an entry: its full URL, on the site's earlier `base_url` if `feeds.id` keeps that."""
    return urls.absolute(address, cards.config.feeds.id.rstrip("/") or cards.config.base)


def _body(cards: Cards, member: Member) -> str:
    """The whole text of an own post with absolute links; "" for other members."""
    if not isinstance(member, Article) or member.url or not member.body:
        return ""
    page = urls.absolute(cards.library.address[member.id], cards.config.base)
    return absolute_links(member.body, page)


_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+(?:="[^"]*")?)+ ?/?>')
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"]*)"')


def absolute_links(body: str, page: str) -> str:
    """Sanitised HTML with all links and pictures as full URLs. `page` is the URL that relative ones begin from."""

    def attribute(match: re.Match[str]) -> str:
        if match[1] == "srcset":  # ours: addresses and widths, without commas or spaces in an address
            copies = (copy.partition(" ") for copy in match[2].split(", "))
            return f' srcset="{", ".join(f"{urljoin(page, address)} {width}" for address, _, width in copies)}"'
        if match[1] not in ("href", "src", "cite"):
            return match[0]
        return f' {match[1]}="{html.escape(urljoin(page, html.unescape(match[2])))}"'

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), body)


def _opml(cards: Cards) -> OpmlPage:
    outlines = []
    for key, row in sorted(cards.library.index("provider").items()):
        section = cards.library.sections["provider"][key]
        formats = cards.section_formats(section) if cards.has("provider") else []
        feed = cards.places.section("provider", key) + urls.FEEDS[formats[0]] if formats else ""
        outlines.append(Outline(title=row.title, home=cards.library.providers[key].home, feed=feed))
    outlines.sort(key=lambda o: (cards.locale.sort_key(o.title), o.home))
    return OpmlPage(path="sources.opml", outlines=tuple(outlines))


def listed(cards: Cards, item: Story | Article, title: str) -> SitemapRow | None:
    """The entry of a story, or of an article with a page to itself, in a sitemap; None if it must not be indexed.

    `title` is that of its page.
    """
    members = members_of(item)
    if any(member.status for member in members):
        return None
    if isinstance(item, Story):
        first, modified = next(item.files), item.last.published
    else:
        first, modified = item, item.updated or item.published
    return SitemapRow(
        published=first.published,
        address=cards.library.address[item.id],
        modified=modified,
        title=title,
        all_day=first.all_day,
    )


class SitemapRow(StoredRow, frozen=True):
    """An entry of a sitemap, by the time of its article or of the earliest file of its story.

    `all_day`: only the day of `published` is known.
    """

    published: datetime
    address: str
    modified: datetime
    title: str
    all_day: bool

    @property
    def key(self) -> tuple[datetime, str]:
        return self.published, self.address


class Shard(NamedTuple):
    """A sitemap: its address, its month, and the positions of its entries in the rows of all."""

    address: str
    month: str
    start: int
    stop: int


def shards(cards: Cards, rows: Rows[SitemapRow]) -> list[Shard]:
    """The sitemaps: those of each month, counted from its oldest entry, so that a new article changes only the newest."""
    zone, found = cards.config.zone, list[Shard]()
    months = sorted({day[:7] for day in cards.library.index("day")})
    starts = [rows.position((times.start(date(int(month[:4]), int(month[5:]), 1), zone), "")) for month in months]
    for month, first, end in zip(months, starts, [*starts, len(rows)][1:], strict=True):
        for number, start in enumerate(range(first, end, _SITEMAP_SIZE), 1):
            address = f"/sitemaps/{month}{f'-{number}' if number > 1 else ''}.xml"
            found.append(Shard(address, month, start, min(start + _SITEMAP_SIZE, end)))
    return found


def shard_page(rows: Rows[SitemapRow], shard: Shard) -> SitemapPage:
    """A sitemap."""
    entries = (SitemapEntry(address=r.address, modified=r.modified) for r in rows.at(shard.start, shard.stop))
    return SitemapPage(path=urls.path(shard.address), entries=tuple(entries))


def news_sitemap(cards: Cards, rows: Rows[SitemapRow]) -> NewsSitemap:
    """The sitemap of the newest pages: those of the day of the content clock and of the day before it."""
    library, zone = cards.library, cards.config.zone
    today = times.local(library.clock, zone).date()
    start = times.start(date.fromordinal(max(today.toordinal() - 1, 1)), zone)
    newest = takewhile(lambda row: row.published >= start, islice(rows.descending(), _SITEMAP_SIZE))
    return NewsSitemap(
        path="sitemaps/news.xml",
        language=_CHINESE.get(cards.config.language.lower()) or cards.config.language.partition("-")[0].lower(),
        entries=tuple(
            NewsEntry(address=row.address, title=row.title, published=row.published, all_day=row.all_day)
            for row in newest
        ),
    )


def sitemap_of_lists(cards: Cards, plugins: Iterable[str] = ()) -> SitemapPage:
    """The sitemap of the pages that a site has once, of those of `plugins`, and of its sections."""
    addresses = dict.fromkeys([*_single_addresses(cards), *plugins])
    entries = [SitemapEntry(address=address, modified=None) for address in addresses]
    for axis in ("topic", "provider", "category"):
        for key, row in sorted(cards.library.index(axis).items()) if cards.has(axis) else ():
            entries.append(SitemapEntry(address=cards.places.section(axis, key), modified=row.newest))
    return SitemapPage(path="sitemaps/lists.xml", entries=tuple(entries))


def sitemap_index(lists: SitemapPage, news: NewsSitemap, modified: Mapping[str, datetime]) -> SitemapIndex:
    """The index of the sitemaps: of those of the lists and of news, and of the others with the time of the last change
    of each."""
    newest = max((entry.modified for entry in lists.entries if entry.modified), default=None)
    entries = [SitemapEntry(address=urls.address(lists.path), modified=newest)]
    entries += [SitemapEntry(address=urls.address(news.path), modified=entry.published) for entry in news.entries[:1]]
    entries += [SitemapEntry(address=address, modified=time) for address, time in modified.items()]
    return SitemapIndex(path="sitemap.xml", entries=tuple(entries))


def _single_addresses(cards: Cards) -> list[str]:
    """The addresses of the pages that a site has once, and of its own plain pages."""
    addresses = [urls.HOME] if cards.has("home") else []
    addresses += [link.url for kind, link in cards.index_links.items() if cards.has(kind)]
    return addresses + [urls.page(key) for key in cards.library.about["page"] if cards.has("page")]

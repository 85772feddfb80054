"""Makes the files that machines read: feeds, the OPML list of sources, sitemaps, redirects, robots.txt and headers."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import datetime

from newsgen import urls
from newsgen.model import Article, Link, Member, Section, Story
from newsgen.pages.cards import Cards, Item
from newsgen.pages.kinds import (
    AtomFeed,
    Feed,
    FeedEntry,
    HeadersPage,
    JsonFeed,
    OpmlPage,
    Outline,
    Page,
    RedirectPage,
    RedirectsPage,
    RobotsPage,
    RssFeed,
    SitemapEntry,
    SitemapIndex,
    SitemapPage,
)
from newsgen.stories import members_of

COVERAGE = 12
"""The maximum number of other members that a feed entry lists."""

_SITEMAP_SIZE = 50_000


def site(cards: Cards, items: list[Item]) -> Iterator[Page]:
    """The feeds of the whole site. `items` are all its items."""
    if cards.feed_formats:
        config = cards.config
        yield from _feeds(cards, config.title, config.description, urls.HOME, [(i, None) for i in items])


def section(cards: Cards, section: Section) -> Iterator[Page]:
    """The feeds of a section. Days have none."""
    if cards.feed_formats and section.axis != "day":
        about = section.about.description if section.about else ""
        address = urls.section(section.axis, section.key)
        yield from _feeds(
            cards, f"{section.title} · {cards.config.title}", about, address, _section_items(cards, section)
        )


def redirects(cards: Cards) -> tuple[dict[str, str], dict[str, str]]:
    """Two maps of old addresses to new ones: aliases, and those that single articles would have as stories."""
    aliases = _alias_redirects(cards)
    return aliases, {old: new for old, new in _single_redirects(cards).items() if old not in aliases}


def stubs(redirects: Mapping[str, str]) -> Iterator[RedirectPage]:
    """A stub for each old address."""
    for old, new in redirects.items():
        file = old if old.endswith((".html", ".htm", "/")) else old + "/"
        yield RedirectPage(path=urls.path(file), target=new)


def site_files(cards: Cards, sections: list[Section], redirects: dict[str, str]) -> Iterator[Page]:
    """The files that a site has once. `sections` are those with pages; `redirects` are listed in `_redirects`."""
    config, has = cards.config, cards.has
    if has("opml"):
        yield _opml(cards)
    if has("redirects") and config.redirects.file:
        # Addresses with a stub are left out, because some hosts read only 2,000 lines. Feeds are listed, because feed
        # readers do not follow stubs.
        lines = redirects | _moved_feeds(cards)
        yield RedirectsPage(path="_redirects", redirects=tuple(Link(title=o, url=n) for o, n in sorted(lines.items())))
    has_sitemap = has("sitemap") and bool(config.base)
    if has_sitemap:
        yield from _sitemaps(cards, sections)
    if has("robots"):
        yield RobotsPage(path="robots.txt", sitemap="/sitemap.xml" if has_sitemap else "")
    if has("headers"):
        yield HeadersPage(path="_headers", frames=config.video.hosts if config.video.embed else ())


def _section_items(cards: Cards, section: Section) -> list[tuple[Item, Member | None]]:
    """The items of a section, each with the member that represents it in feeds, or None for its lead.

    In the feeds of a provider, a story is represented by that provider's first member.
    """
    if section.axis != "provider":
        return [(item, None) for item in cards.items(section.members)]
    items: dict[str, tuple[Item, Member | None]] = {}
    for member in reversed(section.members):
        item: Item = cards.library.story_of.get(member.id, member)
        items.setdefault(item.id, (item, member))
    return list(items.values())


def _feeds(
    cards: Cards,
    title: str,
    description: str,
    address: str,
    items: list[tuple[Item, Member | None]],
) -> Iterator[Feed]:
    """The feed of a list in every format."""
    newest = heapq.nlargest(cards.config.feed_size, items, key=lambda i: (cards.first_published(i[0]), i[0].id))
    entries = [_entry(cards, item, member) for item, member in newest]
    updated = max((e.updated for e in entries), default=cards.library.clock)
    kinds = {"rss": RssFeed, "atom": AtomFeed, "jsonfeed": JsonFeed}
    for name in cards.feed_formats:
        feed_address = address + urls.FEEDS[name]
        yield kinds[name](
            path=urls.path(feed_address),
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
    entries = tuple(_member_entry(cards, m) for m in newest)
    address = cards.story_url(story)
    return AtomFeed(
        path=urls.path(story_address(address)),
        title=f"{title} · {cards.config.title}",
        description=description,
        address=story_address(address),
        home=address,
        updated=max(e.updated for e in entries),
        entries=entries,
    )


def _member_entry(cards: Cards, member: Member) -> FeedEntry:
    """The feed entry of one member of a story. Its id is the article's address here, or the URL of coverage."""
    card = cards.card(member)
    updated = member.updated if isinstance(member, Article) else None
    return FeedEntry(
        address=cards.library.address[member.id] if isinstance(member, Article) else member.url,
        page=card.page,
        url=card.url,
        title=card.title,
        summary=card.summary,
        provider=card.provider,
        published=member.published,
        updated=max(member.published, updated or member.published),
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=(),
    )


def _entry(cards: Cards, item: Item, representative: Member | None) -> FeedEntry:
    """The feed entry of an item, with the words of its representative or its lead.

    Its id is the address of the earliest article, so that it stays the same when a story grows.
    """
    lead = representative or (item.lead if isinstance(item, Story) else item)
    card = cards.card(lead)
    page = cards.story_url(item) if isinstance(item, Story) else card.page
    members = members_of(item)
    changed = [m.updated for m in members if isinstance(m, Article) and m.updated]
    return FeedEntry(
        address=cards.library.address[item.id],
        page=page or card.page,
        url=card.url,
        title=card.title,
        summary=card.summary,
        provider=card.provider,
        published=cards.first_published(item),
        updated=max([m.published for m in members] + changed),
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=tuple(cards.card(m) for m in members if m.id != lead.id)[:COVERAGE],
    )


def _opml(cards: Cards) -> OpmlPage:
    feed = urls.FEEDS[cards.feed_formats[0]] if cards.feed_formats and cards.has("provider") else ""
    outlines = [
        Outline(
            title=section.title,
            home=cards.library.providers[key].home,
            feed=urls.section("provider", key) + feed if feed else "",
        )
        for key, section in cards.library.sections["provider"].items()
    ]
    outlines.sort(key=lambda o: (o.title.casefold(), o.home))
    return OpmlPage(path="sources.opml", outlines=tuple(outlines))


def _single_redirects(cards: Cards) -> dict[str, str]:
    """Redirects from the addresses that articles without a story would have as stories, and may have had."""
    library = cards.library
    if not cards.has("story") or not (cards.has("article") or cards.has("home")):
        return {}
    addresses = sorted(library.address[a.id] for a in library.articles if a.id not in library.story_of)
    return {urls.story(address): address if cards.has("article") else urls.HOME for address in addresses}


def _moved_feeds(cards: Cards) -> dict[str, str]:
    """Redirects from the feeds that other members of a story had, or would have had, as stories of their own."""
    if not ("atom" in cards.feed_formats and cards.has("story")):
        return {}
    redirects: dict[str, str] = {}
    for story in cards.library.stories:
        feed = story_address(cards.story_url(story))
        others = (m for m in story.members if isinstance(m, Article) and m.id != story.id)
        redirects |= {story_address(urls.story(cards.library.address[m.id])): feed for m in others}
    return redirects


def _alias_redirects(cards: Cards) -> dict[str, str]:
    """Redirects from aliases in files, and from the addresses that a story's other members would have as stories."""
    redirects: dict[str, str] = {}
    library = cards.library
    if cards.has("story"):
        for story in library.stories:
            others = (m for m in story.members if isinstance(m, Article) and m.id != story.id)
            redirects |= {urls.story(library.address[m.id]): cards.story_url(story) for m in others}
    if cards.has("article"):
        redirects |= {alias: library.address[a.id] for a in reversed(library.articles) for alias in a.aliases}
    for axis in ("topic", "provider"):
        for about in library.about[axis].values():
            if cards.has(axis) and about.key in library.sections[axis]:
                redirects |= dict.fromkeys(about.aliases, urls.section(axis, about.key))
    if cards.has("page"):
        redirects |= {alias: urls.page(p.key) for p in library.about["page"].values() for alias in p.aliases}
    return dict(sorted(redirects.items()))


def _sitemaps(cards: Cards, sections: list[Section]) -> Iterator[Page]:
    """A sitemap of the lists, one for each month, so that a new article changes only the newest, and their index."""
    shards: dict[str, list[SitemapEntry]] = {
        "lists": [SitemapEntry(address=a, modified=None) for a in _single_addresses(cards)]
    }
    for section in sections:
        address = urls.section(section.axis, section.key)
        shards["lists"].append(SitemapEntry(address=address, modified=section.members[0].published))
    for published, entry in sorted(_sitemap_entries(cards), key=lambda f: (f[0], f[1].address)):
        shards.setdefault(urls.day(published, cards.config.zone)[:7], []).append(entry)
    index = []
    for name, entries in shards.items():
        for number, start in enumerate(range(0, len(entries), _SITEMAP_SIZE), 1):
            address = f"/sitemaps/{name}{f'-{number}' if number > 1 else ''}.xml"
            part = tuple(entries[start : start + _SITEMAP_SIZE])
            yield SitemapPage(path=urls.path(address), entries=part)
            modified = max((e.modified for e in part if e.modified), default=None)
            index.append(SitemapEntry(address=address, modified=modified))
    yield SitemapIndex(path="sitemap.xml", entries=tuple(index))


def _single_addresses(cards: Cards) -> list[str]:
    """The addresses of the pages that a site has once, and of its own plain pages."""
    single = {"home": urls.HOME, "topic": urls.TOPICS, "sources": urls.SOURCES, "archive": urls.ARCHIVE}
    addresses = [address for kind, address in single.items() if cards.has(kind)]
    return addresses + [urls.page(key) for key in cards.library.about["page"] if cards.has("page")]


def _sitemap_entries(cards: Cards) -> Iterator[tuple[datetime, SitemapEntry]]:
    """The pages that search engines may index, with their times: stories, and articles that are not on a story page."""
    library = cards.library
    if cards.has("story"):
        for story in library.stories:
            if not any(m.status for m in story.members):
                yield (
                    cards.first_published(story),
                    SitemapEntry(address=cards.story_url(story), modified=story.last.published),
                )
    if cards.has("article"):
        for article in library.articles:
            if not article.status and not (cards.has("story") and article.id in library.story_of):
                modified = article.updated or article.published
                yield article.published, SitemapEntry(address=library.address[article.id], modified=modified)

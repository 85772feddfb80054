"""What machines read: feeds, the OPML list of sources, sitemaps, redirects."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

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
"""Other members that a feed's entry names."""

_SITEMAP = 50_000


def site(cards: Cards, items: list[Item]) -> Iterator[Page]:
    """The feeds of the whole site. `items` are the site's, newest first."""
    if cards.formats:
        config = cards.config
        yield from _feeds(cards, config.title, config.description, urls.HOME, [(i, None) for i in items])


def section(cards: Cards, section: Section) -> Iterator[Page]:
    """The feeds of a section; a day has none."""
    if cards.formats and section.axis != "day":
        about = section.about.description if section.about else ""
        address = urls.section(section.axis, section.key)
        yield from _feeds(cards, f"{section.title} · {cards.config.title}", about, address, _told(cards, section))


def redirects(cards: Cards) -> tuple[dict[str, str], dict[str, str]]:
    """The old addresses, and where they lead: a story's and files' other names, and what may have been a story once."""
    named = _redirects(cards)
    return named, {old: new for old, new in _alone(cards).items() if old not in named}


def stubs(redirects: Mapping[str, str]) -> Iterator[RedirectPage]:
    """A page for each old address."""
    for old, new in redirects.items():
        file = old if old.endswith((".html", ".htm", "/")) else old + "/"
        yield RedirectPage(path=urls.path(file), target=new)


def single(cards: Cards, sections: list[Section], redirects: dict[str, str]) -> Iterator[Page]:
    """What there is one of. `sections` are those that have pages, `redirects` those that need a line."""
    config, has = cards.config, cards.has
    if has("opml"):
        yield _opml(cards)
    if has("redirects") and config.redirects.file:
        # Feed readers follow no page, and some hosts read but 2,000 lines: what has a page of its own needs none.
        lines = redirects | _moved_feeds(cards)
        yield RedirectsPage(path="_redirects", redirects=tuple(Link(title=o, url=n) for o, n in sorted(lines.items())))
    mapped = has("sitemap") and bool(config.base)
    if mapped:
        yield from _sitemaps(cards, sections)
    if has("robots"):
        yield RobotsPage(path="robots.txt", sitemap="/sitemap.xml" if mapped else "")
    if has("headers"):
        yield HeadersPage(path="_headers", frames=config.video.hosts if config.video.embed else ())


def _told(cards: Cards, section: Section) -> list[tuple[Item, Member | None]]:
    """The items of a section for its feeds; a provider's feed shows the story as that provider tells it."""
    if section.axis != "provider":
        return [(item, None) for item in cards.items(section.members)]
    first: dict[str, tuple[Item, Member | None]] = {}
    for member in reversed(section.members):
        item: Item = cards.library.story_of.get(member.id, member)
        first.setdefault(item.id, (item, member))
    return list(first.values())


def _feeds(
    cards: Cards,
    title: str,
    description: str,
    address: str,
    items: list[tuple[Item, Member | None]],
) -> Iterator[Feed]:
    """One list in every format that is wanted."""
    newest = heapq.nlargest(cards.config.feed_size, items, key=lambda i: (cards.born(i[0]), i[0].id))
    entries = [_entry(cards, item, member) for item, member in newest]
    updated = max((e.updated for e in entries), default=cards.library.clock)
    kinds = {"rss": RssFeed, "atom": AtomFeed, "jsonfeed": JsonFeed}
    for name in cards.formats:
        here = address + urls.FEEDS[name]
        yield kinds[name](
            path=urls.path(here),
            title=title,
            description=description,
            address=here,
            home=address,
            updated=updated,
            entries=tuple(entries),
        )


def story_address(address: str) -> str:
    """The feed of the story at an address."""
    return address + urls.FEEDS["atom"]


def story(cards: Cards, story: Story, title: str, description: str) -> AtomFeed:
    """The newest reports of a story, each an entry."""
    newest = story.members[::-1][: cards.config.feed_size]
    entries = tuple(_report(cards, m) for m in newest)
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


def _report(cards: Cards, member: Member) -> FeedEntry:
    """A member of a story by itself; named by our page about it, else by the publisher's."""
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


def _entry(cards: Cards, item: Item, told: Member | None) -> FeedEntry:
    """A feed's entry, named for good by the address of the earliest file; as the member `told` tells it."""
    lead = told or (item.lead if isinstance(item, Story) else item)
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
        published=cards.born(item),
        updated=max([m.published for m in members] + changed),
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=tuple(cards.card(m) for m in members if m.id != lead.id)[:COVERAGE],
    )


def _opml(cards: Cards) -> OpmlPage:
    linked = urls.FEEDS[cards.formats[0]] if cards.formats and cards.has("provider") else ""
    outlines = [
        Outline(
            title=section.title,
            home=cards.library.providers[key].home,
            feed=urls.section("provider", key) + linked if linked else "",
        )
        for key, section in cards.library.sections["provider"].items()
    ]
    outlines.sort(key=lambda o: (o.title.casefold(), o.home))
    return OpmlPage(path="sources.opml", outlines=tuple(outlines))


def _alone(cards: Cards) -> dict[str, str]:
    """Where an article that is in no story answers as one: it may have been in one, or have begun it."""
    library = cards.library
    if not cards.has("story") or not (cards.has("article") or cards.has("home")):
        return {}
    addresses = sorted(library.address[a.id] for a in library.articles if a.id not in library.story_of)
    return {urls.story(address): address if cards.has("article") else urls.HOME for address in addresses}


def _moved_feeds(cards: Cards) -> dict[str, str]:
    """The feeds that a story would have under its other members' names, and had before it was this story."""
    if not ("atom" in cards.formats and cards.has("story")):
        return {}
    out: dict[str, str] = {}
    for story in cards.library.stories:
        here = story_address(cards.story_url(story))
        others = (m for m in story.members if isinstance(m, Article) and m.id != story.id)
        out |= {story_address(urls.story(cards.library.address[m.id])): here for m in others}
    return out


def _redirects(cards: Cards) -> dict[str, str]:
    """Old addresses and where they lead: a story's under its other members' names, and what files call `aliases`."""
    out: dict[str, str] = {}
    library = cards.library
    if cards.has("story"):
        for story in library.stories:
            others = (m for m in story.members if isinstance(m, Article) and m.id != story.id)
            out |= {urls.story(library.address[m.id]): cards.story_url(story) for m in others}
    if cards.has("article"):
        out |= {alias: library.address[a.id] for a in reversed(library.articles) for alias in a.aliases}
    for axis in ("topic", "provider"):
        for about in library.about[axis].values():
            if cards.has(axis) and about.key in library.sections[axis]:
                out |= dict.fromkeys(about.aliases, urls.section(axis, about.key))
    if cards.has("page"):
        out |= {alias: urls.page(p.key) for p in library.about["page"].values() for alias in p.aliases}
    return dict(sorted(out.items()))


def _sitemaps(cards: Cards, sections: list[Section]) -> Iterator[Page]:
    """A sitemap of the lists and one for each month, so that only the newest change; and their index."""
    shards: dict[str, list[SitemapEntry]] = {"lists": [SitemapEntry(address=a, modified=None) for a in _places(cards)]}
    for section in sections:
        address = urls.section(section.axis, section.key)
        shards["lists"].append(SitemapEntry(address=address, modified=section.members[0].published))
    for born, entry in sorted(_mapped(cards), key=lambda f: (f[0], f[1].address)):
        shards.setdefault(urls.day(born, UTC)[:7], []).append(entry)
    index = []
    for name, entries in shards.items():
        for number, start in enumerate(range(0, len(entries), _SITEMAP), 1):
            address = f"/sitemaps/{name}{f'-{number}' if number > 1 else ''}.xml"
            part = tuple(entries[start : start + _SITEMAP])
            yield SitemapPage(path=urls.path(address), entries=part)
            modified = max((e.modified for e in part if e.modified), default=None)
            index.append(SitemapEntry(address=address, modified=modified))
    yield SitemapIndex(path="sitemap.xml", entries=tuple(index))


def _places(cards: Cards) -> list[str]:
    """The addresses of the pages that there is one of."""
    single = {"home": urls.HOME, "topic": urls.TOPICS, "sources": urls.SOURCES, "archive": urls.ARCHIVE}
    places = [address for kind, address in single.items() if cards.has(kind)]
    return places + [urls.page(key) for key in cards.library.about["page"] if cards.has("page")]


def _mapped(cards: Cards) -> Iterator[tuple[datetime, SitemapEntry]]:
    """Stories, and the articles that search engines may show: those in no story that has a page."""
    library = cards.library
    if cards.has("story"):
        for story in library.stories:
            if not any(m.status for m in story.members):
                yield cards.born(story), SitemapEntry(address=cards.story_url(story), modified=story.last.published)
    if cards.has("article"):
        for article in library.articles:
            if not article.status and not (cards.has("story") and article.id in library.story_of):
                modified = article.updated or article.published
                yield article.published, SitemapEntry(address=library.address[article.id], modified=modified)

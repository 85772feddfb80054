"""Makes the files that machines read: feeds, the OPML list of sources, sitemaps, redirects, robots.txt and headers."""

from __future__ import annotations

import heapq
import html
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import urljoin

from newsgen import urls
from newsgen.hosts import Host, effective_lines, is_dynamic
from newsgen.model import About, Article, Link, Member, Section, Story
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

_LINE_EXTRA = 20
"""More characters than a line of `_redirects` has besides its two addresses, with a few escapes."""


def site(cards: Cards, items: list[Item]) -> Iterator[Page]:
    """The feeds of the whole site. `items` are all its items."""
    if cards.feed_formats:
        config = cards.config
        rows: list[tuple[Item, Member | None]] = [(item, None) for item in items]
        yield from _feeds(cards, config.title, config.description, urls.HOME, rows, cards.feed_formats)


def section(cards: Cards, section: Section) -> Iterator[Page]:
    """The feeds of a section. Days have none."""
    formats = cards.section_formats(section)
    if formats:
        about = section.about.description if section.about else ""
        title, address = f"{section.title} · {cards.config.title}", urls.section(section.axis, section.key)
        yield from _feeds(cards, title, about, address, _section_items(cards, section), formats)


class Redirect(NamedTuple):
    """An old address and where it leads: another address of the site, or the URL of an article without a page here.

    `stub` is the output file that answers the old address. `file` is the content file that has the address as an alias,
    for messages; "" if it is no alias. `published` is the time of the article that the redirect is for, if it is for
    one.
    """

    old: str
    new: str
    stub: str
    file: str = ""
    published: datetime | None = None


def redirects(cards: Cards, folder_name: str) -> tuple[Redirect, ...]:
    """All redirects. Aliases come first, so they take precedence."""
    aliases = _aliases(cards, folder_name)
    taken = {alias.stub for alias in aliases}
    others = [
        *_platform_redirects(cards),
        *_synonym_redirects(cards),
        *_member_redirects(cards),
        *_expired_redirects(cards),
    ]
    return (*aliases, *(redirect for redirect in others if redirect.stub not in taken))


def stubs(redirects: Iterable[Redirect]) -> dict[str, str]:
    """The new address for the path of each stub."""
    return {redirect.stub: redirect.new for redirect in redirects}


def stub_pages(stubs: dict[str, str]) -> list[RedirectPage]:
    """The stub at each path."""
    return [RedirectPage(path=path, target=new) for path, new in stubs.items()]


def redirect_lines(cards: Cards, redirects: Iterable[Redirect], own: str) -> list[Redirect]:
    """The redirects for `_redirects`: as many as the host reads besides the `own` lines of the site, newest first.

    The addresses of members of stories have a line only if there are no stubs, because hosts read few lines.
    """
    if not has_redirects_file(cards):
        return []
    has_stubs, oldest = cards.config.redirects.pages, datetime.min.replace(tzinfo=UTC)
    lines = sorted((r for r in redirects if r.file or r.published is None or not has_stubs), key=attrgetter("old"))
    # Addresses of pages without a time come first, then aliases of articles, then the addresses of members.
    lines.sort(key=lambda r: (r.published is None, bool(r.file), r.published or oldest), reverse=True)
    host = cards.config.limits
    return list(_within(host, lines, own, cards.config.root)) if host else lines


def _within(host: Host, lines: Iterable[Redirect], own: str, root: str) -> Iterator[Redirect]:
    """The first lines, as many as a host reads besides the site's own, without those that are too long for it."""
    rules = effective_lines(own)
    room, space = host.redirect_lines - len(rules), host.redirect_bytes - len(own.encode()) - 1
    dynamic = next((len(rules) - at for at, rule in enumerate(rules) if is_dynamic(rule)), 0)
    if dynamic and host.dynamic_redirects:  # all that follow count as dynamic too
        room = host.dynamic_redirects - dynamic
    for line in lines:
        length = len(urls.href(line.old, root)) + len(urls.href(line.new, root)) + _LINE_EXTRA
        if host.redirect_line_length and length > host.redirect_line_length:
            continue
        room, space = room - 1, space - length
        if room < 0 or (host.redirect_bytes and space < 0):
            return
        yield line


def has_redirects_file(cards: Cards) -> bool:
    """Whether the site has a `_redirects`."""
    host = cards.config.limits
    return cards.has("redirects") and cards.config.redirects.file and (host is None or host.reads_redirects)


def redirects_file(lines: Iterable[Redirect], own: str) -> RedirectsPage:
    """`_redirects`. `own` is the text of the site's own."""
    return RedirectsPage(
        path="_redirects", own=own, redirects=tuple(Link(title=line.old, url=line.new) for line in lines)
    )


def site_files(cards: Cards, sections: list[Section], fingerprinted: Iterable[str]) -> Iterator[Page]:
    """The files that a site has once, except `_redirects`.

    `sections` are those with pages, `fingerprinted` the paths of static files with a fingerprint.
    """
    config, has = cards.config, cards.has
    if has("opml"):
        yield _opml(cards)
    has_sitemap = has("sitemap") and bool(config.base)
    if has_sitemap:
        yield from _sitemaps(cards, sections)
    if has("robots"):
        yield RobotsPage(path="robots.txt", sitemap="/sitemap.xml" if has_sitemap else "")
    host = config.limits
    if has("headers") and (host is None or host.reads_headers):
        yield HeadersPage(
            path="_headers",
            frames=config.video.hosts if config.video.embed else (),
            feeds=tuple(urls.FEEDS[name] for name in cards.feed_formats),
            fingerprinted=tuple(sorted(map(urls.address, fingerprinted))),
        )


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
    formats: Iterable[str],
) -> Iterator[Feed]:
    """The feed of a list in each of the formats."""
    newest = heapq.nlargest(cards.config.feed_size, items, key=lambda i: (cards.first_published(i[0]), i[0].id))
    entries = [_entry(cards, item, member) for item, member in newest]
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
    entries = tuple(_member_entry(cards, m) for m in newest)
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


def _member_entry(cards: Cards, member: Member) -> FeedEntry:
    """The feed entry of one member of a story. Its id is made of the article's address here, or is the URL of coverage."""
    card = cards.card(member)
    updated = member.updated if isinstance(member, Article) else None
    return FeedEntry(
        id=_id(cards, cards.library.address[member.id] if isinstance(member, Article) else member.url),
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
        body=_body(cards, member),
    )


def _entry(cards: Cards, item: Item, representative: Member | None) -> FeedEntry:
    """The feed entry of an item, with the words of its representative or its lead.

    Its id is made of the address of the earliest article, so that it stays the same when a story grows.
    """
    lead = representative or (item.lead if isinstance(item, Story) else item)
    card = cards.card(lead)
    page = cards.story_url(item) if isinstance(item, Story) else card.page
    origin = item.id if isinstance(item, Story) else cards.library.origins.get(item.id, item.id)
    members = members_of(item)
    changed = [m.updated for m in members if isinstance(m, Article) and m.updated]
    return FeedEntry(
        id=_id(cards, cards.library.address[origin]),
        page=page,
        url=card.url,
        title=card.title,
        summary=card.summary,
        provider=card.provider,
        published=cards.first_published(item),
        updated=max([m.published for m in members] + changed),
        topics=tuple(t.title for t in card.topics),
        image=card.image,
        coverage=tuple(cards.card(m) for m in members if m.id != lead.id)[:COVERAGE],
        body=_body(cards, lead),
    )


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
        if match[1] not in ("href", "src", "cite"):
            return match[0]
        return f' {match[1]}="{html.escape(urljoin(page, html.unescape(match[2])))}"'

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), body)


def _opml(cards: Cards) -> OpmlPage:
    outlines = []
    for key, section in cards.library.sections["provider"].items():
        formats = cards.section_formats(section) if cards.has("provider") else []
        feed = urls.section("provider", key) + urls.FEEDS[formats[0]] if formats else ""
        outlines.append(Outline(title=section.title, home=cards.library.providers[key].home, feed=feed))
    outlines.sort(key=lambda o: (o.title.casefold(), o.home))
    return OpmlPage(path="sources.opml", outlines=tuple(outlines))


def _member_redirects(cards: Cards) -> Iterator[Redirect]:
    """Redirects from the addresses of articles that have no page to themselves to their places in their stories."""
    for story in cards.library.stories:
        for article in story.files:
            if article.id != story.id and not cards.has_page(article):
                old = cards.library.address[article.id]
                yield Redirect(old, cards.page(article), urls.path(old), published=article.published)


def _expired_redirects(cards: Cards) -> Iterator[Redirect]:
    """Redirects from the addresses of expired articles to their stories, or to what is left of them."""
    library = cards.library
    for article in library.expired:
        old, new = library.address[article.id], _successor(cards, article)
        if new not in ("", old):
            yield Redirect(old, new, urls.path(old), published=article.published)


def _successor(cards: Cards, article: Article) -> str:
    """Where the address of an expired article leads; "" if nothing is left of its story."""
    id = cards.library.successors.get(article.id, "")
    return _place(cards, cards.library.by_id[id]) if id in cards.library.origins else cards.library.address.get(id, "")


def _place(cards: Cards, member: Member) -> str:
    """Where an address of a member leads: to what the site has about it, or else to its source."""
    return cards.page(member) or member.url


def _aliases(cards: Cards, folder_name: str) -> list[Redirect]:
    """Redirects from the aliases in content files, sorted by old address. Of equal ones, the first takes precedence."""
    library = cards.library
    owners: list[tuple[str, About | Article]] = []
    if cards.has("page"):
        owners += [(urls.page(p.key), p) for p in library.about["page"].values()]
    for axis in ("topic", "provider"):
        for about in library.about[axis].values():
            if cards.has(axis) and about.key in library.sections[axis]:
                owners.append((urls.section(axis, about.key), about))
    owners += [(_place(cards, a), a) for a in library.articles if a.aliases]
    owners += [(new, a) for a in library.expired if a.aliases and (new := _successor(cards, a))]
    return sorted(
        (
            Redirect(alias, new, _stub(alias), f"{folder_name}/{owner.id}", getattr(owner, "published", None))
            for new, owner in owners
            for alias in owner.aliases
        ),
        key=attrgetter("old"),
    )


def _synonym_redirects(cards: Cards) -> list[Redirect]:
    """From the page that a topic would have under a synonym to the page it has."""
    library = cards.library
    if not cards.has("topic"):
        return []
    return [
        Redirect(old, urls.section("topic", key), urls.path(old))
        for synonym, key in sorted(library.topics.synonyms.items())
        if key in library.sections["topic"]
        for old in [urls.section("topic", synonym)]
    ]


def _stub(alias: str) -> str:
    return urls.path(alias if alias.endswith((".html", ".htm", "/")) else alias + "/")


def _platform_redirects(cards: Cards) -> list[Redirect]:
    """Redirects from the pages that platforms would have as providers to their only author here, or to all sources."""
    if not cards.has("provider"):
        return []
    authors: dict[str, list[str]] = {}
    platforms, sections = cards.config.platforms, cards.library.sections["provider"]
    for key in sections:
        platform = platforms.platform(key)
        if platform and platform not in sections and platforms.has_paths(platform):
            authors.setdefault(platform, []).append(key)
    everyone = urls.SOURCES if cards.has("sources") else ""
    targets = {p: urls.section("provider", keys[0]) if len(keys) == 1 else everyone for p, keys in authors.items()}
    olds = {platform: urls.section("provider", platform) for platform in targets}
    return [Redirect(olds[p], target, urls.path(olds[p])) for p, target in targets.items() if target]


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
    """The pages that search engines may index, with their times: stories, and articles with a page to themselves."""
    library = cards.library
    for story in library.stories:
        if not any(m.status for m in story.members):
            entry = SitemapEntry(address=cards.story_url(story), modified=story.last.published)
            yield cards.first_published(story), entry
    for article in library.articles:
        if not article.status and cards.has_page(article):
            modified = article.updated or article.published
            yield article.published, SitemapEntry(address=library.address[article.id], modified=modified)

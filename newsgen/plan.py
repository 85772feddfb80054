"""The library becomes pages: every page of the site, complete, before anything is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TypeAlias

from newsgen import feeds, lists, ranking, storypages, urls
from newsgen.cards import LINES, Cards, Item
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import Article, Link, Member, Site
from newsgen.pages import (
    ArticlePage,
    Block,
    FilePage,
    Head,
    HomePage,
    HtmlPage,
    NotFoundPage,
    Page,
    RedirectPage,
    TextPage,
)

TOP = 12
"""Stories at the top of the front page; below them `BLOCKS` topics with `BLOCK` stories each."""

BLOCKS = 6
BLOCK = 3
_WEEK = timedelta(days=7)

_Named: TypeAlias = dict[tuple[type[Page], str], str]
"""Which file of the site's people is behind a page: by its type and address."""


def plan(
    library: Library, files: Iterable[FilePage] = (), shown: str = "content"
) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """Every page at an address of its own, and a problem for each that would take another's.

    `files` are static ones, `shown` is how messages call the content folder.
    """
    named: _Named = {(ArticlePage, address): f"{shown}/{id}" for id, address in library.address.items()}
    named |= {(TextPage, urls.page(key)): f"{shown}/{about.id}" for key, about in library.about["page"].items()}
    return _apart(_pages(Cards(library)), files, named)


def site(library: Library) -> Site:
    """What every page shows."""
    config = library.config
    if config.navigation is not None:
        navigation = [Link(title=n.title, url=n.url) for n in config.navigation]
    else:
        sections = library.sections["category"].values() if config.has("category") else ()
        navigation = [Link(title=s.title, url=urls.section("category", s.key)) for s in sections][:12]
        places = {
            "topic": ("Topics", urls.TOPICS),
            "sources": ("Sources", urls.SOURCES),
            "archive": ("Archive", urls.ARCHIVE),
        }
        navigation += [Link(title=title, url=url) for kind, (title, url) in places.items() if config.has(kind)]
    own = [p for p in library.about["page"].values() if config.has("page")]
    navigation += [Link(title=p.title, url=urls.page(p.key)) for p in own if p.navigation]
    return Site(
        title=config.title,
        description=config.description,
        language=config.language,
        dir=config.dir,
        timezone=config.timezone,
        base=config.base,
        root=config.root,
        home=urls.HOME if config.has("home") else "",
        navigation=tuple(navigation),
        footer=tuple(Link(title=p.title, url=urls.page(p.key)) for p in own if not p.navigation),
        feeds=Cards(library).feeds(config.title, urls.HOME),
        images=config.images.show != "none",
        embeds=config.video.embed,
    )


def _apart(
    pages: Iterable[Page], files: Iterable[FilePage], named: _Named
) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """The pages that do not stand in another's way, even on a disk that ignores case; the first planned stays."""
    taken: dict[str, Page] = {}
    folders: dict[str, Page] = {}
    problems = []
    for page in [*pages, *files]:
        key = page.path.casefold()
        above = [key[:i] for i, c in enumerate(key) if c == "/"]
        other = taken.get(key) or folders.get(key) or next((taken[f] for f in above if f in taken), None)
        if other is None:
            taken[key] = page
            for folder in above:
                folders.setdefault(folder, page)
            continue
        what = f"would be written to {page.path}, where {_called(other, named)} is"
        hint = "rename one, or switch one kind off in site.toml"
        if isinstance(page, RedirectPage):
            field, hint = "aliases", "take it out: what stands there has an address of its own"
        else:
            field = ""
        problems.append(Problem(path=_called(page, named), field=field, what=what, hint=hint))
    return tuple(taken.values()), tuple(problems)


def _called(page: Page, named: _Named) -> str:
    """A page as the people of the site know it."""
    if isinstance(page, FilePage):
        return f"static/{page.source}"
    if isinstance(page, ArticlePage | TextPage):
        return named.get((type(page), page.head.address), page.path)
    if isinstance(page, RedirectPage):
        return named.get((ArticlePage, page.target)) or named.get((TextPage, page.target), page.target)
    return f"the page {page.head.title!r}" if isinstance(page, HtmlPage) else page.path


def _pages(cards: Cards) -> Iterator[Page]:
    library, has = cards.library, cards.has
    items = cards.items(library.members)
    sections = [s for axis in ("topic", "provider", "category") if has(axis) for s in library.sections[axis].values()]
    if has("home"):
        yield _home(cards, items)
    if has("topic"):
        yield from lists.topics(cards)
    for section in sections:
        yield from lists.section(cards, section)
    if has("archive"):
        yield from lists.archive(cards)
    if has("sources"):
        yield from lists.sources(cards)
    if has("story"):
        yield from storypages.pages(cards)
    if has("article"):
        earlier = _Earlier(cards)
        yield from (_article(cards, a, earlier) for a in library.articles)
    if has("page"):
        yield from _texts(cards)
    if has("404"):
        head = Head(title="Page not found", description="", address="/404.html", noindex=True)
        yield NotFoundPage(path="404.html", head=head)
    yield from feeds.pages(cards, items, sections)


def _home(cards: Cards, items: list[Item]) -> HomePage:
    library, config = cards.library, cards.config
    best = cards.ranked(items, TOP)
    pinned = ranking.pinned(map(ranking.members, items), library.clock)
    if pinned:
        first = library.story_of.get(pinned[0].id, pinned[0])
        best = [first, *(i for i in best if i is not first)][:TOP]
    recent = [m for m in library.members if library.clock - m.published < _WEEK]
    dated = ((k, m.published) for m in library.members for k in _telling(cards, m))
    rising = ranking.trending(dated, library.clock)
    active = Counter(m.provider for m in recent if m.provider)
    days = list(library.sections["day"].values())[-7:][::-1] if cards.has("archive") else []
    clusters = [cards.cluster(item, 6 if at == 0 else LINES) for at, item in enumerate(best)]
    head = Head(
        title=config.title,
        description=config.description,
        address=urls.HOME,
        image=clusters[0].lead.image if clusters else None,
    )
    return HomePage(
        path=urls.path(urls.HOME),
        head=head,
        lead=clusters[0] if clusters else None,
        top=tuple(clusters[1:]),
        blocks=tuple(_blocks(cards, recent, {m.id for item in best for m in ranking.members(item)})),
        river=tuple(cards.card(m) for m in library.members[: config.page_size]),
        trending=tuple(cards.link("topic", k) for k in rising[:8]),
        providers=tuple(cards.provider(p) for p, _ in sorted(active.items(), key=lambda a: (-a[1], a[0]))[:10]),
        days=tuple(map(lists.tally, days)),
    )


def _telling(cards: Cards, member: Member) -> frozenset[str]:
    """The topics of a member that tell it from others."""
    return frozenset(cards.topics(member)) - cards.everywhere


def _blocks(cards: Cards, recent: list[Member], shown: set[str]) -> Iterator[Block]:
    """The topics of the week, the busiest first, with what the page does not show yet."""
    busy = Counter(k for m in recent for k in _telling(cards, m))
    left = BLOCKS
    for key, _ in sorted(busy.items(), key=lambda b: (-b[1], b[0])):
        members = cards.library.sections["topic"][key].members
        fresh = [i for i in cards.items(members[:400]) if i.id not in shown]
        chosen = cards.ranked(fresh, BLOCK, frozenset({key}))
        if len(chosen) < BLOCK:
            continue
        shown = shown | {m.id for i in chosen for m in ranking.members(i)}
        link = cards.link("topic", key)
        yield Block(title=link.title, url=link.url, clusters=tuple(cards.cluster(i, 2) for i in chosen))
        left -= 1
        if not left:
            return


def _article(cards: Cards, article: Article, earlier: _Earlier) -> ArticlePage:
    library = cards.library
    card = cards.card(article)
    story = library.story_of.get(article.id)
    inside = {m.id for m in story.members} if story else {article.id}
    related = [library.by_id[id] for id in library.targets.get(article.id, ()) if id in library.by_id]
    address = library.address[article.id]
    head = Head(
        title=article.title,
        description=card.summary,
        address=address,
        image=article.image,
        lang=article.lang,
        dir=article.dir,
        noindex=bool(article.status) or bool(story and cards.has("story")),
        crumbs=cards.crumbs(*cards.way(article), Link(title=article.title, url=address)),
    )
    return ArticlePage(
        path=urls.path(address),
        head=head,
        card=card,
        excerpt=article.excerpt if not article.url else card.summary,
        updated=article.updated,
        category=cards.category(article),
        images=article.images,
        embed=article.embed,
        body=article.body,
        story=cards.cluster(story, 12) if story else None,
        related=tuple(cards.card(m) for m in related if m.id not in inside),
        earlier=tuple(earlier.blocks(article, inside)),
        extra=article.extra,
    )


class _Earlier:
    """The nearest older members of an article's provider and of its first topic; newer ones would change its page."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards
        self._place = {
            (axis, key, member.id): index
            for axis in ("provider", "topic")
            for key, section in cards.library.sections[axis].items()
            for index, member in enumerate(section.members)
        }

    def blocks(self, article: Article, seen: set[str]) -> Iterator[Block]:
        """What there is, without the members in `seen`."""
        cards = self._cards
        topics = cards.topics(article)
        for axis, key in (("provider", article.provider), ("topic", topics[0] if topics else "")):
            section = cards.library.sections[axis].get(key)
            if section is None:
                continue
            start = self._place[axis, key, article.id] + 1
            found = [m for m in section.members[start : start + 12] if m.id not in seen][:3]
            seen = seen | {m.id for m in found}
            if found:
                link = cards.link(axis, key)
                yield Block(title=link.title, url=link.url, clusters=tuple(map(cards.alone, found)))


def _texts(cards: Cards) -> Iterator[TextPage]:
    for about in cards.library.about["page"].values():
        address = urls.page(about.key)
        head = Head(
            title=about.title,
            description=about.description,
            address=address,
            image=about.image,
            crumbs=cards.crumbs(Link(title=about.title, url=address)),
        )
        yield TextPage(path=urls.path(address), head=head, title=about.title, body=about.body)

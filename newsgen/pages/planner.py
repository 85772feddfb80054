"""The library becomes pages: every page of the site, complete, before anything is rendered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from newsgen import urls
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import Article, Link, Section, Site
from newsgen.pages import articlepages, feeds, frontpage, lists, storypages
from newsgen.pages.cards import Cards
from newsgen.pages.keys import Keys
from newsgen.pages.kinds import (
    ArticlePage,
    FilePage,
    Head,
    HtmlPage,
    NotFoundPage,
    Page,
    RedirectPage,
    TextPage,
)
from newsgen.text import digest, digest_bytes

_Named: TypeAlias = dict[tuple[type[Page], str], str]
"""Which file of the site's people is behind a page: by its type and address."""


class PageRef(NamedTuple):
    """What is known of a page without having it."""

    path: str
    template: str
    digest: str

    @classmethod
    def of(cls, page: Page, data: bytes) -> PageRef:
        """What is known of a page; `data` is what it encodes to."""
        return cls(page.path, page.template, digest(data))


Known: TypeAlias = Mapping[bytes, tuple[PageRef, ...]]
"""The refs of the pages that were planned for a key."""


OnPage: TypeAlias = Callable[[PageRef, Page, bytes], None]
"""Receives a page when it is made, with its ref and its bytes."""


class Part(NamedTuple):
    """Pages that are always the same where the key is; b"" is no key."""

    key: bytes
    make: Callable[[], Iterable[Page]]


class Plan:
    """All pages of a site, each at an address of its own, and a problem for each that would take another's.

    A page is known by its ref; it is made where no earlier plan knew it, or when it is asked for.
    """

    def __init__(self, parts: Iterable[Part], named: _Named, known: Known, on_page: OnPage | None = None) -> None:
        self._on_page = on_page
        self._made: dict[str, Page] = {}
        self._part: dict[str, Part] = {}
        self._keyed: dict[bytes, tuple[PageRef, ...]] = {}
        refs: list[PageRef] = []
        every = []
        for part in parts:
            every.append(part)
            found = known.get(part.key) if part.key else None
            if found is None:
                found = tuple(map(self._ref, part.make()))
            if part.key:
                self._keyed[part.key] = found
            refs += found
            if len(found) == 1:
                self._part[found[0].path] = part
            else:
                self._part |= dict.fromkeys([ref.path for ref in found], part)
        self.refs = {ref.path: ref for ref in refs}
        self.problems: tuple[Problem, ...] = ()
        paths = [ref.path for ref in refs]
        # A key of no pages, for paths of which it is known that none is in another's way.
        apart = digest_bytes(b"apart" + "\0".join(paths).encode("utf-8", "surrogatepass"))
        if apart in known or not _in_the_way(paths):
            self._keyed[apart] = ()
        else:
            pages, self.problems = _apart((page for part in every for page in part.make()), named)
            self.refs = {page.path: self._ref(page) for page in pages}
            self._made = {page.path: page for page in pages}

    def _ref(self, page: Page) -> PageRef:
        data = page.encode()
        ref = PageRef.of(page, data)
        if self._on_page:
            self._on_page(ref, page, data)
        else:
            self._made[page.path] = page
        return ref

    def known(self) -> Known:
        """What the next plan need not make again."""
        return self._keyed

    def page(self, path: str) -> Page:
        """The page that is written to a path."""
        if path not in self._made:
            self._made |= {page.path: page for page in self._part[path].make()}
        return self._made[path]

    def pages(self) -> Iterator[Page]:
        """All pages."""
        return map(self.page, self.refs)


def plan(
    library: Library,
    files: Iterable[FilePage] = (),
    folder_name: str = "content",
    known: Known | None = None,
    on_page: OnPage | None = None,
    check_cancelled: Callable[[], None] | None = None,
) -> Plan:
    """The plan of a site. `files` are static ones, `folder_name` is how messages call the content folder.

    `known` are refs of an earlier plan by the same engine. Pages go to `on_page` where it is given, in which case some
    may be none of the plan in the end; otherwise the plan holds them. `check_cancelled` is asked again and again, and may raise.
    """
    named: _Named = {(ArticlePage, address): f"{folder_name}/{id}" for id, address in library.address.items()}
    named |= {(TextPage, urls.page(key)): f"{folder_name}/{about.id}" for key, about in library.about["page"].items()}
    parts = chain(_parts(Cards(library)), [Part(b"", lambda: files)])
    return Plan(_asking(parts, check_cancelled) if check_cancelled else parts, named, known or {}, on_page)


def _asking(parts: Iterable[Part], check_cancelled: Callable[[], None]) -> Iterator[Part]:
    for part in parts:
        check_cancelled()
        yield part


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


def early_pages(library: Library, paths: Collection[str]) -> Iterator[Page]:
    """Those of a few pages that can be made without a plan of all: the front page, stories, articles, and first pages of
    topics, providers and categories. Where two would be written to one path, only the plan knows which is."""
    cards = Cards(library)
    asked = {urls.address(path) for path in paths}
    if cards.has("home") and urls.HOME in asked:
        yield frontpage.page(cards, cards.items(library.members))
    for axis in ("topic", "provider", "category"):
        for key, section in library.sections[axis].items() if cards.has(axis) else ():
            if urls.section(axis, key) in asked:
                yield lists.first(cards, section)
    for story in library.stories:
        if cards.story_url(story) in asked:
            yield next(storypages.pages(cards, story))
    articles = [a for a in library.articles if library.address[a.id] in asked] if cards.has("article") else []
    if articles:
        earlier = articlepages.Earlier(cards)
        for article in articles:
            yield articlepages.page(cards, article, earlier)


def _in_the_way(paths: list[str]) -> bool:
    """Whether two pages cannot both be written, even on a disk that ignores case."""
    files = set(map(str.casefold, paths))
    folders: set[str] = set()
    above = files
    while above:
        above = {path.rpartition("/")[0] for path in above} - folders - {""}
        folders |= above
    return len(files) < len(paths) or not files.isdisjoint(folders)


def _apart(pages: Iterable[Page], named: _Named) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """The pages that do not stand in another's way; the first planned stays."""
    taken: dict[str, Page] = {}
    folders: dict[str, Page] = {}
    problems = []
    for page in pages:
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


def _parts(cards: Cards) -> Iterator[Part]:
    library, has, keys = cards.library, cards.has, Keys(cards)
    items = cards.items(library.members)
    sections = [s for axis in ("topic", "provider", "category") if has(axis) for s in library.sections[axis].values()]
    if has("home"):
        yield Part(b"", lambda: [frontpage.page(cards, items)])
    if has("topic"):
        yield Part(b"", lambda: lists.topics(cards))
    if has("archive"):
        yield Part(b"", lambda: lists.archive(cards))
    # In the order of time, pages that show the same cards are rendered near to each other.
    yield from (part for _, part in sorted(_lists(cards, sections, keys), key=itemgetter(0), reverse=True))
    if has("sources"):
        yield Part(b"", lambda: lists.sources(cards))
    if has("story"):
        for story in library.stories:
            yield Part(keys.story(story), partial(storypages.pages, cards, story))
    if has("article"):
        earlier = articlepages.Earlier(cards)
        for article, key in keys.articles(earlier.places):
            yield Part(key, partial(_article, cards, article, earlier))
    if has("page"):
        yield Part(b"", lambda: _texts(cards))
    if has("404"):
        head = Head(title="Page not found", description="", address="/404.html", noindex=True)
        yield Part(b"", lambda: [NotFoundPage(path="404.html", head=head)])
    yield Part(b"", lambda: feeds.site(cards, items))
    named, alone = feeds.redirects(cards)
    if library.config.redirects.pages:
        yield Part(keys.redirects(alone | named), lambda: feeds.stubs(alone | named))
    lines = named if library.config.redirects.pages else alone | named
    yield Part(b"", lambda: feeds.single(cards, sections, lines))


def _lists(cards: Cards, sections: list[Section], keys: Keys) -> Iterator[tuple[datetime, Part]]:
    """The pages of sections and days, each with the time of the newest member on it."""
    found: Iterable[tuple[Section, Link | None, Link | None]] = [(section, None, None) for section in sections]
    if cards.has("archive"):
        found = chain(found, lists.neighbours(cards))
    size = cards.config.page_size
    for section, before, after in found:
        others = lists.lately(section) if section.axis == "day" else ()
        key = keys.section(section, before, after, *others)
        yield section.members[0].published, Part(key, partial(_first, cards, section, before, after))
        last = lists.last(section, size)
        for number in range(1, last + 1):
            slots = lists.slots(section, size, number)
            key = keys.numbered(section, number, slots, newest=number == last)
            page = partial(_numbered, cards, section, number)
            yield section.members[slots.start].published, Part(key, page)


def _first(cards: Cards, section: Section, before: Link | None, after: Link | None) -> Iterator[Page]:
    yield lists.first(cards, section, before, after)
    yield from feeds.section(cards, section)


def _numbered(cards: Cards, section: Section, number: int) -> list[Page]:
    return [lists.numbered(cards, section, number)]


def _article(cards: Cards, article: Article, earlier: articlepages.Earlier) -> list[Page]:
    return [articlepages.page(cards, article, earlier)]


def _texts(cards: Cards) -> Iterator[TextPage]:
    for about in cards.library.about["page"].values():
        address = urls.page(about.key)
        head = Head(
            title=about.title,
            description=about.description,
            address=address,
            image=about.image,
            breadcrumbs=cards.breadcrumbs(Link(title=about.title, url=address)),
        )
        yield TextPage(path=urls.path(address), head=head, title=about.title, body=about.body)

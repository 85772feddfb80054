"""Plans all pages of a site, before any page is rendered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from newsgen import urls
from newsgen.errors import Problem
from newsgen.hosts import effective_lines
from newsgen.library import Library
from newsgen.model import Article, Link, Section, Site
from newsgen.pages import articlepages, feeds, frontpage, lists, storypages
from newsgen.pages.cards import Cards
from newsgen.pages.feeds import Redirect
from newsgen.pages.keys import Keys
from newsgen.pages.kinds import (
    ArticlePage,
    AtomFeed,
    FilePage,
    Head,
    HeadersPage,
    HtmlPage,
    JsonFeed,
    NotFoundPage,
    OpmlPage,
    Page,
    RobotsPage,
    RssFeed,
    SitemapIndex,
    SitemapPage,
    StoryPage,
    TextPage,
)
from newsgen.text import digest, digest_bytes

_SourceFiles: TypeAlias = dict[tuple[type[Page], str], str]
"""The content file that a page is made from, by the page's type and address; for messages."""


class PageRef(NamedTuple):
    """Enough to decide whether a page is stale, without the page itself."""

    path: str
    template: str
    digest: str

    @classmethod
    def of(cls, page: Page, data: bytes) -> PageRef:
        """The ref of a page that encodes to `data`."""
        return cls(page.path, page.template, digest(data))


Known: TypeAlias = Mapping[bytes, tuple[PageRef, ...]]
"""The refs of planned pages by the cache key of their part."""


OnPage: TypeAlias = Callable[[PageRef, Page, bytes], None]
"""Called with each page that is made, its ref and its encoded form."""


class Part(NamedTuple):
    """Pages that are planned together under one cache key. With the key b"" they are always made."""

    key: bytes
    make: Callable[[], Iterable[Page]]


class Plan:
    """All pages of a site, as refs, and a problem for each page or alias whose path is taken.

    A page is made only if `known` does not contain the refs of its part, or if it is requested. `redirects` are the
    redirects to plan, later those whose old address is free; `redirect_parts` turns these into parts.
    """

    def __init__(
        self,
        parts: Iterable[Part],
        redirects: tuple[Redirect, ...],
        redirect_parts: Callable[[tuple[Redirect, ...]], Iterable[Part]],
        source_files: _SourceFiles,
        known: Known,
        on_page: OnPage | None = None,
    ) -> None:
        self._on_page = on_page
        self._made: dict[str, Page] = {}
        self._part_of: dict[str, Part] = {}
        self._refs_by_key: dict[bytes, tuple[PageRef, ...]] = {}
        self.problems: tuple[Problem, ...] = ()
        self.redirects = redirects
        all_parts: list[Part] = []
        refs: list[PageRef] = []
        for part in parts:
            all_parts.append(part)
            refs += self._part_refs(part, known)
        self.refs = {ref.path: ref for ref in refs}
        paths = [ref.path for ref in refs]
        # An old address is in use even if there is no stub: some hosts prefer `_redirects` to a page.
        olds = [path for path, _ in dict.fromkeys([(redirect.stub, redirect.new) for redirect in redirects])]
        if "_redirects" not in self.refs:
            olds.append("_redirects")
        # A key without pages records that these paths do not conflict.
        every = "\0".join([*paths, "", *olds])
        no_conflict = digest_bytes(b"apart" + every.encode("utf-8", "surrogatepass"))
        if no_conflict in known or not _have_conflict(paths + olds):
            self._refs_by_key[no_conflict] = ()
        else:
            if _have_conflict(paths):
                pages, self.problems = _resolve_conflicts(
                    (page for part in all_parts for page in part.make()), source_files
                )
                self.refs = {page.path: self._ref(page) for page in pages}
                self._made = {page.path: page for page in pages}
            self.redirects = self._free_redirects(redirects, source_files)
        for part in redirect_parts(self.redirects):
            self.refs |= {ref.path: ref for ref in self._part_refs(part, known)}

    def _part_refs(self, part: Part, known: Known) -> tuple[PageRef, ...]:
        """The refs of a part, whose pages are made only if they are not known."""
        refs = known.get(part.key) if part.key else None
        if refs is None:
            refs = tuple(map(self._ref, part.make()))
        if part.key:
            self._refs_by_key[part.key] = refs
        if len(refs) == 1:
            self._part_of[refs[0].path] = part
        else:
            self._part_of |= dict.fromkeys([ref.path for ref in refs], part)
        return refs

    def _free_redirects(self, redirects: tuple[Redirect, ...], source_files: _SourceFiles) -> tuple[Redirect, ...]:
        """The redirects whose old address is neither a page's nor another redirect's. Adds a problem for each alias."""
        taken: dict[str, str | Redirect] = {path.casefold(): path for path in (*self.refs, "_redirects")}
        folders = {key[:i]: other for key, other in reversed(taken.items()) for i, c in enumerate(key) if c == "/"}
        free, problems = [], []
        for redirect in redirects:
            key = redirect.stub.casefold()
            parents = [key[:i] for i, c in enumerate(key) if c == "/"]
            other = taken.get(key) or folders.get(key) or next((taken[p] for p in parents if p in taken), None)
            if other is None:
                taken[key] = redirect
                folders |= {parent: redirect for parent in parents if parent not in folders}
                free.append(redirect)
            elif isinstance(other, Redirect) and (other.stub.casefold(), other.new) == (key, redirect.new):
                free.append(redirect)  # another spelling of the same alias
            elif redirect.file:
                if isinstance(other, Redirect):
                    what = f"is in use by the alias {other.old!r} of {other.file}"
                elif other == urls.path(redirect.new):
                    what = "is the page's own address"
                else:
                    page = self.page(other) if other in self.refs else None
                    what = f"is the address of {_source_name(page, source_files) if page else other}"
                what = f"{redirect.old!r} {what}"
                problems.append(
                    Problem(path=redirect.file, field="aliases", what=what, hint="remove this alias", scope="value")
                )
        self.problems += tuple(problems)
        return tuple(free)

    def _ref(self, page: Page) -> PageRef:
        data = page.encode()
        ref = PageRef.of(page, data)
        if self._on_page:
            self._on_page(ref, page, data)
        else:
            self._made[page.path] = page
        return ref

    def known(self) -> Known:
        """The refs by cache key, for the next plan."""
        return self._refs_by_key

    def page(self, path: str) -> Page:
        """The page at a path."""
        if path not in self._made:
            self._made |= {page.path: page for page in self._part_of[path].make()}
        return self._made[path]

    def pages(self) -> Iterator[Page]:
        """All pages, made if necessary."""
        return map(self.page, self.refs)


def plan(
    library: Library,
    files: Iterable[FilePage] = (),
    folder_name: str = "content",
    known: Known | None = None,
    on_page: OnPage | None = None,
    check_cancelled: Callable[[], None] | None = None,
    own_redirects: str = "",
) -> Plan:
    """Plans a site. `files` are its static files, and `folder_name` is the content folder as messages name it.

    `own_redirects` is the text of the site's own `_redirects`; that of the plan contains it.

    `known` are the refs of an earlier plan by the same engine. If `on_page` is given, it receives the pages that are
    made, even those that a conflict removes from the plan later; otherwise the plan holds them. `check_cancelled` is
    called before each part and may raise.
    """
    source_files: _SourceFiles = {
        (ArticlePage, address): f"{folder_name}/{id}" for id, address in library.address.items()
    }
    source_files |= {(StoryPage, address): file for (_, address), file in source_files.items()}
    source_files |= {
        (TextPage, urls.page(key)): f"{folder_name}/{about.id}" for key, about in library.about["page"].items()
    }
    cards = Cards(library)
    files = tuple(files)
    has_lines = feeds.has_redirects_file(cards)
    if has_lines:
        files = tuple(file for file in files if file.path != "_redirects")

    def redirect_parts(redirects: tuple[Redirect, ...]) -> Iterator[Part]:
        if library.config.redirects.pages:
            stubs = feeds.stubs(redirects)
            yield Part(Keys.redirects(stubs), lambda: feeds.stub_pages(stubs))
        if has_lines:
            lines = feeds.redirect_lines(cards, redirects, own_redirects)
            yield Part(b"", lambda: [feeds.redirects_file(lines, own_redirects)])

    parts = chain(_parts(cards, files), [Part(b"", lambda: files)])
    planned = Plan(
        _checked(parts, check_cancelled) if check_cancelled else parts,
        feeds.redirects(cards, folder_name),
        redirect_parts,
        source_files,
        known or {},
        on_page,
    )
    if not library.config.redirects.pages:
        planned.problems += tuple(_unanswered(cards, planned.redirects, own_redirects))
    return planned


def _unanswered(cards: Cards, redirects: Iterable[Redirect], own: str) -> Iterator[Problem]:
    """A problem for each alias, and one for all addresses of articles, that has neither a stub nor a line."""
    host = cards.config.limits
    answered = {line.old for line in feeds.redirect_lines(cards, redirects, own)}
    if host is None or host.reads_redirects:
        answered |= {
            urls.spelled(rule.split()[0].removeprefix(cards.config.root[:-1])) for rule in effective_lines(own)
        }
    missing = [redirect for redirect in redirects if redirect.old not in answered]
    if host and not host.reads_redirects:
        why = f"{host.title} does not read `_redirects`"
    elif host and feeds.has_redirects_file(cards):
        why = f"`_redirects` holds as much as {host.title} reads"
    else:
        why = "`_redirects` is left out too"
    hint = "set `pages = true` in [redirects]"
    for redirect in missing:
        if redirect.file:
            what = f"{redirect.old!r} would not answer: there are no stubs, and {why}"
            yield Problem(path=redirect.file, field="aliases", what=what, hint=hint, scope="value")
    others = sum(not redirect.file for redirect in missing)
    if others:
        addresses = "1 address" if others == 1 else f"{others:,} addresses"
        what = f"{addresses} of articles would not answer: there are no stubs, and {why}"
        yield Problem(path="site.toml", field="redirects.pages", what=what, hint=hint, scope="value")


def _checked(parts: Iterable[Part], check_cancelled: Callable[[], None]) -> Iterator[Part]:
    for part in parts:
        check_cancelled()
        yield part


def site(library: Library) -> Site:
    """The values that every page shows."""
    config, cards = library.config, Cards(library)
    if config.navigation is not None:
        navigation = [Link(title=n.title, url=urls.spelled(n.url) or n.url) for n in config.navigation]
    else:
        sections = library.sections["category"].values() if config.has("category") else ()
        navigation = [Link(title=s.title, url=urls.section("category", s.key)) for s in sections][:12]
        indexes = {
            "topic": ("Topics", urls.TOPICS),
            "sources": ("Sources", urls.SOURCES),
            "archive": ("Archive", urls.ARCHIVE),
        }
        navigation += [Link(title=title, url=url) for kind, (title, url) in indexes.items() if config.has(kind)]
    text_pages = [p for p in library.about["page"].values() if config.has("page")]
    navigation += [Link(title=p.title, url=urls.page(p.key)) for p in text_pages if p.navigation]
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
        footer=tuple(Link(title=p.title, url=urls.page(p.key)) for p in text_pages if not p.navigation),
        feeds=cards.feeds(config.title, urls.HOME, cards.feed_formats),
        images=config.images.show != "none",
        embeds=config.video.embed,
    )


def early_pages(library: Library, paths: Collection[str]) -> Iterator[Page]:
    """Makes the pages at these paths without a plan, as far as that is possible.

    It is possible for the front page, stories, articles, and the first pages of topics, providers and categories. If
    two pages have the same path, both are made: only a plan resolves conflicts.
    """
    cards = Cards(library)
    addresses = {urls.address(path) for path in paths}
    if cards.has("home") and urls.HOME in addresses:
        yield frontpage.page(cards, cards.items(library.members))
    for axis in ("topic", "provider", "category"):
        for key, section in library.sections[axis].items() if cards.has(axis) else ():
            if urls.section(axis, key) in addresses:
                yield lists.first(cards, section)
    for story in library.stories:
        if cards.story_url(story) in addresses:
            yield next(storypages.pages(cards, story))
    articles = [a for a in library.articles if library.address[a.id] in addresses and cards.has_page(a)]
    if articles:
        earlier = articlepages.Earlier(cards)
        for article in articles:
            yield articlepages.page(cards, article, earlier)


def _have_conflict(paths: list[str]) -> bool:
    """Whether two paths are the same, or one is a folder of the other, on a disk that ignores case."""
    files = set(map(str.casefold, paths))
    folders: set[str] = set()
    parents = files
    while parents:
        parents = {path.rpartition("/")[0] for path in parents} - folders - {""}
        folders |= parents
    return len(files) < len(paths) or not files.isdisjoint(folders)


_KINDS: Mapping[type[Page], str] = {
    RobotsPage: "robots",
    HeadersPage: "headers",
    NotFoundPage: "404",
    OpmlPage: "opml",
    SitemapIndex: "sitemap",
    SitemapPage: "sitemap",
    RssFeed: "rss",
    AtomFeed: "atom",
    JsonFeed: "jsonfeed",
}
"""The page kinds of files that a site may want to write itself."""


def _resolve_conflicts(
    pages: Iterable[Page], source_files: _SourceFiles
) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """The pages without conflicts, and a problem for each page left out. The page that is planned first stays."""
    taken: dict[str, Page] = {}
    folders: dict[str, Page] = {}
    problems = []
    for page in pages:
        key = page.path.casefold()
        parents = [key[:i] for i, c in enumerate(key) if c == "/"]
        other = taken.get(key) or folders.get(key) or next((taken[f] for f in parents if f in taken), None)
        if other is None:
            taken[key] = page
            for folder in parents:
                folders.setdefault(folder, page)
            continue
        what = f"cannot be written to {page.path}, because {_source_name(other, source_files)} is there"
        hint = "rename one, or disable one kind with disable_kinds in site.toml"
        if isinstance(page, FilePage) and (kind := _KINDS.get(type(other))):
            hint = f'remove it, or leave out newsgen\'s own with disable_kinds = ["{kind}"] in site.toml'
        problems.append(Problem(path=_source_name(page, source_files), what=what, hint=hint))
    return tuple(taken.values()), tuple(problems)


def _source_name(page: Page, source_files: _SourceFiles) -> str:
    """The file that a page is made from, or else a description of the page; for messages."""
    if isinstance(page, FilePage):
        return f"static/{page.source}"
    if isinstance(page, ArticlePage | StoryPage | TextPage):
        return source_files.get((type(page), page.head.address), page.path)
    return f"the page {page.head.title!r}" if isinstance(page, HtmlPage) else page.path


def _parts(cards: Cards, files: tuple[FilePage, ...]) -> Iterator[Part]:
    library, has, keys = cards.library, cards.has, Keys(cards)
    items = cards.items(library.members)
    sections = [s for axis in ("topic", "provider", "category") if has(axis) for s in library.sections[axis].values()]
    if has("home"):
        yield Part(b"", lambda: [frontpage.page(cards, items)])
    if has("topic"):
        yield Part(b"", lambda: lists.topics(cards))
    if has("archive"):
        yield Part(b"", lambda: lists.archive(cards))
    # Sorted by time, so that pages that show the same cards are rendered soon after each other.
    yield from (part for _, part in sorted(_lists(cards, sections, keys), key=itemgetter(0), reverse=True))
    if has("sources"):
        yield Part(b"", lambda: lists.sources(cards))
    for story in library.stories:
        yield Part(keys.story(story), partial(storypages.pages, cards, story))
    earlier = articlepages.Earlier(cards)
    for article, key in keys.articles(earlier.sections):
        yield Part(key, partial(_article, cards, article, earlier))
    if has("page"):
        yield Part(b"", lambda: _text_pages(cards))
    if has("404"):
        head = Head(title="Page not found", description="", address="/404.html", noindex=True)
        yield Part(b"", lambda: [NotFoundPage(path="404.html", head=head)])
    yield Part(b"", lambda: feeds.site(cards, items))
    fingerprinted = [file.path for file in files if file.path != file.source]
    yield Part(b"", lambda: feeds.site_files(cards, sections, fingerprinted))


def _lists(cards: Cards, sections: list[Section], keys: Keys) -> Iterator[tuple[datetime, Part]]:
    """The parts of sections and days, each with the time of its newest member."""
    with_neighbours: Iterable[tuple[Section, Link | None, Link | None]] = [
        (section, None, None) for section in sections
    ]
    if cards.has("archive"):
        with_neighbours = chain(with_neighbours, lists.days_with_neighbours(cards))
    size = cards.config.page_size
    for section, before, after in with_neighbours:
        others = lists.previous_days(section) if section.axis == "day" else ()
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


def _text_pages(cards: Cards) -> Iterator[TextPage]:
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

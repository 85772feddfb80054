"""Plans the pages of a site that an update can have changed, before any page is rendered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import takewhile
from operator import attrgetter, itemgetter
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from newsgen import locales, times, urls
from newsgen.errors import Problem
from newsgen.hosts import effective_lines
from newsgen.library import IndexRow, Library, Reached
from newsgen.model import Brand, Link, Site
from newsgen.pages import feeds, reach
from newsgen.pages.cards import Cards
from newsgen.pages.feeds import Shard, SitemapRow
from newsgen.pages.kinds import (
    ArticlePage,
    AtomFeed,
    AttachmentPage,
    FilePage,
    GonePage,
    HeadersPage,
    HtmlPage,
    JsonFeed,
    ManifestPage,
    NewsSitemap,
    NotFoundPage,
    OpmlPage,
    Page,
    PluginFile,
    PluginPage,
    RedirectPage,
    RobotsPage,
    RssFeed,
    SearchIndex,
    SearchPage,
    SitemapIndex,
    SitemapPage,
    StoryPage,
    StylesPage,
    TextPage,
)
from newsgen.pages.parts import PartPages, Parts, SectionPlan
from newsgen.pages.plugged import PageMaker
from newsgen.pages.redirects import (
    Redirect,
    has_redirects_file,
    may_have_line,
    redirect_lines,
    stub_pages,
    stubs,
)
from newsgen.store import Rows, StoredRow
from newsgen.text import digest

T = TypeVar("T")

SECTIONS = 12
"""The maximum number of categories in the navigation; an index has all of them."""

_encode = msgspec.msgpack.Encoder().encode


class PageRef(NamedTuple):
    """Enough to decide whether a page is stale, without the page itself."""

    path: str
    template: str
    digest: str

    @classmethod
    def of(cls, page: Page, data: bytes) -> PageRef:
        """The ref of a page that encodes to `data`."""
        return cls(page.path, page.template, digest(data))


OnPage: TypeAlias = Callable[[PageRef, Page, bytes], None]
"""Called with each page that is made, its ref and its encoded form."""


class PathRow(StoredRow, frozen=True):
    """A path that a part plans.

    `folded` is the path without case, by which paths conflict on some disks. `is_page` is False for an old address that
    only a line in `_redirects` answers.
    """

    folded: str
    path: str
    part: str
    is_page: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return self.folded, self.path, self.part


class RedirectRow(StoredRow, frozen=True):
    """A redirect that may have a line in `_redirects`; see `redirects.may_have_line`."""

    redirect: Redirect
    part: str

    @property
    def key(self) -> tuple[str, str]:
        return self.redirect.old, self.part


class Made(msgspec.Struct, array_like=True, frozen=True):
    """What a part made: the paths of its pages, the redirects that may have a line, and its entry in a sitemap.

    `indexed` are the addresses of those pages of a plugin that search engines may show.
    """

    paths: tuple[str, ...]
    redirects: tuple[Redirect, ...] = ()
    listed: SitemapRow | None = None
    indexed: tuple[str, ...] = ()


class Plan:
    """The pages of a site.

    `refs` are those of the pages that were made, by path; if the plan `is_whole`, these are all. `removed` are paths
    that are planned no longer. `problems` has one for each page or alias whose path is taken.
    """

    def __init__(
        self,
        library: Library,
        reached: Reached,
        files: Iterable[FilePage | StylesPage] = (),
        folder_name: str = "content",
        *,
        whole: bool = False,
        remake: Iterable[str] = (),
        on_page: OnPage | None = None,
        check_cancelled: Callable[[], None] | None = None,
        own_redirects: str = "",
        policy: str = "",
        plugins: Iterable[PageMaker] = (),
        has_same_plugins: bool = True,
    ) -> None:
        """`files` are the site's static files and the style sheet of its look, and `folder_name` is the content folder as
        messages name it.

        With `whole`, all pages are planned. `remake` are paths whose pages must be made although nothing reached them.
        `on_page`, if given, receives the pages that are made, even those that a conflict removes from the plan later;
        otherwise the plan holds them. `check_cancelled` is called before each part and may raise. `own_redirects` is
        the text of the site's own `_redirects`; that of the plan contains it. `policy` is the content security policy.
        `plugins` are those that have pages; without `has_same_plugins`, their pages may differ because their code does.
        """
        self._library, self._cards, self._store = library, Cards(library), library.store
        self._parts = Parts(self._cards, files, folder_name, own_redirects, policy, plugins)
        self._folder_name, self._on_page = folder_name, on_page
        self._check_cancelled = check_cancelled or (lambda: None)
        self.refs: dict[str, PageRef] = {}
        self.removed: list[str] = []
        self.problems: tuple[Problem, ...] = ()
        self._made: dict[str, Page] = {}
        self._part_of: dict[str, str] = {}
        self._paths = Rows(self._store, "paths", PathRow)
        self._sitemap = Rows(self._store, "sitemap", SitemapRow)
        self._redirects = Rows(self._store, "redirects", RedirectRow)
        self._shards: dict[str, Shard] = {}
        self._modified: dict[str, Any] = library.get("sitemaps", dict[str, datetime], {})
        self._sections: dict[str, SectionPlan] = library.get("planned", dict[str, SectionPlan], {})
        self._parts.sections = self._sections
        self._count = library.get("pages", int, 0)
        self._has_stubs = library.config.redirects.pages
        self.is_whole = whole or reached.everything or not library.get("no conflict", bool, False)
        if not self.is_whole:
            makers = self._parts.plugins.values()
            names = reach.parts(self._cards, reached, self._sections, self._parts.search, makers)
            names += [] if has_same_plugins else self._plugin_parts
            names += [row.part for path in remake for row in self._at(path)]
            self.is_whole = not self._plan(dict.fromkeys(names))
        redirects = self._plan_whole() if self.is_whole else None
        if not self._has_stubs:
            left = self._known() if redirects is None else redirects
            self.problems += tuple(_unanswered(self._cards, left, own_redirects))
        for name in self._plugin_parts:
            self.problems += library.get(f"problems {name}", tuple[Problem, ...], ())

    @property
    def _plugin_parts(self) -> list[str]:
        return [f"plugin {name}" for name in self._parts.plugins]

    # Planning

    def _plan(self, names: Iterable[str]) -> bool:
        """Plans these parts. Returns False if one of their paths conflicts with another."""
        old, new = self._make_parts(names)
        known, kept = {row.key for row in old}, {row.key for row in new}
        self._paths.edit(known - kept, [row for row in new if row.key not in known])
        if self._parts.is_ambiguous or any(self._conflicts(row) for row in new if row.key not in known):
            return False
        before = [row.path for row in old if row.is_page]
        planned = {row.path for row in new if row.is_page}
        self.removed = [path for path in before if path not in planned]
        self._count += len(planned) - len(before)
        return True

    def _plan_whole(self) -> tuple[Redirect, ...] | None:
        """Plans all parts, and resolves conflicts between their paths. Returns the redirects that these leave, if any."""
        self._parts.search.clear()
        dated = [*reach.everything(self._cards, self._parts.search, self._parts.plugins)]
        names = [name for _, name in dated]
        before = list(self._paths.ascending())
        for part in {row.part for row in before} - {*names}:
            self._store.put(f"made {part}", None)
        self.refs, self._part_of, self._made = {}, {}, {}
        self._sections.clear()
        for rows in (self._sitemap, self._redirects):
            rows.edit([row.key for row in rows.ascending()], ())
        self._modified = {}
        for name in names:
            self._store.put(f"made {name}", None)
        _, after = self._make_parts([name for _, name in sorted(dated, key=itemgetter(0), reverse=True)])
        self._paths.edit([row.key for row in before], after)
        # An old address is in use even if there is no stub: some hosts prefer `_redirects` to a page.
        paths = [row.path for row in after] + (["_redirects"] if "_redirects" not in self.refs else [])
        has_conflict = self._parts.is_ambiguous or _have_conflict(paths)
        self._store.put("no conflict", _encode(not has_conflict))
        return self._resolve(names) if has_conflict else None

    def _make_parts(self, names: Iterable[str]) -> tuple[list[PathRow], list[PathRow]]:
        """Makes parts, and the files that list them. Returns the rows of their paths before and after."""
        old: list[PathRow] = []
        new: list[PathRow] = []
        unlisted: list[Any] = []
        listed: list[SitemapRow] = []

        def make(name: str) -> tuple[Made | None, Made | None]:
            before, after = self._make_part(name)
            old.extend(self._path_rows(name, before))
            new.extend(self._path_rows(name, after))
            return before, after

        edits: tuple[list[Any], list[RedirectRow]] = [], []
        for name in names:
            if name == "lines" or name.startswith("sitemap"):
                continue
            self._check_cancelled()
            before, after = make(name)
            entries = [made.listed if made else None for made in (before, after)]
            if entries[0] != entries[1]:
                unlisted += [row.key for row in entries[:1] if row]
                listed += [row for row in entries[1:] if row]
            redirects = [made.redirects if made else () for made in (before, after)]
            if redirects[0] != redirects[1]:
                edits[0].extend(RedirectRow(redirect, name).key for redirect in redirects[0])
                edits[1].extend(RedirectRow(redirect, name) for redirect in redirects[1])
        self._redirects.edit(*edits)
        make("lines")
        if feeds.has_sitemap(self._cards):
            for name in dict.fromkeys([*self._list(unlisted, listed), *(n for n in names if n.startswith("sitemap "))]):
                make(name)
        return old, new

    def _known(self) -> list[Redirect]:
        """The redirects that may have a line, by old address."""
        return [row.redirect for row in self._redirects.ascending()]

    def _list(self, unlisted: list[Any], listed: list[SitemapRow]) -> Iterator[str]:
        """Changes the entries of sitemaps. Returns the names of the sitemaps that differ, and last of their index."""
        rows, months = self._sitemap, dict[str, int]()
        moved = {*unlisted} ^ {row.key for row in listed}
        touched: set[int] = set()
        rows.edit(unlisted, listed)
        for key in (*unlisted, *(row.key for row in listed)):
            place, month = rows.position(key), self._library.day(key[0])[:7]
            if key in moved:
                months[month] = min(place, months.get(month, place))
            else:
                touched.add(place)
        self._shards = {shard.address: shard for shard in feeds.shards(self._cards, rows)}
        for address, shard in self._shards.items():
            is_moved = shard.month in months and shard.stop >= months[shard.month]
            if is_moved or address not in self._modified or any(shard.start <= p < shard.stop for p in touched):
                yield f"sitemap {address}"
        yield from (f"sitemap {address}" for address in self._modified if address not in self._shards)
        yield "sitemaps"

    def _make_part(self, name: str) -> tuple[Made | None, Made | None]:
        """Makes the pages of a part. Returns what it made at the last build, and now."""
        pages, redirects, listed, section, problems = self._make(name)
        redirects = tuple(redirect for redirect in redirects if may_have_line(self._cards, redirect))
        kind, _, of = name.partition(" ")
        if kind == "first":
            self._sections.pop(of, None)
            if section:
                self._sections[of] = section
        if kind == "plugin":
            self._store.put(f"problems {name}", _encode(problems) if problems else None)
        for page in pages:
            data = page.encode()
            ref = self.refs[page.path] = PageRef.of(page, data)
            self._part_of[page.path] = name
            if self._on_page:
                self._on_page(ref, page, data)
            else:
                self._made[page.path] = page
        before = self._library.get(f"made {name}", Made, None)
        indexed = tuple(p.head.address for p in pages if isinstance(p, PluginPage) and not p.head.noindex)
        after = Made(tuple(p.path for p in pages), redirects, listed, indexed) if pages or redirects else None
        if before != after:
            self._store.put(f"made {name}", _encode(after) if after else None)
        return before, after

    def _make(self, name: str) -> PartPages:
        kind, _, address = name.partition(" ")
        if kind == "sitemap":
            shard = self._shards.get(address)
            self._modified.pop(address, None)
            if shard is None:
                return PartPages()
            page = feeds.shard_page(self._sitemap, shard)
            self._modified[address] = max(entry.modified for entry in page.entries if entry.modified)
            return PartPages((page,))
        if kind == "lines":
            return PartPages(tuple(self._parts.lines(self._known())))
        if kind == "sitemaps":
            lists = feeds.sitemap_of_lists(self._cards, self._plugin_addresses())
            modified = {address: self._modified[address] for address in self._shards}
            news = feeds.news_sitemap(self._cards, self._sitemap)
            return PartPages((lists, feeds.sitemap_index(lists, news, modified), news))
        return self._parts.make(name)

    def _plugin_addresses(self) -> Iterator[str]:
        """The addresses of the pages of plugins that search engines may show."""
        for name in self._plugin_parts:
            made = self._library.get(f"made {name}", Made, None)
            yield from made.indexed if made else ()

    def _path_rows(self, part: str, made: Made | None) -> list[PathRow]:
        """The rows of the paths that a part has, among them those of stubs that it would have if the site had any."""
        if made is None:
            return []
        olds = () if self._has_stubs else stubs(made.redirects)
        return [
            PathRow(folded=path.casefold(), path=path, part=part, is_page=is_page)
            for paths, is_page in ((made.paths, True), (olds, False))
            for path in paths
        ]

    # Conflicts

    def _at(self, path: str) -> list[PathRow]:
        """The rows of a path."""
        return [row for row in _rows_at(self._paths, path) if row.path == path]

    def _conflicts(self, row: PathRow) -> bool:
        """Whether another part has a path, a folder of it, or a file in it."""
        for folded in (row.folded, *_folders(row.folded)):
            for other in self._paths.ascending((folded, "", "")):
                if other.folded != folded:
                    break
                if other.key != row.key:
                    return True
        below = next(self._paths.ascending((row.folded + "/", "", "")), None)
        is_reserved = row.folded == "_redirects" and "_redirects" not in self.refs
        return is_reserved or (below is not None and below.folded.startswith(row.folded + "/"))

    def _resolve(self, names: Iterable[str]) -> tuple[Redirect, ...]:
        """Leaves out the pages, and then the redirects, whose path is taken. Returns the redirects that stay."""
        sitemaps = [f"sitemap {address}" for address in self._shards]
        if sitemaps:
            sitemaps.append("sitemaps")
        aliases: list[Redirect] = []
        others: list[Redirect] = []

        def made() -> Iterator[Page]:
            for name in (*names, *sitemaps):
                made = self._make(name)
                for redirect in made.redirects:
                    (aliases if redirect.file else others).append(redirect)
                yield from (page for page in made.pages if not isinstance(page, RedirectPage | GonePage))

        pages, self.problems = self._without_conflicts(made())
        self._made = {page.path: page for page in pages}
        aliases.sort(key=attrgetter("old"))
        taken = {alias.stub for alias in aliases}
        redirects = self._free_redirects([*aliases, *(redirect for redirect in others if redirect.stub not in taken)])
        if self._has_stubs:
            self._made |= {page.path: page for page in stub_pages(self._cards, stubs(redirects))}
        self._made |= {page.path: page for page in self._parts.lines(redirects)}
        self.refs = {path: PageRef.of(page, page.encode()) for path, page in self._made.items()}
        return redirects

    def _free_redirects(self, redirects: Iterable[Redirect]) -> tuple[Redirect, ...]:
        """The redirects whose old address is neither a page's nor another redirect's. Adds a problem for each alias."""
        taken = _Taken[str | Redirect]()
        for path in (*self._made, "_redirects"):
            taken.add(path, path)
        free, problems = [], []
        for redirect in redirects:
            other, key = taken.owner(redirect.stub), redirect.stub.casefold()
            if other is None:
                taken.add(redirect.stub, redirect)
                free.append(redirect)
            elif isinstance(other, Redirect) and (other.stub.casefold(), other.new) == (key, redirect.new):
                free.append(redirect)  # another spelling of the same alias
            elif redirect.file:
                if isinstance(other, Redirect):
                    alias = "the alias " if other.field == "aliases" else ""
                    what = f"is in use by {alias}{other.old!r} of {other.file}"
                elif other == urls.path(redirect.new):
                    what = "is the page's own address"
                else:
                    page = self._made.get(other)
                    what = f"is the address of {self._source_name(page) if page else other}"
                what = f"{redirect.old!r} {what}"
                hint = "remove this alias" if redirect.field == "aliases" else "remove it"
                problems.append(Problem(path=redirect.file, field=redirect.field, what=what, hint=hint, scope="value"))
        self.problems += tuple(problems)
        return tuple(free)

    def _without_conflicts(self, pages: Iterable[Page]) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
        """The pages without conflicts, and a problem for each page left out. The page that is planned first stays."""
        taken = _Taken[Page]()
        free, problems = [], []
        for page in pages:
            other = taken.owner(page.path)
            if other is None:
                taken.add(page.path, page)
                free.append(page)
                continue
            what = f"cannot be written to {page.path}, because {self._source_name(other)} is there"
            hint = "rename one, or disable one kind with disable_kinds in site.toml"
            if isinstance(page, FilePage) and (kind := _KINDS.get(type(other))):
                hint = f'remove it, or leave out newsgen\'s own with disable_kinds = ["{kind}"] in site.toml'
            problems.append(Problem(path=self._source_name(page), what=what, hint=hint))
        return tuple(free), tuple(problems)

    def _source_name(self, page: Page) -> str:
        """The file that a page is made from, or else a description of the page; for messages."""
        if isinstance(page, FilePage):
            return f"static/{page.source}"
        if isinstance(page, PluginPage | PluginFile):
            return f"plugin {page.plugin!r}"
        if isinstance(page, AttachmentPage):
            return f"{self._folder_name}/{page.source}"
        if isinstance(page, TextPage):
            abouts = self._library.about["page"].values()
            id = next(about.id for about in abouts if urls.page(about.key) == page.head.address)
            return f"{self._folder_name}/{id}"
        if isinstance(page, ArticlePage | StoryPage):
            return f"{self._folder_name}/{self._library.file_at(page.head.address)}"
        return f"the page {page.head.title!r}" if isinstance(page, HtmlPage) else page.path

    # What is planned

    def __len__(self) -> int:
        """The number of pages."""
        return len(self.refs) if self.is_whole else self._count

    def __contains__(self, path: object) -> bool:
        """Whether there is a page at a path."""
        return path in self.refs or (not self.is_whole and any(row.is_page for row in self._at(str(path))))

    def page(self, path: str) -> Page:
        """The page at a path, made if necessary. Raises KeyError if there is none."""
        if path not in self._made:
            part = self._part_of.get(path) or next((row.part for row in self._at(path) if row.is_page), None)
            if part is None:
                raise KeyError(path)
            self._made |= {page.path: page for page in self._make(part).pages}
        return self._made[path]

    def pages(self) -> Iterator[Page]:
        """All pages that were made."""
        return map(self.page, self.refs)

    def save(self) -> None:
        """Puts what the next plan needs into the library's store."""
        self._paths.save()
        self._sitemap.save()
        self._redirects.save()
        self._parts.search.save()
        self._store.put("pages", _encode(len(self)))
        self._store.put("planned", _encode(self._sections))
        self._store.put("sitemaps", _encode(self._modified))


class _Taken(Generic[T]):
    """Who has a path on a disk that ignores case. Whoever has a file has its folders too, so that no file is in their way."""

    def __init__(self) -> None:
        self._files: dict[str, T] = {}
        self._folders: dict[str, T] = {}

    def add(self, path: str, owner: T) -> None:
        """Gives a path to an owner. Of the files in a folder, the first one has it."""
        key = path.casefold()
        self._files[key] = owner
        for folder in _folders(key):
            self._folders.setdefault(folder, owner)

    def owner(self, path: str) -> T | None:
        """Who has a path, or a file at the place of one of its folders; None if it is free."""
        key = path.casefold()
        parents = (self._files[folder] for folder in _folders(key) if folder in self._files)
        return self._files.get(key) or self._folders.get(key) or next(parents, None)


def _folders(path: str) -> list[str]:
    """All folders that a path is in."""
    return [path[:at] for at, c in enumerate(path) if c == "/"]


def _rows_at(rows: Rows[PathRow], path: str) -> Iterator[PathRow]:
    """The rows of a path, in any case."""
    folded = path.casefold()
    return takewhile(lambda row: row.folded == folded, rows.ascending((folded, "", "")))


def _unanswered(cards: Cards, redirects: Collection[Redirect], own: str) -> Iterator[Problem]:
    """A problem for each alias, and one for all addresses of articles, that has neither a stub nor a line."""
    host = cards.config.limits
    answered = {line.old for line in redirect_lines(cards, redirects, own)}
    if host is None or host.reads_redirects:
        answered |= {
            urls.spelled(rule.split()[0].removeprefix(cards.config.root[:-1])) for rule in effective_lines(own)
        }
    missing = [redirect for redirect in redirects if redirect.new and redirect.old not in answered]
    if host and not host.reads_redirects:
        why = f"{host.title} does not read `_redirects`"
    elif host and has_redirects_file(cards):
        why = f"`_redirects` holds as much as {host.title} reads"
    else:
        why = "`_redirects` is left out too"
    hint = "set `pages = true` in [redirects]"
    for redirect in missing:
        if redirect.file:
            what = f"{redirect.old!r} would not answer: there are no stubs, and {why}"
            yield Problem(path=redirect.file, field=redirect.field, what=what, hint=hint, scope="value")
    others = sum(not redirect.file for redirect in missing)
    if others:
        addresses = "1 address" if others == 1 else f"{others:,} addresses"
        what = f"{addresses} of articles would not answer: there are no stubs, and {why}"
        yield Problem(path="site.toml", field="redirects.pages", what=what, hint=hint, scope="value")


def site(library: Library, brand: Brand | None = None, *, slots: bool = False) -> Site:
    """The values that every page shows. `brand` is the site's own look, if it has one; `slots`: see `Site`."""
    config, cards = library.config, Cards(library)
    if config.navigation is not None:
        navigation = [Link(title=n.title, url=urls.spelled(n.url) or n.url) for n in config.navigation]
    else:
        sections = _by_activity(library) if config.has("category") else []
        navigation = [
            Link(title=row.title, url=cards.places.section("category", key)) for key, row in sections[:SECTIONS]
        ]
        if len(sections) > SECTIONS:
            navigation.append(Link(title=cards.gettext("All sections"), url=cards.places.categories))
        following = Link(title=cards.gettext("Following"), url=cards.places.following)
        indexes = cards.index_links | {"following": following}
        navigation += [link for kind, link in indexes.items() if kind != "category" and config.has(kind)]
    text_pages = [p for p in library.about["page"].values() if config.has("page")]
    navigation += [Link(title=p.title, url=urls.page(p.key)) for p in text_pages if p.navigation]
    return Site(
        title=config.title,
        description=config.description,
        language=config.language,
        dir=config.dir or locales.direction(config.language),
        timezone=config.timezone,
        base=config.base,
        root=config.root,
        home=urls.HOME if config.has("home") else "",
        search=cards.places.search if config.has("search") else "",
        navigation=tuple(navigation),
        footer=tuple(Link(title=p.title, url=urls.page(p.key)) for p in text_pages if not p.navigation),
        feeds=cards.feeds(config.title, urls.HOME, cards.feed_formats),
        images=config.images.show != "none",
        embeds=config.video.embed,
        manifest=urls.MANIFEST if config.has("manifest") else "",
        following=cards.places.following if config.has("following") else "",
        share=tuple(Link(title=each.title, url=each.url) for each in config.share),
        phrases=cards.locale.phrases,
        brand=brand,
        slots=slots,
    )


def _by_activity(library: Library) -> list[tuple[str, IndexRow]]:
    """The categories, those with the most members in the month before that of the clock first.

    Every page shows this order, so it must hardly ever change: numbers count in powers of two, for late articles.
    """
    zone = library.config.zone
    first = times.local(library.clock, zone).date().replace(day=1)
    end = times.start(first, zone)
    start = times.start(date.fromordinal(max(1, first.toordinal() - 1)).replace(day=1), zone)

    def order(section: tuple[str, IndexRow]) -> tuple[int, str]:
        rows = library.section_rows("category", section[0])
        return -(rows.position((end, "")) - rows.position((start, ""))).bit_length(), section[0]

    return sorted(library.index("category").items(), key=order)


def early_pages(library: Library, paths: Collection[str]) -> Iterator[Page]:
    """Makes the pages at these paths without a plan: those that the last build had there and that do not conflict."""
    rows, parts = Rows(library.store, "paths", PathRow), Parts(Cards(library))
    names = dict.fromkeys(row.part for path in paths for row in _rows_at(rows, path))
    for name in names:
        if name.partition(" ")[0] in ("home", "first", "numbered", "story", "article"):
            pages = (page for page in parts.make(name).pages if page.path in paths)
            yield from (page for page in pages if isinstance(page, HtmlPage))


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
    ManifestPage: "manifest",
    NewsSitemap: "sitemap",
    SitemapIndex: "sitemap",
    SitemapPage: "sitemap",
    SearchPage: "search",
    SearchIndex: "search",
    RssFeed: "rss",
    AtomFeed: "atom",
    JsonFeed: "jsonfeed",
}
"""The page kinds of files that a site may want to write itself."""

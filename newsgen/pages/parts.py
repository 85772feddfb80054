"""Makes the pages of the parts of a site.

A part is what is planned together: an article's page; a story's page with its feed and the stubs of its members; the
first page of a section with its feeds; each numbered page of a section; a month of the archive; a day of the search; each
file of a month of the search; the stubs at old addresses of an article; the pages of a plugin; and what a site has once.
Its name says its kind and what it is about: "story a.md", "numbered topic ai 3", "month 2026-11", "plugin bikes".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from newsgen import urls
from newsgen.errors import Problem
from newsgen.library import Library, Section
from newsgen.model import Cluster, Link
from newsgen.pages import api, archive, articlepages, feeds, frontpage, lists, storypages
from newsgen.pages.cards import CANDIDATES, Cards
from newsgen.pages.feeds import SitemapRow
from newsgen.pages.kinds import (
    AttachmentPage,
    FilePage,
    FollowingPage,
    Head,
    Headline,
    HtmlPage,
    NotFoundPage,
    Page,
    StylesPage,
    TextPage,
)
from newsgen.pages.lists import LineScores
from newsgen.pages.plugged import PageMaker
from newsgen.pages.redirects import (
    Redirect,
    article_redirects,
    has_redirects_file,
    moved_with_folder,
    redirects_file,
    single_redirects,
    story_redirects,
    stub_pages,
    stubs,
)
from newsgen.pages.search import Search

INDEXES = ("home", "topics", "categories", "sources")
OTHERS = ("archive", "pages", "following", "404", "feeds", "search", "files", "static", "redirects")
"""The parts that a site has once. They show something of all of the site, so they are always planned. `OTHERS` are
planned last: the archive shows what was found for days.
"""


class SectionPlan(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a section's pages: the number of the last one, the lowest score of its candidates, the scores of
    the lines of its days, and the time of the oldest entry of its feeds.

    Candidates are the items from which the top stories are chosen; with fewer than there is room for, it is -infinity.
    `oldest` is as in `feeds.section`. `headline` is that of the first story of a day.
    """

    last: int
    cutoff: float
    lines: LineScores
    oldest: datetime
    headline: Headline | None = None


class PartPages(NamedTuple):
    """The pages of a part.

    `redirects` are those from old addresses; if the site has stubs, these are among the pages. `listed` is the entry in a
    sitemap, and `section` what is known of the pages of the section whose first page the part is. `problems` are pages of
    a plugin that are left out.
    """

    pages: tuple[Page, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    listed: SitemapRow | None = None
    section: SectionPlan | None = None
    problems: tuple[Problem, ...] = ()


class Parts:
    """Makes the pages of parts from one library. `files` are the site's static files and the style sheet of its look,
    `own_redirects` the text of its own `_redirects`, `policy` its content security policy, and `folder_name` is the content
    folder as messages name it. `sections` is what is known of sections, by axis and key. `plugins` are those that have pages.
    """

    def __init__(
        self,
        cards: Cards,
        files: Iterable[FilePage | StylesPage] = (),
        folder_name: str = "",
        own_redirects: str = "",
        policy: str = "",
        plugins: Iterable[PageMaker] = (),
    ) -> None:
        self.plugins = {maker.name: maker for maker in plugins}
        self._plugged: dict[str, PartPages] = {}
        self.cards, self.folder_name, self.own_redirects, self._policy = cards, folder_name, own_redirects, policy
        self.sections: Mapping[str, SectionPlan] = {}
        self.search = Search(cards)
        self.has_lines = has_redirects_file(cards)
        self._files = tuple(file for file in files if not (self.has_lines and file.path == "_redirects"))
        self._folders = cards.config.redirects.folders()
        self._days: list[str] | None = None
        self.is_ambiguous = False
        """Whether two redirects lead from one address to different ones; known once "redirects" is made."""

    def make(self, name: str) -> PartPages:
        """The pages of a part; none if it is gone."""
        made = self._make(name)
        if not self._folders:
            return made
        addresses = [page.head.address for page in made.pages if isinstance(page, HtmlPage)]
        pages, redirects, *_ = self._stubs(moved_with_folder(self._folders, addresses))
        return made._replace(pages=(*made.pages, *pages), redirects=(*made.redirects, *redirects))

    def _make(self, name: str) -> PartPages:
        kind, _, of = name.partition(" ")
        if kind == "story":
            return self._story(of)
        if kind == "article":
            return self._article(of)
        if kind == "old":
            facts = self.cards.library.facts
            if of not in facts.aliases and of not in facts.expired:
                return PartPages()
            return self._stubs(article_redirects(self.cards, self.cards.library.article(of), self.folder_name))
        if kind in ("first", "numbered"):
            axis, _, key = of.partition(" ")
            key, _, number = key.partition(" ")
            section = self.cards.library.sections[axis].get(key)
            if section is None or not self.cards.has("archive" if axis == "day" else axis):
                return PartPages()
            return self._first(section) if kind == "first" else self._numbered(section, int(number))
        if kind == "month":
            page = archive.month(self.cards, of, self._headline_of) if self.cards.has("archive") else None
            return PartPages((page, *api.pages(self.cards, [page])) if page else ())
        if kind in ("searched-day", "searched-words", "searched-facets"):
            return PartPages(tuple(self._searched(kind, of)) if self.cards.has("search") else ())
        if kind == "redirects":
            return self._redirects()
        if kind == "plugin":
            return self._of_plugin(of)
        if kind == "attachment":
            return PartPages(tuple(attachment_pages(self.cards.library, of)))
        return PartPages(tuple(self._single(kind)))

    def _searched(self, kind: str, of: str) -> Iterator[Page]:
        if kind == "searched-day":
            yield from self.search.day_pages(of)
        elif kind == "searched-facets":
            yield from self.search.facets_pages(of)
        else:
            month, _, shard = of.partition(" ")
            yield from self.search.words_pages(month, int(shard))

    def _of_plugin(self, name: str) -> PartPages:
        """The pages of a plugin. It runs once a build."""
        if name not in self._plugged:
            pages, problems = self.plugins[name].make(self.cards) if name in self.plugins else ((), ())
            self._plugged[name] = PartPages(pages, problems=problems)
        return self._plugged[name]

    def _story(self, id: str) -> PartPages:
        story = self.cards.library.story(id)
        if story is None:
            return PartPages()
        stubs, redirects, *_ = self._stubs(story_redirects(self.cards, story))
        page = storypages.page(self.cards, story)
        listed = feeds.listed(self.cards, story, page.title)
        return PartPages((page, *storypages.feed(self.cards, story, page), *stubs), redirects, listed)

    def _article(self, id: str) -> PartPages:
        row = self.cards.library.row(id)
        if row is None or not self.cards.has_page(row):
            return PartPages()
        article = self.cards.library.article(id)
        page = articlepages.page(self.cards, article)
        return PartPages((page,), (), feeds.listed(self.cards, article, page.head.title))

    def _first(self, section: Section) -> PartPages:
        before, after = self._neighbours(section.key) if section.axis == "day" else (None, None)
        candidates = lists.candidates(self.cards, section)
        page, lines = lists.first(self.cards, section, candidates, before, after)
        is_full = len(candidates) == lists.RANKED * CANDIDATES
        feed_pages, oldest = feeds.section(self.cards, section)
        plan = SectionPlan(
            lists.last(section.count, self.cards.config.page_size),
            candidates[-1][0] if is_full else -float("inf"),
            lines,
            oldest,
            self._headline(section, page.ranked) if page.ranked and section.axis == "day" else None,
        )
        return PartPages((page, *feed_pages, *api.first(self.cards, section)), section=plan)

    def _headline_of(self, day: str) -> Headline | None:
        """The headline of a day whose first page was made."""
        plan = self.sections.get(f"day {day}")
        return plan.headline if plan else None

    def _headline(self, day: Section, ranked: tuple[Cluster, ...]) -> Headline:
        """The headline of a day: of the first story with a report of the day, its lead's, or else that of the report."""
        cards = ((c, card) for c in ranked for card in (c.lead, *c.coverage))
        is_of_day = (each for each in cards if self.cards.library.day(each[1].published) == day.key)
        story, card = next(is_of_day, (ranked[0], ranked[0].lead))
        title = story.title if card is story.lead else card.title
        return Headline(title=title, lang=card.lang, dir=card.dir)

    def _neighbours(self, day: str) -> tuple[Link | None, Link | None]:
        if self._days is None:
            self._days = sorted(self.cards.library.index("day"))
        return lists.neighbours(self.cards, self._days, day)

    def _numbered(self, section: Section, number: int) -> PartPages:
        exists = number <= lists.last(section.count, self.cards.config.page_size)
        pages = [lists.numbered(self.cards, section, number)] if exists else []
        return PartPages((*pages, *api.pages(self.cards, pages)))

    def _stubs(self, redirects: Iterable[Redirect]) -> PartPages:
        """These redirects, and their stubs if the site has any."""
        redirects = tuple(redirects)
        has_stubs = self.cards.config.redirects.pages
        return PartPages(tuple(stub_pages(self.cards, stubs(redirects))) if has_stubs else (), redirects)

    def _redirects(self) -> PartPages:
        """The redirects that belong to no article."""
        single = single_redirects(self.cards, self.folder_name)
        targets = {(redirect.stub, redirect.new) for redirect in single}
        self.is_ambiguous = len(targets) > len({stub for stub, _ in targets})
        return self._stubs(single)

    def lines(self, redirects: Iterable[Redirect]) -> Iterator[Page]:
        """`_redirects`, if the site has it."""
        if self.has_lines:
            yield redirects_file(self.cards, redirects, self.own_redirects)

    def _single(self, kind: str) -> Iterator[Page]:
        """The pages of a kind that a site has once."""
        cards = self.cards
        if kind in INDEXES or kind == "archive":
            pages = list(self._index(kind))
            yield from pages
            yield from api.pages(cards, pages)
        elif kind == "pages" and cards.has("page"):
            yield from _text_pages(cards)
        elif kind == "following" and cards.has("following"):
            title, address = cards.gettext("Following"), cards.places.following
            crumbs = cards.breadcrumbs(Link(title=title, url=address))
            description = cards.gettext("The newest of what you follow, in this browser only")
            head = Head(title=title, description=description, address=address, noindex=True, breadcrumbs=crumbs)
            yield FollowingPage(path=urls.path(address), head=head)
        elif kind == "404" and cards.has("404"):
            title = cards.gettext("Page not found")
            head = Head(title=title, description="", address="/404.html", noindex=True)
            yield NotFoundPage(path="404.html", head=head)
        elif kind == "feeds":
            yield from feeds.site(cards)
        elif kind == "search" and cards.has("search"):
            yield from self.search.pages()
        elif kind == "files":
            yield from feeds.site_files(cards, self._files, self._policy)
        elif kind == "static":
            yield from self._files

    def _index(self, kind: str) -> Iterator[HtmlPage]:
        """The front page, or the pages of an index."""
        cards = self.cards
        if kind == "home" and cards.has("home"):
            yield frontpage.page(cards)
        elif kind == "topics" and cards.has("topic"):
            yield from lists.index(cards, "topic")
        elif kind == "categories" and cards.has("category"):
            yield from lists.index(cards, "category")
        elif kind == "archive" and cards.has("archive"):
            yield from archive.front_and_years(cards, self._headline_of)
        elif kind == "sources" and cards.has("sources"):
            yield from lists.sources(cards)


def attachment_pages(library: Library, address: str) -> Iterator[AttachmentPage]:
    """The copy of the file that is published at an address, and the smaller copies of a picture; none if it is gone."""
    attachment = library.attachment(address)
    if attachment is None:
        return
    source, content = attachment.source, attachment.digest.hex()
    made = [(attachment.address, attachment.width, attachment.type)]
    made += [(urls.copy(attachment.address, n, f), n, f) for f in attachment.formats for n in attachment.widths]
    for place, width, format in made:
        yield AttachmentPage(
            path=urls.path(place),
            source=source,
            content=content,
            kind=attachment.type,
            width=width,
            format=format,
            encoder=attachment.encoder,
        )


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

"""Makes the pages of the parts of a site.

A part is what is planned together: an article's page; a story's page with its feed and the stubs of its members; the
first page of a section with its feeds; each numbered page of a section; and what a site has once. Its name says its
kind and what it is about: "story a.md", "numbered topic ai 3".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from newsgen import urls
from newsgen.library import Section
from newsgen.model import Link
from newsgen.pages import api, articlepages, feeds, frontpage, lists, storypages
from newsgen.pages.cards import CANDIDATES, Cards
from newsgen.pages.feeds import Redirect, SitemapRow
from newsgen.pages.kinds import FilePage, FollowingPage, Head, HtmlPage, NotFoundPage, Page, TextPage

INDEXES = ("home", "topics", "categories", "archive", "sources")
OTHERS = ("pages", "following", "404", "feeds", "files", "static", "redirects")
SINGLE = (*INDEXES, *OTHERS)
"""The parts that a site has once. They show something of all of the site, so they are always planned."""


class SectionPlan(msgspec.Struct, array_like=True, frozen=True):
    """What is known of a section's pages: the number of the last one, and the lowest score of its candidates.

    Candidates are the items from which the top stories are chosen; with fewer than there is room for, it is -infinity.
    """

    last: int
    cutoff: float


class PartPages(NamedTuple):
    """The pages of a part.

    `olds` are the paths of old addresses that only a line in `_redirects` answers. `listed` is the entry in a sitemap,
    and `section` what is known of the pages of the section whose first page the part is.
    """

    pages: tuple[Page, ...] = ()
    olds: tuple[str, ...] = ()
    listed: SitemapRow | None = None
    section: SectionPlan | None = None


class Parts:
    """Makes the pages of parts from one library. `files` are the site's static files, `own_redirects` the text of its
    own `_redirects`, and `folder_name` is the content folder as messages name it."""

    def __init__(
        self, cards: Cards, files: Iterable[FilePage] = (), folder_name: str = "", own_redirects: str = ""
    ) -> None:
        self.cards, self.folder_name, self.own_redirects = cards, folder_name, own_redirects
        self.has_lines = feeds.has_redirects_file(cards)
        self._files = tuple(file for file in files if not (self.has_lines and file.path == "_redirects"))
        self._days: list[str] | None = None
        self.is_ambiguous = False
        """Whether two redirects lead from one address to different ones; known once "redirects" is made."""

    def make(self, name: str) -> PartPages:
        """The pages of a part; none if it is gone."""
        kind, _, of = name.partition(" ")
        if kind == "story":
            return self._story(of)
        if kind == "article":
            return self._article(of)
        if kind == "expired":
            is_expired = of in self.cards.library.facts.expired
            article = self.cards.library.article(of) if is_expired else None
            return self._stubs(feeds.expired_redirects(self.cards, article) if article else ())
        if kind in ("first", "numbered"):
            axis, _, key = of.partition(" ")
            key, _, number = key.partition(" ")
            section = self.cards.library.sections[axis].get(key)
            if section is None or not self.cards.has("archive" if axis == "day" else axis):
                return PartPages()
            return self._first(section) if kind == "first" else self._numbered(section, int(number))
        if kind == "redirects":
            return self._redirects()
        return PartPages(tuple(self._single(kind)))

    def _story(self, id: str) -> PartPages:
        story = self.cards.library.story(id)
        if story is None:
            return PartPages()
        pages, olds, *_ = self._stubs(feeds.story_redirects(self.cards, story))
        page = storypages.page(self.cards, story)
        listed = feeds.listed(self.cards, story, page.title)
        return PartPages((page, *storypages.feed(self.cards, story, page), *pages), olds, listed)

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
        page = lists.first(self.cards, section, candidates, before, after)
        is_full = len(candidates) == lists.RANKED * CANDIDATES
        plan = SectionPlan(
            lists.last(section.count, self.cards.config.page_size), candidates[-1][0] if is_full else -float("inf")
        )
        files = (*feeds.section(self.cards, section), *api.first(self.cards, section))
        return PartPages((page, *files), section=plan)

    def _neighbours(self, day: str) -> tuple[Link | None, Link | None]:
        if self._days is None:
            self._days = sorted(self.cards.library.index("day"))
        return lists.neighbours(self._days, day)

    def _numbered(self, section: Section, number: int) -> PartPages:
        exists = number <= lists.last(section.count, self.cards.config.page_size)
        pages = [lists.numbered(self.cards, section, number)] if exists else []
        return PartPages((*pages, *api.pages(self.cards, pages)))

    def _stubs(self, redirects: Iterable[Redirect]) -> PartPages:
        """The stubs at old addresses, or the paths that these would have if the site has none."""
        stubs = feeds.stubs(redirects)
        if self.cards.config.redirects.pages:
            return PartPages(tuple(feeds.stub_pages(stubs)))
        return PartPages(olds=tuple(stubs))

    def _redirects(self) -> PartPages:
        """The redirects that belong to no story and no expired article, and `_redirects`."""
        cards = self.cards
        single = feeds.single_redirects(cards, self.folder_name)
        pages, olds, *_ = self._stubs(single)
        targets = {(redirect.stub, redirect.new) for redirect in single}
        self.is_ambiguous = len(targets) > len({stub for stub, _ in targets})
        # Without stubs, the addresses of members and expired articles need lines too.
        redirects = single if cards.config.redirects.pages else feeds.redirects(cards, self.folder_name)
        return PartPages((*pages, *self.lines(redirects)), olds)

    def lines(self, redirects: Iterable[Redirect]) -> Iterator[Page]:
        """`_redirects`, if the site has it."""
        if self.has_lines:
            lines = feeds.redirect_lines(self.cards, redirects, self.own_redirects)
            yield feeds.redirects_file(lines, self.own_redirects)

    def _single(self, kind: str) -> Iterator[Page]:
        """The pages of a kind that a site has once."""
        cards = self.cards
        if kind in INDEXES:
            pages = list(self._index(kind))
            yield from pages
            yield from api.pages(cards, pages)
        elif kind == "pages" and cards.has("page"):
            yield from _text_pages(cards)
        elif kind == "following" and cards.has("following"):
            title, address = "Following", urls.FOLLOWING
            crumbs = cards.breadcrumbs(Link(title=title, url=address))
            description = "The newest of what you follow, in this browser only"
            head = Head(title=title, description=description, address=address, noindex=True, breadcrumbs=crumbs)
            yield FollowingPage(path=urls.path(address), head=head)
        elif kind == "404" and cards.has("404"):
            head = Head(title="Page not found", description="", address="/404.html", noindex=True)
            yield NotFoundPage(path="404.html", head=head)
        elif kind == "feeds":
            yield from feeds.site(cards)
        elif kind == "files":
            yield from feeds.site_files(cards, self._files)
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
            yield from lists.archive(cards)
        elif kind == "sources" and cards.has("sources"):
            yield from lists.sources(cards)


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

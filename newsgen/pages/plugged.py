"""Makes the pages of plugins, from what these return: paths, templates and plain values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec

from newsgen import text, urls
from newsgen.errors import PluginError, Problem
from newsgen.library import AXES, Library, Reached, Row, Section
from newsgen.model import Article, Card, Link, Member, Story
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import Head, Page, PluginFile, PluginPage
from newsgen.plugin import Page as Returned

Key: TypeAlias = tuple[str, str]
"""The axis and key of a section; the key "*" means all."""

ENDINGS = {
    ".html": ".html", ".xml": ".xml", ".gpx": ".xml", ".json": ".json", ".geojson": ".json", ".txt": ".txt", ".csv": ".txt",
    ".ics": ".txt",
}  # fmt: skip
"""The endings that a plugin's page may have, and that of its template: it decides whether values are escaped."""

MAX_PATH = 250

_PART = re.compile(r"[^\W_][\w.~-]*")
_ENDING = re.compile(r"\.[a-z]+\Z")


class PageMaker(NamedTuple):
    """Makes the pages of the plugin with this name. `sections` are those that it reads, None for the whole library.

    `pages` raises PluginError. `has_template` says whether there is a template with a name.
    """

    name: str
    sections: tuple[Key, ...] | None
    pages: Callable[[PluginLibrary], Iterable[Returned]]
    has_template: Callable[[str], bool]

    def reads(self, sections: Iterable[Key]) -> bool:
        """Whether the plugin reads one of these sections."""
        return any(self.may_read(*section) for section in sections)

    def may_read(self, axis: str, key: str) -> bool:
        """Whether the plugin has declared a section."""
        return self.sections is None or not {(axis, key), (axis, "*")}.isdisjoint(self.sections)

    def make(self, cards: Cards) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
        """The plugin's pages, and a problem for each that cannot be used. Raises PluginError."""
        pages, problems = [], []
        for returned in self.pages(PluginLibrary(cards, self)):
            try:
                pages.append(self._page(returned, cards))
            except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
                shown = text.shorten(text.printable(str(returned.path)), 60)
                problems.append(Problem(path=f"plugin {self.name!r}", what=f"page {shown!r} is left out: {error}"))
        return tuple(pages), tuple(problems)

    def _page(self, returned: Returned, cards: Cards) -> Page:
        """A page as the site has it. Raises an error that says what is wrong with it."""
        returned = msgspec.convert(msgspec.structs.asdict(returned), Returned)
        path, template = returned.path, returned.template
        if not all(map(_PART.fullmatch, path.split("/"))) or len(path.encode()) > MAX_PATH:
            raise ValueError("its path must be like tours/alps/index.html")
        ending = _ENDING.search(path)
        if not ending or ending[0] not in ENDINGS:
            raise ValueError(f"its path must have one of the endings {', '.join(ENDINGS)}")
        if not template.endswith(ENDINGS[ending[0]]):
            raise ValueError(f"its template must have the ending {ENDINGS[ending[0]]}, not {template!r}")
        if not self.has_template(template):
            raise ValueError(f"there is no template {template!r}")
        # A worker gets the page as bytes, and its template must see the same there as here.
        data = msgspec.msgpack.decode(msgspec.msgpack.encode(_plain(returned.data)))
        if ending[0] != ".html":
            return PluginFile(path=path, plugin=self.name, template=template, data=data)
        address, title = urls.address(path), _one_line(returned.title)
        if not title:
            raise ValueError("it must have a title")
        head = Head(
            title=title,
            description=_one_line(returned.description),
            address=address,
            noindex=returned.noindex,
            breadcrumbs=cards.breadcrumbs(Link(title=title, url=address)),
        )
        return PluginPage(path=path, plugin=self.name, template=template, data=data, head=head, title=title)


class PluginLibrary:
    """What the `pages` of a plugin may ask: the sections that it declares, or all."""

    def __init__(self, cards: Cards, maker: PageMaker) -> None:
        self._cards, self._library, self._maker = cards, cards.library, maker

    def section(self, axis: str, key: str) -> Section | None:
        """The members of a topic, provider, category or day, newest first; None if there are none.

        `key` is the slug of a topic or category, a provider's domain or a day (2026-11-08). Raises PluginError if the
        plugin does not declare the section.
        """
        self._ensure(axis, key)
        return self._library.sections[axis].get(key)

    def sections(self, axis: str) -> Iterator[Section]:
        """All sections of an axis, by key. Raises PluginError if the plugin does not declare them."""
        self._ensure(axis, "*")
        return iter(self._library.sections[axis].values())

    @property
    def members(self) -> Sequence[Member]:
        """All articles and coverage, newest first. Raises PluginError if the plugin declares sections."""
        self._ensure("*", "*")
        return self._library.members

    @property
    def articles(self) -> Iterator[Article]:
        """All articles, newest first. Raises PluginError if the plugin declares sections."""
        self._ensure("*", "*")
        return self._library.articles

    @property
    def stories(self) -> Sequence[Story]:
        """All stories, oldest first. Raises PluginError if the plugin declares sections."""
        self._ensure("*", "*")
        return self._library.stories

    def story(self, member: Member) -> Story | None:
        """The story of a member; None if it is in none."""
        return self._library.story_of.get(member.id)

    def address(self, member: Member) -> str:
        """The address of what the site has about a member, a page or a place on one; "" if it has nothing."""
        return self._library.page(member)

    def card(self, member: Member) -> Card:
        """What lists show of a member. The site's macros take it, also as part of `data`."""
        return self._cards.card(member)

    def _ensure(self, axis: str, key: str) -> None:
        if self._maker.sections is not None and not self._maker.may_read(axis, key):
            what = "the whole library" if axis == "*" else f'"{axis} {key}"'
            hint = "declare no sections" if axis == "*" else "add it to `sections`"
            raise PluginError(f"plugin {self._maker.name!r}: pages reads {what}, which it does not declare; {hint}")
        if axis not in (*AXES, "*"):
            raise ValueError(f"{axis!r} is not one of {', '.join(AXES)}")


def touched(library: Library, reached: Reached) -> set[Key]:
    """The sections with a member of which anything can differ: its file, its card or its story."""
    rows: list[Row | None] = [row for pair in reached.cards.values() for row in pair]
    rows += map(library.row, reached.files)
    stories = {*reached.story_pages, *(row.item for row in rows if row and row.in_story)}
    records = [library.story_record(id) for id in stories]
    records += [record for pair in reached.stories.values() for record in pair]
    rows += [library.rows.get(key) for record in records if record for key in record.members]
    keys = {(axis, key) for row in rows if row for axis, key, _ in library.keys(row)}
    return keys | reached.sections


def _plain(value: Any) -> Any:
    """A value as lists, mappings and scalars. Mappings and sets are sorted: the order of a set differs from run to run.

    Raises TypeError or ValueError for what has no such form.
    """
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {name: _plain(value[name]) for name in sorted(value)}
    if isinstance(value, set | frozenset):
        return [_plain(each) for each in sorted(value)]
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | datetime | None) else msgspec.to_builtins(value)


def _one_line(words: str) -> str:
    return " ".join(text.printable(words).split())

"""Finds the parts of a site whose pages an update of the library can have changed.

What is not reached here stays as it is, so each rule covers all that a page may show. A rule that reaches too much costs
time, one that reaches too little is a bug.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from newsgen import times
from newsgen.library import Reached, Row
from newsgen.pages import archive, lists
from newsgen.pages.articlepages import EARLIER_CANDIDATES
from newsgen.pages.cards import Cards
from newsgen.pages.parts import INDEXES, OTHERS, SectionPlan
from newsgen.pages.plugged import PageMaker, touched
from newsgen.pages.search import Search

Key = tuple[str, str]
"""The axis and key of a section."""


def parts(
    cards: Cards,
    reached: Reached,
    planned: Mapping[str, SectionPlan],
    search: Search,
    plugins: Iterable[PageMaker] = (),
) -> list[str]:
    """The names of all parts that an update reaches. `planned` are the sections as they were, by axis and key.

    `search` takes what it keeps of members. `plugins` are those that have pages.
    """
    found = dict.fromkeys(INDEXES)
    sections = _Sections(cards, reached, planned)
    found |= dict.fromkeys(sections.parts())
    found |= dict.fromkeys(f"story {id}" for id in reached.story_pages)
    found |= dict.fromkeys(f"article {id}" for id in _articles(cards, reached))
    found |= dict.fromkeys(f"old {id}" for id in _redirected(cards, reached))
    found |= dict.fromkeys(f"attachment {address}" for address in _attached(reached))
    found |= dict.fromkeys(f"month {month}" for month in sections.months())
    if cards.has("search"):
        found |= dict.fromkeys(search.edit(reached))
    found |= dict.fromkeys(OTHERS)
    if plugins := list(plugins):
        sections_of_all = touched(cards.library, reached)
        found |= dict.fromkeys(f"plugin {p.name}" for p in plugins if p.sections is None or p.reads(sections_of_all))
    return list(found)


def everything(cards: Cards, search: Search, plugins: Iterable[str] = ()) -> Iterator[tuple[datetime, str]]:
    """The names of all parts, each with the time of the newest member that it shows.

    Of two pages with one path, that of the earlier part stays. Parts of one time show the same members: who makes them
    by time loads each member, and renders each card, about once.
    """
    library, size = cards.library, cards.config.page_size
    latest, earliest = times.LAST, times.FIRST
    yield from ((latest, name) for name in INDEXES)
    dated = []
    for axis in ("topic", "provider", "category", "day"):
        if not cards.has(axis if axis != "day" else "archive"):
            continue
        for key, row in library.index(axis).items():
            dated.append((row.newest, f"first {axis} {key}"))
            rows = library.section_rows(axis, key)
            for number in range(1, lists.last(row.count, size) + 1):
                newest = rows.at(min(number * size, row.count) - 1, number * size)[0].published
                dated.append((newest, f"numbered {axis} {key} {number}"))
    yield from sorted(dated, reverse=True)
    if cards.has("search"):
        days = library.index("day")
        yield from ((days[day].newest, name) for day, name in search.everything())
    yield from ((row.last, f"story {row.id}") for row in library.order.ascending())
    yield from ((row.published, f"article {row.id}") for row in library.rows.descending() if cards.has_page(row))
    if cards.has("archive"):
        yield from ((earliest, f"month {month}") for month in archive.months(library.index("day")))
    yield from ((earliest, name) for name in OTHERS)
    yield from ((earliest, f"plugin {name}") for name in plugins)
    yield from ((earliest, f"attachment {address}") for address in library.attachments())
    yield from ((earliest, f"old {id}") for id in sorted(library.facts.expired.keys() | library.facts.aliases.keys()))


def _attached(reached: Reached) -> Iterator[str]:
    """The addresses of the files that changed articles name, or named before."""
    for pair in reached.files.values():
        names = [{name for kind, name in filed.mentions if kind == "attachment"} if filed else set() for filed in pair]
        yield from (name.partition("\0")[0] for name in sorted(names[0] ^ names[1]))


class _Sections:
    """The parts of sections that an update reaches.

    `_first` are the sections whose first page is, `_from` the lowest position at which their members differ, and
    `_at` positions of members that differ by themselves.
    """

    def __init__(self, cards: Cards, reached: Reached, planned: Mapping[str, SectionPlan]) -> None:
        self._cards, self._library, self._planned = cards, cards.library, planned
        self._first: set[Key] = set()
        self._from: dict[Key, int] = {}
        self._at: dict[Key, set[int]] = {}
        self._newest = lists.newest(cards.config.page_size)
        for old, new in reached.cards.values():
            self._member(old, new)
        for pair in reached.stories.values():
            records = [record for record in pair if record]
            members = {key for record in records for key in record.members}
            rows = filter(None, map(self._library.rows.get, members))
            self._item({key for row in rows for key in self._keys(row)}, max(r.score for r in records), members)
            for record in records:
                self._item_of_days(dict(record.days))
        for section in reached.sections:
            self._named(section)
        for domain in reached.tallies:
            self._first.add(("provider", domain))
        if reached.ubiquitous:
            self._first |= {(axis, key) for axis in ("topic", "category", "day") for key in self._library.index(axis)}

    def _keys(self, row: Row | None) -> set[Key]:
        return {(axis, key) for axis, key, _ in self._library.keys(row)} if row else set()

    def _member(self, old: Row | None, new: Row | None) -> None:
        """A member whose card differs."""
        old_keys, new_keys = self._keys(old), self._keys(new)
        is_moved = old is None or new is None or old.published != new.published
        for key in old_keys | new_keys:
            rows = self._library.section_rows(*key)
            places = [rows.position(row.key) for row in (old, new) if row]
            if is_moved or key not in old_keys or key not in new_keys:
                self._first.add(key)
                self._from[key] = min(*places, self._from.get(key, places[0]))
                continue
            self._at.setdefault(key, set()).update(places)
            if old_keys != new_keys or len(rows) - places[0] <= self._newest:
                self._first.add(key)
        both = [row for row in (old, new) if row]
        self._item(old_keys | new_keys, max(row.score for row in both), {row.key for row in both})
        for row in both:
            self._item_of_days({self._library.day(row.published): row.day_score})

    def _item(self, keys: set[Key], score: float, members: Collection[tuple[datetime, str]]) -> None:
        """An item that differs in these sections: their first pages may rank it or have it as the line of a day, and
        their feeds may have it, by the time of one of its `members`.
        """
        zone = self._cards.config.zone
        last, days = max(members)[0], {lists.local_day(time, zone) for time, _ in members}
        for axis, key in keys:
            planned = self._planned.get(f"{axis} {key}")
            if planned is None or last >= planned.oldest or any(planned.lines.may_change(score, day) for day in days):
                self._first.add((axis, key))
            if axis not in ("provider", "day") and (planned is None or score >= planned.cutoff):
                self._first.add((axis, key))

    def _item_of_days(self, scores: Mapping[str, float]) -> None:
        """An item that differs, with the scores that it had at the ends of days. Two more days may rank it by each."""
        for day, score in scores.items():
            for each in (day, *lists.days_from(day, 1)):
                planned = self._planned.get(f"day {each}")
                if planned is None or score >= planned.cutoff:
                    self._first.add(("day", each))

    def _named(self, section: Key) -> None:
        """A section that is new, gone, or has another title: its pages, and links to it on those of others, differ."""
        axis, key = section
        if axis == "day":
            days = sorted(self._library.index("day"))
            at = bisect_left(days, key)
            self._first |= {("day", day) for day in days[max(0, at - 1) : at + 2]}
        family = {section}
        if axis == "topic":
            parents = self._library.parents
            family |= {("topic", child) for child, parent in parents.items() if parent == key}
            self._first.add(("topic", parents.get(key, key)))
        for each in family:
            self._first.add(each)
            self._from[each] = 0

    def months(self) -> set[str]:
        """The months whose pages have headlines and numbers of days that are reached, or link to those of others."""
        return {key[:7] for axis, key in self._first if axis == "day"}

    def parts(self) -> Iterator[str]:
        size = self._cards.config.page_size
        for axis, key in self._first:
            yield f"first {axis} {key}"
        for section in self._from.keys() | self._at.keys():
            axis, key = section
            planned = self._planned.get(f"{axis} {key}")
            before = planned.last if planned else 0
            after = lists.last(len(self._library.section_rows(axis, key)), size)
            numbers = {place // size + 1 for place in self._at.get(section, ())} if after else set()
            if section in self._from:
                start = self._from[section] // size + 1
                if before != after:  # the last page links to the first one, and not to a next one
                    start = min(start, before, after) or 1
                numbers.update(range(start, max(before, after) + 1))
            yield from (f"numbered {axis} {key} {number}" for number in sorted(numbers))


def _articles(cards: Cards, reached: Reached) -> Iterator[str]:
    """The articles whose own page differs or may show something that does."""
    library = cards.library
    yield from reached.files
    changed = dict.fromkeys(reached.cards)
    for pair in reached.stories.values():
        changed |= dict.fromkeys(id for record in pair if record for _, id in record.members)
    yield from (id for id in changed if library.filed(id))
    for id in changed:
        yield from library.related("targeted", id)
    for rows in reached.cards.values():
        for row in filter(None, rows):
            for axis, key, _ in library.keys(row):
                if axis not in ("provider", "topic"):
                    continue
                # Articles show earlier members of these sections.
                newer = library.section_rows(axis, key).ascending(row.key)
                for each in islice(newer, EARLIER_CANDIDATES + 1):
                    own = library.rows.get(each.key)
                    if own and cards.has_page(own):
                        yield own.id


def _redirected(cards: Cards, reached: Reached) -> Iterator[str]:
    """The articles whose old addresses are others, lead elsewhere, or no longer do."""
    library = cards.library
    yield from reached.files
    yield from reached.cards.keys() & library.facts.aliases.keys()
    for id in {*reached.cards, *reached.stories, *reached.files}:
        yield from library.related("succeeded", id)

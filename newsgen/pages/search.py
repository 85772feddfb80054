"""Makes the search page and its index: files from which a script in the browser finds the stories with some words.

A document is what a story has on one day, or an article that is in no story, so a new report changes the files of its
day only. Documents lie in blocks of the day's results. The words of the newest day have files of their own, those of
the older days of a month are together in files of the month; which of them has a word is decided by its first letters.
The scores are those of BM25 (Robertson and Zaragoza, 2009, section 3.5), of which a file keeps one of three levels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import accumulate, groupby
from typing import TypeAlias
from zlib import crc32

import msgspec

from newsgen import times, urls
from newsgen.library import Reached, Row
from newsgen.model import Card, Link
from newsgen.pages import postings
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import (
    Head,
    Page,
    SearchDay,
    SearchFacets,
    SearchIndex,
    SearchName,
    SearchNames,
    SearchPage,
    SearchPeriod,
    SearchReport,
    SearchResult,
    SearchResults,
    SearchTerms,
)
from newsgen.stories import search_words
from newsgen.text import digest

SHARD, NAMES = 400, 100
"""The articles for each file of words of a period, and the names for each file of names."""

DAY_SHARDS, MONTH_SHARDS, NAME_SHARDS = 4, 36, 16
"""The maximum number of files of words of a day and of a month, and of files of names."""

BLOCK, LARGE_BLOCK = 48, 120
"""The minimum and maximum size of a block. Between them it ends after one document of `BLOCK`, by a digest of its
address: a new one moves the ends of few blocks."""

TITLE, K1, B, LENGTH = 3, 1.2, 0.5, 50
"""How often a word in a title counts, BM25's parameters, and the length of a document of which they make no difference.
A mean length would change every file with every article."""

LEVELS = (1.35, 0.7)
"""The lowest scores of the first and second level of a word in a document."""

_encode = msgspec.msgpack.Encoder().encode


class Report(msgspec.Struct, array_like=True, frozen=True):
    """What the search needs of a member. `address` is that of its story, or where its headline leads.

    `words` are those of its title, and `more` those of its excerpt, source and topics that are not among them.
    """

    published: datetime
    address: str
    in_story: bool
    report: SearchReport
    topics: tuple[str, ...]
    words: str
    more: str


Blocks: TypeAlias = list[list[list[Report]]]
"""The blocks of a day, each with its documents, each with its members."""


class Document(msgspec.Struct, array_like=True, frozen=True):
    """What the files of words need of a document. `words` are those of each level."""

    topics: tuple[str, ...]
    sources: tuple[str, ...]
    words: tuple[str, str, str]

    @property
    def facets(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.topics, self.sources


class Day(msgspec.Struct, array_like=True, frozen=True):
    """The documents of a day, and the sizes and ids of the blocks that they lie in one after the other."""

    sizes: tuple[int, ...]
    ids: tuple[str, ...]
    documents: tuple[Document, ...]


class Month(msgspec.Struct, array_like=True, frozen=True):
    """What the files of words of a month have in common: their number, and the documents of its days that have no files
    of words of their own."""

    shards: int
    days: tuple[SearchDay, ...]
    counts: tuple[int, ...]


class Kept(msgspec.Struct, array_like=True):
    """What the last plan knew: all days, and those that had words of their own."""

    days: list[str] = []
    open: list[str] = []


class Search:
    """The search of one site. What it needs of members is kept by day, so that an update reads the articles that changed."""

    def __init__(self, cards: Cards) -> None:
        self._cards, self._library, self._store = cards, cards.library, cards.library.store
        self._kept: Kept = self._library.get("search", Kept, Kept())
        self._days = set(self._kept.days)
        self._edited: dict[str, Blocks] = {}
        """The blocks of the day that was edited last, until its pages are made."""

    def clear(self) -> None:
        """Forgets all days: each is made from its members when it is asked for."""
        self._edited = {}
        for day in self._days:
            self._store.put(f"reports {day}", None)
            self._store.put(f"documents {day}", None)
        for month in {day[:7] for day in self._days}:
            self._forget(month)

    def edit(self, reached: Reached) -> list[str]:
        """Takes the members whose card differs. Returns the names of the parts that this reaches."""
        library, days = self._library, dict[str, dict[str, Row | None]]()
        for id, (old, new) in reached.cards.items():
            if old:
                days.setdefault(library.day(old.published), {})[id] = None
            if new:
                days.setdefault(library.day(new.published), {})[id] = new
        was_open, is_open = set(self._kept.open), set(self._open)
        moved = set(days) | (was_open ^ is_open)
        in_months = sorted(day for day in moved if not (day in was_open and day in is_open))
        planned = {day: self._library.get(f"documents {day}", Day, None) for day in moved}
        for day, changed in days.items():
            if day in self._days:
                self._edit_day(day, changed, planned[day])
        names = [f"searched-day {day}" for day in moved]
        for month, in_month in groupby(in_months, key=lambda day: day[:7]):
            names += self._edit_month(month, {day: planned[day] for day in in_month})
        return names

    def _edit_day(self, day: str, changed: Mapping[str, Row | None], planned: Day | None) -> None:
        """Takes the members of a day that differ. Documents with none of them stay as they were planned."""
        reports = self._reports(day)
        addresses = [each[0].address for each in _grouped(reports)] if planned else []
        documents = dict(zip(addresses, planned.documents, strict=True)) if planned else {}
        for id, row in changed.items():
            if id in reports:
                documents.pop(reports.pop(id).address, None)
            if row:
                reports[id] = self._report(self._cards.card(self._library.member(row)))
                documents.pop(reports[id].address, None)
        self._put(day, reports)
        self._edited = {day: _blocks(_grouped(reports))}
        self._put_documents(day, self._edited[day], documents)

    def _edit_month(self, month: str, planned: Mapping[str, Day | None]) -> list[str]:
        """Takes the days of a month that differ, each as it was planned. Returns the names of the month's parts that this
        reaches: if the numbers of documents are the same, only those of the words that differ."""
        known: Month = self._library.get(f"words {month}", Month, Month(0, (), ()))
        days = self._closed(month)
        shards = self._shards(month, days)
        edits: defaultdict[int, list[postings.Edit]] = defaultdict(list)
        has_other_facets = False
        starts = dict(zip((day.day for day in known.days), accumulate(known.counts, initial=0), strict=False))
        is_numbered = known.shards == shards and [*starts] == days
        for day, old in planned.items():
            new = self._documents(day)
            is_numbered = is_numbered and old is not None and (old.sizes, old.ids) == (new.sizes, new.ids)
            if old is None or not is_numbered:
                break
            for number, (before, after) in enumerate(zip(old.documents, new.documents, strict=True), starts[day]):
                has_other_facets |= before.facets != after.facets
                for edit in _differences(before, after, number):
                    edits[_shard(edit.word, shards)].append(edit)
        if is_numbered:
            for shard, edited in edits.items():
                name = f"words {month} {shard}"
                self._store.put(name, postings.edit(self._store.need(name).decode(), edited).encode())
            numbers: Iterable[int] = sorted(edits)
        else:
            self._forget(month)
            numbers, has_other_facets = range(max(shards, known.shards)), True
        return [
            *(f"searched-words {month} {number}" for number in numbers),
            *([f"searched-facets {month}"] if has_other_facets else ()),
        ]

    def _forget(self, month: str) -> None:
        self._store.put(f"words {month}", None)
        for shard in range(MONTH_SHARDS):
            self._store.put(f"words {month} {shard}", None)

    def save(self) -> None:
        """Puts what the next plan needs into the store."""
        index = self._library.index("day") if self._cards.has("search") else {}
        self._store.put("search", _encode(Kept(sorted(index), self._open if index else [])))

    @cached_property
    def _open(self) -> list[str]:
        """The days with files of words of their own: the newest."""
        return sorted(self._library.index("day"))[-1:]

    @cached_property
    def _months(self) -> dict[str, list[str]]:
        """The days of each month, in order."""
        days = sorted(self._library.index("day"))
        return {month: list(in_month) for month, in_month in groupby(days, key=lambda day: day[:7])}

    def everything(self) -> Iterator[tuple[str, str]]:
        """The parts of all days, each with its day, and of all months, each with its first day."""
        for month, in_month in self._months.items():
            yield from ((day, f"searched-day {day}") for day in in_month)
            for shard in range(self._shards(month, self._closed(month))):
                yield in_month[0], f"searched-words {month} {shard}"
            yield in_month[0], f"searched-facets {month}"

    # Members and documents

    def _reports(self, day: str) -> dict[str, Report]:
        """The members of a day, by id."""
        found: dict[str, Report] | None = self._library.get(f"reports {day}", dict[str, Report], None)
        if found is None:
            section = self._library.sections["day"].get(day)
            rows = list(section.rows.ascending()) if section else []
            cards = self._cards.cards(section, rows) if section else []
            found = {row.id: self._report(card) for row, card in zip(rows, cards, strict=True)}
            self._put(day, found)
        return found

    def _put(self, day: str, reports: Mapping[str, Report]) -> None:
        self._days.add(day)
        self._store.put(f"reports {day}", _encode(reports) if reports else None)
        self._store.put(f"documents {day}", None)

    def _report(self, card: Card) -> Report:
        topics = tuple(topic.title for topic in card.topics)
        words = dict.fromkeys(search_words(card.title))
        more = dict.fromkeys(search_words(card.summary, short=False))
        for name in (card.provider.title, *topics):
            more |= dict.fromkeys(self._name_words(name))
        local = times.local(card.published, self._cards.config.zone)
        clock = "" if card.all_day else self._cards.locale.clock(local)
        return Report(
            published=card.published,
            address=card.story or card.url,
            in_story=bool(card.story),
            report=SearchReport(title=card.title, source=card.provider.title, time=clock, lang=card.lang),
            topics=topics,
            words=" ".join(words),
            more=" ".join(word for word in more if word not in words),
        )

    _name_words = staticmethod(lru_cache(1 << 14)(search_words))

    def _documents(self, day: str, blocks: Blocks | None = None) -> Day:
        """The documents of a day; `blocks` are those that they lie in, if these are known."""
        known: Day | None = self._library.get(f"documents {day}", Day, None)
        if known is None:
            blocks = blocks if blocks is not None else _blocks(_grouped(self._reports(day)))
            known = self._put_documents(day, blocks, {})
        return known

    def _put_documents(self, day: str, blocks: Blocks, known: Mapping[str, Document]) -> Day:
        """Makes the documents of a day, except for those that are known by their addresses."""
        documents = tuple(known.get(each[0].address) or _document(each) for block in blocks for each in block)
        made = Day(tuple(len(block) for block in blocks), tuple(map(_id, blocks)), documents)
        self._store.put(f"documents {day}", _encode(made) if documents else None)
        return made

    # Pages

    def day_pages(self, day: str) -> Iterator[Page]:
        """The results of a day and, if they are in files of their own, its words."""
        blocks = self._edited.pop(day, None) or _blocks(_grouped(self._reports(day)))
        if not blocks:
            return
        ids = self._documents(day, blocks).ids
        for number, (id, block) in enumerate(zip(ids, blocks, strict=True)):
            yield SearchResults(path=self._path(f"{day}/{number}.json"), id=id, results=tuple(map(_result, block)))
        if day in self._open:
            month, texts = self._words(day, [day])
            for shard, text in enumerate(texts):
                yield self._terms(day, shard, month, text)
            yield self._facets(day, month)

    def words_pages(self, month: str, shard: int) -> Iterator[Page]:
        """One file of the words of the days of a month that have no files of words of their own, if there still is one."""
        found = self._month(month)
        if shard < found.shards:
            yield self._terms(month, shard, found, self._store.need(f"words {month} {shard}").decode())

    def facets_pages(self, month: str) -> Iterator[Page]:
        """The topics and sources of the same documents, if there are any."""
        found = self._month(month)
        if found.shards:
            yield self._facets(month, found)

    def pages(self) -> Iterator[Page]:
        """The page on which readers search, the names that they find, and what the index consists of."""
        has, title = self._cards.has, self._cards.gettext("Search")
        yield SearchPage(
            path=urls.path(self._cards.places.search),
            head=Head(
                title=title,
                description=self._cards.gettext("Search all stories, topics, sources and days"),
                address=self._cards.places.search,
                breadcrumbs=self._cards.breadcrumbs(Link(title=title, url=self._cards.places.search)),
            ),
            index=self._cards.places.search,
            archive=self._cards.places.archive if has("archive") else "",
            ways=tuple(link for kind, link in self._cards.index_links.items() if has(kind)),
        )
        names = list(self._names())
        shards = _shards(len(names), NAMES, NAME_SHARDS)
        files: list[list[SearchName]] = [[] for _ in range(shards)]
        for words, name in names:
            for number in {_shard(word, shards) for word in words}:
                files[number].append(name)
        for number, in_file in enumerate(files):
            yield SearchNames(path=self._path(f"names/{number}.json"), names=tuple(in_file))
        periods = [self._period(day, [day]) for day in reversed(self._open)]
        periods += [self._period(month, days) for month in reversed(self._months) if (days := self._closed(month))]
        yield SearchIndex(path=self._path("index.json"), periods=tuple(periods), names=shards)

    def _closed(self, month: str) -> list[str]:
        """The days of a month that are not in files of their own."""
        return [day for day in self._months.get(month, ()) if day not in self._open]

    def _period(self, key: str, days: list[str]) -> SearchPeriod:
        return SearchPeriod(key=key, shards=self._shards(key, days), days=tuple(days))

    def _shards(self, key: str, days: list[str]) -> int:
        """The number of files for the words of a period."""
        index = self._library.index("day")
        count = sum(index[day].count for day in days)
        return _shards(count, SHARD, DAY_SHARDS if key in index else MONTH_SHARDS) if days else 0

    def _month(self, month: str) -> Month:
        """What the files of words of a month have in common. All are made if they have been forgotten."""
        known: Month | None = self._library.get(f"words {month}", Month, None)
        if known is None:
            known, texts = self._words(month, self._closed(month))
            for shard, text in enumerate(texts):
                self._store.put(f"words {month} {shard}", text.encode())
            self._store.put(f"words {month}", _encode(known))
        return known

    def _words(self, key: str, days: list[str]) -> tuple[Month, Iterator[str]]:
        """The words of the documents of a period, in a text for each of its files."""
        written: list[SearchDay] = []
        counts: list[int] = []
        levels: dict[str, tuple[list[int], list[int], list[int]]] = {}
        number = 0
        for day in days:
            known = self._documents(day)
            sizes = "".join(map(postings.number, known.sizes))
            written.append(SearchDay(day=day, sizes=sizes, ids="".join(known.ids)))
            counts.append(len(known.documents))
            for document in known.documents:
                for level, words in enumerate(document.words):
                    for word in words.split():
                        if word not in levels:
                            levels[word] = [], [], []
                        levels[word][level].append(number)
                number += 1
        month = Month(self._shards(key, days), tuple(written), tuple(counts))
        shards: list[dict[str, str]] = [{} for _ in range(month.shards)]
        for word, found in levels.items():
            shards[_shard(word, month.shards)][word] = postings.documents(found)
        return month, map(postings.write, shards)

    def _path(self, name: str) -> str:
        return urls.path(self._cards.places.search + name)

    def _terms(self, key: str, shard: int, month: Month, text: str) -> Page:
        path = self._path(f"{key}/w{shard}.json")
        return SearchTerms(path=path, version=_version(month), shards=month.shards, days=month.days, words=text)

    def _facets(self, key: str, month: Month) -> Page:
        # The words of a whole month would take much memory, and so would names that are not shared.
        known: dict[str, str] = {}
        facets = [
            tuple([tuple([known.setdefault(name, name) for name in names]) for names in document.facets])
            for day in month.days
            for document in self._documents(day.day).documents
        ]
        topics, of_topics = _column([names for names, _ in facets])
        sources, of_sources = _column([names for _, names in facets])
        return SearchFacets(
            path=self._path(f"{key}/facets.json"),
            version=_version(month),
            topics=topics,
            sources=sources,
            of_topics=of_topics,
            of_sources=of_sources,
        )

    def _names(self) -> Iterator[tuple[list[str], SearchName]]:
        """The topics, sections and sources with pages, each with the words of its name."""
        gettext = self._cards.gettext
        kinds = {"topic": gettext("Topic"), "category": gettext("Section"), "provider": gettext("Source")}
        for axis, kind in kinds.items():
            for key, row in sorted(self._library.index(axis).items()) if self._cards.has(axis) else ():
                yield (
                    self._name_words(row.title),
                    SearchName(kind=kind, title=row.title, url=self._cards.places.section(axis, key)),
                )


def _grouped(reports: Mapping[str, Report]) -> list[list[Report]]:
    """The members of each document of a day; documents and members by time."""
    found: dict[str, list[Report]] = {}
    for _, report in sorted(reports.items(), key=lambda item: (item[1].published, item[0])):
        found.setdefault(report.address, []).append(report)
    return list(found.values())


def _blocks(documents: list[list[Report]]) -> Blocks:
    """Divides the documents of a day."""
    blocks: Blocks = []
    first = 0
    for at, reports in enumerate(documents, 1):
        is_end = at - first >= BLOCK and crc32(reports[0].address.encode()) % BLOCK == 0
        if is_end or at - first == LARGE_BLOCK or at == len(documents):
            blocks.append(documents[first:at])
            first = at
    return blocks


def _id(block: list[list[Report]]) -> str:
    """Four letters by which a script sees that a block has the documents that it expects."""
    return digest("\n".join(reports[0].address for reports in block).encode())[:4]


def _document(reports: list[Report]) -> Document:
    counts: dict[str, int] = {}
    length = 0
    for report in reports:
        for words, weight in ((report.words, TITLE), (report.more, 1)):
            for word in words.split():
                counts[word] = counts.get(word, 0) + weight
                length += weight
    # A word that counts n has the score n (K1 + 1) / (n + damping).
    damping = K1 * (1 - B + B * length / LENGTH)
    first, second = (score * damping / (K1 + 1 - score) for score in LEVELS)
    levels: tuple[list[str], list[str], list[str]] = [], [], []
    for word, count in counts.items():
        levels[0 if count >= first else 1 if count >= second else 2].append(word)
    return Document(
        tuple(dict.fromkeys(topic for report in reports for topic in report.topics)),
        tuple(dict.fromkeys(report.report.source for report in reports)),
        (" ".join(levels[0]), " ".join(levels[1]), " ".join(levels[2])),
    )


def _differences(old: Document, new: Document, number: int) -> Iterator[postings.Edit]:
    """What differs between the words of a document."""
    for level, (before, after) in enumerate(zip(old.words, new.words, strict=True) if old.words != new.words else ()):
        known, found = set(before.split()), set(after.split())
        yield from (postings.Edit(word, level, number, word in found) for word in known ^ found)


def _version(month: Month) -> str:
    """The same in all files of a period, and another where its documents have other numbers."""
    return digest("".join(day.ids for day in month.days).encode())[:8]


def _result(reports: list[Report]) -> SearchResult:
    return SearchResult(
        url=reports[0].address,
        in_story=reports[0].in_story,
        reports=tuple(report.report for report in reversed(reports)),
    )


def _shards(count: int, each: int, most: int) -> int:
    """The number of files for `count` articles or names: a power of two, so that it seldom changes, or `most`."""
    return int(min(most, 1 << max(0, (count - 1) // each).bit_length()))


@lru_cache(1 << 16)
def _hash(start: str) -> int:
    value = 0
    for letter in start:
        value = (value * 31 + ord(letter)) & 0xFFFFFFFF
    return value


def _shard(word: str, shards: int) -> int:
    """The file that has a word, by its first three letters: all words with one beginning are in one file."""
    return _hash(word[:3]) % shards


def _column(values: list[tuple[str, ...]]) -> tuple[tuple[str, ...], str]:
    """The names in a column, sorted, and for each document the places of its names among them, followed by a comma."""
    names = sorted({name for value in values for name in value})
    places = {name: postings.number(at) for at, name in enumerate(names)}
    return tuple(names), ",".join("".join(map(places.__getitem__, value)) for value in values)

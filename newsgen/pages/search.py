"""Makes the search page and its index: files from which a script in the browser finds the stories with some words.

A document is what a story has on one day, or an article that is in no story, so a new report changes the files of its
day only. Documents lie in blocks of the day's results. The words of the newest day have files of their own, those of
the older days of a month are together in files of the month; which of them has a word is decided by its first letters.
The scores are those of BM25 (Robertson and Zaragoza, 2009, section 3.5), of which a file keeps one of three levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import groupby
from zlib import crc32

import msgspec

from newsgen import times, urls
from newsgen.library import Reached, Row
from newsgen.model import Card, Link
from newsgen.pages.cards import INDEX_LINKS, Cards
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

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
"""A number is written in base 32. Its last digit is one of the first 32 of these, the others are of the last 32."""

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


class Document(msgspec.Struct, array_like=True, frozen=True):
    """What the files of words need of a document. `words` are those of each level."""

    topics: tuple[str, ...]
    sources: tuple[str, ...]
    words: tuple[str, str, str]


class Day(msgspec.Struct, array_like=True, frozen=True):
    """The documents of a day, and the sizes and ids of the blocks that they lie in one after the other."""

    sizes: tuple[int, ...]
    ids: tuple[str, ...]
    documents: tuple[Document, ...]


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

    def clear(self) -> None:
        """Forgets all days: each is made from its members when it is asked for."""
        for day in self._days:
            self._store.put(f"reports {day}", None)
            self._store.put(f"documents {day}", None)

    def edit(self, reached: Reached) -> list[str]:
        """Takes the members whose card differs. Returns the names of the parts that this reaches."""
        library, days = self._library, dict[str, dict[str, Row | None]]()
        for id, (old, new) in reached.cards.items():
            if old:
                days.setdefault(library.day(old.published), {})[id] = None
            if new:
                days.setdefault(library.day(new.published), {})[id] = new
        for day, changed in days.items():
            if day in self._days:
                reports = self._reports(day)
                for id, row in changed.items():
                    if row:
                        reports[id] = self._report(self._cards.card(library.member(row)))
                    else:
                        reports.pop(id, None)
                self._put(day, reports)
        was_open, is_open = set(self._kept.open), set(self._open)
        moved = set(days) | (was_open ^ is_open)
        months = {day[:7] for day in moved if not (day in was_open and day in is_open)}
        return [*(f"searched-day {day}" for day in moved), *(f"searched-month {month}" for month in months)]

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
            yield in_month[0], f"searched-month {month}"

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
        clock = "" if card.all_day else f"{times.local(card.published, self._cards.config.zone):%H:%M}"
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

    def _grouped(self, day: str) -> list[list[Report]]:
        """The members of each document of a day; documents and members by time."""
        found: dict[str, list[Report]] = {}
        for _, report in sorted(self._reports(day).items(), key=lambda item: (item[1].published, item[0])):
            found.setdefault(report.address, []).append(report)
        return list(found.values())

    def _documents(self, day: str) -> Day:
        known: Day | None = self._library.get(f"documents {day}", Day, None)
        if known is None:
            known = self._day(day, list(_blocks(self._grouped(day))))
        return known

    def _day(self, day: str, blocks: list[list[list[Report]]]) -> Day:
        documents = tuple(_document(reports) for block in blocks for reports in block)
        found = Day(tuple(len(block) for block in blocks), tuple(map(_id, blocks)), documents)
        self._store.put(f"documents {day}", _encode(found) if documents else None)
        return found

    # Pages

    def day_pages(self, day: str) -> Iterator[Page]:
        """The results of a day and, if they are in files of their own, its words."""
        blocks = list(_blocks(self._grouped(day)))
        if not blocks:
            return
        ids = self._day(day, blocks).ids
        for number, (id, block) in enumerate(zip(ids, blocks, strict=True)):
            yield SearchResults(path=f"search/{day}/{number}.json", id=id, results=tuple(map(_result, block)))
        if day in self._open:
            yield from self._period_pages(self._period(day, [day]))

    def month_pages(self, month: str) -> Iterator[Page]:
        """The words of the days of a month that are not in files of their own."""
        if days := self._closed(month):
            yield from self._period_pages(self._period(month, days))

    def pages(self) -> Iterator[Page]:
        """The page on which readers search, the names that they find, and what the index consists of."""
        has = self._cards.has
        yield SearchPage(
            path=urls.path(urls.SEARCH),
            head=Head(
                title="Search",
                description="",
                address=urls.SEARCH,
                noindex=True,
                breadcrumbs=self._cards.breadcrumbs(Link(title="Search", url=urls.SEARCH)),
            ),
            index=urls.SEARCH,
            archive=urls.ARCHIVE if has("archive") else "",
            ways=tuple(link for kind, link in INDEX_LINKS.items() if has(kind)),
        )
        names = list(self._names())
        shards = _shards(len(names), NAMES, NAME_SHARDS)
        files: list[list[SearchName]] = [[] for _ in range(shards)]
        for words, name in names:
            for number in {_shard(word, shards) for word in words}:
                files[number].append(name)
        for number, in_file in enumerate(files):
            yield SearchNames(path=f"search/names/{number}.json", names=tuple(in_file))
        periods = [self._period(day, [day]) for day in reversed(self._open)]
        periods += [self._period(month, days) for month in reversed(self._months) if (days := self._closed(month))]
        yield SearchIndex(path="search/index.json", periods=tuple(periods), names=shards)

    def _closed(self, month: str) -> list[str]:
        """The days of a month that are not in files of their own."""
        return [day for day in self._months.get(month, ()) if day not in self._open]

    def _period(self, key: str, days: list[str]) -> SearchPeriod:
        index = self._library.index("day")
        most = DAY_SHARDS if key in index else MONTH_SHARDS
        return SearchPeriod(
            key=key, shards=_shards(sum(index[day].count for day in days), SHARD, most), days=tuple(days)
        )

    def _period_pages(self, period: SearchPeriod) -> Iterator[Page]:
        days: list[SearchDay] = []
        levels: dict[str, tuple[list[int], list[int], list[int]]] = {}
        facets: tuple[list[tuple[str, ...]], list[tuple[str, ...]]] = [], []
        number = 0
        for day in period.days:
            known = self._documents(day)
            days.append(SearchDay(day=day, sizes="".join(map(_number, known.sizes)), ids="".join(known.ids)))
            for document in known.documents:
                for level, words in enumerate(document.words):
                    for word in words.split():
                        if word not in levels:
                            levels[word] = [], [], []
                        levels[word][level].append(number)
                facets[0].append(document.topics)
                facets[1].append(document.sources)
                number += 1
        version = digest("".join(day.ids for day in days).encode())[:8]
        shards: list[list[str]] = [[] for _ in range(period.shards)]
        for word in sorted(levels):
            shards[_shard(word, period.shards)].append(word)
        for at, in_shard in enumerate(shards):
            yield SearchTerms(
                path=f"search/{period.key}/w{at}.json",
                version=version,
                shards=period.shards,
                days=tuple(days),
                words="\n".join(_lines(in_shard, levels)),
            )
        topics, of_topics = _column(facets[0])
        sources, of_sources = _column(facets[1])
        yield SearchFacets(
            path=f"search/{period.key}/facets.json",
            version=version,
            topics=topics,
            sources=sources,
            of_topics=of_topics,
            of_sources=of_sources,
        )

    def _names(self) -> Iterator[tuple[list[str], SearchName]]:
        """The topics, sections and sources with pages, each with the words of its name."""
        for axis, kind in (("topic", "Topic"), ("category", "Section"), ("provider", "Source")):
            for key, row in sorted(self._library.index(axis).items()) if self._cards.has(axis) else ():
                yield self._name_words(row.title), SearchName(kind=kind, title=row.title, url=urls.section(axis, key))


def _blocks(documents: list[list[Report]]) -> Iterator[list[list[Report]]]:
    """Divides the documents of a day."""
    first = 0
    for at, reports in enumerate(documents, 1):
        is_end = at - first >= BLOCK and crc32(reports[0].address.encode()) % BLOCK == 0
        if is_end or at - first == LARGE_BLOCK or at == len(documents):
            yield documents[first:at]
            first = at


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


@lru_cache(1 << 16)
def _number(number: int) -> str:
    written = DIGITS[number % 32]
    while number := number // 32:
        written = DIGITS[32 + number % 32] + written
    return written


def _lines(words: Iterable[str], levels: Mapping[str, tuple[list[int], ...]]) -> Iterator[str]:
    """A line for each word: how many letters it shares with the word before, its other letters, and for each level,
    after a space, the differences between the numbers of its documents, each less by one."""
    before = ""
    for word in words:
        same = 0
        while same < min(len(before), len(word)) and before[same] == word[same]:
            same += 1
        fields = [DIGITS[same] + word[same:]]
        for numbers in levels[word]:
            last, written = -1, []
            for number in numbers:
                written.append(_number(number - last - 1))
                last = number
            fields.append("".join(written))
        yield " ".join(fields).rstrip()
        before = word


def _column(values: list[tuple[str, ...]]) -> tuple[tuple[str, ...], str]:
    """The names in a column, sorted, and for each document the places of its names among them, followed by a comma."""
    names = sorted({name for value in values for name in value})
    places = {name: _number(at) for at, name in enumerate(names)}
    return tuple(names), ",".join("".join(map(places.__getitem__, value)) for value in values)

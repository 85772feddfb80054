"""Stores the word counts and texts of articles by day, and loads a day only when it is needed.

A large archive has many days, but a new article concerns the word counts of about forty days and the texts of about
five.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

Fetch = Callable[[str], bytes | None]
"""Returns the data saved under a name, or None if it is missing."""


class LostError(Exception):
    """Saved data is missing or unreadable."""


class Text(NamedTuple):
    """The part of an article that is compared with others.

    `seconds` is the publication time as a Unix timestamp and `day` the number of days since 1970. `stems` are the
    distinct stems in the order they occur, those of the title first; `title_length` is how many of them the title has.
    `counts` holds the weighted number of occurrences of each stem, one byte per stem. `series` is the provider and the
    headline without its numbers, separated by a NUL character.
    """

    seconds: float
    id: str
    day: int
    provider: str
    series: str
    stems: tuple[str, ...]
    counts: bytes
    title_length: int


class Vector(NamedTuple):
    """The weights of a text's stems: strong ones, which can make a pair by themselves, and weak ones, which add to it.

    `dense` says whether many articles are within reach of the text.
    """

    strong: dict[str, int]
    weak: dict[str, int]
    dense: bool


class _Words(msgspec.Struct, array_like=True):
    """The saved form of a day's word counts; see `Day`."""

    frequencies: dict[str, int]
    idf: dict[str, float]


class _Texts(msgspec.Struct, array_like=True):
    """The saved form of a day's texts and vectors, both by article id."""

    texts: dict[str, Text]
    vectors: dict[str, Vector]


_encode = msgspec.msgpack.Encoder().encode
_decode_words = msgspec.msgpack.Decoder(_Words).decode
_decode_texts = msgspec.msgpack.Decoder(_Texts).decode


class Day:
    """The word counts of one day.

    `count` is the number of its texts. `density` holds two rounded numbers of texts: those within reach of the day and
    those in its background window. `frequencies` is the number of texts that contain each stem. `idf` holds the idf of
    the stems that are below the cap: negative if a stem counts in titles only, 0 if it never counts. `words_changed`
    and `texts_changed` say whether the word counts or the texts differ from what is saved.
    """

    def __init__(self, number: int, fetch: Fetch | None = None) -> None:
        self.count = 0
        self.density = (0, 0)
        self.words_changed = self.texts_changed = False
        self._number = number
        self._fetch = fetch
        self._frequencies: Counter[str] = Counter()
        self._idf: dict[str, float] = {}
        self._words_loaded = fetch is None

    @property
    def frequencies(self) -> Counter[str]:
        self._load_words()
        return self._frequencies

    @property
    def idf(self) -> dict[str, float]:
        self._load_words()
        return self._idf

    def _load_words(self) -> None:
        if not self._words_loaded:
            words = self._load("words", _decode_words)
            self._frequencies, self._idf, self._words_loaded = Counter(words.frequencies), words.idf, True

    def saved_texts(self) -> _Texts:
        """The texts and vectors that were saved. Raises LostError if they are missing."""
        saved: _Texts = self._load("texts", _decode_texts) if self._fetch else _Texts({}, {})
        return saved

    def _load(self, kind: str, decode: Callable[[bytes], Any]) -> Any:
        data = self._fetch(f"stories {kind} {self._number}") if self._fetch else None
        try:
            return decode(data or b"")
        except msgspec.DecodeError:
            raise LostError from None

    def dump(self) -> bytes:
        """The word counts, encoded."""
        return _encode(_Words(self.frequencies, self.idf))


class Days(dict[int, Day]):
    """All days by number. `texts` and `vectors` map article ids to values and load a whole day on first access."""

    def __init__(self, day_of: Callable[[str], int]) -> None:
        super().__init__()
        self._day_of = day_of
        self.texts: dict[str, Text] = _LoadedByDay(self._load_day_of)
        self.vectors: dict[str, Vector] = _LoadedByDay(self._load_day_of)
        self._ids: dict[int, set[str]] = {}

    def _load_day_of(self, id: str) -> None:
        self.ids(self._day_of(id))

    def ids(self, number: int) -> set[str]:
        """The ids of a day's texts, which are loaded if necessary. Callers may change the set."""
        if number not in self._ids:
            saved = self[number].saved_texts()
            self.texts |= saved.texts
            self.vectors |= saved.vectors
            self._ids[number] = set(saved.texts)
        return self._ids[number]

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """The data of the days that changed since they were loaded, as pairs of a name and encoded data."""
        for number, day in self.items():
            if day.words_changed:
                yield f"stories words {number}", day.dump()
            if day.texts_changed:
                ids = sorted(self.ids(number))
                texts = _Texts({id: self.texts[id] for id in ids}, {id: self.vectors[id] for id in ids})
                yield f"stories texts {number}", _encode(texts)
            day.words_changed = day.texts_changed = False


class _LoadedByDay(dict[str, Any]):
    """Values by article id. A missing id loads all values of its day."""

    def __init__(self, load_day_of: Callable[[str], None]) -> None:
        super().__init__()
        self._load_day_of = load_day_of

    def __missing__(self, id: str) -> Any:
        self._load_day_of(id)
        if id not in self:
            raise LostError
        return self[id]


class SlidingWindow:
    """The number of texts that contain each stem, over the days within `radius` of a day that moves forward.

    `order` lists the numbers of all days, ascending. If `only` is given, other stems are not counted.
    """

    def __init__(self, days: Mapping[int, Day], order: list[int], radius: int, only: set[str] | None) -> None:
        self.frequencies: dict[str, int] = {}
        self._days, self._order, self._radius, self._only = days, order, radius, only
        self._start = self._end = 0

    def move(self, day: int) -> None:
        """Moves the window to a later day."""
        if not self._end or self._order[self._end - 1] < day - self._radius:
            self.frequencies.clear()
            self._start = self._end = bisect_left(self._order, day - self._radius)
        end = bisect_right(self._order, day + self._radius)
        for at in range(self._end, end):
            self._add(self._order[at], 1)
        start = bisect_left(self._order, day - self._radius)
        for at in range(self._start, start):
            self._add(self._order[at], -1)
        self._start, self._end = start, end

    def _add(self, day: int, sign: int) -> None:
        of_day, totals = self._days[day].frequencies, self.frequencies
        if self._only is not None:
            for stem in self._only:
                if stem in of_day:
                    totals[stem] = totals.get(stem, 0) + sign * of_day[stem]
        else:
            for stem, count in of_day.items():
                totals[stem] = totals.get(stem, 0) + sign * count

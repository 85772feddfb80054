"""The articles of a day: their order and their word counts, each loaded only when it is needed.

A large archive has many days, but a new article concerns the word counts of about forty days and the order of about
five.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, TypeVar

import msgspec

from newsgen.store import LostError, Store

V = TypeVar("V")

Key = tuple[float, str]
"""The publication time of an article as a Unix timestamp, and its id: articles are ordered by this."""


def day_number(seconds: float) -> int:
    """The number of days since 1970."""
    return int(seconds // 86400)


class Text(NamedTuple):
    """The part of an article that is compared with others.

    `seconds` is the publication time as a Unix timestamp and `day` the number of days since 1970. `stems` are the
    distinct stems in the order they occur, those of the title first; `title_length` is how many of them the title has.
    `counts` holds the weighted number of occurrences of each stem, one byte per stem. `series` is the provider and the
    headline without its numbers, separated by a NUL character. `words` are the words of the title in lower case, separated
    by spaces. `languages` are those that the text may be in; see `languages.languages`. A `standalone` text is not
    compared, because an editor says so.
    """

    seconds: float
    id: str
    day: int
    provider: str
    series: str
    stems: tuple[str, ...]
    counts: bytes
    title_length: int
    words: str
    languages: int
    standalone: bool


class Vector(NamedTuple):
    """The weights of a text's stems: strong ones, which can make a pair by themselves, and weak ones, which add to it.

    `title` are the words of the title that have a weight, separated by spaces. `languages` is as in `Text`. `dense` says
    whether many articles are within reach of the text, `title_only` whether its excerpt adds no stems to those of its
    title, and `compared` whether it is compared at all.
    """

    strong: dict[str, int]
    weak: dict[str, int]
    title: str
    languages: int
    provider: str
    dense: bool
    title_only: bool
    compared: bool


class _Words(msgspec.Struct, array_like=True):
    """The saved form of a day's word counts; see `Day`."""

    frequencies: dict[str, int]
    idf: dict[str, float]


class _Order(msgspec.Struct, array_like=True):
    """The saved form of a day's order: the times and ids of its articles."""

    seconds: list[float]
    ids: list[str]


_encode = msgspec.msgpack.Encoder().encode
_decode_words = msgspec.msgpack.Decoder(_Words).decode
_decode_order = msgspec.msgpack.Decoder(_Order).decode


class Day:
    """The articles of one day.

    `count` is the number of its texts. `density` holds two rounded numbers of texts: those within reach of the day and
    those in its background window. `is_saved` says whether the store has the day.
    """

    def __init__(self, number: int, store: Store, *, count: int = 0, density: tuple[int, int] = (0, 0)) -> None:
        self.number = number
        self.count, self.density = count, density
        self.is_saved = count > 0
        self.words_changed = self.order_changed = False
        self._store = store
        self._words: tuple[Counter[str], dict[str, float]] | None = None
        self._order: tuple[list[float], list[str]] | None = None

    @property
    def frequencies(self) -> Counter[str]:
        """The number of texts that contain each stem."""
        return self._load_words()[0]

    @property
    def idf(self) -> dict[str, float]:
        """The idf of the stems that are below the cap: negative if a stem counts in titles only, 0 if it never counts."""
        return self._load_words()[1]

    @property
    def seconds(self) -> list[float]:
        """The times of the articles, ascending."""
        return self._load_order()[0]

    @property
    def ids(self) -> list[str]:
        """The ids of the articles, in the order of `seconds`, and by id where these are equal."""
        return self._load_order()[1]

    def insert(self, key: Key) -> None:
        """Adds an article to the order."""
        at = self._position(key)
        self.seconds.insert(at, key[0])
        self.ids.insert(at, key[1])
        self.count += 1
        self.order_changed = True

    def remove(self, key: Key) -> None:
        """Removes an article from the order."""
        at = self._position(key)
        if self.ids[at : at + 1] != [key[1]]:
            raise LostError(key[1])
        del self.seconds[at], self.ids[at]
        self.count -= 1
        self.order_changed = True

    def _position(self, key: Key) -> int:
        low, high = bisect_left(self.seconds, key[0]), bisect_right(self.seconds, key[0])
        return bisect_left(self.ids, key[1], low, high)

    def count_words(self, stems: tuple[str, ...], change: Literal[1, -1]) -> None:
        """Adds the stems of a text to the frequencies, or removes them."""
        frequencies, idf = self._load_words()
        self.words_changed = True
        if change > 0:
            frequencies.update(stems)
            return
        for stem in stems:
            frequencies[stem] -= 1
            if not frequencies[stem]:
                del frequencies[stem]
                idf.pop(stem, None)

    def save(self) -> None:
        """Puts what changed into the store, and forgets words and order, to free memory."""
        if self.words_changed:
            value = _Words(self.frequencies, self.idf)
            self._store.put(f"stories words {self.number}", _encode(value) if self.count else None)
        if self.order_changed:
            order = _Order(self.seconds, self.ids)
            self._store.put(f"stories order {self.number}", _encode(order) if self.count else None)
        self.is_saved = self.count > 0
        self.words_changed = self.order_changed = False
        self._words = self._order = None

    def _load_words(self) -> tuple[Counter[str], dict[str, float]]:
        if self._words is None:
            words = self._need("words", _decode_words) if self.is_saved else _Words({}, {})
            self._words = Counter(words.frequencies), words.idf
        return self._words

    def _load_order(self) -> tuple[list[float], list[str]]:
        if self._order is None:
            order = self._need("order", _decode_order) if self.is_saved else _Order([], [])
            self._order = order.seconds, order.ids
        return self._order

    def _need(self, kind: str, decode: Callable[[bytes], V]) -> V:
        name = f"stories {kind} {self.number}"
        try:
            return decode(self._store.need(name))
        except msgspec.DecodeError:
            raise LostError(name) from None


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

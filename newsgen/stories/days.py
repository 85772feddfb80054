"""What is known of articles' texts, by day: kept between builds, and decoded for the days that a build asks for.

The days of a large archive are many, and a new article concerns the words of forty and the texts of five.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

Fetch = Callable[[str], bytes | None]
"""What was kept under a name, None where it is lost."""


class LostError(Exception):
    """Something that was kept is not there any more."""


class Text(NamedTuple):
    """What is compared of an article: its stems in their order, how often each comes; `title` is how many it gives.

    `series` is the publisher's name and the headline without its numbers, between them a zero character.
    """

    seconds: float
    id: str
    day: int
    provider: str
    series: str
    stems: tuple[str, ...]
    counts: bytes
    title: int


class Vector(NamedTuple):
    """A text's telling stems with their weights, and its plain ones; and how many are around it."""

    telling: dict[str, int]
    plain: dict[str, int]
    dense: bool


class _Words(msgspec.Struct, array_like=True):
    """In how many texts of a day each stem is, and what the stems weigh that are not at the cap."""

    stems: dict[str, int]
    known: dict[str, float]


class _Texts(msgspec.Struct, array_like=True):
    """A day's texts and their vectors, by id."""

    texts: dict[str, Text]
    vectors: dict[str, Vector]


_encode = msgspec.msgpack.Encoder().encode
_words = msgspec.msgpack.Decoder(_Words).decode
_texts = msgspec.msgpack.Decoder(_Texts).decode


class Day:
    """One day: how many texts it has, how crowded it is, and its words.

    `stems` says in how many texts each is, `known` what those weigh that are not at the cap: below 0 where a word counts in
    titles only, 0 where it counts nowhere. `worded` and `texted` say whether words or texts are not as they were kept.
    """

    def __init__(self, number: int, fetch: Fetch | None = None) -> None:
        self.count = 0
        self.crowd = (0, 0)
        self.worded = self.texted = False
        self._number = number
        self._fetch = fetch
        self._stems: Counter[str] = Counter()
        self._known: dict[str, float] = {}
        self._open = fetch is None

    @property
    def stems(self) -> Counter[str]:
        self._words()
        return self._stems

    @property
    def known(self) -> dict[str, float]:
        self._words()
        return self._known

    def _words(self) -> None:
        if not self._open:
            found = self._load("words", _words)
            self._stems, self._known, self._open = Counter(found.stems), found.known, True

    def texts(self) -> _Texts:
        """The texts that were kept."""
        found: _Texts = self._load("texts", _texts) if self._fetch else _Texts({}, {})
        return found

    def _load(self, kind: str, decode: Callable[[bytes], Any]) -> Any:
        data = self._fetch(f"stories {kind} {self._number}") if self._fetch else None
        try:
            return decode(data or b"")
        except msgspec.DecodeError:
            raise LostError from None

    def dump(self) -> bytes:
        """Its words."""
        return _encode(_Words(self.stems, self.known))


class Days(dict[int, Day]):
    """All days by their number. `texts` and `vectors` hold those of the days that were asked for, by id."""

    def __init__(self, day_of: Callable[[str], int]) -> None:
        super().__init__()
        self._day_of = day_of
        self.texts: dict[str, Text] = _OfDay(self.open)
        self.vectors: dict[str, Vector] = _OfDay(self.open)
        self._ids: dict[int, set[str]] = {}

    def open(self, id: str) -> None:
        """Has the texts of an article's day."""
        self.on(self._day_of(id))

    def on(self, number: int) -> set[str]:
        """The ids of a day's texts, which may be changed."""
        if number not in self._ids:
            held = self[number].texts()
            self.texts |= held.texts
            self.vectors |= held.vectors
            self._ids[number] = set(held.texts)
        return self._ids[number]

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """What has changed, by the names to keep it under."""
        for number, day in self.items():
            if day.worded:
                yield f"stories words {number}", day.dump()
            if day.texted:
                ids = sorted(self.on(number))
                held = _Texts({id: self.texts[id] for id in ids}, {id: self.vectors[id] for id in ids})
                yield f"stories texts {number}", _encode(held)
            day.worded = day.texted = False


class _OfDay(dict[str, Any]):
    """Values by id, those of a whole day at once."""

    def __init__(self, open: Callable[[str], None]) -> None:
        super().__init__()
        self._open = open

    def __missing__(self, id: str) -> Any:
        self._open(id)
        if id not in self:
            raise LostError
        return self[id]


class Span:
    """In how many texts of the days around one each stem is; all stems, or some."""

    def __init__(self, days: Mapping[int, Day], order: list[int], reach: int, stems: set[str] | None) -> None:
        self.stems: dict[str, int] = {}
        self._days, self._order, self._reach, self._some = days, order, reach, stems
        self._first = self._last = 0

    def move(self, day: int) -> None:
        """Goes on to a later day."""
        if not self._last or self._order[self._last - 1] < day - self._reach:
            self.stems.clear()
            self._first = self._last = bisect_left(self._order, day - self._reach)
        end = bisect_right(self._order, day + self._reach)
        for at in range(self._last, end):
            self._add(self._order[at], 1)
        start = bisect_left(self._order, day - self._reach)
        for at in range(self._first, start):
            self._add(self._order[at], -1)
        self._first, self._last = start, end

    def _add(self, day: int, sign: int) -> None:
        held, stems = self._days[day].stems, self.stems
        if self._some is not None:
            for stem in self._some:
                if stem in held:
                    stems[stem] = stems.get(stem, 0) + sign * held[stem]
        else:
            for stem, count in held.items():
                stems[stem] = stems.get(stem, 0) + sign * count

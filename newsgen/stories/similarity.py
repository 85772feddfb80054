"""Finds pairs of similar articles by their titles, excerpts, publishers and times.

A text is a vector of word stems. A stem weighs (1 + ln tf) · idf (Spärck Jones, 1972; Salton and Buckley, 1988). Its
occurrences in the title count three times, and six times if it is a name. idf = min(IDF_CAP, ln((N + 1) / (df + 1)))
over the N articles of the days around, `PRIOR` imaginary ones included. The cap makes all but the common words equal:
without it, a name that nobody else writes outweighs the words that describe the event. A word that is as frequent on
the days out of reach as on those within reach belongs to a subject, not to an event, and weighs less. The similarity of
two articles within `REACH` is the cosine of their vectors, mixed with that of the letters of their titles, times
exp(−0.7 · days between them).

Everything is local in time. An article's vector depends only on articles within `WINDOW_DAYS` of it and its pairs only
on articles within `REACH`, so later articles never change old pairs. Counts are rounded, so that one more article
leaves nearly all weights as they were and an update touches little. No word counts for more or less than its frequency
says, and no language is preferred.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any, Literal, NamedTuple

import msgspec

from newsgen.model import Article
from newsgen.store import LostError, Store
from newsgen.stories import words
from newsgen.stories.days import Day, Key, SlidingWindow, Text, Vector, day_number
from newsgen.stories.languages import languages
from newsgen.stories.tables import MANY, HashTable, State, Table
from newsgen.stories.words import STEM_LENGTH, headline

REACH = timedelta(hours=49)
"""The maximum time between two similar articles: two days, plus an hour for clock changes."""

REACH_DAYS = 2
"""The days before and after an article's day that count as within reach."""

WINDOW_DAYS = 20
"""The days before and after an article's day whose articles are its background."""

UNIT = 10_000
"""A similarity of 1. Similarities are integers, so that their sums do not depend on the order."""

VECTOR_LENGTH = 1000
"""The length that vectors are scaled to; weights are integers for the same reason."""

MIN_SIMILARITY, MIN_SIMILARITY_DENSE = 0.06, 0.08
"""Lower similarities count as zero. The second applies if at least `DENSE` articles are within reach."""

SAME_PUBLISHER_COSINE = 0.4
"""The cosine that two articles of one publisher need; below it they share a subject, not an event."""

IDF_CAP = 3.0
"""The maximum idf, that of a word in less than a twentieth (1/e³) of the articles in the window."""

DENSE = 200
"""From this number of articles within reach on, only strong words can make a pair."""

SECOND_WORD_SHARE = 0.1
"""Below `DENSE`, this share of a cosine below `SAME_PUBLISHER_COSINE` must come from more than one word."""

SECOND_WORD_LETTERS = 0.2
"""Unless the letters of the two titles are this similar: other words may be inflected."""

STRONG_IDF = 1.75
"""From `DENSE` on, words with at least this idf are strong: they must reach `MIN_SIMILARITY_DENSE` by themselves."""

COMMON_IDF = 1.0
"""A word with a lower idf, in more than a third (1/e) of the articles, does not count."""

RARE_COUNT, RARE_SHARE = 40, 0.02
"""A word of an excerpt counts only if at most this many articles of the window, or this share of them, contain it."""

BURST_RATIO = 1.8
"""A word counts for half unless it is this many times as frequent within reach as in the rest of the window."""

DEVIATIONS = 1.5
"""The standard deviations by which a word's count in the rest of the window is reduced before that comparison."""

IDF_STEPS = 4
"""The steps per unit that idf is rounded to; a finer idf would be noise."""

COUNT_DIGITS, DENSITY_DIGITS = 3, 5
"""The leading binary digits kept of a word's counts, and of the numbers of articles in `Day.density`."""

DAILY_DECAY = 0.7
TITLE_WEIGHT, NAME_WEIGHT = 3, 6
EXCERPT_LENGTH, EXCERPT_WORDS = 280, 12

LETTERS_SHARE, LETTERS_SHARE_TITLES = 0.15, 0.3
"""The share of a similarity that the letters of the two titles decide, if they have any words. The second is for two
articles without excerpts."""

PRIOR = 20
"""Imaginary articles in every window that contain the short words and no others; they matter if articles are few."""

PLACEHOLDER_COUNT = 1000
"""If this many articles have the same time, it is a placeholder, and they are not compared."""

_MANY_STEMS = 50
"""From this number of stems on, texts are decoded rather than searched."""

_REACH_SECONDS = REACH.total_seconds()
_SAME_PUBLISHER_DOT = SAME_PUBLISHER_COSINE * VECTOR_LENGTH * VECTOR_LENGTH
_AFTER_APOSTROPHE = re.compile(r"(?<=\w')\w+")
_NOT_LETTERS = re.compile(r"[\d\W_]+")
_LOG_TF = [0.0, *(round(1 + math.log(n), 6) for n in range(1, 256))]


class _Strong(msgspec.Struct, array_like=True):
    """The first field of a `Vector`."""

    strong: dict[str, int]


_decode_strong = msgspec.msgpack.Decoder(_Strong).decode

_NO_PAIRS: dict[str, int] = {}


Obstacle = Literal["", "excluded", "time", "language", "publisher", "low", "one word"]
"""Why two articles are not similar at all, "" if they are: one of them is not compared ("excluded"), or they are out of
reach of each other ("time"), in two languages, by one publisher and not nearly the same, too little alike ("low"), or
share only one word."""


class Comparison(NamedTuple):
    """How similar two articles are, and why. Numbers are 0 to 1 unless stated otherwise.

    `seconds` is the time between them. `shared` maps each stem that both have to the lower of its two idfs (0 to
    `IDF_CAP`) and its part of the cosine of the vectors. `letters` is the likeness of the letters of their titles, None
    if one has no words. Below the `floor` a similarity counts as zero.
    """

    seconds: float
    shared: dict[str, tuple[float, float]]
    letters: float | None
    similarity: float
    floor: float
    obstacle: Obstacle


class Similarity:
    """The similar pairs among a changing set of articles. The result never depends on the order of the changes.

    `near` maps each article to those it is similar to, earlier and later, with the similarity in `UNIT`s. `keys` maps
    each article to its time in seconds and its id. `days` holds the articles of each day, in order.
    """

    def __init__(self, store: Store, keys: dict[str, Key]) -> None:
        self.keys = keys
        self.days: dict[int, Day] = {}
        self.count_changes: Counter[float] = Counter()

        def day_of(id: str) -> int:
            return int(keys[id][0] // 86400)

        self.near: Table[dict[str, int]] = Table(store, "near", dict[str, int], day_of, default=_NO_PAIRS)
        self._texts: Table[Text] = Table(store, "texts", Text, day_of)
        self._vectors: Table[Vector] = Table(store, "vectors", Vector, day_of)
        self._series: HashTable[list[tuple[int, str]]] = HashTable(store, "series", list[tuple[int, str]])
        self._tables: tuple[Table[Any], ...] = (self.near, self._texts, self._vectors, self._series)
        self._store = store
        self._stem_of = words.Stems()
        self._added: set[str] = set()
        self._removed: set[str] = set()
        self._changed_stems: set[str] = set()
        self._changed_days: set[int] = set()
        self._changed_series: set[tuple[str, int]] = set()
        self._pairs_before: dict[str, dict[str, int]] = {}
        self._relieved = 0

    def add(self, text: Text) -> None:
        """Adds an article. Its key must be in `keys`. Call `refresh` after all changes."""
        id, day = text.id, self.days.get(text.day)
        if day is None:
            day = self.days[text.day] = Day(text.day, self._store)
        day.insert(self.keys[id])
        day.count_words(text.stems, 1)
        self._texts[id] = text
        series = self._series.get(text.series)
        if series is None:
            series = self._series[text.series] = []
        insort(series, (text.day, id))
        self._series.touch(text.series)
        self._added.add(id)
        self._removed.discard(id)
        self._note(text, 1)

    def remove(self, id: str) -> None:
        """Removes an article, and its key from `keys`. Call `refresh` after all changes."""
        text, day = self._texts[id], self.days[day_number(self.keys[id][0])]
        pairs = self.near[id]
        self._pairs_before.setdefault(id, pairs)
        for other in pairs:
            del self.near[other][id]
            self.near.touch(other)
        for table in (self.near, self._texts, self._vectors):
            table.discard(id)
        day.remove(self.keys.pop(id))
        day.count_words(text.stems, -1)
        series = self._series[text.series]
        del series[bisect_left(series, (text.day, id))]
        self._series.touch(text.series)
        if not series:
            self._series.discard(text.series)
        self._added.discard(id)
        self._removed.add(id)
        self._note(text, -1)

    def _note(self, text: Text, change: int) -> None:
        """Notes what `refresh` has to look at."""
        self.count_changes[text.seconds] += change
        self._changed_days.add(text.day)
        self._changed_stems.update(text.stems)
        self._changed_series.add((text.series, text.day))

    def refresh(self) -> set[str]:
        """Compares what may have changed. Returns the ids of all articles whose pairs changed, and of removed ones."""
        is_everything = len(self._added) == self.count
        rechecked = self._added if is_everything else self._added | self._possibly_excluded()
        stale = set(rechecked)
        for day, stems in self._update_idf():
            if not is_everything:
                stale |= self._with_stems(day, stems)
        dirty = self._update_vectors(stale, rechecked)
        before = self._pairs_before
        for id in dirty - before.keys():
            before[id] = self.near[id]
        for id in dirty:
            for other in before[id]:
                if other not in before and id in self.near[other]:
                    del self.near[other][id]
                    self.near.touch(other)
            if before[id]:
                self.near.discard(id)
        self._find_pairs(dirty)
        changed = self._added | self._removed
        for id, pairs in before.items():
            now = _NO_PAIRS if id in self._removed else self.near[id]
            if pairs != now:
                changed.add(id)
                changed.update((other for other, _ in pairs.items() ^ now.items()) if pairs else now)
        self._forget()
        return changed

    def _with_stems(self, day: Day, stems: set[str]) -> set[str]:
        """The ids of the texts of a day that contain any of these stems."""
        ids = set(self._texts.holding(day.number, stems) if len(stems) < _MANY_STEMS else day.ids)
        return {id for id in ids if not stems.isdisjoint(self._texts[id].stems)}

    @property
    def count(self) -> int:
        """The number of articles."""
        return sum(day.count for day in self.days.values())

    def _forget(self) -> None:
        """Forgets the changes."""
        self._added, self._removed, self._pairs_before = set(), set(), {}
        self._changed_stems, self._changed_days, self._changed_series = set(), set(), set()

    @property
    def state(self) -> list[State]:
        """What `restore` needs of the tables."""
        return [table.state for table in self._tables]

    def restore(self, days: Mapping[int, tuple[int, tuple[int, int]]], state: Iterable[State]) -> None:
        """Continues from what is in the store: the number of texts and the density of each day, and the tables."""
        for number, (count, density) in days.items():
            self.days[number] = Day(number, self._store, count=count, density=density)
        for table, saved in zip(self._tables, state, strict=True):
            table.restore(saved)

    def save(self) -> None:
        """Puts what changed into the store, and forgets it, to free memory."""
        for table in self._tables:
            table.save()
        for number, day in list(self.days.items()):
            day.save()
            if not day.count:
                del self.days[number]

    def compare(self, one: str, two: str) -> Comparison:
        """How similar two articles are, and why."""
        first, last = sorted((one, two), key=self.keys.__getitem__)
        earlier, later = self._vectors[first], self._vectors[last]
        seconds = self.keys[last][0] - self.keys[first][0]
        decay = math.exp(-DAILY_DECAY * seconds / 86400)
        floor = MIN_SIMILARITY_DENSE if later.dense else MIN_SIMILARITY
        minimum = floor * VECTOR_LENGTH * VECTOR_LENGTH
        dot = sum(weight * earlier.strong.get(stem, 0) for stem, weight in later.strong.items())
        letters = None
        if earlier.title and later.title:
            letters = words.likeness(words.letters(earlier.title), words.letters(later.title))
        score = 0
        obstacle: Obstacle = "low"
        if not (earlier.compared and later.compared):
            obstacle = "excluded"
        elif seconds > _REACH_SECONDS:
            obstacle = "time"
        elif earlier.languages and later.languages and not earlier.languages & later.languages:
            obstacle = "language"
        elif dot * decay >= minimum:
            score, obstacle = _compare(later, earlier, dot, decay, letters)
        texts = self._texts[first], self._texts[last]
        of_first, of_last = (dict(zip(text.stems, self._idf_of(text), strict=True)) for text in texts)
        parts = {}
        for stem, idf in of_last.items():
            if stem in of_first:
                product = 1
                for vector in (earlier, later):
                    product *= vector.strong.get(stem, 0) or vector.weak.get(stem, 0)
                parts[stem] = min(idf, of_first[stem]), product / VECTOR_LENGTH / VECTOR_LENGTH
        return Comparison(seconds, parts, letters, score / UNIT, floor, obstacle)

    def count_within_reach(self, moment: float) -> int:
        """The number of articles within reach of a time in seconds."""
        start, end = moment - _REACH_SECONDS, moment + _REACH_SECONDS
        first, last = day_number(start), day_number(end)
        count = 0
        for number in range(first, last + 1):
            if day := self.days.get(number):
                if number == first:
                    count -= bisect_left(day.seconds, start)
                count += bisect_right(day.seconds, end) if number == last else day.count
        return count

    def title_only(self, id: str) -> bool:
        """Whether an article's excerpt adds no stems to those of its title."""
        return self._vectors[id].title_only

    def within_reach(
        self, moments: Iterable[float], is_skipped: Callable[[int], bool] = lambda _: False
    ) -> Iterator[Key]:
        """The keys of the articles within reach of any of these times, in order, without those of skipped days."""
        spans: list[tuple[float, float]] = []
        for moment in sorted(moments):
            start, end = moment - _REACH_SECONDS, moment + _REACH_SECONDS
            if spans and start <= spans[-1][1]:
                start = spans.pop()[0]
            spans.append((start, end))
        for start, end in spans:
            for number in range(day_number(start), day_number(end) + 1):
                if (day := self.days.get(number)) and not is_skipped(number):
                    low, high = bisect_left(day.seconds, start), bisect_right(day.seconds, end)
                    self.keys |= {id: (seconds, id) for seconds, id in zip(day.seconds, day.ids, strict=True)}
                    yield from zip(day.seconds[low:high], day.ids[low:high], strict=True)

    def is_current(self, text: Text) -> bool:
        """Whether an article is present with the same text."""
        return bool(self._texts.get(text.id) == text)

    def text(self, article: Article) -> Text:
        """The part of an article that is compared."""
        title = headline(words.normal(article.title))
        pieces, found = words.split(title)
        names = words.names(found)
        stem_of = self._stem_of
        counts: Counter[str] = Counter()
        for piece in pieces:
            counts[piece] = counts.get(piece, 0) + TITLE_WEIGHT
        title_words = [words.lower(word) for word in found]
        small, is_upper = [], title.isupper()
        # After an apostrophe, Turkish puts an ending and French begins a word.
        endings = set(_AFTER_APOSTROPHE.findall(title)) if "'" in title else ()
        for word, lower in zip(found, title_words, strict=True):
            stem = stem_of[lower]
            if word in names:
                counts[stem] = counts.get(stem, 0) + NAME_WEIGHT
            else:
                counts[stem] = counts.get(stem, 0) + TITLE_WEIGHT
                is_abbreviation = len(word) > 1 and word.isupper() and not is_upper
                if not is_abbreviation and word not in endings:
                    small.append(lower)
        if "'s " in title:
            small.append("'s")
        counts.pop("", None)
        title_length = len(counts)
        pieces, excerpt = words.split(words.lower(words.normal(article.excerpt[:EXCERPT_LENGTH])))
        counts.update(pieces)
        counts.update(map(stem_of.__getitem__, excerpt))
        counts.pop("", None)
        seconds = article.published.timestamp()
        return Text(
            seconds=seconds,
            id=article.id,
            day=day_number(seconds),
            provider=article.provider,
            series=f"{article.provider}\0{_NOT_LETTERS.sub(' ', title.casefold()).strip()}",
            stems=tuple(counts),
            counts=bytes(counts.values())
            if max(counts.values(), default=0) < 256
            else bytes(min(n, 255) for n in counts.values()),
            title_length=title_length,
            words=" ".join(title_words),
            languages=languages([*small, *excerpt[:EXCERPT_WORDS]], article.lang),
            standalone=article.standalone,
        )

    def _possibly_excluded(self) -> set[str]:
        """The ids of the texts for which the result of `_is_excluded` may differ after the changes."""
        ids: set[str] = set()
        for moment, change in self.count_changes.items():
            if change and (day := self.days.get(day_number(moment))):
                start, end = bisect_left(day.seconds, moment), bisect_right(day.seconds, moment)
                now = end - start
                if (now >= PLACEHOLDER_COUNT) != (now - change >= PLACEHOLDER_COUNT):
                    ids.update(day.ids[start:end])
        for title, number in self._changed_series:
            series = self._series.get(title, ())
            start, end = bisect_left(series, (number - WINDOW_DAYS,)), bisect_left(series, (number + WINDOW_DAYS + 1,))
            ids.update(id for _, id in series[start:end])
        return ids

    def _is_excluded(self, text: Text) -> bool:
        """Whether a text is not compared: an editor says so, its time is a placeholder, or it is part of a series.

        A series is one publisher's recurring headline: the same, apart from numbers, on different days.
        """
        if text.standalone:
            return True
        seconds = self.days[text.day].seconds
        if bisect_right(seconds, text.seconds) - bisect_left(seconds, text.seconds) >= PLACEHOLDER_COUNT:
            return True
        series, day = self._series[text.series], text.day
        before, after = bisect_left(series, (day,)), bisect_left(series, (day + 1,))
        nearest = ([series[before - 1][0]] if before else []) + ([series[after][0]] if after < len(series) else [])
        return not text.series.endswith("\0") and any(abs(other - day) <= WINDOW_DAYS for other in nearest)

    def _update_idf(self) -> Iterator[tuple[Day, set[str]]]:
        """Updates idf after the changes. Yields each affected day with its affected stems."""
        numbers = sorted(self.days)
        changed_days = sorted(self._changed_days)
        sums = list(accumulate((self.days[number].count for number in numbers), initial=0))

        def density(day: int, radius: int) -> int:
            return _round(
                sums[bisect_right(numbers, day + radius)] - sums[bisect_left(numbers, day - radius)], DENSITY_DIGITS
            )

        due: list[tuple[int, tuple[int, int]]] = []
        for number in numbers:
            at = bisect_left(changed_days, number - WINDOW_DAYS)
            if at < len(changed_days) and changed_days[at] <= number + WINDOW_DAYS:
                due.append((number, (density(number, REACH_DAYS), density(number, WINDOW_DAYS))))
        only: set[str] | None = self._changed_stems
        if any(self.days[number].density != new for number, new in due):
            only = None
        near = SlidingWindow(self.days, numbers, REACH_DAYS, only)
        around = SlidingWindow(self.days, numbers, WINDOW_DAYS, only)
        for number, new in due:
            near.move(number)
            around.move(number)
            day = self.days[number]
            if (day.density[0] < DENSE) != (new[0] < DENSE):
                yield day, set(day.frequencies)
            day.density = new
            stems = day.frequencies.keys() if only is None else only & day.frequencies.keys()
            if updated := _update_idf(day, stems, near.frequencies, around.frequencies):
                yield day, updated

    def _update_vectors(self, stale: set[str], rechecked: set[str]) -> set[str]:
        """Updates the vectors of these texts, of which some may be excluded now, and returns those that changed."""
        dirty = set()
        by_day: dict[int, list[str]] = {}
        for id in stale:
            by_day.setdefault(day_number(self.keys[id][0]), []).append(id)
        for number in sorted(by_day):
            for id in by_day[number]:
                text, old = self._texts[id], self._vectors.get(id)
                compared = not self._is_excluded(text) if id in rechecked else old.compared
                vector = self._vector(text, compared=compared)
                if vector != old:
                    self._vectors[id] = vector
                    dirty.add(id)
            if len(self._vectors) > MANY // 2:
                self.put_texts()
                self._vectors.flush(self._vectors.loaded_shards())
        return dirty

    def _vector(self, text: Text, *, compared: bool) -> Vector:
        day = self.days[text.day]
        if not compared:
            return Vector({}, {}, "", 0, text.provider, dense=False, title_only=True, compared=False)
        dense = day.density[0] >= DENSE
        strong_idf = STRONG_IDF if dense else 0.0
        idfs = self._idf_of(text)
        weights = [idf * _LOG_TF[count] for idf, count in zip(idfs, text.counts, strict=True)]
        # Added one by one: `sum` of Python 3.12 rounds otherwise.
        square = 0.0
        for weight in weights:
            square += weight * weight
        scale = VECTOR_LENGTH / math.sqrt(square) if square else 0.0
        strong: dict[str, int] = {}
        weak: dict[str, int] = {}
        for stem, idf, weight in zip(text.stems, idfs, weights, strict=True):
            if idf:
                (strong if idf >= strong_idf else weak)[stem] = round(weight * scale)
        of_title = set(text.stems[: text.title_length])
        stem_of = self._stem_of
        title = [w for w in text.words.split() if (s := stem_of[w]) in of_title and (s in strong or s in weak)]
        title_only = len(text.stems) == text.title_length
        return Vector(strong, weak, " ".join(title), text.languages, text.provider, dense, title_only, compared=True)

    def _idf_of(self, text: Text) -> list[float]:
        """The idf of each stem of a text, 0 if it does not count in it."""
        idf_of, length = self.days[text.day].idf, text.title_length
        found = [idf_of.get(stem, IDF_CAP) for stem in text.stems]
        return [abs(idf) for idf in found[:length]] + [idf if idf > 0 else 0.0 for idf in found[length:]]

    def _find_pairs(self, dirty: set[str]) -> None:
        """Adds to `near` all pairs with at least one dirty article.

        Walks through the articles in order and compares each with earlier ones by two inverted indexes: stem to
        positions and weights, ascending. `index_all` holds all articles, `index_dirty` only the dirty ones.
        """
        index_all: dict[str, list[tuple[int, int]]] = {}
        index_dirty: dict[str, list[tuple[int, int]]] = {}
        vectors, near = self._vectors, self.near
        moments = set()
        dirty_stems: set[str] = set()
        is_everything = len(dirty) == self.count
        for id in dirty:
            if is_everything:  # nothing is decoded before its day
                moments.add(self.keys[id][0])
            elif strong := vectors[id].strong:
                dirty_stems.update(strong)
                moments.add(self.keys[id][0])
        order = list(self.within_reach(moments))
        # Clean articles are compared with dirty ones only. If all are dirty, the second index is not needed.
        indexes = (index_all,) if is_everything or all(id in dirty for _, id in order) else (index_all, index_dirty)
        known = dict.keys(vectors)
        encoded: Mapping[str, msgspec.Raw] = {}
        first, day = 0, day_number(order[0][0]) - 1 if order else 0  # days before 1970 are negative
        letters_of: dict[int, frozenset[str]] = {}
        for at, (now, id) in enumerate(order):
            if day < day_number(now):
                day = day_number(now)
                self.relieve(day)
                if len(indexes) > 1:
                    encoded = vectors.encoded(day)
                letters_of = {position: pieces for position, pieces in letters_of.items() if position >= first}
            while order[first][0] < now - _REACH_SECONDS:
                first += 1
            is_dirty = id in dirty
            if is_dirty or id in known or id not in encoded:
                strong = vectors[id].strong
            else:
                try:
                    strong = _decode_strong(encoded[id]).strong
                except msgspec.DecodeError:
                    raise LostError(id) from None
            stems = strong if is_dirty else strong.keys() & dirty_stems
            if not stems:
                continue
            dense = self.days[day].density[0] >= DENSE
            floor = (MIN_SIMILARITY_DENSE if dense else MIN_SIMILARITY) * UNIT
            minimum = floor * VECTOR_LENGTH * VECTOR_LENGTH / UNIT
            dots: dict[int, int] = {}
            dot_with = dots.get
            index = index_all if is_dirty else index_dirty
            for stem in stems:
                weight = strong[stem]
                if stem in index:
                    postings = index[stem]
                    if postings and postings[0][0] < first:
                        del postings[: bisect_left(postings, (first,))]
                    for position, value in postings:
                        dots[position] = dot_with(position, 0) + weight * value
                for each in indexes if is_dirty else indexes[:1]:
                    if stem in each:
                        each[stem].append((at, weight))
                    else:
                        each[stem] = [(at, weight)]
            candidates = [pair for pair in dots.items() if pair[1] >= minimum]
            if not candidates:
                continue
            vector = vectors[id]
            letters = letters_of[at] = words.letters(vector.title)
            found: dict[str, int] = {}
            for position, dot in candidates:
                then, other = order[position]
                decay = math.exp(-DAILY_DECAY * (now - then) / 86400)
                if dot * decay < minimum:
                    continue
                earlier = vectors[other]
                shared = None
                if letters and earlier.title:
                    letters_2 = letters_of.get(position)
                    if letters_2 is None:
                        letters_2 = letters_of[position] = words.letters(earlier.title)
                    shared = words.likeness(letters, letters_2)
                score, obstacle = _compare(vector, earlier, dot, decay, shared)
                if obstacle:
                    continue
                found[other] = score
                pairs = near[other]
                if not pairs:
                    pairs = near[other] = {}
                elif other not in dirty:
                    near.touch(other)
                pairs[id] = score
            if found:
                near[id] = near[id] | found

    def put_texts(self) -> None:
        """Puts texts into the store, to free memory."""
        self._texts.flush(self._texts.loaded_shards())
        self._series.pack()

    def relieve(self, day: int) -> None:
        """Forgets the pairs and vectors that are out of reach of a day, if there are many, to free memory."""
        if day != self._relieved and max(len(self._vectors), len(self.near)) > MANY // 2:
            self._relieved = day
            for table in (self.near, self._vectors):
                table.flush([shard for shard in table.loaded_shards() if abs(shard - day) > REACH_DAYS + 1])


def _compare(later: Vector, earlier: Vector, dot: int, decay: float, letters: float | None) -> tuple[int, Obstacle]:
    """The similarity of two vectors in `UNIT`s, or 0 and why they are not similar at all.

    `dot` is the scalar product of the strong words, `decay` what the time between them leaves of the similarity, and
    `letters` the likeness of the letters of their titles, None if one has no words.
    """
    strong, weak, _, tongues, provider, dense, title_only, _ = later
    strong_2, weak_2, _, tongues_2, provider_2, _, title_only_2, _ = earlier
    if tongues and tongues_2 and not tongues & tongues_2:
        return 0, "language"
    cosine = dot
    for stem in weak:
        if stem in weak_2:
            cosine += weak[stem] * weak_2[stem]
    if cosine < _SAME_PUBLISHER_DOT and provider == provider_2:
        return 0, "publisher"
    similarity = cosine / VECTOR_LENGTH / VECTOR_LENGTH
    if letters is not None:
        share = LETTERS_SHARE_TITLES if title_only and title_only_2 else LETTERS_SHARE
        similarity += share * (letters - similarity)
    score = round(similarity * UNIT * decay)
    if score < (MIN_SIMILARITY_DENSE if dense else MIN_SIMILARITY) * UNIT:
        return 0, "low"
    # One shared word is chance: where there are few texts, every word is rare.
    if not dense and min(len(strong) + len(weak), len(strong_2) + len(weak_2)) == 1:
        return 0, "one word"
    if not dense and cosine < _SAME_PUBLISHER_DOT and (letters or 0.0) < SECOND_WORD_LETTERS:
        first_word = max([strong[s] * strong_2[s] for s in strong if s in strong_2])
        if cosine - first_word < SECOND_WORD_SHARE * cosine:
            return 0, "one word"
    return score, ""


def _update_idf(day: Day, stems: Iterable[str], near: Mapping[str, int], around: Mapping[str, int]) -> set[str]:
    """Updates the idf of these stems on a day, and returns the stems whose idf changed.

    `near` and `around` are the numbers of texts that contain a stem, within reach and in the whole window.
    """
    texts_near, texts_around = day.density
    # Shortcut for most words: with no more texts than this, `_idf` returns the cap.
    rare = min(max(RARE_COUNT, RARE_SHARE * texts_around), (texts_around + PRIOR + 1) / math.exp(IDF_CAP) - 1)
    idf_of, changed = day.idf, set()
    for stem in stems:
        count = around[stem]
        if count <= rare and count - near[stem] < DEVIATIONS**2 and len(stem) >= STEM_LENGTH:
            if stem in idf_of:
                del idf_of[stem]
                changed.add(stem)
            continue
        now = near[stem]
        idf = _idf(_prior(stem), _round(now, COUNT_DIGITS), _round(count - now, COUNT_DIGITS), texts_near, texts_around)
        if idf != idf_of.get(stem, IDF_CAP):
            changed.add(stem)
            idf_of[stem] = idf
            if idf == IDF_CAP:
                del idf_of[stem]
    day.words_changed = day.words_changed or bool(changed)
    return changed


def _round(count: int, digits: int) -> int:
    """A number rounded down to its leading binary digits."""
    rest = count.bit_length() - digits
    return count >> rest << rest if rest > 0 else count


@cache
def _prior(stem: str) -> int:
    """The number of imaginary articles that contain a stem."""
    if not words.is_short(stem):
        return 0
    return PRIOR if len(stem) < STEM_LENGTH - 1 else PRIOR // 2


@lru_cache(maxsize=1 << 16)
def _idf(prior: int, near: int, far: int, texts_near: int, texts_around: int) -> float:
    """The idf of a stem: negative if it counts in titles only, 0 if it never counts.

    The stem occurs in `near` of the `texts_near` texts within reach, in `far` of the other texts among the
    `texts_around` of the whole window, and in `prior` imaginary ones.
    """
    idf = min(IDF_CAP, math.log((texts_around + PRIOR + 1) / (near + far + prior + 1)))
    common = COMMON_IDF
    # The count out of reach, reduced to allow for chance.
    steady = far - DEVIATIONS * math.sqrt(far)
    texts_far = texts_around - texts_near
    if steady > 0 and texts_far > 0:
        if near / texts_near < BURST_RATIO * steady / texts_far:
            idf /= 2
        idf = min(idf, max(0.0, math.log((texts_far + 1) / steady) - 1))
        common = COMMON_IDF / 3
    if idf < common:
        return 0.0
    idf = round(idf * IDF_STEPS) / IDF_STEPS
    return idf if near + far <= max(RARE_COUNT, RARE_SHARE * texts_around) else -idf

"""Finds pairs of similar articles by their titles, excerpts, publishers and times.

A text is a vector of word stems. A stem weighs (1 + ln tf) · idf (Spärck Jones, 1972; Salton and Buckley, 1988). Its
occurrences in the title count three times, and idf = min(IDF_CAP, ln((N + 1) / (df + 1))) over the N articles of the
days around. The cap makes all but the common words equal: without it, a name that nobody else writes outweighs the
words that describe the event. A word that is as frequent on the days out of reach as on those within reach belongs to a
subject, not to an event, and weighs less. The similarity of two articles within `REACH` is the cosine of their vectors,
times exp(−0.2 · days between them).

Everything is local in time. An article's vector depends only on articles within `WINDOW_DAYS` of it and its pairs only
on articles within `REACH`, so later articles never change old pairs. Counts are rounded, so that one more article
leaves nearly all weights as they were and an update touches little. There is no list of words, and therefore no
preferred language.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import cache, lru_cache
from itertools import accumulate

import msgspec

from newsgen.model import Article
from newsgen.stories.days import Day, Days, Fetch, LostError, SlidingWindow, Text, Vector

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

MIN_SIMILARITY, MIN_SIMILARITY_DENSE = 0.08, 0.1
"""Lower similarities count as zero. The second applies if at least `DENSE` articles are within reach."""

SAME_PUBLISHER_COSINE = 0.4
"""The cosine that two articles of one publisher need; below it they share a subject, not an event."""

IDF_CAP = 3.0
"""The maximum idf, that of a word in less than a twentieth (1/e³) of the articles in the window."""

DENSE = 200
"""From this number of articles within reach on, only strong words can make a pair."""

SECOND_WORD_SHARE = 0.1
"""Below `DENSE`, this share of a cosine below `SAME_PUBLISHER_COSINE` must come from more than one word."""

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

DAILY_DECAY = 0.2
TITLE_WEIGHT = 3
EXCERPT_LENGTH = 280
STEM_LENGTH = 5

PRIOR = 20
"""Imaginary articles in every window that contain the short words and no others; they matter if articles are few."""

PLACEHOLDER_COUNT = 1000
"""If this many articles have the same time, it is a placeholder, and they are not compared."""

_SAME_PUBLISHER_DOT = SAME_PUBLISHER_COSINE * VECTOR_LENGTH * VECTOR_LENGTH
_WORD = re.compile(r"[^\W_]+(?:['.][^\W_]+)*")
_NOT_LETTERS = re.compile(r"[\d\W_]+")
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana, Han. Two characters stand for a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
# The publisher's name that many publishers put at the end of a headline: " - The Daily News".
_PUBLISHER_SUFFIX = re.compile(r" [-|] [^-|]{2,60}$")
_LOG_TF = [0.0, *(round(1 + math.log(n), 6) for n in range(1, 256))]


_EMPTY = Vector({}, {}, dense=False)


class _Stems(dict[str, str]):
    """Caches the stem of each word: its first letters, or "" if it is too short to be a word."""

    def __missing__(self, word: str) -> str:
        stem = word.removesuffix("'s").replace("'", "").replace(".", "")
        stem = "" if len(stem) < 2 else stem[:STEM_LENGTH] if stem.isalpha() else stem
        self[word] = stem
        return stem


class _Saved(msgspec.Struct, array_like=True):
    """The saved state of all articles: their times in order, their series, the size of each day, and the pairs."""

    seconds: dict[str, float]
    series: dict[str, list[tuple[int, str]]]
    days: dict[int, tuple[int, tuple[int, int]]]
    near: dict[str, dict[str, int]]


class Similarity:
    """The similar pairs among a changing set of articles. The result never depends on the order of the changes.

    `near` maps each article to those it is similar to, earlier and later, with the similarity in `UNIT`s. `keys` maps
    each article to its time in seconds and its id, and `order` lists these keys in ascending order.
    """

    def __init__(self) -> None:
        self.near: dict[str, dict[str, int]] = {}
        self.order: list[tuple[float, str]] = []
        self.keys: dict[str, tuple[float, str]] = {}
        self._stem_of = _Stems()
        self._days = Days(lambda article: _day(self.keys[article][0]))
        self._texts, self._vectors = self._days.texts, self._days.vectors
        self._moments: Counter[float] = Counter()
        self._series: dict[str, list[tuple[int, str]]] = {}

    def update(self, removed: Iterable[str], added: Iterable[Article]) -> set[str]:
        """Removes articles by id and adds others. Returns the ids of all articles whose pairs changed."""
        old_texts = [self._texts[id] for id in removed]
        new_texts = [self.text(a) for a in added]
        self._recount(old_texts, new_texts)
        stale = {t.id for t in new_texts} | self._possibly_excluded(old_texts, new_texts)
        for day, stems in self._update_idf([*old_texts, *new_texts]):
            stale |= {id for id in self._days.ids(day) if not stems.isdisjoint(self._texts[id].stems)}
        dirty = set()
        for id in stale:
            vector = self._vector(self._texts[id])
            if vector != self._vectors.get(id):
                self._vectors[id] = vector
                self._days[self._texts[id].day].texts_changed = True
                dirty.add(id)
        before = {id: self.near.pop(id, {}) for id in dirty | {t.id for t in old_texts}}
        for id, pairs in before.items():
            for other in pairs:
                if other not in before:
                    del self.near[other][id]
        self.near |= {id: {} for id in dirty}
        self._find_pairs(dirty)
        changed = {t.id for t in (*old_texts, *new_texts)}
        for id, pairs in before.items():
            now = self.near.get(id, {})
            if pairs != now:
                changed.add(id)
                changed.update((other for other, _ in pairs.items() ^ now.items()) if pairs else now)
        return changed

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """The state as pairs of a name and encoded data. Days that have not changed since `load` are left out."""
        yield from self._days.dump()
        state = _Saved(
            {id: seconds for seconds, id in self.order},
            self._series,
            {number: (day.count, day.density) for number, day in self._days.items()},
            self.near,
        )
        yield "stories near", msgspec.msgpack.encode(state)

    def load(self, fetch: Fetch) -> None:
        """Restores what `dump` saved. Raises LostError if it is missing, now or when a day is loaded later."""
        try:
            state = msgspec.msgpack.decode(fetch("stories near") or b"", type=_Saved)
        except msgspec.DecodeError:
            raise LostError from None
        self.keys |= {id: (seconds, id) for id, seconds in state.seconds.items()}
        self.order = list(self.keys.values())
        self.near, self._series = state.near, state.series
        self._moments = Counter(state.seconds.values())
        for number, (count, density) in state.days.items():
            day = self._days[number] = Day(number, fetch)
            day.count, day.density = count, density

    def count_within_reach(self, moment: float) -> int:
        """The number of articles within reach of a time in seconds."""
        reach = REACH.total_seconds()
        return bisect_right(self.order, (moment + reach, "\U0010ffff")) - bisect_left(self.order, (moment - reach,))

    def title_only(self, id: str) -> bool:
        """Whether an article's excerpt adds no stems to those of its title."""
        text = self._texts[id]
        return len(text.stems) == text.title_length

    def within_reach(self, moments: Iterable[float]) -> Iterator[tuple[float, str]]:
        """The keys of the articles within reach of any of these times, in order."""
        return (self.order[at] for at in self._positions_within_reach(moments))

    def is_current(self, article: Article) -> bool:
        """Whether an article is present with the same text."""
        return article.id in self.keys and self._texts[article.id] == self.text(article)

    def text(self, article: Article) -> Text:
        """The part of an article that is compared."""
        title = headline(article.title)
        counts: dict[str, int] = {}
        for stem in self._stems(title):
            counts[stem] = counts.get(stem, 0) + TITLE_WEIGHT
        counts.pop("", None)
        title_length = len(counts)
        for stem in self._stems(article.excerpt[:EXCERPT_LENGTH]):
            counts[stem] = counts.get(stem, 0) + 1
        counts.pop("", None)
        seconds = article.published.timestamp()
        return Text(
            seconds=seconds,
            id=article.id,
            day=_day(seconds),
            provider=article.provider,
            series=f"{article.provider}\0{_NOT_LETTERS.sub(' ', title.casefold()).strip()}",
            stems=tuple(counts),
            counts=bytes(counts.values())
            if max(counts.values(), default=0) < 256
            else bytes(min(n, 255) for n in counts.values()),
            title_length=title_length,
        )

    def _stems(self, text: str) -> list[str]:
        text = text.lower().replace("’", "'")
        stems: list[str] = []
        if not text.isascii():
            for run in _UNSPACED.findall(text):
                stems += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
            if stems:
                text = _UNSPACED.sub(" ", text)
        stem_of = self._stem_of
        return stems + [stem_of[word] for word in _WORD.findall(text)]

    def _recount(self, removed: list[Text], added: list[Text]) -> None:
        """Removes texts from all counts and indexes, and adds others."""
        for text in removed:
            day = self._days[text.day]
            self._days.ids(text.day).remove(text.id)
            del self._texts[text.id], self._vectors[text.id]
            day.count -= 1
            day.words_changed = day.texts_changed = True
            for stem in text.stems:
                day.frequencies[stem] -= 1
                if not day.frequencies[stem]:
                    del day.frequencies[stem]
                    day.idf.pop(stem, None)
            self._moments[text.seconds] -= 1
            series = self._series[text.series]
            del series[bisect_left(series, (text.day, text.id))]
            del self.order[bisect_left(self.order, self.keys.pop(text.id))]
        for text in added:
            day = self._days.setdefault(text.day, Day(text.day))
            self._days.ids(text.day).add(text.id)
            self._texts[text.id] = text
            day.count += 1
            day.words_changed = day.texts_changed = True
            day.frequencies.update(text.stems)
            self._moments[text.seconds] += 1
            insort(self._series.setdefault(text.series, []), (text.day, text.id))
            self.keys[text.id] = (text.seconds, text.id)
        if len(added) > 99:
            self.order = sorted(self.keys.values())
        else:
            for text in added:
                insort(self.order, self.keys[text.id])

    def _possibly_excluded(self, removed: list[Text], added: list[Text]) -> set[str]:
        """The ids of the texts for which the result of `_is_excluded` may differ after this change."""
        ids: set[str] = set()
        changes = Counter(t.seconds for t in added)
        changes.subtract(t.seconds for t in removed)
        for moment, change in changes.items():
            now = self._moments[moment]
            if (now >= PLACEHOLDER_COUNT) == (now - change >= PLACEHOLDER_COUNT):
                continue
            start, end = bisect_left(self.order, (moment,)), bisect_right(self.order, (moment, "\U0010ffff"))
            ids.update(id for _, id in self.order[start:end])
        for text in (*removed, *added):
            series = self._series[text.series]
            start, end = (
                bisect_left(series, (text.day - WINDOW_DAYS,)),
                bisect_left(series, (text.day + WINDOW_DAYS + 1,)),
            )
            ids.update(id for _, id in series[start:end])
        return ids

    def _is_excluded(self, text: Text) -> bool:
        """Whether a text is not compared: its time is a placeholder, or it is part of a series.

        A series is one publisher's recurring headline: the same, apart from numbers, on different days.
        """
        if self._moments[text.seconds] >= PLACEHOLDER_COUNT:
            return True
        series, day = self._series[text.series], text.day
        before, after = bisect_left(series, (day,)), bisect_left(series, (day + 1,))
        nearest = ([series[before - 1][0]] if before else []) + ([series[after][0]] if after < len(series) else [])
        return not text.series.endswith("\0") and any(abs(other - day) <= WINDOW_DAYS for other in nearest)

    def _update_idf(self, changed: list[Text]) -> Iterator[tuple[int, set[str]]]:
        """Updates idf after these texts were added or removed. Yields each affected day with its affected stems."""
        numbers = sorted(self._days)
        changed_days = sorted({t.day for t in changed})
        sums = list(accumulate((self._days[number].count for number in numbers), initial=0))

        def density(day: int, radius: int) -> int:
            return _round(
                sums[bisect_right(numbers, day + radius)] - sums[bisect_left(numbers, day - radius)], DENSITY_DIGITS
            )

        due: list[tuple[int, tuple[int, int]]] = []
        for number in numbers:
            at = bisect_left(changed_days, number - WINDOW_DAYS)
            if at < len(changed_days) and changed_days[at] <= number + WINDOW_DAYS:
                due.append((number, (density(number, REACH_DAYS), density(number, WINDOW_DAYS))))
        only: set[str] | None = {stem for text in changed for stem in text.stems}
        if any(self._days[number].density != new for number, new in due):
            only = None
        near = SlidingWindow(self._days, numbers, REACH_DAYS, only)
        around = SlidingWindow(self._days, numbers, WINDOW_DAYS, only)
        for number, new in due:
            near.move(number)
            around.move(number)
            day = self._days[number]
            if (day.density[0] < DENSE) != (new[0] < DENSE):
                yield number, set(day.frequencies)
            day.density = new
            stems = day.frequencies.keys() if only is None else only & day.frequencies.keys()
            if updated := _update_idf(day, stems, near.frequencies, around.frequencies):
                yield number, updated

    def _vector(self, text: Text) -> Vector:
        if self._is_excluded(text):
            return _EMPTY
        day = self._days[text.day]
        idf_of = day.idf
        dense = day.density[0] >= DENSE
        strong_idf = STRONG_IDF if dense else 0.0
        weights = []
        square = 0.0
        for position, (stem, count) in enumerate(zip(text.stems, text.counts, strict=True)):
            idf = idf_of.get(stem, IDF_CAP)
            if idf <= 0:
                if position >= text.title_length or not idf:
                    continue
                idf = -idf
            weight = idf * _LOG_TF[count]
            square += weight * weight
            weights.append((stem, weight, idf >= strong_idf))
        scale = VECTOR_LENGTH / math.sqrt(square) if square else 0.0
        strong: dict[str, int] = {}
        weak: dict[str, int] = {}
        for stem, weight, is_strong in weights:
            (strong if is_strong else weak)[stem] = round(weight * scale)
        return Vector(strong, weak, dense)

    def _find_pairs(self, dirty: set[str]) -> None:
        """Adds to `near` all pairs with at least one dirty article.

        Walks through the articles in order and compares each with earlier ones by two inverted indexes: stem to
        positions and weights, ascending. `index_all` holds all articles, `index_dirty` only the dirty ones.
        """
        index_all: dict[str, tuple[list[int], list[int]]] = {}
        index_dirty: dict[str, tuple[list[int], list[int]]] = {}
        order, vectors, texts, near = self.order, self._vectors, self._texts, self.near
        dirty_stems = {stem for id in dirty for stem in vectors[id].strong}
        # Clean articles are compared with dirty ones only. If all are dirty, the second index is not needed.
        indexes = (index_all, index_dirty) if len(dirty) < len(order) else (index_all,)
        reach = REACH.total_seconds()
        first = 0
        for at in self._positions_within_reach({texts[id].seconds for id in dirty}):
            now, id = order[at]
            strong, weak, dense = vectors[id]
            while order[first][0] < now - reach:
                first += 1
            is_dirty = id in dirty
            stems = strong if is_dirty else strong.keys() & dirty_stems
            if not stems:
                continue
            minimum = (MIN_SIMILARITY_DENSE if dense else MIN_SIMILARITY) * VECTOR_LENGTH * VECTOR_LENGTH
            dots: dict[int, int] = {}
            dot_with = dots.get
            index = index_all if is_dirty else index_dirty
            for stem in stems:
                weight = strong[stem]
                if stem in index:
                    positions, values = index[stem]
                    if positions and positions[0] < first:
                        expired = bisect_left(positions, first)
                        del positions[:expired], values[:expired]
                    for position, value in zip(positions, values, strict=True):
                        dots[position] = dot_with(position, 0) + weight * value
                for each in indexes if is_dirty else indexes[:1]:
                    if stem in each:
                        each[stem][0].append(at)
                        each[stem][1].append(weight)
                    else:
                        each[stem] = ([at], [weight])
            for position, dot in dots.items():
                if dot < minimum:
                    continue
                then, other = order[position]
                cosine, weights = dot, vectors[other].weak
                for stem in weak:
                    if stem in weights:
                        cosine += weak[stem] * weights[stem]
                if cosine < _SAME_PUBLISHER_DOT and texts[id].provider == texts[other].provider:
                    continue
                if not dense and cosine < _SAME_PUBLISHER_DOT:
                    # One shared word is chance: where there are few texts, every word is rare.
                    weights = vectors[other].strong
                    if (
                        cosine - max(strong[s] * weights[s] for s in strong if s in weights)
                        < SECOND_WORD_SHARE * cosine
                    ):
                        continue
                score = round(
                    cosine * UNIT / VECTOR_LENGTH / VECTOR_LENGTH * math.exp(-DAILY_DECAY * (now - then) / 86400)
                )
                if score * VECTOR_LENGTH * VECTOR_LENGTH >= minimum * UNIT:
                    near[id][other] = near[other][id] = score

    def _positions_within_reach(self, moments: Iterable[float]) -> Iterator[int]:
        """The positions in `order` of all articles within reach of any of these times, ascending."""
        order, reach = self.order, REACH.total_seconds()
        done = 0
        for moment in sorted(moments):
            start = max(done, bisect_left(order, (moment - reach,)))
            done = max(done, bisect_right(order, (moment + reach, "\U0010ffff")))
            yield from range(start, done)


def _day(seconds: float) -> int:
    return int(seconds // 86400)


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


def headline(title: str) -> str:
    """A title without the publisher's name at its end."""
    suffix = _PUBLISHER_SUFFIX.search(title)
    if suffix and len(suffix[0].split()) <= 6 and len(title[: suffix.start()].split()) >= 4:
        return title[: suffix.start()]
    return title


def _round(count: int, digits: int) -> int:
    """A number rounded down to its leading binary digits."""
    rest = count.bit_length() - digits
    return count >> rest << rest if rest > 0 else count


@cache
def _prior(stem: str) -> int:
    """The number of imaginary articles that contain a stem."""
    if len(stem) >= STEM_LENGTH or not stem.isalpha() or _UNSPACED.match(stem):
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

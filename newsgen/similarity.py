"""How alike articles are, by their words and times alone: titles and excerpts in, similar pairs out.

A text is a vector of word stems. A stem weighs (1 + ln tf) · idf, where a title's words count three times, and
idf = min(CAP, ln((N + 1) / (df + 1))) over the N articles of the days around (after Spärck Jones, 1972, and Salton and
Buckley, 1988). The cap makes all but the common words equal: without it a name that nobody else writes outweighs the
words that a story is told in. A word that is as frequent on the days out of reach as now belongs to a subject, not to
an event, and weighs less. The similarity of two articles within `REACH` is the cosine of their vectors, less a fifth
for each day between them.

Everything is local in time: an article's vector depends on the articles within `WINDOW` of it, its pairs on those
within `REACH`, and nothing on what a later year brings. No list of words is needed, and so no language is preferred.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from newsgen.model import Article

REACH = timedelta(hours=49)
"""How far apart two articles may be: two days, and an hour for clocks that were changed."""

NEAR = 2
"""Whole days before and after an article's own that are within reach."""

WINDOW = 20
"""Whole days before and after an article whose words count as its background."""

FLOOR = 0.06
"""Below it two articles have nothing in common."""

AGAIN = 0.4
"""Two articles of one publisher are on one event from here on: below, they are on its subject."""

CAP = 3.0
"""A word in less than a twentieth (1/e³) of the articles around is as telling as a word can be."""

TELLING = 1.8
"""A word below it may speak for two articles, but does not count among the words they share."""

COMMON = 1.0
"""A word in more than a third (1/e) of them tells nothing."""

SCARCE, SHARE = 40, 0.02
"""A word of an excerpt counts where it is scarce: in at most this many articles around, or this share of them."""

DOUBT = 1.5
"""Standard deviations that a count on other days is lowered by before it speaks against a word."""

FADE = 0.2
TITLE = 3
EXCERPT = 280
STEM = 5

PRIOR = 20
"""Imagined articles around each one, that hold short words and no others; they matter where there are few real ones."""

MADE_UP = 1000
"""As many articles at one very moment have a made-up date, and such a date brings nothing together."""

_WORD = re.compile(r"[^\W_]+(?:['.][^\W_]+)*")
_NO_WORD = re.compile(r"[\d\W_]+")
# A shared word adds this to a sum whose rest stays below it: one sum holds the number of words and the cosine.
_ONE = 8.0
# Scripts that write no spaces: Thai, Lao, Burmese, Khmer, kana, Han. Two characters stand for a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
# What many publishers put behind a headline: " - The Daily News".
_TAIL = re.compile(r" [-|] [^-|]{2,60}$")


class Neighbours(NamedTuple):
    """The earlier articles that one is similar to: their places, the similarities (0 to 1), the telling words shared."""

    places: Sequence[int]
    scores: Sequence[float]
    words: Sequence[int]


class _Stems(dict[str, str]):
    """Each word's stem, worked out once: its first letters; "" for what is no word."""

    def __missing__(self, word: str) -> str:
        stem = word.removesuffix("'s").replace("'", "").replace(".", "")
        stem = "" if len(stem) < 2 else stem[:STEM] if stem.isalpha() else stem
        self[word] = stem
        return stem


def neighbours(articles: Sequence[Article]) -> list[Neighbours]:
    """For each of some articles in the order of their time, what it is similar to among those before it."""
    stems = _Stems()
    titles = [headline(a.title) for a in articles]
    providers = [a.provider for a in articles]
    seconds = [a.published.timestamp() for a in articles]
    days = [int(s // 86400) for s in seconds]
    texts = [_terms(title, a.excerpt, stems) for title, a in zip(titles, articles, strict=True)]
    vectors = _vectors(texts, days)
    crowds = {moment for moment, count in Counter(seconds).items() if count >= MADE_UP}
    series = _series(providers, titles, days)
    for index, moment in enumerate(seconds):
        if moment in crowds or series[index]:
            vectors[index] = _Vector({}, set())
    return _pairs(vectors, seconds, providers)


class _Terms(NamedTuple):
    """Stems with their counts, those of the title first; `title` is how many these are."""

    counts: dict[str, int]
    title: int


def _terms(title: str, excerpt: str, stems: _Stems) -> _Terms:
    counts: dict[str, int] = {}
    for stem in _words(title, stems):
        counts[stem] = counts.get(stem, 0) + TITLE
    counts.pop("", None)
    length = len(counts)
    for stem in _words(excerpt[:EXCERPT], stems):
        counts[stem] = counts.get(stem, 0) + 1
    counts.pop("", None)
    return _Terms(counts, length)


def headline(title: str) -> str:
    """A title without the publisher's name behind it."""
    tail = _TAIL.search(title)
    if tail and len(tail[0].split()) <= 6 and len(title[: tail.start()].split()) >= 4:
        return title[: tail.start()]
    return title


def _words(text: str, stems: _Stems) -> list[str]:
    text = text.lower().replace("’", "'")
    found: list[str] = []
    if not text.isascii():
        for run in _UNSPACED.findall(text):
            found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
        if found:
            text = _UNSPACED.sub(" ", text)
    return found + [stems[word] for word in _WORD.findall(text)]


class _Vector(NamedTuple):
    """A text's stems with their weights, of length 1 in all, and those among them that tell little."""

    weights: dict[str, float]
    plain: set[str]


def _vectors(texts: Sequence[_Terms], days: Sequence[int]) -> list[_Vector]:
    logs = [0.0, *(round(1 + math.log(n), 6) for n in range(1, 200))]
    weights = _weights(texts, days)
    out = []
    for (counts, title), day in zip(texts, days, strict=True):
        known = weights[day]
        vector = _Vector({}, set())
        square = 0.0
        for place, (stem, count) in enumerate(counts.items()):
            weight = known.get(stem, CAP)
            if weight <= 0:
                if place >= title or not weight:
                    continue
                weight = -weight
            if weight < TELLING:
                vector.plain.add(stem)
            weight *= logs[min(count, 199)]
            vector.weights[stem] = weight
            square += weight * weight
        length = math.sqrt(square)
        for stem in vector.weights:
            vector.weights[stem] /= length
        out.append(vector)
    return out


class _Span:
    """What the texts of the days around one hold: how many they are, and in how many of them each stem is."""

    def __init__(self, daily: dict[int, Counter[str]], articles: Counter[int], reach: int) -> None:
        self.stems: dict[str, int] = {}
        self.articles = 0
        self._daily = daily
        self._counts = articles
        self._days = list(daily)
        self._reach = reach
        self._first = self._last = 0

    def move(self, day: int) -> None:
        """Goes on to a later day."""
        stems, days = self.stems, self._days
        while self._last < len(days) and days[self._last] <= day + self._reach:
            self.articles += self._counts[days[self._last]]
            for stem, count in self._daily[days[self._last]].items():
                stems[stem] = stems.get(stem, 0) + count
            self._last += 1
        while days[self._first] < day - self._reach:
            self.articles -= self._counts[days[self._first]]
            for stem, count in self._daily[days[self._first]].items():
                stems[stem] -= count
            self._first += 1


def _weights(texts: Iterable[_Terms], days: Sequence[int]) -> dict[int, dict[str, float]]:
    """For each day the idf of the stems in its texts that are not at the cap; below 0 where only a title's count."""
    articles = Counter(days)
    daily: dict[int, Counter[str]] = {day: Counter() for day in sorted(articles)}
    for (counts, _), day in zip(texts, days, strict=True):
        daily[day].update(counts.keys())
    around, near = _Span(daily, articles, WINDOW), _Span(daily, articles, NEAR)
    out: dict[int, dict[str, float]] = {}
    for day, held in daily.items():
        around.move(day)
        near.move(day)
        few = min(max(SCARCE, SHARE * around.articles), (around.articles + PRIOR + 1) / math.exp(CAP) - 1)
        known = out[day] = {}
        for stem in held:
            now, all = near.stems[stem], around.stems[stem]
            # Most words are as rare as a word can be; this is what `_idf` would find out.
            if all <= few and all - now < DOUBT**2 and len(stem) >= STEM:
                continue
            idf = _idf(stem, now, all, near.articles, around.articles)
            if idf != CAP:
                known[stem] = idf
    return out


def _idf(stem: str, now: int, around: int, articles: int, total: int) -> float:
    """What a stem tells that `now` of the `articles` near a day have, and `around` of the `total` about it.

    Below 0 where only a title's counts, 0 where none does.
    """
    held: float = around
    if len(stem) < STEM and stem.isalpha() and not _UNSPACED.match(stem):
        held += PRIOR if len(stem) < STEM - 1 else PRIOR / 2
    idf = min(CAP, math.log((total + PRIOR + 1) / (held + 1)))
    common = COMMON
    # At least this many of the articles out of reach have it, as far as chance allows to say.
    steady = (around - now) - DOUBT * math.sqrt(around - now)
    if steady > 0:
        away = total - articles
        rise = math.log((now / articles) / (steady / away)) / math.log(2)
        idf = min(idf * min(1.0, max(0.5, rise)), max(0.0, math.log((away + 1) / steady) - 1))
        common = COMMON / 3
    if idf < common:
        return 0.0
    idf = round(idf, 6)
    return idf if around <= max(SCARCE, SHARE * total) else -idf


def _series(providers: Sequence[str], titles: Sequence[str], days: Sequence[int]) -> list[bool]:
    """Which articles are one of a series: the same publisher's same headline, but for its numbers, on another day."""
    keys = [(p, _NO_WORD.sub(" ", t.casefold()).strip()) for p, t in zip(providers, titles, strict=True)]
    known: dict[tuple[str, str], list[int]] = {}
    for key, day in zip(keys, days, strict=True):
        if not (held := known.setdefault(key, [])) or held[-1] != day:
            held.append(day)
    out = []
    for key, day in zip(keys, days, strict=True):
        held = known[key]
        place = bisect_left(held, day)
        near = (b - a for a, b in pairwise(held[max(0, place - 1) : place + 2]))
        out.append(bool(key[1]) and any(gap <= WINDOW for gap in near))
    return out


def _pairs(vectors: Sequence[_Vector], seconds: Sequence[float], providers: Sequence[str]) -> list[Neighbours]:
    reach = REACH.total_seconds()
    postings: dict[str, tuple[list[int], list[float]]] = {}
    first = 0
    out = []
    for index, (vector, plain) in enumerate(vectors):
        now = seconds[index]
        while seconds[first] < now - reach:
            first += 1
        dots: dict[int, float] = {}
        seen = dots.get
        for stem, weight in vector.items():
            posting = postings.get(stem)
            if posting is None:
                postings[stem] = ([index], [weight])
                continue
            places, values = posting
            if places[0] < first:
                gone = bisect_left(places, first)
                del places[:gone], values[:gone]
            told = 0.0 if stem in plain else _ONE
            for place, value in zip(places, values, strict=True):
                dots[place] = seen(place, 0.0) + weight * value + told
            places.append(index)
            values.append(weight)
        found, scores, words = array("l"), array("d"), array("l")
        for place, dot in dots.items():
            cosine = dot % _ONE
            if cosine >= FLOOR and (cosine >= AGAIN or providers[place] != providers[index]):
                score = round(cosine * math.exp(-FADE * (now - seconds[place]) / 86400), 6)
                if score >= FLOOR:
                    found.append(place)
                    scores.append(score)
                    words.append(int(dot // _ONE))
        out.append(Neighbours(found, scores, words))
    return out

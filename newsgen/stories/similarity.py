"""How alike articles are, by their words and times alone: titles and excerpts in, similar pairs out.

A text is a vector of word stems. A stem weighs (1 + ln tf) · idf, where a title's words count three times, and
idf = min(CAP, ln((N + 1) / (df + 1))) over the N articles of the days around (after Spärck Jones, 1972, and Salton and
Buckley, 1988). The cap makes all but the common words equal: without it a name that nobody else writes outweighs the
words that a story is told in. A word that is as frequent on the days out of reach as now belongs to a subject, not to
an event, and weighs less. The similarity of two articles within `REACH` is the cosine of their vectors, less a fifth
for each day between them.

Everything is local in time: an article's vector depends on the articles within `WINDOW` of it, its pairs on those
within `REACH`, and nothing on what a later year brings. Counts enter in steps, so that one more article leaves nearly
all weights as they are, and an update touches little. No list of words is needed, and so no language is preferred.
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
from newsgen.stories.days import Day, Days, Fetch, LostError, Span, Text, Vector

REACH = timedelta(hours=49)
"""How far apart two articles may be: two days, and an hour for clocks that were changed."""

NEAR = 2
"""Whole days before and after an article's own that are within reach."""

WINDOW = 20
"""Whole days before and after an article whose words count as its background."""

UNIT = 10_000
"""Similarities are whole numbers of which this is 1, and `SCALE` is the length of a vector: sums are the same in any order."""

SCALE = 1000

FLOOR, DENSE_FLOOR = 0.08, 0.1
"""Below it two articles have nothing in common; the second where `DENSE` articles and more are within reach."""

AGAIN = 0.4
"""Two articles of one publisher are on one event from here on: below, they are on its subject."""

CAP = 3.0
"""A word in less than a twentieth (1/e³) of the articles around is as telling as a word can be."""

DENSE = 200
"""From so many articles within reach on, not any shared words will do."""

ALONE = 0.1
"""Where there are fewer, this part of a similarity below `AGAIN` has to come from more than one word."""

TELLING = 1.75
"""Where there are more, the words above it have to make up `DENSE_FLOOR` by themselves; those below only add to it."""

COMMON = 1.0
"""A word in more than a third (1/e) of them tells nothing."""

SCARCE, SHARE = 40, 0.02
"""A word of an excerpt counts where it is scarce: in at most this many articles around, or this share of them."""

RISE = 1.8
"""A word that is not so many times as frequent now as on the days out of reach counts for half."""

DOUBT = 1.5
"""Standard deviations that a count on other days is lowered by before it speaks against a word."""

STEPS = 4
"""Steps of a weight, in 1: what a word tells is not known better."""

DIGITS, CROWD_DIGITS = 3, 5
"""Leading binary digits of the numbers of texts that a weight is made from."""

FADE = 0.2
TITLE = 3
EXCERPT = 280
STEM = 5

PRIOR = 20
"""Imagined articles around each one, that hold short words and no others; they matter where there are few real ones."""

MADE_UP = 1000
"""As many articles at one very moment have a made-up date, and such a date brings nothing together."""

_AGAIN = AGAIN * SCALE * SCALE
_WORD = re.compile(r"[^\W_]+(?:['.][^\W_]+)*")
_NO_WORD = re.compile(r"[\d\W_]+")
# Scripts that write no spaces: Thai, Lao, Burmese, Khmer, kana, Han. Two characters stand for a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
# What many publishers put behind a headline: " - The Daily News".
_TAIL = re.compile(r" [-|] [^-|]{2,60}$")
_LOGS = [0.0, *(round(1 + math.log(n), 6) for n in range(1, 256))]


_NOTHING = Vector({}, {}, dense=False)


class _Stems(dict[str, str]):
    """Each word's stem, worked out once: its first letters; "" for what is no word."""

    def __missing__(self, word: str) -> str:
        stem = word.removesuffix("'s").replace("'", "").replace(".", "")
        stem = "" if len(stem) < 2 else stem[:STEM] if stem.isalpha() else stem
        self[word] = stem
        return stem


class _Kept(msgspec.Struct, array_like=True):
    """What is kept of all articles at once: their times in their order, their series, each day's size, who is like whom."""

    seconds: dict[str, float]
    series: dict[str, list[tuple[int, str]]]
    days: dict[int, tuple[int, tuple[int, int]]]
    near: dict[str, dict[str, int]]


class Similarity:
    """The similar pairs among articles that come and go: always what they would be had all come at once.

    `near` holds for each article those it is similar to, earlier and later, and how similar, in `UNIT`s; `order` has the
    articles by time, in seconds, and id.
    """

    def __init__(self) -> None:
        self.near: dict[str, dict[str, int]] = {}
        self.order: list[tuple[float, str]] = []
        self.keys: dict[str, tuple[float, str]] = {}
        self._words = _Stems()
        self._days = Days(lambda article: _day(self.keys[article][0]))
        self._texts, self._vectors = self._days.texts, self._days.vectors
        self._moments: Counter[float] = Counter()
        self._series: dict[str, list[tuple[int, str]]] = {}

    def update(self, gone: Iterable[str], come: Iterable[Article]) -> set[str]:
        """Lets articles go, by id, and others come; the ids of those whose pairs are not what they were."""
        left = [self._texts[id] for id in gone]
        fresh = [self.text(a) for a in come]
        self._count(left, fresh)
        stale = {t.id for t in fresh} | self._muted(left, fresh)
        for day, stems in self._weigh([*left, *fresh]):
            stale |= {id for id in self._days.on(day) if not stems.isdisjoint(self._texts[id].stems)}
        moved = set()
        for id in stale:
            vector = self._vector(self._texts[id])
            if vector != self._vectors.get(id):
                self._vectors[id] = vector
                self._days[self._texts[id].day].texted = True
                moved.add(id)
        before = {id: self.near.pop(id, {}) for id in moved | {t.id for t in left}}
        for id, pairs in before.items():
            for other in pairs:
                if other not in before:
                    del self.near[other][id]
        self.near |= {id: {} for id in moved}
        self._pair(moved)
        changed = {t.id for t in (*left, *fresh)}
        for id, pairs in before.items():
            now = self.near.get(id, {})
            if pairs != now:
                changed.add(id)
                changed.update((other for other, _ in pairs.items() ^ now.items()) if pairs else now)
        return changed

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """What has changed since it was loaded, by the names to keep it under."""
        yield from self._days.dump()
        kept = _Kept(
            {id: seconds for seconds, id in self.order},
            self._series,
            {number: (day.count, day.crowd) for number, day in self._days.items()},
            self.near,
        )
        yield "stories near", msgspec.msgpack.encode(kept)

    def load(self, fetch: Fetch) -> None:
        """Goes on from what was kept. Raises LostError where there is nothing, now or when a day is asked for."""
        try:
            kept = msgspec.msgpack.decode(fetch("stories near") or b"", type=_Kept)
        except msgspec.DecodeError:
            raise LostError from None
        self.keys |= {id: (seconds, id) for id, seconds in kept.seconds.items()}
        self.order = list(self.keys.values())
        self.near, self._series = kept.near, kept.series
        self._moments = Counter(kept.seconds.values())
        for number, (count, crowd) in kept.days.items():
            day = self._days[number] = Day(number, fetch)
            day.count, day.crowd = count, crowd

    def within(self, moment: float) -> int:
        """How many articles are within reach of a moment, in seconds."""
        reach = REACH.total_seconds()
        return bisect_right(self.order, (moment + reach, "\U0010ffff")) - bisect_left(self.order, (moment - reach,))

    def terse(self, id: str) -> bool:
        """Whether an article has a title and nothing else to compare."""
        text = self._texts[id]
        return len(text.stems) == text.title

    def about(self, moments: Iterable[float]) -> Iterator[tuple[float, str]]:
        """The articles within reach of some moments, as in `order`."""
        return (self.order[at] for at in self._places(moments))

    def has(self, article: Article) -> bool:
        """Whether an article is here as it is now, as far as anything is compared of it."""
        return article.id in self.keys and self._texts[article.id] == self.text(article)

    def text(self, article: Article) -> Text:
        """What is compared of an article."""
        title = headline(article.title)
        counts: dict[str, int] = {}
        for stem in self._stems(title):
            counts[stem] = counts.get(stem, 0) + TITLE
        counts.pop("", None)
        length = len(counts)
        for stem in self._stems(article.excerpt[:EXCERPT]):
            counts[stem] = counts.get(stem, 0) + 1
        counts.pop("", None)
        seconds = article.published.timestamp()
        return Text(
            seconds=seconds,
            id=article.id,
            day=_day(seconds),
            provider=article.provider,
            series=f"{article.provider}\0{_NO_WORD.sub(' ', title.casefold()).strip()}",
            stems=tuple(counts),
            counts=bytes(counts.values())
            if max(counts.values(), default=0) < 256
            else bytes(min(n, 255) for n in counts.values()),
            title=length,
        )

    def _stems(self, text: str) -> list[str]:
        text = text.lower().replace("’", "'")
        found: list[str] = []
        if not text.isascii():
            for run in _UNSPACED.findall(text):
                found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
            if found:
                text = _UNSPACED.sub(" ", text)
        words = self._words
        return found + [words[word] for word in _WORD.findall(text)]

    def _count(self, left: list[Text], fresh: list[Text]) -> None:
        """Takes texts out of all that is counted, and puts others in."""
        for text in left:
            day = self._days[text.day]
            self._days.on(text.day).remove(text.id)
            del self._texts[text.id], self._vectors[text.id]
            day.count -= 1
            day.worded = day.texted = True
            for stem in text.stems:
                day.stems[stem] -= 1
                if not day.stems[stem]:
                    del day.stems[stem]
                    day.known.pop(stem, None)
            self._moments[text.seconds] -= 1
            held = self._series[text.series]
            del held[bisect_left(held, (text.day, text.id))]
            del self.order[bisect_left(self.order, self.keys.pop(text.id))]
        for text in fresh:
            day = self._days.setdefault(text.day, Day(text.day))
            self._days.on(text.day).add(text.id)
            self._texts[text.id] = text
            day.count += 1
            day.worded = day.texted = True
            day.stems.update(text.stems)
            self._moments[text.seconds] += 1
            insort(self._series.setdefault(text.series, []), (text.day, text.id))
            self.keys[text.id] = (text.seconds, text.id)
        if len(fresh) > 99:
            self.order = sorted(self.keys.values())
        else:
            for text in fresh:
                insort(self.order, self.keys[text.id])

    def _muted(self, left: list[Text], fresh: list[Text]) -> set[str]:
        """Whose words may count, or not count, since some texts left and others came."""
        out: set[str] = set()
        more = Counter(t.seconds for t in fresh)
        more.subtract(t.seconds for t in left)
        for moment, change in more.items():
            now = self._moments[moment]
            if (now >= MADE_UP) == (now - change >= MADE_UP):
                continue
            start, end = bisect_left(self.order, (moment,)), bisect_right(self.order, (moment, "\U0010ffff"))
            out.update(id for _, id in self.order[start:end])
        for text in (*left, *fresh):
            held = self._series[text.series]
            start, end = bisect_left(held, (text.day - WINDOW,)), bisect_left(held, (text.day + WINDOW + 1,))
            out.update(id for _, id in held[start:end])
        return out

    def _mute(self, text: Text) -> bool:
        """Whether a text is dated to a crowded moment, or is one of a series.

        A series is the same publisher's same headline, but for its numbers, on another day.
        """
        if self._moments[text.seconds] >= MADE_UP:
            return True
        held, day = self._series[text.series], text.day
        before, after = bisect_left(held, (day,)), bisect_left(held, (day + 1,))
        beside = ([held[before - 1][0]] if before else []) + ([held[after][0]] if after < len(held) else [])
        return not text.series.endswith("\0") and any(abs(other - day) <= WINDOW for other in beside)

    def _weigh(self, met: list[Text]) -> Iterator[tuple[int, set[str]]]:
        """Brings the weights up to date after texts came or went: a day, and the stems that weigh another there."""
        order = sorted(self._days)
        touched = sorted({t.day for t in met})
        sums = list(accumulate((self._days[day].count for day in order), initial=0))

        def crowd(day: int, reach: int) -> int:
            return _step(sums[bisect_right(order, day + reach)] - sums[bisect_left(order, day - reach)], CROWD_DIGITS)

        due: list[tuple[int, tuple[int, int]]] = []
        for day in order:
            at = bisect_left(touched, day - WINDOW)
            if at < len(touched) and touched[at] <= day + WINDOW:
                due.append((day, (crowd(day, NEAR), crowd(day, WINDOW))))
        some: set[str] | None = {stem for text in met for stem in text.stems}
        if any(self._days[day].crowd != found for day, found in due):
            some = None
        near, around = Span(self._days, order, NEAR, some), Span(self._days, order, WINDOW, some)
        for day, found in due:
            near.move(day)
            around.move(day)
            held = self._days[day]
            if (held.crowd[0] < DENSE) != (found[0] < DENSE):
                yield day, set(held.stems)
            held.crowd = found
            stems = held.stems.keys() if some is None else some & held.stems.keys()
            if turned := _weigh(held, stems, near.stems, around.stems):
                yield day, turned

    def _vector(self, text: Text) -> Vector:
        if self._mute(text):
            return _NOTHING
        day = self._days[text.day]
        known = day.known
        dense = day.crowd[0] >= DENSE
        least = TELLING if dense else 0.0
        weights = []
        square = 0.0
        for place, (stem, count) in enumerate(zip(text.stems, text.counts, strict=True)):
            idf = known.get(stem, CAP)
            if idf <= 0:
                if place >= text.title or not idf:
                    continue
                idf = -idf
            weight = idf * _LOGS[count]
            square += weight * weight
            weights.append((stem, weight, idf >= least))
        scale = SCALE / math.sqrt(square) if square else 0.0
        telling: dict[str, int] = {}
        plain: dict[str, int] = {}
        for stem, weight, tells in weights:
            (telling if tells else plain)[stem] = round(weight * scale)
        return Vector(telling, plain, dense)

    def _pair(self, moved: set[str]) -> None:
        """Finds the pairs that have one of some articles in them."""
        everyone: dict[str, tuple[list[int], list[int]]] = {}
        new: dict[str, tuple[list[int], list[int]]] = {}
        order, vectors, texts, near = self.order, self._vectors, self._texts, self.near
        wanted = {stem for id in moved for stem in vectors[id].telling}
        # What has not moved is compared with what has; where all has, nobody asks for that.
        kept = (everyone, new) if len(moved) < len(order) else (everyone,)
        reach = REACH.total_seconds()
        first = 0
        for at in self._places({texts[id].seconds for id in moved}):
            now, id = order[at]
            telling, plain, dense = vectors[id]
            while order[first][0] < now - reach:
                first += 1
            own = id in moved
            shared = telling if own else telling.keys() & wanted
            if not shared:
                continue
            floor = (DENSE_FLOOR if dense else FLOOR) * SCALE * SCALE
            dots: dict[int, int] = {}
            seen = dots.get
            index = everyone if own else new
            for stem in shared:
                weight = telling[stem]
                if stem in index:
                    places, values = index[stem]
                    if places and places[0] < first:
                        gone = bisect_left(places, first)
                        del places[:gone], values[:gone]
                    for place, value in zip(places, values, strict=True):
                        dots[place] = seen(place, 0) + weight * value
                for one in kept if own else kept[:1]:
                    if stem in one:
                        one[stem][0].append(at)
                        one[stem][1].append(weight)
                    else:
                        one[stem] = ([at], [weight])
            for place, dot in dots.items():
                if dot < floor:
                    continue
                then, other = order[place]
                cosine, held = dot, vectors[other].plain
                for stem in plain:
                    if stem in held:
                        cosine += plain[stem] * held[stem]
                if cosine < _AGAIN and texts[id].provider == texts[other].provider:
                    continue
                if not dense and cosine < _AGAIN:
                    # One word in common is chance, and where there are few texts every word is scarce.
                    held = vectors[other].telling
                    if cosine - max(telling[s] * held[s] for s in telling if s in held) < ALONE * cosine:
                        continue
                score = round(cosine * UNIT / SCALE / SCALE * math.exp(-FADE * (now - then) / 86400))
                if score * SCALE * SCALE >= floor * UNIT:
                    near[id][other] = near[other][id] = score

    def _places(self, moments: Iterable[float]) -> Iterator[int]:
        """The places in `order` of all articles within reach of some moments."""
        order, reach = self.order, REACH.total_seconds()
        done = 0
        for moment in sorted(moments):
            start = max(done, bisect_left(order, (moment - reach,)))
            done = max(done, bisect_right(order, (moment + reach, "\U0010ffff")))
            yield from range(start, done)


def _day(seconds: float) -> int:
    return int(seconds // 86400)


def _weigh(day: Day, stems: Iterable[str], near: Mapping[str, int], around: Mapping[str, int]) -> set[str]:
    """Brings the weights of some stems up to date; those that weigh another now."""
    articles, total = day.crowd
    # Most words are as rare as a word can be; this is what `_idf` would find out.
    few = min(max(SCARCE, SHARE * total), (total + PRIOR + 1) / math.exp(CAP) - 1)
    known, turned = day.known, set()
    for stem in stems:
        all = around[stem]
        if all <= few and all - near[stem] < DOUBT**2 and len(stem) >= STEM:
            if stem in known:
                del known[stem]
                turned.add(stem)
            continue
        now = near[stem]
        idf = _idf(_prior(stem), _step(now, DIGITS), _step(all - now, DIGITS), articles, total)
        if idf != known.get(stem, CAP):
            turned.add(stem)
            known[stem] = idf
            if idf == CAP:
                del known[stem]
    day.worded = day.worded or bool(turned)
    return turned


def headline(title: str) -> str:
    """A title without the publisher's name behind it."""
    tail = _TAIL.search(title)
    if tail and len(tail[0].split()) <= 6 and len(title[: tail.start()].split()) >= 4:
        return title[: tail.start()]
    return title


def _step(count: int, digits: int) -> int:
    """A number to its leading binary digits."""
    rest = count.bit_length() - digits
    return count >> rest << rest if rest > 0 else count


@cache
def _prior(stem: str) -> int:
    """How many imagined articles hold a stem."""
    if len(stem) >= STEM or not stem.isalpha() or _UNSPACED.match(stem):
        return 0
    return PRIOR if len(stem) < STEM - 1 else PRIOR // 2


@lru_cache(maxsize=1 << 16)
def _idf(prior: int, now: int, then: int, articles: int, total: int) -> float:
    """What a stem tells that `now` of the `articles` near a day have, `then` of the rest of the `total` about it, and `prior` more.

    Below 0 where only a title's counts, 0 where none does.
    """
    idf = min(CAP, math.log((total + PRIOR + 1) / (now + then + prior + 1)))
    common = COMMON
    # At least this many of the articles out of reach have it, as far as chance allows to say.
    steady = then - DOUBT * math.sqrt(then)
    away = total - articles
    if steady > 0 and away > 0:
        if now / articles < RISE * steady / away:
            idf /= 2
        idf = min(idf, max(0.0, math.log((away + 1) / steady) - 1))
        common = COMMON / 3
    if idf < common:
        return 0.0
    idf = round(idf * STEPS) / STEPS
    return idf if now + then <= max(SCARCE, SHARE * total) else -idf

"""Which articles tell of one event, as far as their words say.

Articles come in the order of their time; each joins the story it fits best, or begins one. How it fits: the mean of its
similarity to the story's members, those at other times included as 0, so that no chain of lookalikes can form; over
what is enough there. A title alone holds few of the words that a large story is told in: for one without an excerpt the
fit grows with the story beyond five members, as √(members / 5). Once all are placed, each may move to a story that it
fits better. The numbers were chosen on labelled collections of news in English, mostly on their first halves by time,
and with an eye on an unlabelled stream of 1,200 articles a day.

A placing depends on the placings of earlier neighbours and on the sizes of their stories, and on nothing else: after an
edit only what these reach is placed again.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from newsgen.model import Article
from newsgen.stories.days import Fetch, LostError
from newsgen.stories.similarity import UNIT, Similarity

LIKE = (0.105, 0.24)
"""How alike is enough: where up to `CROWD[0]` articles are within reach, and where `CROWD[1]` or more are.

The more there are, the more are alike by chance. In between, the logarithm of their number counts.
"""

PAIR = 0.4
"""The same for a story of one or two in a crowd: so few have no others to speak for them."""

CROWD = (100, 2000)

FEW, LARGE = 5, 100
"""Beyond the first number of members a story's size counts for what has a title only, beyond the second no more so."""

BESIDE = 5
"""How many articles a story remembers that came near and are not in it."""


class Tie(NamedTuple):
    """An article in a story, the one it is most like there, and how alike they are (0 to 1)."""

    id: str
    other: str
    score: float


class Candidate(NamedTuple):
    """An article beside a story, the one in it that it is most like, how alike they are (0 to 1).

    `fit` is how well it fits the whole story; from 1 on it might be in it, were it not in another.
    """

    id: str
    other: str
    score: float
    fit: float


class Told(NamedTuple):
    """What words say of a story: what ties its articles, and what came near."""

    ties: tuple[Tie, ...]
    beside: tuple[Candidate, ...]


class _Kept(msgspec.Struct, array_like=True):
    """What is kept of groups: see the names in `Grouping`."""

    marks: dict[str, bytes]
    crowded: dict[str, float]
    placed: dict[str, str]
    settled: dict[str, str]
    units: list[tuple[str, ...]]
    names: dict[str, str]
    told: list[tuple[tuple[str, ...], Told]]


class Grouping:
    """The groups of articles that come and go: always what they would be had all come at once."""

    def __init__(self) -> None:
        self.similarity = Similarity()
        self._marks: dict[str, bytes] = {}
        self._keys = self.similarity.keys
        self._crowded: dict[str, float] = {}
        self._units: dict[str, tuple[str, ...]] = {}
        self._names: Mapping[str, str] = {}
        self._placed: dict[str, str] = {}
        self._members: dict[str, list[tuple[float, str]]] = {}
        self._settled: dict[str, str] = {}
        self._told: dict[tuple[str, ...], Told] = {}
        self._known: dict[tuple[str, ...], Told] = {}

    def update(
        self, articles: Mapping[str, Article], sets: Iterable[Collection[str]], names: Mapping[str, str]
    ) -> list[list[str]]:
        """The groups that words make of some articles; all by id.

        `sets` are those that stay together whatever their words are, `names` the stories that an editor put articles
        into: those of different names are kept apart.
        """
        old, new = self._marks, {id: a.digest or _mark(a) for id, a in articles.items()}
        moved = [id for id, mark in new.items() if mark != old.get(id) and not self.similarity.has(articles[id])]
        come = [articles[id] for id in moved]
        gone = [id for id in (*moved, *(old.keys() - new.keys())) if id in old]
        self._marks = new
        left = [(self._keys[id], self._placed[id]) for id in gone]
        dirty = self.similarity.update(gone, come)
        for id in gone:
            del self._crowded[id], self._settled[id]
        moments = {key[0] for key, _ in left} | {self._keys[a.id][0] for a in come}
        for seconds, id in self.similarity.about(moments):
            crowded = _crowded(self.similarity.within(seconds))
            if self._crowded.get(id) != crowded:
                self._crowded[id] = crowded
                dirty.add(id)
        units = {
            id: unit
            for each in sets
            if len(each) > 1
            for unit in [tuple(sorted(each, key=self._keys.__getitem__))]
            for id in unit
        }
        dirty |= {id for id in units.keys() | self._units.keys() if units.get(id) != self._units.get(id)}
        # What a named article may join depends on the names in every story beside it.
        dirty |= names.keys() | self._names.keys()
        self._units, self._names = units, names
        self._settle(self._place(left, dirty & new.keys()))
        self._known = {
            ids: told
            for ids, told in self._told.items()
            if dirty.isdisjoint(ids) and dirty.isdisjoint([c.id for c in told.beside])
        }
        self._told = {}
        groups: dict[str, list[str]] = {}
        for id, label in self._settled.items():
            if label:
                groups.setdefault(label, []).append(id)
        return [kept for ids in groups.values() if len(kept := self._tied(sorted(ids))) > 1]

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """What has changed since it was loaded, by the names to keep it under."""
        yield from self.similarity.dump()
        told = [(ids, told) for ids, told in self._told.items()]
        kept = _Kept(
            self._marks,
            self._crowded,
            self._placed,
            self._settled,
            sorted(set(self._units.values())),
            dict(self._names),
            told,
        )
        yield "stories groups", msgspec.msgpack.encode(kept)

    def load(self, fetch: Fetch) -> None:
        """Goes on from what was kept. Raises LostError where there is nothing, now or later."""
        try:
            kept = msgspec.msgpack.decode(fetch("stories groups") or b"", type=_Kept)
        except msgspec.DecodeError:
            raise LostError from None
        self.similarity.load(fetch)
        self._marks, self._crowded, self._placed, self._settled = kept.marks, kept.crowded, kept.placed, kept.settled
        self._units = {id: unit for unit in kept.units for id in unit}
        self._names, self._told = kept.names, dict(kept.told)
        for key in self.similarity.order:
            self._members.setdefault(self._placed[key[1]], []).append(key)

    def _tied(self, ids: list[str]) -> list[str]:
        """Those of a group that are similar to others in it, with what they stay together with.

        As all settle at once, an article may come where those that it came for have left.
        """
        if len(ids) < 2 or tuple(ids) in self._known:
            return ids
        held = set(ids)
        tied: set[str] = set()
        for id in ids:
            unit = self._units.get(id, (id,))
            if any(other in held and other not in unit for other in self.similarity.near[id]):
                tied.update(unit)
        return [id for id in ids if id in tied]

    def told(self, ids: tuple[str, ...]) -> Told:
        """What words say for and against some articles as a story."""
        self._told[ids] = told = self._known.get(ids) or Told(tuple(self._ties(ids)), tuple(self._beside(ids)))
        return told

    def _ties(self, ids: tuple[str, ...]) -> Iterator[Tie]:
        """Each with the other that it is most like, each pair once; not what stays together anyway."""
        keys, near, held, seen = self._keys, self.similarity.near, set(ids), set()
        for id in ids:
            unit = self._units.get(id, (id,))
            found = [(score, other) for other, score in near.get(id, {}).items() if other in held and other not in unit]
            if found:
                score, other = max(found)
                pair = (other, id) if keys[other] < keys[id] else (id, other)
                if pair not in seen:
                    seen.add(pair)
                    yield Tie(pair[1], pair[0], score / UNIT)

    def _beside(self, ids: tuple[str, ...]) -> list[Candidate]:
        """The articles that came nearest to a story and are not in it, the nearest first."""
        sums: dict[str, int] = {}
        likest: dict[str, tuple[int, str]] = {}
        held = set(ids)
        for id in ids:
            for other, score in self.similarity.near.get(id, {}).items():
                if other not in held:
                    sums[other] = sums.get(other, 0) + score
                    likest[other] = max(likest.get(other, (0, "")), (score, id))
        best = heapq.nsmallest(BESIDE, sums, key=lambda c: (-sums[c], c))
        return [
            Candidate(
                id,
                likest[id][1],
                likest[id][0] / UNIT,
                _fit(sums[id], len(ids), self._crowded[id], terse=self.similarity.terse(id)),
            )
            for id in best
        ]

    def _place(self, left: list[tuple[tuple[float, str], str]], dirty: set[str]) -> set[str]:
        """Places articles in the order of time, and all whose placing that may change; who may have to settle anew."""
        order, near = self.similarity.order, self.similarity.near
        queued, stirred, stale = set(dirty), set(), set(dirty)
        for key, label in left:
            self._placed.pop(key[1], None)
            self._leave(key, label)
            stirred.add(label)
        for key, label in left:
            queued.update(self._heirs(key, label))
        queue = [self._keys[id] for id in queued]
        heapq.heapify(queue)
        while queue:
            key = heapq.heappop(queue)
            id = key[1]
            old, new = self._placed.get(id), self._choose(key)
            if old == new:
                continue
            if old is not None:
                self._leave(key, old)
                stirred.add(old)
            self._placed[id] = new
            stale.add(id)
            insort(self._members.setdefault(new, []), key)
            stirred.add(new)
            if len(queue) + bisect_right(order, key) == len(order):
                continue  # all that come later are queued
            later = {*self._heirs(key, new), *self._units.get(id, ())}
            if old is not None:
                later.update(self._heirs(key, old))
            for other in later - queued:
                if self._keys[other] > key:
                    queued.add(other)
                    heapq.heappush(queue, self._keys[other])
        for label in stirred:
            for _, member in self._members.get(label, ()):
                stale.update(near[member])
        return stale

    def _leave(self, key: tuple[float, str], label: str) -> None:
        held = self._members[label]
        del held[bisect_left(held, key)]
        if not held:
            del self._members[label]

    def _heirs(self, key: tuple[float, str], label: str) -> Iterator[str]:
        """Whose placing may depend on how many of a story come before it, from a moment on."""
        for _, member in self._members.get(label, ()):
            for other in self.similarity.near[member]:
                if self._keys[other] > key:
                    yield other

    def _choose(self, key: tuple[float, str]) -> str:
        """The story of earlier articles that one fits best, or the one that it begins."""
        id = key[1]
        unit = self._units.get(id)
        if unit and unit[0] != id:
            return self._placed[unit[0]]
        sums: dict[str, int] = {}
        for other, score in self.similarity.near[id].items():
            if self._keys[other] < key:
                label = self._placed[other]
                sums[label] = sums.get(label, 0) + score
        name = self._names.get(id)
        least = _least(self._crowded[id])
        best, chosen = 1.0, id
        for label, total in sums.items():
            if total < least:
                continue
            held = self._members[label]
            size = bisect_left(held, key)
            fit = _fit(total, size, self._crowded[id], terse=self.similarity.terse(id))
            if fit > best or (fit == best > 1 and label < chosen):
                if name and any(self._names.get(m, name) != name for _, m in held[:size]):
                    continue
                best, chosen = fit, label
        return chosen

    def _settle(self, dirty: set[str]) -> None:
        """Moves each article, with those it stays together with, to the story it fits best; what is named stays."""
        for id in {self._units.get(id, (id,))[0] for id in dirty}:
            unit = self._units.get(id, (id,))
            label = self._placed[id]
            if id in self._names:
                self._settled |= dict.fromkeys(unit, label)
                continue
            sums: dict[str, int] = {}
            for member in unit:
                for other, score in self.similarity.near[member].items():
                    if other not in unit:
                        place = self._placed[other]
                        sums[place] = sums.get(place, 0) + score
            least = _least(self._crowded[id]) * len(unit)
            best, chosen = 1.0, ""
            for place, total in sums.items():
                if total < least:
                    continue
                size = len(self._members[place]) - (len(unit) if place == label else 0)
                fit = _fit(total / len(unit), size, self._crowded[id], terse=self.similarity.terse(id))
                if fit > best or (fit == best > 1 and place < chosen):
                    best, chosen = fit, place
            self._settled |= dict.fromkeys(unit, chosen)


def _mark(article: Article) -> bytes:
    """What stands for an article that no file's digest stands for."""
    return msgspec.msgpack.encode((article.title, article.excerpt, article.published, article.provider))


def _crowded(count: int) -> float:
    """How much of a crowd some articles within reach are, from 0 to 1, in hundredths."""
    low, high = map(math.log, CROWD)
    return round(min(1.0, max(0.0, (math.log(count) - low) / (high - low))), 2)


def _least(crowded: float) -> float:
    """A sum of similarities below which nothing fits a story of any size; a little less, as `_fit` rounds."""
    return UNIT * (LIKE[0] + (LIKE[1] - LIKE[0]) * crowded) * 0.999


def _fit(total: float, size: int, crowded: float, *, terse: bool) -> float:
    """How well something fits a story of some size, from the sum of its similarities to its members; 1 is enough."""
    enough = LIKE[0] + ((PAIR if size < 3 else LIKE[1]) - LIKE[0]) * crowded
    growth = math.sqrt(min(size, LARGE) / FEW) if terse and size > FEW else 1.0
    return round(total / UNIT / size * growth / enough, 6)

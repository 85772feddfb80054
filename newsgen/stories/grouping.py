"""Groups similar articles into stories.

Articles are placed in chronological order. Each joins the story that it fits best, or begins one. Its fit is its mean
similarity to the story's members, divided by the threshold. Members out of reach count as 0, so that no chain of
overlapping articles can form. A title alone contains few of the words that a large story is told in: for an article
without an excerpt, the fit grows with the story beyond five members, by √(members / 5). Once all articles are placed,
each may move to a story that it fits better. The numbers were chosen on labelled collections of English news, mostly on
their first halves by time, and with an unlabelled stream of 1,200 articles a day in view.

The placement of an article depends only on the placements of earlier neighbours and on the sizes of their stories.
After an edit, only the articles that this affects are placed again.
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

THRESHOLD = (0.105, 0.24)
"""The mean similarity needed to join a story: with up to `CROWD[0]` articles within reach, and with `CROWD[1]` or more.

In a crowd more articles are similar by chance. In between, the threshold grows with the logarithm of their number.
"""

SMALL_STORY_THRESHOLD = 0.4
"""The second threshold for a story of one or two members, which has no others to confirm a match."""

CROWD = (100, 2000)

GROWTH_FROM, GROWTH_TO = 5, 100
"""The numbers of members between which the fit of an article without an excerpt grows."""

MAX_NEAR_MISSES = 5
"""The near misses kept per story."""


class Match(NamedTuple):
    """A member of a story, the other member that it is most similar to, and their similarity (0 to 1)."""

    id: str
    other: str
    score: float


class NearMiss(NamedTuple):
    """An article outside a story, the member that it is most similar to, and their similarity (0 to 1).

    `fit` is its fit to the story. Above 1 it would have joined, had it not joined another story.
    """

    id: str
    other: str
    score: float
    fit: float


class WordEvidence(NamedTuple):
    """The similarity between the members of a story, and its near misses."""

    matches: tuple[Match, ...]
    near_misses: tuple[NearMiss, ...]


class _Saved(msgspec.Struct, array_like=True):
    """The saved state; the fields are the attributes of `Grouping` with the same names."""

    digests: dict[str, bytes]
    crowding: dict[str, float]
    placed: dict[str, str]
    settled: dict[str, str]
    units: list[tuple[str, ...]]
    names: dict[str, str]
    evidence: list[tuple[tuple[str, ...], WordEvidence]]


class Grouping:
    """The groups of a changing set of articles. The result never depends on the order of the changes.

    A story is labelled with the id of the article that began it. All attributes are by article id, unless noted:
    `_digests` says which version of an article is grouped, `_crowding` how crowded its surroundings are (0 to 1),
    `_placed` the label of its story after placing, and `_settled` after moving ("" if it fits none). `_units` are the
    sets of articles that stay together, and `_names` their `story` names. `_members` lists the keys of placed articles
    by label. `_evidence` is by the ids of a story, and `_valid_evidence` what is still valid of the last update.
    """

    def __init__(self) -> None:
        self.similarity = Similarity()
        self._digests: dict[str, bytes] = {}
        self._keys = self.similarity.keys
        self._crowding: dict[str, float] = {}
        self._units: dict[str, tuple[str, ...]] = {}
        self._names: Mapping[str, str] = {}
        self._placed: dict[str, str] = {}
        self._members: dict[str, list[tuple[float, str]]] = {}
        self._settled: dict[str, str] = {}
        self._evidence: dict[tuple[str, ...], WordEvidence] = {}
        self._valid_evidence: dict[tuple[str, ...], WordEvidence] = {}

    def update(
        self, articles: Mapping[str, Article], sets: Iterable[Collection[str]], names: Mapping[str, str]
    ) -> list[list[str]]:
        """Groups these articles by similarity and returns the groups of two or more, as ids.

        `sets` are articles that stay together whatever their similarity. `names` maps articles to their `story` names:
        articles with different names stay apart.
        """
        old, new = self._digests, {id: a.digest or _fallback_digest(a) for id, a in articles.items()}
        changed = [
            id for id, digest in new.items() if digest != old.get(id) and not self.similarity.is_current(articles[id])
        ]
        added = [articles[id] for id in changed]
        removed = [id for id in (*changed, *(old.keys() - new.keys())) if id in old]
        self._digests = new
        removed_from = [(self._keys[id], self._placed[id]) for id in removed]
        dirty = self.similarity.update(removed, added)
        for id in removed:
            del self._crowding[id], self._settled[id]
        moments = {key[0] for key, _ in removed_from} | {self._keys[a.id][0] for a in added}
        for seconds, id in self.similarity.within_reach(moments):
            crowding = _crowding(self.similarity.count_within_reach(seconds))
            if self._crowding.get(id) != crowding:
                self._crowding[id] = crowding
                dirty.add(id)
        units = {
            id: unit
            for each in sets
            if len(each) > 1
            for unit in [tuple(sorted(each, key=self._keys.__getitem__))]
            for id in unit
        }
        dirty |= {id for id in units.keys() | self._units.keys() if units.get(id) != self._units.get(id)}
        # Which stories a named article may join depends on the names of their members.
        dirty |= names.keys() | self._names.keys()
        self._units, self._names = units, names
        self._settle(self._place(removed_from, dirty & new.keys()))
        self._valid_evidence = {
            ids: evidence
            for ids, evidence in self._evidence.items()
            if dirty.isdisjoint(ids) and dirty.isdisjoint([m.id for m in evidence.near_misses])
        }
        self._evidence = {}
        groups: dict[str, list[str]] = {}
        for id, label in self._settled.items():
            if label:
                groups.setdefault(label, []).append(id)
        return [connected for ids in groups.values() if len(connected := self._connected(sorted(ids))) > 1]

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """The state as pairs of a name and encoded data. Days that have not changed since `load` are left out."""
        yield from self.similarity.dump()
        evidence = [(ids, evidence) for ids, evidence in self._evidence.items()]
        state = _Saved(
            self._digests,
            self._crowding,
            self._placed,
            self._settled,
            sorted(set(self._units.values())),
            dict(self._names),
            evidence,
        )
        yield "stories groups", msgspec.msgpack.encode(state)

    def load(self, fetch: Fetch) -> None:
        """Restores what `dump` saved. Raises LostError if it is missing, now or later."""
        try:
            state = msgspec.msgpack.decode(fetch("stories groups") or b"", type=_Saved)
        except msgspec.DecodeError:
            raise LostError from None
        self.similarity.load(fetch)
        self._digests, self._crowding, self._placed, self._settled = (
            state.digests, state.crowding, state.placed, state.settled,
        )  # fmt: skip
        self._units = {id: unit for unit in state.units for id in unit}
        self._names, self._evidence = state.names, dict(state.evidence)
        for key in self.similarity.order:
            self._members.setdefault(self._placed[key[1]], []).append(key)

    def _connected(self, ids: list[str]) -> list[str]:
        """The articles of a group that are similar to another unit in it, with the rest of their units.

        All articles move at the same time, so one may join a story that its neighbours have just left.
        """
        if len(ids) < 2 or tuple(ids) in self._valid_evidence:
            return ids
        members = set(ids)
        connected: set[str] = set()
        for id in ids:
            unit = self._units.get(id, (id,))
            if any(other in members and other not in unit for other in self.similarity.near[id]):
                connected.update(unit)
        return [id for id in ids if id in connected]

    def evidence(self, ids: tuple[str, ...]) -> WordEvidence:
        """The similarity evidence for and against these articles being one story."""
        self._evidence[ids] = evidence = self._valid_evidence.get(ids) or WordEvidence(
            tuple(self._matches(ids)), tuple(self._near_misses(ids))
        )
        return evidence

    def _matches(self, ids: tuple[str, ...]) -> Iterator[Match]:
        """Each member with the most similar other member outside its unit; each pair once."""
        keys, near, members, seen = self._keys, self.similarity.near, set(ids), set()
        for id in ids:
            unit = self._units.get(id, (id,))
            neighbours = [
                (score, other) for other, score in near.get(id, {}).items() if other in members and other not in unit
            ]
            if neighbours:
                score, other = max(neighbours)
                pair = (other, id) if keys[other] < keys[id] else (id, other)
                if pair not in seen:
                    seen.add(pair)
                    yield Match(pair[1], pair[0], score / UNIT)

    def _near_misses(self, ids: tuple[str, ...]) -> list[NearMiss]:
        """The articles outside a story with the greatest total similarity to its members, the nearest first."""
        sums: dict[str, int] = {}
        most_similar: dict[str, tuple[int, str]] = {}
        members = set(ids)
        for id in ids:
            for other, score in self.similarity.near.get(id, {}).items():
                if other not in members:
                    sums[other] = sums.get(other, 0) + score
                    most_similar[other] = max(most_similar.get(other, (0, "")), (score, id))
        nearest = heapq.nsmallest(MAX_NEAR_MISSES, sums, key=lambda c: (-sums[c], c))
        return [
            NearMiss(
                id,
                most_similar[id][1],
                most_similar[id][0] / UNIT,
                _fit(sums[id], len(ids), self._crowding[id], title_only=self.similarity.title_only(id)),
            )
            for id in nearest
        ]

    def _place(self, removed_from: list[tuple[tuple[float, str], str]], dirty: set[str]) -> set[str]:
        """Places the dirty articles in chronological order, and every article whose placement that affects.

        `removed_from` are the keys of removed articles with the labels of their stories. Returns the ids of the
        articles to settle again.
        """
        order, near = self.similarity.order, self.similarity.near
        queued, changed_labels, stale = set(dirty), set(), set(dirty)
        for key, label in removed_from:
            self._placed.pop(key[1], None)
            self._leave(key, label)
            changed_labels.add(label)
        for key, label in removed_from:
            queued.update(self._later_neighbours(key, label))
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
                changed_labels.add(old)
            self._placed[id] = new
            stale.add(id)
            insort(self._members.setdefault(new, []), key)
            changed_labels.add(new)
            if len(queue) + bisect_right(order, key) == len(order):
                continue  # all later articles are queued
            affected = {*self._later_neighbours(key, new), *self._units.get(id, ())}
            if old is not None:
                affected.update(self._later_neighbours(key, old))
            for other in affected - queued:
                if self._keys[other] > key:
                    queued.add(other)
                    heapq.heappush(queue, self._keys[other])
        for label in changed_labels:
            for _, member in self._members.get(label, ()):
                stale.update(near[member])
        return stale

    def _leave(self, key: tuple[float, str], label: str) -> None:
        members = self._members[label]
        del members[bisect_left(members, key)]
        if not members:
            del self._members[label]

    def _later_neighbours(self, key: tuple[float, str], label: str) -> Iterator[str]:
        """The articles after a key that are similar to any member of a story: the story's size may affect them."""
        for _, member in self._members.get(label, ()):
            for other in self.similarity.near[member]:
                if self._keys[other] > key:
                    yield other

    def _choose(self, key: tuple[float, str]) -> str:
        """The label of the story of earlier articles that an article fits best, or its own id if it begins a story."""
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
        minimum = _minimum_sum(self._crowding[id])
        best_fit, best = 1.0, id
        for label, total in sums.items():
            if total < minimum:
                continue
            members = self._members[label]
            size = bisect_left(members, key)
            fit = _fit(total, size, self._crowding[id], title_only=self.similarity.title_only(id))
            if fit > best_fit or (fit == best_fit > 1 and label < best):
                if name and any(self._names.get(m, name) != name for _, m in members[:size]):
                    continue
                best_fit, best = fit, label
        return best

    def _settle(self, dirty: set[str]) -> None:
        """Moves each unit to the story that it fits best. Units with a `story` name stay where they were placed."""
        for id in {self._units.get(id, (id,))[0] for id in dirty}:
            unit = self._units.get(id, (id,))
            own_label = self._placed[id]
            if id in self._names:
                self._settled |= dict.fromkeys(unit, own_label)
                continue
            sums: dict[str, int] = {}
            for member in unit:
                for other, score in self.similarity.near[member].items():
                    if other not in unit:
                        label = self._placed[other]
                        sums[label] = sums.get(label, 0) + score
            minimum = _minimum_sum(self._crowding[id]) * len(unit)
            best_fit, best = 1.0, ""
            for label, total in sums.items():
                if total < minimum:
                    continue
                size = len(self._members[label]) - (len(unit) if label == own_label else 0)
                fit = _fit(total / len(unit), size, self._crowding[id], title_only=self.similarity.title_only(id))
                if fit > best_fit or (fit == best_fit > 1 and label < best):
                    best_fit, best = fit, label
            self._settled |= dict.fromkeys(unit, best)


def _fallback_digest(article: Article) -> bytes:
    """Stands in for the digest of an article that has no file."""
    return msgspec.msgpack.encode((article.title, article.excerpt, article.published, article.provider))


def _crowding(count: int) -> float:
    """How crowded a number of articles within reach is: 0 to 1, rounded to hundredths."""
    low, high = map(math.log, CROWD)
    return round(min(1.0, max(0.0, (math.log(count) - low) / (high - low))), 2)


def _minimum_sum(crowding: float) -> float:
    """A sum of similarities below which nothing fits a story of any size; slightly reduced, because `_fit` rounds."""
    return UNIT * (THRESHOLD[0] + (THRESHOLD[1] - THRESHOLD[0]) * crowding) * 0.999


def _fit(total: float, size: int, crowding: float, *, title_only: bool) -> float:
    """The fit to a story of `size` members, from the sum of the similarities to them; above 1 is enough to join."""
    threshold = THRESHOLD[0] + ((SMALL_STORY_THRESHOLD if size < 3 else THRESHOLD[1]) - THRESHOLD[0]) * crowding
    growth = math.sqrt(min(size, GROWTH_TO) / GROWTH_FROM) if title_only and size > GROWTH_FROM else 1.0
    return round(total / UNIT / size * growth / threshold, 6)

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
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from newsgen.store import Store
from newsgen.stories.days import Key, Text, day_number
from newsgen.stories.similarity import REACH, UNIT, Similarity
from newsgen.stories.tables import HashTable, State, Table

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


class Bond(NamedTuple):
    """What decides where an article may be, besides words: the articles that stay together with it whatever their
    similarity, in order, itself among them, and their `story` name. Articles with different names stay apart.
    """

    unit: tuple[str, ...]
    name: str


class Touched(NamedTuple):
    """The articles whose evidence may have changed, and the labels of the groups that may have."""

    ids: set[str]
    labels: set[str]


class Grouping:
    """The groups of a changing set of articles. The result never depends on the order of the changes.

    A story is labelled with the id of the article that began it. `_placed` holds the label of each article's story
    after placing, and `_settled` after moving ("" if it fits none). `_members` lists the keys of placed articles by
    label, and `_groups` the ids of settled ones. `keys` maps each article to its key, and `bond_of` to its bond.
    """

    def __init__(self, store: Store, keys: dict[str, Key], bond_of: Callable[[str], Bond]) -> None:
        self.similarity = Similarity(store, keys)
        self._keys = keys
        self._bond_of = bond_of

        def day_of(id: str) -> int:
            return int(keys[id][0] // 86400)

        self._placed: Table[str] = Table(store, "placed", str, day_of)
        self._settled: Table[str] = Table(store, "settled", str, day_of)
        self._members: HashTable[list[Key]] = HashTable(store, "members", list[Key])
        self._groups: HashTable[list[str]] = HashTable(store, "groups", list[str])
        self._tables: tuple[Table[Any], ...] = (self._placed, self._settled, self._members, self._groups)
        self._crowding: dict[str, float] = {}
        self._removed_from: list[tuple[Key, str]] = []
        self._removed: set[str] = set()
        self._labels: set[str] = set()

    def add(self, text: Text) -> None:
        """Adds an article. Its key must be in `keys`. Call `refresh` after all changes."""
        self.similarity.add(text)
        self._removed.discard(text.id)

    def remove(self, id: str) -> None:
        """Removes an article, and its key from `keys`. Call `refresh` after all changes."""
        label = self._placed.get(id)
        if label is not None:
            self._removed_from.append((self._keys[id], label))
            self._leave(self._keys[id], label)
            self._leave_group(id)
            self._placed.discard(id)
            self._settled.discard(id)
        self._removed.add(id)
        self.similarity.remove(id)

    def refresh(self, rebound: set[str], renamed: set[str]) -> Touched:
        """Groups again what the changes affect. `rebound` are articles whose bond changed, `renamed` those of them
        whose `story` name did.
        """
        dirty = self.similarity.refresh()
        self._crowding = {}
        is_everything = len(dirty - self._removed) == self.similarity.count
        if not is_everything:
            dirty |= self._differently_crowded()
        self.similarity.count_changes.clear()
        dirty = (dirty | rebound) - self._removed
        stale = self._place(dirty, renamed, is_everything=is_everything)
        self._settle(stale)
        labels = self._labels | {self._settled[id] for id in dirty}
        self._labels, self._removed = set(), set()
        return Touched(dirty, labels - {""})

    def _differently_crowded(self) -> set[str]:
        """The articles whose crowding changed, because others within their reach were added or removed."""
        changes = sorted((moment, change) for moment, change in self.similarity.count_changes.items() if change)
        moments = [moment for moment, _ in changes]
        sums = list(accumulate((change for _, change in changes), initial=0))
        reach = REACH.total_seconds()
        ids = set()
        for seconds, id in self.similarity.within_reach(moments):
            now = self.similarity.count_within_reach(seconds)
            added = sums[bisect_right(moments, seconds + reach)] - sums[bisect_left(moments, seconds - reach)]
            if added and _crowding(now) != _crowding(now - added):
                ids.add(id)
        return ids

    def settled(self, label: str) -> list[str]:
        """The ids of the articles that have settled in a story, ascending."""
        ids: list[str] = self._groups.get(label, [])
        return ids

    def group_of(self, id: str) -> list[str]:
        """The ids of the articles that words join with an article, ascending, and itself; none if it is alone."""
        label = self._settled[id]
        ids = self._connected(self._groups[label]) if label else []
        return ids if id in ids else []

    @property
    def state(self) -> list[State]:
        """What `restore` needs of the tables."""
        return [*self.similarity.state, *(table.state for table in self._tables)]

    def restore(self, days: Mapping[int, tuple[int, tuple[int, int]]], state: list[State]) -> None:
        """Continues from what is in the store; see `Similarity.restore`."""
        own = len(self._tables)
        self.similarity.restore(days, state[:-own])
        for table, saved in zip(self._tables, state[-own:], strict=True):
            table.restore(saved)

    def save(self) -> None:
        """Puts what changed into the store."""
        self.similarity.save()
        for table in self._tables:
            table.save()

    def _connected(self, ids: list[str]) -> list[str]:
        """The articles of a group that are similar to another unit in it, with the rest of their units.

        All articles move at the same time, so one may join a story that its neighbours have just left.
        """
        if len(ids) < 2:
            return []
        members = set(ids)
        connected: set[str] = set()
        for id in ids:
            unit = self._bond_of(id).unit
            if any(other in members and other not in unit for other in self.similarity.near[id]):
                connected.update(unit)
        return [id for id in ids if id in connected]

    def evidence(self, ids: tuple[str, ...]) -> WordEvidence:
        """The similarity evidence for and against these articles being one story."""
        return WordEvidence(tuple(self._matches(ids)), tuple(self._near_misses(ids)))

    def _matches(self, ids: tuple[str, ...]) -> Iterator[Match]:
        """Each member with the most similar other member outside its unit; each pair once."""
        keys, near, members, seen = self._keys, self.similarity.near, set(ids), set()
        for id in ids:
            unit = self._bond_of(id).unit
            neighbours = [(score, other) for other, score in near[id].items() if other in members and other not in unit]
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
            for other, score in self.similarity.near[id].items():
                if other not in members:
                    sums[other] = sums.get(other, 0) + score
                    most_similar[other] = max(most_similar.get(other, (0, "")), (score, id))
        nearest = heapq.nsmallest(MAX_NEAR_MISSES, sums, key=lambda c: (-sums[c], c))
        return [
            NearMiss(
                id,
                most_similar[id][1],
                most_similar[id][0] / UNIT,
                _fit(sums[id], len(ids), self._crowding_of(id), title_only=self.similarity.title_only(id)),
            )
            for id in nearest
        ]

    def _place(self, dirty: set[str], renamed: set[str], *, is_everything: bool) -> set[str]:
        """Places the dirty articles in chronological order, and every article whose placement that affects.

        Returns the ids of the articles to settle again.
        """
        near = self.similarity.near
        queued, stale = set(dirty), set(dirty)
        changed_labels = {label for _, label in self._removed_from}
        for key, label in self._removed_from:
            queued.update(self._later_neighbours(key, label))
        # Which stories a named article may join depends on the names of their members.
        for id in renamed:
            if label := self._placed.get(id, ""):
                queued.update(self._later_neighbours(self._keys[id], label))
        self._removed_from = []
        queue = [self._keys[id] for id in queued]
        heapq.heapify(queue)
        while queue:
            key = heapq.heappop(queue)
            id = key[1]
            self.similarity.relieve(day_number(key[0]))
            old, new = self._placed.get(id), self._choose(key)
            if old == new:
                continue
            if old is not None:
                self._leave(key, old)
                changed_labels.add(old)
            self._placed[id] = new
            stale.add(id)
            members = self._members.get(new)
            if members is None:
                members = self._members[new] = []
            insort(members, key)
            self._members.touch(new)
            if is_everything:
                continue  # all later articles are queued
            changed_labels.add(new)
            affected = {*self._later_neighbours(key, new), *self._bond_of(id).unit}
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

    def _leave(self, key: Key, label: str) -> None:
        members = self._members[label]
        del members[bisect_left(members, key)]
        self._members.touch(label)
        if not members:
            self._members.discard(label)

    def _leave_group(self, id: str) -> None:
        """Takes an article out of the story in which it has settled."""
        label = self._settled.get(id, "")
        if label:
            group = self._groups[label]
            group.remove(id)
            self._groups.touch(label)
            self._labels.add(label)
            if not group:
                self._groups.discard(label)

    def _settle_in(self, unit: tuple[str, ...], label: str) -> None:
        """Moves articles to a story."""
        for id in unit:
            if self._settled.get(id) != label:
                self._leave_group(id)
                self._settled[id] = label
                if label:
                    group = self._groups.get(label)
                    if group is None:
                        group = self._groups[label] = []
                    insort(group, id)
                    self._groups.touch(label)
                    self._labels.add(label)

    def _crowding_of(self, id: str) -> float:
        """How crowded an article's surroundings are."""
        crowding = self._crowding.get(id)
        if crowding is None:
            crowding = self._crowding[id] = _crowding(self.similarity.count_within_reach(self._keys[id][0]))
        return crowding

    def _later_neighbours(self, key: Key, label: str) -> Iterator[str]:
        """The articles after a key that are similar to any member of a story: the story's size may affect them."""
        for _, member in self._members.get(label, ()):
            for other in self.similarity.near[member]:
                if self._keys[other] > key:
                    yield other

    def _choose(self, key: Key) -> str:
        """The label of the story of earlier articles that an article fits best, or its own id if it begins a story."""
        id = key[1]
        unit, name = self._bond_of(id)
        if unit[0] != id:
            return self._placed[unit[0]]
        sums: dict[str, int] = {}
        pairs = self.similarity.near[id]
        if not pairs:
            return id
        for other, score in pairs.items():
            if self._keys[other] < key:
                label = self._placed[other]
                sums[label] = sums.get(label, 0) + score
        minimum = _minimum_sum(self._crowding_of(id))
        best_fit, best = 1.0, id
        for label, total in sums.items():
            if total < minimum:
                continue
            members = self._members[label]
            size = bisect_left(members, key)
            fit = _fit(total, size, self._crowding_of(id), title_only=self.similarity.title_only(id))
            if fit > best_fit or (fit == best_fit > 1 and label < best):
                if name and any(self._bond_of(m).name not in ("", name) for _, m in members[:size]):
                    continue
                best_fit, best = fit, label
        return best

    def _settle(self, dirty: set[str]) -> None:
        """Moves each unit to the story that it fits best. Units with a `story` name stay where they were placed."""
        for key in sorted({self._keys[self._bond_of(id).unit[0]] for id in dirty}):
            id = key[1]
            self.similarity.relieve(day_number(key[0]))
            unit, name = self._bond_of(id)
            own_label = self._placed[id]
            if name:
                self._settle_in(unit, own_label)
                continue
            sums: dict[str, int] = {}
            for member in unit:
                for other, score in self.similarity.near[member].items():
                    if other not in unit:
                        label = self._placed[other]
                        sums[label] = sums.get(label, 0) + score
            minimum = _minimum_sum(self._crowding_of(id)) * len(unit)
            best_fit, best = 1.0, ""
            for label, total in sums.items():
                if total < minimum:
                    continue
                size = len(self._members[label]) - (len(unit) if label == own_label else 0)
                fit = _fit(total / len(unit), size, self._crowding_of(id), title_only=self.similarity.title_only(id))
                if fit > best_fit or (fit == best_fit > 1 and label < best):
                    best_fit, best = fit, label
            self._settle_in(unit, best)


def _crowding(count: int) -> float:
    """How crowded a number of articles within reach is: 0 to 1, rounded to hundredths."""
    low, high = map(math.log, CROWD)
    return round(min(1.0, max(0.0, (math.log(max(1, count)) - low) / (high - low))), 2)


def _minimum_sum(crowding: float) -> float:
    """A sum of similarities below which nothing fits a story of any size; slightly reduced, because `_fit` rounds."""
    return UNIT * (THRESHOLD[0] + (THRESHOLD[1] - THRESHOLD[0]) * crowding) * 0.999


def _fit(total: float, size: int, crowding: float, *, title_only: bool) -> float:
    """The fit to a story of `size` members, from the sum of the similarities to them; above 1 is enough to join."""
    threshold = THRESHOLD[0] + ((SMALL_STORY_THRESHOLD if size < 3 else THRESHOLD[1]) - THRESHOLD[0]) * crowding
    growth = math.sqrt(min(size, GROWTH_TO) / GROWTH_FROM) if title_only and size > GROWTH_FROM else 1.0
    return round(total / UNIT / size * growth / threshold, 6)

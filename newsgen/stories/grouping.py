"""Groups similar articles into stories.

Articles are placed in chronological order. Each joins the story that it fits best, or begins one. Its fit to a small
story is its mean similarity to the members, and to a larger one its cosine to the sum of the members, which allows for
how different these are from each other; both are divided by a threshold. Members out of reach count as 0, so that no
chain of overlapping articles can form. The threshold is higher where many articles are within reach, where few of those
around have a story, and for headlines without excerpts; it falls with the size of the story. Once all articles are
placed, each may move to a story that it fits better. The numbers were chosen on labelled collections of news, mostly on
their first halves by time, whole and thinned until most articles were alone.

The placement of an article depends only on the placements of earlier neighbours, on the similarities within their
stories, and on how many articles around have a story. After an edit, only the articles that it affects are placed
again.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from newsgen.store import Store
from newsgen.stories.days import Key, Text, day_number
from newsgen.stories.similarity import DAILY_DECAY, REACH, UNIT, Comparison, Similarity
from newsgen.stories.tables import HashTable, State, Table

THRESHOLD = (0.062, 0.28)
"""The fit to a story that is enough: with up to `CROWD[0]` articles within reach, and with `CROWD[1]` or more.

In a crowd more articles are similar by chance. In between, the threshold grows with the logarithm of their number.
"""

SMALL_STORY_THRESHOLD = 0.3
"""The second threshold for a story of one or two members, which has no others to confirm a match."""

CROWD = (60, 1000)

TITLE_THRESHOLDS = (0.44, 0.16)
"""The least fit of an article without an excerpt to a story of one or two members, and to a larger one.

Headlines are short: two of them on one subject share a third of their words.
"""

CENTROID_FROM = 5
"""From this number of members on, a story is compared as a whole."""

GROWTH, GROWTH_FROM, GROWTH_TO = 0.3, 10, 150
"""Between these numbers of members, the threshold falls with the size of the story to this power."""

PAIRED_SIMILARITY = 0.15
"""An article that is at least this similar to another one probably has a story."""

PAIRED_DAYS = 60
"""The days before and after an article's day in which the share of such articles is counted."""

PAIRED_PRIOR = (20, 3)
"""Imaginary articles that count too, and how many of them probably have a story; they matter if articles are few."""

FEW = 30
"""With fewer articles around, nobody can say which words are rare: the share falls with the square of their number."""

PAIRED_SHARE, PAIRED_POWER = (0.025, 0.7), 0.65
"""The least and the greatest share. `THRESHOLD[0]` holds at the greatest and grows, to this power, as the share falls.

The odds that two articles are about one event grow with the share of the articles that have a story (Bayes).
"""

PAIRED_STEPS = 4
"""The share is rounded to this many steps per halving; a finer share would be noise."""

ENOUGH = {"less": 1.4, "normal": 1.0, "more": 0.7}
"""What all thresholds are multiplied by, by the setting `stories.join`."""

MAX_NEAR_MISSES = 5
"""The near misses kept per story."""

TYPICALITY_STEPS = 20
"""The steps of typicality: the articles on the highest step count as equal, so that the newest of them leads."""

MARGIN, MARGIN_FROM = 0.6, 5
"""A member that words joined is at the margin of its story if its mean similarity to the others is below this share of
the average member's; only from this number of members on, because fewer say little of each other.
"""

_PAIRED_MINIMUM = PAIRED_SIMILARITY * UNIT


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
    """The similarity between the members of a story, and its near misses.

    `typicality` is that of the members, by id, and `marginal` are the ids of those at the margin; see `Story`.
    """

    matches: tuple[Match, ...] = ()
    near_misses: tuple[NearMiss, ...] = ()
    typicality: Mapping[str, int] = {}
    marginal: tuple[str, ...] = ()


class Pair(NamedTuple):
    """What words say of two articles and their stories.

    `needed` is the similarity that the later article needs to join a story of the other one alone (0 to 1). `fits` are
    the fits of each article to the story of the other; above 1 it would have joined, had it not joined another story.
    `both` are the articles that are most similar to both, the nearest first.
    """

    comparison: Comparison
    needed: float
    fits: tuple[float, float]
    both: tuple[str, ...]


class Bond(NamedTuple):
    """What decides about the story of an article, besides words.

    `unit` are the articles that stay together with it whatever their similarity, in order, itself among them. `name` is
    their `story` name: articles with different names stay apart.
    """

    unit: tuple[str, ...]
    name: str


_Member = tuple[float, str, int]
"""A placed article: its key, and the sum of its similarities to the earlier members of its story."""


class Touched(NamedTuple):
    """The articles whose evidence may have changed, and the labels of the groups that may have changed."""

    ids: set[str]
    labels: set[str]


class Grouping:
    """The groups of a changing set of articles. The result never depends on the order of the changes.

    A story is labelled with the id of the article that began it. `_placed` holds the label of each article's story
    after placing, and `_settled` after moving ("" if it fits none). `_members` lists the keys of placed articles by
    label, and `_groups` the ids of settled ones. `keys` maps each article to its key, and `bond_of` to its bond. `join`
    is a key of `ENOUGH`.
    """

    def __init__(
        self, store: Store, keys: dict[str, Key], bond_of: Callable[[str], Bond], join: str = "normal"
    ) -> None:
        self.similarity = Similarity(store, keys)
        self._enough = ENOUGH[join]
        self._keys = keys
        self._bond_of = bond_of

        def day_of(id: str) -> int:
            return int(keys[id][0] // 86400)

        self._placed: Table[str] = Table(store, "placed", str, day_of)
        self._settled: Table[str] = Table(store, "settled", str, day_of)
        self._members: HashTable[list[_Member]] = HashTable(store, "members", list[_Member])
        self._groups: HashTable[list[str]] = HashTable(store, "groups", list[str])
        self._paired: Table[int] = Table(store, "paired", int, lambda day: int(day) // 32, default=0)
        self._is_paired: Table[bool] = Table(store, "is paired", bool, day_of)
        self._tables: tuple[Table[Any], ...] = (
            self._placed, self._settled, self._members, self._groups, self._paired, self._is_paired,
        )  # fmt: skip
        self._thresholds: dict[str, tuple[float, float]] = {}
        self._scarcity: dict[int, int] = {}
        self._paired_changes: Counter[int] = Counter()
        self._masses: dict[str, int] = {}
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
        self._set_paired(id, False)
        self.similarity.remove(id)

    def refresh(self, rebound: set[str], renamed: set[str]) -> Touched:
        """Groups again what the changes affect. `rebound` are articles whose bond changed, `renamed` those of them
        whose `story` name did.
        """
        dirty = self.similarity.refresh()
        self._thresholds = {}
        is_everything = len(dirty - self._removed) == self.similarity.count
        differently_paired = self._count_paired(dirty - self._removed)
        if not is_everything:
            dirty |= self._differently_crowded() | differently_paired
        self.similarity.count_changes.clear()
        dirty = (dirty | rebound) - self._removed
        stale = self._place(dirty, renamed, is_everything=is_everything)
        self._settle(stale)
        labels = self._labels | {self._settled[id] for id in dirty}
        self._labels, self._removed = set(), set()
        return Touched(dirty, labels - {""})

    def _count_paired(self, changed: set[str]) -> set[str]:
        """Counts the articles that probably have a story, and finds the scarcity of each day near a change.

        Returns the ids of the articles on the days whose scarcity differs from before.
        """
        days, near = self.similarity.days, self.similarity.near
        counted: Counter[int] = Counter()
        for moment, change in self.similarity.count_changes.items():
            counted[day_number(moment)] += change
        for id in sorted(changed, key=self._keys.__getitem__):
            self.similarity.relieve(day_number(self._keys[id][0]))
            self._set_paired(id, max(near[id].values(), default=0) >= _PAIRED_MINIMUM)
        paired, self._paired_changes = self._paired_changes, Counter()
        for number, change in paired.items():
            self._paired[str(number)] += change
            if not self._paired[str(number)]:
                self._paired.discard(str(number))
        changed_days = sorted(counted.keys() | paired.keys())
        numbers = sorted(days)
        # The days near those that changed, and the days near these.
        if changed_days:
            low, high = changed_days[0] - 2 * PAIRED_DAYS, changed_days[-1] + 2 * PAIRED_DAYS
            numbers = numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]
        found: set[str] = set()
        new_sums = _sums((self._paired[str(number)], days[number].count) for number in numbers)
        old_sums = _sums(
            (self._paired[str(number)] - paired[number], days[number].count - counted[number]) for number in numbers
        )
        self._scarcity = {}
        for number in numbers:
            start, end = bisect_left(numbers, number - PAIRED_DAYS), bisect_right(numbers, number + PAIRED_DAYS)
            at = bisect_left(changed_days, number - PAIRED_DAYS)
            if at < len(changed_days) and changed_days[at] <= number + PAIRED_DAYS:
                scarcity = self._scarcity[number] = _scarcity(*_difference(new_sums, start, end))
                if scarcity != _scarcity(*_difference(old_sums, start, end)):
                    found.update(days[number].ids)
        return found

    def _set_paired(self, id: str, is_paired: bool) -> None:
        """Notes whether an article probably has a story."""
        if is_paired != bool(self._is_paired.get(id)):
            if is_paired:
                self._is_paired[id] = True
            else:
                self._is_paired.discard(id)
            self._paired_changes[day_number(self._keys[id][0])] += 1 if is_paired else -1

    def _scarcity_of(self, day: int) -> int:
        """How scarce articles with a story are around a day, in `PAIRED_STEPS`."""
        scarcity = self._scarcity.get(day)
        if scarcity is None:
            days = self.similarity.days
            numbers = [n for n in range(day - PAIRED_DAYS, day + PAIRED_DAYS + 1) if n in days]
            paired, count = sum(self._paired[str(n)] for n in numbers), sum(days[n].count for n in numbers)
            scarcity = self._scarcity[day] = _scarcity(paired, count)
        return scarcity

    def _differently_crowded(self) -> set[str]:
        """The articles whose crowding changed, because others within their reach were added or removed."""
        changes = sorted((moment, change) for moment, change in self.similarity.count_changes.items() if change)
        moments = [moment for moment, _ in changes]
        sums = list(accumulate((change for _, change in changes), initial=0))
        reach = REACH.total_seconds()
        most = sum(change for _, change in changes if change > 0)
        ids = set()
        for seconds, id in self.similarity.within_reach(moments, lambda day: self._is_crowded(day, most)):
            now = self.similarity.count_within_reach(seconds)
            added = sums[bisect_right(moments, seconds + reach)] - sums[bisect_left(moments, seconds - reach)]
            if added and _crowding(now) != _crowding(now - added):
                ids.add(id)
        return ids

    def _is_crowded(self, day: int, added: int = 0) -> bool:
        """Whether all articles of a day certainly have a crowd within reach, and had one before `added` others came."""
        days = self.similarity.days
        return sum(days[d].count for d in (day - 1, day, day + 1) if d in days) - added >= CROWD[1]

    def settled(self, label: str) -> list[str]:
        """The ids of the articles that have settled in a story, ascending."""
        ids: list[str] = self._groups.get(label, [])
        return ids

    def group_of(self, id: str) -> list[str]:
        """The ids of an article and of those that words join with it, ascending; none if it is alone."""
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
        """Puts what changed into the store, and forgets it, to free memory."""
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
        means = self._means(ids)
        best, least = max(means.values(), default=0), MARGIN * sum(means.values()) / max(1, len(means))
        return WordEvidence(
            tuple(self._matches(ids)),
            tuple(self._near_misses(ids)),
            {id: min(TYPICALITY_STEPS - 1, int(TYPICALITY_STEPS * mean / best)) for id, mean in means.items() if mean},
            tuple([id for id in ids if len(ids) >= MARGIN_FROM and means[id] < least and self._is_alone(id)]),
        )

    def _is_alone(self, id: str) -> bool:
        """Whether neither declarations nor an editor join an article with others."""
        return self._bond_of(id) == Bond((id,), "")

    def _means(self, ids: tuple[str, ...]) -> dict[str, float]:
        """The mean similarity of each member of a story to the other members within reach of it.

        It does not decay over time: the first report of a long story is as good as the others.
        """
        members, reach = set(ids), REACH.total_seconds()
        moments, means = sorted([self._keys[id][0] for id in ids]), {}
        for id in ids:
            now, total = self._keys[id][0], 0
            for other, score in self.similarity.near[id].items():
                if other in members:
                    total += round(score * math.exp(DAILY_DECAY * abs(self._keys[other][0] - now) / 86400))
            within = bisect_right(moments, now + reach) - bisect_left(moments, now - reach) - 1
            means[id] = total / max(1, within)
        return means

    def compare(self, one: str, two: str, story_of_one: Collection[str], story_of_two: Collection[str]) -> Pair:
        """What words say of two articles, given the articles of the stories that they are in."""
        near = self.similarity.near
        later = max(one, two, key=self._keys.__getitem__)
        sums = {each: score + near[two][each] for each, score in near[one].items() if each in near[two]}
        both = heapq.nsmallest(MAX_NEAR_MISSES, sums, key=lambda each: (-sums[each], each))
        return Pair(
            self.similarity.compare(one, two),
            self._thresholds_of(later)[0],
            (self._fit_to(one, story_of_two), self._fit_to(two, story_of_one)),
            tuple(both),
        )

    def _fit_to(self, id: str, ids: Collection[str]) -> float:
        """The fit of an article to a story of these others."""
        near, unit = self.similarity.near, self._bond_of(id).unit
        members = {other for other in ids if other not in unit}
        mass = UNIT * len(members) + sum(near[m].get(other, 0) for m in members for other in members)
        total = sum(near[id].get(other, 0) for other in members)
        return _fit(total, len(members), mass, self._thresholds_of(id)) if members else 0.0

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
        mass = UNIT * len(ids)
        for id in ids:
            for other, score in self.similarity.near[id].items():
                if other in members:
                    mass += score
                else:
                    sums[other] = sums.get(other, 0) + score
                    most_similar[other] = max(most_similar.get(other, (0, "")), (score, id))
        nearest = heapq.nsmallest(MAX_NEAR_MISSES, sums, key=lambda c: (-sums[c], c))
        return [
            NearMiss(
                id,
                most_similar[id][1],
                most_similar[id][0] / UNIT,
                _fit(sums[id], len(ids), mass, self._thresholds_of(id)),
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
            old, (new, total) = self._placed.get(id), self._choose(key)
            if old == new and self._total(key, new) == total:
                continue
            if old is not None:
                self._leave(key, old)
                changed_labels.add(old)
            self._placed[id] = new
            stale.add(id)
            self._join(key, new, total)
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
            for _, member, _ in self._members.get(label, ()):
                stale.update(near[member])
        return stale

    def _join(self, key: Key, label: str, total: int) -> None:
        """Adds an article to the placed members of a story."""
        members = self._members.get(label)
        if members is None:
            members = self._members[label] = []
            self._masses[label] = 0
        elif label not in self._masses:
            self._masses[label] = sum(map(_mass, members))
        member = (*key, total)
        insort(members, member)
        self._masses[label] += _mass(member)
        self._members.touch(label)

    def _total(self, key: Key, label: str) -> int:
        """The sum of an article's similarities to the earlier members of the story in which it is placed."""
        members = self._members[label]
        return members[bisect_left(members, key)][2]

    def _mass_of(self, label: str) -> int:
        """The sum of all similarities between the placed members of a story, each to itself among them."""
        mass = self._masses.get(label)
        if mass is None:
            mass = self._masses[label] = sum(map(_mass, self._members[label]))
        return mass

    def _leave(self, key: Key, label: str) -> None:
        members = self._members[label]
        del members[bisect_left(members, key)]
        self._masses.pop(label, None)
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

    def _thresholds_of(self, id: str) -> tuple[float, float]:
        """The fit that an article needs to join a story of one or two members, and a larger one."""
        found = self._thresholds.get(id)
        if found is None:
            seconds = self._keys[id][0]
            day = day_number(seconds)
            is_crowded = self._is_crowded(day)
            crowding = 1.0 if is_crowded else _crowding(self.similarity.count_within_reach(seconds))
            scarcity = self._scarcity_of(day)
            small, large = _thresholds(crowding, scarcity, title_only=self.similarity.title_only(id))
            found = self._thresholds[id] = small * self._enough, large * self._enough
        return found

    def _later_neighbours(self, key: Key, label: str) -> Iterator[str]:
        """The articles after a key that are similar to any member of a story: the story's size may affect them."""
        for _, member, _ in self._members.get(label, ()):
            for other in self.similarity.near[member]:
                if self._keys[other] > key:
                    yield other

    def _choose(self, key: Key) -> tuple[str, int]:
        """The label of the story of earlier articles that an article fits best, or its own id if it begins a story.

        Also returns the sum of its similarities to these articles.
        """
        id = key[1]
        unit, name = self._bond_of(id)
        sums: dict[str, int] = {}
        pairs = self.similarity.near[id]
        for other, score in pairs.items():
            if self._keys[other] < key:
                label = self._placed[other]
                sums[label] = sums.get(label, 0) + score
        if unit[0] != id:
            label = self._placed[unit[0]]
            return label, sums.get(label, 0)
        if not sums:
            return id, 0
        thresholds = self._thresholds_of(id)
        minimum = _minimum_sum(thresholds)
        best_fit, best = 1.0, id
        for label, total in sums.items():
            if total < minimum:
                continue
            members = self._members[label]
            size, mass = bisect_left(members, key), self._mass_of(label)
            if size < len(members):
                mass -= sum(map(_mass, members[size:]))
            fit = _fit(total, size, mass, thresholds)
            if fit > best_fit or (fit == best_fit > 1 and label < best):
                if name and any(self._bond_of(m).name not in ("", name) for _, m, _ in members[:size]):
                    continue
                best_fit, best = fit, label
        return best, sums.get(best, 0)

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
            own_mass = len(unit) * UNIT
            for member in unit:
                for other, score in self.similarity.near[member].items():
                    if other in unit:
                        own_mass += score
                    else:
                        label = self._placed[other]
                        sums[label] = sums.get(label, 0) + score
            thresholds = self._thresholds_of(id)
            minimum = _minimum_sum(thresholds) * len(unit)
            best_fit, best = 1.0, ""
            for label, total in sums.items():
                if total < minimum:
                    continue
                size, mass = len(self._members[label]), self._mass_of(label)
                if label == own_label:
                    size -= len(unit)
                    mass -= own_mass + 2 * total
                fit = _fit(total / len(unit), size, mass, thresholds)
                if fit > best_fit or (fit == best_fit > 1 and label < best):
                    best_fit, best = fit, label
            self._settle_in(unit, best)


def _mass(member: _Member) -> int:
    """What a member adds to the sum of all similarities between the members of its story."""
    return UNIT + 2 * member[2]


def _crowding(count: int) -> float:
    """How crowded a number of articles within reach is: 0 to 1, rounded to hundredths."""
    low, high = map(math.log, CROWD)
    return round(min(1.0, max(0.0, (math.log(max(1, count)) - low) / (high - low))), 2)


def _scarcity(paired: int, count: int) -> int:
    """How scarce articles with a story are if `paired` of `count` articles probably have one, in `PAIRED_STEPS`."""
    count_prior, paired_prior = PAIRED_PRIOR
    least, greatest = PAIRED_SHARE
    share = (paired + paired_prior) / (count + count_prior) * min(1.0, count / FEW) ** 2
    return round(PAIRED_STEPS * math.log2(greatest / min(greatest, max(least, share))))


def _sums(values: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sums of the first 0, 1, 2, … pairs."""
    sums = [(0, 0)]
    for paired, count in values:
        sums.append((sums[-1][0] + paired, sums[-1][1] + count))
    return sums


def _difference(sums: list[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    return sums[end][0] - sums[start][0], sums[end][1] - sums[start][1]


def _thresholds(crowding: float, scarcity: int, *, title_only: bool) -> tuple[float, float]:
    """The fit that an article needs to join a story of one or two members, and a larger one."""
    low = THRESHOLD[0] * 2 ** (scarcity / PAIRED_STEPS * PAIRED_POWER)
    small = low + (max(low, SMALL_STORY_THRESHOLD) - low) * crowding
    large = low + (max(low, THRESHOLD[1]) - low) * crowding
    if title_only:
        small, large = max(small, TITLE_THRESHOLDS[0]), max(large, TITLE_THRESHOLDS[1])
    return small, large


def _minimum_sum(thresholds: tuple[float, float]) -> float:
    """A sum of similarities below which nothing fits a story of any size; slightly reduced, because `_fit` rounds."""
    return float(UNIT * min(thresholds) * (GROWTH_FROM / GROWTH_TO) ** GROWTH * 0.999)


def _fit(total: float, size: int, mass: int, thresholds: tuple[float, float]) -> float:
    """The fit to a story of `size` members, from the sum of the similarities to them; above 1 is enough to join.

    `mass` is the sum of all similarities between the members, each to itself among them.
    """
    threshold = thresholds[0 if size < 3 else 1]
    if size > GROWTH_FROM:
        threshold *= (GROWTH_FROM / min(size, GROWTH_TO)) ** GROWTH
    # The mean, or the cosine to the sum of the members.
    divisor = UNIT * size if size < CENTROID_FROM else math.sqrt(mass * UNIT)
    return round(total / divisor / threshold, 6)

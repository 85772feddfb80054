"""Articles in, stories out: who tells of the same event, and on what evidence.

Joined are files that share a canonical URL, that declare each other, or that name the same `story`; files that name
different stories are kept apart whatever else speaks for them. What a file declares and what has no file belongs to the
file's story, or makes one with it. A one-way entry never merges two files' stories: `related` lists mix the same event
with the same subject, and go stale.

Then words join what nobody declared. Files come in the order of their time; each joins the story it is most like, or
begins one. How like: the mean of its similarity to the story's members, those at other times included as 0, so that no
chain of lookalikes can form; for a large story times (members / 5)^0.45. Once all are placed, each may move to a story
it is more like. The numbers were chosen on labelled collections of news in English, mostly on their first halves by
time, and with an eye on an unlabelled stream of 1,200 articles a day.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from newsgen import canonical, ranking, similarity
from newsgen.model import About, Article, Coverage, Evidence, Member, Related, Story
from newsgen.similarity import Neighbours

Kind = Literal["same address", "mutual", "editor", "similar"]


LIKE = (0.105, 0.17)
"""How alike is enough: where up to `CROWD[0]` articles are within reach, and where `CROWD[1]` or more are.

The more there are, the more are alike by chance. In between, the logarithm of their number counts.
"""

CROWD = (100, 2000)

SOLE = 3
"""A single shared word joins nothing to a story of fewer members."""

LARGE = (5, 100)
"""A story of more members than the first is told in more words than one text holds; after the second no more so."""

_GROWTH = 0.45


class Clusters(NamedTuple):
    """What `cluster` found: stories by age, all coverage without a file, and what each article's entries lead to.

    `coverage` holds each piece once, also where two stories have it as a member, and never a folded one. `targets` are
    the ids of files and of coverage, by the id of the article that declares them, in its order.
    """

    stories: tuple[Story, ...]
    coverage: tuple[Coverage, ...]
    targets: Mapping[str, tuple[str, ...]]


def cluster(
    articles: Iterable[Article],
    *,
    clock: datetime,
    folded: Iterable[Article] = (),
    about: Mapping[str, About] | None = None,
    similar: bool = True,
) -> Clusters:
    """Groups published articles; the result depends on their values alone, not on their order.

    `folded` are held followers that may show as a line of a story with a published member. No coverage is dated after
    the `clock`. `about` are the editor's words on a story, by its name. `similar` is whether words join.
    """
    files = sorted(articles, key=lambda a: a.id)
    owners = _owners(files)
    coverage, targets = _coverage(files, owners, clock)
    union = _Union(files)
    for file in files:
        if file.story:
            union.join(union.named.setdefault(file.story, file.id), file.id, "editor")
    for key in sorted(owners):
        first, *others = owners[key]
        for other in others:
            union.join(first, other, "same address")
    for file in files:
        for other in targets[file.id]:
            if file.id < other and file.id in targets.get(other, ()):
                union.join(file.id, other, "mutual")
    if similar:
        _join_similar(files, union)
    lines = [_Line(a.id, coverage[id]) for a in files for id in targets[a.id] if id in coverage]
    lines += _followers(folded, owners, clock)
    return Clusters(_stories(files, union, lines, about or {}), tuple(coverage.values()), targets)


def _owners(files: list[Article]) -> dict[str, list[str]]:
    """Which files, by id and in their order, each canonical key leads to."""
    out: dict[str, list[str]] = {}
    for file in files:
        for key in file.keys:
            if canonical.joins(key):
                out.setdefault(key, []).append(file.id)
    return out


class _Union:
    """Disjoint sets of files, each with at most one `story` name (union by the smaller id, so order does not matter)."""

    def __init__(self, files: list[Article]) -> None:
        self._parent = {f.id: f.id for f in files}
        self._name = {f.id: f.story for f in files}
        self.named: dict[str, str] = {}
        self.evidence: dict[str, list[Evidence]] = {}

    def find(self, id: str) -> str:
        while self._parent[id] != id:
            self._parent[id] = self._parent[self._parent[id]]
            id = self._parent[id]
        return id

    def join(self, one: str, other: str, kind: Kind, score: float = 0.0) -> None:
        """Makes one set of two files' sets, unless an editor keeps them apart."""
        if one != other and self.unite(one, other):
            self.evidence.setdefault(one, []).append(Evidence(member=other, other=one, kind=kind, score=score))

    def unite(self, one: str, other: str) -> bool:
        """The same without a reason; says whether it was done."""
        a, b = sorted((self.find(one), self.find(other)))
        names = {self._name[a], self._name[b]} - {""}
        if len(names) > 1:
            return False
        if a != b:
            self._parent[b] = a
            self._name[a] = next(iter(names), "")
        return True

    def name(self, id: str) -> str:
        """The story that an editor put a file's set into, "" where none."""
        return self._name[self.find(id)]


def _join_similar(files: list[Article], union: _Union) -> None:
    """Joins what words alone put into one story."""
    order = sorted(files, key=lambda a: (a.published, a.id))
    near = similarity.neighbours(order)
    first: dict[str, int] = {}
    units = [first.setdefault(union.find(a.id), place) for place, a in enumerate(order)]
    names = {unit: union.name(order[unit].id) for unit in first.values()}
    enough = _enough([a.published.timestamp() for a in order])
    labels = _settle(_place(near, units, names, enough), near, units, names, enough)
    likest: dict[int, tuple[float, int]] = {}
    for place, (others, scores, _) in enumerate(near):
        for other, score in zip(others, scores, strict=True):
            if labels[place] == labels[other] and units[place] != units[other]:
                for one, two in ((place, other), (other, place)):
                    likest[one] = max(likest.get(one, (0.0, 0)), (score, -two))
    begun: dict[int, str] = {}
    for place, label in enumerate(labels):
        id = order[place].id
        if place in likest:
            score, other = likest[place]
            union.join(order[-other].id, id, "similar", score)
        union.unite(begun.setdefault(label, id), id)


def _enough(moments: Sequence[float]) -> list[float]:
    """For each of some moments in their order, in seconds, how alike is enough there."""
    low, high = map(math.log, CROWD)
    reach = similarity.REACH.total_seconds()
    out = []
    for moment in moments:
        crowd = bisect_right(moments, moment + reach) - bisect_left(moments, moment - reach)
        part = min(1.0, max(0.0, (math.log(crowd) - low) / (high - low)))
        out.append(round(LIKE[0] + (LIKE[1] - LIKE[0]) * part, 6))
    return out


def _likeness(total: float, members: int) -> float:
    """How like a story something is, from the sum of its similarities to the story's members."""
    small, large = LARGE
    growth = (min(members, large) / small) ** _GROWTH if members > small else 1.0
    return round(total / members * growth, 6)


def _place(
    near: Sequence[Neighbours], units: Sequence[int], names: Mapping[int, str], enough: Sequence[float]
) -> list[int]:
    """A label for each file: those of one story have the same, the place of the story's first file.

    `units` are the places of the first files of the sets that stay together.
    """
    labels: list[int] = []
    sizes = [0] * len(units)
    named = dict(names)
    for place, (others, scores, words) in enumerate(near):
        unit = units[place]
        label = labels[unit] if unit != place else place
        if unit == place:
            sums: dict[int, float] = {}
            for other, score, shared in zip(others, scores, words, strict=True):
                story = labels[other]
                if shared > 1 or sizes[story] >= SOLE:
                    sums[story] = sums.get(story, 0.0) + score
            best = enough[place]
            for story in sorted(sums):
                if names[unit] and named[story] and names[unit] != named[story]:
                    continue
                likeness = _likeness(sums[story], sizes[story])
                if likeness > best:
                    best, label = likeness, story
            named[label] = named[label] or names[unit]
        labels.append(label)
        sizes[label] += 1
    return labels


def _settle(
    labels: Sequence[int],
    near: Sequence[Neighbours],
    units: Sequence[int],
    names: Mapping[int, str],
    enough: Sequence[float],
) -> list[int]:
    """The labels once each unit has moved to the story it is most like, all at once; what an editor named stays."""
    sizes = Counter(labels)
    weight = Counter(units)
    sums: dict[int, dict[int, float]] = {unit: {} for unit in weight}
    for place, row in enumerate(near):
        for other, score, shared in zip(*row, strict=True):
            if units[other] == units[place]:
                continue
            for one, two in ((place, other), (other, place)):
                story = labels[two]
                if shared > 1 or sizes[story] >= SOLE:
                    found = sums[units[one]]
                    found[story] = found.get(story, 0.0) + score
    moved: dict[int, int] = {}
    for unit, found in sums.items():
        best, moved[unit] = enough[unit], len(units) + unit
        for story in sorted(found):
            members = sizes[story] - (weight[unit] if labels[unit] == story else 0)
            likeness = _likeness(found[story] / weight[unit], members) if members else 0.0
            if likeness > best:
                best, moved[unit] = likeness, story
        if names[unit]:
            moved[unit] = labels[unit]
    return [moved[unit] for unit in units]


class _Line(NamedTuple):
    """A piece without a file, and the file whose story it belongs to."""

    owner: str
    piece: Coverage


def _coverage(
    files: list[Article], owners: Mapping[str, list[str]], clock: datetime
) -> tuple[dict[str, Coverage], dict[str, tuple[str, ...]]]:
    """Each declared piece without a file, by id and with the facts of its earliest declarer; and the targets."""
    names: dict[str, str] = {}
    coverage: dict[str, Coverage] = {}
    targets = {}
    for file in sorted(files, key=lambda a: (a.published, a.id)):
        found = []
        for entry in file.related:
            id = next((owners[k][0] for k in entry.keys if k in owners), "")
            if not id:
                id = next((names[k] for k in entry.keys if k in names), entry.keys[0])
                names |= dict.fromkeys(entry.keys, id)
                if id not in coverage:
                    coverage[id] = _piece(id, entry, file, clock)
            if id != file.id:
                found.append(id)
        targets[file.id] = tuple(dict.fromkeys(found))
    return coverage, targets


def _piece(id: str, entry: Related, file: Article, clock: datetime) -> Coverage:
    return Coverage(
        id=id,
        title=entry.title,
        excerpt=entry.excerpt,
        published=min(entry.published or file.published, clock),
        url=entry.url,
        provider=entry.provider,
        provider_name=entry.provider_name,
        category=file.category,
        topics=file.topics,
        type=entry.type,
        quality=entry.quality,
        image=entry.image,
        lang="",
        dir="",
    )


def _followers(folded: Iterable[Article], owners: Mapping[str, list[str]], clock: datetime) -> list[_Line]:
    """Each held follower as a line of the one story it names first, by its address or its related entries."""
    out = []
    for file in sorted(folded, key=lambda a: a.id):
        keys = (*file.keys, *(k for entry in file.related for k in entry.keys))
        owner = next((owners[k][0] for k in keys if k in owners), None)
        if owner is None or not file.url:
            continue
        piece = Coverage(
            id=file.keys[0], title=file.title, excerpt=file.excerpt, published=min(file.published, clock), url=file.url,
            provider=file.provider, provider_name=file.provider_name, category=file.category, topics=file.topics,
            type=file.type, quality=file.quality, image=file.image, lang=file.lang, dir=file.dir, folded=True,
        )  # fmt: skip
        out.append(_Line(owner, piece))
    return out


def _stories(files: list[Article], union: _Union, lines: list[_Line], about: Mapping[str, About]) -> tuple[Story, ...]:
    groups: dict[str, list[Article]] = {}
    for file in files:
        groups.setdefault(union.find(file.id), []).append(file)
    declared: dict[str, list[_Line]] = {}
    for line in lines:
        declared.setdefault(union.find(line.owner), []).append(line)
    out = []
    for root, group in groups.items():
        pieces = {line.piece.id: line.piece for line in declared.get(root, ())}
        if len(group) + len(pieces) < 2:
            continue
        members: list[Member] = sorted([*group, *pieces.values()], key=lambda m: (m.published, m.id))
        evidence = [e for f in group for e in union.evidence.get(f.id, ())]
        evidence += [Evidence(member=x.piece.id, other=x.owner, kind="declared") for x in declared.get(root, ())]
        name = next((f.story for f in group if f.story), "")
        lead = about[name].lead if name in about else ""
        out.append(
            Story(
                id=next(m.id for m in members if isinstance(m, Article)),
                name=name,
                lead=ranking.lead([m for m in members if isinstance(m, Article) or not m.folded], lead),
                members=tuple(members),
                evidence=tuple(sorted(evidence, key=lambda e: (e.member, e.other, e.kind))),
                providers=tuple(sorted({m.provider for m in members})),
            )
        )
    return tuple(sorted(out, key=lambda s: (s.first.published, s.id)))

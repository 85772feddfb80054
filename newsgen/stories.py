"""Articles in, stories out: who tells of the same event, and on what evidence.

Joined are files that share a canonical URL, that declare each other, or that name the same `story`; files that name
different stories are kept apart whatever else speaks for them. What a file declares and what has no file belongs to the
file's story, or makes one with it. A one-way entry never merges two files' stories: `related` lists mix the same event
with the same subject, and go stale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from newsgen import canonical, ranking
from newsgen.model import About, Article, Coverage, Evidence, Member, Related, Story


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
) -> Clusters:
    """Groups published articles; the result depends on their values alone, not on their order.

    `folded` are held followers that may show as a line of a story with a published member. No coverage is dated after
    the `clock`. `about` are the editor's words on a story, by its name.
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

    def join(self, one: str, other: str, kind: str) -> None:
        a, b = sorted((self.find(one), self.find(other)))
        names = {self._name[a], self._name[b]} - {""}
        if one == other or len(names) > 1:
            return
        if a != b:
            self._parent[b] = a
            self._name[a] = next(iter(names), "")
        self.evidence.setdefault(one, []).append(Evidence(member=other, other=one, kind=kind))  # type: ignore[arg-type]


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

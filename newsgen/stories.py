"""Articles in, stories out: who tells of the same event, and on what evidence.

Joined are files that share a canonical URL, that declare each other, or that name the same `story`; files that name
different stories are kept apart whatever else speaks for them. What a file declares and what has no file belongs to the
file's story, or makes one with it. A one-way entry never merges two files' stories: `related` lists mix the same event
with the same subject, and go stale.

Then words join what nobody declared (see `grouping`).
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from newsgen import canonical, ranking
from newsgen.days import Fetch, LostError
from newsgen.grouping import BESIDE, Grouping, Told
from newsgen.model import About, Article, Coverage, Evidence, Member, Rejected, Related, Story

ELSEWHERE = "~//"
"""Begins the id of coverage, which goes on with its canonical key.

No file's path has an empty step: `news.md` may be a file here, and a site in Moldova. And of one time files come first.
"""

HELD = "~///"
"""Begins the id of a held follower, which goes on with its file's; no canonical key begins with a slash."""

Kind = Literal["same address", "mutual", "editor"]
Reason = Literal["one side", "editor", "elsewhere", "unlike"]


class Clusters(NamedTuple):
    """What `cluster` found: stories by age, all coverage without a file, and what articles' entries lead to.

    `coverage` holds each piece once, also where two stories have it as a member, and never a folded one. `targets` are
    the ids of files and of coverage, by the id of the article that declares them, in its order.
    """

    stories: tuple[Story, ...]
    coverage: tuple[Coverage, ...]
    targets: Mapping[str, tuple[str, ...]]


class Clusterer:
    """Clusters again and again, each time at the cost of what has changed, and always as if for the first time.

    Without `again` it keeps nothing that is of use to a second time alone.
    """

    def __init__(self, *, again: bool = True) -> None:
        self.grouping = Grouping()
        self._again = again
        self._known: dict[str, tuple[_Parts, Story]] = {}
        self._declared: tuple[object, _Declared] | None = None

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """What has changed since it was loaded, by the names to keep it under."""
        return self.grouping.dump()

    def load(self, fetch: Fetch) -> None:
        """Goes on from what another kept with `dump`, or from nothing where that is lost."""
        try:
            self.grouping.load(fetch)
        except (LostError, LookupError):
            self.grouping = Grouping()

    def cluster(
        self,
        articles: Iterable[Article],
        *,
        clock: datetime,
        folded: Iterable[Article] = (),
        about: Mapping[str, About] | None = None,
        similar: bool = True,
    ) -> Clusters:
        """Groups published articles; the result depends on their values alone, not on their order.

        `folded` are held followers that may show as a line of a story with a published member. No coverage is dated
        after the `clock`. `about` are the editor's words on a story, by its name. `similar` is whether words join.
        """
        # Nothing here is a cycle, and the collector would look through all of it again and again.
        collecting = gc.isenabled()
        gc.disable()
        given = (list(articles), clock, list(folded), about or {}, similar)
        try:
            return self._cluster(*given)
        except LostError:
            self.grouping = Grouping()
            return self._cluster(*given)
        finally:
            if collecting:
                gc.enable()

    def _cluster(
        self,
        articles: Iterable[Article],
        clock: datetime,
        folded: Iterable[Article],
        about: Mapping[str, About],
        similar: bool,
    ) -> Clusters:
        files = {a.id: a for a in sorted(articles, key=attrgetter("id"))}
        owners, coverage, targets, union = self._said(files, clock)
        # Files at one address are one text, and the first speaks for it: a live page has a headline for everything.
        silent = {other for first, other in owners.pairs if union.find(first) == union.find(other)}
        if similar:
            speaking = {id: file for id, file in files.items() if id not in silent}
            sets = ([id for id in found if id not in silent] for found in union.sets())
            for group in self.grouping.update(speaking, sets, union.names()):
                for id in group:
                    union.unite(group[0], id)
        lines = [_Line(id, coverage[other], other) for id in targets for other in targets[id] if other in coverage]
        lines += _followers(folded, owners.first, clock)
        known, self._known = self._known, {}
        found = []
        for parts in _parts(files, union, lines, about, targets, silent, self.grouping):
            first = parts.files[0].id
            before, story = known.get(first, (None, None))
            if story is None or before != parts:
                story = _story(parts)
            self._known[first] = (parts, story)
            found.append(story)
        stories = tuple(sorted(found, key=lambda s: (s.first.published, s.id)))
        return Clusters(stories, tuple(coverage.values()), targets)

    def _said(self, files: dict[str, Article], clock: datetime) -> _Declared:
        """What files declare: of before, where none declares anything else, as most edits are of something else."""
        kept = self._declared
        facts = (
            clock,
            [(a.id, a.keys, a.related, a.published, a.category, a.topics, a.story) for a in files.values()]
            if self._again
            else [],
        )
        if kept is None or kept[0] != facts:
            owners = _owners(files.values())
            coverage, targets = _coverage(files.values(), owners.first, clock)
            found = _Declared(owners, coverage, targets, _declared(files, owners.pairs, targets))
            if not self._again:
                return found
            kept = self._declared = facts, found
        return kept[1]._replace(union=kept[1].union.copy())


def cluster(articles: Iterable[Article], **given: Any) -> Clusters:
    """Clusters once."""
    return Clusterer().cluster(articles, **given)


class _Owners(NamedTuple):
    """Which file each canonical key leads to, the first by id; and the pairs of files that have one key."""

    first: dict[str, str]
    pairs: list[tuple[str, str]]


def _owners(files: Iterable[Article]) -> _Owners:
    first: dict[str, str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for file in files:
        for key in file.keys:
            if canonical.joins(key):
                one = first.setdefault(key, file.id)
                if one != file.id:
                    pairs[one, file.id] = None
    return _Owners(first, list(pairs))


class _Declared(NamedTuple):
    """What files say of each other, before words are looked at."""

    owners: _Owners
    coverage: dict[str, Coverage]
    targets: dict[str, tuple[str, ...]]
    union: _Union


class _Union:
    """Disjoint sets of files, each with at most one `story` name (union by the smaller id, so order does not matter)."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._parent: dict[str, str] = {}
        self._names = dict(names)
        self.evidence: dict[str, list[Evidence]] = {}

    def copy(self) -> _Union:
        """Another with the same sets, and the same evidence, to which only `unite` is done."""
        other = _Union(self._names)
        other._parent = self._parent.copy()
        other.evidence = self.evidence
        return other

    def find(self, id: str) -> str:
        """What a file's set is called: the smallest of its ids."""
        parent = self._parent
        while (above := parent.get(id, id)) != id:
            parent[id] = parent[above]
            id = above
        return id

    def join(self, one: str, other: str, kind: Kind) -> None:
        """Makes one set of two files' sets, unless an editor keeps them apart."""
        if one != other and self.unite(one, other):
            self.evidence.setdefault(one, []).append(Evidence(member=other, other=one, kind=kind))

    def unite(self, one: str, other: str) -> bool:
        """The same without a reason; says whether it was done."""
        a, b = self.find(one), self.find(other)
        if b < a:
            a, b = b, a
        if self._names:
            name, other = self._names.get(a, ""), self._names.get(b, "")
            if name and other and name != other:
                return False
            if name or other:
                self._names[a] = name or other
        self._parent[a] = self._parent[b] = a
        return True

    def sets(self) -> list[list[str]]:
        """The sets of two and more."""
        out: dict[str, list[str]] = {}
        for id in self._parent:
            out.setdefault(self.find(id), []).append(id)
        return [found for found in out.values() if len(found) > 1]

    def roots(self) -> dict[str, str]:
        """What the sets of two and more are called, by the ids in them."""
        return {id: self.find(id) for id in self._parent}

    def name(self, id: str) -> str:
        """The story that an editor put a file's set into, "" where none."""
        return self._names.get(self.find(id), "")

    def names(self) -> dict[str, str]:
        """The stories that an editor put files into, with those they stay together with."""
        if not self._names:
            return {}
        return {id: name for id in (*self._names, *self._parent) if (name := self.name(id))}


def _declared(
    files: Mapping[str, Article], pairs: Iterable[tuple[str, str]], targets: Mapping[str, tuple[str, ...]]
) -> _Union:
    """Joins what editors, addresses and files that declare each other join."""
    named = {id: file.story for id, file in files.items() if file.story}
    union = _Union(named)
    first: dict[str, str] = {}
    for id, name in named.items():
        union.join(first.setdefault(name, id), id, "editor")
    for one, other in pairs:
        union.join(one, other, "same address")
    # Whoever names one of the files at an address names them all.
    roots = union.roots()
    root = roots.get
    said: Mapping[str, Collection[str]] = targets
    if roots:
        sets: dict[str, set[str]] = {}
        for id, others in targets.items():
            sets.setdefault(root(id, id), set()).update([root(other, other) for other in others])
        said = sets
    mutual: dict[tuple[str, str], tuple[str, str]] = {}
    for id, others in targets.items():
        one = root(id, id)
        for other in others:
            two = root(other, other)
            if one < two and one in said.get(two, ()):
                mutual.setdefault((one, two), (id, other))
    for id, other in mutual.values():
        union.join(min(id, other), max(id, other), "mutual")
    return union


class _Line(NamedTuple):
    """A piece without a file that is published, and the file whose story it belongs to; a story has one of each `key`."""

    owner: str
    piece: Coverage
    key: str


def _coverage(
    files: Iterable[Article], owners: Mapping[str, str], clock: datetime
) -> tuple[dict[str, Coverage], dict[str, tuple[str, ...]]]:
    """Each declared piece without a file, by id and with the facts of its earliest declarer; and the targets.

    Only articles that declare anything have targets.
    """
    names: dict[str, str] = {}
    coverage: dict[str, Coverage] = {}
    targets = {}

    def piece(entry: Related, file: Article) -> str:
        for key in entry.keys:
            if id := owners.get(key):
                return id
        id = next((names[k] for k in entry.keys if k in names), ELSEWHERE + entry.keys[0])
        names.update(dict.fromkeys(entry.keys, id))
        if id not in coverage:
            coverage[id] = _piece(id, entry, file, clock)
        return id

    for file in sorted((f for f in files if f.related.keys), key=lambda a: (a.published, a.id)):
        found = [owners.get(key, "") for key in file.related.keys]
        if "" in found:
            found = [id or piece(entry, file) for id, entry in zip(found, file.related, strict=True)]
        others = dict.fromkeys(found)
        others.pop(file.id, None)
        targets[file.id] = tuple(others)
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


def _followers(folded: Iterable[Article], owners: Mapping[str, str], clock: datetime) -> list[_Line]:
    """Each held follower as a line of the one story it names first, by its address or its related entries."""
    out = []
    for file in sorted(folded, key=lambda a: a.id):
        keys = (*file.keys, *(k for entry in file.related for k in entry.keys))
        owner = next((owners[k] for k in keys if k in owners), None)
        if owner is None or not file.url:
            continue
        piece = Coverage(
            id=HELD + file.id, title=file.title, excerpt=file.excerpt, published=min(file.published, clock), url=file.url,
            provider=file.provider, provider_name=file.provider_name, category=file.category, topics=file.topics,
            type=file.type, quality=file.quality, image=file.image, lang=file.lang, dir=file.dir, folded=True,
        )  # fmt: skip
        out.append(_Line(owner, piece, ELSEWHERE + file.keys[0]))
    return out


class _Parts(NamedTuple):
    """All that a story is made of.

    Its files and other pieces, its name and lead as an editor says, what joined the files, what one side alone joins to
    them, what words say, and how an editor calls the stories of what came near by words.
    """

    files: tuple[Article, ...]
    lines: tuple[_Line, ...]
    name: str
    lead: str
    evidence: tuple[Evidence, ...]
    one_sided: tuple[Rejected, ...]
    told: Told
    others: tuple[str, ...]


def _parts(
    files: Mapping[str, Article],
    union: _Union,
    lines: list[_Line],
    about: Mapping[str, About],
    targets: Mapping[str, tuple[str, ...]],
    silent: Collection[str],
    grouping: Grouping,
) -> Iterator[_Parts]:
    """The parts of each story, in no order."""
    groups = {union.find(ids[0]): sorted(ids) for ids in union.sets()}
    pieces: dict[str, list[_Line]] = {}
    for line in lines:
        root = union.find(line.owner)
        pieces.setdefault(root, []).append(line)
        groups.setdefault(root, [line.owner])
    one_sided: dict[str, list[Rejected]] = {}
    roots = union.roots()
    for id, others in targets.items():
        own = roots.get(id, id)
        for other in others:
            theirs = roots.get(other, other)
            if theirs != own and other in files:
                one_sided.setdefault(own, []).append(Rejected(id=other, other=id, reason="one side"))
                one_sided.setdefault(theirs, []).append(Rejected(id=id, other=other, reason="one side"))
    for root, ids in groups.items():
        name = union.name(root)
        told = grouping.told(tuple([id for id in ids if id not in silent]))
        yield _Parts(
            files=tuple([files[id] for id in ids]),
            lines=tuple(pieces.get(root, ())),
            name=name,
            lead=about[name].lead if name in about else "",
            evidence=tuple([e for id in ids for e in union.evidence.get(id, ())]),
            one_sided=tuple(one_sided.get(root, ())),
            told=told,
            others=tuple([union.name(c.id) for c in told.beside]) if name else (),
        )


def _story(parts: _Parts) -> Story:
    pieces = {line.key: line.piece for line in parts.lines}
    members: list[Member] = sorted([*parts.files, *pieces.values()], key=lambda m: (m.published, m.id))
    evidence = [*parts.evidence]
    evidence += [Evidence(member=pieces[line.key].id, other=line.owner, kind="declared") for line in parts.lines]
    evidence += [Evidence(member=t.id, other=t.other, kind="similar", score=t.score) for t in parts.told.ties]
    rejected = {r.id: r for r in parts.one_sided}
    for at, near in enumerate(parts.told.beside):
        apart = bool(parts.others and parts.others[at] not in ("", parts.name))
        reason: Reason = "editor" if apart else "elsewhere" if near.fit > 1 else "unlike"
        found = Rejected(id=near.id, other=near.other, reason=reason, score=near.score, fit=near.fit)
        rejected.setdefault(near.id, found)
    return Story(
        id=next(m.id for m in members if isinstance(m, Article)),
        name=parts.name,
        lead=ranking.lead([m for m in members if isinstance(m, Article) or not m.folded], parts.lead),
        members=tuple(members),
        evidence=tuple(sorted(evidence, key=lambda e: (e.member, e.other, e.kind))),
        rejected=tuple(rejected.values())[:BESIDE],
        providers=tuple(sorted({m.provider for m in members})),
        sources=ranking.sources(members),
    )

"""What files say of each other: that they share an address, that each names the other, that they are one story; and what
they name that has no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from newsgen import canonical
from newsgen.model import Article, Coverage, Evidence, Related, by_time

COVERAGE_PREFIX = "~//"
"""Begins the id of coverage, which goes on with its canonical key.

No file's path has an empty step: `news.md` may be a file here, and a site in Moldova.
"""

HELD = "~///"
"""Begins the id of a held follower, which goes on with its file's; no canonical key begins with a slash."""

Kind = Literal["same address", "mutual", "editor"]


class Declarations(NamedTuple):
    """What files say of each other, before words are looked at.

    `owners` are whom addresses belong to, `coverage` is what has no file, by id, `targets` what each article's entries lead
    to, by its id, `union` which files are together.
    """

    owners: Owners
    coverage: dict[str, Coverage]
    targets: dict[str, tuple[str, ...]]
    union: Union

    @classmethod
    def of(cls, files: Mapping[str, Article], clock: datetime) -> Declarations:
        """What files, given by id, declare. No coverage is dated after the `clock`."""
        owners = _owners(files.values())
        coverage, targets = _coverage(files.values(), owners.first, clock)
        return cls(owners, coverage, targets, _joined(files, owners.pairs, targets))


class Line(NamedTuple):
    """A piece whose file, if it has one, is not published; and the file whose story it belongs to.

    A story has one piece of each `key`: what is declared before a held follower.
    """

    owner: str
    piece: Coverage
    key: str


def followers(folded: Iterable[Article], owners: Mapping[str, str], clock: datetime) -> list[Line]:
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
        out.append(Line(owner, piece, COVERAGE_PREFIX + file.keys[0] if file.keys else piece.id))
    return out


class Owners(NamedTuple):
    """Which file each canonical key leads to, the first by id; and the pairs of files that have one key."""

    first: dict[str, str]
    pairs: list[tuple[str, str]]


def _owners(files: Iterable[Article]) -> Owners:
    first: dict[str, str] = {}
    pairs: dict[tuple[str, str], None] = {}
    for file in files:
        for key in file.keys:
            if canonical.joins(key):
                one = first.setdefault(key, file.id)
                if one != file.id:
                    pairs[one, file.id] = None
    return Owners(first, list(pairs))


class Union:
    """Disjoint sets of files, each with at most one `story` name (union by the smaller id, so order does not matter)."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._parent: dict[str, str] = {}
        self._names = dict(names)
        self.evidence: dict[str, list[Evidence]] = {}

    def copy(self) -> Union:
        """Another with the same sets, and the same evidence, to which only `unite` is done."""
        other = Union(self._names)
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


def _joined(
    files: Mapping[str, Article], pairs: Iterable[tuple[str, str]], targets: Mapping[str, tuple[str, ...]]
) -> Union:
    """Joins what editors, addresses and files that declare each other join."""
    named = {id: file.story for id, file in files.items() if file.story}
    union = Union(named)
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
        id = next((names[k] for k in entry.keys if k in names), COVERAGE_PREFIX + entry.keys[0])
        names.update(dict.fromkeys(entry.keys, id))
        if id not in coverage:
            coverage[id] = _piece(id, entry, file, clock)
        return id

    for file in sorted((f for f in files if f.related.keys), key=by_time):
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

"""Joins files by what they declare: shared addresses, mutual related entries and `story` names.

Also makes coverage from the related entries that have no file of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from newsgen import canonical
from newsgen.model import Article, Coverage, Evidence, Related, by_time

COVERAGE_PREFIX = "~//"
"""The id of coverage is this prefix and its canonical key.

A file's path never contains an empty segment, so the id cannot be a file's. Without the prefix it could: `news.md` may
be a file and the canonical key of a site in Moldova.
"""

FOLLOWER_PREFIX = "~///"
"""The id of a shown follower is this prefix and the id of its file; no canonical key begins with a slash."""

Kind = Literal["same address", "mutual", "editor"]


class Declarations(NamedTuple):
    """What files declare.

    `owners` are the files that canonical keys belong to. `coverage` is by id. `targets` maps the id of an article that
    is not hidden to the ids of the files and coverage that its related entries lead to. `union` holds the sets of files
    that are joined.
    """

    owners: Owners
    coverage: dict[str, Coverage]
    targets: dict[str, tuple[str, ...]]
    union: UnionFind

    @classmethod
    def of(cls, files: Mapping[str, Article], hidden: Collection[str], clock: datetime) -> Declarations:
        """What these files declare; `files` is by id. Coverage with a date after the content clock is dated to it.

        Entries of `hidden` files make no coverage, but can still join their files to others.
        """
        owners = _owners(files.values())
        coverage, targets = _coverage((f for f in files.values() if f.id not in hidden), owners.by_key, clock)
        declared = targets
        if hidden:
            declared = targets | {id: _owned(files[id], owners.by_key) for id in hidden}
        return cls(owners, coverage, targets, _join_files(files, owners.duplicates, declared))


class Attachment(NamedTuple):
    """Coverage, and the file to whose story it belongs.

    A story has one member per `key`: declared coverage takes precedence over a follower.
    """

    file_id: str
    coverage: Coverage
    key: str


def attach_followers(
    followers: Iterable[Article], owner_of_key: Mapping[str, str], clock: datetime
) -> list[Attachment]:
    """Attaches each follower to a published file: the owner of its address, or else of one of its related entries.

    The first entry with an owner counts. Followers without an owner or without a URL are left out.
    """
    attachments = []
    for file in sorted(followers, key=lambda a: a.id):
        keys = (*file.keys, *(k for entry in file.related for k in entry.keys))
        owner = next((owner_of_key[k] for k in keys if k in owner_of_key), None)
        if owner is None or not file.url:
            continue
        coverage = Coverage(
            id=FOLLOWER_PREFIX + file.id, title=file.title, excerpt=file.excerpt,
            published=min(file.published, clock), all_day=file.all_day or file.published > clock,
            url=file.url, provider=file.provider, provider_name=file.provider_name, category=file.category,
            topics=file.topics, type=file.type, quality=file.quality, image=file.image, lang=file.lang, dir=file.dir, folded=True,
        )  # fmt: skip
        attachments.append(Attachment(owner, coverage, COVERAGE_PREFIX + file.keys[0] if file.keys else coverage.id))
    return attachments


class Owners(NamedTuple):
    """The owner of each canonical key: the first file, by id, that has it. Pairs of an owner and another such file."""

    by_key: dict[str, str]
    duplicates: list[tuple[str, str]]


def _owners(files: Iterable[Article]) -> Owners:
    by_key: dict[str, str] = {}
    duplicates: dict[tuple[str, str], None] = {}
    for file in files:
        for key in file.keys:
            if canonical.identifies_text(key):
                owner = by_key.setdefault(key, file.id)
                if owner != file.id:
                    duplicates[owner, file.id] = None
    return Owners(by_key, list(duplicates))


class UnionFind:
    """Disjoint sets of files, each with at most one `story` name.

    The smallest id of a set is its root, so the roots do not depend on the order of the unions.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._parent: dict[str, str] = {}
        self._names = dict(names)
        self.evidence: dict[str, list[Evidence]] = {}

    def copy(self) -> UnionFind:
        """A copy of the sets. It shares the evidence, so only `unite` may be called on it."""
        other = UnionFind(self._names)
        other._parent = self._parent.copy()
        other.evidence = self.evidence
        return other

    def find(self, id: str) -> str:
        """The root of a file's set."""
        parent = self._parent
        while (above := parent.get(id, id)) != id:
            parent[id] = parent[above]
            id = above
        return id

    def join(self, one: str, other: str, kind: Kind) -> None:
        """Unites the sets of two files and records the evidence, unless their `story` names differ."""
        if one != other and self.unite(one, other):
            self.evidence.setdefault(one, []).append(Evidence(member=other, other=one, kind=kind))

    def unite(self, one: str, other: str) -> bool:
        """Unites the sets of two files. Returns False, and does nothing, if their `story` names differ."""
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
        """The sets with two or more files."""
        by_root: dict[str, list[str]] = {}
        for id in self._parent:
            by_root.setdefault(self.find(id), []).append(id)
        return [ids for ids in by_root.values() if len(ids) > 1]

    def roots(self) -> dict[str, str]:
        """The root of each file that was united with another."""
        return {id: self.find(id) for id in self._parent}

    def name(self, id: str) -> str:
        """The `story` name of a file's set, "" if it has none."""
        return self._names.get(self.find(id), "")

    def names(self) -> dict[str, str]:
        """The `story` names of all files that have one, themselves or through their set."""
        if not self._names:
            return {}
        return {id: name for id in (*self._names, *self._parent) if (name := self.name(id))}


def _join_files(
    files: Mapping[str, Article], duplicates: Iterable[tuple[str, str]], targets: Mapping[str, tuple[str, ...]]
) -> UnionFind:
    """Joins the files with the same `story`, then those with the same address, then those that list each other."""
    story_names = {id: file.story for id, file in files.items() if file.story}
    union = UnionFind(story_names)
    first_with_name: dict[str, str] = {}
    for id, name in story_names.items():
        union.join(first_with_name.setdefault(name, id), id, "editor")
    for one, other in duplicates:
        union.join(one, other, "same address")
    # A file that lists one of several files at an address lists them all.
    roots = union.roots()
    root = roots.get
    targets_by_root: Mapping[str, Collection[str]] = targets
    if roots:
        sets: dict[str, set[str]] = {}
        for id, others in targets.items():
            sets.setdefault(root(id, id), set()).update([root(other, other) for other in others])
        targets_by_root = sets
    mutual: dict[tuple[str, str], tuple[str, str]] = {}
    for id, others in targets.items():
        one = root(id, id)
        for other in others:
            two = root(other, other)
            if one < two and one in targets_by_root.get(two, ()):
                mutual.setdefault((one, two), (id, other))
    for id, other in mutual.values():
        union.join(min(id, other), max(id, other), "mutual")
    return union


def _coverage(
    files: Iterable[Article], owner_of_key: Mapping[str, str], clock: datetime
) -> tuple[dict[str, Coverage], dict[str, tuple[str, ...]]]:
    """All coverage by id, and the targets of each article that has related entries.

    Coverage that several files list takes its facts from the entry of the earliest of them.
    """
    id_of_key: dict[str, str] = {}
    coverage: dict[str, Coverage] = {}
    targets = {}

    def target(entry: Related, file: Article) -> str:
        for key in entry.keys:
            if id := owner_of_key.get(key):
                return id
        id = next((id_of_key[k] for k in entry.keys if k in id_of_key), COVERAGE_PREFIX + entry.keys[0])
        id_of_key.update(dict.fromkeys(entry.keys, id))
        if id not in coverage:
            coverage[id] = _from_entry(id, entry, file, clock)
        return id

    for file in sorted((f for f in files if f.related.keys), key=by_time):
        ids = [owner_of_key.get(key, "") for key in file.related.keys]
        if "" in ids:
            ids = [id or target(entry, file) for id, entry in zip(ids, file.related, strict=True)]
        others = dict.fromkeys(ids)
        others.pop(file.id, None)
        targets[file.id] = tuple(others)
    return coverage, targets


def _owned(file: Article, owner_of_key: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the other files that the related entries of a file lead to."""
    ids = dict.fromkeys(owner_of_key[key] for key in file.related.keys if key in owner_of_key)
    ids.pop(file.id, None)
    return tuple(ids)


def _from_entry(id: str, entry: Related, file: Article, clock: datetime) -> Coverage:
    published, all_day = (entry.published, entry.all_day) if entry.published else (file.published, file.all_day)
    return Coverage(
        id=id,
        title=entry.title,
        excerpt=entry.excerpt,
        published=min(published, clock),
        all_day=all_day or published > clock,  # the clock's time says nothing about this report
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

"""Joins files by what they declare: shared addresses, mutual related entries and `story` names.

Also makes coverage from the related entries that have no file of their own. Everything here is local: what a file
declares concerns only the files that share a canonical key or a `story` name with it, and in turn the files that share
one with those.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from sys import intern
from typing import Any, Literal, NamedTuple
from zlib import crc32

import msgspec

from newsgen import canonical
from newsgen.model import Article, Coverage, Evidence, Related
from newsgen.store import Store
from newsgen.stories.days import day_number
from newsgen.stories.grouping import Bond
from newsgen.stories.tables import MANY, HashTable, State

COVERAGE_PREFIX = "~//"
"""The id of coverage is this prefix and its canonical key.

A file's path never contains an empty segment, so the id cannot be a file's. Without the prefix it could: `news.md` may
be a file and the canonical key of a site in Moldova.
"""

FOLLOWER_PREFIX = "~///"
"""The id of a shown follower is this prefix and the id of its file; no canonical key begins with a slash."""

Kind = Literal["same address", "mutual", "editor"]


Role = Literal["shown", "hidden", "follower"]
"""The part of a file in stories. An expired file is hidden: it joins others, but is not shown. A follower joins none.
It is shown in the story of the file that owns its address or that of one of its related entries.
"""


class File(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a file that takes part.

    `keys` are its canonical keys and `entries` those of its related entries. `story` is the name that an editor gave.
    `facts` is a checksum of what its coverage is made of.
    """

    role: Role
    published: datetime
    keys: tuple[str, ...]
    entries: tuple[tuple[str, ...], ...]
    story: str
    facts: int

    @classmethod
    def of(cls, article: Article, role: Role) -> File:
        related = article.related
        facts = 0
        entries: tuple[tuple[str, ...], ...] = ()
        if related.keys:
            entries = tuple([entry.keys for entry in _decode_keys(related.packed)])
            facts = crc32(_encode((article.all_day, article.category, article.topics, role)), crc32(related.packed))
        return cls(role, article.published, article.keys, entries, article.story, facts)

    def declares_the_same(self, other: File) -> bool:
        """Whether the other differs at most in `facts`."""
        return (
            self.role == other.role
            and self.published == other.published
            and self.keys == other.keys
            and self.entries == other.entries
            and self.story == other.story
        )


class Place(msgspec.Struct, array_like=True):
    """What is found out about a file.

    `targets` are the ids of the files and coverage that its entries lead to, None if it has none or is not shown; for a
    follower, the file to which it is attached. `unit` is the id of the first of the files that declarations join with
    it, "" if it is alone, and `root` the same for its story. `name` is the `story` name of its unit. `compared`: its
    words count. Of the files with one address, only those of the first do.
    """

    targets: tuple[str, ...] | None = None
    unit: str = ""
    name: str = ""
    root: str = ""
    compared: bool = True


class _EntryKeys(msgspec.Struct, array_like=True):
    """The first field of a related entry."""

    keys: tuple[str, ...]


_decode_keys = msgspec.msgpack.Decoder(list[_EntryKeys]).decode
_encode = msgspec.msgpack.Encoder().encode


class Mentions(msgspec.Struct, array_like=True):
    """The ids of the files that have a canonical key as their own, and of those that have it in a related entry.

    Both are ascending. The first of `own` is the owner of the key.
    """

    own: list[str]
    entries: list[str]


class Unit(msgspec.Struct, array_like=True):
    """Files that declarations join, by id; those of them that are compared, by time; their `story` name and evidence."""

    ids: tuple[str, ...]
    compared: tuple[str, ...]
    name: str
    evidence: tuple[Evidence, ...]


class Covered(msgspec.Struct, array_like=True):
    """Coverage, and its time as the file gives it: coverage itself is never dated after the content clock."""

    coverage: Coverage
    published: datetime
    all_day: bool

    def at(self, clock: datetime) -> Covered:
        """The same, dated by this content clock."""
        coverage = msgspec.structs.replace(
            self.coverage,
            published=min(self.published, clock),
            all_day=self.all_day or self.published > clock,  # the clock's time says nothing about this report
        )
        return Covered(coverage, self.published, self.all_day)


class DeclarationsState(NamedTuple):
    """What `Declarations.restore` needs: that of the tables, the days with coverage or followers, the content clock."""

    tables: list[State]
    days: list[int]
    clock: datetime


class _Component(NamedTuple):
    """Keys that no file owns and that entries name together.

    `targets` is the id of the coverage to which each entry with such a key leads. An entry is given as the id of its
    file and its number there. `sources` are the entries from which coverage takes its facts, by its id.
    """

    keys: set[str]
    targets: dict[tuple[str, int], str]
    sources: dict[str, tuple[str, int]]


_NONE = Mentions([], [])
_NOWHERE = Place()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_BATCH = 500
"""The number of files after which memory is freed."""


class Declared(NamedTuple):
    """What an update changed in what files declare.

    `rebound` are the files that now stay together with other files, or have another `story` name; `renamed` are those
    with another name. `compared` holds the files whose `Place.compared` changed, with its new value. `targets` and
    `coverage` are what changed, with None for what is gone. `reached` are files whose story may differ.
    """

    rebound: set[str]
    renamed: set[str]
    compared: dict[str, bool]
    targets: dict[str, tuple[str, ...] | None]
    coverage: dict[str, Coverage | None]
    reached: set[str]


class Attachment(NamedTuple):
    """Coverage, and the file to whose story it belongs.

    A story has one member per `key`: declared coverage takes precedence over a follower.
    """

    file_id: str
    coverage: Coverage
    key: str


class Declarations:
    """What a changing set of files declares. The result never depends on the order of the changes.

    `files` holds all files by id, `places` what is found out about them, and `units` the files that belong together, by
    the id of the first. `article` returns the article of a file.
    """

    def __init__(self, store: Store, files: HashTable[File], article: Callable[[str], Article]) -> None:
        self.files = files
        self.places: HashTable[Place] = HashTable(store, "places", Place, default=_NOWHERE)
        self.units: HashTable[Unit] = HashTable(store, "declared", Unit)
        self._article = article
        self._mentions: HashTable[Mentions] = HashTable(store, "keys", Mentions, default=_NONE)
        # Not among the mentions, because most sites have no followers: then nothing is looked up.
        self._followers: HashTable[list[str]] = HashTable(store, "followers", list[str])
        self._names: HashTable[list[str]] = HashTable(store, "names", list[str])
        self._coverage: HashTable[Covered] = HashTable(store, "coverage", Covered)
        self._dated: HashTable[list[str]] = HashTable(store, "dated", list[str])
        self._tables: tuple[HashTable[Any], ...] = (
            self.places, self.units, self._mentions, self._followers, self._names, self._coverage, self._dated,
        )  # fmt: skip
        self._days: set[int] = set()
        self._clock = _EPOCH
        self._components: dict[str, _Component] = {}

    @property
    def state(self) -> DeclarationsState:
        """What `restore` needs."""
        return DeclarationsState([table.state for table in self._tables], sorted(self._days), self._clock)

    def restore(self, state: DeclarationsState) -> None:
        """Continues from what is in the store."""
        for table, saved in zip(self._tables, state.tables, strict=True):
            table.restore(saved)
        self._days, self._clock = set(state.days), state.clock

    def save(self) -> None:
        """Puts what changed into the store, and forgets it, to free memory."""
        for table in self._tables:
            table.save()
        self._components = {}

    def update(self, changed: Mapping[str, File | None], added: Mapping[str, Role], clock: datetime) -> Declared:
        """Takes in files that `changed`, with None for those that are gone, and the `added` ones, already in `files`.

        Coverage with a date after the content clock is dated to it.
        """
        files, old = self.files, {id: self.files[id] for id in changed}
        declared = Declared(set(), set(), {}, {}, {}, set())
        gone = [id for id, file in changed.items() if file is None or not file.declares_the_same(old[id])]
        new = [*(id for id in gone if changed[id]), *added]
        own_keys = {key for id in gone for key in _own_keys(old[id])}
        own_keys |= {key for id in gone if (file := changed[id]) for key in _own_keys(file)}
        is_everything = len(added) == files.count
        if not is_everything:
            own_keys |= {key for id in added for key in _own_keys(files[id])}
        affected = self._joinable({id for id in (*gone, *self._listing(own_keys)) if files[id].role != "follower"})
        bonds = {id: self.bond(id) for id in affected}
        roots = {self.places[id].unit for id in affected}
        targets = {id: self.places[id].targets for id in changed if old[id].role != "follower"}
        owners_before = {id: self.places[id].targets for id in changed if old[id].role == "follower"}
        owners = {key: self.owner(key) for key in own_keys}
        for id in gone:
            self._mention(id, old[id], add=False)
        for id, file in changed.items():
            if file is None:
                files.discard(id)
            else:
                files[id] = file
            if file is None or (file.role == "follower") != (old[id].role == "follower"):
                self.places.discard(id)
        for id in new:
            self._mention(id, files[id], add=True)
        moved = {key for key, owner in owners.items() if self.owner(key) != owner}
        self._components = {}
        retold = [id for id, file in changed.items() if file and file.facts != old[id].facts]
        entries = [entry for id in {*gone, *retold} if old[id].role == "shown" for entry in old[id].entries]
        relisted = self._listing(moved)
        entries += [e for id in relisted for e in files[id].entries if not moved.isdisjoint(e)]
        relisted |= self._cover(entries, clock, declared)
        for batch in _batches([*new, *retold]):
            entries = [entry for id in batch if files[id].role == "shown" for entry in files[id].entries]
            relisted |= self._cover(entries, clock, declared)
            self._retarget(batch, old, targets, declared)
            self._relieve()
        for batch in _batches({*gone, *relisted}.difference(new)):
            self._retarget(batch, old, targets, declared)
            self._relieve()
        followers = {id for id, role in added.items() if role == "follower"}
        for attached in owners_before.values():
            declared.reached.update(attached or ())
        self._follow({*changed, *followers}, old, moved, declared)
        known = {id for id in {*affected, *new} - added.keys() if id in files and files[id].role != "follower"}
        self._join(known | (added.keys() - followers), added, bonds, roots, declared)
        if not is_everything:
            self._redate(clock, declared)
        self._clock = clock
        return declared

    def bond(self, id: str) -> Bond:
        """The compared files that stay together with a file, and their `story` name."""
        if len(self.places) > MANY:
            self.places.pack()
        place = self.places[id]
        return Bond(self.units[place.unit].compared if place.unit else (id,), place.name)

    def place(self, id: str) -> Place:
        """What is found out about a file, to be changed."""
        place = self.places[id]
        if place is _NOWHERE:
            place = self.places[id] = Place()
        else:
            self.places.touch(id)
        return place

    def owner(self, key: str) -> str:
        """The file that a canonical key belongs to: the first with it as its own; "" if there is none."""
        own = self._mentions[key].own
        return intern(own[0]) if own else ""

    def listing(self, id: str) -> Iterator[str]:
        """The shown files with an entry that leads to a file."""
        listing = self._listing(key for key in _own_keys(self.files[id]) if self.owner(key) == id)
        return (other for other in sorted(listing) if id in (self.places[other].targets or ()))

    def attachments(self, ids: Iterable[str], clock: datetime) -> list[Attachment]:
        """The coverage and the followers that belong to some files."""
        return [
            Attachment(file, self._coverage[id].coverage, id)
            if id.startswith(COVERAGE_PREFIX)
            else _attached(self._article(id), file, clock)
            for file, id in self.attached(ids)
        ]

    def attached(self, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The coverage and the followers that belong to some files: pairs of the file's id and theirs."""
        owners = dict.fromkeys(ids)
        if len(owners) > 1:  # else there is no need to decode the file
            owners = dict.fromkeys(id for _, id in sorted((self.files[id].published, id) for id in owners))
        for file_id in owners:
            for target in self.places[file_id].targets or ():
                if target.startswith(COVERAGE_PREFIX):
                    yield file_id, target
        followers = self._followers_of(key for id in owners for key in _own_keys(self.files[id]))
        for follower in sorted(followers):
            for owner in self.places[follower].targets or ():
                if owner in owners:
                    yield owner, follower

    def named(self, name: str) -> list[str]:
        """The files with a `story` name."""
        names: list[str] = self._names.get(name, [])
        return names

    def _listing(self, keys: Iterable[str]) -> set[str]:
        """The files with an entry for any of these keys."""
        return {id for key in keys for id in self._mentions[key].entries}

    def _followers_of(self, keys: Iterable[str]) -> set[str]:
        """The followers with any of these keys."""
        return {id for key in keys for id in self._followers.get(key, ())} if self._followers.count else set()

    def _mention(self, id: str, file: File, *, add: bool) -> None:
        """Adds a file to the indexes, or removes it."""
        entry_keys = dict.fromkeys([key for keys in file.entries for key in keys])
        if file.role == "follower":
            for key in {**dict.fromkeys(file.keys), **entry_keys}:
                _list(self._followers, key, id, add=add)
            return
        if file.story:
            _list(self._names, file.story, id, add=add)
        for key, is_own in [*[(key, True) for key in _own_keys(file)], *[(key, False) for key in entry_keys]]:
            mentions = self._mentions[key]
            if mentions is _NONE:
                mentions = self._mentions[key] = Mentions([], [])
            else:
                self._mentions.touch(key)
            ids = mentions.own if is_own else mentions.entries
            insort(ids, id) if add else ids.remove(id)
            if not (mentions.own or mentions.entries):
                self._mentions.discard(key)

    def _relieve(self) -> None:
        """Frees memory if much is decoded. Afterwards, do not change a value that was taken from a table before."""
        if len(self._components) > MANY:
            self._components = {}
        for table in (self.files, *self._tables):
            if len(table) > MANY // 4:
                table.pack()

    def _cover(self, entries: Iterable[tuple[str, ...]], clock: datetime, declared: Declared) -> set[str]:
        """Remakes the coverage of entries with these keys. Returns the files whose entries may now lead elsewhere."""
        relisted = set()
        sources: dict[str, tuple[str, int]] = {}
        outdated = set()
        several = {key for entry in entries if len(entry) > 1 for key in entry}
        for key in {key for entry in entries for key in entry}:
            outdated.add(COVERAGE_PREFIX + key)
            if not self.owner(key):
                component = self._component(key)
                sources |= component.sources
                outdated.update([COVERAGE_PREFIX + each for each in component.keys])
                # An entry with several keys decides where entries with one of them lead.
                if len(component.keys) > 1 or key in several:
                    relisted |= {id for id, _ in component.targets}
        article = None
        for (source, number), id in sorted((source, id) for id, source in sources.items()):
            if article is None or article.id != source:
                article = self._article(source)
            entry = next(islice(article.related, number, None))
            self._set_coverage(id, _covered(id, entry, article, clock), declared)
        for id in outdated - sources.keys():
            self._set_coverage(id, None, declared)
        return relisted

    def _component(self, key: str) -> _Component:
        """What becomes of the entries with a key that no file owns, and of those that share such keys with them.

        Coverage that several files list takes its facts from the entry of the earliest of them.
        """
        if found := self._components.get(key):
            return found
        keys, queue = {key}, [key]
        files: dict[str, File] = {}
        while queue:
            at = queue.pop()
            for id in self._mentions[at].entries:
                file = self.files[id]
                if file.role == "shown":
                    files[id] = file
                    for entry in file.entries:
                        if len(entry) > 1 and at in entry and not any(map(self.owner, entry)):
                            queue += [each for each in entry if each not in keys]
                            keys.update(entry)
        targets: dict[tuple[str, int], str] = {}
        sources: dict[str, tuple[str, int]] = {}
        id_of_key: dict[str, str] = {}
        for file_id, file in sorted(files.items(), key=lambda item: (item[1].published, item[0])):
            for number, entry in enumerate(file.entries):
                if entry[0] in keys and (len(entry) == 1 or not any(map(self.owner, entry))):
                    id = next((id_of_key[k] for k in entry if k in id_of_key), COVERAGE_PREFIX + entry[0])
                    id_of_key.update(dict.fromkeys(entry, id))
                    targets[file_id, number] = id
                    sources.setdefault(id, (file_id, number))
        found = _Component(keys, targets, sources)
        self._components.update(dict.fromkeys(keys, found))
        return found

    def _set_coverage(self, id: str, covered: Covered | None, declared: Declared) -> None:
        """Sets coverage, or removes it."""
        before: Covered | None = self._coverage.get(id)
        if before == covered:
            return
        if before:
            self._date(id, before.published, add=False)
            self._coverage.discard(id)
        if covered:
            self._date(id, covered.published, add=True)
            self._coverage[id] = covered
        if not covered or not before or before.coverage != covered.coverage:
            declared.coverage[id] = covered.coverage if covered else None
            for (file, _), target in self._component(id.removeprefix(COVERAGE_PREFIX)).targets.items():
                if target == id:
                    declared.reached.add(file)

    def _date(self, id: str, published: datetime, *, add: bool) -> None:
        """Adds coverage or a follower to its day, or removes it."""
        day = day_number(published.timestamp())
        _list(self._dated, str(day), id, add=add)
        (self._days.add if str(day) in self._dated else self._days.discard)(day)

    def _redate(self, clock: datetime, declared: Declared) -> None:
        """Dates again what is later than the new content clock, or was later than the old one."""
        if clock == self._clock:
            return
        first = day_number(min(clock, self._clock).timestamp())
        for day in [day for day in self._days if day >= first]:
            for id in tuple(self._dated[str(day)]):
                if id.startswith(COVERAGE_PREFIX):
                    self._set_coverage(id, self._coverage[id].at(clock), declared)
                else:
                    declared.reached.update(self.places[id].targets or ())

    def _retarget(
        self,
        ids: Iterable[str],
        old: Mapping[str, File],
        old_targets: Mapping[str, tuple[str, ...] | None],
        declared: Declared,
    ) -> None:
        """Finds out again where the entries of these files lead."""
        for id in ids:
            file: File | None = self.files.get(id)
            targets, now = old_targets.get(id) if id in old else self.places[id].targets, None
            if file and file.role == "shown" and file.entries:
                found = dict.fromkeys([self._target(id, at, entry) for at, entry in enumerate(file.entries)])
                found.pop(id, None)
                now = tuple(found)
            if file and file.role != "follower" and self.places[id].targets != now:
                self.place(id).targets = now
            if now != targets:
                declared.targets[id] = now
                declared.reached.update([id, *{*(now or ())} ^ {*(targets or ())}])

    def _target(self, id: str, number: int, entry: tuple[str, ...]) -> str:
        """The id of the file or coverage to which an entry of a file leads."""
        for key in entry:
            if owner := self.owner(key):
                return owner
        return self._component(entry[0]).targets[id, number]

    def _follow(
        self, changed: Collection[str], old: Mapping[str, File], moved: Iterable[str], declared: Declared
    ) -> None:
        """Attaches followers to files again: those that changed, and those with a key whose owner changed.

        Each belongs to the owner of its address, or else to that of the first of its related entries that has one.
        """
        for id in {*changed, *self._followers_of(moved)}:
            before, now = old.get(id), self.files.get(id)
            if before and before.role == "follower":
                self._date(id, before.published, add=False)
            if now and now.role == "follower":
                declared.reached.update(self.places[id].targets or ())
                if id in changed:
                    self._date(id, now.published, add=True)
                keys = (*now.keys, *(key for entry in now.entries for key in entry))
                owner = next(filter(None, map(self.owner, keys)), "")
                self.place(id).targets = (owner,) if owner else None
                declared.reached.update([owner] if owner else ())

    def _joinable(self, start: Iterable[str]) -> set[str]:
        """These files and all that declarations may join with them, directly or not."""
        found: set[str] = set()
        queue = list(start)
        while queue:
            id = queue.pop()
            if id in found:
                continue
            near = self._at_one_place(id)
            found |= near
            for other in {other for each in near for other in self._linked(each) if other not in near}:
                others = () if other in found else self._at_one_place(other)
                if any(not near.isdisjoint(self._linked(each)) for each in others):
                    queue.append(other)
        return found

    def _at_one_place(self, id: str) -> set[str]:
        """A file, all files with its address or `story` name, and in turn all files with theirs."""
        found, queue = {id}, [id]
        while queue:
            file = self.files[queue.pop()]
            places = [self._mentions[key].own for key in _own_keys(file)]
            if file.story:
                places.append(self._names[file.story])
            for ids in places:
                if len(ids) > 1:
                    queue += [other for other in ids if other not in found]
                    found.update(ids)
        return found

    def _linked(self, id: str) -> Collection[str]:
        """The other files to which the entries of a file lead."""
        file = self.files[id]
        if not file.entries:
            return ()
        if file.role == "shown":
            return [target for target in self.places[id].targets or () if not target.startswith(COVERAGE_PREFIX)]
        owned = dict.fromkeys([owner for entry in file.entries if (owner := self.owner(entry[0]))])
        owned.pop(id, None)
        return owned

    def _join(
        self,
        ids: Collection[str],
        added: Collection[str],
        bonds: Mapping[str, Bond],
        roots: Iterable[str],
        declared: Declared,
    ) -> None:
        """Finds out again which files belong together.

        `bonds` and `roots` are the bonds and units that files had before the change, where these may differ.
        """
        before = dict(bonds)
        for root in roots:
            self.units.discard(root)
        seen: set[str] = set()
        for start in sorted(ids):
            if start not in seen:
                joinable = sorted(self._joinable([start]))
                seen.update(joinable)
                before |= {id: self.bond(id) for id in joinable if id not in before and id not in added}
                for id in joinable:
                    if id not in bonds:
                        self.units.discard(self.places[id].unit)
                self._join_set(joinable, declared)
                self._relieve()
        for id in seen.intersection(before):
            bond, old = self.bond(id), before[id]
            if bond != old:
                declared.rebound.add(id)
            if bond.name != old.name:
                declared.renamed.add(id)
        declared.reached.update(seen.intersection(before))

    def _join_set(self, ids: list[str], declared: Declared) -> None:
        """Joins the files among these with the same `story`, the same address, or mutual entries, in this order.

        The files are given by id, ascending, and nothing else can join them.
        """
        files = {id: self.files[id] for id in ids}
        names = {id: file.story for id, file in files.items() if file.story}
        union = UnionFind(names)
        first_with_name: dict[str, str] = {}
        for id, name in names.items():
            union.join(first_with_name.setdefault(name, id), id, "editor")
        duplicates: dict[tuple[str, str], None] = {}
        if len(ids) > 1:
            for id, file in files.items():
                for key in _own_keys(file):
                    owner = self.owner(key)
                    if owner != id:
                        duplicates[owner, id] = None
            for one, other in duplicates:
                union.join(one, other, "same address")
            by_time = sorted((file.role == "hidden", file.published, id) for id, file in files.items())
            _join_mutual(union, {id: [other for other in self._linked(id) if other in files] for *_, id in by_time})
        duplicate = {other for first, other in duplicates if union.find(first) == union.find(other)}
        root_of: dict[str, str] = {}
        for unit in union.sets():
            unit.sort()
            root_of |= dict.fromkeys(unit, unit[0])
            compared = sorted((files[id].published.timestamp(), id) for id in unit if id not in duplicate)
            evidence = [e for id in unit for e in union.evidence.get(id, ())]
            self.units[unit[0]] = Unit(
                tuple(unit), tuple([id for _, id in compared]), union.name(unit[0]), tuple(evidence)
            )
        for id in ids:
            root, is_compared = root_of.get(id, ""), id not in duplicate
            name, place = union.name(id), self.places[id]
            if is_compared != place.compared:
                declared.compared[id] = is_compared
            if (root, name, is_compared) != (place.unit, place.name, place.compared):
                place = self.place(id)
                place.unit, place.name, place.compared = root, name, is_compared


class UnionFind:
    """Disjoint sets of files, each with at most one `story` name.

    The smallest id of a set is its root, so the roots do not depend on the order of the unions.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._parent: dict[str, str] = {}
        self._names = dict(names)
        self.evidence: dict[str, list[Evidence]] = {}

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


def _join_mutual(union: UnionFind, linked: Mapping[str, Collection[str]]) -> None:
    """Joins the files that list each other; `linked` maps each file to those that it lists.

    A file that lists one of several files at an address lists them all.
    """
    roots = union.roots()
    root = roots.get
    linked_by_root: dict[str, set[str]] = {}
    for id, others in linked.items():
        linked_by_root.setdefault(root(id, id), set()).update([root(other, other) for other in others])
    mutual: dict[tuple[str, str], tuple[str, str]] = {}
    for id, others in linked.items():
        one = root(id, id)
        for other in others:
            two = root(other, other)
            if one < two and one in linked_by_root.get(two, ()):
                mutual.setdefault((one, two), (id, other))
    for id, other in mutual.values():
        union.join(min(id, other), max(id, other), "mutual")


def _own_keys(file: File) -> list[str]:
    """The keys of a file that identify a text; a follower has none."""
    return [] if file.role == "follower" else [key for key in file.keys if canonical.identifies_text(key)]


def _list(table: HashTable[list[str]], key: str, id: str, *, add: bool) -> None:
    """Adds an id to the ascending list at a key, or removes it."""
    ids: list[str] = table.get(key) or []
    table[key] = ids
    insort(ids, id) if add else ids.remove(id)
    if not ids:
        table.discard(key)


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _covered(id: str, entry: Related, file: Article, clock: datetime) -> Covered:
    """The coverage that an entry of a file makes."""
    published, all_day = (entry.published, entry.all_day) if entry.published else (file.published, file.all_day)
    coverage = Coverage(
        id=id,
        title=entry.title,
        excerpt=entry.excerpt,
        published=published,
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
    return Covered(coverage, published, all_day).at(clock)


def _attached(file: Article, owner: str, clock: datetime) -> Attachment:
    """A follower, attached to a file."""
    coverage = Coverage(
        id=FOLLOWER_PREFIX + file.id, title=file.title, excerpt=file.excerpt,
        published=min(file.published, clock), all_day=file.all_day or file.published > clock,
        url=file.url, provider=file.provider, provider_name=file.provider_name, category=file.category,
        topics=file.topics, type=file.type, quality=file.quality, image=file.image, lang=file.lang, dir=file.dir, folded=True,
    )  # fmt: skip
    return Attachment(owner, coverage, COVERAGE_PREFIX + file.keys[0] if file.keys else coverage.id)

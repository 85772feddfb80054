"""A bucket (S3 and what speaks like it, Azure): objects one by one, in an order in which no page leads to what is missing.

    PREFIX/.newsgen/release.json.gz         what the last publish brought
    PREFIX/.newsgen/coming.json             what an unfinished publish may have changed
    PREFIX/.newsgen/lock                    who publishes
    PREFIX/.newsgen/kept/ID/MARK            what the release ID replaced, for going back
    PREFIX/.newsgen/kept/ID/release.json.gz the release before ID

Every object carries its mark as metadata, so that a publish that goes on after a kill can ask what arrived. A listing,
not the last release alone, says what is there: what others removed comes back, what others brought stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from newsgen.config import Publish
from newsgen.errors import PublishError
from newsgen.publish.address import Address
from newsgen.publish.files import File
from newsgen.publish.lease import Lease
from newsgen.publish.plan import Entry, Plan, Release, State, give_way, new_id, step
from newsgen.publish.store import Store
from newsgen.publish.target import Sent, Tell

T = TypeVar("T")

OURS = ".newsgen/"
_NAME = "release.json.gz"
_RELEASE = OURS + _NAME
_COMING = OURS + "coming.json"
_KEPT = OURS + "kept/"


class _Coming(msgspec.Struct, frozen=True):
    """The id of the release that a publish brings, and the paths of all that it changes."""

    id: str
    paths: list[str]


class Bucket:
    """A bucket, or the part of one below a prefix."""

    form = "objects"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.shown
        self._settings = settings
        self._store = Store(address)
        self._lease = Lease(self._store, OURS + "lock", site)
        self._sizes: dict[str, int] = {}
        self._strewn: dict[str, Entry] = {}
        self._noted: list[str] = []

    def lock(self) -> None:
        self._lease.take()

    def release(self) -> None:
        self._lease.free()

    def look(self, files: Mapping[str, File]) -> State:
        self._sizes = self._store.sizes()
        release = None
        if _RELEASE in self._sizes:
            release = Release.unpacked(self._store.get(_RELEASE), f"{self.name}/{_RELEASE}")
        ours = release.every if release else {}
        astray = {}
        for path, entry in ours.items():
            if path not in self._sizes:
                astray[path] = "it is gone from the bucket"
            elif self._sizes[path] != entry.size:
                astray[path] = "the bucket has another content"
        state = State(release=release, astray=astray)
        coming = self._coming()
        # Of a publish that was killed while it tidied up, nothing is left to do.
        if coming and not (release and coming.id == release.id):
            state.begun = coming.id
            self._noted = coming.paths
            there = [path for path in coming.paths if path in self._sizes]
            for path, mark in self._store.each(self._store.mark, there):
                # What nobody marked is another's, unless the last release knows it.
                if mark or path in ours:
                    kind = files[path].kind if path in files else "page"
                    state.strewn[path] = Entry(mark, self._sizes[path], kind)
            state.arrived = frozenset(p for p, e in state.strewn.items() if p in files and files[p].mark == e.mark)
        self._strewn = state.strewn
        known = ours.keys() | state.strewn.keys()
        state.foreign = frozenset(p for p in self._sizes if p not in known and not p.startswith(OURS))
        return state

    def _coming(self) -> _Coming | None:
        if _COMING not in self._sizes:
            return None
        try:
            return msgspec.json.decode(self._store.get(_COMING), type=_Coming)
        except msgspec.DecodeError:
            return None

    def publish(self, plan: Plan, tell: Tell) -> Sent:
        release, sent, steps = plan.release, Sent(), plan.steps()
        self._announce(release.id, (c.path for c in plan.changes if c.action != "keep"))
        if plan.old and self._settings.keep:
            self._keep(plan, release.id)
        total = sum(map(len, steps))
        for files in steps:
            for file in self._each(self._bring, files):
                sent.files += 1
                sent.bytes += file.size
                if sent.files % 50 == 0:
                    tell("sending", sent.files, total)
        self._lease.check(now=True)
        self._store.remove(path for path in plan.removed if path in self._sizes)
        if plan.old and self._settings.keep:
            self._store.copy(_RELEASE, f"{_KEPT}{release.id}/{_NAME}")
        self._store.put(_RELEASE, release.packed())
        # A release's folder holds what leads from it to the one before it.
        stays = {release.id, *release.history[:-1]} if release.history else set()
        kept = (p for p in self._sizes if p.startswith(_KEPT) and p.removeprefix(_KEPT).partition("/")[0] not in stays)
        self._store.remove([*kept, _COMING])
        sent.requests = self._store.requests
        return sent

    def rollback(self, now: Release) -> None:
        folder = f"{_KEPT}{now.id}/"
        if folder + _NAME not in self._sizes:
            raise PublishError(f"{self.name}: the release before is not kept: there is no way back")
        before = Release.unpacked(self._store.get(folder + _NAME), f"{self.name}/{folder}{_NAME}")
        stands, stood = now.every, before.every
        give_way([p for p in stood if p in self._sizes and p not in stands and p not in self._strewn])
        back: dict[int, list[tuple[str, str]]] = {}
        for path, entry in stood.items():
            if path not in stands or stands[path].mark != entry.mark or path not in self._sizes:
                if folder + entry.mark not in self._sizes:
                    raise PublishError(f"{self.name}: {path} of the release before is not kept: there is no way back")
                back.setdefault(step(entry.kind, new=path not in stands), []).append((folder + entry.mark, path))
        gone = [path for path in stands if path not in stood and path in self._sizes]
        # Not the id of a release: a publish that finds this unfinished begins one of its own.
        self._announce(new_id(datetime.now(UTC)), [*gone, *(path for pairs in back.values() for _, path in pairs)])
        for number in sorted(back):
            for _ in self._each(lambda pair: self._store.copy(*pair), back[number]):
                pass
        self._lease.check(now=True)
        self._store.remove(gone)
        self._store.put(_RELEASE, before.packed())
        self._store.remove([_COMING, *(path for path in self._sizes if path.startswith(folder))])

    def _announce(self, id: str, paths: Iterable[str]) -> None:
        """Notes what is about to change, before it does: of an object that is there afterwards we know that it is ours.

        What an unfinished publish noted is noted again: this one may not finish either, and what that one sent last may
        still be on its way.
        """
        self._store.put(_COMING, msgspec.json.encode(_Coming(id, sorted({*paths, *self._noted}))))

    def _keep(self, plan: Plan, id: str) -> None:
        """Copies what is about to be replaced or removed to where it can be brought back from."""
        was = plan.old.every if plan.old else {}
        due = {}
        for change in plan.changes:
            path = change.path
            if change.action not in ("replace", "remove") or path not in was or path not in self._sizes:
                continue
            mark = was[path].mark
            # Where an unfinished publish changed it, it was kept before; what stands there now is another.
            changed = path in self._strewn and self._strewn[path].mark != mark
            place = f"{_KEPT}{id}/{mark}"
            if place not in self._sizes and not changed:
                due[place] = path
        for _ in self._each(lambda pair: self._store.copy(pair[1], pair[0]), due.items()):
            pass

    def _bring(self, file: File) -> None:
        self._store.put(file.path, Path(file.source).read_bytes(), dict(file.headers), file.mark)

    def _each(self, work: Callable[[T], None], items: Iterable[T]) -> Iterable[T]:
        """Does it for each item, and gives it when it is done; ends where the lock is lost."""
        for item, _ in self._store.each(work, items):
            self._lease.check()
            yield item

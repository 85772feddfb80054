"""Publishes to a bucket (S3 and compatible stores, Azure): object by object, in an order that never breaks a link.

    PREFIX/.newsgen/release.json.gz         the record of the last release
    PREFIX/.newsgen/coming.json             what an unfinished publish may have changed
    PREFIX/.newsgen/lock                    the lock of the running publish
    PREFIX/.newsgen/kept/ID/MARK            an object that release ID replaced, for a rollback
    PREFIX/.newsgen/kept/ID/release.json.gz the release before ID

Every object has its mark in its metadata, so that after a kill the next publish can find out what was sent. A publish
does not trust the last release but lists the bucket: objects that others removed are restored, objects of others stay.
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
from newsgen.publish.plan import Entry, Plan, Release, State, new_id, refuse_foreign, step
from newsgen.publish.store import Store
from newsgen.publish.target import OnProgress, Sent

T = TypeVar("T")

OWN_PREFIX = ".newsgen/"
_RECORD = "release.json.gz"
_RELEASE = OWN_PREFIX + _RECORD
_COMING = OWN_PREFIX + "coming.json"
_KEPT = OWN_PREFIX + "kept/"


class _Unfinished(msgspec.Struct, frozen=True):
    """The id of the release being published, and the paths of all objects that change."""

    id: str
    paths: list[str]


class Bucket:
    """A bucket, or the part of it below a prefix."""

    layout = "objects"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.label
        self._settings = settings
        self._store = Store(address)
        self._lease = Lease(self._store, OWN_PREFIX + "lock", site)
        self._sizes: dict[str, int] = {}
        self._leftovers: dict[str, Entry] = {}
        self._unfinished_paths: list[str] = []

    def lock(self) -> None:
        self._lease.take()

    def release(self) -> None:
        self._lease.free()

    def inspect(self, files: Mapping[str, File]) -> State:
        self._sizes = self._store.sizes()
        release = None
        if _RELEASE in self._sizes:
            release = Release.unpacked(self._store.get(_RELEASE), f"{self.name}/{_RELEASE}")
        ours = release.all_files if release else {}
        altered = {}
        for path, entry in ours.items():
            if path not in self._sizes:
                altered[path] = "missing from the bucket"
            elif self._sizes[path] != entry.size:
                altered[path] = "altered in the bucket"
        state = State(release=release, altered=altered)
        unfinished = self._read_unfinished()
        # If the ids are equal, the publish was killed after it had finished, and only the note about it is left.
        if unfinished and not (release and unfinished.id == release.id):
            state.unfinished = unfinished.id
            self._unfinished_paths = unfinished.paths
            existing = [path for path in unfinished.paths if path in self._sizes]
            for path, mark in self._store.map_unordered(self._store.mark, existing):
                # An object without a mark is foreign, unless the last release lists it.
                if mark or path in ours:
                    kind = files[path].kind if path in files else "page"
                    state.leftovers[path] = Entry(mark, self._sizes[path], kind)
            state.arrived = frozenset(p for p, e in state.leftovers.items() if p in files and files[p].mark == e.mark)
        self._leftovers = state.leftovers
        known = ours.keys() | state.leftovers.keys()
        state.foreign = frozenset(p for p in self._sizes if p not in known and not p.startswith(OWN_PREFIX))
        return state

    def _read_unfinished(self) -> _Unfinished | None:
        if _COMING not in self._sizes:
            return None
        try:
            return msgspec.json.decode(self._store.get(_COMING), type=_Unfinished)
        except msgspec.DecodeError:
            return None

    def publish(self, plan: Plan, on_progress: OnProgress) -> Sent:
        release, sent, steps = plan.release, Sent(), plan.steps()
        self._announce(release.id, (c.path for c in plan.changes if c.action != "keep"))
        if plan.old and self._settings.keep:
            self._back_up(plan, release.id)
        total = sum(map(len, steps))
        for files in steps:
            for file in self._for_each(self._upload, files):
                sent.files += 1
                sent.bytes += file.size
                if sent.files % 50 == 0:
                    on_progress("sending", sent.files, total)
        self._lease.check(now=True)
        self._store.remove(path for path in plan.removed if path in self._sizes)
        if plan.old and self._settings.keep:
            self._store.copy(_RELEASE, f"{_KEPT}{release.id}/{_RECORD}")
        self._store.put(_RELEASE, release.packed())
        # The folder of a release holds what a rollback to the one before it needs.
        needed = {release.id, *release.history[:-1]} if release.history else set()
        obsolete = (
            p for p in self._sizes if p.startswith(_KEPT) and p.removeprefix(_KEPT).partition("/")[0] not in needed
        )
        self._store.remove([*obsolete, _COMING])
        sent.requests = self._store.requests
        return sent

    def rollback(self, now: Release) -> None:
        folder = f"{_KEPT}{now.id}/"
        if folder + _RECORD not in self._sizes:
            raise PublishError(f"{self.name}: cannot roll back: the previous release is not kept")
        before = Release.unpacked(self._store.get(folder + _RECORD), f"{self.name}/{folder}{_RECORD}")
        current, previous = now.all_files, before.all_files
        refuse_foreign([p for p in previous if p in self._sizes and p not in current and p not in self._leftovers])
        to_restore: dict[int, list[tuple[str, str]]] = {}
        for path, entry in previous.items():
            if path not in current or current[path].mark != entry.mark or path not in self._sizes:
                if folder + entry.mark not in self._sizes:
                    raise PublishError(f"{self.name}: cannot roll back: {path} of the previous release is not kept")
                to_restore.setdefault(step(entry.kind, new=path not in current), []).append((folder + entry.mark, path))
        gone = [path for path in current if path not in previous and path in self._sizes]
        # A new id, not that of a release: a publish that finds this rollback unfinished starts a release of its own.
        self._announce(
            new_id(datetime.now(UTC)), [*gone, *(path for pairs in to_restore.values() for _, path in pairs)]
        )
        for number in sorted(to_restore):
            for _ in self._for_each(lambda pair: self._store.copy(*pair), to_restore[number]):
                pass
        self._lease.check(now=True)
        self._store.remove(gone)
        self._store.put(_RELEASE, before.packed())
        self._store.remove([_COMING, *(path for path in self._sizes if path.startswith(folder))])

    def _announce(self, id: str, paths: Iterable[str]) -> None:
        """Records what will change before it does, so that objects found there later are known to be newsgen's.

        Includes what an unfinished publish recorded: this publish may not finish either, and requests of the earlier
        one may still be in flight.
        """
        self._store.put(_COMING, msgspec.json.encode(_Unfinished(id, sorted({*paths, *self._unfinished_paths}))))

    def _back_up(self, plan: Plan, id: str) -> None:
        """Copies objects that will be replaced or removed to where a rollback finds them."""
        old_files = plan.old.all_files if plan.old else {}
        to_copy = {}
        for change in plan.changes:
            path = change.path
            if change.action not in ("replace", "remove") or path not in old_files or path not in self._sizes:
                continue
            mark = old_files[path].mark
            # If an unfinished publish changed the object, it kept the original; the object there now is another.
            changed = path in self._leftovers and self._leftovers[path].mark != mark
            place = f"{_KEPT}{id}/{mark}"
            if place not in self._sizes and not changed:
                to_copy[place] = path
        for _ in self._for_each(lambda pair: self._store.copy(pair[1], pair[0]), to_copy.items()):
            pass

    def _upload(self, file: File) -> None:
        self._store.put(file.path, Path(file.source).read_bytes(), dict(file.headers), file.mark)

    def _for_each(self, work: Callable[[T], None], items: Iterable[T]) -> Iterable[T]:
        """Runs `work` on each item concurrently and yields finished items. Raises PublishError if the lock is lost."""
        for item, _ in self._store.map_unordered(work, items):
            self._lease.check()
            yield item

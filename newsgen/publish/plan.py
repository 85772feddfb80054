"""Compares the files of a build with the state of a target and plans what to send and remove, with reasons."""

from __future__ import annotations

import gzip
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from newsgen.errors import PublishError
from newsgen.publish.files import File, Kind

FINGERPRINTED_GRACE = timedelta(hours=1)
"""How long a fingerprinted file outlives the publish that drops it. Cached pages may still ask for it."""

_ID = re.compile(r"\d{8}-\d{6}-\d{6}")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A published file: its mark, the bytes sent, its kind."""

    mark: str
    size: int
    kind: Kind

    @staticmethod
    def of(file: File) -> Entry:
        """The entry of a file."""
        return Entry(file.mark, file.size, file.kind)

    @property
    def digest(self) -> str:
        """The digest of the file's bytes."""
        return self.mark.partition("-")[0]


class Retained(msgspec.Struct, frozen=True, array_like=True):
    """A file that is no longer on the site but still at the target, and since when."""

    entry: Entry
    since: datetime


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What one publish put on a target. Stored there for the next publish to compare with.

    `history` lists the ids of earlier releases that a rollback can go to, latest first. `front` lists the addresses
    that the front page links to, in order.
    """

    id: str
    format: int = 1
    files: dict[str, Entry] = {}
    leaving: dict[str, Retained] = {}
    history: tuple[str, ...] = ()
    front: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """The stored form: gzipped JSON. Equal releases give equal bytes."""
        return gzip.compress(msgspec.json.encode(self), 6, mtime=0)

    @staticmethod
    def unpacked(data: bytes, place: str) -> Release:
        """Decodes a stored release. Raises PublishError if it is invalid; `place` names its location in the message."""
        try:
            found = msgspec.json.decode(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, type=Release)
        except (msgspec.DecodeError, OSError, EOFError, UnicodeDecodeError):
            found = None
        if found is None or found.format != 1 or not is_id(found.id) or not all(map(is_id, found.history)):
            raise PublishError(
                f"{place}: the record of the last release is damaged or written by a newer newsgen; update newsgen, or "
                f"move the record away: newsgen then treats all files there as foreign"
            )
        return found

    @property
    def all_files(self) -> dict[str, Entry]:
        """All files that newsgen put on the target: those of the release and those in their grace period."""
        return {path: leaving.entry for path, leaving in self.leaving.items()} | self.files


def new_id(moment: datetime) -> str:
    """The id of a release created at `moment`. Ids sort by time."""
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S-%f}"


def is_id(name: str) -> bool:
    """Whether a name is the id of a release."""
    return bool(_ID.fullmatch(name))


class State(msgspec.Struct, kw_only=True):
    """The state of a target.

    `release` is the last finished one. Of a publish that did not finish, `unfinished` is its id, `arrived` are the
    paths of wanted files that it sent, and `leftovers` is everything that it sent, wanted or not. `altered` maps files
    that differ from the release to the reason. `foreign` are files that newsgen did not put there.
    """

    release: Release | None = None
    unfinished: str = ""
    arrived: frozenset[str] = frozenset()
    leftovers: dict[str, Entry] = {}
    altered: dict[str, str] = {}
    foreign: frozenset[str] = frozenset()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change to one file. `keep` leaves a file that is no longer on the site until its grace period has passed."""

    action: Literal["add", "replace", "keep", "remove"]
    path: str
    reason: str
    kind: Kind
    size: int = 0
    arrived: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish does. `files` are all files of the new release, `old` is the release before it."""

    release: Release
    old: Release | None
    changes: tuple[Change, ...]
    files: Mapping[str, File]

    def steps(self) -> list[list[File]]:
        """The files to send, grouped by `step` and in that order."""
        steps: dict[int, list[File]] = {}
        for change in self.changes:
            if change.action in ("add", "replace") and not change.arrived:
                steps.setdefault(step(change.kind, new=change.action == "add"), []).append(self.files[change.path])
        return [steps[n] for n in sorted(steps)]

    @property
    def removed(self) -> list[str]:
        """The paths to remove now."""
        return [c.path for c in self.changes if c.action == "remove"]

    @property
    def lost(self) -> list[str]:
        """Pages that will stop answering, now or after their grace period."""
        return lost(self.old.files if self.old else {}, self.files)

    @property
    def dropped(self) -> list[str]:
        """Files that are no longer on the site. Each counts once, when the site drops it."""
        return sorted((self.old.files if self.old else {}).keys() - self.release.files.keys())


def lost(old_entries: Mapping[str, Entry], files: Collection[str]) -> list[str]:
    """Pages that readers may have bookmarked and that are not in `files`."""
    return sorted(
        p for p, e in old_entries.items() if p not in files and e.kind not in ("fixed", "asset", "copy", "feed")
    )


def step(kind: Kind, *, new: bool) -> int:
    """The step in which a file is sent. No file links to one that is sent in a later step.

    No reachable page links to a new page yet, so new pages need no order among themselves. The front page, where
    readers start, is last.
    """
    if kind in ("fixed", "asset", "copy"):
        return 0
    if kind == "home":
        return 5
    return 1 if new else {"list": 3, "feed": 4}.get(kind, 2)


def compare(
    files: Mapping[str, File],
    state: State,
    *,
    now: datetime,
    grace: timedelta,
    keep: int,
    front: Iterable[str] = (),
) -> Plan:
    """Plans how to bring a target to these files. Raises PublishError if foreign files are in the way."""
    refuse_foreign(state.foreign & files.keys())
    old = state.release
    published = old.all_files if old else {}
    known_entries = published | state.leftovers
    changes = []
    for path, file in files.items():
        reason, known = "", known_entries.get(path)
        arrived = path in state.arrived
        if known is None:
            action: Literal["add", "replace"] = "add"
            reason = "new"
        else:
            action = "replace" if path in published else "add"
            if known.digest != file.digest:
                reason = "its content differs"
            elif known.mark != file.mark:
                reason = "its headers differ"
            elif path in state.altered:
                reason = state.altered[path]
            elif arrived and path in state.leftovers:
                reason = "already sent by an unfinished publish"
        if reason:
            changes.append(
                Change(action=action, path=path, reason=reason, kind=file.kind, size=file.size, arrived=arrived)
            )
    leaving = {}
    for path, entry in known_entries.items():
        if path in files:
            continue
        before = old.leaving.get(path) if old else None
        since = before.since if before else now
        wait = (max(grace, FINGERPRINTED_GRACE) if entry.kind == "fixed" else grace) - (now - since)
        # Readers may also have seen what an unfinished publish sent.
        if wait > timedelta():
            leaving[path] = Retained(entry, since)
            if not before:
                reason = f"no longer on the site; kept for another {_duration(wait)}"
                changes.append(Change(action="keep", path=path, reason=reason, kind=entry.kind))
        else:
            reason = "its grace period has passed" if before else "no longer on the site"
            changes.append(Change(action="remove", path=path, reason=reason, kind=entry.kind))
    release = Release(
        id=state.unfinished or new_id(now),
        files={path: Entry.of(file) for path, file in files.items()},
        leaving=leaving,
        history=((old.id, *old.history) if old else ())[:keep],
        front=tuple(front),
    )
    return Plan(release=release, old=old, changes=tuple(changes), files=files)


def refuse_foreign(foreign: Collection[str]) -> None:
    """Raises PublishError if there are foreign files in the way."""
    if foreign:
        raise PublishError(
            f"files that newsgen did not publish are in the way: {first_few(sorted(foreign))}; move them away, or "
            "publish to another target"
        )


def first_few(names: Sequence[str]) -> str:
    """The first five names, and how many more there are."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"

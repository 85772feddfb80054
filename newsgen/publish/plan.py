"""The files of a build and what stands at a target become a plan: what travels, what goes, and why."""

from __future__ import annotations

import gzip
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from newsgen.errors import PublishError
from newsgen.publish.files import File, Kind

FIXED = timedelta(hours=1)
"""How long a style sheet outlives the publish that drops it: pages that readers and caches have may still ask for it."""

_ID = re.compile(r"\d{8}-\d{6}-\d{6}")


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was published: its mark, the size of what travelled, its kind."""

    mark: str
    size: int
    kind: Kind

    @staticmethod
    def of(file: File) -> Entry:
        """What is noted of a file."""
        return Entry(file.mark, file.size, file.kind)

    @property
    def digest(self) -> str:
        """That of the bytes."""
        return self.mark.partition("-")[0]


class Leaving(msgspec.Struct, frozen=True, array_like=True):
    """A file that the site has no more and that still answers, and since when."""

    entry: Entry
    since: datetime


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What one publish brought to a target; kept there, as the next one compares with it.

    `history` are the ids of the releases before it that can be gone back to, the latest first. `front` are the
    addresses that the front page leads to, in their order.
    """

    id: str
    format: int = 1
    files: dict[str, Entry] = {}
    leaving: dict[str, Leaving] = {}
    history: tuple[str, ...] = ()
    front: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """As it is kept: JSON in gzip, the same bytes for the same release."""
        return gzip.compress(msgspec.json.encode(self), 6, mtime=0)

    @staticmethod
    def unpacked(data: bytes, place: str) -> Release:
        """Raises PublishError where the bytes are no release; `place` is where they were."""
        try:
            found = msgspec.json.decode(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, type=Release)
        except (msgspec.DecodeError, OSError, EOFError, UnicodeDecodeError):
            found = None
        if found is None or found.format != 1 or not is_id(found.id) or not all(map(is_id, found.history)):
            raise PublishError(
                f"{place}: the list of what was published is damaged or of a newer newsgen; update newsgen, or move "
                f"the list away: then what stands there counts as foreign"
            )
        return found

    @property
    def every(self) -> dict[str, Entry]:
        """All that stands at the target because of newsgen."""
        return {path: leaving.entry for path, leaving in self.leaving.items()} | self.files


def new_id(moment: datetime) -> str:
    """The name of a release that begins now. Names sort by time."""
    return f"{moment.astimezone(UTC):%Y%m%d-%H%M%S-%f}"


def is_id(name: str) -> bool:
    """Whether newsgen gives releases such names."""
    return bool(_ID.fullmatch(name))


class State(msgspec.Struct, kw_only=True):
    """What a target says of itself.

    `release` is what the last finished publish brought. Of a publish that did not finish, `begun` is its id, `arrived`
    are the wanted files that stand already, `strewn` what it brought that may not be wanted. `astray` are files that are
    not as the release says, with the reason. `foreign` is what newsgen did not bring.
    """

    release: Release | None = None
    begun: str = ""
    arrived: frozenset[str] = frozenset()
    strewn: dict[str, Entry] = {}
    astray: dict[str, str] = {}
    foreign: frozenset[str] = frozenset()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One file that will not be what it was: to `keep` is to leave it until its grace has passed."""

    action: Literal["add", "replace", "keep", "remove"]
    path: str
    reason: str
    kind: Kind
    size: int = 0
    arrived: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish does. `files` are all that the release holds, `old` is what stood there before."""

    release: Release
    old: Release | None
    changes: tuple[Change, ...]
    files: Mapping[str, File]

    def steps(self) -> list[list[File]]:
        """What travels, in the order of `step`."""
        steps: dict[int, list[File]] = {}
        for change in self.changes:
            if change.action in ("add", "replace") and not change.arrived:
                steps.setdefault(step(change.kind, new=change.action == "add"), []).append(self.files[change.path])
        return [steps[n] for n in sorted(steps)]

    @property
    def removed(self) -> list[str]:
        """What goes now."""
        return [c.path for c in self.changes if c.action == "remove"]

    @property
    def lost(self) -> list[str]:
        """Pages that answered and will not, now or when their grace has passed."""
        return lost(self.old.files if self.old else {}, self.files)

    @property
    def dropped(self) -> list[str]:
        """What the site had and has no more, counted once: when it is dropped, not when its grace has passed."""
        return sorted((self.old.files if self.old else {}).keys() - self.release.files.keys())


def lost(was: Mapping[str, Entry], files: Collection[str]) -> list[str]:
    """What readers may have in their bookmarks and will not find, so that its address is not to go without a word."""
    return sorted(p for p, e in was.items() if p not in files and e.kind not in ("fixed", "asset", "copy", "feed"))


def step(kind: Kind, *, new: bool) -> int:
    """When a file travels: no file of a step leads to what only comes with a later one.

    New pages are led to by no page that readers can reach, so that their order does not matter. But readers begin with
    the front page, and it comes last.
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
    """What brings a target from its state to these files. Raises PublishError where foreign files stand in the way."""
    give_way(state.foreign & files.keys())
    old = state.release
    stood = old.every if old else {}
    was = stood | state.strewn
    changes = []
    for path, file in files.items():
        reason, known = "", was.get(path)
        arrived = path in state.arrived
        if known is None:
            action: Literal["add", "replace"] = "add"
            reason = "new"
        else:
            action = "replace" if path in stood else "add"
            if known.digest != file.digest:
                reason = "its content differs"
            elif known.mark != file.mark:
                reason = "its headers differ"
            elif path in state.astray:
                reason = state.astray[path]
            elif arrived and path in state.strewn:
                reason = "sent by the publish before, which did not finish"
        if reason:
            changes.append(
                Change(action=action, path=path, reason=reason, kind=file.kind, size=file.size, arrived=arrived)
            )
    leaving = {}
    for path, entry in was.items():
        if path in files:
            continue
        before = old.leaving.get(path) if old else None
        since = before.since if before else now
        wait = (max(grace, FIXED) if entry.kind == "fixed" else grace) - (now - since)
        # What an unfinished publish brought may have been read as well.
        if wait > timedelta():
            leaving[path] = Leaving(entry, since)
            if not before:
                reason = f"the site has it no more; it answers for {_span(wait)} more"
                changes.append(Change(action="keep", path=path, reason=reason, kind=entry.kind))
        else:
            reason = "its grace has passed" if before else "the site has it no more"
            changes.append(Change(action="remove", path=path, reason=reason, kind=entry.kind))
    release = Release(
        id=state.begun or new_id(now),
        files={path: Entry.of(file) for path, file in files.items()},
        leaving=leaving,
        history=((old.id, *old.history) if old else ())[:keep],
        front=tuple(front),
    )
    return Plan(release=release, old=old, changes=tuple(changes), files=files)


def give_way(foreign: Collection[str]) -> None:
    """Raises PublishError where files of others stand where ours are to be."""
    if foreign:
        raise PublishError(
            f"what newsgen did not publish stands in the way: {some(sorted(foreign))}; move it away, or publish to "
            "another place"
        )


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"

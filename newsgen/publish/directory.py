"""A folder that a web server reads: each release in a folder of its own, and a link that says which one is current.

    PATH/current                -> releases/20261124-101500-000000
    PATH/releases/ID            the files of a release; those that did not change are the same files as in the one before
    PATH/releases/ID.json.gz    what is in it
    PATH/releases/incoming      a release that is not whole yet

The web server's root is PATH/current. The link is replaced in one rename(2): who opens a file before it gets the old
release, who opens one after it the new.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from newsgen.builder import FOLDER, Lock
from newsgen.config import Publish
from newsgen.errors import ConfigError, OutputError, PublishError
from newsgen.publish.address import Address
from newsgen.publish.files import File
from newsgen.publish.plan import Plan, Release, State, is_id
from newsgen.publish.target import Sent, Tell, busy
from newsgen.text import digest

CURRENT = "current"
RELEASES = "releases"
INCOMING = "incoming"


class Directory:
    """A folder on this machine."""

    form = "beside"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.shown
        self._root = Path(address.place)
        self._settings = settings
        self._releases = self._root / RELEASES
        self._current = self._root / CURRENT
        self._begun: list[Path] = []
        self._made = {self._releases / INCOMING}
        self._lock = Lock(self._releases / ".lock")
        real, source = self._root.resolve(), site.resolve()
        kept = [source / name for name in ("content", "templates", "static", FOLDER)]
        if real == source or any(real == k or k in real.parents for k in kept):
            raise ConfigError(f"{self.name}: is what the site is made of; publish to another folder")

    def look(self, files: Mapping[str, File]) -> State:  # noqa: ARG002
        """The current release; what else is in the folder is in nobody's way."""
        id = self._id()
        return State(release=self._read(id) if id else None)

    def _id(self) -> str:
        """The current release's name, "" where there is none."""
        try:
            folder, _, id = str(self._current.readlink()).rpartition("/")
        except FileNotFoundError:
            return ""
        except OSError:
            folder, id = "", ""
        if folder != RELEASES or not is_id(id):
            raise PublishError(f"{self._current}: was not made by newsgen; move it away, or publish to another folder")
        return id

    def _read(self, id: str) -> Release:
        place = self._releases / f"{id}.json.gz"
        try:
            return Release.unpacked(place.read_bytes(), str(place))
        except OSError as error:
            raise PublishError(f"{place}: cannot be read: {error.strerror}") from None

    def lock(self) -> None:
        try:
            for folder in (self._root, self._releases):
                if not folder.exists():
                    _open(folder)
                    self._begun.append(folder)
            self._lock.take()
        except OutputError:
            raise busy(self.name) from None
        except OSError as error:
            raise PublishError(f"{self.name}: cannot be written: {error.strerror}") from None

    def release(self) -> None:
        self._lock.release()
        # A publish that was refused leaves no trace.
        with contextlib.suppress(OSError):
            while self._begun:
                self._begun.pop().rmdir()

    def publish(self, plan: Plan, tell: Tell) -> Sent:
        sent = Sent()
        incoming = self._releases / INCOMING
        try:
            _open(incoming)
            self._sweep(incoming, {*plan.files, *plan.release.leaving})
            before = self._releases / plan.old.id if plan.old else None
            stood = plan.old.every if plan.old else {}
            for done, file in enumerate(plan.files.values(), 1):
                place = incoming / file.path
                self._above(place)
                if _is(place, file):
                    continue
                same = file.path in stood and stood[file.path].mark == file.mark
                if not (before and same and _linked(before / file.path, place, file.size)):
                    place.unlink(missing_ok=True)
                    shutil.copyfile(file.source, place)
                    place.chmod(0o644)
                    sent.files += 1
                    sent.bytes += file.size
                if done % 500 == 0:
                    tell("copying", done, len(plan.files))
            for path, left in plan.release.leaving.items():
                place = incoming / path
                self._above(place)
                if before and not place.exists():
                    _linked(before / path, place, left.entry.size)
            (self._releases / f"{plan.release.id}.json.gz").write_bytes(plan.release.packed())
            incoming.rename(self._releases / plan.release.id)
            self._switch(plan.release)
        except OSError as error:
            raise PublishError(f"{error.filename or self.name}: cannot be written: {error.strerror}") from None
        return sent

    def rollback(self, now: Release) -> None:
        if not (self._releases / now.history[0]).is_dir():
            raise PublishError(f"{self.name}: the release before is not there any more: there is no way back")
        try:
            self._point(now.history[0])
        except OSError as error:
            raise PublishError(f"{self._current}: cannot be written: {error.strerror}") from None

    def _switch(self, release: Release) -> None:
        """Shows a release that is whole, and removes those that nobody can go back to."""
        self._point(release.id)
        kept = {release.id, *release.history}
        for place in self._releases.iterdir():
            id = place.name.removesuffix(".json.gz")
            if is_id(id) and id not in kept:
                if place.is_dir():
                    shutil.rmtree(place)
                else:
                    place.unlink()

    def _point(self, id: str) -> None:
        fresh = self._root / f".{CURRENT}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(f"{RELEASES}/{id}", target_is_directory=True)
        fresh.replace(self._current)

    def _above(self, place: Path) -> None:
        """Makes the folders above a file of a release."""
        if place.parent not in self._made:
            self._above(place.parent)
            _open(place.parent)
            self._made.add(place.parent)

    @staticmethod
    def _sweep(incoming: Path, wanted: set[str]) -> None:
        """Removes what an unfinished publish left and this one does not want."""
        for folder, _, names in os.walk(incoming, topdown=False):
            for name in names:
                place = Path(folder, name)
                if place.relative_to(incoming).as_posix() not in wanted:
                    place.unlink()
            if Path(folder) != incoming:
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()


def _open(folder: Path) -> None:
    """Makes a folder that a web server can read, whatever the umask."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _is(place: Path, file: File) -> bool:
    """Whether the very bytes stand there already, as an unfinished publish leaves them."""
    try:
        return place.stat().st_size == file.size and digest(place.read_bytes()) == file.digest
    except OSError:
        return False


def _linked(source: Path, place: Path, size: int) -> bool:
    """Makes a file of an older release a file of this one too; not where it is not what it was."""
    try:
        if source.stat().st_size != size:
            return False
        place.unlink(missing_ok=True)
        os.link(source, place)
    except OSError:
        return False
    return True

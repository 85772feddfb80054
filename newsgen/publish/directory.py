"""Publishes to a local folder: each release has a folder of its own, and a symbolic link points to the current one.

    PATH/current                -> releases/20261124-101500-000000
    PATH/releases/ID            the files of a release; unchanged files are hard links to those of the release before
    PATH/releases/ID.json.gz    the record of the release
    PATH/releases/incoming      an unfinished release

The web server's root is PATH/current. One rename(2) replaces the link: files opened before it are of the old release,
files opened after it of the new one.
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
from newsgen.publish.target import OnProgress, Sent, locked_error
from newsgen.text import digest

CURRENT = "current"
RELEASES = "releases"
INCOMING = "incoming"


class Directory:
    """A folder on this machine."""

    layout = "beside"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.label
        self._root = Path(address.place)
        self._settings = settings
        self._releases = self._root / RELEASES
        self._current = self._root / CURRENT
        self._created: list[Path] = []
        self._existing = {self._releases / INCOMING}
        self._lock = Lock(self._releases / ".lock")
        real, source = self._root.resolve(), site.resolve()
        kept = [source / name for name in ("content", "templates", "static", FOLDER)]
        if real == source or any(real == k or k in real.parents for k in kept):
            raise ConfigError(f"{self.name}: is part of the site's sources; publish to another folder")

    def inspect(self, files: Mapping[str, File]) -> State:  # noqa: ARG002
        """The current release. Other files in the folder are never in the way."""
        id = self._current_id()
        return State(release=self._read_release(id) if id else None)

    def _current_id(self) -> str:
        """The id of the current release, "" if there is none."""
        try:
            folder, _, id = str(self._current.readlink()).rpartition("/")
        except FileNotFoundError:
            return ""
        except OSError:
            folder, id = "", ""
        if folder != RELEASES or not is_id(id):
            raise PublishError(
                f"{self._current}: was not created by newsgen; move it away, or publish to another folder"
            )
        return id

    def _read_release(self, id: str) -> Release:
        place = self._releases / f"{id}.json.gz"
        try:
            return Release.unpacked(place.read_bytes(), str(place))
        except OSError as error:
            raise PublishError(f"{place}: cannot be read: {error.strerror}") from None

    def lock(self) -> None:
        try:
            for folder in (self._root, self._releases):
                if not folder.exists():
                    _make_folder(folder)
                    self._created.append(folder)
            self._lock.take()
        except OutputError:
            raise locked_error(self.name) from None
        except OSError as error:
            raise PublishError(f"{self.name}: cannot be written: {error.strerror}") from None

    def release(self) -> None:
        self._lock.release()
        # Leave no empty folders behind if the publish was refused.
        with contextlib.suppress(OSError):
            while self._created:
                self._created.pop().rmdir()

    def publish(self, plan: Plan, on_progress: OnProgress) -> Sent:
        sent = Sent()
        incoming = self._releases / INCOMING
        try:
            _make_folder(incoming)
            self._remove_leftovers(incoming, {*plan.files, *plan.release.leaving})
            before = self._releases / plan.old.id if plan.old else None
            old_files = plan.old.all_files if plan.old else {}
            for done, file in enumerate(plan.files.values(), 1):
                place = incoming / file.path
                self._make_parents(place)
                if _has_bytes(place, file):
                    continue
                unchanged = file.path in old_files and old_files[file.path].mark == file.mark
                if not (before and unchanged and _hard_link(before / file.path, place, file.size)):
                    _copy(Path(file.source), place)
                    sent.files += 1
                    sent.bytes += file.size
                if done % 500 == 0:
                    on_progress("copying", done, len(plan.files))
            for path, retained in plan.release.leaving.items():
                place = incoming / path
                self._make_parents(place)
                # An unfinished publish may have left another version of it.
                if before and not _hard_link(before / path, place, retained.entry.size):
                    with contextlib.suppress(FileNotFoundError):
                        _copy(before / path, place)
            (self._releases / f"{plan.release.id}.json.gz").write_bytes(plan.release.packed())
            incoming.rename(self._releases / plan.release.id)
            self._activate(plan.release)
        except OSError as error:
            raise PublishError(f"{error.filename or self.name}: cannot be written: {error.strerror}") from None
        return sent

    def rollback(self, now: Release) -> None:
        if not (self._releases / now.history[0]).is_dir():
            raise PublishError(f"{self.name}: cannot roll back: the previous release is missing")
        try:
            self._point_current_to(now.history[0])
        except OSError as error:
            raise PublishError(f"{self._current}: cannot be written: {error.strerror}") from None

    def _activate(self, release: Release) -> None:
        """Makes a complete release current, and removes those that no rollback can reach."""
        self._point_current_to(release.id)
        kept = {release.id, *release.history}
        for place in self._releases.iterdir():
            id = place.name.removesuffix(".json.gz")
            if is_id(id) and id not in kept:
                if place.is_dir():
                    shutil.rmtree(place)
                else:
                    place.unlink()

    def _point_current_to(self, id: str) -> None:
        new_link = self._root / f".{CURRENT}"
        new_link.unlink(missing_ok=True)
        new_link.symlink_to(f"{RELEASES}/{id}", target_is_directory=True)
        new_link.replace(self._current)

    def _make_parents(self, place: Path) -> None:
        """Creates the parent folders of a file of a release."""
        if place.parent not in self._existing:
            self._make_parents(place.parent)
            _make_folder(place.parent)
            self._existing.add(place.parent)

    @staticmethod
    def _remove_leftovers(incoming: Path, wanted: set[str]) -> None:
        """Removes files that an unfinished publish left and that this one does not need."""
        for folder, _, names in os.walk(incoming, topdown=False):
            for name in names:
                place = Path(folder, name)
                if place.relative_to(incoming).as_posix() not in wanted:
                    place.unlink()
            if Path(folder) != incoming:
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()


def _make_folder(folder: Path) -> None:
    """Creates a folder that a web server can read, whatever the umask."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True)
        folder.chmod(0o755)


def _has_bytes(place: Path, file: File) -> bool:
    """Whether the file exists with the same bytes, as an unfinished publish leaves it."""
    try:
        return place.stat().st_size == file.size and digest(place.read_bytes()) == file.digest
    except OSError:
        return False


def _copy(source: Path, place: Path) -> None:
    """Copies a file into this release. A file that is there may be a hard link to one of an older release."""
    place.unlink(missing_ok=True)
    shutil.copyfile(source, place)
    place.chmod(0o644)


def _hard_link(source: Path, place: Path, size: int) -> bool:
    """Hard-links a file of an older release into this one. Returns False if that fails or the file's size differs."""
    try:
        if source.stat().st_size != size:
            return False
        place.unlink(missing_ok=True)
        os.link(source, place)
    except OSError:
        return False
    return True

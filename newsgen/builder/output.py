"""Writes output files and removes those that are no longer planned. Only files in the manifest are ever removed.

All files, new folders and manifests are first written to a staging folder inside the output folder, so the output does
not change until everything is rendered and on the disk. `commit` then moves them into place by atomic renames: new
files first, as whole folders where the folder is new, then changed files, which may link to new ones. Removals come
last. Before the first move, the manifest lists all files about to appear. A build killed at any moment leaves complete
files, and the next build knows that newsgen wrote them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from newsgen.builder.manifest import MANIFEST, PENDING, Manifest, Record
from newsgen.errors import NewsgenError, OutputError
from newsgen.files import Stamp, stamp
from newsgen.text import digest

STAGING = ".newsgen-staging"

CONFLICT = Record("", "", "", -1, -1)
"""The result of staging a file when another staged file is at its path or at the path of one of its folders."""

_LINK = "'{}' is a symbolic link, and newsgen writes only to real folders; remove the link"
_BINARY = getattr(os, "O_BINARY", 0)


class Lock:
    """A lock on a folder, held by one process at a time. The operating system frees it when the process ends.

    The lock is on a file in the folder. Releasing it removes the file, and the folder if it is empty.
    """

    name = "lock"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def take(self) -> None:
        """Acquires the lock. Raises OutputError if another process holds it, OSError if the file system refuses."""
        location = self._folder / self.name
        while self._file is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                if self._folder.is_file():
                    raise
                continue  # another process has just removed it
            try:
                file = os.open(location, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:
                continue
            try:
                _lock(file)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file), os.stat(location)):
                        self._file = file
            except (BlockingIOError, PermissionError):
                raise OutputError(
                    f"another build is writing to '{self._folder.parent}'; wait until it has finished"
                ) from None
            finally:
                if self._file is None:
                    os.close(file)

    @contextlib.contextmanager
    def held(self, busy: NewsgenError, place: Path) -> Iterator[None]:
        """Holds the lock for a while. Raises `busy` if another process holds it.

        If the file system refuses, raises an error of the same type, which names the folder `place`.
        """
        try:
            self.take()
        except OutputError:
            raise busy from None
        except OSError as error:
            raise type(busy)(f"{place}: cannot be written: {error.strerror}") from None
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Releases the lock. Does nothing if this process does not hold it."""
        if self._file is None:
            return
        location, file, self._file = self._folder / self.name, self._file, None
        # Windows cannot remove an open file. Elsewhere, remove it before closing: nobody may lock a file about to go.
        if sys.platform != "win32":
            location.unlink(missing_ok=True)
        os.close(file)
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                location.unlink()
            self._folder.rmdir()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
else:
    import fcntl

    def _lock(file: int) -> None:
        # Not flock: worker processes inherit its locks and keep them when this process is killed.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Output:
    """The output folder. Its methods raise OutputError if the file system refuses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix = f"{root}{os.sep}"
        self._staging = root / STAGING
        self._lock = Lock(root / STAGING)
        self._folders: set[str] = set()
        self._created_root = False
        self.stamp: Stamp | None = None
        """The stamp of the manifest, set by `commit`."""

    def manifest(self, known: tuple[Stamp, Manifest] | None = None) -> Manifest:
        """The manifest of the last build; empty if there is none or it is damaged.

        `known` is a manifest with its stamp; it saves reading a file that still has this stamp.
        """
        if known and known[0] == stamp(self.root / MANIFEST):
            return known[1]
        try:
            return Manifest.read(self.root / MANIFEST)
        except OSError:
            return Manifest()

    def is_intact(self, path: str, record: Record, *, verify: bool = False) -> bool:
        """Whether a file is unchanged since it was written, by size and mtime; with `verify`, also by its bytes."""
        try:
            status = os.lstat(self._prefix + path)
            is_same = status.st_mtime_ns == record.mtime and status.st_size == record.size
            return is_same and (not verify or digest((self.root / path).read_bytes()) == record.content)
        except OSError:
            return False

    def open(self) -> None:
        """Creates and locks the folder, and empties its staging folder."""
        self._created_root = not self.root.exists()
        try:
            self._take_lock()
            self._empty_staging()
        except OSError as error:
            self._lock.release()
            raise OutputError(f"{self.root}: cannot be written: {error.strerror}") from None

    def _take_lock(self) -> None:
        if self._staging.is_symlink():
            raise OutputError(_LINK.format(self._staging))
        self._lock.take()

    def tidy(self) -> None:
        """Removes the staging folder that a killed build left. Leaves it alone while another build holds the lock."""
        try:
            if not S_ISDIR(os.lstat(self._staging).st_mode):
                return
        except OSError:
            return
        with contextlib.suppress(OSError, OutputError):
            self._lock.take()
            try:
                self._empty_staging()
            finally:
                self._lock.release()

    def stage(self, path: str, data: bytes, run: str, record: Record | None) -> Record | None:
        """Writes a file to the staging folder of a `run`, unless the output file already has the same bytes.

        `record` is the last build's record of the path. In the record returned, `page` is left for the caller to fill,
        and `template` holds the run, or "" if there is nothing to move. None means that a file exists which newsgen did
        not write. `CONFLICT` must not reach `commit`: stage the file again once the conflicting file is unstaged.
        """
        content = digest(data)
        location = self._prefix + path
        try:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                status = os.lstat(location)
                if S_ISREG(status.st_mode) and status.st_size == len(data) and Path(location).read_bytes() == data:
                    return Record("", "", content, len(data), status.st_mtime_ns)
                if record is None:
                    return None
            parent = path.rpartition("/")[0]
            try:
                self._make_folder(f"{run}/{parent}" if parent else run)
                file = os.open(self._staged(run, path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                return CONFLICT
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
                return Record("", run, content, len(data), os.fstat(file).st_mtime_ns)
            finally:
                os.close(file)
        except OSError as error:
            raise OutputError(f"{location}: cannot be written: {error.strerror}") from None

    def text(self, path: str, run: str = "") -> str:
        """The text of a file, as a `run` staged it or as it is in the folder; "" if there is none."""
        try:
            return Path(self._staged(run, path) if run else self._prefix + path).read_text("utf-8", "replace")
        except OSError:
            return ""

    def unstage(self, path: str, run: str) -> None:
        """Removes a staged file."""
        with contextlib.suppress(OSError):
            os.unlink(self._staged(run, path))
            os.removedirs(os.path.dirname(self._staged(run, path)))
        self._folders.clear()

    def _staged(self, run: str, path: str) -> str:
        return f"{self._staging}{os.sep}{run}{os.sep}{path}"

    def _make_folder(self, folder: str) -> None:
        """Creates a folder and its parents in the staging folder. Other processes may do the same concurrently."""
        if folder in self._folders:
            return
        parent = folder.rpartition("/")[0]
        if parent:
            self._make_folder(parent)
        try:
            os.mkdir(f"{self._staging}{os.sep}{folder}")
        except FileExistsError:
            if not os.path.isdir(f"{self._staging}{os.sep}{folder}"):
                raise
        self._folders.add(folder)

    def commit(self, staged: Mapping[str, str], removed: list[str], manifest: Manifest, old: Manifest) -> None:
        """Moves staged files into place and removes files, which `old` lists and `manifest` does not.

        `staged` maps the path of a file to the run that staged it.
        """
        try:
            if manifest != old:
                manifest.write(self._staging / "after")
            if staged or removed:
                old.updated(dict.fromkeys(staged, PENDING)).write(self._staging / "before")
                for path in self._obstacles(staged, removed):
                    self._remove(path)
                moves = self._order_moves(staged)
                os.replace(self._staging / "before", self.root / MANIFEST)
                for path, run in moves.items():
                    os.replace(self._staged(run, path), self._prefix + path)
            for path in removed:
                self._remove(path)
            if manifest != old:
                os.replace(self._staging / "after", self.root / MANIFEST)
            self.stamp = stamp(self.root / MANIFEST)
        except OSError as error:
            raise OutputError(f"{error.filename or self.root}: cannot be written: {error.strerror}") from None
        finally:
            self.abandon()

    def _order_moves(self, staged: Mapping[str, str]) -> dict[str, str]:
        """The paths to rename, in order: new folders and files first, then files that replace others."""
        new: dict[str, str] = {}
        replacing: dict[str, str] = {}
        exists: dict[str, bool] = {}
        for path, run in staged.items():
            for at, c in enumerate(path):
                if c != "/":
                    continue
                folder = path[:at]
                if folder not in exists:
                    exists[folder] = self._is_folder(folder)
                if not exists[folder]:
                    new[folder] = run
                    break
            else:
                (replacing if os.path.lexists(self._prefix + path) else new)[path] = run
        return new | replacing

    def _is_folder(self, path: str) -> bool:
        """Whether a folder exists. Raises OutputError for a symbolic link: it may lead out of the output folder."""
        location = self._prefix + path
        if os.path.islink(location):
            raise OutputError(_LINK.format(location))
        if os.path.isdir(location):
            return True
        if os.path.lexists(location):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), location)
        return False

    @staticmethod
    def _obstacles(staged: Iterable[str], removed: list[str]) -> list[str]:
        """The removed files that block staged ones: at the path of a folder, or in a folder at the path of a file."""
        if not removed:
            return []
        files, folders = set(staged), {path[:i] for path in staged for i, c in enumerate(path) if c == "/"}
        return [p for p in removed if p in folders or any(p[:i] in files for i, c in enumerate(p) if c == "/")]

    def abandon(self) -> None:
        """Discards staged files and releases the lock. Removes the output folder if it is new and empty."""
        with contextlib.suppress(OSError):
            self._empty_staging()
        self._lock.release()
        if self._created_root:
            with contextlib.suppress(OSError):
                self.root.rmdir()

    def _empty_staging(self) -> None:
        import shutil  # imported late: a build without changes does not need it

        if self._staging.is_symlink():
            return
        with os.scandir(self._staging) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                elif entry.name != self._lock.name:
                    os.unlink(entry.path)

    def clean(self) -> list[str]:
        """Removes every file that newsgen wrote, the manifest and the staging folder; returns the paths of the files.

        Raises OutputError if another build holds the lock.
        """
        if not self.root.is_dir():
            return []
        try:
            self._take_lock()
            try:
                removed = [*self.manifest().paths]
                for path in removed:
                    self._remove(path)
                (self.root / MANIFEST).unlink(missing_ok=True)
                self._empty_staging()
            finally:
                self._lock.release()
            if self.root.is_dir() and not any(self.root.iterdir()):
                self.root.rmdir()
        except OSError as error:
            raise OutputError(f"{error.filename or self.root}: cannot be removed: {error.strerror}") from None
        return removed

    def _remove(self, path: str) -> None:
        location = self.root / path
        if any((self.root / path[:i]).is_symlink() for i, c in enumerate(path) if c == "/"):
            return
        location.unlink(missing_ok=True)
        for folder in location.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

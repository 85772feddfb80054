"""Files are written, and what is no longer planned goes: only what newsgen itself wrote, as its manifest says.

Nothing that readers see changes until all is rendered: files wait in a staging folder inside the output folder, and so
do the folders and manifests that need space on the disk. Then they are moved into place: what is new first, whole folders
where these are, then the files that may link to it one by one, and what goes goes last. Before the first move the manifest names all that is about to
come, so that a build killed at any moment leaves whole files, of which the next build knows that they are ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from stat import S_ISREG

import msgspec

from newsgen.errors import OutputError
from newsgen.files import Stamp, stamp
from newsgen.text import digest

MANIFEST = ".newsgen-manifest.json"
STAGING = ".newsgen-staging"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was written: digests of its page and of its bytes, its template's name, its size and mtime in ns."""

    page: str
    template: str
    content: str
    size: int
    mtime: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All files that newsgen wrote into a folder, and what beside their pages they were made of."""

    engine: str = ""
    site: str = ""
    flags: str = ""
    templates: dict[str, str] = {}
    files: dict[str, Record] = {}


# No absolute path, no drive, no part that is empty or climbs.
_is_inside = re.compile(r"(?![^/]*:)(?>(?!\.\.?(?:/|\Z))[^/\\\0]+(?:/(?!\Z)|\Z))+").fullmatch


CLASH = Record("", "", "", -1, -1)
"""What is said of a file that cannot be staged, as another one is where it, or its folder, would be."""

_BINARY = getattr(os, "O_BINARY", 0)


class Lock:
    """A folder that one process at a time has; when the process ends, however it ends, another can have it.

    What is locked is a file in the folder; both go when it is released.
    """

    name = "lock"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None

    def take(self) -> None:
        """Raises OutputError where another process has it, OSError where the disk refuses."""
        place = self._folder / self.name
        while self._file is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                if self._folder.is_file():
                    raise
                continue  # another process was just done with it
            try:
                file = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:
                continue
            try:
                _lock(file)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(file), os.stat(place)):
                        self._file = file
            except (BlockingIOError, PermissionError):
                raise OutputError(
                    f"{self._folder.parent}: another build is writing here; wait until it is done"
                ) from None
            finally:
                if self._file is None:
                    os.close(file)

    def release(self) -> None:
        """Lets others have it."""
        if self._file is None:
            return
        place, file, self._file = self._folder / self.name, self._file, None
        # Windows removes no file that is open; elsewhere nobody may take one that is about to go.
        if sys.platform != "win32":
            place.unlink(missing_ok=True)
        os.close(file)
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                place.unlink()
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
        # Not flock: its locks live on in worker processes when this one is killed.
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Output:
    """The output folder. Every method raises OutputError where the disk refuses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._prefix = f"{root}{os.sep}"
        self._staging = root / STAGING
        self._lock = Lock(root / STAGING)
        self._folders: set[str] = set()
        self._is_new = False
        self.stamp: Stamp | None = None
        """The manifest's, once something is committed."""

    def manifest(self, known: tuple[Stamp, Manifest] | None = None) -> Manifest:
        """What the last build wrote; empty where there was none or its list is damaged. `known` is one of a stamp."""
        if known and known[0] == stamp(self.root / MANIFEST):
            return known[1]
        try:
            found = msgspec.json.decode((self.root / MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return Manifest()
        return msgspec.structs.replace(found, files={p: r for p, r in found.files.items() if _is_inside(p)})

    def stands(self, path: str, record: Record, *, verify: bool = False) -> bool:
        """Whether a file is still as it was written: by its size and time, or to be sure by its bytes."""
        try:
            found = os.lstat(self._prefix + path)
            same = found.st_mtime_ns == record.mtime and found.st_size == record.size
            return same and (not verify or digest((self.root / path).read_bytes()) == record.content)
        except OSError:
            return False

    def open(self) -> None:
        """Makes the folder and an empty staging folder, which no other build may use until this one is done."""
        self._is_new = not self.root.exists()
        try:
            self._lock.take()
            self._empty()
        except OSError as error:
            self._lock.release()
            raise OutputError(f"{self.root}: cannot be written: {error.strerror}") from None

    def stage(self, path: str, data: bytes, run: str, record: Record | None) -> Record | None:
        """Keeps a file's bytes for `commit`, in the staging folder's tree of that `run`; not where the very bytes stand already.

        `record` is what the last build wrote at the path. The result's page is for the caller to fill; its template is
        the run, "" where nothing is to be moved. None says that newsgen did not write what stands there. `CLASH` is
        not for `commit`: once what is in the way is unstaged, the file can be staged.
        """
        content = digest(data)
        place = self._prefix + path
        try:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                found = os.lstat(place)
                if S_ISREG(found.st_mode) and found.st_size == len(data) and Path(place).read_bytes() == data:
                    return Record("", "", content, len(data), found.st_mtime_ns)
                if record is None:
                    return None
            above = path.rpartition("/")[0]
            try:
                self._make(f"{run}/{above}" if above else run)
                file = os.open(self._staged(run, path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
            except (FileExistsError, IsADirectoryError, NotADirectoryError):
                return CLASH
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
                return Record("", run, content, len(data), os.fstat(file).st_mtime_ns)
            finally:
                os.close(file)
        except OSError as error:
            raise OutputError(f"{place}: cannot be written: {error.strerror}") from None

    def unstage(self, path: str, run: str) -> None:
        """Forgets a staged file."""
        with contextlib.suppress(OSError):
            os.unlink(self._staged(run, path))
            os.removedirs(os.path.dirname(self._staged(run, path)))
        self._folders.clear()

    def _staged(self, run: str, path: str) -> str:
        return f"{self._staging}{os.sep}{run}{os.sep}{path}"

    def _make(self, folder: str) -> None:
        """Makes a folder in the staging folder, with those above it; other processes may do so too."""
        if folder in self._folders:
            return
        above = folder.rpartition("/")[0]
        if above:
            self._make(above)
        try:
            os.mkdir(f"{self._staging}{os.sep}{folder}")
        except FileExistsError:
            if not os.path.isdir(f"{self._staging}{os.sep}{folder}"):
                raise
        self._folders.add(folder)

    def commit(self, staged: Mapping[str, str], manifest: Manifest, old: Manifest) -> list[str]:
        """Moves staged files (by path, the runs that staged them) into place, removes what is no longer ours, says what went."""
        gone = [p for p in old.files if p not in manifest.files]
        try:
            self._stage(manifest, "after")
            if staged or gone:
                coming = {p: Record("", "", "", -1, -1) for p in staged}
                self._stage(msgspec.structs.replace(old, files={**old.files, **coming}), "before")
                for path in self._blocked(staged, gone):
                    self._remove(path)
                moves = self._moves(staged)
                os.replace(self._staging / "before", self.root / MANIFEST)
                for path, run in moves.items():
                    os.replace(self._staged(run, path), self._prefix + path)
            for path in gone:
                self._remove(path)
            if manifest != old:
                os.replace(self._staging / "after", self.root / MANIFEST)
            self.stamp = stamp(self.root / MANIFEST)
        except OSError as error:
            raise OutputError(f"{error.filename or self.root}: cannot be written: {error.strerror}") from None
        finally:
            self.abandon()
        return gone

    def _moves(self, staged: Mapping[str, str]) -> dict[str, str]:
        """What to move, in its order: what is new first, as whole folders where these are, and then what replaces a file."""
        new: dict[str, str] = {}
        known: dict[str, str] = {}
        there: dict[str, bool] = {}
        for path, run in staged.items():
            for at, c in enumerate(path):
                if c != "/":
                    continue
                folder = path[:at]
                if folder not in there:
                    there[folder] = self._is_folder(folder)
                if not there[folder]:
                    new[folder] = run
                    break
            else:
                (known if os.path.lexists(self._prefix + path) else new)[path] = run
        return new | known

    def _is_folder(self, path: str) -> bool:
        """Whether there is a folder; a link to one would lead out of the output folder."""
        place = self._prefix + path
        if os.path.islink(place):
            raise OutputError(f"{place}: is a link; newsgen writes into real folders only: remove it")
        if os.path.isdir(place):
            return True
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), place)
        return False

    @staticmethod
    def _blocked(staged: Iterable[str], gone: list[str]) -> list[str]:
        """What goes and is where a folder has to be, or in a folder that is where a file has to be."""
        if not gone:
            return []
        files, above = set(staged), {path[:i] for path in staged for i, c in enumerate(path) if c == "/"}
        return [p for p in gone if p in above or any(p[:i] in files for i, c in enumerate(p) if c == "/")]

    def abandon(self) -> None:
        """Throws away what is staged, and lets others build; a folder that was made for nothing goes."""
        with contextlib.suppress(OSError):
            self._empty()
        self._lock.release()
        if self._is_new:
            with contextlib.suppress(OSError):
                self.root.rmdir()

    def _empty(self) -> None:
        import shutil  # a build that changes nothing has no use for it

        with os.scandir(self._staging) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                elif entry.name != self._lock.name:
                    os.unlink(entry.path)

    def clean(self) -> list[str]:
        """Removes every file that newsgen wrote, and its manifest."""
        import shutil

        gone = list(self.manifest().files)
        try:
            for path in gone:
                self._remove(path)
            (self.root / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(self._staging, ignore_errors=True)
            if self.root.is_dir() and not any(self.root.iterdir()):
                self.root.rmdir()
        except OSError as error:
            raise OutputError(f"{error.filename or self.root}: cannot be removed: {error.strerror}") from None
        return gone

    def _stage(self, manifest: Manifest, name: str) -> None:
        (self._staging / name).write_bytes(msgspec.json.encode(manifest))

    def _remove(self, path: str) -> None:
        place = self.root / path
        if any((self.root / path[:i]).is_symlink() for i, c in enumerate(path) if c == "/"):
            return
        place.unlink(missing_ok=True)
        for folder in place.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

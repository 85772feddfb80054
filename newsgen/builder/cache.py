"""The cache: results of earlier builds in one SQLite file. Deleting it costs time and never changes the output.

Each entry has a checksum, and the file records the engine that wrote it. A cache that is damaged, locked, on a full
disk or from another engine is ignored silently.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import newsgen
from newsgen import files
from newsgen.store import LostError
from newsgen.text import digest_bytes

FOLDER = ".newsgen"
"""The cache folder, inside the site's folder. Everything in it may be deleted."""

_FILE = "cache.db"
_STAMP = "cache.stamp"
_FORMAT = 2
_PAGE = 16384
"""The size of a page of the file, in bytes."""

_MEMORY, _MEMORY_OF_UPDATES = 16 << 20, 4 << 20
"""The size of the memory for pages, in bytes. A first build writes to all parts of the file, an update to few."""

_TRANSIENT = ("locked", "full", "readonly", "unable to open")
_ROOMS = ("", "builder", "content", "library", "pages", "stories")
"""The rooms whose code affects the output."""

_LIBRARIES = (
    "babel",
    "jinja2",
    "markdown",
    "msgspec",
    "nh3",
    "pillow",
    "publicsuffixlist",
    "python-frontmatter",
    "pyyaml",
    "tzdata",
    "yaml-rs",
)
_INSTALLED = re.compile(r"(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")


@cache
def engine(version: str = "") -> str:
    """32 hex digits that change whenever the same input could give different output.

    They cover newsgen's own code, the versions of the libraries that affect the output, and the Python version. The
    library versions are read from folder names, because importlib.metadata is forty times slower.
    """
    home = Path(newsgen.__file__).parent
    code = [file for room in _ROOMS for file in sorted((home / room).glob("*.py"))]
    parts = [version or newsgen.__version__, f"{sys.version_info.major}.{sys.version_info.minor}"]
    parts += [f"{file.relative_to(home)} {digest_bytes(file.read_bytes()).hex()}" for file in code]
    versions = installed_versions()
    parts += [f"{name} {versions.get(name, '')}" for name in _LIBRARIES]
    return digest_bytes("\n".join(parts).encode()).hex()


@cache
def installed_versions() -> dict[str, str]:
    """The version of each installed package, by its name."""
    versions: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(folder or ".")):
                if name.endswith("-info") and (match := _INSTALLED.fullmatch(name)):
                    versions.setdefault(match[1].lower().replace("_", "-"), match[2])
    return versions


class CachedValues(dict[str, bytes]):
    """Some values of a cache by name, without its file: the cache of a worker process."""

    put = dict[str, bytes].__setitem__


class CachedFile(NamedTuple):
    """A cached content file: its stamp (b"" if unreliable), the digest of its bytes, and its encoded parsed result."""

    id: str
    stamp: bytes
    digest: bytes
    data: bytes


class Cache:
    """Reads and writes the cache file. Nothing another build sees is written before `save`.

    Values that belong to one state, such as the library of an output folder, have a prefix in common. Only a build that
    has called `begin` may write; until it saves or closes, no other build can.

    No method raises an error when the file cannot be read or written, except that a damaged value raises LostError.
    """

    def __init__(self, site: Path, engine: str) -> None:
        self._folder = site / FOLDER
        self._origin = f"{_FORMAT} {engine}".encode()
        self._turn: bytes | None = None
        self._damaged = False
        self.is_private = self._is_saved = False
        self._is_intact: bool | None = None
        self._overlay: dict[str, CachedFile] | None = None
        self._hides_files = False
        self._begun: bool | None = None
        # Threads of a preview ask for pages while another one builds; SQLite crashes if one of them closes the file.
        self._lock = threading.RLock()
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        path = self._folder / _FILE
        if not path.exists():
            return None
        connection = None
        self._damaged = path.is_dir()
        try:
            connection = _connect(path)
            values = dict(connection.execute("SELECT name, value FROM kept WHERE name IN ('made', 'turn')"))
            self._turn = values.get("turn")
            if values.get("made") == self._origin:
                return connection
        except (sqlite3.Error, OSError) as error:
            self._damaged = self._damaged or not _is_transient(error)
        if connection:
            connection.close()
        return None

    @property
    def is_intact(self) -> bool:
        """Whether all values are as they were saved. The checksums of single values do not show that one is gone.

        If only newsgen has written to the file, they are. Otherwise, as for a copy, the whole file is looked through.
        """
        if self._is_intact is None:
            try:
                known = (self._folder / _STAMP).read_bytes()
            except OSError:
                known = b""
            self._is_intact = known == _stamp(self._folder / _FILE) != b"" or self._verify()
        return self._is_intact

    def _verify(self) -> bool:
        """Looks through the whole file: its structure, and the number and the checksums of its values."""
        try:
            if self._connection is None or self._connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                return False
            count = 0
            for name, check, value in self._connection.execute("SELECT name, sum, value FROM kept"):
                if check != _checksum(name.encode(), value):
                    return False
                count += 1
            return self.get("count") == b"%d" % count
        except (sqlite3.Error, OSError, AttributeError):
            return False

    def begin_reading(self) -> bool:
        """Prepares for reading only: content files that are put stay in memory, other values are dropped.

        Returns whether the values that were there before can be used. Until `release`, no other build can save.
        """
        self._overlay = {}
        is_intact = self.is_intact
        try:
            if self._connection:
                self._connection.execute("BEGIN")
                return is_intact and self.get("turn") == self._turn
        except sqlite3.Error:
            self.close()
        return False

    @property
    def is_read_only(self) -> bool:
        """Whether what is written stays in memory or is dropped."""
        return self._overlay is not None

    def release(self) -> None:
        """Lets other builds save. What is read later may be theirs."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection and self._overlay is not None:
                self._connection.execute("ROLLBACK")

    def begin(self) -> bool:
        """Prepares for writing. Returns whether the values that were there before can be used.

        If the file is in use or cannot be written, the cache is empty, and `save` does nothing.
        """
        if self._begun is None:
            self._begun = self._begin()
        return self._begun

    def _begin(self) -> bool:
        found = self._connection
        is_intact = found is not None and self.is_intact
        try:
            if found is None or not is_intact:
                # The index of a damaged file may lead to wrong rows, so it is never written to again.
                files, reader = (list(self.files()), self.get("reader")) if found else ([], None)
                self.close()
                self._ensure_unused()
                self.drop(self._folder.parent)
                self._folder.mkdir(exist_ok=True)
                found = self._connection = _connect(self._folder / _FILE)
                found.execute(f"PRAGMA page_size = {_PAGE}")
            # A machine crash may damage the file. The next build then starts a new one.
            found.execute("PRAGMA synchronous = OFF")
            found.execute(f"PRAGMA cache_size = -{(_MEMORY_OF_UPDATES if is_intact else _MEMORY) >> 10}")
            found.execute("BEGIN IMMEDIATE")
            if is_intact:
                return self.get("turn") == self._turn
            self._create(found)
            self._write("made", self._origin)
            self.put("reader", reader)
            for file in files:
                self.put_file(file)
        except (sqlite3.Error, OSError) as error:
            self._damaged = not _is_transient(error)
            self.begin_privately()
        return False

    def _ensure_unused(self) -> None:
        """Raises sqlite3.Error if another build is writing to the file."""
        path = self._folder / _FILE
        if path.is_file():
            with contextlib.closing(_connect(path)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.Error as error:
                    if _is_transient(error):
                        raise

    def begin_privately(self) -> None:
        """Goes on with an empty cache in a temporary file, which the system removes."""
        self.close()
        self._overlay, self._hides_files = None, False
        self._connection = _connect("")
        self._connection.execute("BEGIN")
        self._create(self._connection)
        self.is_private = True

    @staticmethod
    def _create(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, sum INTEGER, value BLOB)")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, stamp BLOB, digest BLOB, sum INTEGER, data BLOB)"
        )

    # Content files

    def files(self) -> Iterator[CachedFile]:
        """All cached content files, except those that were put into memory."""
        with contextlib.suppress(LostError):
            for row in self._rows("SELECT id, stamp, digest, sum, data FROM files"):
                if file := _checked(row):
                    yield file

    def ids(self) -> list[str]:
        """The ids of all cached content files, except those that were put into memory."""
        try:
            return [id for (id,) in self._rows("SELECT id FROM files")]
        except LostError:
            return []

    def file(self, id: str) -> CachedFile | None:
        """A cached content file."""
        if self._overlay and id in self._overlay:
            return self._overlay[id]
        if self._hides_files:
            return None
        try:
            rows = self._rows("SELECT id, stamp, digest, sum, data FROM files WHERE id = ?", id)
            return next((file for row in rows if (file := _checked(row))), None)
        except LostError:
            return None

    def put_file(self, file: CachedFile) -> None:
        """Stores a content file."""
        if self._overlay is not None:
            self._overlay[file.id] = file
            return
        self._run("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", *file[:3], _file_checksum(*file), file.data)

    def remove_file(self, id: str) -> None:
        """Drops a content file."""
        self._run("DELETE FROM files WHERE id = ?", id)

    def clear_files(self) -> None:
        """Drops all content files."""
        if self._overlay is not None:
            self._overlay, self._hides_files = {}, True
            return
        self._run("DELETE FROM files")

    # Values

    def get(self, name: str) -> bytes | None:
        """The value with this name; None also if it is damaged."""
        try:
            return self.fetch(name)
        except LostError:
            return None

    def fetch(self, name: str) -> bytes | None:
        """The value with this name. Raises LostError if it is damaged."""
        for check, value in self._rows("SELECT sum, value FROM kept WHERE name = ?", name):
            if check != _checksum(name.encode(), value):
                raise LostError(name)
            return bytes(value)
        return None

    def put(self, name: str, value: bytes | None) -> None:
        """Stores a value, or drops it (None)."""
        if value is None:
            self._run("DELETE FROM kept WHERE name = ?", name)
        else:
            self._write(name, value)

    def mark(self) -> None:
        """Marks the place to which `undo` goes back."""
        self._run("SAVEPOINT state")

    def undo(self) -> None:
        """Takes back what was written since `mark`."""
        self._run("ROLLBACK TO state")

    def clear(self, prefix: str) -> None:
        """Drops all values whose names begin with a prefix."""
        self._run("DELETE FROM kept WHERE name >= ? AND name < ?", prefix, prefix + "\U0010ffff")

    def _write(self, name: str, value: bytes) -> None:
        self._run("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", name, _checksum(name.encode(), value), value)

    def _rows(self, query: str, *values: str) -> list[Any]:
        """The rows of a query. Raises LostError if the file is damaged."""
        with self._lock:
            try:
                if self._connection is None and self._is_saved:
                    self._connection = self._open()
                return self._connection.execute(query, values).fetchall() if self._connection else []
            except (sqlite3.Error, OSError, TypeError) as error:
                self._damaged = self._damaged or not _is_transient(error)
                raise LostError(query) from None

    def _run(self, query: str, *values: object) -> None:
        """Changes the file, if it can be changed."""
        try:
            if self._connection and self._overlay is None and self._connection.in_transaction:
                self._connection.execute(query, values)
        except (sqlite3.Error, OSError) as error:
            self._damaged = self._damaged or not _is_transient(error)
            self.close()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_private and self._overlay is None:
            self.close()

    def close(self) -> None:
        """Closes the file and discards everything that is not saved. Reading what was saved opens it again."""
        with self._lock:
            if self._connection:
                self._connection.close()
                self._connection = None

    def save(self) -> None:
        """Makes what was written lasting, then closes the file."""
        if self._overlay is not None:
            return
        if self.is_private:
            if self._damaged:
                with contextlib.suppress(OSError):
                    self.drop(self._folder.parent)
            return
        try:
            if self._connection and self._connection.in_transaction:
                self._write("turn", os.urandom(16))
                self._write("count", b"")
                count = self._connection.execute("SELECT count(*) FROM kept").fetchone()[0]
                self._write("count", b"%d" % count)
                self._connection.execute("COMMIT")
                self.close()
                (self._folder / _STAMP).write_bytes(_stamp(self._folder / _FILE))
                self._is_saved = True
        except (sqlite3.Error, OSError) as error:
            if not _is_transient(error):
                self.close()
                with contextlib.suppress(OSError):
                    self.drop(self._folder.parent)
        finally:
            self.close()

    @staticmethod
    def drop(site: Path) -> None:
        """Removes the file."""
        for name in (_FILE, _FILE + "-journal", _STAMP):
            path = site / FOLDER / name
            if path.is_dir():
                import shutil

                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _checked(row: Any) -> CachedFile | None:
    """A content file from its row; None if that is damaged."""
    id, stamp, digest, check, data = row
    return CachedFile(id, stamp, digest, data) if check == _file_checksum(id, stamp, digest, data) else None


def _file_checksum(id: object, stamp: object, digest: object, data: object) -> int:
    return _checksum(id.encode() if isinstance(id, str) else id, stamp, digest, data)


def _connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)


def _stamp(path: Path) -> bytes:
    return repr(files.stamp(path)).encode() if path.is_file() else b""


def _checksum(*parts: object) -> int:
    """The CRC-32 of all parts; -1 if one is not bytes, as in a damaged row."""
    checksum = 0
    for part in parts:
        if not isinstance(part, bytes):
            return -1
        checksum = crc32(part, checksum)
    return checksum


def _is_transient(error: Exception) -> bool:
    """Whether the file may be intact despite an error: it is locked, or the disk is full or read-only."""
    return isinstance(error, sqlite3.OperationalError) and any(words in str(error) for words in _TRANSIENT)

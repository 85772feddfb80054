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
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import newsgen
from newsgen.text import digest_bytes

FOLDER = ".newsgen"
"""The cache folder, inside the site's folder. Everything in it may be deleted."""

_FILE = "cache.db"
_FORMAT = 1
_TRANSIENT = ("locked", "full", "readonly", "unable to open")
_ROOMS = ("", "builder", "content", "pages", "stories")
"""The rooms whose code affects the output."""

_LIBRARIES = (
    "jinja2",
    "markdown",
    "msgspec",
    "nh3",
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
    versions: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder or "."):
                if name.endswith("-info") and (match := _INSTALLED.fullmatch(name)):
                    versions.setdefault(match[1].lower().replace("_", "-"), match[2])
    parts += [f"{name} {versions.get(name, '')}" for name in _LIBRARIES]
    return digest_bytes("\n".join(parts).encode()).hex()


class CachedValues(dict[str, bytes]):
    """Some values of a cache by name, without its file: the cache of a worker process."""

    put = dict[str, bytes].__setitem__


class CachedFile(NamedTuple):
    """A cached content file: its stamp (b"" if unreliable), the digest of its bytes, and its encoded parsed result."""

    id: str
    stamp: bytes
    digest: bytes
    data: bytes


class FileState(NamedTuple):
    """A content file to be cached, without its parsed result."""

    id: str
    stamp: bytes
    digest: bytes


class Cache:
    """Reads and writes the cache file. Nothing is written before `save`.

    No method raises an error when the file cannot be read or written. Close it, preferably with a `with` statement: no
    other build can save while it is open.
    """

    def __init__(self, site: Path, engine: str) -> None:
        self._folder = site / FOLDER
        self._origin = f"{_FORMAT} {engine}".encode()
        self._last_save: bytes | None = None
        self._reader: bytes | None = None
        self._new_files: list[tuple[FileState, Callable[[str], bytes]]] = []
        self._removed: list[str] = []
        self._new_values: dict[str, bytes] = {}
        self._read_values: dict[str, bytes] = {}
        self._damaged = False
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        path = self._folder / _FILE
        if not path.exists():
            return None
        connection = None
        self._damaged = path.is_dir()
        try:
            connection = sqlite3.connect(path, timeout=2, isolation_level=None)
            # One transaction: this build sees one state until it saves or closes, whatever other builds write.
            connection.execute("BEGIN")
            values = dict(connection.execute("SELECT name, value FROM kept WHERE name IN ('made', 'turn')"))
            self._last_save = values.get("turn")
            if values.get("made") == self._origin:
                return connection
        except (sqlite3.Error, OSError) as error:
            self._damaged = self._damaged or not _is_transient(error)
        if connection:
            connection.close()
        return None

    def files(self, reader: bytes) -> Iterator[CachedFile]:
        """All cached content files, if a reader with this digest parsed them."""
        self._reader = reader
        if self.get("reader") != self._reader:
            return
        for id, stamp, digest, check, data in self._rows("SELECT id, stamp, digest, sum, data FROM files"):
            try:
                is_valid = check == crc32(data, crc32(digest))
            except TypeError:  # a damaged row holds something other than bytes
                continue
            if is_valid:
                yield CachedFile(id, stamp, digest, data)

    def get(self, name: str) -> bytes | None:
        """The value with this name; a value that is not saved yet comes first."""
        if name in self._new_values:
            return self._new_values[name]
        for check, value in self._rows("SELECT sum, value FROM kept WHERE name = ?", name):
            if check == _checksum(value):
                self._read_values[name] = value
                return bytes(value)
        return None

    def _rows(self, query: str, *values: str) -> Iterator[Any]:
        try:
            if self._connection:
                yield from self._connection.execute(query, values)
        except (sqlite3.Error, OSError, TypeError) as error:
            self._damaged = self._damaged or not _is_transient(error)

    def put_files(self, files: Iterable[FileState], pack: Callable[[str], bytes], removed: Iterable[str]) -> None:
        """Stores files, and drops `removed` ones, at the next `save`.

        `pack` encodes a parsed file by its id. `save` calls it file by file: all encoded files together are large.
        """
        self._new_files += [(state, pack) for state in files]
        self._removed += removed

    def put(self, name: str, value: bytes) -> None:
        """Stores a value at the next `save`."""
        if self._read_values.get(name) != value:
            self._new_values[name] = value

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def release(self) -> None:
        """Ends the read transaction, so that other builds can save.

        Later reads may return another build's values. If another build saved, this one's `save` does nothing.
        """
        with contextlib.suppress(sqlite3.Error):
            if self._connection and self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Closes the file and discards everything that is not saved."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def save(self) -> None:
        """Writes all new entries in one transaction, then closes the file."""
        try:
            if self._damaged:
                self._drop()
            if self._new_files or self._removed or self._new_values:
                self._save()
        except (sqlite3.Error, OSError) as error:
            if not _is_transient(error):
                with contextlib.suppress(OSError):
                    self._drop()
        finally:
            self.close()

    def _drop(self) -> None:
        self.close()
        path = self._folder / _FILE
        if path.is_dir():
            import shutil

            shutil.rmtree(path)
        for name in (_FILE, _FILE + "-journal"):
            (self._folder / name).unlink(missing_ok=True)

    def _save(self) -> None:
        self.release()
        if self._connection is None:
            self._folder.mkdir(exist_ok=True)
            self._connection = sqlite3.connect(self._folder / _FILE, timeout=2, isolation_level=None)
            # A parsed file takes a few thousand bytes, so the default page of 4 KB would split most of them.
            # The page size of an existing database does not change.
            self._connection.execute("PRAGMA page_size = 65536")
        run, many = self._connection.execute, self._connection.executemany
        # A machine crash may damage the file. The next build then starts a new one.
        run("PRAGMA synchronous = OFF")
        run("BEGIN IMMEDIATE")
        try:
            run("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, sum INTEGER, value BLOB)")
            run(
                "CREATE TABLE IF NOT EXISTS files"
                " (id TEXT PRIMARY KEY, stamp BLOB, digest BLOB, sum INTEGER, data BLOB) WITHOUT ROWID"
            )
            values = dict(run("SELECT name, value FROM kept WHERE name IN ('made', 'reader', 'turn')"))
            if values.get("turn") != self._last_save:
                run("ROLLBACK")  # another build has saved since this one opened the file
                return
            self._new_values["turn"] = os.urandom(16)
            if values.get("made") != self._origin:
                run("DELETE FROM kept")
                run("DELETE FROM files")
                values = {}
                self._new_values["made"] = self._origin
            if self._reader and values.get("reader") != self._reader:
                run("DELETE FROM files")
                self._new_values["reader"] = self._reader
            many("DELETE FROM files WHERE id = ?", ((id,) for id in self._removed))
            files = ((state, pack(state.id)) for state, pack in self._new_files)
            rows = ((*state, _checksum(state.digest, data), data) for state, data in files)
            many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
            many(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)",
                ((n, _checksum(v), v) for n, v in self._new_values.items()),
            )
            run("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                run("ROLLBACK")
            raise


def _checksum(*parts: bytes) -> int:
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

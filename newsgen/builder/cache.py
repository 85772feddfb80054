"""What earlier builds worked out, in one SQLite file: to lose it costs time, to keep it is never wrong.

Each entry carries a checksum, and the file the name of the engine that made it. What is damaged, of another engine, locked
or on a full disk is as if it were not there, without a word.
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
"""In a site's folder; everything in it may be deleted."""

_FILE = "cache.db"
_FORMAT = 1
_WHOLE = ("locked", "full", "readonly", "unable to open")
_ROOMS = ("", "builder", "content", "pages", "stories")
"""Where the code is that decides what a site looks like."""

_OTHERS = (
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
    """32 hex digits that differ whenever the same input may give another site.

    They stand for our own code, the versions of the libraries that have a say, and Python's. importlib.metadata would
    say the same in forty times the time.
    """
    home = Path(newsgen.__file__).parent
    code = [file for room in _ROOMS for file in sorted((home / room).glob("*.py"))]
    parts = [version or newsgen.__version__, f"{sys.version_info.major}.{sys.version_info.minor}"]
    parts += [f"{file.relative_to(home)} {digest_bytes(file.read_bytes()).hex()}" for file in code]
    found: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for name in os.listdir(folder or "."):
                if name.endswith("-info") and (match := _INSTALLED.fullmatch(name)):
                    found.setdefault(match[1].lower().replace("_", "-"), match[2])
    parts += [f"{name} {found.get(name, '')}" for name in _OTHERS]
    return digest_bytes("\n".join(parts).encode()).hex()


class CachedValues(dict[str, bytes]):
    """CachedValues by name as a cache has them, without a file: what another process is given of it."""

    put = dict[str, bytes].__setitem__


class CachedFile(NamedTuple):
    """What is known of a content file: its stamp (b"" where that may not be trusted), its bytes' digest, what they became."""

    id: str
    stamp: bytes
    digest: bytes
    data: bytes


class FileState(NamedTuple):
    """What is to be known of a content file, but for what it became."""

    id: str
    stamp: bytes
    digest: bytes


class Cache:
    """Nothing is written before `save`. No method raises where the file cannot be read or written.

    It has to be closed, with a `with` statement best: while it is open no other build can save.
    """

    def __init__(self, site: Path, engine: str) -> None:
        self._folder = site / FOLDER
        self._made = f"{_FORMAT} {engine}".encode()
        self._turn: bytes | None = None
        self._reader: bytes | None = None
        self._files: list[tuple[FileState, Callable[[str], bytes]]] = []
        self._gone: list[str] = []
        self._values: dict[str, bytes] = {}
        self._got: dict[str, bytes] = {}
        self._damaged = False
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection | None:
        place = self._folder / _FILE
        if not place.exists():
            return None
        connection = None
        self._damaged = place.is_dir()
        try:
            connection = sqlite3.connect(place, timeout=2, isolation_level=None)
            # One state until it is saved or closed, whatever others write.
            connection.execute("BEGIN")
            found = dict(connection.execute("SELECT name, value FROM kept WHERE name IN ('made', 'turn')"))
            self._turn = found.get("turn")
            if found.get("made") == self._made:
                return connection
        except (sqlite3.Error, OSError) as error:
            self._damaged = self._damaged or not _is_locked(error)
        if connection:
            connection.close()
        return None

    def files(self, reader: bytes) -> Iterator[CachedFile]:
        """All that is known of content files as a reader with this digest understands them."""
        self._reader = reader
        if self.get("reader") != self._reader:
            return
        for id, stamp, digest, check, data in self._rows("SELECT id, stamp, digest, sum, data FROM files"):
            try:
                sound = check == crc32(data, crc32(digest))
            except TypeError:  # no bytes, in a damaged row
                continue
            if sound:
                yield CachedFile(id, stamp, digest, data)

    def get(self, name: str) -> bytes | None:
        """A value by its name, the one to be saved where there is one."""
        if name in self._values:
            return self._values[name]
        for check, value in self._rows("SELECT sum, value FROM kept WHERE name = ?", name):
            if check == _sum(value):
                self._got[name] = value
                return bytes(value)
        return None

    def _rows(self, query: str, *values: str) -> Iterator[Any]:
        try:
            if self._connection:
                yield from self._connection.execute(query, values)
        except (sqlite3.Error, OSError, TypeError) as error:
            self._damaged = self._damaged or not _is_locked(error)

    def keep(self, files: Iterable[FileState], pack: Callable[[str], bytes], gone: Iterable[str]) -> None:
        """Remembers files, and forgets others. `pack` says what one is, by its id, when it is saved: all at once are large."""
        self._files += [(mark, pack) for mark in files]
        self._gone += gone

    def put(self, name: str, value: bytes) -> None:
        """Remembers a value."""
        if self._got.get(name) != value:
            self._values[name] = value

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def release(self) -> None:
        """Lets others write; what is read from now on may be theirs, and what is to be saved then is not."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection and self._connection.in_transaction:
                self._connection.execute("COMMIT")

    def close(self) -> None:
        """Lets others write; what is not saved is lost."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def save(self) -> None:
        """Writes what is new, all or nothing, and closes."""
        try:
            if self._damaged:
                self._drop()
            if self._files or self._gone or self._values:
                self._save()
        except (sqlite3.Error, OSError) as error:
            if not _is_locked(error):
                with contextlib.suppress(OSError):
                    self._drop()
        finally:
            self.close()

    def _drop(self) -> None:
        self.close()
        place = self._folder / _FILE
        if place.is_dir():
            import shutil

            shutil.rmtree(place)
        for name in (_FILE, _FILE + "-journal"):
            (self._folder / name).unlink(missing_ok=True)

    def _save(self) -> None:
        self.release()
        if self._connection is None:
            self._folder.mkdir(exist_ok=True)
            self._connection = sqlite3.connect(self._folder / _FILE, timeout=2, isolation_level=None)
            # What a file became has some thousand bytes: in pages of 4 KB each is in pieces. Has no effect later.
            self._connection.execute("PRAGMA page_size = 65536")
        run, many = self._connection.execute, self._connection.executemany
        # After a crash of the machine the file may be damaged, and is then begun anew.
        run("PRAGMA synchronous = OFF")
        run("BEGIN IMMEDIATE")
        try:
            run("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, sum INTEGER, value BLOB)")
            run(
                "CREATE TABLE IF NOT EXISTS files"
                " (id TEXT PRIMARY KEY, stamp BLOB, digest BLOB, sum INTEGER, data BLOB) WITHOUT ROWID"
            )
            values = dict(run("SELECT name, value FROM kept WHERE name IN ('made', 'reader', 'turn')"))
            if values.get("turn") != self._turn:
                run("ROLLBACK")  # another build has written since this one read
                return
            self._values["turn"] = os.urandom(16)
            if values.get("made") != self._made:
                run("DELETE FROM kept")
                run("DELETE FROM files")
                values = {}
                self._values["made"] = self._made
            if self._reader and values.get("reader") != self._reader:
                run("DELETE FROM files")
                self._values["reader"] = self._reader
            many("DELETE FROM files WHERE id = ?", ((id,) for id in self._gone))
            files = ((mark, pack(mark.id)) for mark, pack in self._files)
            rows = ((*mark, _sum(mark.digest, data), data) for mark, data in files)
            many("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)
            many("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", ((n, _sum(v), v) for n, v in self._values.items()))
            run("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                run("ROLLBACK")
            raise


def _sum(*parts: bytes) -> int:
    """A checksum; -1 for what is no bytes, in a damaged row."""
    found = 0
    for part in parts:
        if not isinstance(part, bytes):
            return -1
        found = crc32(part, found)
    return found


def _is_locked(error: Exception) -> bool:
    """Whether a file may be whole all the same: another build writes it, or the disk is full or cannot be written."""
    return isinstance(error, sqlite3.OperationalError) and any(w in str(error) for w in _WHOLE)

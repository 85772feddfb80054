"""What each content file says about where it comes from, cached in `.newsgen/archive.db`.

If that file is lost or damaged, the next run reads all content files.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from newsgen import canonical, files, text, times
from newsgen.builder import FOLDER
from newsgen.config import Config
from newsgen.content import FrontMatterError, Reader, Source, parse_front_matter, read
from newsgen.errors import Problem
from newsgen.fetch import articlefile
from newsgen.model import Article, Value

_FILE = "archive.db"
_FORMAT = 1
_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError)
_ADDRESS = re.compile(rb"^[ \t]*[\w-]+[ \t]*:[ \t]*[\"']?(https?://[^\s\"']+)", re.MULTILINE)
_NOTE = re.compile(rb"^[ \t]+(feed|guid):[ \t]*\"([^\"\\\n]*)\"[ \t]*$", re.MULTILINE)
_MAX_HEAD = 1 << 18


class Known(Value, frozen=True, kw_only=True):
    """A content file. `keys` are the canonical keys of its text. `headline` identifies a text without an address.

    `feed`, `guid` and `digest` are what a fetch noted in it; "" in files of other origin. `edited`: what was fetched
    was changed by hand. `published` is what a fetch wrote; if `undated`, it is when the entry was first seen.
    """

    keys: tuple[str, ...] = ()
    url: str = ""
    headline: tuple[str, str, str] = ("", "", "")
    feed: str = ""
    guid: str = ""
    digest: str = ""
    edited: bool = False
    topics: tuple[str, ...] = ()
    published: datetime | None = None
    all_day: bool = False
    undated: bool = False


class _Row(NamedTuple):
    stamp: bytes
    digest: bytes
    known: Known


class Index:
    """The content files of a site by id. `complete`: all of them can be read.

    Nothing is written before `save`. `racy` files have stamps that prove nothing yet; the next run compares their
    bytes.
    """

    def __init__(self, site: Path, content: Path, config: Config) -> None:
        self._path = site / FOLDER / _FILE
        self._content, self._config = content, config
        self._reader = Reader(config, content.name)
        self._origin = text.digest(
            msgspec.msgpack.encode((_FORMAT, config.fields, config.sources, config.timezone, config.base_url))
        )
        self._rows: dict[str, _Row] = {}
        self._changed: dict[str, _Row] = {}
        self._removed: list[str] = []
        self.complete = True

    def open(self) -> None:
        """Reads the cache, and the files that changed since."""
        started = time.time_ns()
        cached = dict(self._load())
        found = list(files.scan(self._content, self._content.name).content)
        # A file or folder that cannot be read still exists.
        unreadable = [f.id for f in found if isinstance(f.stamp, Problem)]
        self.complete = not unreadable
        for file in found:
            if file.id.startswith("_"):
                continue
            row = cached.pop(file.id, None)
            if row is None or not row.stamp or row.stamp != file.encoded_stamp():
                row = self._read(file, row, started)
            self._rows[file.id] = row
        for id, row in cached.items():
            if any(id.startswith(folder + "/") for folder in unreadable):
                self._rows[id] = row
            else:
                self._removed.append(id)

    def _read(self, file: files.FoundFile, row: _Row | None, started: int) -> _Row:
        source = read(file, self._content.name)
        if isinstance(source.data, Problem):
            self.complete = False
            return row or _Row(b"", b"", Known())
        digest = text.digest_bytes(source.data)
        if row is None or row.digest != digest:
            known = self._known(source)
            if known is None:  # an editor's slip, soon corrected: what the file said before still counts
                known = row.known if row else _salvaged(source.data)
            row = _Row(b"", digest, known)
        row = row._replace(stamp=file.encoded_stamp(started))
        self._changed[file.id] = row
        return row

    def _known(self, source: Source) -> Known | None:
        """What a file says; None if its front matter cannot be read."""
        if isinstance(source.data, Problem):
            return None
        try:
            row = parse_front_matter(source.data).values
        except FrontMatterError:
            return None
        article = self._reader.parse(source).value
        return known(row, article if isinstance(article, Article) else None)

    def items(self) -> Iterator[tuple[str, Known]]:
        """All files, in the order of their ids."""
        return ((id, self._rows[id].known) for id in sorted(self._rows))

    def put(self, id: str, data: bytes, known: Known) -> None:
        """Notes a file that was written."""
        self._rows[id] = self._changed[id] = _Row(b"", text.digest_bytes(data), known)

    def _load(self) -> Iterator[tuple[str, _Row]]:
        if not self._path.is_file():
            return
        with contextlib.suppress(*_ERRORS), contextlib.closing(self._connect()) as connection:
            if connection.execute("SELECT value FROM origin").fetchone() != (self._origin,):
                return
            for id, stamp, digest, check, data in connection.execute("SELECT * FROM files"):
                with contextlib.suppress(TypeError, msgspec.DecodeError):  # a damaged row
                    if check == crc32(data, crc32(digest)):
                        yield id, _Row(stamp, digest, _decode(data))

    def save(self) -> str:
        """Writes what changed. Returns "", or why that is not possible: then the next run reads more files."""
        if not self._changed and not self._removed:
            return ""
        try:
            try:
                self._save()
            except _ERRORS:
                self._drop()
                self._changed = dict(self._rows)
                self._save()
        except _ERRORS as error:
            return f"{FOLDER}/{_FILE} cannot be written: {getattr(error, 'strerror', None) or error}"
        self._changed, self._removed = {}, []
        return ""

    def _save(self) -> None:
        self._path.parent.mkdir(exist_ok=True)
        with contextlib.closing(self._connect()) as connection:
            run = connection.execute
            run("BEGIN IMMEDIATE")
            run("CREATE TABLE IF NOT EXISTS origin (value TEXT)")
            run(
                "CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, stamp BLOB, digest BLOB, sum INTEGER, data BLOB) WITHOUT ROWID"
            )
            if run("SELECT value FROM origin").fetchone() != (self._origin,):
                run("DELETE FROM origin")
                run("DELETE FROM files")
                run("INSERT INTO origin VALUES (?)", (self._origin,))
                self._changed = dict(self._rows)
            connection.executemany("DELETE FROM files WHERE id = ?", [(id,) for id in self._removed])
            rows = ((id, row, _encode(row.known)) for id, row in self._changed.items())
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                ((id, row.stamp, row.digest, crc32(data, crc32(row.digest)), data) for id, row, data in rows),
            )
            run("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        # A machine crash may damage the file. The next run then starts a new one.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _drop(self) -> None:
        if self._path.is_dir():
            shutil.rmtree(self._path)
        for path in (self._path, self._path.with_name(_FILE + "-journal")):
            path.unlink(missing_ok=True)


def known(row: dict[str, Any], article: Article | None) -> Known:
    """What a file with these fields says. `article` is the article that the site makes of it, if any."""
    note = row.get("fetched")
    note = note if isinstance(note, dict) else {}
    feed, guid, digest = (str(note.get(name) or "") for name in ("feed", "guid", "digest"))
    url = article.url if article else str(row.get("webUrl") or "")
    given = (*(article.keys if article else (canonical.key(url),)), canonical.key(guid))
    keys = tuple(dict.fromkeys(key for key in given if key and canonical.identifies_text(key)))
    published = row.get("publishedDateTime")
    topics = row.get("topics")
    all_day = isinstance(published, date) and not isinstance(published, datetime)
    moment = times.start(published, UTC) if feed and isinstance(published, date) else None
    return Known(
        keys=keys,
        url=url,
        headline=headline(article.provider, article.title, article.published.date()) if article and not url else _NONE,
        feed=feed,
        guid=guid,
        digest=digest,
        edited=bool(feed) and articlefile.digest(row) != digest,
        topics=tuple(map(str, topics)) if isinstance(topics, list) else (),
        published=moment,
        all_day=all_day,
        undated=note.get("undated") is True,
    )


_NONE = ("", "", "")


def headline(provider: str, title: str, day: date) -> tuple[str, str, str]:
    """What identifies a text that has no address."""
    return provider, " ".join(title.casefold().split()), day.isoformat()


def _salvaged(data: bytes) -> Known:
    """What the head of a file whose front matter cannot be read seems to say, so that it is not written again."""
    head = data[:_MAX_HEAD]
    note = {name.decode(): value.decode("utf-8", "replace") for name, value in _NOTE.findall(head)}
    keys = [canonical.key(url.decode("utf-8", "replace")) for url in _ADDRESS.findall(head)]
    return Known(
        keys=tuple(dict.fromkeys(key for key in keys if key and canonical.identifies_text(key))),
        feed=note.get("feed", ""),
        guid=note.get("guid", ""),
        edited=True,
    )


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(Known).decode

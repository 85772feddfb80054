"""What is known of each feed from earlier requests, in `.newsgen/feeds.db`.

If that file is lost or damaged, the next run only makes more requests.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zlib import crc32

import msgspec
from msgspec.structs import replace

from newsgen.builder import FOLDER
from newsgen.fetch import schedule
from newsgen.fetch.entry import Hints
from newsgen.fetch.network.client import NO_VALIDATORS, Failure, Request, Response, Validators
from newsgen.model import Value
from newsgen.text import digest_bytes

FILE = "feeds.db"

_FORMAT = 1
_ERRORS = (sqlite3.Error, OSError, UnicodeDecodeError)
_TRANSIENT = ("locked", "full", "readonly", "unable to open")


class Record(Value, frozen=True, kw_only=True):
    """What is known of one feed.

    `url` is the address in the feed's file, and `settings` a digest of what else in that file decides about entries. If
    either changes, the body is needed again; what a server asked for after a failure still holds. `moved` is the
    address that `url` permanently redirects to. `digest` is that of the last body. `checked` is the time of the last
    request, `succeeded` of the last answer, `changed` of the last new body, and `due` of the next request. `failures`
    counts failures in succession, `reason` is that of the last one. `gone`: the server says that the feed will not come
    back.
    """

    url: str
    settings: bytes = b""
    validators: Validators = NO_VALIDATORS
    moved: str = ""
    digest: bytes = b""
    hints: Hints = Hints()
    checked: datetime | None = None
    succeeded: datetime | None = None
    changed: datetime | None = None
    due: datetime | None = None
    failures: int = 0
    reason: str = ""
    gone: bool = False

    def for_file(self, url: str, settings: bytes) -> Record:
        """The record for a feed's file as it is now. Another URL starts anew; other settings need the body again."""
        if url != self.url:
            return Record(url=url, settings=settings)
        if settings != self.settings:
            due = self.due if self.failures else None
            return replace(self, settings=settings, validators=NO_VALIDATORS, digest=b"", due=due)
        return self

    def is_due(self, now: datetime) -> bool:
        return not self.gone and schedule.is_due(self.due, now)

    @property
    def request(self) -> Request:
        """The next request. A feed that moved is requested where it is now."""
        return Request(url=self.moved or self.url, validators=self.validators)

    def is_new(self, response: Response) -> bool:
        """Whether a response has a body that differs from the last one."""
        return response.status != 304 and digest_bytes(response.body) != self.digest

    def answered(self, response: Response, now: datetime, *, every: int, hints: Hints | None = None) -> Record:
        """The record after a response. `hints` are those of the feed in its body; None if it was not parsed."""
        is_new = self.is_new(response)
        hints = self.hints if hints is None else hints
        return replace(
            self,
            validators=response.validators,
            moved=response.moved or self.moved,
            digest=digest_bytes(response.body) if is_new else self.digest,
            hints=hints,
            checked=now,
            succeeded=now,
            changed=now if is_new else self.changed,
            due=schedule.after_answer(now, every=every, hints=hints, fresh_for=response.fresh_for),
            failures=0,
            reason="",
            gone=False,
        )

    def failed(self, failure: Failure, now: datetime, *, name: str, every: int) -> Record:
        """The record after a failure. If the feed had moved, the next request goes to `url` again.

        For a body that is no feed, pass a Failure with the reason.
        """
        failures = self.failures + 1
        return replace(
            self,
            moved="",
            checked=now,
            due=schedule.after_failure(
                now,
                name=name,
                failures=failures,
                every=every,
                hints=self.hints,
                retry_after=failure.retry_after,
            ),
            failures=failures,
            reason=failure.reason,
            gone=failure.gone and not self.moved,
        )


class State:
    """The records of all feeds by name, in one file of the site's cache folder."""

    def __init__(self, site: Path) -> None:
        self._path = site / FOLDER / FILE
        self._damaged = False

    def load(self) -> dict[str, Record]:
        """All records that can be read."""
        records: dict[str, Record] = {}
        if not self._path.exists():
            return records
        try:
            with contextlib.closing(self._connect()) as connection:
                if connection.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
                    return records
                for name, check, data in connection.execute("SELECT name, sum, record FROM feeds ORDER BY name"):
                    with contextlib.suppress(TypeError, msgspec.DecodeError):  # a damaged row
                        if check == crc32(data):
                            records[name] = _decode(data)
        except _ERRORS as error:
            self._damaged = not _is_transient(error)
        return records

    def save(self, records: Mapping[str, Record], removed: Iterable[str] = ()) -> str:
        """Stores records, and drops those of `removed` feeds, in one transaction. Others in the file stay.

        Returns "", or why that is not possible: then the next run repeats the requests of this one.
        """
        rows = [(name, crc32(data), data) for name, record in records.items() for data in [_encode(record)]]
        try:
            try:
                if self._damaged or self._path.is_dir():
                    self._drop()
                self._save(rows, removed)
            except _ERRORS as error:
                if _is_transient(error):
                    raise
                self._drop()
                self._save(rows, removed)
        except _ERRORS as error:
            return f"{FOLDER}/{FILE} cannot be written: {getattr(error, 'strerror', None) or error}"
        self._damaged = False
        return ""

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        # A machine crash may damage the file. The next run then starts a new one.
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    def _save(self, rows: list[tuple[str, int, bytes]], removed: Iterable[str]) -> None:
        self._path.parent.mkdir(exist_ok=True)
        with contextlib.closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
                connection.execute("DROP TABLE IF EXISTS feeds")
                connection.execute("CREATE TABLE feeds (name TEXT PRIMARY KEY, sum INTEGER, record BLOB) WITHOUT ROWID")
                connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.executemany("INSERT OR REPLACE INTO feeds VALUES (?, ?, ?)", rows)
            connection.executemany("DELETE FROM feeds WHERE name = ?", [(name,) for name in removed])
            connection.execute("COMMIT")

    def _drop(self) -> None:
        if self._path.is_dir():
            shutil.rmtree(self._path)
        for path in (self._path, self._path.with_name(FILE + "-journal")):
            path.unlink(missing_ok=True)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and any(word in str(error) for word in _TRANSIENT)


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(Record).decode

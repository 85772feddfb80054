"""The manifest: the list of the files that newsgen wrote into an output folder, with what is needed to compare them.

It lies in the folder, because it says which files newsgen may remove. It holds columns, in memory as in its JSON: one
long value for each field of all records takes a fraction of the space and time of many short ones.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping

import msgspec

MANIFEST = ".newsgen-manifest.json"

_MAX_BYTES = 1 << 30
"""The largest column, in bytes: a damaged manifest must not fill the memory."""

_DIGEST = 16
_NO_DIGEST = bytes(_DIGEST)
_TIMES = 1 << 63
_NO_PATHS = zlib.compress(b"", 1)


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A written file: the digest of its page, its template, and the digest, size and mtime (ns) of its bytes."""

    page: str
    template: str
    content: str
    size: int
    mtime: int


def _integers() -> array[int]:
    return array("q")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All files that newsgen wrote into a folder, and the inputs they share: engine, site, flags and templates.

    The columns have one value for each file, in the order of `paths`, which are sorted. `digests` holds two of 16
    bytes: of the page and of the bytes. `names` are the templates, and `template` the position of each file's.
    `packed_paths` are the paths as they are stored.
    """

    engine: str = ""
    site: str = ""
    flags: str = ""
    templates: dict[str, str] = {}
    names: list[str] = []
    paths: list[str] = []
    packed_paths: bytes = _NO_PATHS
    digests: bytes = b""
    template: array[int] = msgspec.field(default_factory=_integers)
    size: array[int] = msgspec.field(default_factory=_integers)
    mtime: array[int] = msgspec.field(default_factory=_integers)

    @property
    def files(self) -> Mapping[str, Record]:
        """The records by path, each made when it is asked for."""
        return _Files(self)

    def get(self, path: str) -> Record | None:
        """The record of a file, or None."""
        at = bisect_left(self.paths, path)
        return self.record(at) if at < len(self.paths) and self.paths[at] == path else None

    def record(self, at: int) -> Record:
        """The record of the file at a position of `paths`."""
        start = 2 * _DIGEST * at
        page, content = (self.digests[i : i + _DIGEST] for i in (start, start + _DIGEST))
        return Record(
            "" if page == _NO_DIGEST else page.hex(),
            self.names[self.template[at]],
            "" if content == _NO_DIGEST else content.hex(),
            self.size[at],
            self.mtime[at],
        )

    def used_templates(self) -> set[str]:
        """The templates of all files; "" for static files."""
        return {self.names[at] for at in set(self.template)}

    def updated(self, changes: Mapping[str, Record | None]) -> Manifest:
        """The manifest with other records for some paths, and without those whose record is None."""
        names = list(self.names)
        number = {name: at for at, name in enumerate(names)}
        paths: list[str] = []
        digests = bytearray()
        template, size, mtime = array("q"), array("q"), array("q")
        start = 0

        def keep(end: int) -> None:
            if start < end:
                paths.extend(self.paths[start:end])
                digests.extend(self.digests[2 * _DIGEST * start : 2 * _DIGEST * end])
                template.extend(self.template[start:end])
                size.extend(self.size[start:end])
                mtime.extend(self.mtime[start:end])

        for path in sorted(changes):
            record = changes[path]
            at = bisect_left(self.paths, path, start)
            keep(at)
            start = at + (at < len(self.paths) and self.paths[at] == path)
            if record is None:
                continue
            if record.template not in number:
                number[record.template] = len(names)
                names.append(record.template)
            paths.append(path)
            digests += bytes.fromhex(record.page) or _NO_DIGEST
            digests += bytes.fromhex(record.content) or _NO_DIGEST
            template.append(number[record.template])
            size.append(record.size)
            # A file system may report a time that does not fit; such a file counts as altered.
            mtime.append(record.mtime if -_TIMES <= record.mtime < _TIMES else -1)
        keep(len(self.paths))
        return msgspec.structs.replace(
            self,
            names=names,
            paths=paths,
            packed_paths=self.packed_paths if paths == self.paths else _compressed_paths(paths),
            digests=bytes(digests),
            template=template,
            size=size,
            mtime=mtime,
        )

    def packed(self) -> bytes:
        """The manifest as JSON."""
        columns = _Columns(
            engine=self.engine,
            site=self.site,
            flags=self.flags,
            templates=self.templates,
            names=self.names,
            paths=self.packed_paths,
            digests=self.digests,
            template=_compressed(self.template),
            size=_compressed(self.size),
            mtime=_compressed(self.mtime),
        )
        return msgspec.json.encode(columns)

    @classmethod
    def unpacked(cls, data: bytes) -> Manifest:
        """Reverses `packed`. A damaged manifest is empty, and paths that lead outside the folder are left out."""
        try:
            columns = msgspec.json.decode(data, type=_Columns)
            text = _decompressed(columns.paths)
            paths = text.decode("utf-8", "surrogatepass").split("\0") if text else []
            manifest = cls(
                engine=columns.engine,
                site=columns.site,
                flags=columns.flags,
                templates=columns.templates,
                names=columns.names,
                paths=paths,
                packed_paths=columns.paths,
                digests=columns.digests,
                template=_integers_of(columns.template),
                size=_integers_of(columns.size),
                mtime=_integers_of(columns.mtime),
            )
            lengths = (
                len(manifest.template),
                len(manifest.size),
                len(manifest.mtime),
                len(columns.digests) / _DIGEST / 2,
            )
            used = set(manifest.template)
            if {len(manifest.paths)} != {*lengths} or (used and not 0 <= min(used) <= max(used) < len(columns.names)):
                raise ValueError
        except (msgspec.DecodeError, ValueError, zlib.error):
            return _with_records(data)
        # Any path that leads outside has one of these. A few that lie inside have too.
        slashed = b"/%b/" % text.replace(b"\0", b"/")
        is_plain = not paths or not any(part in slashed for part in (b"//", b"./", b"\\", b":"))
        if is_plain and paths == sorted(paths):
            return manifest
        return _Older(
            engine=manifest.engine,
            site=manifest.site,
            flags=manifest.flags,
            templates=manifest.templates,
            files={path: manifest.record(at) for at, path in enumerate(manifest.paths)},
        ).manifest()


class _Files(Mapping[str, Record]):
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, path: str) -> Record:
        record = self._manifest.get(path)
        if record is None:
            raise KeyError(path)
        return record

    def __iter__(self) -> Iterator[str]:
        return iter(self._manifest.paths)

    def __len__(self) -> int:
        return len(self._manifest.paths)


class _Older(msgspec.Struct, kw_only=True):
    """A manifest of a newsgen before November 2026: a record for each file, in any order."""

    engine: str = ""
    site: str = ""
    flags: str = ""
    templates: dict[str, str] = {}
    files: dict[str, Record] = {}

    def manifest(self) -> Manifest:
        inside = {path: record for path, record in self.files.items() if _is_inside(path)}
        new = Manifest(engine=self.engine, site=self.site, flags=self.flags, templates=self.templates)
        return new.updated(inside)


def _with_records(data: bytes) -> Manifest:
    try:
        return msgspec.json.decode(data, type=_Older).manifest()
    except (msgspec.DecodeError, ValueError):
        return Manifest()


class _Columns(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The manifest as it is stored.

    `paths` are joined by NUL. `template`, `size` and `mtime` are arrays of 8-byte integers, least significant byte
    first. All columns but `digests` are compressed with zlib.
    """

    engine: str
    site: str
    flags: str
    templates: dict[str, str]
    names: list[str]
    paths: bytes
    digests: bytes
    template: bytes
    size: bytes
    mtime: bytes


# Matches paths inside the output folder: relative, without a drive, and without empty, "." or ".." parts.
_is_inside = re.compile(r"(?![A-Za-z]:)(?>(?!\.\.?(?:/|\Z))[^/\\\0]+(?:/(?!\Z)|\Z))+").fullmatch


def _compressed_paths(paths: list[str]) -> bytes:
    return zlib.compress("\0".join(paths).encode("utf-8", "surrogatepass"), 1)


def _compressed(values: array[int]) -> bytes:
    return zlib.compress(_little_endian(values[:]).tobytes(), 1)


def _integers_of(data: bytes) -> array[int]:
    return _little_endian(array("q", _decompressed(data)))


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _decompressed(data: bytes) -> bytes:
    decompressor = zlib.decompressobj()
    found = decompressor.decompress(data, _MAX_BYTES)
    if not decompressor.eof:
        raise ValueError
    return found

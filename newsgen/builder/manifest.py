"""The manifest: the list of the files that newsgen wrote into an output folder, with what is needed to compare them.

It lies in the folder, because it says which files newsgen may remove. Its JSON holds columns: one long value for each
field of all records takes a fraction of the space and time of many short ones.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from collections.abc import Iterable

import msgspec

MANIFEST = ".newsgen-manifest.json"

_MAX_BYTES = 1 << 30
"""The largest column, in bytes: a damaged manifest must not fill the memory."""

_DIGITS = 32
_NO_DIGEST = "0" * _DIGITS
_TIMES = 1 << 63


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A written file: the digest of its page, its template, and the digest, size and mtime (ns) of its bytes."""

    page: str
    template: str
    content: str
    size: int
    mtime: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All files that newsgen wrote into a folder, and the inputs they share: engine, site, flags and templates."""

    engine: str = ""
    site: str = ""
    flags: str = ""
    templates: dict[str, str] = {}
    files: dict[str, Record] = {}

    def packed(self) -> bytes:
        """The manifest as JSON."""
        records = self.files.values()
        names = sorted({record.template for record in records})
        number = {name: at for at, name in enumerate(names)}
        digests = [digest or _NO_DIGEST for r in records for digest in (r.page, r.content)]
        columns = _Columns(
            engine=self.engine,
            site=self.site,
            flags=self.flags,
            templates=self.templates,
            names=names,
            paths=zlib.compress("\0".join(self.files).encode("utf-8", "surrogatepass"), 1),
            digests=bytes.fromhex("".join(digests)),
            template=_packed(number[record.template] for record in records),
            size=_packed(record.size for record in records),
            # A file system may report a time that does not fit; such a file counts as altered.
            mtime=_packed(r.mtime if -_TIMES <= r.mtime < _TIMES else -1 for r in records),
        )
        return msgspec.json.encode(columns)

    @classmethod
    def unpacked(cls, data: bytes) -> Manifest:
        """Reverses `packed`. A damaged manifest is empty, and paths that lead outside the folder are left out."""
        try:
            columns = msgspec.json.decode(data, type=_Columns)
            text = _decompressed(columns.paths).decode("utf-8", "surrogatepass")
            paths = text.split("\0") if text else []
            digits = columns.digests.hex()
            digests = [digits[at : at + _DIGITS] for at in range(0, len(digits), _DIGITS)]
            if _NO_DIGEST in digests:
                digests = ["" if digest == _NO_DIGEST else digest for digest in digests]
            templates = [columns.names[at] for at in _unpacked(columns.template)]
            values = digests[::2], templates, digests[1::2], _unpacked(columns.size), _unpacked(columns.mtime)
            if {len(paths)} != {len(column) for column in values}:
                raise ValueError
            files = dict(zip(paths, map(Record, *values), strict=True))
            manifest = cls(
                engine=columns.engine, site=columns.site, flags=columns.flags, templates=columns.templates, files=files
            )
        except (msgspec.DecodeError, ValueError, LookupError, zlib.error):
            manifest = _with_records(data)
        inside = {path: record for path, record in manifest.files.items() if _is_inside(path)}
        return msgspec.structs.replace(manifest, files=inside)


def _with_records(data: bytes) -> Manifest:
    """A manifest of a newsgen before November 2026, with a record for each file: what it wrote stays ours."""
    try:
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, ValueError):
        return Manifest()


class _Columns(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The manifest as it is stored.

    `paths` are joined by NUL. `digests` holds two of 16 bytes for each file: of its page and of its bytes. `names` are
    the templates, and `template` the position of each file's. `template`, `size` and `mtime` are arrays of 8-byte
    integers, least significant byte first. All columns but `digests` are compressed with zlib.
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


def _packed(values: Iterable[int]) -> bytes:
    return zlib.compress(_little_endian(array("q", values)).tobytes(), 1)


def _unpacked(data: bytes) -> array[int]:
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

"""The manifest: the list of the files that newsgen wrote into an output folder, with what is needed to compare them.

It lies in the folder, because it says which files newsgen may remove. It holds blocks of files: a build decodes those
that it looks into, and writes the others as it read them. A block holds columns, because one long value for each field
takes a fraction of the space and time of many short ones.
"""

from __future__ import annotations

import re
import sys
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import msgspec

MANIFEST = ".newsgen-manifest.json"

BLOCK = 256
"""The files of a block; one of more than twice as many is split."""

_MAX_BYTES, _MAX_BYTES_OF_OLDER = 1 << 24, 1 << 30
"""The largest column of a block, and of an older manifest, in bytes: a damaged one must not fill the memory."""

_DIGEST = 16
_NO_DIGEST = bytes(_DIGEST)
_TIMES = 1 << 63


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A written file: the digest of its page, its template, and the digest, size and mtime (ns) of its bytes."""

    page: str
    template: str
    content: str
    size: int
    mtime: int


PENDING = Record("", "", "", -1, -1)
"""The record of a file that is newsgen's, but whose bytes no build has recorded."""


class Columns(NamedTuple):
    """The files of a block, sorted by path.

    `digests` holds two of 16 bytes for each: of the page and of the bytes. `template` holds positions in the names of
    the templates.
    """

    paths: list[str]
    digests: bytes
    template: array[int]
    size: array[int]
    mtime: array[int]


class Block(NamedTuple):
    """A block: its first path, the number of its files, and itself as a line of JSON."""

    first: str
    files: int
    line: bytes


class _Stored(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A block as it is stored.

    `first` is the first path. `paths` are joined by NUL. `numbers` are the columns `template`, `size` and `mtime`, one
    after the other, as 8-byte integers, least significant byte first. Both are compressed with zlib.
    """

    first: bytes
    count: int
    paths: bytes
    digests: bytes
    numbers: bytes


class _Head(msgspec.Struct, array_like=True):
    """The first fields of a block, by which the block of a file is found."""

    first: bytes
    count: int


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    engine: str
    site: str
    flags: str
    templates: dict[str, str]
    names: dict[str, int]


class _Older(msgspec.Struct):
    """The paths in a manifest of a newsgen before December 2026: the keys of `files`, or joined by NUL and compressed."""

    files: dict[str, msgspec.Raw] = {}
    paths: bytes = zlib.compress(b"")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All files that newsgen wrote into a folder, and the inputs they share: engine, site, flags and templates.

    `names` are the templates of files ("" for static files), each with the number of its files.
    """

    engine: str = ""
    site: str = ""
    flags: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    _decoded: dict[int, Columns] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return sum(block.files for block in self.blocks)

    @property
    def files(self) -> Mapping[str, Record]:
        """The records by path, each made when it is asked for."""
        return _Files(self)

    @property
    def paths(self) -> Iterator[str]:
        """The paths of all files, sorted."""
        return chain.from_iterable(columns.paths for columns in self.columns())

    def columns(self) -> Iterator[Columns]:
        """The files of each block. Blocks that are decoded for this are not kept."""
        for at, block in enumerate(self.blocks):
            yield self._decoded.get(at) or _columns(block.line, len(self.names))

    def get(self, path: str) -> Record | None:
        """The record of a file, or None."""
        block = self._block_of(path)
        columns = self._at(block)
        at = bisect_left(columns.paths, path)
        return self._record(columns, at) if at < len(columns.paths) and columns.paths[at] == path else None

    def _block_of(self, path: str) -> int:
        return max(0, bisect_right(self.blocks, path, key=_first) - 1)

    def _at(self, block: int) -> Columns:
        if not self.blocks:
            return _NO_FILES
        columns = self._decoded.get(block)
        if columns is None:
            columns = self._decoded[block] = _columns(self.blocks[block].line, len(self.names))
        return columns

    def _record(self, columns: Columns, at: int) -> Record:
        start = 2 * _DIGEST * at
        page, content = (columns.digests[i : i + _DIGEST] for i in (start, start + _DIGEST))
        return Record(
            "" if page == _NO_DIGEST else page.hex(),
            list(self.names)[columns.template[at]],
            "" if content == _NO_DIGEST else content.hex(),
            columns.size[at],
            columns.mtime[at],
        )

    def used_templates(self) -> set[str]:
        """The templates of all files; "" for static files."""
        return {name for name, count in self.names.items() if count}

    def using(self, templates: Iterable[str]) -> list[str]:
        """The paths of the files with one of these templates."""
        wanted = set(templates)
        numbers = {number for number, name in enumerate(self.names) if name in wanted}
        pairs = (zip(columns.paths, columns.template, strict=True) for columns in self.columns()) if numbers else ()
        return [path for path, number in chain.from_iterable(pairs) if number in numbers]

    def updated(self, changes: Mapping[str, Record | None]) -> Manifest:
        """The manifest with other records for some paths, and without those whose record is None."""
        names = Counter(self.names)
        names.update({record.template: 0 for record in changes.values() if record})
        number = {name: at for at, name in enumerate(names)}
        by_block: dict[int, list[str]] = {}
        for path in sorted(changes):
            by_block.setdefault(self._block_of(path), []).append(path)
        blocks: list[Block] = []
        done = 0
        for at, paths in by_block.items():
            blocks += self.blocks[done:at]
            done = at + 1
            old = self._at(at)
            columns = _edited(old, paths, changes, number)
            numbers = Counter(columns.template)
            numbers.subtract(old.template)
            for name, each in number.items():
                names[name] += numbers[each]
            count = len(columns.paths)
            size = BLOCK if count > 2 * BLOCK else max(count, 1)
            for start in range(0, count, size):
                blocks.append(_encoded(_part(columns, start, start + size)))
        return replace(self, names=dict(names), blocks=blocks + self.blocks[done:], _decoded={})

    def write(self, file: Path) -> None:
        """Writes the manifest: a line of what files share, one for each block, and a checksum of all these."""
        header = _Header(self.engine, self.site, self.flags, dict(self.templates), dict(self.names))
        checksum = 0
        with file.open("wb") as out:
            for line in chain((msgspec.json.encode(header) + b"\n",), (block.line for block in self.blocks)):
                checksum = zlib.crc32(line, checksum)
                out.write(line)
            out.write(b"%d\n" % checksum)

    @classmethod
    def read(cls, file: Path) -> Manifest:
        """Reads a manifest. Of an older one, only the paths. Raises OSError.

        A damaged manifest is empty, and a block with paths outside the folder is left out.
        """
        with file.open("rb") as lines:
            first = next(lines, b"")
            try:
                header = msgspec.json.decode(first, type=_Header)
            except msgspec.DecodeError:
                return _with_paths(first + lines.read(_MAX_BYTES_OF_OLDER))
            found, checksum, line = list[bytes](), zlib.crc32(first), b""
            for line in lines:
                if line[:1] != b"[":
                    break
                checksum = zlib.crc32(line, checksum)
                found.append(line)
            if line != b"%d\n" % checksum:
                return cls()
        try:
            blocks = [Block(_text(head.first), head.count, line) for line in found for head in (_head(line),)]
        except (msgspec.DecodeError, UnicodeError):
            return cls()
        return cls(
            engine=header.engine,
            site=header.site,
            flags=header.flags,
            templates=header.templates,
            names=header.names,
            blocks=blocks,
        )


class _Files(Mapping[str, Record]):
    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, path: str) -> Record:
        record = self._manifest.get(path)
        if record is None:
            raise KeyError(path)
        return record

    def __iter__(self) -> Iterator[str]:
        return self._manifest.paths

    def __len__(self) -> int:
        return len(self._manifest)


_head = msgspec.json.Decoder(_Head).decode
_stored = msgspec.json.Decoder(_Stored).decode
_first = attrgetter("first")
_NO_FILES = Columns([], b"", array("q"), array("q"), array("q"))

# Matches paths inside the output folder: relative, without a drive, and without empty, "." or ".." parts.
_is_inside = re.compile(r"(?![A-Za-z]:)(?>(?!\.\.?(?:/|\Z))[^/\\\0]+(?:/(?!\Z)|\Z))+").fullmatch


def _columns(line: bytes, names: int) -> Columns:
    """The files of a block; none if it is damaged, or if one of its paths leads outside the folder."""
    try:
        block = _stored(line)
        paths = _text(_decompressed(block.paths, _MAX_BYTES)).split("\0")
        numbers = _little_endian(array("q", _decompressed(block.numbers, _MAX_BYTES)))
    except (msgspec.DecodeError, ValueError, zlib.error):
        return _NO_FILES
    count = block.count
    is_whole = (
        _bytes(paths[0]) == block.first and len(paths) == count == len(numbers) / 3 == len(block.digests) / _DIGEST / 2
    )
    if not is_whole or not 0 <= min(numbers[:count]) <= max(numbers[:count]) < names:
        return _NO_FILES
    # Any path that leads outside has one of these. A few that lie inside have too.
    slashed = "/{}/".format("/".join(paths))
    if any(part in slashed for part in ("//", "./", "\\", ":")) and not all(map(_is_inside, paths)):
        return _NO_FILES
    return Columns(paths, block.digests, numbers[:count], numbers[count : 2 * count], numbers[2 * count :])


def _edited(old: Columns, paths: list[str], changes: Mapping[str, Record | None], number: Mapping[str, int]) -> Columns:
    """The files of a block with changes at some paths, which are sorted."""
    kept: list[str] = []
    digests = bytearray()
    template, size, mtime = array("q"), array("q"), array("q")
    start = 0

    def keep(end: int) -> None:
        kept.extend(old.paths[start:end])
        digests.extend(old.digests[2 * _DIGEST * start : 2 * _DIGEST * end])
        for column, before in ((template, old.template), (size, old.size), (mtime, old.mtime)):
            column.extend(before[start:end])

    for path in paths:
        record = changes[path]
        at = bisect_left(old.paths, path, start)
        keep(at)
        start = at + (at < len(old.paths) and old.paths[at] == path)
        if record is None:
            continue
        kept.append(path)
        digests += bytes.fromhex(record.page) or _NO_DIGEST
        digests += bytes.fromhex(record.content) or _NO_DIGEST
        template.append(number[record.template])
        size.append(record.size)
        # A file system may report a time that does not fit; such a file counts as altered.
        mtime.append(record.mtime if -_TIMES <= record.mtime < _TIMES else -1)
    keep(len(old.paths))
    return Columns(kept, bytes(digests), template, size, mtime)


def _part(columns: Columns, start: int, stop: int) -> Columns:
    paths, digests, *numbers = columns
    return Columns(
        paths[start:stop], digests[2 * _DIGEST * start : 2 * _DIGEST * stop], *(n[start:stop] for n in numbers)
    )


def _encoded(columns: Columns) -> Block:
    first, count = columns.paths[0], len(columns.paths)
    numbers = columns.template + columns.size + columns.mtime
    block = _Stored(
        _bytes(first),
        count,
        zlib.compress(_bytes("\0".join(columns.paths)), 1),
        columns.digests,
        zlib.compress(_little_endian(numbers).tobytes(), 1),
    )
    return Block(first, count, msgspec.json.encode(block) + b"\n")


def _with_paths(data: bytes) -> Manifest:
    """The paths of an older manifest, as a manifest. It is empty if the data are damaged."""
    try:
        older = msgspec.json.decode(data, type=_Older)
        packed = _text(_decompressed(older.paths, _MAX_BYTES_OF_OLDER))
    except (msgspec.DecodeError, ValueError, zlib.error):
        return Manifest()
    paths = filter(_is_inside, (*older.files, *packed.split("\0")))
    return Manifest().updated(dict.fromkeys(paths, PENDING))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a static file may have a name that is not UTF-8


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _little_endian(values: array[int]) -> array[int]:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _decompressed(data: bytes, most: int) -> bytes:
    decompressor = zlib.decompressobj()
    found = decompressor.decompress(data, most)
    if not decompressor.eof:
        raise ValueError
    return found

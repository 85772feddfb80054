"""Nothing has changed: found out without reading a file.

A build leaves a note in the cache: what it was told, a digest of the stamps of all it read, the stamps of all it wrote,
and its report. Where all of it holds again, so does the report.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec

from newsgen import files
from newsgen.builder.cache import Cache, engine
from newsgen.builder.options import Options, folders
from newsgen.builder.output import MANIFEST, Manifest
from newsgen.builder.report import Report
from newsgen.files import FoundFile, Stamp
from newsgen.text import digest_bytes


class Note(msgspec.Struct, kw_only=True, array_like=True):
    """What the last build into a folder was made of.

    `told` stands for its options, `read` for its input. `unsettled` are files whose stamps cannot be trusted yet, with
    the digests of their bytes: content by id, all else by a name. `now` and `due` bound the time in which the same files
    give the same site. `manifest` is the stamp of the list of what it wrote.
    """

    told: bytes
    read: bytes
    unsettled: dict[str, bytes]
    now: datetime
    due: datetime | None
    manifest: Stamp


class Made(msgspec.Struct, kw_only=True, array_like=True):
    """What came of it: `paths` are those written, joined by a character that is in none, `sizes` and `times` as in the
    manifest, 8 bytes each.
    """

    paths: str
    sizes: bytes
    times: bytes
    report: Report


class Snapshot:
    """A site's input as it was at one moment, before any of it was read."""

    def __init__(self, options: Options, now: datetime) -> None:
        self._now = now
        self._started = time.time_ns()
        self._options = options
        source, output = folders(options)
        self._output = output
        self.found: list[FoundFile] = list(files.scan(source, source.name))
        # By names that stay the same wherever the site is seen from, and that no content file has.
        places = {
            f"/{whose} {kind}": folder / kind
            for whose, folder in (("own", options.site), ("shipped", files.shipped_site()))
            for kind in ("templates", "static")
        }
        self._others = {
            name + path[len(str(place)) :]: (path, stamp)
            for name, place in places.items()
            for path, stamp in sorted(files.walk_files(place), key=lambda found: found[0])
        }
        toml = str(options.site / "site.toml")
        self._others["/site.toml"] = (toml, files.stamp(toml))
        clock = now if options.clock == "wall" else options.clock
        chosen = sorted(options.show), clock, options.strict, options.fingerprints
        told = (engine(), str(source.resolve()), str(output.resolve()), *chosen)
        self._told = msgspec.msgpack.encode(told)
        # Read now, as what is read later may be another state than the one that pages were made of.
        self._late = {
            name: _digest(path) for name, (path, s) in self._others.items() if s and not s.is_settled(self._started)
        }
        self._name = "last " + digest_bytes(str(output.resolve()).encode()).hex()

    @cached_property
    def _read(self) -> bytes:
        """A digest of all stamps."""
        names = "\0".join([*[f.id for f in self.found], "", *self._others])
        stamps = [f.stamp for f in self.found], [stamp for _, stamp in self._others.values()]
        try:
            marks = msgspec.msgpack.encode(stamps)
        except OverflowError:  # a file system may say times that 64 bits do not hold
            marks = repr(stamps).encode("utf-8", "surrogatepass")
        return digest_bytes(names.encode("utf-8", "surrogatepass") + marks)

    def _still_unsettled(self, unsettled: Mapping[str, bytes]) -> dict[str, bytes] | None:
        """Of files whose stamps proved nothing those of which that is still so; None where one has other bytes."""
        places = {f.id: (f.path, f.stamp) for f in self.found if f.id in unsettled} | self._others
        if any(name not in places or _digest(places[name][0]) != mark for name, mark in unsettled.items()):
            return None
        stamps = ((name, places[name][1]) for name in unsettled)
        return {
            name: unsettled[name]
            for name, stamp in stamps
            if not isinstance(stamp, Stamp) or not stamp.is_settled(self._started)
        }

    def report(self, cache: Cache) -> Report | None:
        """The last build's report, where another would do nothing."""
        try:
            note = msgspec.msgpack.decode(cache.get(self._name) or b"", type=Note)
        except msgspec.DecodeError:
            return None
        if note.told != self._told or not note.now <= self._now or (note.due and note.due <= self._now):
            return None
        if self._read != note.read:
            return None
        unsettled = self._still_unsettled(note.unsettled)
        if unsettled is None:
            return None
        if files.stamp(self._output / MANIFEST) != note.manifest:
            return None
        try:
            made = msgspec.msgpack.decode(cache.get("made " + self._name) or b"", type=Made)
        except msgspec.DecodeError:
            return None
        sizes, times = array("q", made.sizes), array("q", made.times)
        root, lstat = f"{self._output}/", os.lstat
        try:
            for path, size, mtime in zip(made.paths.split("\0"), sizes, times, strict=True):
                found = lstat(root + path)
                if found.st_size != size or found.st_mtime_ns != mtime:
                    return None
        except (OSError, ValueError):
            return None
        if unsettled != note.unsettled:
            cache.put(self._name, msgspec.msgpack.encode(msgspec.structs.replace(note, unsettled=unsettled)))
        return msgspec.structs.replace(made.report, output=str(self._output))

    def remember(self, cache: Cache, report: Report, manifest: Manifest, unsettled: Mapping[str, bytes]) -> None:
        """Leaves a note for the next build. `unsettled` are content files that were read, by id, and their digests."""
        stamp = files.stamp(self._output / MANIFEST)
        if stamp is None or not manifest.files:
            return
        records = manifest.files.values()
        note = Note(
            told=self._told,
            read=self._read,
            unsettled={**unsettled, **self._late},
            now=self._now,
            due=report.due,
            manifest=stamp,
        )
        made = Made(
            paths="\0".join(manifest.files),
            sizes=array("q", [r.size for r in records]).tobytes(),
            times=array("q", [r.mtime for r in records]).tobytes(),
            report=msgspec.structs.replace(report, rendered=[], written=[], pruned=[], seconds={}),
        )
        cache.put(self._name, msgspec.msgpack.encode(note))
        cache.put("made " + self._name, msgspec.msgpack.encode(made))


def _digest(path: str) -> bytes:
    try:
        return digest_bytes(Path(path).read_bytes())
    except OSError:
        return b""

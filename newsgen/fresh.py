"""Nothing has changed: found out without reading a file.

A build leaves a note in the cache: what it was told, a digest of the stamps of all it read, the stamps of all it wrote,
and its report. Where all of it holds again, so does the report.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from newsgen import files
from newsgen.cache import Cache, engine
from newsgen.files import Found, Stamp
from newsgen.options import Options, Report, folders
from newsgen.output import MANIFEST, Manifest
from newsgen.text import brief


class Note(msgspec.Struct, kw_only=True, array_like=True):
    """What the last build into a folder was.

    `told` stands for its options, `read` for its input. `unsettled` are files whose stamps cannot be trusted yet, with
    the digests of their bytes: content by id, all else by a name. `now` and `due` bound the time in which the same files give the same site. `paths` are
    those written, joined by a character that is in none, `sizes` and `times` as in the manifest, 8 bytes each.
    """

    told: bytes
    read: bytes
    unsettled: dict[str, bytes]
    now: datetime
    due: datetime | None
    manifest: Stamp
    paths: str
    sizes: bytes
    times: bytes
    report: Report


class Look:
    """A site's input as it was at one moment, before any of it was read."""

    def __init__(self, options: Options, now: datetime) -> None:
        self._now = now
        self._started = time.time_ns()
        self._options = options
        source, output = folders(options)
        self._output = output
        self.found: list[Found] = list(files.scan(source, source.name))
        # By names that stay the same wherever the site is seen from, and that no content file has.
        places = {
            f"/{whose} {kind}": folder / kind
            for whose, folder in (("own", options.site), ("shipped", files.home()))
            for kind in ("templates", "static")
        }
        self._others = {
            name + path[len(str(place)) :]: (path, stamp)
            for name, place in places.items()
            for path, stamp in sorted(files.tree(place), key=lambda found: found[0])
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
        self._name = "last " + brief(str(output.resolve()).encode()).hex()

    def _read(self, unsettled: Mapping[str, bytes]) -> bytes:
        """A digest of all stamps; of unsettled files their bytes' digests stand for them."""
        names = "\0".join([*[f.id for f in self.found], "", *self._others])
        marks = [unsettled.get(f.id) or f.mark() or str(f.stamp).encode() for f in self.found]
        marks += [unsettled.get(name) or str(stamp).encode() for name, (_, stamp) in self._others.items()]
        return brief(names.encode("utf-8", "surrogatepass") + b"\n".join(marks))

    def _digests(self, names: Collection[str]) -> dict[str, bytes]:
        paths = {f.id: f.path for f in self.found if f.id in names} | {n: p for n, (p, _) in self._others.items()}
        return {name: _digest(paths[name]) for name in names if name in paths}

    def report(self, cache: Cache) -> Report | None:
        """The last build's report, where another would do nothing."""
        try:
            note = msgspec.msgpack.decode(cache.get(self._name) or b"", type=Note)
        except msgspec.DecodeError:
            return None
        if note.told != self._told or not note.now <= self._now or (note.due and note.due <= self._now):
            return None
        if self._read(self._digests(note.unsettled)) != note.read:
            return None
        if files.stamp(self._output / MANIFEST) != note.manifest:
            return None
        sizes, times = array("q", note.sizes), array("q", note.times)
        root, lstat = f"{self._output}/", os.lstat
        try:
            for path, size, mtime in zip(note.paths.split("\0"), sizes, times, strict=True):
                found = lstat(root + path)
                if found.st_size != size or found.st_mtime_ns != mtime:
                    return None
        except (OSError, ValueError):
            return None
        return msgspec.structs.replace(note.report, output=str(self._output))

    def remember(self, cache: Cache, report: Report, manifest: Manifest, unsettled: Mapping[str, bytes]) -> None:
        """Leaves a note for the next build. `unsettled` are content files that were read, by id, and their digests."""
        stamp = files.stamp(self._output / MANIFEST)
        if stamp is None or not manifest.files:
            return
        late = {**unsettled, **self._late}
        records = manifest.files.values()
        note = Note(
            told=self._told,
            read=self._read(late),
            unsettled=late,
            now=self._now,
            due=report.due,
            manifest=stamp,
            paths="\0".join(manifest.files),
            sizes=array("q", [r.size for r in records]).tobytes(),
            times=array("q", [r.mtime for r in records]).tobytes(),
            report=msgspec.structs.replace(report, rendered=[], written=[], pruned=[], seconds={}),
        )
        cache.put(self._name, msgspec.msgpack.encode(note))


def _digest(path: str) -> bytes:
    try:
        return brief(Path(path).read_bytes())
    except OSError:
        return b""

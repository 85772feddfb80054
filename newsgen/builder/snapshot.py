"""Detects that nothing has changed since the last build, without reading the files.

Each build stores in the cache its options, a digest of the stamps of its input files, the sizes and times of its output
files, and its report. If all of these still match, the next build returns the stored report.
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
from newsgen.builder.manifest import MANIFEST, Manifest
from newsgen.builder.options import Options, folders
from newsgen.builder.report import Report
from newsgen.files import FoundFile, Stamp
from newsgen.text import digest_bytes


class Inputs(msgspec.Struct, kw_only=True, array_like=True):
    """The inputs of the last build into an output folder.

    `options` encodes the options, `stamps` is a digest of the stamps of all input files. `racy` are the digests of
    files whose stamps are too recent to rule out an unnoticed edit ("racy" in Git): content files by id, others by
    name. The report holds from `now` until `due`. `manifest` is the stamp of the manifest.
    """

    options: bytes
    stamps: bytes
    racy: dict[str, bytes]
    now: datetime
    due: datetime | None
    manifest: Stamp


class Outputs(msgspec.Struct, kw_only=True, array_like=True):
    """The outputs of the last build.

    `paths` are joined by NUL. `sizes` and `times` (mtimes in ns) are arrays of 8-byte integers in the same order.
    """

    paths: str
    sizes: bytes
    times: bytes
    report: Report


class Snapshot:
    """The stamps of all input files, taken before any file is read."""

    def __init__(self, options: Options, now: datetime) -> None:
        """`options` must have its clock as a time or "content"."""
        self._now = now
        self._started = time.time_ns()
        self._options = options
        source, output = folders(options)
        self._output = output
        self.found: list[FoundFile] = list(files.scan(source, source.name))
        # Names that do not depend on where the site lies and that differ from all ids of content files.
        roots = {
            f"/{owner} {kind}": folder / kind
            for owner, folder in (("own", options.site), ("shipped", files.shipped_site()))
            for kind in ("templates", "static")
        }
        self._other_files = {
            name + path[len(str(root)) :]: (path, stamp)
            for name, root in roots.items()
            for path, stamp in sorted(files.walk_files(root), key=lambda entry: entry[0])
        }
        toml = str(options.site / "site.toml")
        self._other_files["/site.toml"] = (toml, files.stamp(toml))
        # A link that leads nowhere has no stamp, as a file that does not exist. One of them is an error.
        places = {"/site.toml": toml, **{name: str(root) for name, root in roots.items()}}
        dead = [name for name, path in places.items() if os.path.lexists(path) and files.stamp(path) is None]
        self._other_files |= {name: (places[name], files.stamp(places[name], follow=False)) for name in dead}
        chosen = sorted(options.show), options.clock, options.strict, options.fingerprints
        key = (engine(), str(source.resolve()), str(output.resolve()), *chosen)
        self._options_key = msgspec.msgpack.encode(key)
        # Digested before the build reads them: an edit in between then counts as a change for the next build.
        self._racy = {
            name: _digest(path)
            for name, (path, s) in self._other_files.items()
            if s and not s.is_settled(self._started)
        }
        self._cache_name = "last " + digest_bytes(str(output.resolve()).encode()).hex()

    @cached_property
    def _stamps_digest(self) -> bytes:
        """A digest of the names and stamps of all input files."""
        names = "\0".join([*[f.id for f in self.found], "", *self._other_files])
        stamps = [f.stamp for f in self.found], [stamp for _, stamp in self._other_files.values()]
        try:
            encoded = msgspec.msgpack.encode(stamps)
        except OverflowError:  # a file system may report times that exceed 64 bits
            encoded = repr(stamps).encode("utf-8", "surrogatepass")
        return digest_bytes(names.encode("utf-8", "surrogatepass") + encoded)

    def _still_racy(self, racy: Mapping[str, bytes]) -> dict[str, bytes] | None:
        """The files that are still racy; None if the bytes of one of them have changed."""
        places = {f.id: (f.path, f.stamp) for f in self.found if f.id in racy} | self._other_files
        if any(name not in places or _digest(places[name][0]) != digest for name, digest in racy.items()):
            return None
        stamps = ((name, places[name][1]) for name in racy)
        return {
            name: racy[name]
            for name, stamp in stamps
            if not isinstance(stamp, Stamp) or not stamp.is_settled(self._started)
        }

    def report_if_unchanged(self, cache: Cache) -> Report | None:
        """The last build's report, if a new build would change nothing."""
        try:
            last = msgspec.msgpack.decode(cache.get(self._cache_name) or b"", type=Inputs)
        except msgspec.DecodeError:
            return None
        if last.options != self._options_key or not last.now <= self._now or (last.due and last.due <= self._now):
            return None
        if self._stamps_digest != last.stamps:
            return None
        racy = self._still_racy(last.racy)
        if racy is None:
            return None
        if files.stamp(self._output / MANIFEST) != last.manifest:
            return None
        try:
            outputs = msgspec.msgpack.decode(cache.get("made " + self._cache_name) or b"", type=Outputs)
        except msgspec.DecodeError:
            return None
        sizes, times = array("q", outputs.sizes), array("q", outputs.times)
        root, lstat = f"{self._output}/", os.lstat
        try:
            for path, size, mtime in zip(outputs.paths.split("\0"), sizes, times, strict=True):
                status = lstat(root + path)
                if status.st_size != size or status.st_mtime_ns != mtime:
                    return None
        except (OSError, ValueError):
            return None
        if racy != last.racy:
            cache.put(self._cache_name, msgspec.msgpack.encode(msgspec.structs.replace(last, racy=racy)))
        return msgspec.structs.replace(outputs.report, output=str(self._output))

    def remember(self, cache: Cache, report: Report, manifest: Manifest, racy: Mapping[str, bytes]) -> None:
        """Stores the inputs and outputs of this build for the next one. `racy` are digests of content files, by id."""
        stamp = files.stamp(self._output / MANIFEST)
        if stamp is None or not manifest.files:
            return
        records = manifest.files.values()
        inputs = Inputs(
            options=self._options_key,
            stamps=self._stamps_digest,
            racy={**racy, **self._racy},
            now=self._now,
            due=report.due,
            manifest=stamp,
        )
        outputs = Outputs(
            paths="\0".join(manifest.files),
            sizes=array("q", [r.size for r in records]).tobytes(),
            times=array("q", [r.mtime for r in records]).tobytes(),
            report=msgspec.structs.replace(report, rendered=[], written=[], pruned=[], seconds={}),
        )
        cache.put(self._cache_name, msgspec.msgpack.encode(inputs))
        cache.put("made " + self._cache_name, msgspec.msgpack.encode(outputs))


def _digest(path: str) -> bytes:
    try:
        return digest_bytes(Path(path).read_bytes())
    except OSError:
        return b""

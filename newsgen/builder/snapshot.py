"""Names what differs from the last build, without reading the files.

Each build stores in the cache its options, the stamps of its input files and its report. The manifest has the sizes and
times of its output files. If all of these still match, the next build returns the stored report.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path

import msgspec

from newsgen import files
from newsgen.builder.cache import Cache, engine, installed_versions
from newsgen.builder.manifest import MANIFEST, Manifest
from newsgen.builder.options import Options, folders
from newsgen.builder.report import Report
from newsgen.files import STAMP_BYTES, FoundFile, FoundFiles, Stamp, shipped_catalogues
from newsgen.text import ATTACHMENTS, digest_bytes


class Listed(msgspec.Struct, array_like=True):
    """A digest of the ids of files, and the stamps that are not four numbers, as text by id."""

    names: bytes
    odd: dict[str, str]


_NAMES_PLUGINS = re.compile(rb"^[ \t]*[\"']?plugins\b", re.MULTILINE)
"""Finds the setting `plugins` in site.toml, unless it is commented out."""


class Last(msgspec.Struct, kw_only=True, array_like=True):
    """The last build into an output folder.

    `options` encodes the options. `content` and `attachments` are the files below the content folder. `others` are the
    stamps of all other input files, as text by name. `racy` are the digests of files whose stamps are too recent to
    rule out an unnoticed edit ("racy" in Git): those below the content folder by id, others by name. The report holds
    from `now` until its `due`. `manifest` is the stamp of the manifest.
    """

    options: bytes
    content: Listed
    attachments: Listed
    others: dict[str, str]
    racy: dict[str, bytes]
    now: datetime
    manifest: Stamp
    report: Report


@dataclass(kw_only=True)
class Differences:
    """What differs from the last build into an `output` folder.

    `added_or_changed` are content files, and `removed` the ids of content files. `attachments` are the ids of
    attachments that were added, changed or removed, and `others` names other input files, such as templates and
    settings. `due` says whether a gate has opened or closed since. `written` is the manifest of the last build, with
    its stamp, and `report` its report.
    """

    added_or_changed: list[FoundFile]
    removed: list[str]
    attachments: list[str]
    others: list[str]
    output: Path
    due: bool
    written: tuple[Stamp, Manifest]
    report: Report

    @cached_property
    def altered(self) -> list[str]:
        """The output files that are missing or are not as they were written.

        They are looked up when this is first asked for: a preview shows an edit before that.
        """
        return _altered(self.output, self.written[1])

    @property
    def is_empty(self) -> bool:
        """Whether a new build would change nothing."""
        return not (
            self.added_or_changed or self.removed or self.attachments or self.others or self.due or self.altered
        )


class Snapshot:
    """The stamps of all input files, taken before any file is read."""

    def __init__(self, options: Options, now: datetime) -> None:
        """`options` must have its clock as a time or "content"."""
        self._now = now
        self._started = time.time_ns()
        self._options = options
        source, output = folders(options)
        self._output = output
        self.found, self.attachments, self.foreign = files.scan(source, source.name)
        # Names that do not depend on where the site lies and that differ from all ids of content files.
        roots = {
            f"/{owner} {kind}": folder / kind
            for owner, folder in (("own", options.site), ("shipped", files.shipped_site()))
            for kind in ("templates", "static")
        }
        roots |= {"/own locale": options.site / "locale", "/shipped locale": shipped_catalogues()}
        self._other_files = {
            name + path[len(str(root)) :]: (path, stamp)
            for name, root in roots.items()
            for path, stamp in sorted(files.walk_files(root), key=lambda entry: entry[0])
        }
        toml = str(options.site / "site.toml")
        self._other_files["/site.toml"] = (toml, files.stamp(toml))
        # The report names them, whatever is in them.
        self._other_files |= {f"/foreign {id}": (str(source / id), None) for id in self.foreign}
        plugins = _plugins(options.site)
        self._other_files |= plugins
        # A link that leads nowhere has no stamp, like a file that does not exist. But it is an error.
        places = {"/site.toml": toml, **{name: str(root) for name, root in roots.items()}}
        dead = [name for name, path in places.items() if os.path.lexists(path) and files.stamp(path) is None]
        self._other_files |= {name: (places[name], files.stamp(places[name], follow=False)) for name in dead}
        chosen = sorted(options.show), options.clock, options.strict, options.fingerprints
        versions = installed_versions() if plugins else {}
        key = (engine(), str(source.resolve()), str(output.resolve()), *chosen, versions)
        self._options_key = msgspec.msgpack.encode(key)
        # Digested before the build reads them: an edit in between then counts as a change for the next build.
        self._racy = {
            name: _digest(path)
            for name, (path, s) in self._other_files.items()
            if s and not s.is_settled(self._started)
        }
        self._still_racy: dict[str, bytes] = {}
        self._last: Last | None = None
        self.folder = digest_bytes(str(output.resolve()).encode()).hex()
        """Names the output folder in the cache."""

    def differences(self, cache: Cache) -> Differences | None:
        """What differs from the last build; None if everything may, because none is complete or its options differ."""
        last = self._saved(cache)
        if last is None or last.options != self._options_key or not last.now <= self._now:
            return None
        place = self._output / MANIFEST
        if files.stamp(place) != last.manifest:
            return None
        content = self._listed_differences(cache, self.found, last.content, "")
        attached = self._listed_differences(cache, self.attachments, last.attachments, "attachment ")
        if content is None or attached is None:
            return None
        changed, removed = content
        attachments = {*attached[0], *attached[1]}
        other_stamps = self._other_stamps()
        others = {name for name in last.others.keys() | other_stamps if last.others.get(name) != other_stamps.get(name)}
        racy = last.racy.keys() - changed - removed - attachments - others
        places = {
            found.ids[at]: found[at] for found in (self.found, self.attachments) for at in _positions(found, racy)
        }
        for name in racy:
            path, stamp = places[name][1:] if name in places else self._other_files[name]
            if _digest(path) != last.racy[name]:
                kind = others if name not in places else attachments if name.lower().endswith(ATTACHMENTS) else changed
                kind.add(name)
            elif not isinstance(stamp, Stamp) or not stamp.is_settled(self._started):
                self._still_racy[name] = last.racy[name]
        try:
            manifest = Manifest.read(place)
        except OSError:
            return None
        self._last = last
        return Differences(
            added_or_changed=[self.found[at] for at in _positions(self.found, changed)],
            removed=sorted(removed),
            attachments=sorted(attachments),
            others=sorted(others),
            output=self._output,
            due=last.report.due is not None and last.report.due <= self._now,
            written=(last.manifest, manifest),
            report=msgspec.structs.replace(last.report, output=str(self._output)),
        )

    def _saved(self, cache: Cache) -> Last | None:
        """The last build as the cache has it; None if there is none."""
        try:
            return msgspec.msgpack.decode(cache.get(f"last {self.folder}") or b"", type=Last)
        except msgspec.DecodeError:
            return None

    def settle(self, cache: Cache) -> None:
        """Notes which files are no longer racy, so that they are not read again. For builds with nothing to do."""
        if self._last and self._still_racy != self._last.racy and cache.begin():
            self._put(cache, msgspec.structs.replace(self._last, racy=self._still_racy))

    def _listed_differences(
        self, cache: Cache, found: FoundFiles, last: Listed, kind: str
    ) -> tuple[set[str], set[str]] | None:
        """The ids of the files of a kind that were added or changed, and of those removed; None if unknown."""
        before = cache.get(f"{kind}stamps {self.folder}") or b""
        ids: Sequence[str] = found.ids
        now = found.stamps
        added, removed = set[str](), set[str]()
        if last.names != found.digest:
            names = (cache.get(f"{kind}names {self.folder}") or b"").decode("utf-8", "surrogatepass")
            old_ids = names.split("\0") if names else []
            added, removed = set(ids).difference(old_ids), set(old_ids).difference(ids)
            before, now = _without(before, old_ids, removed), _without(now, ids, added)
            ids = [id for id in ids if id not in added]
        if not len(before) == len(now) == STAMP_BYTES * len(ids):
            return None
        odd = found.odd
        changed = added | {id for id in odd if last.odd.get(id) != odd[id]}
        return changed | {ids[at] for at in _differing(before, now)}, removed

    def _other_stamps(self) -> dict[str, str]:
        return {name: repr(stamp) for name, (_, stamp) in self._other_files.items()}

    def remember(self, cache: Cache, report: Report, manifest: Manifest, racy: Mapping[str, bytes]) -> None:
        """Stores this build for the next one. `racy` are the digests of the racy content files it read, by id."""
        stamp = files.stamp(self._output / MANIFEST)
        if stamp is None or not manifest:
            return
        before = self._saved(cache)  # not `_last`: the cache may have been replaced since
        for found, kind, old in (
            (self.found, "", before.content if before else None),
            (self.attachments, "attachment ", before.attachments if before else None),
        ):
            if old is None or old.names != found.digest:
                cache.put(f"{kind}names {self.folder}", b"\0".join(found.ids.packs()))
            cache.put(f"{kind}stamps {self.folder}", found.stamps)
        last = Last(
            options=self._options_key,
            content=Listed(self.found.digest, self.found.odd),
            attachments=Listed(self.attachments.digest, self.attachments.odd),
            others=self._other_stamps(),
            racy={**self._still_racy, **racy, **self._racy},
            now=self._now,
            manifest=stamp,
            report=msgspec.structs.replace(report, rendered=[], written=[], pruned=[], seconds={}),
        )
        self._put(cache, last)

    def _put(self, cache: Cache, last: Last) -> None:
        cache.put(f"last {self.folder}", msgspec.msgpack.encode(last))


def _plugins(site: Path) -> dict[str, tuple[str, Stamp | None]]:
    """The path and stamp of each file of the site's plugins, by its name. Costs little if site.toml names none."""
    with contextlib.suppress(OSError):
        if _NAMES_PLUGINS.search((site / "site.toml").read_bytes()):
            from newsgen.builder import plugincode  # imported late: few sites have plugins

            return plugincode.stamps(site)
    return {}


def _positions(found: FoundFiles, ids: Set[str]) -> list[int]:
    """Where the files with these ids are."""
    return [at for at, id in enumerate(found.ids) if id in ids] if ids else []


def _without(stamps: bytes, ids: Sequence[str], left_out: set[str]) -> bytes:
    """The stamps of the files whose ids are not left out."""
    parts, start = [], 0
    for at in [at for at, id in enumerate(ids) if id in left_out] if left_out else ():
        parts.append(stamps[start : STAMP_BYTES * at])
        start = STAMP_BYTES * (at + 1)
    return b"".join([*parts, stamps[start:]])


def _differing(before: bytes, now: bytes) -> list[int]:
    """The positions of stamps that differ."""
    found = []
    spans = [(0, len(now))]
    while spans:
        start, end = spans.pop()
        if before[start:end] == now[start:end]:
            continue
        if end - start <= STAMP_BYTES:
            found.append(start // STAMP_BYTES)
            continue
        middle = start + (end - start) // STAMP_BYTES // 2 * STAMP_BYTES
        spans += [(start, middle), (middle, end)]
    return found


def _altered(folder: Path, manifest: Manifest) -> list[str]:
    """The output files that are missing, or whose size or mtime is not the manifest's."""
    altered = []
    with files.opened(folder) as place:
        root = f"{folder}{os.sep}" if place is None else ""
        blocks = (zip(columns.paths, columns.size, columns.mtime, strict=True) for columns in manifest.columns())
        for path, size, mtime in chain.from_iterable(blocks):
            try:
                status = os.stat(root + path, dir_fd=place, follow_symlinks=False)
            except (OSError, ValueError):
                altered.append(path)
                continue
            if status.st_size != size or status.st_mtime_ns != mtime:
                altered.append(path)
    return altered


def _digest(path: str) -> bytes:
    try:
        return digest_bytes(Path(path).read_bytes())
    except OSError:
        return b""

"""Stale pages become staged files, here or in other processes, while the rest is still being planned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from newsgen.builder import pool
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.lastbuild import LastBuild
from newsgen.builder.options import Options, Progress, folders
from newsgen.builder.output import CLASH, Manifest, Output, Record
from newsgen.builder.pool import Pool
from newsgen.builder.render import Renderer
from newsgen.builder.theme import Theme
from newsgen.files import Stamp
from newsgen.model import Site
from newsgen.pages import OnPage, Page, PageRef, decode

_FEW = 25
"""Pages that are rendered here in one go."""


class RenderQueue:
    """Stages the files of stale pages, a batch at a time, while the plan of the rest is still being made."""

    def __init__(self, options: Options, pool: Pool, cache: Cache, progress: Progress | None) -> None:
        self.output = Output(folders(options)[1])
        self.last: LastBuild
        self.staged: dict[PageRef, Record | None] = {}
        self._options, self._pool, self._cache, self._progress = options, pool, cache, progress
        self._batch: list[tuple[PageRef, Page, bytes]] = []
        self._done = self._all = 0
        self._shard: _Shard | None = None
        self._compiled: CachedValues | None = None

    def __enter__(self) -> RenderQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.output.abandon()

    def open(self, theme: Theme, site: Site, written: tuple[Stamp, Manifest] | None) -> OnPage:
        """Opens the output folder, and says what takes the pages. `written` is what this process wrote there last."""
        self._cache.release()
        self.output.open()
        self.last = LastBuild(self.output, theme, site, verify=self._options.verify, written=written)
        self._theme, self._site = theme, site
        # Staging names of a killed build's workers, which may not be dead yet, are others.
        self._run = f"{os.getpid()}-{time.time_ns()}"
        self._remote = self._pool.runs
        return self.add

    def render(self, page: Page) -> bytes:
        """The bytes of a page's file, here and now."""
        return self._own.render(page)

    @property
    def _own(self) -> _Shard:
        if self._shard is None:
            self._shard = _Shard(self._theme, self._site, self.output, self._run, self._cache)
        return self._shard

    def add(self, ref: PageRef, page: Page, data: bytes) -> None:
        """Stages the file of a page, soon, if it is stale."""
        if ref not in self.staged and self.last.is_stale(ref):
            self._put(ref, page, data)

    def finish(
        self, stale: list[PageRef], page: Callable[[str], Page], check_cancelled: Callable[[], None] | None = None
    ) -> list[Record | None]:
        """The records of all these pages, in their order, whoever made them. `page` makes those that were not planned anew.

        `check_cancelled` is asked before each batch, and may raise.
        """
        rest = [ref for ref in stale if ref not in self.staged]
        self._remote = self._remote or self._pool.is_worth(-(-len(rest) // pool.BATCH))
        self._all = len(stale)
        for ref in rest:
            if check_cancelled and not self._batch:
                check_cancelled()
            made = page(ref.path)
            self._put(ref, made, made.encode() if self._remote else b"")
        self._send()
        self._pool.finish()
        if self.staged.keys() - set(stale):
            self._settle(stale, page)
        found = [self.staged[ref] for ref in stale]
        self.staged.clear()
        return found

    def _settle(self, stale: list[PageRef], page: Callable[[str], Page]) -> None:
        """Takes back what turned out to be in another page's way, and stages what it was in the way of."""
        for ref in self.staged.keys() - set(stale):
            record = self.staged.pop(ref)
            if record and record.template:
                self.output.unstage(ref.path, self._run)
        self._remote = False
        for ref in stale:
            if self.staged[ref] == CLASH:
                self._put(ref, page(ref.path), b"")
        self._send()

    def _put(self, ref: PageRef, page: Page, data: bytes) -> None:
        self.staged[ref] = None
        self._batch.append((ref, page, data))
        if len(self._batch) >= (pool.BATCH if self._remote else _FEW):
            self._send()

    def _send(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        refs = [ref for ref, _, _ in batch]
        records = [self.last.manifest.files.get(ref.path) for ref in refs]
        if not self._remote or self._pool.has_enough:
            self._note(refs, self._own([page for _, page, _ in batch], records))
            return
        if self._compiled is None:
            Renderer(self._theme, self._site, self._cache).compile()
            self._compiled = CachedValues((name, self._cache.get(name) or b"") for name in ("closures", "templates"))
        theme = (str(self._theme.site), self._compiled, self._theme.marked)
        shared = (str(self.output.root), theme, self._site, self._run)
        work = (*shared, [data for _, _, data in batch], records)
        self._pool.submit(_remotely, work, partial(self._note, refs))

    def _note(self, refs: list[PageRef], records: list[Record | None]) -> None:
        self.staged |= zip(refs, records, strict=True)
        self._done += len(refs)
        if self._progress:
            self._progress("rendering", self._done, self._all)


class _Shard:
    """Renders and stages batches of pages with one set of templates."""

    def __init__(self, theme: Theme, site: Site, output: Output, run: str, cache: Cache | CachedValues) -> None:
        self.render = Renderer(theme, site, cache)
        self._output, self._run = output, run

    def __call__(self, pages: Iterable[Page], records: list[Record | None]) -> list[Record | None]:
        return [
            self._output.stage(page.path, self.render(page), self._run, record)
            for page, record in zip(pages, records, strict=True)
        ]


_Work = tuple[str, tuple[str, CachedValues, bool], Site, str, list[bytes], list[Record | None]]
_mine: dict[str, _Shard] = {}


def _remotely(work: _Work) -> list[Record | None]:
    """One batch in a worker process, which keeps its templates for the next of the same build."""
    root, (folder, compiled, marked), site, run, batch, records = work
    shard = _mine.get(run)
    if shard is None:
        _mine.clear()
        theme = Theme(Path(folder), compiled, marked=marked)
        shard = _mine[run] = _Shard(theme, site, Output(Path(root)), run, compiled)
    return shard(map(decode, batch), records)

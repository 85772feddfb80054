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
from newsgen.pages import Page, PageRef, Take, decode

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

    def begin(self, theme: Theme, site: Site, written: tuple[Stamp, Manifest] | None) -> Take:
        """Opens the output folder, and says what takes the pages. `written` is what this process wrote there last."""
        self._cache.release()
        self.output.open()
        self.last = LastBuild(self.output, theme, site, verify=self._options.verify, written=written)
        self._theme, self._site = theme, site
        # Staging names of a killed build's workers, which may not be dead yet, are others.
        self._run = f"{os.getpid()}-{time.time_ns()}"
        self._remote = self._pool.runs
        return self.take

    def render(self, page: Page) -> bytes:
        """The bytes of a page's file, here and now."""
        return self._own.render(page)

    @property
    def _own(self) -> _Shard:
        if self._shard is None:
            self._shard = _Shard(self._theme, self._site, self.output, self._run, self._cache)
        return self._shard

    def take(self, sheet: PageRef, page: Page, data: bytes) -> None:
        """Stages the file of a page, soon, if it is stale."""
        if sheet not in self.staged and self.last.is_stale(sheet):
            self._put(sheet, page, data)

    def finish(
        self, stale: list[PageRef], page: Callable[[str], Page], go_on: Callable[[], None] | None = None
    ) -> list[Record | None]:
        """The records of all these pages, in their order, whoever made them. `page` makes those that were not planned anew.

        `go_on` is asked before each batch, and may raise.
        """
        rest = [sheet for sheet in stale if sheet not in self.staged]
        self._remote = self._remote or self._pool.is_worth(-(-len(rest) // pool.BATCH))
        self._all = len(stale)
        for sheet in rest:
            if go_on and not self._batch:
                go_on()
            made = page(sheet.path)
            self._put(sheet, made, made.encode() if self._remote else b"")
        self._send()
        self._pool.finish()
        if self.staged.keys() - set(stale):
            self._settle(stale, page)
        found = [self.staged[sheet] for sheet in stale]
        self.staged.clear()
        return found

    def _settle(self, stale: list[PageRef], page: Callable[[str], Page]) -> None:
        """Takes back what turned out to be in another page's way, and stages what it was in the way of."""
        for sheet in self.staged.keys() - set(stale):
            record = self.staged.pop(sheet)
            if record and record.template:
                self.output.unstage(sheet.path, self._run)
        self._remote = False
        for sheet in stale:
            if self.staged[sheet] == CLASH:
                self._put(sheet, page(sheet.path), b"")
        self._send()

    def _put(self, sheet: PageRef, page: Page, data: bytes) -> None:
        self.staged[sheet] = None
        self._batch.append((sheet, page, data))
        if len(self._batch) >= (pool.BATCH if self._remote else _FEW):
            self._send()

    def _send(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        sheets = [sheet for sheet, _, _ in batch]
        records = [self.last.manifest.files.get(sheet.path) for sheet in sheets]
        if not self._remote or self._pool.has_enough:
            self._note(sheets, self._own([page for _, page, _ in batch], records))
            return
        if self._compiled is None:
            Renderer(self._theme, self._site, self._cache).compile()
            self._compiled = CachedValues((name, self._cache.get(name) or b"") for name in ("closures", "templates"))
        theme = (str(self._theme.site), self._compiled, self._theme.marked)
        shared = (str(self.output.root), theme, self._site, self._run)
        work = (*shared, [data for _, _, data in batch], records)
        self._pool.submit(_remotely, work, partial(self._note, sheets))

    def _note(self, sheets: list[PageRef], records: list[Record | None]) -> None:
        self.staged |= zip(sheets, records, strict=True)
        self._done += len(sheets)
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

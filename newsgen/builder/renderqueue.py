"""Renders and stages stale pages, in this process or in workers, while other pages are still being planned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from newsgen.builder import pool
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.lastbuild import LastBuild
from newsgen.builder.manifest import Manifest, Record
from newsgen.builder.options import Options, Progress, folders
from newsgen.builder.output import CONFLICT, Output
from newsgen.builder.pool import Pool
from newsgen.builder.render import Renderer
from newsgen.builder.theme import Theme
from newsgen.files import Stamp
from newsgen.model import Site
from newsgen.pages import OnPage, Page, PageRef, decode

_LOCAL_BATCH = 25
"""The number of pages per batch when rendering in this process."""


class RenderQueue:
    """Collects stale pages into batches, then renders and stages each batch."""

    def __init__(self, options: Options, pool: Pool, cache: Cache, progress: Progress | None) -> None:
        self.output = Output(folders(options)[1])
        self.last_build: LastBuild
        self.staged: dict[PageRef, Record | None] = {}
        self._options, self._pool, self._cache, self._progress = options, pool, cache, progress
        self._batch: list[tuple[PageRef, Page, bytes]] = []
        self._done = self._total = 0
        self._local_renderer: _BatchRenderer | None = None
        self._compiled: CachedValues | None = None

    def __enter__(self) -> RenderQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.output.abandon()

    def open(self, theme: Theme, site: Site, written: tuple[Stamp, Manifest] | None) -> OnPage:
        """Opens the output folder and returns `add`, the callback for planned pages.

        `written` is the manifest that this process wrote last, with its stamp.
        """
        self._cache.release()
        self.output.open()
        self.last_build = LastBuild(self.output, theme, site, verify=self._options.verify, written=written)
        self._theme, self._site = theme, site
        # Unique, because workers of a killed build may still be writing to the staging folder.
        self._run = f"{os.getpid()}-{time.time_ns()}"
        self._use_workers = self._pool.is_running
        return self.add

    def render(self, page: Page) -> bytes:
        """Renders a page in this process, at once. Nothing is staged."""
        return self._local.render(page)

    @property
    def _local(self) -> _BatchRenderer:
        if self._local_renderer is None:
            self._local_renderer = _BatchRenderer(self._theme, self._site, self.output, self._run, self._cache)
        return self._local_renderer

    def add(self, ref: PageRef, page: Page, data: bytes) -> None:
        """Queues a page if it is stale. `data` is the encoded page."""
        if ref not in self.staged and self.last_build.is_stale(ref):
            self._enqueue(ref, page, data)

    def finish(
        self, stale: list[PageRef], page: Callable[[str], Page], check_cancelled: Callable[[], None] | None = None
    ) -> list[Record | None]:
        """Renders and stages all remaining stale pages; returns the records of `stale`, in order.

        `page` creates a page from its path, for pages that `add` did not receive. `check_cancelled` is called before
        each batch and may raise Superseded.
        """
        rest = [ref for ref in stale if ref not in self.staged]
        self._use_workers = self._use_workers or self._pool.pays_off(-(-len(rest) // pool.BATCH))
        self._total = len(stale)
        for ref in rest:
            if check_cancelled and not self._batch:
                check_cancelled()
            planned = page(ref.path)
            self._enqueue(ref, planned, planned.encode() if self._use_workers else b"")
        self._flush()
        self._pool.finish()
        if self.staged.keys() - set(stale):
            self._resolve_conflicts(stale, page)
        records = [self.staged[ref] for ref in stale]
        self.staged.clear()
        return records

    def _resolve_conflicts(self, stale: list[PageRef], page: Callable[[str], Page]) -> None:
        """Unstages pages that are not in the plan after all, then stages the pages that conflicted with them."""
        for ref in self.staged.keys() - set(stale):
            record = self.staged.pop(ref)
            if record and record.template:
                self.output.unstage(ref.path, self._run)
        self._use_workers = False
        for ref in stale:
            if self.staged[ref] == CONFLICT:
                self._enqueue(ref, page(ref.path), b"")
        self._flush()

    def _enqueue(self, ref: PageRef, page: Page, data: bytes) -> None:
        self.staged[ref] = None
        self._batch.append((ref, page, data))
        if len(self._batch) >= (pool.BATCH if self._use_workers else _LOCAL_BATCH):
            self._flush()

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        refs = [ref for ref, _, _ in batch]
        records = [self.last_build.manifest.files.get(ref.path) for ref in refs]
        if not self._use_workers or self._pool.is_saturated:
            self._record(refs, self._local([page for _, page, _ in batch], records))
            return
        if self._compiled is None:
            Renderer(self._theme, self._site, self._cache).compile()
            self._compiled = CachedValues((name, self._cache.get(name) or b"") for name in ("closures", "templates"))
        theme = (str(self._theme.site), self._compiled, self._theme.fingerprinted)
        shared = (str(self.output.root), theme, self._site, self._run)
        work = (*shared, [data for _, _, data in batch], records)
        self._pool.submit(_render_in_worker, work, partial(self._record, refs))

    def _record(self, refs: list[PageRef], records: list[Record | None]) -> None:
        self.staged |= zip(refs, records, strict=True)
        self._done += len(refs)
        if self._progress:
            self._progress("rendering", self._done, self._total)


class _BatchRenderer:
    """Renders and stages batches of pages with one renderer."""

    def __init__(self, theme: Theme, site: Site, output: Output, run: str, cache: Cache | CachedValues) -> None:
        self.render = Renderer(theme, site, cache)
        self._output, self._run = output, run

    def __call__(self, pages: Iterable[Page], records: list[Record | None]) -> list[Record | None]:
        return [
            self._output.stage(page.path, self.render(page), self._run, record)
            for page, record in zip(pages, records, strict=True)
        ]


_Work = tuple[str, tuple[str, CachedValues, bool], Site, str, list[bytes], list[Record | None]]
_renderers: dict[str, _BatchRenderer] = {}


def _render_in_worker(work: _Work) -> list[Record | None]:
    """Renders one batch in a worker process. The worker keeps its templates for later batches of the same build."""
    root, (folder, compiled, fingerprinted), site, run, batch, records = work
    renderer = _renderers.get(run)
    if renderer is None:
        _renderers.clear()
        theme = Theme(Path(folder), compiled, fingerprinted=fingerprinted)
        renderer = _renderers[run] = _BatchRenderer(theme, site, Output(Path(root)), run, compiled)
    return renderer(map(decode, batch), records)

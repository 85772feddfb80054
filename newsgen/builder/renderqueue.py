"""Renders and stages stale pages, in this process or in workers, while other pages are still being planned."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from newsgen.builder import pool
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.lastbuild import LastBuild
from newsgen.builder.manifest import Record
from newsgen.builder.options import Options, Progress, folders
from newsgen.builder.output import CONFLICT, STAGING, Lock, Output
from newsgen.builder.pool import Pool
from newsgen.builder.render import Renderer
from newsgen.builder.snapshot import Differences
from newsgen.builder.theme import SentTheme, Theme
from newsgen.errors import OutputError
from newsgen.model import Site
from newsgen.pages import AttachmentPage, OnPage, Page, PageRef, decode

_LOCAL_BATCH = 25
"""The number of pages per batch when rendering in this process."""


_PICTURE = 2
"""The number of batches of pages that take as long as the copies of one picture."""

_Queued = tuple[PageRef, Page, bytes]


class RenderQueue:
    """Collects stale pages into batches, then renders and stages each batch."""

    def __init__(self, options: Options, pool: Pool, cache: Cache, progress: Progress | None) -> None:
        self.output = Output(folders(options)[1])
        self.last_build: LastBuild
        self.staged: dict[PageRef, Record | None] = {}
        self._options, self._pool, self._cache, self._progress = options, pool, cache, progress
        self._batch: list[_Queued] = []
        self._pictures: dict[str, list[_Queued]] = {}
        self._done = self._total = 0
        self._local_renderer: _BatchRenderer | None = None
        self._shared: bytes | None = None
        self._workers_stage = True

    def __enter__(self) -> RenderQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.output.abandon()

    def open(self, theme: Theme, site: Site, differences: Differences | None) -> OnPage:
        """Opens the output folder and returns `add`, the callback for planned pages. Forgets the pages added before.

        `differences` is what differs from the last build, if that is known.
        """
        self._pool.finish()
        self._batch, self.staged, self._local_renderer, self._shared = [], {}, None, None
        self._pictures = {}
        self.output.open()
        self.last_build = LastBuild(self.output, theme, site, differences, verify=self._options.verify)
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
            # Many pages were stale, so many more may follow: another template makes all pages of a site stale.
            self._use_workers = self._use_workers or self._pool.pays_off(len(self.staged) // pool.BATCH)

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
        self._encode()
        self._pool.finish()
        if self.staged.keys() - set(stale) or CONFLICT in self.staged.values():
            self._resolve_conflicts(stale, page)
        records = [self.staged[ref] for ref in stale]
        self.staged.clear()
        return records

    def _resolve_conflicts(self, stale: list[PageRef], page: Callable[[str], Page]) -> None:
        """Unstages pages that are not in the plan after all, then stages the pages that conflicted with them.

        Pages also conflict with themselves: a worker that died in the middle of a batch has staged some of its pages.
        """
        for ref in self.staged.keys() - set(stale):
            record = self.staged.pop(ref)
            if record and record.template:
                self.output.unstage(ref.path, self._run)
        self._use_workers = False
        for ref in stale:
            if self.staged[ref] == CONFLICT:
                self.output.unstage(ref.path, self._run)
                self._enqueue(ref, page(ref.path), b"")
        self._flush()
        self._encode()
        if CONFLICT in self.staged.values():
            raise OutputError(f"{self.output.root}: a worker that was lost still writes there; stop it and build again")

    def _enqueue(self, ref: PageRef, page: Page, data: bytes) -> None:
        self.staged[ref] = None
        if self._pool.is_remote and not ref.template:
            record = self.last_build.manifest.files.get(ref.path)
            self._record([ref], self._local([page], [record]))  # a file that other machines may not have
            return
        if isinstance(page, AttachmentPage) and page.encoder:
            self._pictures.setdefault(page.source, []).append((ref, page, data or page.encode()))
            return
        self._batch.append((ref, page, data))
        if len(self._batch) >= (pool.BATCH if self._use_workers else _LOCAL_BATCH):
            self._flush()

    def _encode(self) -> None:
        """Makes the copies of pictures: all of one picture together, because decoding it takes long."""
        pictures, self._pictures = self._pictures, {}
        self._use_workers = self._use_workers or self._pool.pays_off(_PICTURE * len(pictures))
        for batch in pictures.values():
            self._send(batch)

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            self._send(batch)

    def _send(self, batch: list[_Queued]) -> None:
        """Renders and stages a batch, here or in a worker."""
        refs = [ref for ref, _, _ in batch]
        records = [self.last_build.manifest.get(ref.path) for ref in refs]
        if not self._use_workers or self._pool.is_saturated:
            self._record(refs, self._local([page for _, page, _ in batch], records))
            return
        shared = self._share()
        work = (str(self.output.root), self._run, shared, [data for _, _, data in batch], records)
        if self._workers_stage:
            self._pool.submit(_stage_in_worker, work, partial(self._record, refs))
        else:
            self._pool.submit(_render_in_worker, work, partial(self._stage, refs, records))

    def _share(self) -> bytes:
        """What every task of this build needs. Encoded once: workers decode it once."""
        if self._shared is None:
            Renderer(self._theme, self._site, self._cache).compile(sorted(self._theme.used()))
            compiled = CachedValues(templates=self._cache.get("templates") or b"")
            theme = self._theme.sent()
            if self._pool.is_remote:
                theme = theme._replace(static={})  # static files are copied here, see `_enqueue`
            self._shared = pickle.dumps((theme, self._site, compiled))
            # The lock is a new file of this build, so it shows where the workers' staging folder is.
            self._workers_stage = self._pool.sees(str(self.output.root / STAGING / Lock.name))
        return self._shared

    def _stage(self, refs: list[PageRef], records: list[Record | None], rendered: list[bytes]) -> None:
        """Stages pages that a worker rendered."""
        pages = zip(refs, rendered, records, strict=True)
        self._record(refs, [self.output.stage(ref.path, data, self._run, record) for ref, data, record in pages])

    def _record(self, refs: list[PageRef], records: list[Record | None]) -> None:
        self.staged |= zip(refs, records, strict=True)
        self._done += len(refs)
        if self._progress:
            self._progress("rendering", self._done, self._total)


class _BatchRenderer:
    """Renders and stages batches of pages with one renderer."""

    def __init__(
        self, theme: Theme | SentTheme, site: Site, output: Output, run: str, cache: Cache | CachedValues
    ) -> None:
        self.render = Renderer(theme, site, cache)
        self._output, self._run = output, run

    def __call__(self, pages: Iterable[Page], records: list[Record | None]) -> list[Record | None]:
        return [
            self._output.stage(page.path, self.render(page), self._run, record)
            for page, record in zip(pages, records, strict=True)
        ]


_Work = tuple[str, str, bytes, list[bytes], list[Record | None]]


class _Own(threading.local):
    """The build of each thread's previous task, and its renderer: threads cannot share one."""

    renderer: tuple[str, _BatchRenderer] | None = None


_own = _Own()


def _stage_in_worker(work: _Work) -> list[Record | None]:
    """Renders and stages one batch in a worker process."""
    *_, batch, records = work
    return _renderer(work)(map(decode, batch), records)


def _render_in_worker(work: _Work) -> list[bytes]:
    """Renders one batch in a worker process that does not see the output folder."""
    *_, batch, _ = work
    return [*map(_renderer(work).render, map(decode, batch))]


def _renderer(work: _Work) -> _BatchRenderer:
    """The renderer of a batch's build. The worker keeps its templates for later batches of the same build."""
    root, run, shared, *_ = work
    if _own.renderer is None or _own.renderer[0] != run:
        theme, site, compiled = pickle.loads(shared)  # noqa: S301 (of this build)
        _own.renderer = run, _BatchRenderer(theme, site, Output(Path(root)), run, compiled)
    return _own.renderer[1]

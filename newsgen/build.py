"""The sentence, run: files → articles → library → pages → files. Cache, pool and manifest meet here and nowhere else.

What a build that changes nothing does without is imported when it is needed.
"""

from __future__ import annotations

import gc
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from newsgen.cache import Cache, engine
from newsgen.errors import Problem
from newsgen.fresh import Look
from newsgen.options import Memory, Options, Progress, Report
from newsgen.output import Manifest, Output, Record
from newsgen.text import digest

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from newsgen.loading import Loaded
    from newsgen.model import Site
    from newsgen.pages import Page
    from newsgen.plan import Sheet
    from newsgen.theme import Theme

BATCH = 250
"""Pages that a worker renders in one go."""

MANY = 1500
"""So many files to read, or pages to render, are worth a second process."""

T = TypeVar("T")
R = TypeVar("R")


def build(
    options: Options,
    progress: Progress | None = None,
    executor: Executor | None = None,
    memory: Memory | None = None,
) -> Report:
    """Builds the site: renders what is stale, writes what differs, removes what is no longer planned.

    With `strict` and a problem nothing is written. `executor` reads and renders where it is given. A process that
    builds again passes the same `memory`.
    """
    started = time.perf_counter()
    now = (options.now or datetime.now(UTC)).astimezone(UTC)
    look = Look(options, now)
    with Cache(options.site, engine()) as cache:
        report = None if options.verify else look.report(cache)
        if report is not None:
            report.seconds["look"] = round(time.perf_counter() - started, 3)
            return report
        from newsgen import loading

        options = msgspec.structs.replace(options, now=now)
        memory = memory or Memory()
        with _Pool(options.jobs, executor) as pool, loading.collector_off():
            loaded = loading.load(options, progress, memory=memory, cache=cache, found=look.found, run=pool.read)
            cache.release()
            report = loaded.report
            if not (options.strict and report.problems):
                manifest = _write(loaded, options, pool, cache, progress)
                if manifest is not None:
                    look.remember(cache, report, manifest, loaded.unsettled)
            clock = loading.Stopwatch()
            cache.save()
            report.seconds["remember"] = clock.lap()
    return report


def _write(loaded: Loaded, options: Options, pool: _Pool, cache: Cache, progress: Progress | None) -> Manifest | None:
    """Renders and writes; the manifest of what stands now, None where another build of the same would differ."""
    from newsgen.loading import Stopwatch

    report, clock = loaded.report, Stopwatch()
    output = Output(Path(report.output))
    output.open()
    try:
        old = output.manifest()
        new = _manifest(loaded, options)
        sheets = loaded.plan.sheets
        stale = _stale(sheets.values(), old, new, output, verify=options.verify)
        report.seconds["compare"] = clock.lap()
        staged = _render(loaded, stale, output, old, pool, cache, progress)
        report.seconds["render"] = clock.lap()
        files = {path: old.files[path] for path in sheets if path in old.files}
        moves: dict[str, str] = {}
        foreign = []
        for sheet, record in zip(stale, staged, strict=True):
            if record is None:
                what = "was not written by newsgen and stays as it is"
                hint = "move it away, or choose another --output"
                foreign.append(Problem(path=str(output.root / sheet.path), what=what, hint=hint))
                files.pop(sheet.path, None)
                continue
            if record.template:
                moves[sheet.path] = record.template
            files[sheet.path] = Record(sheet.digest, sheet.template, record.content, record.size, record.mtime)
        report.problems += foreign
        if options.strict and report.problems:
            return None
        done = msgspec.structs.replace(new, files=files)
        report.pruned = output.commit(moves, done, old)
    finally:
        output.abandon()
    report.rendered = [s.path for s in stale if s.template]
    report.written = list(moves)
    report.seconds["write"] = clock.lap()
    return None if foreign else done


def why(options: Options, path: str) -> list[str]:
    """What differs between a page of the last build and the same page now: lines for people, none where it is fresh."""
    from newsgen import loading

    loaded = loading.load(options)
    output = Output(Path(loaded.report.output))
    name = path.removeprefix(str(output.root)).lstrip("/")
    name = name + "index.html" if not name or name.endswith("/") else name
    sheet = loaded.plan.sheets.get(name)
    if sheet is None:
        return [f"{name}: is not planned"]
    found = _why(sheet, output.manifest(), _manifest(loaded, options), output, verify=options.verify)
    return [f"{name}: {reason}" for reason in found]


def _manifest(loaded: Loaded, options: Options) -> Manifest:
    """What a build of these pages would record, but for their files."""
    sheets = loaded.plan.sheets.values()
    return Manifest(
        engine=engine(),
        site=digest(msgspec.msgpack.encode(loaded.site)),
        flags=" ".join(sorted(options.show)),
        templates={name: loaded.theme.digest_of(name) for name in sorted({s.template for s in sheets} - {""})},
    )


def _stale(sheets: Iterable[Sheet], old: Manifest, new: Manifest, output: Output, *, verify: bool) -> list[Sheet]:
    """The pages whose files are not what they should be."""
    if old.engine != new.engine or old.site != new.site or verify:
        return [s for s in sheets if _why(s, old, new, output, verify=verify)]
    same = {name for name, mark in [*new.templates.items(), ("", "")] if old.templates.get(name, "") == mark}
    out = []
    for sheet in sheets:
        was = old.files.get(sheet.path)
        if (
            was is None
            or was.page != sheet.digest
            or was.template != sheet.template
            or was.template not in same
            or not output.stands(sheet.path, was)
        ):
            out.append(sheet)
    return out


def _why(sheet: Sheet, old: Manifest, new: Manifest, output: Output, *, verify: bool) -> list[str]:
    """The parts of a page's key that differ from the last build's; none where its file is fresh."""
    was = old.files.get(sheet.path)
    if was is None:
        return ["no build wrote it"]
    static = not sheet.template
    reasons = [
        ("newsgen or a library has another version", not static and old.engine != new.engine),
        ("the title, navigation or settings of the site differ", not static and old.site != new.site),
        ("it has another template", was.template != sheet.template),
        ("its template differs", old.templates.get(was.template) != new.templates.get(sheet.template)),
        ("its content differs", was.page != sheet.digest),
    ]
    found = [reason for reason, holds in reasons if holds]
    return found or ([] if output.stands(sheet.path, was, verify=verify) else ["its file is gone or was altered"])


def _render(
    loaded: Loaded,
    stale: list[Sheet],
    output: Output,
    old: Manifest,
    pool: _Pool,
    cache: Cache,
    progress: Progress | None,
) -> list[Record | None]:
    """Stages the file of each stale page; the records come in the order of the pages, whoever made them."""
    if not stale:
        return []
    # Staging names of a killed build's workers, which may not be dead yet, are others.
    run = f"{os.getpid()}-{time.time_ns()}"
    shared = (str(output.root), str(loaded.theme.site), loaded.site, run)
    batches = [stale[i : i + BATCH] for i in range(0, len(stale), BATCH)]
    remote = pool.is_worth(len(batches))
    work = (
        (*shared, n, [p.encode() for p in pages] if remote else pages, [old.files.get(s.path) for s in batch])
        for n, batch in enumerate(batches)
        for pages in [[loaded.plan.page(s.path) for s in batch]]
    )
    out: list[Record | None] = []
    for records in pool.map(_shard, work) if remote else map(_Shard(loaded.theme, loaded.site, output, cache), work):
        out += records
        if progress:
            progress("rendering", len(out), len(stale))
    return out


Work = tuple[str, str, "Site", str, int, "list[bytes] | list[Page]", list[Record | None]]


class _Shard:
    """Renders and stages batches of pages with one set of templates."""

    def __init__(self, theme: Theme, site: Site, output: Output, cache: Cache | None = None) -> None:
        from newsgen.render import Renderer

        self._render = Renderer(theme, site, cache)
        self._output = output

    def __call__(self, work: Work) -> list[Record | None]:
        *_, run, number, batch, records = work
        from newsgen.pages import decode

        pages = (decode(page) if isinstance(page, bytes) else page for page in batch)
        return [
            self._output.stage(p.path, self._render(p), f"{run}-{number}/{i}", r)
            for i, (p, r) in enumerate(zip(pages, records, strict=True))
        ]


_mine: dict[str, _Shard] = {}


def _shard(work: Work) -> list[Record | None]:
    """One batch in a worker process, which keeps its templates for the next of the same build."""
    root, folder, site, run = work[:4]
    shard = _mine.get(run)
    if shard is None:
        from newsgen.theme import Theme

        _mine.clear()
        shard = _mine[run] = _Shard(Theme(Path(folder)), site, Output(Path(root)))
    return shard(work)


class _Pool:
    """Other processes, begun when there is work for them. `jobs` None is as many as the machine has processors."""

    def __init__(self, jobs: int | None, executor: Executor | None) -> None:
        self._given = executor
        self._jobs = jobs
        self._own: Executor | None = None

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            self._own.shutdown(cancel_futures=True)

    def is_worth(self, batches: int) -> bool:
        """Whether so many batches are better done by others."""
        if self._given or (self._jobs or 0) > 1:
            return batches > 1
        return self._jobs is None and _processors() > 1 and batches * BATCH >= MANY

    @property
    def _executor(self) -> Executor:
        if self._given:
            return self._given
        if self._own is None:
            from concurrent.futures import ProcessPoolExecutor

            self._own = ProcessPoolExecutor(self._jobs or _processors(), initializer=_begin, initargs=(os.getpid(),))
        return self._own

    def read(self, function: Callable[[T], R], work: list[T]) -> Iterable[R]:
        """The same for work that is all there, here where others are not worth it."""
        return self.map(function, work) if self.is_worth(len(work)) else map(function, work)

    def map(self, function: Callable[[T], R], work: Iterable[T]) -> Iterator[R]:
        """The results in the order of the work, of which a few pieces are under way at a time."""
        waiting: deque[Future[R]] = deque()
        for piece in work:
            waiting.append(self._executor.submit(function, piece))
            if len(waiting) > 2 * (self._jobs or _processors()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin(parent: int) -> None:
    """A worker makes no cycles, and does not outlive a build that was killed."""
    gc.disable()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

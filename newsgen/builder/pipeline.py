"""Runs a build: files → articles → library → pages → files. Only this module combines cache, pool and manifest.

Modules that a build without changes does not need are imported inside functions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from newsgen.builder.cache import Cache, engine
from newsgen.builder.manifest import Manifest, Record
from newsgen.builder.memory import Memory
from newsgen.builder.options import Options, Progress, clocks
from newsgen.builder.output import Output
from newsgen.builder.pool import Pool
from newsgen.builder.report import Report, Stopwatch
from newsgen.builder.snapshot import Snapshot
from newsgen.errors import Problem
from newsgen.store import LostError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from newsgen.builder.loading import Loaded
    from newsgen.builder.renderqueue import RenderQueue
    from newsgen.builder.theme import Theme
    from newsgen.library import Library
    from newsgen.model import Site
    from newsgen.pages import OnPage, PageRef


class BuildObserver(Protocol):
    """Receives events of a running build, before any output file changes."""

    def check_cancelled(self) -> None:
        """Raises Superseded to cancel the build."""

    def library_ready(self, library: Library, queue: RenderQueue) -> None:
        """Called before planning, with the queue that renders pages."""

    def plan_ready(self, loaded: Loaded, stale: list[PageRef], queue: RenderQueue) -> None:
        """Called after planning, before the remaining stale pages are rendered."""


def build(
    options: Options,
    progress: Progress | None = None,
    executor: Executor | None = None,
    memory: Memory | None = None,
    observer: BuildObserver | None = None,
) -> Report:
    """Builds the site: renders stale pages, writes changed files and removes files that are no longer planned.

    With `options.strict`, a build with problems writes nothing. `executor` replaces the build's own worker processes.
    A process that builds repeatedly passes the same `memory` each time.
    """
    memory = memory or Memory()
    try:
        return _build(options, progress, executor, memory, observer)
    except LostError:  # the cache was damaged while the build ran
        Cache.drop(options.site)
        return _build(options, progress, executor, memory, observer)


def _build(
    options: Options,
    progress: Progress | None,
    executor: Executor | None,
    memory: Memory,
    observer: BuildObserver | None,
) -> Report:
    started = time.perf_counter()
    now, content_clock = clocks(options)
    options = msgspec.structs.replace(options, now=now, clock=content_clock or options.clock)
    snapshot = Snapshot(options, now)
    with Cache(options.site, engine()) as cache:
        differences = snapshot.differences(cache)
        if differences is not None and differences.is_empty and not options.verify:
            report = differences.report
            Output(Path(report.output)).tidy()
            snapshot.settle(cache)
            cache.save()
            report.seconds["check"] = round(time.perf_counter() - started, 3)
            return report
        from newsgen.builder import loading
        from newsgen.builder.renderqueue import RenderQueue

        memory.loaded = None
        with (
            Pool(options.jobs, executor) as pool,
            loading.collector_off(),
            RenderQueue(options, pool, cache, progress) as queue,
        ):

            def open_queue(library: Library, theme: Theme, site: Site) -> tuple[OnPage, Iterable[str] | None]:
                on_page = queue.open(theme, site, differences)
                if observer:
                    observer.library_ready(library, queue)
                return on_page, queue.last_build.stale_paths()

            loaded = loading.load(
                options,
                progress,
                cache=cache,
                snapshot=snapshot,
                differences=differences,
                run=partial(pool.map, newest=loading.newest, with_bytes=loading.with_bytes),
                map_files=map if pool.is_remote else pool.map,
                on_library=open_queue,
                check_cancelled=observer.check_cancelled if observer else None,
            )
            report = loaded.report
            clock = Stopwatch()
            is_refused = options.strict and report.problems
            manifest = None if is_refused else _write(loaded, options, queue, observer)
            clock.lap()
            if manifest is None:
                cache.undo()
            else:
                loaded.save()
                snapshot.remember(cache, report, manifest, loaded.racy)
            cache.save()
            memory.loaded, memory.found = loaded, snapshot.found
            report.seconds["remember"] = clock.lap()
    return report


def _write(loaded: Loaded, options: Options, queue: RenderQueue, observer: BuildObserver | None) -> Manifest | None:
    """Renders and writes. Returns the new manifest, or None if another build of the same input must not be skipped."""
    from newsgen.builder import encoder

    report, clock = loaded.report, Stopwatch()
    output, old, plan = queue.output, queue.last_build.manifest, loaded.plan
    refs = plan.refs
    stale = [ref for ref in refs.values() if ref in queue.staged or queue.last_build.is_stale(ref)]
    if observer:
        observer.plan_ready(loaded, stale, queue)
    report.seconds["compare"] = clock.lap()
    staged = queue.finish(stale, plan.page, observer.check_cancelled if observer else None)
    report.seconds["render"] = clock.lap()
    removed = [path for path in old.paths if path not in refs] if plan.is_whole else plan.removed
    changes: dict[str, Record | None] = dict.fromkeys(removed)
    moves: dict[str, str] = {}
    foreign = []
    for ref, record in zip(stale, staged, strict=True):
        if record is None:
            what = "was not written by newsgen and was left unchanged"
            hint = "move it away or choose another --output"
            foreign.append(Problem(path=str(output.root / ref.path), what=what, hint=hint))
            continue
        if record.template:
            moves[ref.path] = record.template
        changes[ref.path] = Record(ref.digest, ref.template, record.content, record.size, record.mtime)
    report.problems += foreign
    new = queue.last_build.next_manifest(changes, options.show)
    if loaded.config.limits and options.fingerprints:
        _compare_with_limits(loaded, new, lambda path: output.text(path, moves.get(path, "")))
    if options.strict and report.problems:
        return None
    output.commit(moves, removed, new, old)
    encoder.forget(removed, options.site)
    report.pruned = removed
    report.rendered = [ref.path for ref in stale if ref.template]
    report.written = list(moves)
    report.seconds["write"] = clock.lap()
    return None if foreign else new


def _compare_with_limits(loaded: Loaded, manifest: Manifest, text: Callable[[str], str]) -> None:
    """Adds to the report which limits of the host the site breaks or is near. Previews have no host."""
    from newsgen.builder import limits

    blocks = list(manifest.columns())
    files = limits.SiteFiles(
        paths=[path for columns in blocks for path in columns.paths],
        names=list(manifest.names),
        template=[number for columns in blocks for number in columns.template],
        size=[size for columns in blocks for size in columns.size],
    )
    problems, warnings = limits.compare_with_limits(loaded.config, files, text("_redirects"), text("_headers"))
    loaded.report.problems += problems
    loaded.report.warnings += warnings


def why(options: Options, path: str) -> list[str]:
    """Explains why a page is stale, one line per reason; no lines if it is fresh. `path` is a file or an address."""
    from newsgen import urls
    from newsgen.builder import loading
    from newsgen.builder.lastbuild import LastBuild
    from newsgen.pages import PageRef

    loaded = loading.load(options)
    output = Output(Path(loaded.report.output))
    name = urls.path("/" + path.removeprefix(str(output.root)).lstrip("/"))
    if name not in loaded.plan:
        return [f"there is no page '{name}'"]
    page = loaded.plan.page(name)
    ref = PageRef.of(page, page.encode())
    last_build = LastBuild(output, loaded.theme, loaded.site, verify=options.verify)
    return [f"{name}: {reason}" for reason in last_build.reasons(ref)]

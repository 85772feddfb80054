"""The sentence, run: files → articles → library → pages → files. Cache, pool and manifest meet here and nowhere else.

What a build that changes nothing does without is imported when it is needed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from newsgen.builder.cache import Cache, engine
from newsgen.builder.options import Options, Progress
from newsgen.builder.output import Manifest, Output, Record
from newsgen.builder.pool import Pool
from newsgen.builder.report import Report, Stopwatch
from newsgen.builder.snapshot import Snapshot
from newsgen.errors import Problem

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from newsgen.builder.loading import Loaded, Memory
    from newsgen.builder.renderqueue import RenderQueue
    from newsgen.builder.theme import Theme
    from newsgen.library import Library
    from newsgen.model import Site
    from newsgen.pages import OnPage, PageRef


class BuildObserver(Protocol):
    """Is told of a build under way, before any file stands."""

    def check_cancelled(self) -> None:
        """Raises Superseded where the build is to be given up."""

    def library_ready(self, library: Library, queue: RenderQueue) -> None:
        """What pages are about to be made of, and what renders them."""

    def plan_ready(self, loaded: Loaded, stale: list[PageRef], queue: RenderQueue) -> None:
        """What is planned, and which pages of it are stale."""


def build(
    options: Options,
    progress: Progress | None = None,
    executor: Executor | None = None,
    memory: Memory | None = None,
    observer: BuildObserver | None = None,
) -> Report:
    """Builds the site: renders what is stale, writes what differs, removes what is no longer planned.

    With `strict` and a problem nothing is written. `executor` reads and renders where it is given. A process that
    builds again passes the same `memory`. `observer` learns what is planned, which pages of it are stale and why, before
    any file stands.
    """
    started = time.perf_counter()
    now = (options.now or datetime.now(UTC)).astimezone(UTC)
    snapshot = Snapshot(options, now)
    with Cache(options.site, engine()) as cache:
        # What a process knows to be new needs no second snapshot.
        is_new = bool(memory and memory.found and [*memory.found.values()] != snapshot.found)
        report = None if options.verify or is_new else snapshot.report(cache)
        if report is not None:
            cache.save()
            report.seconds["check"] = round(time.perf_counter() - started, 3)
            return report
        from newsgen.builder import loading
        from newsgen.builder.renderqueue import RenderQueue

        options = msgspec.structs.replace(options, now=now)
        memory = memory or loading.Memory(keep=False)
        with (
            Pool(options.jobs, executor) as pool,
            loading.collector_off(),
            RenderQueue(options, pool, cache, progress) as queue,
        ):

            def open_queue(library: Library, theme: Theme, site: Site) -> OnPage:
                on_page = queue.open(theme, site, memory.written)
                if observer:
                    observer.library_ready(library, queue)
                return on_page

            loaded = loading.load(
                options,
                progress,
                memory=memory,
                cache=cache,
                found=snapshot.found,
                run=pool.map,
                on_library=open_queue,
                check_cancelled=observer.check_cancelled if observer else None,
            )
            report = loaded.report
            if not (options.strict and report.problems):
                manifest = _write(loaded, options, queue, observer)
                if manifest is not None:
                    snapshot.remember(cache, report, manifest, loaded.unsettled)
                    memory.written = (queue.output.stamp, manifest) if queue.output.stamp else None
            clock = Stopwatch()
            cache.save()
            report.seconds["remember"] = clock.lap()
    return report


def _write(loaded: Loaded, options: Options, queue: RenderQueue, observer: BuildObserver | None) -> Manifest | None:
    """Renders and writes; the manifest of what stands now, None where another build of the same would differ."""
    report, clock = loaded.report, Stopwatch()
    output, old, refs = queue.output, queue.last.manifest, loaded.plan.refs
    stale = [s for s in refs.values() if s in queue.staged or queue.last.is_stale(s)]
    if observer:
        observer.plan_ready(loaded, stale, queue)
    report.seconds["compare"] = clock.lap()
    staged = queue.finish(stale, loaded.plan.page, observer.check_cancelled if observer else None)
    report.seconds["render"] = clock.lap()
    records = {path: old.files[path] for path in refs if path in old.files}
    moves: dict[str, str] = {}
    foreign = []
    for ref, record in zip(stale, staged, strict=True):
        if record is None:
            what = "was not written by newsgen and stays as it is"
            hint = "move it away, or choose another --output"
            foreign.append(Problem(path=str(output.root / ref.path), what=what, hint=hint))
            records.pop(ref.path, None)
            continue
        if record.template:
            moves[ref.path] = record.template
        records[ref.path] = Record(ref.digest, ref.template, record.content, record.size, record.mtime)
    report.problems += foreign
    if options.strict and report.problems:
        return None
    done = queue.last.next(refs, records, options.show)
    report.pruned = output.commit(moves, done, old)
    report.rendered = [s.path for s in stale if s.template]
    report.written = list(moves)
    report.seconds["write"] = clock.lap()
    return None if foreign else done


def why(options: Options, path: str) -> list[str]:
    """What differs between a page of the last build and the same page now: lines for people, none where it is fresh."""
    from newsgen import urls
    from newsgen.builder import loading
    from newsgen.builder.lastbuild import LastBuild

    loaded = loading.load(options)
    output = Output(Path(loaded.report.output))
    name = urls.path("/" + path.removeprefix(str(output.root)).lstrip("/"))
    ref = loaded.plan.refs.get(name)
    if ref is None:
        return [f"{name}: is not planned"]
    last = LastBuild(output, loaded.theme, loaded.site, verify=options.verify)
    return [f"{name}: {reason}" for reason in last.reasons(ref)]

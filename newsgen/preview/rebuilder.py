"""Builds every batch of changes and reports what it changed."""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from newsgen import files, urls
from newsgen.builder import LastBuild, Loaded, Memory, Options, RenderQueue, Report, build, folders, load
from newsgen.errors import NewsgenError, Problem, Superseded
from newsgen.library import GATE_REASONS, GATES, Library
from newsgen.pages import Page, PageRef, early_pages
from newsgen.preview.watch import Watch
from newsgen.store import LostError

FOLDER = ".newsgen/preview"
"""The preview's output folder, relative to the site's folder."""

CONTEXT_LINES = 2
"""Lines shown before and after the line of a problem."""

FETCH_SECONDS = 0.1
"""The most seconds that a build waits for browsers to fetch the open pages before it takes the processor again."""

STYLE_DELAY = 0.4
"""Seconds without another save before a style sheet that browsers already have is built."""

CANCEL_SECONDS = 10
"""Seconds, from the first of several cancelled builds, after which a new save no longer cancels the running build."""

_LOCATION = re.compile(r"([^\s:][^:]*):(?:(\d+):)?\s+(.+)", re.DOTALL)
_SECURED = re.compile(r"""(\s*)["']?secured["']?\s*[:=]""")


class FramedProblem(Problem, frozen=True, kw_only=True):
    """A problem with an excerpt of its file: `frame` holds numbered lines."""

    frame: list[tuple[int, str]]


class Update(msgspec.Struct, kw_only=True):
    """What a build changed.

    `changed` holds paths of output files. `article` is the address of the page of the content file that was edited.
    """

    changed: frozenset[str] = frozenset()
    article: str = ""


class Preview:
    """A site that is rebuilt on every change. Calls `on_update` from the building thread after each build."""

    def __init__(
        self, options: Options, on_update: Callable[[Update], None], open_pages: Callable[[], Collection[str]]
    ) -> None:
        self.options = options
        self.output = folders(options)[1]
        self.problems: list[FramedProblem] = []
        self.report = Report()
        self.loaded: Loaded | None = None
        self.unwritten: dict[str, bytes] = {}
        """Open pages and style sheets that browsers already get but that are not in the output folder yet, by path."""
        self._on_update, self._open_pages = on_update, open_pages
        self._memory = Memory()
        self._stale_reasons: dict[str, str] = {}
        self._style_stamps: dict[str, files.Stamp | None] = {}
        self.fetched = threading.Event()
        """Set when a browser has fetched one of `unwritten`."""
        self.idle = threading.Event()
        """Set while no build runs."""
        self._stopped = False
        self._watch: Watch | None = None
        self._started: float | None = None
        self._early_paths: set[str] = set()
        self._built_files: dict[str, files.FoundFile] = {}

    @property
    def _content(self) -> Path:
        return self.options.content or self.options.site / "content"

    @property
    def show(self) -> list[str]:
        """The open gates, sorted."""
        return sorted(self.options.show)

    def build(self) -> None:
        """Builds once and reports the update. Errors become problems to show."""
        styles = self._send_changed_styles()
        if styles and self._watch and self._watch.wait_for_change(STYLE_DELAY):
            return
        self._started = self._started or time.monotonic()
        try:
            report = build(self.options, memory=self._memory, observer=self)
            # A cancelled build may have sent a page that is now back to its old state: report it as changed too.
            changed = frozenset([*report.written, *report.pruned, *self.unwritten]) - styles
            update = Update(changed=changed, article=self._edited_page())
            self.report = report
            problems = list(report.problems)
            self.unwritten, self._built_files = {}, {file.id: file for file in self._memory.found}
        except Superseded:
            return
        except NewsgenError as error:
            problems = [p if isinstance(p, Problem) else _as_problem(p) for p in error.problems]
            # Keep serving changed style sheets although the build failed; pages go back to their files.
            update = Update(changed=frozenset(path for path in self.unwritten if not path.endswith(".css")))
            self.unwritten = {path: data for path, data in self.unwritten.items() if path not in update.changed}
        self._started = None
        self.problems = [self._framed(p) for p in problems]
        self.loaded = self._memory.loaded or self.loaded
        self._on_update(update)

    def _send_changed_styles(self) -> frozenset[str]:
        """Sends changed style sheets to browsers before the build reads anything: no page depends on their content."""
        if self.options.fingerprints:
            return frozenset()
        folder = self.options.site / "static"
        stamps = {
            Path(place).relative_to(folder).as_posix(): stamp
            for place, stamp in files.walk_files(folder)
            if place.endswith(".css")
        }
        old_stamps, self._style_stamps = self._style_stamps, stamps
        changed = {}
        for path, stamp in stamps.items():
            if stamp and old_stamps.get(path, stamp) != stamp and self.loaded and path in self.loaded.plan:
                with contextlib.suppress(OSError):
                    changed[path] = (folder / path).read_bytes()
        if changed:
            self.unwritten = {**self.unwritten, **changed}
            self._on_update(Update(changed=frozenset(changed)))
        return frozenset(changed)

    def run(self, watch: Watch) -> None:
        """Builds after every batch of changes, until `stop` is called."""
        if self._memory.loaded is None:
            # If the first build found nothing to do, it read nothing. Read now rather than at the first edit.
            with contextlib.suppress(NewsgenError):
                self.loaded = load(self.options)
                self.loaded.release()
            self._on_update(Update())
        self._watch = watch
        while not self._stopped:
            # A library and its caches refer to each other: without this, several of them would stay in memory.
            gc.collect()
            self.idle.set()
            watch.wait()
            self.idle.clear()
            if not self._stopped:
                self.build()

    def stop(self) -> None:
        """Makes `run` return at the next batch."""
        self._stopped = True

    def set_gate(self, gate: str, *, on: bool) -> None:
        """Opens or closes a gate, from the next build on."""
        show = self.options.show | {gate} if on else self.options.show - {gate}
        self.options = msgspec.structs.replace(self.options, show=show)

    def page_info(self, path: str) -> dict[str, str]:
        """A page's source file, its template, and why it was last rendered. Unknown values are empty strings."""
        loaded = self.loaded
        try:
            page = loaded.plan.page(path) if loaded else None
        except (KeyError, LostError):  # it may be built right now
            page = None
        if not loaded or not page:
            return {"source": "", "template": "", "why": ""}
        id = loaded.library.file_at(urls.address(path))
        source = f"{self._content.name}/{id}" if id else ""
        return {"source": source, "template": page.template, "why": self._stale_reasons.get(path, "")}

    def gates(self) -> dict[str, dict[str, Any]]:
        """For each gate, open or closed: the number of articles that it concerns, and what closes it."""
        counts = self.loaded.library.facts.gates if self.loaded else self.report.skipped
        return {gate: {"count": counts.get(gate, 0), "reason": GATE_REASONS[gate]} for gate in GATES}

    def check_cancelled(self) -> None:
        """Raises Superseded if a file was saved again, unless builds have been cancelled for `CANCEL_SECONDS`."""
        if (
            self._watch
            and self._watch.has_changes
            and self._started
            and time.monotonic() - self._started < CANCEL_SECONDS
        ):
            raise Superseded

    def library_ready(self, library: Library, queue: RenderQueue) -> None:
        """Renders the stale open pages and sends them to browsers before all other pages are planned."""
        pages = {PageRef.of(page, page.encode()): page for page in early_pages(library, self._open_pages())}
        stale_pages = {ref: page for ref, page in pages.items() if queue.last_build.is_stale(ref)}
        self._early_paths = {ref.path for ref in pages}
        self._send_pages(stale_pages, queue, self._early_paths - {ref.path for ref in stale_pages})

    def plan_ready(self, loaded: Loaded, stale: list[PageRef], queue: RenderQueue) -> None:
        """Sends the other open pages before the rest is rendered, and records why pages are stale."""
        pages = set(self._open_pages()) - self._early_paths
        self.loaded = loaded
        stale_pages = {ref: loaded.plan.page(ref.path) for ref in stale if ref.path in pages}
        self._send_pages(stale_pages, queue, pages - {ref.path for ref in stale_pages})
        self._record_reasons(stale, queue.last_build)

    def _send_pages(self, stale_pages: dict[PageRef, Page], queue: RenderQueue, fresh: set[str]) -> None:
        """Sends stale pages to browsers. `fresh` pages that a cancelled build sent go back to their files."""
        self._record_reasons(stale_pages, queue.last_build)
        rendered = {ref.path: queue.render(page) for ref, page in stale_pages.items()}
        restored = fresh & self.unwritten.keys()
        self.unwritten = {path: data for path, data in self.unwritten.items() if path not in restored} | rendered
        if rendered or restored:
            self.fetched.clear()
            self._on_update(Update(changed=frozenset(rendered.keys() | restored)))
            self.fetched.wait(FETCH_SECONDS)

    def _record_reasons(self, refs: Iterable[PageRef], last: LastBuild) -> None:
        self._stale_reasons |= {ref.path: "; ".join(last.reasons(ref)) for ref in refs}

    def _edited_page(self) -> str:
        """The address of the article that changed since the last complete build, the last by path; "" without one."""
        loaded, before = self._memory.loaded, self._built_files
        if not loaded or not before:
            return ""
        edited = [file.id for file in self._memory.found if before.get(file.id) != file]
        addresses = (loaded.library.address.get(id, "") for id in reversed(edited))
        return next((address for address in addresses if urls.path(address) in loaded.plan), "")

    def _framed(self, problem: Problem) -> FramedProblem:
        frame = self._frame(problem.path, problem.line) if problem.line else []
        return FramedProblem(**msgspec.structs.asdict(problem), frame=frame)

    def _frame(self, path: str, line: int) -> list[tuple[int, str]]:
        """The lines around a line of a file that a message names."""
        source = self._content
        head, _, rest = path.partition("/")
        candidates = [source / rest] if head == source.name else [self.options.site / path, files.shipped_site() / path]
        file = next((p for p in candidates if p.is_file()), None)
        try:
            text = file.read_text(encoding="utf-8", errors="replace") if file else ""
        except OSError:
            return []
        lines = _without_secrets(text.splitlines())
        return [
            (n, lines[n - 1][:300])
            for n in range(max(1, line - CONTEXT_LINES), min(len(lines), line + CONTEXT_LINES) + 1)
        ]


def _as_problem(message: str) -> Problem:
    """Turns a message into a problem, with path and line if the message starts with them."""
    match = _LOCATION.fullmatch(message)
    return Problem(path=match[1], line=int(match[2] or 0), what=match[3]) if match else Problem(path="", what=message)


def _without_secrets(lines: list[str]) -> list[str]:
    """Masks the values of `secured` fields, which are never shown."""
    out = []
    depth = -1
    for line in lines:
        inner = len(line) - len(line.lstrip())
        if match := _SECURED.match(line):
            depth = len(match[1])
            out.append(match[0] + " …")
        elif depth >= 0 and (not line.strip() or inner > depth):
            out.append("…")
        else:
            depth = -1
            out.append(line)
    return out

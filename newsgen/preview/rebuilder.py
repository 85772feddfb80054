"""Batches of changes become builds, and builds become news for the browsers that look on."""

from __future__ import annotations

import contextlib
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

FOLDER = ".newsgen/preview"
"""Where a preview's output is, below the site's folder."""

AROUND = 2
"""Lines of a file shown before and after the one with a problem."""

FETCH = 0.1
"""Seconds that browsers have to fetch what is shown to them, before the rest of a build takes the processor."""

AFTER = 0.4
"""Seconds without another save after which a style sheet that is shown already is built as well."""

PATIENCE = 10
"""Seconds in which builds may be given up, one for the next; then one is brought to its end whatever is saved."""

_PLACED = re.compile(r"([^\s:][^:]*):(?:(\d+):)?\s+(.+)", re.DOTALL)
_SECURED = re.compile(r"""(\s*)["']?secured["']?\s*[:=]""")


class Shown(Problem, frozen=True, kw_only=True):
    """A problem as a browser shows it; `frame` are the lines around it, with their numbers."""

    frame: list[tuple[int, str]]


class News(msgspec.Struct, kw_only=True):
    """What a build changed: output files by path; `article` is the page of a content file that was edited."""

    changed: frozenset[str] = frozenset()
    article: str = ""


class Preview:
    """A site that is built again whenever it changes. `tell` is called, from the building thread, with what is new."""

    def __init__(
        self, options: Options, tell: Callable[[News], None], open_pages: Callable[[], Collection[str]]
    ) -> None:
        self.options = options
        self.output = folders(options)[1]
        self.problems: list[Shown] = []
        self.report = Report()
        self.loaded: Loaded | None = None
        self.early: dict[str, bytes] = {}
        """Pages that a build under way has rendered before all others, and style sheets that it is about to copy, by path."""
        self._tell, self._open_pages = tell, open_pages
        self._memory = Memory()
        self._why: dict[str, str] = {}
        self._styles: dict[str, files.Stamp | None] = {}
        self.fetched = threading.Event()
        """Set when a browser has what was rendered before all others."""
        self.idle = threading.Event()
        """Set while nothing is being built."""
        self._stopped = False
        self._watch: Watch | None = None
        self._begun: float | None = None
        self._first: set[str] = set()
        self._before: dict[str, files.FoundFile] = {}

    @property
    def show(self) -> list[str]:
        """The gates that are open."""
        return sorted(self.options.show)

    def build(self) -> None:
        """Builds, and tells what is new. Whatever is wrong with the site becomes problems to show."""
        styles = self._restyle()
        if styles and self._watch and self._watch.stirs(AFTER):
            return
        self._begun = self._begun or time.monotonic()
        try:
            report = build(self.options, memory=self._memory, observer=self)
            # A page that was shown by a build that was given up may be as it was before.
            changed = frozenset([*report.written, *report.pruned, *self.early]) - styles
            news = News(changed=changed, article=self._edited())
            self.report = report
            problems = list(report.problems)
            self.early, self._before = {}, self._memory.found
        except Superseded:
            return
        except NewsgenError as error:
            problems = [p if isinstance(p, Problem) else _placed(p) for p in error.problems]
            # Style refs that no build has copied yet are shown all the same; pages are again as their files are.
            news = News(changed=frozenset(path for path in self.early if not path.endswith(".css")))
            self.early = {path: data for path, data in self.early.items() if path not in news.changed}
        self._begun = None
        self.problems = [self._shown(p) for p in problems]
        self.loaded = self._memory.loaded or self.loaded
        self._tell(news)

    def _restyle(self) -> frozenset[str]:
        """Shows style sheets that changed, before anything is read: nothing else depends on what is in them."""
        if self.options.fingerprints:
            return frozenset()
        top = self.options.site / "static"
        found = {
            Path(place).relative_to(top).as_posix(): stamp
            for place, stamp in files.walk_files(top)
            if place.endswith(".css")
        }
        before, self._styles = self._styles, found
        early = {}
        for path, stamp in found.items():
            if stamp and before.get(path, stamp) != stamp and self.loaded and path in self.loaded.plan.refs:
                with contextlib.suppress(OSError):
                    early[path] = (top / path).read_bytes()
        if early:
            self.early = {**self.early, **early}
            self._tell(News(changed=frozenset(early)))
        return frozenset(early)

    def run(self, watch: Watch) -> None:
        """Builds after every batch of changes, until `stop`."""
        if self._memory.loaded is None:
            # A build that had nothing to do read nothing: now, not when the first edit comes.
            with contextlib.suppress(NewsgenError):
                self.loaded = load(self.options, memory=self._memory)
                self._before = self._memory.found
            self._tell(News())
        self._watch = watch
        while not self._stopped:
            self.idle.set()
            watch.wait()
            self.idle.clear()
            if not self._stopped:
                self.build()

    def stop(self) -> None:
        """Ends `run` when the next batch comes."""
        self._stopped = True

    def choose(self, gate: str, *, on: bool) -> None:
        """Shows, or no longer shows, what a gate holds back, from the next build on."""
        show = self.options.show | {gate} if on else self.options.show - {gate}
        self.options = msgspec.structs.replace(self.options, show=show)

    def about(self, path: str) -> dict[str, str]:
        """A page's source file, its template, and why it was rendered last; "" where that is not known."""
        loaded = self.loaded
        ref = loaded.plan.refs.get(path) if loaded else None
        if not loaded or not ref:
            return {"source": "", "template": "", "why": ""}
        address = urls.address(path)
        id = next((id for id, at in loaded.library.address.items() if at == address), "")
        source = f"{folders(self.options)[0].name}/{id}" if id else ""
        return {"source": source, "template": ref.template, "why": self._why.get(path, "")}

    def gates(self) -> dict[str, dict[str, Any]]:
        """How many articles each gate holds back, or would, and why."""
        loaded = self.loaded
        shown = [a.status for a in loaded.library.articles if a.status] if loaded else []
        return {
            gate: {"count": self.report.skipped.get(gate, 0) + shown.count(gate), "reason": GATE_REASONS[gate]}
            for gate in GATES
        }

    def check_cancelled(self) -> None:
        """Gives up a build that has shown what people look at, when they save again."""
        if self._watch and self._watch.is_stirred and self._begun and time.monotonic() - self._begun < PATIENCE:
            raise Superseded

    def library_ready(self, library: Library, queue: RenderQueue) -> None:
        """Shows the pages that are open in a browser before all others are planned."""
        made = {PageRef.of(page, page.encode()): page for page in early_pages(library, self._open_pages())}
        due = {ref: page for ref, page in made.items() if queue.last.is_stale(ref)}
        self._first = {ref.path for ref in made}
        self._show(due, queue, self._first - {ref.path for ref in due})

    def plan_ready(self, loaded: Loaded, stale: list[PageRef], queue: RenderQueue) -> None:
        """Shows the open pages that only the plan knows, before anything is rendered, and remembers why pages are stale."""
        pages = set(self._open_pages()) - self._first
        self.loaded = loaded
        due = {ref: loaded.plan.page(ref.path) for ref in stale if ref.path in pages}
        self._show(due, queue, pages - {ref.path for ref in due})
        self._note(stale, queue.last)

    def _show(self, due: dict[PageRef, Page], queue: RenderQueue, fresh: set[str]) -> None:
        """Has browsers show some pages, and others as their files are, whatever a build that was given up showed."""
        self._note(due, queue.last)
        made = {ref.path: queue.render(page) for ref, page in due.items()}
        back = fresh & self.early.keys()
        self.early = {path: data for path, data in self.early.items() if path not in back} | made
        if made or back:
            self.fetched.clear()
            self._tell(News(changed=frozenset(made.keys() | back)))
            self.fetched.wait(FETCH)

    def _note(self, refs: Iterable[PageRef], last: LastBuild) -> None:
        self._why |= {ref.path: "; ".join(last.reasons(ref)) for ref in refs}

    def _edited(self) -> str:
        """The address of the page of the last content file, by path, that is not as the last whole build found it."""
        loaded, before = self._memory.loaded, self._before
        if not loaded or not before:
            return ""
        edited = [id for id, found in self._memory.found.items() if before.get(id) != found]
        return next((loaded.library.address[id] for id in reversed(edited) if id in loaded.library.address), "")

    def _shown(self, problem: Problem) -> Shown:
        frame = self._frame(problem.path, problem.line) if problem.line else []
        return Shown(**msgspec.structs.asdict(problem), frame=frame)

    def _frame(self, path: str, line: int) -> list[tuple[int, str]]:
        """The lines around one of a file that a message names."""
        source = folders(self.options)[0]
        head, _, rest = path.partition("/")
        places = [source / rest] if head == source.name else [self.options.site / path, files.shipped_site() / path]
        place = next((p for p in places if p.is_file()), None)
        try:
            text = place.read_text(encoding="utf-8", errors="replace") if place else ""
        except OSError:
            return []
        lines = _without_secrets(text.splitlines())
        return [(n, lines[n - 1][:300]) for n in range(max(1, line - AROUND), min(len(lines), line + AROUND) + 1)]


def _placed(message: str) -> Problem:
    """A message that names a place, as a problem."""
    found = _PLACED.fullmatch(message)
    return Problem(path=found[1], line=int(found[2] or 0), what=found[3]) if found else Problem(path="", what=message)


def _without_secrets(lines: list[str]) -> list[str]:
    """A file's lines without what is in its `secured` fields: nothing shows that."""
    out = []
    depth = -1
    for line in lines:
        inner = len(line) - len(line.lstrip())
        if found := _SECURED.match(line):
            depth = len(found[1])
            out.append(found[0] + " …")
        elif depth >= 0 and (not line.strip() or inner > depth):
            out.append("…")
        else:
            depth = -1
            out.append(line)
    return out

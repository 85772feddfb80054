"""The sentence, run: files → articles → library → pages → files. Cache, pool and manifest meet here and nowhere else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec

from newsgen import __version__, config, content, fields, library, plan
from newsgen.errors import ConfigError, Problem
from newsgen.library import GATES, Library
from newsgen.model import About, Article, Site
from newsgen.output import Manifest, Output, Record
from newsgen.pages import FilePage, Page
from newsgen.render import Renderer
from newsgen.stories import Clusterer
from newsgen.text import digest
from newsgen.theme import Theme
from newsgen.typed import near

BATCH = 500
"""Pages that a worker renders in one go."""

Progress = Callable[[str, int, int], None]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a command says beside site.toml. None leaves a choice to the site; `show` are gates of `library.GATES`.

    `clock` is "content", "wall" or an aware time; `now` the time of the wall clock, by default that of the machine.
    """

    site: Path = Path()
    content: Path | None = None
    output: Path | None = None
    show: frozenset[str] = frozenset()
    clock: str | datetime = "content"
    now: datetime | None = None
    jobs: int = 1
    strict: bool = False
    verify: bool = False


class Report(msgspec.Struct, kw_only=True):
    """What a build did, in numbers; `due` is when time alone would next change the site, `seconds` are by step."""

    articles: int = 0
    published: int = 0
    coverage: int = 0
    stories: int = 0
    skipped: dict[str, int] = {}
    folded: int = 0
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[str] = []
    pages: int = 0
    rendered: list[str] = []
    written: list[str] = []
    pruned: list[str] = []
    due: datetime | None = None
    output: str = ""
    seconds: dict[str, float] = {}


class Loaded(msgspec.Struct, kw_only=True):
    """A site read and arranged, before any page is rendered."""

    config: config.Config
    articles: list[Article]
    library: Library
    site: Site
    theme: Theme
    pages: tuple[Page, ...]
    now: datetime
    report: Report


def folders(options: Options) -> tuple[Path, Path]:
    """The content and the output folder. Raises ConfigError where they would get into each other's way."""
    source = options.content or options.site / "content"
    output = options.output or options.site / "public"
    if not source.is_dir():
        raise ConfigError(
            f"{source}: there is no such folder; name it with --content, or begin with `newsgen new site`"
        )
    inner, outer = source.resolve(), output.resolve()
    guarded = {inner, *(options.site.resolve() / n for n in ("content", "templates", "static"))}
    if any(outer == g or outer in g.parents or (g in outer.parents and g.is_dir()) for g in guarded):
        raise ConfigError(
            f"{output}: the output cannot lie in, or around, what the site is made of; choose another --output"
        )
    if output.exists() and not output.is_dir():
        raise ConfigError(f"{output}: is not a folder; choose another --output")
    return source, output


def load(options: Options, progress: Progress | None = None, clusterer: Clusterer | None = None) -> Loaded:
    """Reads a site and plans its pages; writes nothing. The `clusterer` can be asked about the stories afterwards."""
    report, clock = Report(), _Stopwatch()
    settings = config.load(options.site / "site.toml")
    source, output = folders(options)
    report.output = str(output)
    now = (options.now or datetime.now(UTC)).astimezone(UTC)
    reader = content.Reader(settings, source.name)
    articles: list[Article] = []
    abouts: list[About] = []
    for number, found in enumerate(content.scan(source, source.name), 1):
        parsed = reader.parse(found)
        if isinstance(parsed, Article):
            articles.append(parsed)
        elif isinstance(parsed, About):
            abouts.append(parsed)
        else:
            report.problems += parsed
        if progress and number % 100 == 0:
            progress("reading", number, 0)
    report.seconds["read"] = clock.lap()
    report.warnings += _strange(articles, source.name)
    moment = now if options.clock == "wall" else None if isinstance(options.clock, str) else options.clock
    shelved = Library.of(articles, abouts, settings, now=now, show=options.show, clock=moment, clusterer=clusterer)
    report.seconds["arrange"] = clock.lap()
    theme = Theme(options.site)
    pages, collisions = plan.plan(shelved, theme.files(), source.name)
    report.problems += collisions
    report.seconds["plan"] = clock.lap()
    _count(report, articles, shelved, now, options)
    report.pages = len(pages)
    return Loaded(
        config=settings,
        articles=articles,
        library=shelved,
        site=plan.site(shelved),
        theme=theme,
        pages=pages,
        now=now,
        report=report,
    )


def build(options: Options, progress: Progress | None = None, executor: Executor | None = None) -> Report:
    """Builds the site: renders what is stale, writes what differs, removes what is no longer planned.

    With `strict` and a problem nothing is written. `executor` runs the rendering where it is given.
    """
    loaded = load(options, progress)
    report, clock = loaded.report, _Stopwatch()
    if options.strict and report.problems:
        return report
    output = Output(Path(report.output))
    old = output.manifest()
    new = _manifest(loaded, options)
    stale = [p for p in loaded.pages if _why(p, old, new, output, verify=options.verify)]
    report.seconds["compare"] = clock.lap()
    output.open()
    try:
        staged = _render(loaded, stale, output, old, options.jobs, executor, progress)
    except BaseException:
        output.abandon()
        raise
    report.seconds["render"] = clock.lap()
    files = dict(new.files)
    moves: dict[str, str] = {}
    for page, record in zip(stale, staged, strict=True):
        if record is None:
            what = "was not written by newsgen and stays as it is"
            report.problems.append(
                Problem(path=str(output.root / page.path), what=what, hint="move it away, or choose another --output")
            )
            del files[page.path]
            continue
        if record.template:
            moves[page.path] = record.template
        files[page.path] = msgspec.structs.replace(record, page=new.files[page.path].page, template=page.template)
    for path, record in files.items():
        if record.mtime < 0:
            files[path] = old.files[path]
    if options.strict and report.problems:
        output.abandon()
        return report
    report.pruned = output.commit(moves, msgspec.structs.replace(new, files=files), old)
    report.rendered = [p.path for p in stale if not isinstance(p, FilePage)]
    report.written = list(moves)
    report.seconds["write"] = clock.lap()
    return report


def why(options: Options, path: str) -> list[str]:
    """What differs between a page of the last build and the same page now: lines for people, none where it is fresh."""
    loaded = load(options)
    output = Output(Path(loaded.report.output))
    name = path.removeprefix(str(output.root)).lstrip("/")
    name = name + "index.html" if not name or name.endswith("/") else name
    page = next((p for p in loaded.pages if p.path == name), None)
    if page is None:
        return [f"{name}: is not planned"]
    return [
        f"{name}: {reason}"
        for reason in _why(page, output.manifest(), _manifest(loaded, options), output, verify=options.verify)
    ]


def _manifest(loaded: Loaded, options: Options) -> Manifest:
    """What a build of these pages would record, all files still to be written."""
    templates = {page.template for page in loaded.pages if page.template}
    return Manifest(
        version=__version__,
        site=digest(msgspec.msgpack.encode(loaded.site)),
        flags=" ".join(sorted(options.show)),
        templates={name: loaded.theme.digest_of(name) for name in sorted(templates)},
        files={page.path: Record(page.digest(), page.template, "", 0, -1) for page in loaded.pages},
    )


def _why(page: Page, old: Manifest, new: Manifest, output: Output, *, verify: bool) -> list[str]:
    """The parts of a page's key that differ from the last build's; none where its file is fresh."""
    was, now = old.files.get(page.path), new.files[page.path]
    if was is None:
        return ["no build wrote it"]
    static = isinstance(page, FilePage)
    reasons = [
        ("newsgen has another version", old.version != new.version),
        ("the title, navigation or settings of the site differ", not static and old.site != new.site),
        ("it has another template", was.template != now.template),
        ("its template differs", old.templates.get(was.template) != new.templates.get(now.template)),
        ("its content differs", was.page != now.page),
    ]
    found = [reason for reason, holds in reasons if holds]
    return found or ([] if output.stands(page.path, was, verify=verify) else ["its file is gone or was altered"])


def _render(
    loaded: Loaded,
    stale: Sequence[Page],
    output: Output,
    old: Manifest,
    jobs: int,
    executor: Executor | None,
    progress: Progress | None,
) -> list[Record | None]:
    """Stages the file of each stale page; the records come in the order of the pages, whoever made them."""
    shards = list(_batches(stale))
    work = [
        (str(output.root), str(loaded.theme.site), loaded.site, n, shard, [old.files.get(p.path) for p in shard])
        for n, shard in enumerate(shards)
    ]
    out: list[Record | None] = []
    own = ProcessPoolExecutor(jobs) if executor is None and jobs > 1 and len(shards) > 1 else None
    try:
        pool = executor or own
        results = pool.map(_shard, work) if pool else map(_Shard(loaded.theme, loaded.site, output), work)
        for records in results:
            out += records
            if progress:
                progress("rendering", len(out), len(stale))
    finally:
        if own:
            own.shutdown(cancel_futures=True)
    return out


Work = tuple[str, str, Site, int, list[Page], list[Record | None]]


class _Shard:
    """Renders and stages batches of pages with one set of templates."""

    def __init__(self, theme: Theme, site: Site, output: Output) -> None:
        self._render = Renderer(theme, site)
        self._output = output

    def __call__(self, work: Work) -> list[Record | None]:
        *_, number, pages, records = work
        return [
            self._output.stage(p.path, self._render(p), f"{number}-{i}", r)
            for i, (p, r) in enumerate(zip(pages, records, strict=True))
        ]


_mine: dict[tuple[str, str, Site], _Shard] = {}


def _shard(work: Work) -> list[Record | None]:
    """One batch in a worker process, which keeps its templates for the next."""
    root, folder, site = work[:3]
    shard = _mine.get((root, folder, site))
    if shard is None:
        _mine.clear()
        shard = _mine[root, folder, site] = _Shard(Theme(Path(folder)), site, Output(Path(root)))
    return shard(work)


def _batches(pages: Sequence[Page]) -> Iterator[list[Page]]:
    rest = iter(pages)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _count(report: Report, articles: list[Article], shelved: Library, now: datetime, options: Options) -> None:
    """Every article that is not shown, counted by its reason, and what to do about it."""
    report.articles = len(articles)
    report.published = len(shelved.articles)
    report.coverage = len(shelved.members) - len(shelved.articles)
    report.stories = len(shelved.stories)
    gates = {a.id: library.gate(a, now) for a in articles}
    skipped = Counter(g for g in gates.values() if g and g not in options.show)
    report.skipped = {gate: skipped[gate] for gate in (*GATES, "blocked") if skipped[gate]}
    report.folded = (
        sum(1 for a in articles if gates[a.id] == "held" and (a.heat or 0) < 0) if "held" in report.skipped else 0
    )
    report.due = library.next_gate(articles, now)
    reasons = {
        "held": "published: false",
        "draft": "draft: true",
        "future": "publishedDateTime is still to come",
        "expired": "expiryDate has passed",
    }
    flags = {"held": "--unpublished", "draft": "--drafts", "future": "--future", "expired": "--expired"}
    names = {"draft": ("is a draft", "are drafts")}
    for gate, count in report.skipped.items():
        articles_word = "1 article" if count == 1 else f"{count:,} articles"
        verb = names.get(gate, (f"is {gate}", f"are {gate}"))[count != 1]
        if gate == "blocked":
            report.notes.append(f"{articles_word} {verb} by the block list in site.toml")
            continue
        part = (
            f", of which {report.folded:,} folded into another story (heat below 0)"
            if gate == "held" and report.folded
            else ""
        )
        report.notes.append(
            f"{articles_word} {verb} ({reasons[gate]}){part}; {flags[gate]} shows {'it' if count == 1 else 'them'}"
        )
    if articles and not shelved.articles:
        need = " ".join(flags[g] for g in report.skipped if g in flags)
        report.notes.append(f"nothing is published yet{f': to see all of it, build with {need}' if need else ''}")
    elif not articles and not report.problems:
        report.notes.append("nothing is published yet: there are no article files")
    if not shelved.config.base_url:
        report.notes.append(
            'feeds, sitemaps and canonical links are left out: they need base_url in site.toml, as in base_url = "https://example.org/"'
        )


def _strange(articles: list[Article], shown: str) -> list[Problem]:
    """One warning for each unknown front matter key, at the first file that has it."""
    first: dict[str, str] = {}
    for article in articles:
        for key, _ in article.extra:
            first.setdefault(key, article.id)
    what = "is not a field newsgen knows; it is kept in `extra`"
    return [
        Problem(path=f"{shown}/{id}", field=key, what=what, hint=near(key, fields.KNOWN))
        for key, id in sorted(first.items())
    ]


class _Stopwatch:
    """Seconds since it was last asked."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        self._last, spent = now, now - self._last
        return round(spent, 3)

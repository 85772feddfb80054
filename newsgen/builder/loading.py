"""A site's files become its plan: what every command begins with. Nothing is written."""

from __future__ import annotations

import contextlib
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from newsgen import config, files, library
from newsgen.builder import pool
from newsgen.builder.cache import Cache, CachedFile, FileState, engine
from newsgen.builder.options import Options, Progress, folders
from newsgen.builder.output import Manifest
from newsgen.builder.report import Report, Stopwatch
from newsgen.builder.theme import Theme
from newsgen.content import KNOWN, Parsed, Reader, pack, read, unpack
from newsgen.errors import Problem, Superseded
from newsgen.files import FoundFile, Stamp
from newsgen.library import GATES, Arrangement, Library
from newsgen.model import About, Article, Site
from newsgen.pages import Known, OnPage, PageRef, Plan, plan, site
from newsgen.stories import REGISTRABLE_DOMAINS, Clusterer
from newsgen.text import digest_bytes
from newsgen.validation import near

Map = Callable[[Callable[[Any], Any], list[Any]], Iterable[Any]]
"""A function for many values, in their order; here, or in other processes."""

OnLibrary = Callable[[Library, Theme, Site], OnPage]

_owners = msgspec.msgpack.Decoder(dict[str, str])
_refs = msgspec.msgpack.Decoder(dict[bytes, tuple[PageRef, ...]])


class Loaded(msgspec.Struct, kw_only=True):
    """A site read and arranged, before any page is rendered.

    `unsettled` are the digests of files that an edit might change without a trace, by id.
    """

    config: config.Config
    articles: list[Article]
    library: Library
    site: Site
    theme: Theme
    plan: Plan
    now: datetime
    report: Report
    unsettled: dict[str, bytes]


class Memory:
    """What a process that builds a site again keeps: its files as they were found and read, by id, its stories, where
    articles stand, and the list of what it wrote, with that list's stamp.

    Without `keep` nothing is kept that only a second build would use.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self.reader = b""
        self.found: dict[str, FoundFile] = {}
        self.parsed: dict[str, Any] = {}
        self.unsettled: dict[str, bytes] = {}
        self.clusterer: Clusterer | None = None
        self.arrangement: Arrangement | None = None
        self.loaded: Loaded | None = None
        self.written: tuple[Stamp, Manifest] | None = None


def load(
    options: Options,
    progress: Progress | None = None,
    *,
    memory: Memory | None = None,
    cache: Cache | None = None,
    found: Iterable[FoundFile] | None = None,
    run: Map = map,
    on_library: OnLibrary | None = None,
    check_cancelled: Callable[[], None] | None = None,
) -> Loaded:
    """Reads a site and plans its pages.

    `memory` is what a process that loads again keeps; its clusterer can be asked about the stories afterwards. `cache` is what earlier builds worked out and learns what is new; `found` are the content files where they have been
    looked for; `run` may read them in other processes. `on_library` is told when planning begins; what it returns takes the pages. `check_cancelled` may raise Superseded while they are planned.
    """
    if cache is None:
        with Cache(options.site, engine()) as kept:
            return _load(
                options,
                progress,
                memory or Memory(keep=False),
                kept,
                found,
                run,
                on_library,
                check_cancelled,
                is_first=False,
            )
    # What is kept of stories are changes of what was kept before: only the first build of a process can say them.
    memory = memory or Memory(keep=False)
    is_first = memory.loaded is None
    try:
        return _load(options, progress, memory, cache, found, run, on_library, check_cancelled, is_first=is_first)
    except Superseded:
        raise
    except BaseException:
        # Stories may be half brought up to date.
        memory.loaded = None
        raise


def _load(
    options: Options,
    progress: Progress | None,
    memory: Memory,
    cache: Cache,
    found: Iterable[FoundFile] | None,
    run: Map,
    on_library: OnLibrary | None,
    check_cancelled: Callable[[], None] | None,
    *,
    is_first: bool,
) -> Loaded:
    report, clock = Report(), Stopwatch()
    settings = config.load(options.site / "site.toml")
    source, output = folders(options)
    report.output = str(output)
    now = (options.now or datetime.now(UTC)).astimezone(UTC)
    with collector_off():
        articles: list[Article] = []
        abouts: list[About] = []
        found = files.scan(source, source.name) if found is None else found
        recipe = (source.name, settings.root, settings.images, settings.block, settings.video, settings.fields)
        reader = digest_bytes(msgspec.msgpack.encode(recipe))
        parsed_files, unsettled = _read(settings, source.name, reader, found, memory, cache, run, progress)
        for parsed in parsed_files:
            if isinstance(parsed, Article):
                articles.append(parsed)
            elif isinstance(parsed, About):
                abouts.append(parsed)
            else:
                report.problems += parsed
        report.seconds["read"] = clock.lap()
        report.warnings += _strange(articles, source.name)
        moment = now if options.clock == "wall" else None if isinstance(options.clock, str) else options.clock
        with contextlib.suppress(msgspec.DecodeError):
            REGISTRABLE_DOMAINS.update(_owners.decode(cache.get("owners") or b""))
        if is_first or memory.clusterer is None:
            memory.clusterer, memory.arrangement = Clusterer(keep=memory.keep), Arrangement(keep=memory.keep)
        clusterer = memory.clusterer
        if is_first and cache.get("stories") == reader:
            clusterer.load(cache.get)
        shelved = Library.of(
            articles,
            abouts,
            settings,
            now=now,
            show=options.show,
            clock=moment,
            clusterer=clusterer,
            arrangement=memory.arrangement,
        )
        if is_first and settings.stories.similarity:
            cache.put("stories", reader)
            for name, value in clusterer.dump():
                cache.put(name, value)
        cache.put("owners", msgspec.msgpack.encode(REGISTRABLE_DOMAINS))
        report.seconds["arrange"] = clock.lap()
        theme = Theme(options.site, cache, marked=options.fingerprints)
        known = memory.loaded.plan.known() if memory.loaded else _known(cache)
        shared = site(shelved)
        on_page = (
            on_library(shelved, theme, shared) if on_library and not (options.strict and report.problems) else None
        )
        planned = plan(shelved, theme.files(), source.name, known, on_page, check_cancelled)
        cache.put("plan", msgspec.msgpack.encode(planned.known()))
        report.problems += planned.problems
        report.seconds["plan"] = clock.lap()
        _count(report, articles, shelved, now, options)
    report.pages = len(planned.refs)
    memory.loaded = Loaded(
        config=settings,
        articles=articles,
        library=shelved,
        site=shared,
        theme=theme,
        plan=planned,
        now=now,
        report=report,
        unsettled=unsettled,
    )
    return memory.loaded


@contextlib.contextmanager
def collector_off() -> Iterator[None]:
    """Without the collector of cycles: there are none, and it would look through all articles again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _known(cache: Cache) -> Known:
    try:
        return _refs.decode(cache.get("plan") or b"\x80")
    except msgspec.DecodeError:
        return {}


def _read(
    settings: config.Config,
    folder_name: str,
    reader: bytes,
    files: Iterable[FoundFile],
    memory: Memory,
    cache: Cache,
    run: Map,
    progress: Progress | None,
) -> tuple[list[Parsed], dict[str, bytes]]:
    """What every file became, in the order of their paths; and the digests of those whose stamps are not settled.

    Only what may have changed is read.
    """
    started = time.time_ns()
    found = {f.id: f for f in files}
    held = memory.parsed if memory.reader == reader else {}
    parsed = {id: held[id] for id, file in found.items() if id in held and file == memory.found[id]}
    for id in memory.unsettled:
        parsed.pop(id, None)
    known: dict[str, CachedFile] = {}
    gone = [id for id in held if id not in found]
    for entry in () if held else cache.files(reader):
        file = found.get(entry.id)
        if file is None:
            gone.append(entry.id)
        elif entry.stamp and entry.stamp == file.mark():
            try:
                parsed[entry.id] = unpack(entry.data)
            except msgspec.DecodeError:
                continue
        else:
            known[entry.id] = entry
    due = [(f, known[id].digest if id in known else b"") for id, f in found.items() if id not in parsed]
    work = [(settings, folder_name, due[i : i + pool.BATCH]) for i in range(0, len(due), pool.BATCH)]
    fresh = []
    for (_, _, chunk), results in zip(work, run(_parse, work), strict=True):
        for (file, _), (mark, data) in zip(chunk, results, strict=True):
            parsed[file.id] = unpack(data or known[file.id].data)
            if mark:
                fresh.append(FileState(file.id, file.mark(started), mark))
        if progress:
            progress("reading", len(parsed), len(found))
    cache.keep(fresh, lambda file: pack(parsed[file]), gone)
    unsettled = {f.id: f.digest for f in fresh if not f.stamp}
    memory.reader, memory.found, memory.parsed, memory.unsettled = reader, found, parsed, unsettled
    return [parsed[id] for id in found], unsettled


Work = tuple[config.Config, str, list[tuple[FoundFile, bytes]]]


def _parse(work: Work) -> list[tuple[bytes, bytes]]:
    """For each file the digest of its bytes, b"" where it cannot be read; and what it is, b"" where that is known."""
    settings, folder_name, chunk = work
    reader = _reader(settings, folder_name)
    out = []
    for found, known in chunk:
        source = read(found, folder_name)
        if isinstance(source.data, Problem):
            out.append((b"", pack((source.data,))))
            continue
        mark = digest_bytes(source.data)
        out.append((mark, b"" if mark == known else pack(reader.parse(source, mark))))
    return out


_readers: list[tuple[config.Config, str, Reader]] = []


def _reader(settings: config.Config, folder_name: str) -> Reader:
    """The reader of the piece of work before, where that was of the same site: it knows what many files declare."""
    if not _readers or _readers[0][:2] != (settings, folder_name):
        _readers[:] = [(settings, folder_name, Reader(settings, folder_name))]
    return _readers[0][2]


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
            f"{articles_word} {verb} ({library.GATE_REASONS[gate]}){part}; {flags[gate]} shows {'it' if count == 1 else 'them'}"
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


def _strange(articles: list[Article], folder_name: str) -> list[Problem]:
    """One warning for each unknown front matter key, at the first file that has it."""
    first: dict[str, str] = {}
    for article in articles:
        for key, _ in article.extra:
            first.setdefault(key, article.id)
    what = "is not a field newsgen knows; it is kept in `extra`"
    return [
        Problem(path=f"{folder_name}/{id}", field=key, what=what, hint=near(key, KNOWN))
        for key, id in sorted(first.items())
    ]

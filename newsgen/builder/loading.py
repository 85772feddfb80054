"""Reads a site, builds its library and plans its pages. Every command starts here; no output is written."""

from __future__ import annotations

import contextlib
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from newsgen import config, files, hosts, times
from newsgen.builder import pool, references
from newsgen.builder.cache import Cache, CachedFile, FileState, engine
from newsgen.builder.linkchecker import MAX_WARNINGS, LinkChecker
from newsgen.builder.memory import Memory
from newsgen.builder.options import Options, Progress, clocks, folders
from newsgen.builder.report import Report, Stopwatch
from newsgen.builder.theme import Theme
from newsgen.content import ARTICLE_FIELDS, Parsed, Reader, is_known, pack, read, unpack
from newsgen.errors import Problem, Superseded
from newsgen.files import FoundFile
from newsgen.library import GATE_REASONS, GATES, Arrangement, Library, gate, next_gate
from newsgen.model import About, Article, Site, Subscription
from newsgen.pages import Known, OnPage, Page, PageRef, Plan, plan, site
from newsgen.stories import Clusterer
from newsgen.text import digest_bytes
from newsgen.validation import did_you_mean

Map = Callable[[Callable[[Any], Any], list[Any]], Iterable[Any]]
"""The built-in `map`, or one that uses other processes."""

OnLibrary = Callable[[Library, Theme, Site], OnPage]
"""Called before planning; returns the callback for planned pages."""

_owners_decoder = msgspec.msgpack.Decoder(tuple[tuple[str, ...], dict[str, str]])
_refs_decoder = msgspec.msgpack.Decoder(dict[bytes, tuple[PageRef, ...]])


class Loaded(msgspec.Struct, kw_only=True):
    """A loaded site, before any page is rendered.

    `racy` are the digests of content files, by id, whose stamps are too recent to rule out an unnoticed edit.
    `link_warnings` are the warnings of the report about broken links.
    """

    config: config.Config
    articles: list[Article]
    library: Library
    site: Site
    theme: Theme
    plan: Plan
    now: datetime
    report: Report
    racy: dict[str, bytes]
    links: LinkChecker
    link_warnings: list[Problem]


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

    `memory` is kept between loads; its clusterer can explain the stories afterwards. `cache` is read and updated, but
    not saved. `found` are the content files, if they have been scanned already. `run` maps a function over work,
    possibly in other processes. `check_cancelled` may raise Superseded during planning.
    """
    if cache is None:
        with Cache(options.site, engine()) as own_cache:
            return _load(
                options,
                progress,
                memory or Memory(keep=False),
                own_cache,
                found,
                run,
                on_library,
                check_cancelled,
                is_first=False,
            )
    # The cache stores stories as changes to those it held before, so only the first build of a process can store them.
    memory = memory or Memory(keep=False)
    is_first = memory.loaded is None
    try:
        return _load(options, progress, memory, cache, found, run, on_library, check_cancelled, is_first=is_first)
    except Superseded:
        raise
    except BaseException:
        # The clusterer may be half updated; the next load starts a new one.
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
    now, clock_time = clocks(options)
    with collector_off():
        articles: list[Article] = []
        about_files: list[About] = []
        subscriptions: list[Subscription] = []
        found = files.scan(source, source.name) if found is None else found
        reader_settings = (
            source.name,
            settings.root,
            urlsplit(settings.base_url).hostname,
            settings.timezone,
            settings.images,
            settings.block,
            settings.sources,
            settings.video,
            settings.fields,
        )
        reader = digest_bytes(msgspec.msgpack.encode(reader_settings))
        if memory.loaded and memory.reader != reader:
            memory.clusterer = None  # it knows articles by the digests of their files, and these were parsed otherwise
        parsed_files, racy = _read(settings, source.name, reader, found, memory, cache, run, progress)
        for parsed, problems in parsed_files:
            if isinstance(parsed, Article):
                articles.append(parsed)
            elif isinstance(parsed, About):
                about_files.append(parsed)
            elif isinstance(parsed, Subscription):
                subscriptions.append(parsed)
            report.problems += problems
        report.seconds["read"] = clock.lap()
        report.warnings += _unknown_fields(articles, source.name, settings.fields)
        report.warnings += _dropped([*articles, *about_files], source.name)
        report.warnings += _early_updates(articles, now, settings, source.name, memory.found)
        with contextlib.suppress(msgspec.DecodeError):
            # The engine of the cache covers newsgen's own table and the version of the public suffix list.
            more, owners = _owners_decoder.decode(cache.get("owners") or b"")
            if more == settings.sources.platforms:
                settings.platforms.owners.update(owners)
        if is_first or memory.clusterer is None:
            memory.clusterer, memory.arrangement = Clusterer(keep=memory.keep), Arrangement(keep=memory.keep)
        clusterer = memory.clusterer
        if is_first and cache.get("stories") == reader:
            clusterer.load(cache.get)
        arrangement = memory.arrangement or Arrangement()
        if is_first:
            arrangement.topics.load(cache.get("topics"))
        library = Library.of(
            articles,
            about_files,
            settings,
            now=now,
            show=options.show,
            clock=clock_time,
            clusterer=clusterer,
            arrangement=arrangement,
        )
        line_of = _line_of(memory.found, _reader(settings, source.name))
        report.warnings += references.warnings(articles, library, subscriptions, source.name, line_of)
        if is_first and settings.stories.similarity:
            cache.put("stories", reader)
            for name, value in clusterer.dump():
                cache.put(name, value)
        if topics := arrangement.topics.dump():
            cache.put("topics", topics)
        cache.put("owners", msgspec.msgpack.encode((settings.sources.platforms, settings.platforms.owners)))
        report.seconds["arrange"] = clock.lap()
        theme = Theme(options.site, cache, fingerprinted=options.fingerprints)
        report.problems += theme.problems
        known = memory.loaded.plan.known() if memory.loaded else _cached_refs(cache)
        shared = site(library)
        on_page = (
            on_library(library, theme, shared) if on_library and not (options.strict and report.problems) else None
        )
        planned = plan(library, theme.files(), source.name, known, on_page, check_cancelled, theme.text("_redirects"))
        cache.put("plan", msgspec.msgpack.encode(planned.known()))
        report.problems += _with_lines(planned.problems, source.name, line_of)
        links = LinkChecker(library, planned, _render_with(theme, shared), options.site, source)
        link_warnings = links.problems(MAX_WARNINGS)
        report.warnings += link_warnings
        report.seconds["plan"] = clock.lap()
        _count(report, articles, library, now, options)
    report.pages = len(planned.refs)
    memory.loaded = Loaded(
        config=settings,
        articles=articles,
        library=library,
        site=shared,
        theme=theme,
        plan=planned,
        now=now,
        report=report,
        racy=racy,
        links=links,
        link_warnings=link_warnings,
    )
    return memory.loaded


def _render_with(theme: Theme, shared: Site) -> Callable[[Page], bytes]:
    def render(page: Page) -> bytes:
        from newsgen.builder.render import Renderer  # imported late: checking links seldom needs it

        return Renderer(theme, shared)(page)

    return render


@contextlib.contextmanager
def collector_off() -> Iterator[None]:
    """Turns off the cycle collector: there are no cycles, and it would scan all articles repeatedly."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _cached_refs(cache: Cache) -> Known:
    try:
        return _refs_decoder.decode(cache.get("plan") or b"\x80")
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
    """All parsed files, in path order, and the digests of racy ones, by id. Reads only files that may have changed."""
    started = time.time_ns()
    found = {f.id: f for f in files}
    remembered = memory.parsed if memory.reader == reader else {}
    parsed = {id: remembered[id] for id, file in found.items() if id in remembered and file == memory.found[id]}
    for id in memory.racy:
        parsed.pop(id, None)
    cached: dict[str, CachedFile] = {}
    removed = [id for id in remembered if id not in found]
    for entry in () if remembered else cache.files(reader):
        file = found.get(entry.id)
        if file is None:
            removed.append(entry.id)
        elif entry.stamp and entry.stamp == file.encoded_stamp():
            try:
                parsed[entry.id] = unpack(entry.data)
            except msgspec.DecodeError:
                continue
        else:
            cached[entry.id] = entry
    unread = [(f, cached[id].digest if id in cached else b"") for id, f in found.items() if id not in parsed]
    work = [(settings, folder_name, unread[i : i + pool.BATCH]) for i in range(0, len(unread), pool.BATCH)]
    states = []
    for (_, _, chunk), results in zip(work, run(_parse, work), strict=True):
        for (file, _), (digest, data) in zip(chunk, results, strict=True):
            parsed[file.id] = unpack(data or cached[file.id].data)
            if digest:
                states.append(FileState(file.id, file.encoded_stamp(started), digest))
        if progress:
            progress("reading", len(parsed), len(found))
    cache.put_files(states, lambda file: pack(parsed[file]), removed)
    racy = {state.id: state.digest for state in states if not state.stamp}
    memory.reader, memory.found, memory.parsed, memory.racy = reader, found, parsed, racy
    return [parsed[id] for id in found], racy


Work = tuple[config.Config, str, list[tuple[FoundFile, bytes]]]


def _parse(work: Work) -> list[tuple[bytes, bytes]]:
    """The digest and packed result of each file.

    The digest is b"" if the file cannot be read, the result b"" if the digest equals the cached one.
    """
    settings, folder_name, chunk = work
    reader = _reader(settings, folder_name)
    results = []
    for found, cached_digest in chunk:
        source = read(found, folder_name)
        if isinstance(source.data, Problem):
            results.append((b"", pack(Parsed(None, (source.data,)))))
            continue
        digest = digest_bytes(source.data)
        results.append((digest, b"" if digest == cached_digest else pack(reader.parse(source, digest))))
    return results


_readers: list[tuple[config.Config, str, Reader]] = []


def _reader(settings: config.Config, folder_name: str) -> Reader:
    """The reader of the previous task if it has the same settings: it caches entries that many files declare."""
    if not _readers or _readers[0][:2] != (settings, folder_name):
        _readers[:] = [(settings, folder_name, Reader(settings, folder_name))]
    return _readers[0][2]


def _count(report: Report, articles: list[Article], library: Library, now: datetime, options: Options) -> None:
    """Fills the counts of the report, with a note for each gate that keeps articles out and how to show them."""
    report.timezone = library.config.timezone
    report.articles = len(articles)
    report.published = len(library.articles)
    report.coverage = len(library.members) - len(library.articles)
    report.stories = len(library.stories)
    gates = {a.id: gate(a, now) for a in articles}
    skipped = Counter(g for g in gates.values() if g and g not in options.show)
    report.skipped = {g: skipped[g] for g in (*GATES, "blocked") if skipped[g]}
    report.folded = (
        sum(1 for a in articles if gates[a.id] == "held" and (a.heat or 0) < 0) if "held" in report.skipped else 0
    )
    report.due = next_gate(articles, now)
    flags = {"held": "--unpublished", "draft": "--drafts", "future": "--future", "expired": "--expired"}
    verbs = {
        "draft": ("is a draft", "are drafts"),
        "future": ("is scheduled", "are scheduled"),
        "expired": ("has expired", "have expired"),
    }
    for closed_gate, count in report.skipped.items():
        subject = "1 article" if count == 1 else f"{count:,} articles"
        verb = verbs.get(closed_gate, (f"is {closed_gate}", f"are {closed_gate}"))[count != 1]
        if closed_gate == "blocked":
            report.notes.append(f"{subject} {verb} by the [block] table in site.toml")
            continue
        folded = (
            f", {report.folded:,} folded into another story (heat below 0)"
            if closed_gate == "held" and report.folded
            else ""
        )
        report.notes.append(
            f"{subject} {verb} ({GATE_REASONS[closed_gate]}){folded};"
            f" show {'it' if count == 1 else 'them'} with {flags[closed_gate]}"
        )
    if articles and not library.articles:
        hidden = " ".join(flags[g] for g in report.skipped if g in flags)
        report.notes.append(
            f"nothing is published yet{f'; to see all articles, build or serve with {hidden}' if hidden else ''}"
        )
    elif not articles and not report.problems:
        report.notes.append("nothing is published yet: there are no articles; create one with `newsgen new article`")
    if not library.config.base_url:
        report.notes.append(
            "feeds, sitemaps and canonical links are left out; set base_url in site.toml,"
            ' such as base_url = "https://example.org/"'
        )
    elif library.config.host is None and (host := hosts.at(library.config.base_url)):
        title = hosts.HOSTS[host].title
        report.notes.append(
            f'base_url is at {title}; set host = "{host}" in site.toml, so that the site keeps to its limits'
        )


def _line_of(found: Mapping[str, FoundFile], reader: Reader) -> Callable[[str, str], int]:
    """A function that reads a content file, by its id, and returns the line of a field."""

    def line_of(id: str, field: str) -> int:
        return reader.place(read(found[id]), field)[1]

    return line_of


def _with_lines(problems: Iterable[Problem], folder_name: str, line_of: Callable[[str, str], int]) -> list[Problem]:
    """The problems of a plan, with the lines of their fields."""
    prefix = f"{folder_name}/"
    return [
        msgspec.structs.replace(p, line=line_of(p.path.removeprefix(prefix), p.field))
        if p.field and not p.line and p.path.startswith(prefix)
        else p
        for p in problems
    ]


def _early_updates(
    articles: list[Article], now: datetime, settings: config.Config, folder_name: str, found: Mapping[str, FoundFile]
) -> list[Problem]:
    """A warning for each article whose `updated` does not count yet."""
    warnings = []
    for article in articles:
        if article.updated is not None and article.updated > now:
            source = read(found[article.id], folder_name)
            name, line = _reader(settings, folder_name).place(source, "updatedDateTime")
            what = f"{times.text(article.updated, settings.zone)} is in the future and counts as absent until then"
            hint = "write the time of the last change"
            warnings.append(Problem(path=f"{folder_name}/{article.id}", line=line, field=name, what=what, hint=hint))
    return warnings


def _unknown_fields(articles: list[Article], folder_name: str, names: config.Fields) -> list[Problem]:
    """One warning per unknown front matter field, at the first file that has it. `names` are known from elsewhere."""
    first: dict[str, str] = {}
    for article in articles:
        for key, _ in article.extra:
            first.setdefault(key, article.id)
    what = "unknown field, kept in `extra`"
    return [
        Problem(path=f"{folder_name}/{id}", field=key, what=what, hint=did_you_mean(key, ARTICLE_FIELDS))
        for key, id in sorted(first.items())
        if not is_known(key, names)
    ]


def _dropped(files: Iterable[Article | About], folder_name: str) -> list[Problem]:
    """A warning for the first element of each kind that was left out of a body."""
    player = "put a player's iframe into featuredContent, from one of the hosts in video.hosts"
    return [
        Problem(
            path=f"{folder_name}/{file.id}",
            line=line,
            what=f"<{name}> is left out of the body",
            hint=player if name in ("iframe", "embed", "object", "video") else "",
        )
        for file in files
        for line, name in file.dropped
    ]

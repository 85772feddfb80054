"""Reads what changed in a site, brings its library up to date and plans its pages. Every command starts here.

No output is written.
"""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from newsgen import brands, config, links, policies, times
from newsgen.builder import catalogues, forbidden, plugins, pool, references
from newsgen.builder.attachments import Attachments, Fault
from newsgen.builder.cache import Cache, CachedFile, engine
from newsgen.builder.linkchecker import MAX_WARNINGS, LinkChecker
from newsgen.builder.mediatypes import media_type
from newsgen.builder.options import Options, Progress, clocks, folders
from newsgen.builder.plugincode import Code, find
from newsgen.builder.report import Report, Stopwatch
from newsgen.builder.snapshot import Differences, Snapshot
from newsgen.builder.summary import summarise
from newsgen.builder.theme import Theme
from newsgen.content import (
    ARTICLE_FIELDS,
    Parsed,
    Reader,
    Source,
    is_known,
    original,
    pack,
    pack_changed,
    read,
    unpack,
)
from newsgen.errors import Problem
from newsgen.files import FoundFile, Stamp
from newsgen.library import Arrangement, Library
from newsgen.model import About, Article, Brand, Site, Subscription
from newsgen.pages import OnPage, Page, Plan, StylesPage, brand, site, styles
from newsgen.store import LostError, Store
from newsgen.text import digest_bytes
from newsgen.validation import did_you_mean

Map = Callable[[Callable[[Any], Any], list[Any]], Iterable[Any]]
"""The built-in `map`, or one that uses other processes."""

OnLibrary = Callable[[Library, Theme, Site], tuple[OnPage, Iterable[str] | None]]
"""Called before planning. Returns the callback for planned pages, and the paths that must be made; None for all."""

TOGETHER = 30_000
"""The most articles of a first build that are arranged at one time, to limit memory."""

_owners_decoder = msgspec.msgpack.Decoder(tuple[tuple[str, ...], dict[str, str]])


class FileNote(msgspec.Struct, array_like=True):
    """A problem or warning about a file that a content file names. `missing` is that file's id if it does not exist."""

    problem: Problem
    is_warning: bool
    missing: str


class Notes(msgspec.Struct, array_like=True):
    """What the report says of content files in which something is wrong, and which files are not articles. All by id.

    `dropped` holds the elements that were left out of a body, and other generators' tags in it. `others` are files
    about topics and the like (True), and those that cannot be used (False). `files` holds what is wrong with the files
    that a content file names.
    """

    problems: dict[str, tuple[Problem, ...]] = {}
    dropped: dict[str, tuple[tuple[int, str], ...]] = {}
    others: dict[str, bool] = {}
    files: dict[str, tuple[FileNote, ...]] = {}


class Loaded(msgspec.Struct, kw_only=True):
    """A loaded site, before any page is rendered.

    `racy` are the digests of content files, by id, whose stamps are too recent to rule out an unnoticed edit.
    `link_warnings` are the warnings of the report about broken links. `articles` returns all articles, in path order,
    and `article` one of them by its id, as their files and the plugins have them; `named_topics` returns the topics in
    an article's file. `release` lets other builds save. `save` puts what the next build needs into the cache.
    """

    config: config.Config
    arrangement: Arrangement
    library: Library
    site: Site
    theme: Theme
    plan: Plan
    now: datetime
    report: Report
    racy: dict[str, bytes]
    links: LinkChecker
    link_warnings: list[Problem]
    plugins: plugins.Plugins
    articles: Callable[[], Iterator[Article]]
    article: Callable[[str], Article]
    named_topics: Callable[[str], tuple[str, ...]]
    release: Callable[[], None]
    save: Callable[[], None]

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        """Lets other builds save."""
        self.release()


def load(
    options: Options,
    progress: Progress | None = None,
    *,
    cache: Cache | None = None,
    snapshot: Snapshot | None = None,
    differences: Differences | None = None,
    run: Map = map,
    map_files: Map = map,
    on_library: OnLibrary | None = None,
    check_cancelled: Callable[[], None] | None = None,
    whole: bool = False,
) -> Loaded:
    """Reads a site and plans the pages that may differ from those of the last build, or the `whole` site.

    `cache` is read and written, but not saved; without one, that of the site is only read, and no other build can save
    until `Loaded.release`. `snapshot` is that of the input files, if it was taken before, and `differences` is what
    differs from the last build. `run` maps a function over work, possibly in other processes, and `map_files` only in
    processes that see all files. `check_cancelled` may raise Superseded during planning.
    """
    is_building = cache is not None
    cache = cache or Cache(options.site, engine())
    snapshot = snapshot or Snapshot(options, clocks(options).now)
    arguments = on_library, check_cancelled, whole
    if not is_building:
        differences = snapshot.differences(cache)
    if not (cache.begin() if is_building else cache.begin_reading()):
        differences = None
    while True:
        try:
            return _Loading(options, progress, cache, snapshot, run, map_files).load(*arguments, differences)
        except LostError:
            if cache.is_private:
                raise
            if differences is None:
                cache.begin_privately()
            differences = None


class _Loading:
    """One attempt to load a site. Raises LostError if the state of the last build is damaged."""

    def __init__(
        self,
        options: Options,
        progress: Progress | None,
        cache: Cache,
        snapshot: Snapshot,
        run: Map,
        map_files: Map,
    ) -> None:
        self._options, self._progress, self._cache, self._run = options, progress, cache, run
        self._map_files, self._named = map_files, set[str]()
        self._snapshot = snapshot
        self._source, output = folders(options)
        self._config = config.load(options.site / "site.toml")
        self._now, self._clock = clocks(options)
        self._report, self._stopwatch = Report(output=str(output)), Stopwatch()
        self._racy: dict[str, bytes] = {}
        self._language = catalogues.load(options.site, self._config.language)
        self._reader_key = self._find_reader_key()
        self._code = find(options.site, self._config.plugins)
        self._plugins = plugins.load(self._code)
        self._plugins.seconds.clear()
        found, root = snapshot.attachments, self._config.root
        self._attachments = Attachments(found, self._source, cache, root, time.time_ns())

    def load(
        self,
        on_library: OnLibrary | None,
        check_cancelled: Callable[[], None] | None,
        whole: bool,
        differences: Differences | None,
    ) -> Loaded:
        """Loads the site. Without `differences`, nothing that the last build kept can be used."""
        options, report, settings = self._options, self._report, self._config
        with collector_off():
            self._notes = self._get("notes", Notes) if differences else Notes()
            prefix = self._snapshot.folder
            has_same_plugins = (self._cache.get(f"{prefix} plugins") or b"") == self._code.digest
            changed, removed = self._read(differences, everything=not has_same_plugins)
            self._attachments.prepare(self._named, self._map_files)
            others = [self._value(id) for id in self._in_order(self._notes.others) if self._notes.others[id]]
            abouts = [value for value in others if isinstance(value, About)]
            variant = self._variant(abouts)
            is_fresh = not differences or self._cache.get(f"{prefix} variant") != variant
            if is_fresh:
                changed, removed = [id for id in self._snapshot.found.ids if id not in self._notes.others], []
            report.seconds["read"] = self._stopwatch.lap()
            self._load_owners()
            self._cache.mark()
            if is_fresh:
                self._cache.clear(prefix)
            store = self._store(prefix, is_fresh)
            arrange = partial(
                Arrangement,
                store,
                self.article,
                settings,
                abouts,
                now=self._now,
                show=options.show,
                clock=self._clock,
                locale=self._language.locale,
            )
            if is_fresh and len(changed) > TOGETHER:
                changed.sort(key=self._published)  # few stories have members in two parts, and the newest has the clock
                while len(changed) > TOGETHER:
                    arrange().update(changed[-TOGETHER:], whole=True)
                    del changed[-TOGETHER:]
                    gc.collect()  # a library refers to itself
            arrangement = arrange()
            if differences and not is_fresh and differences.attachments:
                changed += set(arrangement.library.naming(differences.attachments)).difference(removed)
            reached = arrangement.update(changed, removed, whole=is_fresh)
            library = arrangement.library
            self._warn(arrangement, others)
            report.seconds["arrange"] = self._stopwatch.lap()
            theme = Theme(
                options.site,
                self._cache,
                content=self._source,
                fingerprinted=options.fingerprints,
                linked=settings.brand.files.values(),
                head_file=settings.brand.head,
                plugins=self._plugins,
            )
            report.problems += self._language.problems + theme.problems
            report.warnings += (*self._language.warnings, *theme.unshown())
            report.warnings += forbidden.warnings(theme, settings, self._cache)
            style_page, own_look = self._look(theme)
            shared = site(library, own_look, slots=theme.fills_slots())
            on_page, remake = None, list[str]()
            if on_library and not (options.strict and report.problems):
                on_page, stale = on_library(library, theme, shared)
                whole, remake = whole or stale is None, [*(stale or ())]
            planned = Plan(
                library,
                reached,
                (*theme.files(), *([style_page] if style_page else ())),
                self._source.name,
                whole=whole,
                remake=remake,
                on_page=on_page,
                check_cancelled=check_cancelled,
                own_redirects=theme.text("_redirects"),
                policy=self._policy(theme),
                plugins=self._plugins.page_makers(theme.has),
                has_same_plugins=has_same_plugins,
            )
            report.problems += self._with_lines(planned.problems)
            checker = LinkChecker(
                library, planned, _render_with(theme, shared), options.site, self._source, self._attachments.link_hint
            )
            link_warnings = checker.problems(MAX_WARNINGS)
            report.warnings += link_warnings
            report.seconds["plan"] = self._stopwatch.lap()
            report.seconds |= {f"plugin {name}": round(took, 3) for name, took in self._plugins.seconds.items()}
            summarise(report, library, options)
            report.due = arrangement.filing.next_due
        report.pages = len(planned)

        def save() -> None:
            arrangement.save()
            planned.save()
            store.save()
            self._cache.put(f"{prefix} notes", msgspec.msgpack.encode(self._notes))
            self._cache.put(f"{prefix} variant", variant)
            self._cache.put(f"{prefix} plugins", self._code.digest or None)
            owners = settings.sources.platforms, settings.platforms.owners
            self._cache.put("owners", msgspec.msgpack.encode(owners))

        return Loaded(
            config=settings,
            arrangement=arrangement,
            library=library,
            site=shared,
            theme=theme,
            plan=planned,
            now=self._now,
            report=report,
            racy=self._racy | self._attachments.racy,
            links=checker,
            link_warnings=link_warnings,
            plugins=self._plugins,
            named_topics=self.named_topics,
            articles=self.articles,
            article=self.article,
            release=self._cache.release,
            save=save,
        )

    def _store(self, prefix: str, is_fresh: bool) -> Store:
        """The store of the library: values of the cache with a prefix."""
        cache = self._cache
        if cache.is_read_only:
            return Store() if is_fresh else Store(lambda name: cache.fetch(f"{prefix} {name}"))
        return Store(
            lambda name: cache.fetch(f"{prefix} {name}"),
            lambda name, value: cache.put(f"{prefix} {name}", value),
            is_new=is_fresh,
        )

    # Files

    def _find_reader_key(self) -> bytes:
        """A digest of all settings that decide what a content file is parsed into."""
        settings = self._config
        parts = (
            self._source.name,
            settings.root,
            urlsplit(settings.base_url).hostname,
            settings.timezone,
            settings.images,
            settings.block,
            settings.sources,
            settings.video,
            settings.fields,
        )
        return digest_bytes(msgspec.msgpack.encode(parts))

    def _variant(self, abouts: list[About]) -> bytes:
        """A digest of all that decides the library and its pages, besides articles and the time."""
        # Publishing and fetching affect no pages; the look and the policy affect only those that are always planned.
        settings = msgspec.structs.replace(
            self._config, publish={}, fetch=config.Fetch(), brand=brands.Brand(), policy=policies.Policy()
        )
        # With a clock of its own, a library may have articles that are later than it.
        phrases = self._language.locale.phrases
        facts = self._reader_key, settings, sorted(self._options.show), self._clock, abouts, phrases
        return digest_bytes(msgspec.msgpack.encode(facts))

    def _get(self, name: str, type: Any) -> Any:
        try:
            return msgspec.msgpack.decode(self._cache.fetch(f"{self._snapshot.folder} {name}") or b"", type=type)
        except msgspec.MsgspecError:
            raise LostError(name) from None

    def _read(self, differences: Differences | None, *, everything: bool) -> tuple[list[str], list[str]]:
        """Parses the files that may have changed, or `everything`, unless the cache has them already.

        Returns the ids of articles among them, and of the others, which may have been articles before.
        """
        started, cache = time.time_ns(), self._cache
        key = self._reader_key + self._code.digest
        found = cache.get("reader") or b""
        if found != key:
            if found.startswith(self._reader_key):
                self._apply_plugins()
            else:
                cache.clear_files()
            cache.put("reader", key)
        if not differences:
            for id in set(cache.ids()).difference(self._snapshot.found.ids):
                cache.remove_file(id)
        changed: list[str] = []
        removed: list[str] = []
        unread: list[tuple[FoundFile, bytes]] = []
        if differences:
            self._attachments.forget(differences.attachments)
        for id in differences.removed if differences else ():
            cache.remove_file(id)
            self._sort(id, Parsed(None), changed, removed)
            self._notes.others.pop(id, None)
        done = 0
        for file in differences.added_or_changed if differences and not everything else self._snapshot.found:
            cached = cache.file(file.id)
            if cached and cached.stamp and cached.stamp == file.encoded_stamp():
                self._sort(file.id, unpack(cached.data), changed, removed)
            else:
                unread.append((file, cached.digest if cached else b""))
        setup = self._config, self._source.name, self._code
        work = [(*setup, unread[i : i + pool.BATCH]) for i in range(0, len(unread), pool.BATCH)]
        for (*_, chunk), results in zip(work, self._run(_parse, work), strict=True):
            for (file, _), (digest, data) in zip(chunk, results, strict=True):
                if not data:
                    cached = cache.file(file.id)
                    if cached is None:
                        raise LostError(file.id)
                    data = cached.data  # noqa: PLW2901
                stamp = file.encoded_stamp(started)
                if digest:
                    cache.put_file(CachedFile(file.id, stamp, digest, data))
                    if not stamp:
                        self._racy[file.id] = digest
                self._sort(file.id, unpack(data), changed, removed)
            done += len(chunk)
            if self._progress:
                count = len(self._snapshot.found)
                self._progress("reading", count - len(unread) + done, count)
        return changed, removed

    def _apply_plugins(self) -> None:
        """Applies the plugins, whose code has changed, to the cached content files as they were read."""
        reader = self._reader
        for file in list(self._cache.files()):
            before = original(file.data)
            data = _with_plugins(self._plugins, reader, self._source.name, unpack(before), before)
            if data != file.data:
                self._cache.put_file(file._replace(data=data))

    def _sort(self, id: str, parsed: Parsed, changed: list[str], removed: list[str]) -> None:
        """Adds a file to the articles or to the others, and notes what the report says of it."""
        notes, value = self._notes, parsed.value
        for kept in (notes.problems, notes.dropped, notes.others, notes.files):
            kept.pop(id, None)
        if parsed.problems:
            notes.problems[id] = parsed.problems
        if isinstance(value, Article | About):
            if value.dropped:
                notes.dropped[id] = value.dropped
            self._named.update(file.id for file in value.files)
        if isinstance(value, Article):
            changed.append(id)
        else:
            notes.others[id] = value is not None
            removed.append(id)

    def _in_order(self, ids: Collection[str]) -> list[str]:
        """Ids in the order of the files."""
        return [id for id in self._snapshot.found.ids if id in ids] if ids else []

    def _parsed(self, id: str) -> Parsed:
        """A content file as the cache has it."""
        cached = self._cache.file(id)
        if cached is None:
            raise LostError(id)
        return unpack(cached.data)

    def _value(self, id: str) -> Any:
        """What a content file is, with the files that it names."""
        value = self._parsed(id).value
        if isinstance(value, Article | About) and value.files:
            value, faults = self._attachments.resolved(value)
            if faults:
                self._notes.files[id] = tuple(self._note(id, fault) for fault in faults)
            else:
                self._notes.files.pop(id, None)
        return value

    def _note(self, id: str, fault: Fault) -> FileNote:
        """What is wrong with a file that a content file names, and the place where it names it."""
        source = read(self._file(id), self._source.name)
        name, line = "link", 0
        if fault.file.place:
            name, line = self._reader.place(source, fault.file.place)
        elif isinstance(source.data, bytes):
            line = links.line(source.data.decode("utf-8", "replace"), fault.file.link)
        path = f"{self._source.name}/{id}"
        problem = Problem(path=path, line=line, field=name, what=fault.what, hint=fault.hint, scope="value")
        return FileNote(problem, fault.kind == "warning", fault.file.id if fault.kind == "missing" else "")

    def article(self, id: str) -> Article:
        """An article as its file has it, with the files that it names."""
        value = self._value(id)
        if not isinstance(value, Article):
            raise LostError(id)
        return value

    def _published(self, id: str) -> datetime:
        """When an article was published."""
        article: Article = self._parsed(id).value  # type: ignore[assignment]
        return article.published

    def named_topics(self, id: str) -> tuple[str, ...]:
        """The topics that an article's file names, without those that plugins add."""
        cached = self._cache.file(id)
        value = unpack(original(cached.data)).value if cached else None
        return value.topics if isinstance(value, Article) else ()

    def articles(self) -> Iterator[Article]:
        """All articles, in path order."""
        return (self.article(id) for id in self._snapshot.found.ids if id not in self._notes.others)

    def _policy(self, theme: Theme) -> str:
        """The content security policy."""
        head, settings = theme.head(), self._config
        if not head:
            return policies.header(settings.policy, settings.players)
        from newsgen import needs  # imported late: most sites have no such file

        return policies.header(settings.policy, settings.players, *needs.inline(head))

    def _look(self, theme: Theme) -> tuple[StylesPage | None, Brand | None]:
        """The style sheet of the site's own look, and what every page shows of it."""
        settings = self._config.brand
        page = styles(settings, theme.asset, self._config.root, fingerprinted=theme.fingerprinted)
        return page, brand(settings, theme.asset, theme.size, media_type, page, theme.head())

    # The report

    def _warn(self, arrangement: Arrangement, others: list[Any]) -> None:
        """Fills the problems and warnings of content files."""
        report, notes, library = self._report, self._notes, arrangement.library
        for id in self._in_order(notes.problems.keys() | notes.files.keys()):
            report.problems += notes.problems.get(id, ())
            for note in notes.files.get(id, ()):
                hint = self._attachments.hint(note.missing) if note.missing else note.problem.hint
                problem = msgspec.structs.replace(note.problem, hint=hint)
                (report.warnings if note.is_warning else report.problems).append(problem)
        report.warnings += self._foreign_files()
        report.warnings += self._unknown_fields(arrangement)
        report.warnings += self._dropped()
        report.warnings += self._early_updates(arrangement)
        subscriptions = [value for value in others if isinstance(value, Subscription)]
        report.warnings += references.warnings(self.articles, library, subscriptions, self._source.name, self._line_of)

    def _line_of(self, id: str, field: str) -> int:
        """The line of a field in a content file, by the file's id."""
        return self._reader.place(read(self._file(id), self._source.name), field)[1]

    def _file(self, id: str) -> FoundFile:
        return self._snapshot.found[self._places[id]]

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where each content file is in the snapshot."""
        return {id: at for at, id in enumerate(self._snapshot.found.ids)}

    @property
    def _reader(self) -> Reader:
        return _reader(self._config, self._source.name)

    def _with_lines(self, problems: Iterable[Problem]) -> list[Problem]:
        """The problems of a plan, with the lines of their fields."""
        prefix = f"{self._source.name}/"

        def line(problem: Problem) -> int:
            if problem.path.startswith(prefix):
                return self._line_of(problem.path.removeprefix(prefix), problem.field)
            setting = re.sub(r"\[\d+\]$", "", problem.field)
            return config.line(self._options.site / "site.toml", *setting.split(".", 2))

        return [
            msgspec.structs.replace(p, line=line(p))
            if p.field and not p.line and p.path.startswith((prefix, "site.toml"))
            else p
            for p in problems
        ]

    def _early_updates(self, arrangement: Arrangement) -> Iterator[Problem]:
        """A warning for each article whose `updated` does not count yet."""
        for id in self._in_order({*arrangement.filing.future()}):
            article = self.article(id)
            if article.updated is not None and article.updated > self._now:
                name, line = self._reader.place(read(self._file(id), self._source.name), "updatedDateTime")
                what = (
                    f"{times.text(article.updated, self._config.zone)} is in the future and counts as absent until then"
                )
                hint = "write the time of the last change"
                yield Problem(path=f"{self._source.name}/{id}", line=line, field=name, what=what, hint=hint)

    def _foreign_files(self) -> Iterator[Problem]:
        """A warning for the first file of each kind of other generators' articles."""
        kinds: dict[str, list[str]] = {}
        for id in self._snapshot.foreign:
            kinds.setdefault(id[id.rindex(".") :].lower(), []).append(id)
        folder = self._source.name
        for kind, ids in kinds.items():
            more = f", this one and {len(ids) - 1:,} more" if len(ids) > 1 else ""
            what = f"newsgen does not read {kind} files{more}"
            hint = f"convert them to Markdown with front matter (pandoc can, for most kinds), or move them out of {folder}/"
            yield Problem(path=f"{folder}/{ids[0]}", what=what, hint=hint)

    def _unknown_fields(self, arrangement: Arrangement) -> Iterator[Problem]:
        """One warning per unknown front matter field, at the first file that has it."""
        for name, id in arrangement.library.mentions("field"):
            if not is_known(name, self._config.fields):
                what, hint = "unknown field, kept in `extra`", did_you_mean(name, ARTICLE_FIELDS)
                yield Problem(path=f"{self._source.name}/{id}", field=name, what=what, hint=hint)

    def _dropped(self) -> Iterator[Problem]:
        """A warning for the first element of each kind that was left out of a body, and for the first of each tag of
        another generator on the whole site. Articles come first.
        """
        said: set[str] = set()
        player = "put a player's iframe into featuredContent, from one of the hosts in video.hosts"
        for id in sorted(self._in_order(self._notes.dropped), key=self._notes.others.__contains__):
            for line, name in self._notes.dropped[id]:
                kind = "{{ }}" if name.startswith("{{ ") else name  # all variables are one kind
                if kind in said:
                    continue
                if name[0] == "{":
                    said.add(kind)
                    hint = "write what it stands for: newsgen runs no tags"
                    what = f"readers see the tag {name} as it is written"
                else:
                    hint = player if name in ("iframe", "embed", "object", "video") else ""
                    what = f"<{name}> is left out of the body"
                yield Problem(path=f"{self._source.name}/{id}", line=line, what=what, hint=hint)

    def _load_owners(self) -> None:
        """Fills the cache of the platforms with what earlier builds found."""
        sources, platforms = self._config.sources, self._config.platforms
        with contextlib.suppress(msgspec.DecodeError):
            # The engine of the cache covers newsgen's own table and the version of the public suffix list.
            more, owners = _owners_decoder.decode(self._cache.get("owners") or b"")
            if more == sources.platforms:
                platforms.owners.update(owners)


def _render_with(theme: Theme, shared: Site) -> Callable[[Page], bytes]:
    def render(page: Page) -> bytes:
        from newsgen.builder.render import Renderer  # imported late: checking links seldom needs it

        return Renderer(theme, shared)(page)

    return render


@contextlib.contextmanager
def collector_off() -> Iterator[None]:
    """Turns off the garbage collector: hardly any cycles are made, and it would scan all articles repeatedly."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


Work = tuple[config.Config, str, Code, list[tuple[FoundFile | Source, bytes]]]


def newest(work: list[Work]) -> str:
    """The path of the file that was changed last: a worker that sees its latest state has no old copies of the others."""
    found = [f for *_, chunk in work for f, _ in chunk if isinstance(f, FoundFile)]
    return max(found, key=lambda f: f.stamp.ctime if isinstance(f.stamp, Stamp) else 0).path


def with_bytes(work: Work) -> Work:
    """The same task with the bytes of its files."""
    settings, folder_name, code, chunk = work
    return settings, folder_name, code, [(_source(found, folder_name), digest) for found, digest in chunk]


def _source(found: FoundFile | Source, folder_name: str) -> Source:
    return found if isinstance(found, Source) else read(found, folder_name)


def _parse(work: Work) -> list[tuple[bytes, bytes]]:
    """The digest and packed result of each file.

    The digest is b"" if the file cannot be read, the result b"" if the digest equals the cached one.
    """
    settings, folder_name, code, chunk = work
    reader, own_plugins = _reader(settings, folder_name), plugins.load(code)
    results = []
    for found, cached_digest in chunk:
        source = _source(found, folder_name)
        if isinstance(source.data, Problem):
            results.append((b"", pack(Parsed(None, (source.data,)))))
            continue
        digest = digest_bytes(source.data)
        if digest == cached_digest:
            results.append((digest, b""))
            continue
        parsed = reader.parse(source, digest)
        results.append((digest, _with_plugins(own_plugins, reader, folder_name, parsed)))
    return results


def _with_plugins(
    own_plugins: plugins.Plugins, reader: Reader, folder_name: str, parsed: Parsed, packed: bytes = b""
) -> bytes:
    """The packed result of what the plugins make of a content file. `packed` is that of `parsed`, if it is known."""
    after = own_plugins.applied(parsed, reader, folder_name)
    packed = packed or pack(parsed)
    return packed if after is parsed else pack_changed(after, packed)


class _Own(threading.local):
    """The reader of each thread's previous task: threads cannot share one, and an executor may have several."""

    reader: tuple[config.Config, str, Reader] | None = None


_own = _Own()


def _reader(settings: config.Config, folder_name: str) -> Reader:
    """The reader of the previous task if it has the same settings: it caches entries that many files declare."""
    if _own.reader is None or _own.reader[:2] != (settings, folder_name):
        _own.reader = (settings, folder_name, Reader(settings, folder_name))
    return _own.reader[2]

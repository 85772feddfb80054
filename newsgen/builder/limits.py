"""Compares the files of a site with the limits of its host."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from newsgen import urls
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.hosts import Host, effective_lines, is_dynamic

NEAR = 0.8
"""From this part of a limit on, the site is near it."""

COPY = "copy"
"""The template of a compressed copy."""

_MAX_FILES = 5
"""The most files or lines that get a problem each."""


class SiteFile(NamedTuple):
    """A file of the site: its path, its template ("" for a static file, `COPY` for a copy) and its size in bytes."""

    path: str
    template: str
    size: int


class Findings(NamedTuple):
    """The limits that a site breaks, as problems, and those that it is near, as warnings."""

    problems: list[Problem]
    warnings: list[Problem]


def compare_with_limits(config: Config, files: Iterable[SiteFile], redirects: str = "", headers: str = "") -> Findings:
    """Compares a site with the limits of its host. `redirects` and `headers` are the texts of these files."""
    found = Findings([], [])
    host = config.limits
    if host is None:
        return found
    files = tuple(files)
    _count_files(found, config, host, files)
    _measure_files(found, config, host, files)
    if host.reads_redirects:
        _redirects(found, config, host, redirects)
    if host.reads_headers:
        _headers(found, host, headers)
    _unread(found, host, files)
    return found


def _unread(found: Findings, host: Host, files: tuple[SiteFile, ...]) -> None:
    """Warns of the site's own `_redirects` and `_headers`, if the host does not read them."""
    read = {"_redirects": host.reads_redirects, "_headers": host.reads_headers}
    hints = {"_redirects": "use `aliases` in articles", "_headers": "set headers where you host the site"}
    for file in files:
        if not read.get(file.path, True):
            what = f"{host.title} does not read it"
            _report(found, what, f"{hints[file.path]}, or remove it", over=False, path=f"static/{file.path}", field="")


def _count_files(found: Findings, config: Config, host: Host, files: tuple[SiteFile, ...]) -> None:
    if host.files:
        count, noun = len(files), "files"
        if host.counts_folders:
            count, noun = count + len(_folders(files)), "files and folders"
        text = _compared(host, f"the site has {count:,} {noun}", count, host.files, _number)
        if text:
            _report(found, text, _savings(config, host, files, lambda _: 1, _number), over=count > host.files)
    if host.folder_files and len(files) > host.folder_files * NEAR:
        folder, count = Counter(file.path.rpartition("/")[0] for file in files).most_common(1)[0]
        name = f"the folder '{folder}'" if folder else "the top folder"
        text = _compared(host, f"{name} has {count:,} files", count, host.folder_files, _number, "{} in one folder")
        _report(found, text, "spread them over several folders", over=count > host.folder_files)


def _measure_files(found: Findings, config: Config, host: Host, files: tuple[SiteFile, ...]) -> None:
    if host.site_size:
        size = sum(file.size for file in files)
        text = _compared(host, f"the site has {_bytes(size)}", size, host.site_size, _bytes, excess="too much")
        if text:
            hint = _savings(config, host, files, lambda file: file.size, _bytes)
            _report(found, text, hint, over=size > host.site_size)
    if host.file_size:
        large = sorted((f for f in files if f.size >= host.file_size * NEAR), key=lambda f: (-f.size, f.path))
        for file in large[:_MAX_FILES]:
            what = f"the file has {_bytes(file.size)}"
            takes, excess = "files of up to {}", "too much"
            text = _compared(host, what, file.size, host.file_size, _bytes, takes, excess)
            hint = "make it smaller, or serve it from elsewhere, such as a bucket"
            place = file.path if file.template else f"static/{file.path}"
            _report(found, text, hint, over=file.size > host.file_size, path=place, field="")


def _redirects(found: Findings, config: Config, host: Host, text: str) -> None:
    rules = effective_lines(text)
    first = next((n for n, rule in enumerate(rules) if is_dynamic(rule)), len(rules))
    count = first if host.dynamic_redirects else len(rules)
    hint = "shorten static/_redirects" if config.redirects.pages else "set redirects.pages = true: a stub needs no line"
    # Newsgen itself writes as many lines as the host takes. So to be near the limit is no fault, if there are stubs.
    if count > host.redirect_lines or not config.redirects.pages:
        what = _compared(host, f"_redirects has {count:,} lines", count, host.redirect_lines, _number)
        over = count > host.redirect_lines and "redirect_lines" not in host.advised
        _report(found, what, hint, over=over)
    rest = len(rules) - first
    if host.dynamic_redirects and rest:
        what = f"_redirects has {rest:,} lines from the first with a * or placeholder on"
        hint = "put lines with a * or placeholder last in static/_redirects"
        text_of = _compared(host, what, rest, host.dynamic_redirects, _number, "{} of these")
        _report(found, text_of, hint, over=rest > host.dynamic_redirects)
    if host.redirect_bytes:
        size = len(text.encode())
        if size > host.redirect_bytes or not config.redirects.pages:
            what = _compared(
                host, f"_redirects has {_bytes(size)}", size, host.redirect_bytes, _bytes, excess="too much"
            )
            _report(found, what, hint, over=size > host.redirect_bytes)
    _line_lengths(found, host, "_redirects", rules, host.redirect_line_length)


def _headers(found: Findings, host: Host, text: str) -> None:
    lines = effective_lines(text)
    count = sum(1 for line in lines if re.match(r"/|\S+://", line))
    if host.header_rules:
        what = _compared(host, f"_headers has {count:,} rules", count, host.header_rules, _number)
        hint = "use fewer rules in templates/feeds/_headers.txt or static/_headers"
        _report(found, what, hint, over=count > host.header_rules)
    _line_lengths(found, host, "_headers", lines, host.header_line_length)


def _line_lengths(found: Findings, host: Host, name: str, lines: Iterable[str], limit: int) -> None:
    # Hosts count UTF-16 units.
    long = [(line, length) for line in lines if limit and (length := len(line.encode("utf-16-le")) // 2) > limit]
    for line, length in long[:_MAX_FILES]:
        taken = f"{host.title} leaves out lines of more than {limit:,}"
        text = f"the line '{line[:40]}…' has {length:,} characters, and {taken}"
        _report(found, text, "shorten it", over=True, path=name, field="")


def _compared(
    host: Host,
    what: str,
    value: int,
    limit: int,
    shown: Callable[[int], str],
    takes: str = "{}",
    excess: str = "too many",
) -> str | None:
    """What is wrong with a value, or None if it is not near its limit. `takes` says what the host takes."""
    taken = f"{host.title} takes {takes.format(shown(limit))}"
    if value > limit:
        return f"{what}, and {taken}: {shown(value - limit)} {excess}"
    return f"{what}, and {taken}: {value / limit:.0%} of that" if value >= limit * NEAR else None


def _report(
    found: Findings, text: str | None, hint: str, *, over: bool, path: str = "site.toml", field: str = "host"
) -> None:
    if text:
        problem = Problem(path=path, field=field, what=text, hint=hint, scope="host")
        (found.problems if over else found.warnings).append(problem)


_FEEDS = ("feeds/rss.xml", "feeds/atom.xml", "feeds/feed.json")
_NUMBERED = re.compile(r"/page/\d+/index\.html\Z")
_AXES = {"topic": urls.TOPICS, "provider": "/providers/", "category": "/categories/", "archive": urls.ARCHIVE}
_MAX_SAVINGS = 3


def _savings(
    config: Config,
    host: Host,
    files: tuple[SiteFile, ...],
    measure: Callable[[SiteFile], int],
    shown: Callable[[int], str],
) -> str:
    """The hint that names the settings that save most."""
    saved: Counter[str] = Counter()
    for file in files:
        for setting in _settings_without(config, file):
            saved[setting] += measure(file)
    stubs = sum(1 for file in files if file.template == "pages/redirect.html")
    if stubs > host.redirect_lines:  # not every old address would have a line
        del saved["redirects.pages = false"]
    best = [f"{shown(value)} with {setting}" for setting, value in saved.most_common(_MAX_SAVINGS)]
    if not best:
        return "publish fewer files, or choose another host or plan"
    return f"save up to {', '.join(best[:-1])}{' or ' if best[:-1] else ''}{best[-1]}"


def _settings_without(config: Config, file: SiteFile) -> Iterator[str]:
    """The settings without which a site would not have a file."""
    if not file.template:
        return
    if file.template == COPY:
        yield "precompress = []"
    elif file.template == "pages/redirect.html":
        yield "redirects.pages = false"
    elif file.template == "pages/article.html":
        if config.pages.articles == "all":
            yield 'pages.articles = "own"'
    else:
        if file.template in _FEEDS and "/" in file.path:
            yield "feeds.sections = []"
        elif _NUMBERED.search(file.path):
            yield "a larger page_size"
        for kind, prefix in _AXES.items():
            if file.path.startswith(prefix[1:]):
                yield f'disable_kinds = ["{kind}"]'


def _folders(files: Iterable[SiteFile]) -> set[str]:
    """All folders that the files are in."""
    found: set[str] = set()
    parents = {file.path for file in files}
    while parents:
        parents = {path.rpartition("/")[0] for path in parents} - found - {""}
        found |= parents
    return found


def _number(value: int) -> str:
    return f"{value:,}"


def _bytes(value: int) -> str:
    """A size in the largest fitting unit, with one decimal if it is not whole."""
    for unit, factor in (("GB", 10**9), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= factor:
            return f"{value / factor:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{value:,} bytes"

"""Compares the files of a site with the limits of its host."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

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


class SiteFiles(NamedTuple):
    """The files of a site in columns, sorted by path. `template` holds positions in `names`."""

    paths: list[str]
    names: list[str]
    template: list[int]
    size: list[int]

    @classmethod
    def of(cls, files: Iterable[SiteFile]) -> SiteFiles:
        """These files, which may be in any order."""
        ordered = sorted(files)
        names = sorted({file.template for file in ordered})
        return cls(
            [file.path for file in ordered],
            names,
            [names.index(file.template) for file in ordered],
            [file.size for file in ordered],
        )


class Findings(NamedTuple):
    """The limits that a site breaks, as problems, and those that it is near, as warnings."""

    problems: list[Problem]
    warnings: list[Problem]


def compare_with_limits(config: Config, files: SiteFiles, redirects: str = "", headers: str = "") -> Findings:
    """Compares a site with the limits of its host. `redirects` and `headers` are the texts of these files."""
    found = Findings([], [])
    host = config.limits
    if host is None:
        return found
    _count_files(found, config, host, files)
    _measure_files(found, config, host, files)
    if host.reads_redirects:
        _redirects(found, config, host, redirects)
    if host.reads_headers:
        _headers(found, host, headers)
    _unread(found, host, files)
    return found


def _unread(found: Findings, host: Host, files: SiteFiles) -> None:
    """Warns of the site's own `_redirects` and `_headers`, if the host does not read them."""
    read = {"_redirects": host.reads_redirects, "_headers": host.reads_headers}
    hints = {"_redirects": "use `aliases` in articles", "_headers": "set headers where you host the site"}
    for path, is_read in read.items():
        if not is_read and path in files.paths[bisect_left(files.paths, path) :][:1]:
            what = f"{host.title} does not read it"
            _report(found, what, f"{hints[path]}, or remove it", over=False, path=f"static/{path}", field="")


def _count_files(found: Findings, config: Config, host: Host, files: SiteFiles) -> None:
    if host.files:
        count, noun = len(files.paths), "files"
        if host.counts_folders:
            count, noun = count + len(_folders(files.paths)), "files and folders"
        text = _compared(host, f"the site has {count:,} {noun}", count, host.files, _number)
        if text:
            _report(
                found, text, _savings(config, host, files, [1] * len(files.paths), _number), over=count > host.files
            )
    if host.folder_files and len(files.paths) > host.folder_files * NEAR:
        folder, count = Counter(path.rpartition("/")[0] for path in files.paths).most_common(1)[0]
        name = f"the folder '{folder}'" if folder else "the top folder"
        text = _compared(host, f"{name} has {count:,} files", count, host.folder_files, _number, "{} in one folder")
        _report(found, text, "spread them over several folders", over=count > host.folder_files)


def _measure_files(found: Findings, config: Config, host: Host, files: SiteFiles) -> None:
    if host.site_size:
        size = sum(files.size)
        text = _compared(host, f"the site has {_bytes(size)}", size, host.site_size, _bytes, excess="too much")
        if text:
            hint = _savings(config, host, files, files.size, _bytes)
            _report(found, text, hint, over=size > host.site_size)
    if host.file_size and max(files.size, default=0) >= host.file_size * NEAR:
        large = [(-size, at) for at, size in enumerate(files.size) if size >= host.file_size * NEAR]
        for _, at in sorted(large)[:_MAX_FILES]:
            path, size = files.paths[at], files.size[at]
            what = f"the file has {_bytes(size)}"
            takes, excess = "files of up to {}", "too much"
            text = _compared(host, what, size, host.file_size, _bytes, takes, excess)
            hint = "make it smaller, or serve it from elsewhere, such as a bucket"
            place = path if files.names[files.template[at]] else f"static/{path}"
            _report(found, text, hint, over=size > host.file_size, path=place, field="")


def _redirects(found: Findings, config: Config, host: Host, text: str) -> None:
    rules = effective_lines(text)
    first = next((n for n, rule in enumerate(rules) if is_dynamic(rule)), len(rules))
    count = first if host.dynamic_redirects else len(rules)
    hint = "shorten static/_redirects" if config.redirects.pages else "set redirects.pages = true: a stub needs no line"
    # newsgen itself writes no more lines than the host takes. So if there are stubs, being near the limit is no fault.
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
_MAX_SAVINGS = 3


def _savings(config: Config, host: Host, files: SiteFiles, measures: Sequence[int], shown: Callable[[int], str]) -> str:
    """The hint that names the settings that save most. `measures` are what each file counts for."""
    saved: Counter[str] = Counter()
    whole = [_setting_without(config, name) for name in files.names]
    totals = [0] * len(whole)
    for template, measure in zip(files.template, measures, strict=True):
        totals[template] += measure
    for setting, total in zip(whole, totals, strict=True):
        if setting:
            saved[setting] += total
    is_list = [setting is None for setting in whole]
    is_feed = [name in _FEEDS for name in files.names]
    places = urls.Places(msgspec.structs.asdict(config.slugs))
    numbered = re.compile(rf"/{re.escape(places.page)}/\d+/index\.html\Z")
    listed = [at for at, template in enumerate(files.template) if is_list[template]]
    for at in listed:
        path = files.paths[at]
        if is_feed[files.template[at]] and "/" in path:
            saved["feeds.sections = []"] += measures[at]
        elif numbered.search(path):
            saved["a larger page_size"] += measures[at]
    for kind, prefix in (*places.sections.items(), ("archive", places.archive)):
        ends = prefix[1:], prefix[1:-1] + "0"  # "0" follows "/"
        first, last = (bisect_left(listed, bisect_left(files.paths, end)) for end in ends)
        saved[f'disable_kinds = ["{kind}"]'] = sum(measures[at] for at in listed[first:last])
    saved += Counter()  # drops what saves nothing
    redirects = "pages/redirect.html"
    stubs = files.template.count(files.names.index(redirects)) if redirects in files.names else 0
    if stubs > host.redirect_lines:  # not every old address would have a line
        del saved["redirects.pages = false"]
    best = [f"{shown(value)} with {setting}" for setting, value in saved.most_common(_MAX_SAVINGS)]
    if not best:
        return "publish fewer files, or choose another host or plan"
    return f"save up to {', '.join(best[:-1])}{' or ' if best[:-1] else ''}{best[-1]}"


def _setting_without(config: Config, template: str) -> str | None:
    """The setting with which a site would have no file with a template; "" if all need one, None if it depends."""
    if template == "pages/article.html":
        return 'pages.articles = "own"' if config.pages.articles == "all" else ""
    if template == "feeds/list.json":
        return '"api" left out of enable_kinds'
    return {"": "", COPY: "precompress = []", "pages/redirect.html": "redirects.pages = false"}.get(template)


def _folders(paths: Iterable[str]) -> set[str]:
    """All folders that the files are in."""
    found: set[str] = set()
    parents = set(paths)
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

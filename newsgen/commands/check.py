"""The work of `newsgen check`: reads, plans and renders a site and checks its links. Writes nothing."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import msgspec

from newsgen import links, urls
from newsgen.builder import (
    LINK_HINT,
    Findings,
    Loaded,
    Options,
    Output,
    Progress,
    Renderer,
    Report,
    SiteFile,
    SiteFiles,
    compare_with_limits,
    folders,
    load,
)
from newsgen.errors import Problem
from newsgen.pages import HtmlPage

TIMEOUT = 15.0
"""Seconds to wait for the answer to one request."""

PAUSE = 0.5
"""Seconds between two requests to one host."""


class CheckReport(Report, kw_only=True):
    """The problems of a site.

    `pages` is the number of HTML pages, and `links` the number of links that were checked, each counted once a page.
    `counts` are all counts of the check: articles, pages, links, errors and warnings.
    """

    links: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=dict)


def check(
    options: Options, progress: Progress | None = None, *, external: bool = False, timeout: float = TIMEOUT
) -> CheckReport:
    """Finds all problems of a site. With `external`, also requests each article's URL from its publisher.

    `timeout` is in seconds per request.
    """
    loaded = load(options, progress, whole=True)
    report = loaded.report
    checked = CheckReport(**{name: getattr(report, name) for name in Report.__struct_fields__})
    # A build only warns of broken links.
    checked.warnings = [w for w in report.warnings if w not in loaded.link_warnings]
    pages = _Pages(loaded)
    checked.problems += [*loaded.links.problems(), *pages.broken(progress), *loaded.plugins.check(loaded)]
    checked.pages, checked.links = pages.count, pages.links
    if loaded.config.limits:
        over, near = _limits(loaded, Output(folders(options)[1]))
        checked.problems += over
        checked.warnings += near
    if external:
        content = folders(options)[0].name
        article_urls = {a.url: f"{content}/{a.id}" for a in loaded.library.articles if a.url}
        checked.links += len(article_urls)
        checked.problems += dead_links(article_urls.items(), timeout)
    checked.counts = {
        "articles": checked.articles,
        "pages": checked.pages,
        "links": checked.links,
        "errors": len(checked.problems),
        "warnings": len(checked.warnings),
    }
    return checked


def _limits(loaded: Loaded, output: Output) -> Findings:
    """The limits of the host that the site breaks or is near. Sizes of pages are those of the last build, if any."""
    written, refs = output.manifest().files, loaded.plan.refs
    sizes = {path: written[path].size for path, ref in refs.items() if path in written and ref.template}
    sizes |= {file.path: loaded.theme.static[file.source].stat().st_size for file in loaded.theme.files()}
    files = SiteFiles.of(SiteFile(path, ref.template, sizes.get(path, 0)) for path, ref in refs.items())
    renderer = Renderer(loaded.theme, loaded.site)
    texts = (
        renderer(loaded.plan.page(name)).decode("utf-8", "replace") if name in refs else ""
        for name in ("_redirects", "_headers")
    )
    return compare_with_limits(loaded.config, files, *texts)


class _Pages:
    """Checks the links on all pages of a site. `count` is the number of pages checked, `links` that of links."""

    def __init__(self, loaded: Loaded) -> None:
        self.count = self.links = 0
        self._plan, self._checker = loaded.plan, loaded.links
        self._render = Renderer(loaded.theme, loaded.site)
        self._anchors: dict[str, set[str] | None] = {}

    def broken(self, progress: Progress | None) -> list[Problem]:
        """A problem for each broken link that is on rendered pages only. It names the first page that has it.

        If the link is in the body of a content file, it names that file.
        """
        known = {link.path for link in self._checker.broken}
        # For each target that is missing: the first page with a link to it, that link, and the number of pages.
        found: dict[links.Target, tuple[str, str, int]] = {}
        for number, page in enumerate(self._plan.pages(), 1):
            if progress and number % 100 == 0:
                progress("checking", number, len(self._plan.refs))
            if not isinstance(page, HtmlPage):
                continue
            self.count += 1
            html = self._render(page).decode("utf-8", "replace")
            for link in dict.fromkeys(links.find(html)):
                target = self._checker.target(link, urls.address(page.path))
                if target is None:
                    continue
                self.links += 1
                if self._checker.is_broken(target):
                    if target.path in known:
                        continue
                    target = target._replace(fragment="")
                elif not target.fragment or self._has_anchor(target, page.path, html):
                    continue
                first, written, count = found.get(target, (page.path, link, 0))
                found[target] = first, written, count + 1
        return [self._problem(target, *where) for target, where in found.items()]

    def _has_anchor(self, target: links.Target, path: str, html: str) -> bool:
        """Whether a fragment leads somewhere. `path` and `html` are of the page with the link."""
        if target.path == path:
            return f'id="{target.fragment}"' in html or links.has_anchor(target.fragment, links.anchors(html))
        if target.path not in self._anchors:
            page = self._plan.page(target.path) if target.path in self._plan.refs else None
            is_html = isinstance(page, HtmlPage)
            self._anchors[target.path] = (
                links.anchors(self._render(page).decode("utf-8", "replace")) if page and is_html else None
            )
        names = self._anchors[target.path]
        return names is None or links.has_anchor(target.fragment, names)

    def _problem(self, target: links.Target, path: str, link: str, count: int) -> Problem:
        what = self._checker.what(target.path, link)
        if target.fragment:
            what = f"there is no anchor '#{target.fragment}' on {'this page' if target.path == path else target.path}"
        file = self._checker.file(urls.address(path))
        # Ids of headings and notes in bodies get a prefix, and so do links to them.
        for written in (link, link.replace("#h-", "#")) if file else ():
            problem = self._checker.problem(file, "link", written, what)
            if problem.line:
                return problem
        others = f", linked from {count - 1:,} more {'page' if count == 2 else 'pages'}" if count > 1 else ""
        return Problem(path=path, field="link", what=what + others, hint=LINK_HINT)


def dead_links(urls_and_files: Iterable[tuple[str, str]], timeout: float = TIMEOUT) -> list[Problem]:
    """One problem for each (URL, content file) that cannot be fetched. Sends one request at a time to each host."""
    hosts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for url, path in urls_and_files:
        hosts[urlsplit(url).netloc].append((url, path))
    with ThreadPoolExecutor(16) as pool:
        return sorted(
            problem for group in pool.map(lambda rows: _check_host(rows, timeout), hosts.values()) for problem in group
        )


def _check_host(rows: list[tuple[str, str]], timeout: float) -> list[Problem]:
    problems = []
    for number, (url, path) in enumerate(rows):
        if number:
            time.sleep(PAUSE)
        failure = _failure(url, timeout, "HEAD")
        if failure in ("403", "405", "501"):
            # Many servers reject HEAD but serve the page.
            failure = _failure(url, timeout, "GET")
        if failure:
            problems.append(
                Problem(
                    path=path,
                    field="webUrl",
                    what=f"cannot fetch {url}: {failure}",
                    hint="fix the URL, or hold the article with `published: false`",
                )
            )
    return problems


def _failure(url: str, timeout: float, method: str) -> str:
    """Why a request failed: the HTTP status or the network error. Empty if it succeeded."""
    # The reader of content files accepts only http and https.
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "newsgen check"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))

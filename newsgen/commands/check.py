"""The work of `newsgen check`: reads, plans and renders a site and checks its links. Writes nothing."""

from __future__ import annotations

import html
import re
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote, urlsplit

from newsgen import urls
from newsgen.builder import Options, Progress, Renderer, Report, load
from newsgen.errors import Problem
from newsgen.pages import HtmlPage

TIMEOUT = 15.0
"""Seconds to wait for the answer to one request."""

PAUSE = 0.5
"""Seconds between two requests to one host."""

_LINK = re.compile(rb"""<[a-z][^<>]*?\s(?:href|src)="([^"]*)\"""")


class CheckReport(Report, kw_only=True):
    """The problems of a site. `links` is the number of links that were checked."""

    articles: int = 0
    links: int = 0


def check(
    options: Options, progress: Progress | None = None, *, external: bool = False, timeout: float = TIMEOUT
) -> CheckReport:
    """Finds all problems of a site. With `external`, also requests each article's URL from its publisher.

    `timeout` is in seconds per request.
    """
    loaded = load(options, progress)
    report = loaded.report
    checked = CheckReport(
        articles=report.articles,
        problems=report.problems,
        warnings=report.warnings,
        notes=report.notes,
        skipped=report.skipped,
    )
    render = Renderer(loaded.theme, loaded.site)
    paths = set(loaded.plan.refs)
    external_links: dict[str, str] = {}
    for number, page in enumerate(loaded.plan.pages(), 1):
        if isinstance(page, HtmlPage):
            for link in sorted({html.unescape(m.decode("utf-8", "replace")) for m in _LINK.findall(render(page))}):
                checked.links += 1
                if link.startswith(("http://", "https://")):
                    external_links.setdefault(link.partition("#")[0], page.path)
                elif not _resolves(link, page.path, loaded.site.root, paths):
                    checked.problems.append(
                        Problem(path=page.path, field="link", what=f"there is no page or file {link!r}")
                    )
        if progress and number % 100 == 0:
            progress("checking", number, len(paths))
    if external:
        article_urls = {
            a.url: f"{options.content.name if options.content else 'content'}/{a.id}"
            for a in loaded.library.articles
            if a.url
        }
        checked.links += len(article_urls)
        checked.problems += dead_links(article_urls.items(), timeout)
    return checked


def _resolves(link: str, page: str, root: str, paths: set[str]) -> bool:
    """Tells whether a link on a page leads to a file of the site. `mailto:` links count as resolved."""
    target = unquote(link.partition("#")[0].partition("?")[0])
    if not target:
        return True
    if not target.startswith("/"):
        return (
            link.startswith("mailto:") or urls.path("/" + page.rpartition("/")[0] + "/" + target).lstrip("/") in paths
        )
    return target.startswith(root) and urls.path("/" + target[len(root) :]) in paths


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

"""A site is read, planned and rendered, and nothing written: every problem in it is found, dead links included."""

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
PAUSE = 0.5
"""Seconds between two requests to one host."""

_LINK = re.compile(rb"""<[a-z][^<>]*?\s(?:href|src)="([^"]*)\"""")


class Checked(Report, kw_only=True):
    """What was found; `links` counts the addresses that were followed."""

    articles: int = 0
    links: int = 0


def check(
    options: Options, progress: Progress | None = None, *, external: bool = False, timeout: float = TIMEOUT
) -> Checked:
    """Everything that is wrong with a site. `external` asks the network whether the publishers' addresses answer."""
    loaded = load(options, progress)
    report = loaded.report
    found = Checked(
        articles=report.articles,
        problems=report.problems,
        warnings=report.warnings,
        notes=report.notes,
        skipped=report.skipped,
    )
    render = Renderer(loaded.theme, loaded.site)
    paths = set(loaded.plan.refs)
    outer: dict[str, str] = {}
    for number, page in enumerate(loaded.plan.pages(), 1):
        if isinstance(page, HtmlPage):
            for link in sorted({html.unescape(m.decode("utf-8", "replace")) for m in _LINK.findall(render(page))}):
                found.links += 1
                if link.startswith(("http://", "https://")):
                    outer.setdefault(link.partition("#")[0], page.path)
                elif not _resolves(link, page.path, loaded.site.root, paths):
                    found.problems.append(
                        Problem(path=page.path, field="link", what=f"leads to {link!r}, where nothing is")
                    )
        if progress and number % 100 == 0:
            progress("checking", number, len(paths))
    if external:
        sources = {
            a.url: f"{options.content.name if options.content else 'content'}/{a.id}"
            for a in loaded.library.articles
            if a.url
        }
        found.links += len(sources)
        found.problems += dead(sources.items(), timeout)
    return found


def _resolves(link: str, page: str, root: str, paths: set[str]) -> bool:
    """Whether a file of the site answers a link on one of its pages."""
    target = unquote(link.partition("#")[0].partition("?")[0])
    if not target:
        return True
    if not target.startswith("/"):
        return (
            link.startswith("mailto:") or urls.path("/" + page.rpartition("/")[0] + "/" + target).lstrip("/") in paths
        )
    return target.startswith(root) and urls.path("/" + target[len(root) :]) in paths


def dead(sources: Iterable[tuple[str, str]], timeout: float = TIMEOUT) -> list[Problem]:
    """A problem for each (URL, file) that does not answer; one host is asked one thing at a time."""
    hosts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for url, path in sources:
        hosts[urlsplit(url).netloc].append((url, path))
    with ThreadPoolExecutor(16) as pool:
        return sorted(
            problem for group in pool.map(lambda rows: _ask(rows, timeout), hosts.values()) for problem in group
        )


def _ask(rows: list[tuple[str, str]], timeout: float) -> list[Problem]:
    out = []
    for number, (url, path) in enumerate(rows):
        if number:
            time.sleep(PAUSE)
        fault = _fault(url, timeout, "HEAD")
        if fault in ("403", "405", "501"):
            # Many servers refuse HEAD, not the page.
            fault = _fault(url, timeout, "GET")
        if fault:
            out.append(
                Problem(
                    path=path,
                    field="webUrl",
                    what=f"{url} does not answer: {fault}",
                    hint="mend the address, or hold the article",
                )
            )
    return out


def _fault(url: str, timeout: float, method: str) -> str:
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "newsgen check"})  # noqa: S310  http(s) by the loader
    try:
        with urllib.request.urlopen(request, timeout=timeout):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return str(error.code)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))

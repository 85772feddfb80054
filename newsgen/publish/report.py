"""Reports what a publish did: counts, changed addresses and patterns for a CDN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from newsgen import urls
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.publish.plan import Change, Plan

MAX_PATTERNS = 8
"""The most patterns that a list of addresses is reduced to. CDNs count and bill them."""


class Published(msgspec.Struct, kw_only=True):
    """What a publish did, or with `dry_run` would do.

    `release` and `before` are the ids of the releases after and before the publish. `refused`: nothing was published,
    because a file is left out, a gate cannot be read or a limit of the host is broken. `arrived` counts files that an
    unfinished publish had already sent. `lost` are addresses that no longer answer. `changed` are the URLs whose
    response changed; `patterns` are URL paths that cover them, for a CDN. `plan` is set by a dry run only.
    """

    target: str = ""
    release: str = ""
    before: str = ""
    dry_run: bool = False
    rollback: bool = False
    refused: bool = False
    done: bool = False
    files: int = 0
    added: int = 0
    replaced: int = 0
    kept: int = 0
    removed: int = 0
    arrived: int = 0
    sent: int = 0
    bytes: int = 0
    requests: int = 0
    lost: list[str] = []
    changed: list[str] = []
    patterns: list[str] = []
    plan: list[Change] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    notes: list[str] = []
    seconds: dict[str, float] = {}

    def describe(self, plan: Plan, settings: Config) -> None:
        """Fills in the numbers and addresses of a plan."""
        self.release, self.before = plan.release.id, plan.old.id if plan.old else ""
        self.files = len(plan.files)
        for change in plan.changes:
            self.added += change.action == "add"
            self.replaced += change.action == "replace"
            self.kept += change.action == "keep"
            self.removed += change.action == "remove"
            self.arrived += change.arrived
        # `_headers`, `_redirects` and compressed copies are for the host, not for readers.
        visible = (c for c in plan.changes if c.action != "keep" and c.kind != "copy" and not c.path.startswith("_"))
        addresses = [urls.address(path) for path in sorted(c.path for c in visible)]
        self.changed = [urls.absolute(address, settings.base) for address in addresses]
        self.patterns = cdn_patterns(urls.href(address, settings.root) for address in addresses)
        if self.dry_run:
            self.plan = sorted(plan.changes, key=lambda c: (c.action, c.path))


def cdn_patterns(addresses: Iterable[str], most: int = MAX_PATTERNS) -> list[str]:
    """At most `most` patterns that match all addresses: the addresses themselves, `/folder/*`, or at worst `/*`."""
    patterns = set(addresses)
    for depth in range(max((a.count("/") for a in patterns), default=0), 1, -1):
        if len(patterns) <= most:
            break
        patterns = {"/".join(a.split("/")[:depth]) + "/*" if a.count("/") >= depth else a for a in patterns}
    return sorted(patterns) if len(patterns) <= most else ["/*"]


def report_lines(report: Published) -> Iterator[str]:
    """The report as text."""
    if report.rollback:
        yield f"{report.target}: {'would roll back' if report.dry_run else 'rolled back'} to release {report.release}"
        return
    counts = (("new", report.added), ("changed", report.replaced), ("removed", report.removed))
    summary = ", ".join(f"{count:,} {word}" for word, count in counts)
    if report.kept:
        summary += f", {report.kept:,} no longer on the site but kept for their grace period"
    if report.arrived:
        summary += f"; {report.arrived:,} of them already sent"
    if report.dry_run:
        for change in report.plan:
            yield f"{change.action:8}{change.path}: {change.reason}"
        yield f"{report.target}: {summary}; nothing was sent (--dry-run)"
    elif not (report.added or report.replaced or report.removed or report.kept):
        yield f"{report.target}: nothing has changed since release {report.before}"
    else:
        requests = f", {report.requests:,} requests" if report.requests else ""
        yield f"{report.target}: {summary} of {report.files:,} files"
        yield f"release {report.release}: {report.sent:,} files sent, {report.bytes / 1e6:,.1f} MB{requests}"
        yield f"to purge from a CDN: {' '.join(report.patterns)}"

"""A plan and what became of it, for people and machines: numbers, changed addresses, patterns for a CDN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from newsgen import urls
from newsgen.config import Config
from newsgen.errors import Problem
from newsgen.publish.plan import Change, Plan

PATTERNS = 8
"""Patterns that a list of addresses is folded to at most; CDNs count and bill them."""


class Published(msgspec.Struct, kw_only=True):
    """What a publish did, or with `dry_run` would do.

    `release` and `before` are the ids of what readers see after and before it; `arrived` counts files that a publish
    which did not finish had sent already; `lost` are addresses that answer no more. `changed` are URLs that answer
    otherwise than before, `patterns` the same folded for a CDN, as paths of URLs. `plan` is there for a dry run alone.
    """

    target: str = ""
    release: str = ""
    before: str = ""
    dry_run: bool = False
    rollback: bool = False
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
        """Takes over what a plan says."""
        self.release, self.before = plan.release.id, plan.old.id if plan.old else ""
        self.files = len(plan.files)
        for change in plan.changes:
            self.added += change.action == "add"
            self.replaced += change.action == "replace"
            self.kept += change.action == "keep"
            self.removed += change.action == "remove"
            self.arrived += change.arrived
        # `_headers`, `_redirects` and compressed copies are for the host, not for readers.
        told = (c for c in plan.changes if c.action != "keep" and c.kind != "copy" and not c.path.startswith("_"))
        addresses = [urls.address(path) for path in sorted(c.path for c in told)]
        self.changed = [urls.absolute(address, settings.base) for address in addresses]
        self.patterns = folded(urls.href(address, settings.root) for address in addresses)
        if self.dry_run:
            self.plan = sorted(plan.changes, key=lambda c: (c.action, c.path))


def folded(addresses: Iterable[str], most: int = PATTERNS) -> list[str]:
    """Patterns that match all the addresses: themselves where they are few, else `/folder/*`, at worst `/*`."""
    found = set(addresses)
    for depth in range(max((a.count("/") for a in found), default=0), 1, -1):
        if len(found) <= most:
            break
        found = {"/".join(a.split("/")[:depth]) + "/*" if a.count("/") >= depth else a for a in found}
    return sorted(found) if len(found) <= most else ["/*"]


def report_lines(report: Published) -> Iterator[str]:
    """The report for people."""
    if report.rollback:
        yield f"{report.target}: {'would go back' if report.dry_run else 'went back'} to release {report.release}"
        return
    counts = (("new", report.added), ("changed", report.replaced), ("removed", report.removed))
    said = ", ".join(f"{count:,} {word}" for word, count in counts)
    if report.kept:
        said += f", {report.kept:,} dropped but still answering"
    if report.arrived:
        said += f"; {report.arrived:,} of them had arrived already"
    if report.dry_run:
        for change in report.plan:
            yield f"{change.action:8}{change.path}: {change.reason}"
        yield f"{report.target}: {said}; nothing was sent (--dry-run)"
    elif not (report.added or report.replaced or report.removed or report.kept):
        yield f"{report.target}: nothing has changed since release {report.before}"
    else:
        asked = f", {report.requests:,} requests" if report.requests else ""
        yield f"{report.target}: {said} of {report.files:,} files"
        yield f"release {report.release}: {report.sent:,} files sent, {report.bytes / 1e6:,.1f} MB{asked}"
        yield f"for a CDN: {' '.join(report.patterns)}"

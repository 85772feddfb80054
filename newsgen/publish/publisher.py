"""A site's files become what readers see: a fresh build, compared with what stands at a target, sent in a safe order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from newsgen import config, urls
from newsgen.builder import Options, Progress, Stopwatch
from newsgen.errors import PublishError
from newsgen.publish import websub
from newsgen.publish.address import choose
from newsgen.publish.connect import connect
from newsgen.publish.plan import Plan, compare, some
from newsgen.publish.report import Published
from newsgen.publish.site import Built, alone, built
from newsgen.publish.target import Target, discreet

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a publish is told beside site.toml. None leaves a choice to it."""

    target: str | None = None
    dry_run: bool = False
    rollback: bool = False
    allow_errors: bool = False
    allow_lost: bool = False
    max_delete: int | None = None


def publish(options: Options, orders: Orders, progress: Progress | None = None) -> Published:
    """Builds the site afresh and brings it to a target; with `rollback` brings back the release before instead.

    Raises PublishError where it must not or cannot be done: then readers see the old site, or of both whole files in
    which no page leads to what is missing, and the next publish goes on. Where the content has errors nothing is
    published: the report has them, and is not `done`.
    """
    settings = config.load(options.site / "site.toml")
    report = Published(dry_run=orders.dry_run, rollback=orders.rollback)
    with discreet(), alone(options.site):
        name, place, at = choose(settings, orders.target, options.site)
        report.target = name if name == at.shown else f"{name} ({at.shown})"
        target = connect(at, place, options.site)
        if orders.rollback:
            _back(target, report)
            return report
        clock = Stopwatch()
        site = built(options, progress, strict=not orders.allow_errors)
        report.problems, report.warnings, report.notes = site.report.problems, site.report.warnings, site.report.notes
        if report.problems and not orders.allow_errors:
            return report
        files = site.files(target.form, place)
        report.seconds["build"] = clock.lap()
        try:
            if not orders.dry_run:
                target.lock()
            state = target.look(files)
            # A grace is a promise to readers: the machine's clock decides, whatever time the site is built for.
            now = datetime.now(UTC)
            grace = timedelta(seconds=int(place.grace[:-1]) * _SECONDS[place.grace[-1]])
            due = compare(files, state, now=now, grace=grace, keep=place.keep, front=site.front())
            report.describe(due, settings)
            wrong = _objections(due, site, orders, place, report)
            report.seconds["compare"] = clock.lap()
            if orders.dry_run:
                report.notes += [f"a publish would refuse: {reason}" for reason in wrong]
                return report
            if wrong:
                raise PublishError(*wrong)
            if due.changes or state.begun or not due.old:
                sent = target.publish(due, progress or (lambda *_: None))
                report.sent, report.bytes, report.requests = sent.files, sent.bytes, sent.requests
            else:
                report.release = due.old.id
            report.done = True
            report.seconds["send"] = clock.lap()
        finally:
            target.release()
        feeds = [
            urls.absolute(urls.address(c.path), settings.base)
            for c in due.changes
            if c.action in ("add", "replace") and c.path.rpartition("/")[2] in urls.FEEDS.values()
        ]
        if place.websub and settings.base_url and (failure := websub.tell(place.websub, feeds)):
            report.notes.append(failure)
    return report


def _objections(due: Plan, site: Built, orders: Orders, place: config.Publish, report: Published) -> list[str]:
    """Why a plan must not be carried out unless someone says so."""
    most = place.max_delete if orders.max_delete is None else orders.max_delete
    report.lost = site.unanswered(due.lost)
    wrong = []
    if len(due.dropped) > most:
        many = len(due.dropped)
        wrong.append(f"{many:,} files would go, more than {most:,}; if that is meant, say --max-delete {many}")
    if report.lost and not (orders.allow_lost or place.allow_lost):
        hint = "give them a successor with `aliases`, or let them go with --allow-lost"
        wrong.append(f"addresses that answer now would answer no more: {some(report.lost)}; {hint}")
    return wrong


def _back(target: Target, report: Published) -> None:
    try:
        if not report.dry_run:
            target.lock()
        now = target.look({}).release
        if now is None or not now.history:
            raise PublishError(f"{target.name}: no release before the current one is kept: there is no way back")
        report.before, report.release = now.id, now.history[0]
        if not report.dry_run:
            target.rollback(now)
            report.done = True
            report.patterns = ["/*"]
    finally:
        target.release()

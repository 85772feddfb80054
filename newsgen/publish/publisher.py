"""Runs a publish: builds the site, compares it with the target, and sends the difference in a safe order."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from newsgen import config, urls
from newsgen.builder import Options, Progress, Stopwatch
from newsgen.errors import PublishError
from newsgen.publish import websub
from newsgen.publish.address import check_host, resolve_target
from newsgen.publish.connect import connect
from newsgen.publish.hooks import run_before_publish
from newsgen.publish.plan import Plan, compare, first_few
from newsgen.publish.report import Published
from newsgen.publish.site import SiteBuild, build_site, publish_lock
from newsgen.publish.target import Target, without_secrets


class PublishOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a publish. None means the setting in `site.toml` applies.

    `run_hooks` asks whether to run a program that site.toml names.
    """

    target: str | None = None
    dry_run: bool = False
    rollback: bool = False
    allow_errors: bool = False
    allow_lost: bool = False
    max_delete: int | None = None
    run_hooks: Callable[[tuple[str, ...]], bool] = lambda _: False


def publish(options: Options, publish_options: PublishOptions, progress: Progress | None = None) -> Published:
    """Builds the site and sends it to a target; with `rollback`, restores the previous release instead.

    If a file is left out, a gate cannot be read or a limit of the host is broken, publishes nothing and returns a
    report that is `refused`. Raises PublishError if the publish is refused or fails. Readers then see the old site, or
    a mix of whole old and new files in which no page links to a missing one; the next publish continues.
    """
    settings = config.load(options.site / "site.toml")
    report = Published(dry_run=publish_options.dry_run, rollback=publish_options.rollback)
    with without_secrets(), publish_lock(options.site):
        name, target_settings, address = resolve_target(settings, publish_options.target, options.site)
        report.target = name if name == address.label else f"{name} ({address.label})"
        check_host(settings, name, address)
        target = connect(address, target_settings, options.site)
        if publish_options.rollback:
            _roll_back(target, report)
            return report
        clock = Stopwatch()
        site = build_site(options, progress)
        files = site.files(target.layout, target_settings)
        report.problems, report.warnings, report.notes = site.report.problems, site.report.warnings, site.report.notes
        if settings.limits:
            # What is sent may have more files than the build: compressed copies.
            over, near = site.compare_with_limits(files)
            report.problems = [*(p for p in report.problems if p.scope != "host"), *over]
            report.warnings = [*(w for w in report.warnings if w.scope != "host"), *near]
        report.refused = not publish_options.allow_errors and any(p.scope != "value" for p in report.problems)
        if report.refused:
            return report
        report.seconds["build"] = clock.lap()
        if hook := settings.hooks.before_publish:
            if publish_options.dry_run:
                report.notes.append(f"a publish would first run {shlex.join(hook)}")
            elif publish_options.run_hooks(hook):
                run_before_publish(hook, options.site, site.root)
            else:
                raise PublishError(f"hooks.before_publish has not run: {shlex.join(hook)}; allow it with --hooks")
            report.seconds["hook"] = clock.lap()
        try:
            if not publish_options.dry_run:
                target.lock()
            state = target.inspect(files)
            # The grace period is a promise to readers, so the machine's clock counts, not the time that the site is
            # built for.
            now = datetime.now(UTC)
            grace = timedelta(seconds=config.seconds(target_settings.grace))
            plan = compare(files, state, now=now, grace=grace, keep=target_settings.keep, front=site.front_links())
            report.describe(plan, settings)
            reasons = _refusals(plan, site, publish_options, target_settings, report)
            report.seconds["compare"] = clock.lap()
            if publish_options.dry_run:
                report.notes += [f"a publish would refuse: {reason}" for reason in reasons]
                return report
            if reasons:
                raise PublishError(*reasons)
            if plan.changes or state.unfinished or not plan.old:
                sent = target.publish(plan, progress or (lambda *_: None))
                report.sent, report.bytes, report.requests = sent.files, sent.bytes, sent.requests
            else:
                report.release = plan.old.id
            report.done = True
            report.seconds["send"] = clock.lap()
        finally:
            target.release()
        feeds = [
            urls.absolute(urls.address(c.path), settings.base)
            for c in plan.changes
            if c.action in ("add", "replace") and c.path.rpartition("/")[2] in urls.FEEDS.values()
        ]
        if target_settings.websub and settings.base_url and (failure := websub.notify(target_settings.websub, feeds)):
            report.notes.append(failure)
    return report


def _refusals(
    plan: Plan, site: SiteBuild, publish_options: PublishOptions, target_settings: config.Publish, report: Published
) -> list[str]:
    """Why a plan must not be carried out without explicit permission."""
    most = target_settings.max_delete if publish_options.max_delete is None else publish_options.max_delete
    report.lost = site.lost(plan.lost)
    reasons = []
    if len(plan.dropped) > most:
        count = len(plan.dropped)
        reasons.append(
            f"too many files to delete: {count:,}, and the limit is {most:,}; raise it with --max-delete {count}"
        )
    if report.lost and not (publish_options.allow_lost or target_settings.allow_lost):
        hint = "redirect them with `aliases` or [redirects], list them in `gone` there, or allow this with --allow-lost"
        reasons.append(f"addresses would stop answering: {first_few(report.lost)}; {hint}")
    return reasons


def _roll_back(target: Target, report: Published) -> None:
    try:
        if not report.dry_run:
            target.lock()
        now = target.inspect({}).release
        if now is None or not now.history:
            raise PublishError(f"{target.name}: cannot roll back: no earlier release is kept")
        report.before, report.release = now.id, now.history[0]
        if not report.dry_run:
            target.rollback(now)
            report.done = True
            report.patterns = ["/*"]
    finally:
        target.release()

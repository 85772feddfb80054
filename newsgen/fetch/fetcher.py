"""Fetches the feeds of a site: requests those that are due and turns what is new in them into article files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from newsgen import config, times
from newsgen.builder import FOLDER, Lock
from newsgen.errors import ConfigError, FetchError, NewsgenError, Problem
from newsgen.fetch import subscriptions
from newsgen.fetch.archive import Archive, Taken
from newsgen.fetch.entry import Feed
from newsgen.fetch.formats import parser
from newsgen.fetch.network.client import NO_VALIDATORS, Client, Failure, Response, Result
from newsgen.fetch.state import Record, State
from newsgen.model import Subscription
from newsgen.validation import did_you_mean

Outcome = Literal["new", "unchanged", "waiting", "failed", "gone", "disabled"]


class FetchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a fetch. `names` are the feeds to fetch, by default all that are due.

    `content` defaults to a folder of the site. `force` also requests feeds that are not due, and those that are gone,
    and reads feeds again that did not change. `since` takes the place of `max_age`, and `adopt` takes over what
    publishers changed in files that were edited; both imply `force`, except for feeds that are gone. Feeds in `names`
    are requested in any case. `now` is the clock.
    """

    site: Path = Path()
    content: Path | None = None
    names: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    since: date | None = None
    adopt: bool = False
    now: date | None = None

    @property
    def whole(self) -> bool:
        """Whether the bodies of feeds are needed though they did not change."""
        return self.force or self.adopt or self.since is not None


class FeedReport(Taken, kw_only=True):
    """What a fetch did with one feed.

    `reason` says why it failed, now or the last time, and `moved` where it has permanently moved to.
    """

    name: str
    url: str
    outcome: Outcome
    reason: str = ""
    moved: str = ""
    entries: int = 0
    due: datetime | None = None


class FetchReport(msgspec.Struct, kw_only=True):
    """What a fetch did. `problems` are those of the files about feeds. `deleted` counts files that will not come back."""

    feeds: list[FeedReport] = []
    problems: list[Problem] = []
    notes: list[str] = []
    requests: int = 0
    added: int = 0
    updated: int = 0
    changed: int = 0
    failed: int = 0
    deleted: int = 0
    seconds: float = 0.0

    @property
    def nothing_done(self) -> bool:
        """Whether every request failed, and so did the last request of every feed that is not due yet."""
        others = any(feed.outcome == "waiting" and not feed.reason for feed in self.feeds)
        return self.requests > 0 and self.failed == self.requests and not others


OnFeed = Callable[[FeedReport, int, int], None]
"""Called with the report of each feed that was requested, the number of those done and the total."""

MakeClient = Callable[..., Client]


def fetch(options: FetchOptions, on_feed: OnFeed | None = None, make_client: MakeClient = Client) -> FetchReport:
    """Fetches the feeds of a site.

    What fails for one feed does not stop the others. Raises OutputError if files cannot be written, ConfigError for an
    unknown feed, and FetchError if another fetch of the site runs or the lock cannot be written.
    """
    started = time.perf_counter()
    settings = config.load(options.site / "site.toml")
    zone = settings.zone
    now = datetime.now(UTC) if options.now is None else times.start(options.now, zone)
    content = content_folder(options.site, options.content)
    with lock(options.site) if not options.dry_run else contextlib.nullcontext():
        feeds, problems = subscriptions.load(content, settings)
        report = FetchReport(problems=problems)
        state = State(options.site)
        run = _Run(options, settings, content, [feed.name for feed in feeds], state.load(), now, report)
        chosen = _chosen(feeds, options.names, problems, content)
        try:
            run.fetch(chosen, on_feed, make_client)
        finally:
            report.notes += run.finish(state)
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def content_folder(site: Path, content: Path | None = None) -> Path:
    """The folder of content files. Raises ConfigError if there is none."""
    folder = content or site / "content"
    if not folder.is_dir():
        raise ConfigError(f"there is no folder '{folder}'; create it, or start with `newsgen new site`")
    return folder


def lock(site: Path) -> contextlib.AbstractContextManager[None]:
    """Holds a lock so that only one fetch of a site runs on this machine."""
    busy = FetchError(f"{site}: another fetch of this site is running; wait until it has finished")
    return Lock(site / FOLDER / "fetch").held(busy, site / FOLDER)


def _chosen(
    feeds: list[Subscription], names: Iterable[str], problems: list[Problem], content: Path
) -> list[Subscription]:
    """The feeds with these names; all feeds if there are no names."""
    by_name = {feed.name: feed for feed in feeds}
    wanted = list(dict.fromkeys(Path(name).stem if name.endswith(".md") else name for name in names))
    for name in wanted:
        if name not in by_name:
            broken = next((p for p in problems if Path(p.path).stem == name), None)
            hint = did_you_mean(name, by_name) or "`newsgen list feeds` lists them"
            raise ConfigError(str(broken) if broken else f"there is no feed {name!r} in {content.name}/_feeds; {hint}")
    return [by_name[name] for name in wanted] if wanted else feeds


class _Run:
    """One fetch. Feeds are taken in the order of their names, so that the same answers give the same files."""

    def __init__(
        self,
        options: FetchOptions,
        settings: config.Config,
        content: Path,
        names: list[str],
        records: Mapping[str, Record],
        now: datetime,
        report: FetchReport,
    ) -> None:
        self._options, self._config, self._content, self._now, self._report = options, settings, content, now, report
        self._names = names
        self._records = dict(records)
        self._new_records: dict[str, Record] = {}
        self._archive: Archive | None = None

    def fetch(self, feeds: list[Subscription], on_feed: OnFeed | None, make_client: MakeClient) -> None:
        """Requests the feeds that are due and takes their entries."""
        options, report = self._options, self._report
        due: dict[str, Subscription] = {}
        for feed in feeds:
            record = self._record(feed)
            self._records[feed.name] = record
            is_due = record.is_due(self._now) or options.whole or bool(options.names)
            outcome: Outcome | None = None
            if not feed.enabled and not options.names:
                outcome = "disabled"
            elif record.gone and not (options.force or options.names):
                outcome = "gone"
            elif not is_due:
                outcome = "waiting"
            if outcome:
                reason = "" if outcome == "disabled" else record.reason
                each = FeedReport(name=feed.name, url=feed.url, outcome=outcome, reason=reason, due=record.due)
                report.feeds.append(each)
            else:
                due[feed.name] = feed
        report.requests = len(due)
        requests = {name: self._records[name].request for name in due}
        if options.whole:
            requests = {name: replace(request, validators=NO_VALIDATORS) for name, request in requests.items()}
        arrived: dict[str, tuple[Result, Feed | None]] = {}
        todo = iter(due)
        name = next(todo, None)
        done = 0
        with make_client(base_url=self._config.base_url, allow=self._config.fetch.allow) as client:
            for arrival, result in client.get_all(requests):
                arrived[arrival] = self._parsed(arrival, result)
                while name in arrived:
                    each = self._take(due[name], *arrived.pop(name))
                    report.feeds.append(each)
                    done += 1
                    if on_feed:
                        on_feed(each, done, len(due))
                    name = next(todo, None)
        report.feeds.sort(key=lambda f: f.name)

    def _record(self, feed: Subscription) -> Record:
        facts = subscriptions.settings(feed, self._config)
        record = self._records.get(feed.name)
        return record.for_file(feed.url, facts) if record else Record(url=feed.url, settings=facts)

    def _parsed(self, name: str, result: Result) -> tuple[Result, Feed | None]:
        """The result, and the feed in it if it has to be read. A body that is no feed is a failure."""
        if isinstance(result, Failure):
            return result, None
        if not (self._options.whole and result.status != 304) and not self._records[name].is_new(result):
            return replace(result, body=b""), None
        try:
            feed = parser.parse(result.body, url=result.url, content_type=result.content_type, zone=self._config.zone)
        except parser.FeedError as error:
            return Failure(reason=f"the answer {error}"), None
        except NewsgenError:
            raise
        except Exception as error:  # a fault of ours, which must not stop the other feeds
            return Failure(reason=f"the answer cannot be read: {type(error).__name__}; please report this"), None
        return result, feed

    def _take(self, subscription: Subscription, result: Result, feed: Feed | None) -> FeedReport:
        """Takes the entries of a feed, and notes the answer."""
        name, record, now = subscription.name, self._records[subscription.name], self._now
        every = config.seconds(self._config.fetch.every) if subscription.every is None else subscription.every
        each = FeedReport(name=name, url=subscription.url, outcome="unchanged")
        report = self._report
        if isinstance(result, Failure):
            record = record.failed(result, now, name=name, every=every)
            each.outcome, each.reason = ("gone" if record.gone else "failed"), result.reason
            report.failed += 1
        else:
            if feed is not None:
                taken = self._opened().take(
                    subscription, feed, now=now, since=self._since(subscription), adopt=self._options.adopt
                )
                for field in Taken.__struct_fields__:
                    setattr(each, field, getattr(taken, field))
                each.entries = len(feed.entries)
                if each.added or each.updated or each.joined or each.adopted:
                    each.outcome = "new"
                report.added += len(each.added)
                report.updated += len(each.updated) + len(each.joined) + len(each.adopted)
                report.changed += len(each.changed)
            record = self._answered(record, result, feed, every)
            each.moved = record.moved
        each.due = record.due
        self._new_records[name] = record
        return each

    def _answered(self, record: Record, response: Response, feed: Feed | None, every: int) -> Record:
        return record.answered(response, self._now, every=every, hints=feed.hints if feed else None)

    def _since(self, subscription: Subscription) -> datetime | None:
        if self._options.since is not None:
            return times.start(self._options.since, self._config.zone)
        age = subscription.max_age
        age = config.seconds(self._config.fetch.max_age) if age is None else age
        return self._now - timedelta(seconds=age) if age else None

    def _opened(self) -> Archive:
        """The archive, which only a feed with something new needs."""
        if self._archive is None:
            options = self._options
            self._archive = Archive(options.site, self._content, self._config, self._names, dry_run=options.dry_run)
            self._report.deleted = self._archive.deleted
            if self._archive.missing:
                missing = f"{self._archive.missing:,} fetched files are missing, as if a folder were"
                self._report.notes.append(
                    f"{missing}: none counts as deleted, and what feeds still have is written again"
                )
        return self._archive

    def finish(self, state: State) -> list[str]:
        """Keeps what the next run needs. Returns what could not be kept."""
        if self._options.dry_run:
            return []
        notes = [self._archive.save() if self._archive else ""]
        removed = [name for name in self._records if name not in self._names]
        if self._new_records or removed:
            notes.append(state.save(self._new_records, removed))
        return [note for note in notes if note]


def feeds(site: Path, content: Path | None = None) -> tuple[list[dict[str, Any]], list[Problem]]:
    """What is known of each feed, as rows, and the problems of the files about feeds."""
    settings = config.load(site / "site.toml")
    folder = content_folder(site, content)
    found, problems = subscriptions.load(folder, settings)
    records = State(site).load()
    counts = Archive(site, folder, settings, (), dry_run=True).counts()
    rows = []
    for feed in found:
        record = records.get(feed.name)
        record = record if record and record.url == feed.url else Record(url=feed.url)
        status = "disabled" if not feed.enabled else "gone" if record.gone else "failing" if record.failures else "ok"

        def local(moment: datetime | None) -> datetime | None:
            return times.local(moment, settings.zone).replace(microsecond=0) if moment else None

        rows.append(
            {
                "name": feed.name,
                "status": status,
                "articles": counts.get(feed.name, 0),
                "succeeded": local(record.succeeded),
                "changed": local(record.changed),
                "due": local(record.due) if feed.enabled and not record.gone else None,
                "failures": record.failures,
                "reason": record.reason,
                "url": feed.url,
                "moved": record.moved,
            }
        )
    return rows, problems

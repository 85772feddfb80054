"""The report of a fetch as lines of text."""

from __future__ import annotations

from collections import Counter

from newsgen.fetch.fetcher import FeedReport, FetchReport


def feed_line(feed: FeedReport) -> str:
    """What a fetch did with one feed."""
    counts = (
        (len(feed.added), "new"),
        (len(feed.updated) + len(feed.joined), "updated"),
        (len(feed.adopted), "adopted"),
        (len(feed.changed), "changed by hand and by the publisher"),
    )
    done = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    if feed.outcome == "failed":
        done = f"failed: {feed.reason}"
    elif feed.outcome == "gone":
        done = f"is gone and will not be requested again: {feed.reason}"
    elif not done:
        done = "nothing new"
    moved = f"; it moved for good to {feed.moved}" if feed.moved else ""
    return f"{feed.name}: {done}{moved}"


def summary(report: FetchReport, *, dry_run: bool = False) -> str:
    """What a fetch did, in one line."""
    outcomes = Counter(feed.outcome for feed in report.feeds)
    count = report.requests
    parts = [
        f"{count:,} {'feed' if count == 1 else 'feeds'} requested",
        f"{report.added:,} {'article' if report.added == 1 else 'articles'} {'to add' if dry_run else 'added'}",
        f"{report.updated:,} {'to update' if dry_run else 'updated'}",
    ]
    parts += [f"{report.failed:,} failed"] if report.failed else []
    parts += [f"{outcomes['waiting']:,} not due"] if outcomes["waiting"] else []
    return ", ".join(parts)

"""Decides when a feed is due next. Pure: the clock is an argument, and the jitter comes from the feed's name.

All intervals are seconds. The site says how often it wants to read a feed (`every`). The publisher may ask for longer
intervals, and gets them up to `MAX_ASKED`; `Retry-After` up to `MAX_WAIT`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from newsgen import times
from newsgen.fetch.entry import Hints

MIN_INTERVAL = 60
MAX_INTERVAL = 30 * 86_400
MAX_ASKED = 86_400
MAX_WAIT = 7 * 86_400
MAX_BACKOFF = 86_400

NO_HINTS = Hints()

_SLACK = 30
"""The most seconds by which a feed is due early: a run that starts a little early must not find that no feed is due."""

_LONGEST = timedelta(days=MAX_INTERVAL // 86_400 + 8)


def is_due(due: datetime | None, now: datetime) -> bool:
    """Whether a feed is due. A time later than any rule here can give comes from a wrong clock and does not count."""
    return due is None or due <= now or due - now > _LONGEST


def after_answer(now: datetime, *, every: int, hints: Hints = NO_HINTS, fresh_for: int = 0) -> datetime:
    """When a feed that has just answered is due again.

    The interval is the longest of `every`, the feed's own wish and the seconds for which the answer is fresh.
    """
    interval = _interval(every, hints, fresh_for)
    return _outside_skipped(_later(now, interval - min(_SLACK, interval / 10)), hints)


def after_failure(
    now: datetime,
    *,
    name: str,
    failures: int,
    every: int,
    hints: Hints = NO_HINTS,
    retry_after: int = 0,
) -> datetime:
    """When a feed that has just failed is due again. `failures` counts the failures in succession, this one included.

    The interval doubles with each failure, up to `MAX_BACKOFF`. Equal jitter spreads the feeds of a server that was
    down (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    interval = _interval(every, hints, 0)
    longest = max(interval, MAX_BACKOFF)
    backoff = min(interval * 2.0 ** min(failures, 32), longest)
    digest = hashlib.blake2b(f"{name} {failures}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    jittered = backoff / 2 * (1 + int.from_bytes(digest) / 2**64)
    return _outside_skipped(_later(now, max(jittered, min(retry_after, MAX_WAIT))), hints)


def _interval(every: int, hints: Hints, fresh_for: int) -> int:
    asked = min(max(hints.every, fresh_for), MAX_ASKED)
    return min(max(every, asked, MIN_INTERVAL), MAX_INTERVAL)


def _outside_skipped(moment: datetime, hints: Hints) -> datetime:
    """The first moment from this one on that is not in an hour or on a day (UTC) to leave the feed alone.

    The moment itself if there is none. Monday is 0.
    """
    moment = moment.astimezone(UTC)
    later = moment
    for _ in range(7 * 24):
        if later.hour not in hints.skip_hours and later.weekday() not in hints.skip_days:
            return later
        later = _later(later.replace(minute=0, second=0, microsecond=0), 3600)
    return moment


def _later(moment: datetime, seconds: float) -> datetime:
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return times.LAST

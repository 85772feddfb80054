from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.entry import Hints
from newsgen.fetch.schedule import after_answer, after_failure, is_due

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)  # a Saturday
HOUR, DAY = 3600, 86_400
moments = st.datetimes(timezones=st.just(UTC))
intervals = st.integers(-10, 10**12)
hints = st.builds(
    Hints,
    every=intervals,
    skip_hours=st.lists(st.integers(-1, 25), max_size=30).map(tuple),
    skip_days=st.lists(st.integers(-1, 8), max_size=9).map(tuple),
)


def seconds(due: datetime) -> float:
    return (due - NOW).total_seconds()


@pytest.mark.parametrize(
    ("every", "asked", "fresh_for", "expected"),
    [
        (HOUR, 0, 0, HOUR - 30),
        (HOUR, 2 * HOUR, 0, 2 * HOUR - 30),
        (HOUR, 60, 0, HOUR - 30),
        (HOUR, 0, 3 * HOUR, 3 * HOUR - 30),
        (HOUR, 2 * HOUR, 3 * HOUR, 3 * HOUR - 30),
        (100, 0, 0, 90),
        # A publisher can ask for a day at most, a site for thirty; nobody reads a feed more than once a minute.
        (HOUR, 365 * DAY, 0, DAY - 30),
        (HOUR, 0, 365 * DAY, DAY - 30),
        (7 * DAY, 0, HOUR, 7 * DAY - 30),
        (365 * DAY, 0, 0, 30 * DAY - 30),
        (0, 0, 0, 54),
        (-5, -5, -5, 54),
    ],
)
def test_after_an_answer(every: int, asked: int, fresh_for: int, expected: int) -> None:
    assert seconds(after_answer(NOW, every=every, hints=Hints(every=asked), fresh_for=fresh_for)) == expected


def test_a_run_every_quarter_of_an_hour_reads_the_feed_each_time() -> None:
    """Although no run starts at exactly the same second."""
    due: datetime | None = None
    for run, late in enumerate([3, 0, 9, 1, 5]):
        now = NOW + timedelta(minutes=15 * run, seconds=late)
        assert is_due(due, now)
        due = after_answer(now, every=900)
        assert not is_due(due, now + timedelta(minutes=14))


@pytest.mark.parametrize(
    ("hours", "days", "expected"),
    [
        ((12, 13), (), datetime(2026, 11, 28, 14, tzinfo=UTC)),
        ((12,), (), datetime(2026, 11, 28, 13, tzinfo=UTC)),
        ((11,), (), datetime(2026, 11, 28, 12, 59, 30, tzinfo=UTC)),
        ((), (5, 6), datetime(2026, 11, 30, tzinfo=UTC)),
        ((0, 1), (5, 6), datetime(2026, 11, 30, 2, tzinfo=UTC)),
        (tuple(range(24)), (), datetime(2026, 11, 28, 12, 59, 30, tzinfo=UTC)),
        ((), tuple(range(7)), datetime(2026, 11, 28, 12, 59, 30, tzinfo=UTC)),
    ],
)
def test_skipped_hours_and_days(hours: tuple[int, ...], days: tuple[int, ...], expected: datetime) -> None:
    assert after_answer(NOW, every=HOUR, hints=Hints(skip_hours=hours, skip_days=days)) == expected


def test_failures_back_off() -> None:
    waits = [seconds(after_failure(NOW, name="news", failures=n, every=HOUR)) / HOUR for n in range(1, 12)]
    for number, wait in enumerate(waits, 1):
        backoff = min(2**number, 24)
        assert backoff / 2 <= wait < backoff
    assert seconds(after_failure(NOW, name="news", failures=10**9, every=7 * DAY)) >= 3.5 * DAY


def test_the_jitter_is_that_of_the_feed() -> None:
    waits = {after_failure(NOW, name=f"feed{n}", failures=1, every=HOUR) for n in range(50)}
    assert len(waits) == 50
    assert waits == {after_failure(NOW, name=f"feed{n}", failures=1, every=HOUR) for n in range(50)}


def test_a_server_that_asks_to_wait() -> None:
    assert seconds(after_failure(NOW, name="n", failures=1, every=HOUR, retry_after=5 * HOUR)) == 5 * HOUR
    assert seconds(after_failure(NOW, name="n", failures=1, every=HOUR, retry_after=365 * DAY)) == 7 * DAY
    assert seconds(after_failure(NOW, name="n", failures=1, every=HOUR, retry_after=1)) >= HOUR


def test_due() -> None:
    assert is_due(None, NOW)
    assert is_due(NOW, NOW)
    assert not is_due(NOW + timedelta(seconds=1), NOW)
    # Written by a machine whose clock was wrong.
    assert is_due(NOW + timedelta(days=1000), NOW)


@given(moments, intervals, hints, intervals, st.integers(1, 10**9), intervals, st.text())
def test_bounds(
    now: datetime, every: int, hints: Hints, fresh_for: int, failures: int, retry_after: int, name: str
) -> None:
    for due in (
        after_answer(now, every=every, hints=hints, fresh_for=fresh_for),
        after_failure(now, name=name, failures=failures, every=every, hints=hints, retry_after=retry_after),
    ):
        assert due - now <= timedelta(days=37)
        assert due - now >= timedelta(seconds=29) or due.year == 9999
        assert not is_due(due, now) or due.year == 9999
        assert is_due(due, due)

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.entry import Hints
from newsgen.fetch.network.client import Failure, Request, Response, Validators
from newsgen.fetch.state import Record, State

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
URL = "https://news.example/feed"
VALIDATORS = Validators(url=URL, etag='"1"', last_modified="Sat, 28 Nov 2026 09:00:00 GMT")
HOUR = 3600


def response(body: bytes = b"<rss>", **settings: object) -> Response:
    return Response(**{"url": URL, "status": 200, "body": body, "validators": VALIDATORS, **settings})  # type: ignore[arg-type]


NOT_MODIFIED = response(b"", status=304)
FULL = Record(url=URL, settings=b"s").answered(response(), NOW, every=HOUR, hints=Hints(every=2 * HOUR, skip_days=(6,)))


# Records


def test_a_new_feed() -> None:
    record = Record(url=URL)
    assert record.is_due(NOW)
    assert record.request == Request(url=URL)


def test_an_answer() -> None:
    assert (
        Record(
            url=URL,
            settings=b"s",
            validators=VALIDATORS,
            digest=FULL.digest,
            hints=Hints(every=2 * HOUR, skip_days=(6,)),
            checked=NOW,
            succeeded=NOW,
            changed=NOW,
            due=NOW + timedelta(seconds=2 * HOUR - 30),
        )
        == FULL
    )
    assert FULL.request == Request(url=URL, validators=VALIDATORS)
    assert not FULL.is_due(NOW + timedelta(hours=1))
    assert FULL.is_due(NOW + timedelta(hours=2))


@pytest.mark.parametrize("again", [NOT_MODIFIED, response()])
def test_an_answer_that_is_not_new(again: Response) -> None:
    later = NOW + timedelta(hours=3)
    assert not FULL.is_new(again)
    record = FULL.answered(again, later, every=HOUR)
    assert (record.checked, record.succeeded, record.changed) == (later, later, NOW)
    assert record.hints == FULL.hints
    assert record.due == later + timedelta(seconds=2 * HOUR - 30)
    assert record.digest == FULL.digest


def test_an_answer_that_is_new() -> None:
    later = NOW + timedelta(hours=3)
    assert FULL.is_new(response(b"other"))
    record = FULL.answered(response(b"other", fresh_for=4 * HOUR), later, every=HOUR, hints=Hints())
    assert (record.changed, record.hints) == (later, Hints())
    assert record.due == later + timedelta(seconds=4 * HOUR - 30)


def test_failures() -> None:
    once = FULL.failed(Failure(reason="no answer"), NOW, name="news", every=HOUR)
    assert (once.failures, once.reason, once.succeeded, once.checked) == (1, "no answer", NOW, NOW)
    assert once.request == FULL.request
    twice = once.failed(Failure(reason="429", retry_after=10 * HOUR), NOW, name="news", every=HOUR)
    assert (twice.failures, twice.due) == (2, NOW + timedelta(hours=10))
    again = twice.answered(NOT_MODIFIED, NOW, every=HOUR)
    assert (again.failures, again.reason) == (0, "")


def test_gone() -> None:
    record = FULL.failed(Failure(reason="410 Gone", gone=True), NOW, name="news", every=HOUR)
    assert record.gone
    assert not record.is_due(NOW + timedelta(days=365))
    # Until the editor gives it another address, or a request is forced and answered.
    assert record.for_file("https://other.example/", b"s").is_due(NOW)
    assert not record.answered(response(), NOW, every=HOUR).gone


def test_moved() -> None:
    new = "https://new.example/feed"
    record = FULL.answered(response(url=new, moved=new), NOW, every=HOUR)
    assert record.url == URL
    assert record.request.url == new
    # Its new address does not say so again.
    record = record.answered(response(url=new), NOW, every=HOUR)
    assert record.request.url == new
    # If it does not answer there, its own address is tried before anything else is concluded.
    failed = record.failed(Failure(reason="410 Gone", gone=True), NOW, name="news", every=HOUR)
    assert failed.request.url == URL
    assert not failed.gone


def test_a_feed_whose_file_changes() -> None:
    assert FULL.for_file(URL, b"s") is FULL
    assert FULL.for_file("https://new.example/", b"s") == Record(url="https://new.example/", settings=b"s")
    changed = FULL.for_file(URL, b"t")
    assert changed.is_due(NOW)
    assert changed.request == Request(url=URL)
    assert changed.is_new(response())
    assert changed.succeeded == NOW
    waiting = FULL.failed(Failure(reason="429", retry_after=HOUR), NOW, name="news", every=60)
    assert not waiting.for_file(URL, b"t").is_due(NOW)


# The file


def test_round_trip(tmp_path: Path) -> None:
    records = {
        "ü": FULL,
        "b": FULL.failed(Failure(reason="x", gone=True), NOW, name="b", every=60),
        "a": Record(url=URL),
    }
    state = State(tmp_path)
    assert state.load() == {}
    assert not (tmp_path / ".newsgen").exists()
    assert state.save(records) == ""
    assert State(tmp_path).load() == records
    assert state.save({"a": FULL}, removed=["b", "missing"]) == ""
    assert State(tmp_path).load() == {"a": FULL, "ü": FULL}


@given(st.binary(max_size=300))
def test_any_bytes_in_the_file(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    site = tmp_path_factory.mktemp("site")
    file = site / ".newsgen/feeds.db"
    file.parent.mkdir()
    file.write_bytes(data)
    assert State(site).load() == {}
    assert State(site).save({"a": FULL}) == ""
    assert State(site).load() == {"a": FULL}


@given(st.integers(0, 8191), st.binary(min_size=1, max_size=50))
def test_a_damaged_file(tmp_path_factory: pytest.TempPathFactory, at: int, data: bytes) -> None:
    site = tmp_path_factory.mktemp("site")
    State(site).save({f"feed{n}": FULL for n in range(30)})
    file = site / ".newsgen/feeds.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:at] + data + whole[at + len(data) :])
    state = State(site)
    assert all(record == FULL for record in state.load().values())
    assert state.save({"new": FULL}) == ""
    assert State(site).load()["new"] == FULL


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / ".newsgen/feeds.db/x").mkdir(parents=True)
    assert State(tmp_path).load() == {}
    assert State(tmp_path).save({"a": FULL}) == ""
    assert State(tmp_path).load() == {"a": FULL}


def test_another_format(tmp_path: Path) -> None:
    State(tmp_path).save({"a": FULL})
    with sqlite3.connect(tmp_path / ".newsgen/feeds.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert State(tmp_path).load() == {}
    State(tmp_path).save({"b": FULL})
    assert State(tmp_path).load() == {"b": FULL}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / ".newsgen").write_text("a file")
    assert State(tmp_path).load() == {}
    assert State(tmp_path).save({"a": FULL}).startswith(".newsgen/feeds.db cannot be written: ")


def test_a_locked_file_is_not_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(tmp_path)
    state.save({"a": FULL})
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **named: connect(path, **named | {"timeout": 0.1}))
    other = connect(tmp_path / ".newsgen/feeds.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert state.save({"b": FULL}) == ".newsgen/feeds.db cannot be written: database is locked"
    other.execute("ROLLBACK")
    other.close()
    assert state.load() == {"a": FULL}


def test_500_feeds_cost_little(tmp_path: Path) -> None:
    records = {f"feed{number}": FULL for number in range(500)}
    started = time.process_time()
    State(tmp_path).save(records)
    assert State(tmp_path).load() == records
    assert time.process_time() - started < 0.3

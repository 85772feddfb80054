from __future__ import annotations

from datetime import UTC, datetime
from email.message import Message

import pytest

from newsgen.fetch.network.headers import fresh_for, retry_after, returned

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def message(*fields: str) -> Message:
    headers = Message()
    for field in fields:
        name, _, value = field.partition(": ")
        headers[name] = value
    return headers


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([], 0),
        (["Cache-Control: max-age=600"], 600),
        (["Cache-Control: public, MAX-AGE=600, must-revalidate"], 600),
        (["Cache-Control: public", "Cache-Control: max-age=600"], 600),
        (['Cache-Control: max-age="600"'], 600),
        (["Cache-Control: s-maxage=600"], 0),
        (["Cache-Control: max-age=-1"], 0),
        (["Cache-Control: max-age=1e3"], 0),
        (["Cache-Control: max-age=" + "9" * 5000], 0),
        (["Cache-Control: max-age=600, no-cache"], 0),
        (["Cache-Control: no-store"], 0),
        (["Cache-Control: max-age=600", "Age: 100"], 500),
        (["Cache-Control: max-age=600", "Age: 1000"], 0),
        (["Cache-Control: max-age=600", "Age: x"], 600),
        (["Expires: Sat, 28 Nov 2026 12:10:00 GMT"], 600),
        (["Expires: Sat, 28 Nov 2026 11:10:00 GMT", "Date: Sat, 28 Nov 2026 11:00:00 GMT"], 600),
        (["Expires: Sat, 28 Nov 2026 11:50:00 GMT"], 0),
        (["Expires: Sat, 28 Nov 2026 12:10:00 GMT", "Cache-Control: max-age=60"], 60),
        (["Expires: 0"], 0),
        (["Expires: -1"], 0),
        (["Expires: tomorrow"], 0),
    ],
)
def test_fresh_for(fields: list[str], seconds: int) -> None:
    assert fresh_for(message(*fields), NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Sat, 28 Nov 2026 12:02:00 GMT", 120),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251606433599),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
        ("9" * 10000, 0),
        ("١٢٠", 0),
    ],
)
def test_retry_after(value: str, seconds: int) -> None:
    assert retry_after(message(f"Retry-After: {value}"), NOW) == seconds
    assert retry_after(message(), NOW) == 0


def test_a_time_counts_from_the_clock_of_the_server() -> None:
    fields = message("Retry-After: Sat, 28 Nov 2026 09:02:00 GMT", "Date: Sat, 28 Nov 2026 09:00:00 GMT")
    assert retry_after(fields, NOW) == 120


@pytest.mark.parametrize(
    ("value", "expected"),
    [('"abc"', '"abc"'), (' W/"1" ', 'W/"1"'), ("a\r\n b", ""), ("é", ""), ("x" * 1001, ""), ("a\x00b", "")],
)
def test_a_validator_is_returned_only_if_it_is_harmless(value: str, expected: str) -> None:
    headers = Message()
    headers.add_header("Other", "x")
    headers._headers.append(("ETag", value))  # type: ignore[attr-defined]
    assert returned(headers, "etag") == expected
    assert returned(headers, "Last-Modified") == ""

"""Days and times as feeds write them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.formats import dates


def at(hour: int, minute: int = 30, *, zone: float | None = None, day: int = 28) -> datetime:
    tz = None if zone is None else timezone(timedelta(hours=zone))
    return datetime(2026, 11, day, hour, minute, tzinfo=tz)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # zones by name, which feedparser takes for UTC
        ("Sat, 28 Nov 2026 14:30:00 CET", at(14, zone=1)),
        ("Sat, 28 Nov 2026 14:30:00 CEST", at(14, zone=2)),
        ("Sat, 28 Nov 2026 14:30 IST", at(14, zone=5.5)),
        ("Sat, 28 Nov 2026 14:30:00 AEDT", at(14, zone=11)),
        ("Sat, 28 Nov 2026 14:30:00 NST", at(14, zone=-3.5)),
        ("Sat, 28 Nov 2026 14:30:00 EST", at(14, zone=-5)),
        ("Sat, 28 Nov 2026 14:30:00 GMT+0100", at(14, zone=1)),
        ("Sat, 28 Nov 2026 14:30:00 -0500 (EST)", at(14, zone=-5)),
        ("Sat Nov 28 14:30:00 UTC 2026", at(14, zone=0)),
        ("2026-11-28 14:30:00 UTC", at(14, zone=0)),
        # AM and PM
        ("Sat, 28 Nov 2026 2:30 PM AEDT", at(14, zone=11)),
        ("28 Nov 2026 2:30 PM", at(14)),
        ("28 Nov 2026 12:30 AM", at(0)),
        ("November 28th, 2026, 2pm", at(14, 0)),
        ("11/28/2026 02:30:00 p.m.", at(14)),
        # other languages
        ("Samstag, 28. November 2026 um 14:30 Uhr", at(14)),
        ("sam., 28 nov. 2026 14:30:00 +0100", at(14, zone=1)),
        ("28 de noviembre de 2026 14:30", at(14)),
        ("Сб, 28 ноя 2026 14:30:00 +0300", at(14, zone=3)),
        ("28 листопада 2026 р., 14:30", at(14)),
        ("lauantai 28. marraskuuta 2026 klo 14:30", at(14)),
        ("28 kasım 2026 14:30", at(14)),
        ("28 Νοεμβρίου 2026, 14:30", at(14)),
        ("2026年11月28日 下午2:30", at(14)),
        ("2026年11月28日14時30分", at(14)),
        ("2026년 11월 28일 오후 2:30", at(14)),
        ("٢٨ نوفمبر 2026", date(2026, 11, 28)),
        ("الجمعة 28 تشرين الثاني 2026 - 14:30", at(14)),
        ("۲۸ نوامبر ۲۰۲۶ ۱۴:۳۰", at(14)),
        ("वार, 28 नवंबर 2026 14:30:00 +0530", at(14, zone=5.5)),
        ("เสาร์, 28 พฤศจิกายน 2569 14:30:00 +0700", at(14, zone=7)),
        ("28 พ.ย. 2026 14:30 น.", at(14)),
        ("เสาร์ 28 พ.ย. 69 14:30", at(14)),
        ("2569-11-28T14:30:00+07:00", at(14, zone=7)),
        ("Sat, 28 Nov 2569 14:30:00 GMT", at(14, zone=0)),
        # numbers
        ("28.11.2026 14:30", at(14)),
        ("11/28/2026", date(2026, 11, 28)),
        ("2026-11-28", date(2026, 11, 28)),
        ("2026-11-28T14:30:00+0100", at(14, zone=1)),
        # the day is certain, the time is not
        ("Sat, 28 Nov 2026 14:30:00 XYZT", date(2026, 11, 28)),
    ],
)
def test_a_day_or_time_is_read(written: str, expected: date) -> None:
    found = dates.parse(written)
    assert found == expected
    assert type(found) is type(expected)
    if isinstance(found, datetime) and isinstance(expected, datetime):
        assert found.utcoffset() == expected.utcoffset()


def test_a_region_is_a_zone() -> None:
    found = dates.parse("Sat, 28 Nov 2026 14:30:00 Europe/Berlin")
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    "written",
    [
        "", "   ", "yesterday", "11/08/2026", "Sat, 31 Feb 2026 10:00:00 GMT", "2026-11-28T25:00:00Z", "1764335641",
        "0001-01-01T00:00:00", "1970-01-01T00:00:00Z", "Wed, 30 Nov -0001 00:00:00 +0000", "28 Nov", "2026", "9" * 5000,
        "28 Nov 2026 28 Nov 2026", "28 Nov 2026 14:99",
    ],
)  # fmt: skip
def test_what_is_unreadable_ambiguous_or_none_is_none(written: str) -> None:
    assert dates.parse(written) is None


def test_no_word_is_two_months() -> None:
    named = [dates._fold(word) for words in dates._MONTHS.values() for word in set(map(dates._fold, words.split()))]
    by_month = {}
    for month, words in dates._MONTHS.items():
        for word in {dates._fold(word) for word in words.split()}:
            assert by_month.setdefault(word, month) == month, word
    assert len(by_month) == len(named)


@given(st.dates(date(1990, 1, 1), date(2399, 1, 1)), st.times(), st.sampled_from(["CET", "IST", "JST"]))
def test_a_time_keeps_its_moment_in_every_zone(day: date, time: time, zone: str) -> None:
    moment = datetime.combine(day, time.replace(microsecond=0))
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    written = (
        f"{days[moment.weekday()]}, {moment.day:02} {months[moment.month - 1]} {moment.year} {moment:%H:%M:%S} {zone}"
    )
    found = dates.parse(written)
    assert isinstance(found, datetime)
    assert found.replace(tzinfo=None) == moment
    assert found.utcoffset() == timedelta(hours={"CET": 1, "IST": 5.5, "JST": 9}[zone])


@given(st.text(max_size=120))
def test_any_text_is_read_or_not(written: str) -> None:
    found = dates.parse(written)
    assert found is None or found.year >= 1900


@given(
    st.lists(
        st.sampled_from(
            [
                "28",
                "Nov",
                "2026",
                "14:30",
                ":00",
                "PM",
                "CET",
                "+0100",
                "Z",
                ",",
                ".",
                "-",
                "/",
                "11",
                "Sat",
                "年",
                "月",
                "h",
                "T",
                "(EST)",
                "Europe/Berlin",
            ]
        ),
        max_size=12,
    )
)
def test_any_pieces_of_dates_are_read_or_not(pieces: list[str]) -> None:
    dates.parse(" ".join(pieces))
    dates.parse("".join(pieces))

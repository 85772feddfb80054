"""Days and times: how they are spelled, where they lie, and what a site shows of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sites import Site, related

from newsgen import times, urls
from newsgen.builder import Memory, build
from newsgen.config import Config
from newsgen.content import Reader, frontmatter
from newsgen.content.source import Source
from newsgen.model import Article

Make = Callable[..., Site]

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Apia", "Africa/Cairo", "America/Havana",
    "Asia/Beirut", "America/Sao_Paulo", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Pago_Pago",
]  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Spellings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-08T07:30:00Z", "2026-11-08T07:30"),
        ("2026-11-08t07:30:00z", "2026-11-08T07:30"),
        ("2026-11-08T07:30:00.000Z", "2026-11-08T07:30"),
        ("2026-11-08T07:30:00.1234567890123Z", "2026-11-08T07:30:00.123456"),
        ("2026-11-08T07:30:00,5Z", "2026-11-08T07:30:00.500000"),
        ("2026-11-08T22:30:00+01:00", "2026-11-08T21:30"),
        ("2026-11-08T07:30:00+0100", "2026-11-08T06:30"),
        ("2026-11-08T07:30:00+01", "2026-11-08T06:30"),
        ("2026-11-08 07:30:00 -0500", "2026-11-08T12:30"),
        ("2026-11-08 07:30:00 +0530", "2026-11-08T02:00"),
        ("2026-11-08 07:30:00 +0000 UTC", "2026-11-08T07:30"),
        ("2026-11-08 07:30 UTC", "2026-11-08T07:30"),
        ("2026-11-08T07:30", "2026-11-08T12:30"),
        ("2026-11-08 7:30", "2026-11-08T12:30"),
        ("2026-11-08T07", "2026-11-08T12:00"),
        ("20261108T073000Z", "2026-11-08T07:30"),
        ("20261108T0730", "2026-11-08T12:30"),
        ("2026-W45-7T07:30Z", "2026-11-08T07:30"),
        ("2026/11/08 07:30", "2026-11-08T12:30"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00"),
        ("2026-11-08T24:00Z", "2026-11-09T00:00"),
        (" Sat, 13 Mar 2021 08:47:51 -0500", "2021-03-13T13:47:51"),
        ("Sat, 13 Mar 2021 08:47:51 -0500 (EST)", "2021-03-13T13:47:51"),
        ("13 Mar 2021 08:47 GMT", "2021-03-13T08:47"),
        ("Sat, 13 Mar 21 08:47:51 EST", "2021-03-13T13:47:51"),
        ("Sun, 6 Nov 94 08:49:37 PDT", "1994-11-06T15:49:37"),
        ("sat,  13 mar 2021 08:47:51 ut", "2021-03-13T08:47:51"),
        ("Nov 8, 2026 7:30", "2026-11-08T12:30"),
        ("November 08 2026, 07:30:00 +0100", "2026-11-08T06:30"),
        ("Sun Nov 08 2026 07:30:00 GMT", "2026-11-08T07:30"),
        ("2026-11-08T07:30:00[Europe/Berlin]", "2026-11-08T06:30"),
        ("2026-11-08T07:30:00[!Europe/Berlin][u-ca=gregory]", "2026-11-08T06:30"),
        ("2026-11-08T07:30:00[+02:00]", "2026-11-08T05:30"),
        ("2026-11-08T07:30:00-05:00[Europe/Berlin]", "2026-11-08T12:30"),
        ("2026-11-08T07:30:00Z[Europe/Berlin]", "2026-11-08T07:30"),
    ],
)
def test_spellings_of_a_time(text: str, expected: str) -> None:
    assert times.start(times.parse(text), NEW_YORK) == utc(expected)
    assert times.end(times.parse(text), NEW_YORK) == utc(expected)


@pytest.mark.parametrize(
    "text",
    ["2026-11-08", "20261108", "2026-W45-7", "2026W457", "2026-11-8", "2026/11/08", "2026.11.08", " 2026-11-08 ", "8 Nov 2026",
     "Nov 8, 2026", "Nov 08 2026", "Nov. 8, 2026", "Sunday, November 8, 2026"],
)  # fmt: skip
def test_spellings_of_a_day(text: str) -> None:
    day = times.parse(text)
    assert type(day) is date
    assert day == date(2026, 11, 8)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        *((t, "is ambiguous") for t in ("8.11.2026", "11/8/2026", "08-11-2026", "Nov 8, 2026 7pm", "Nov 8 26")),
        *((t, "is ambiguous") for t in ("1762587000", "1701011207", "1762587000000", "2026118", "16:30", "16:30:00Z")),
        *((t, "is not a valid date") for t in ("", "yesterday", "2026-13-01", "2026-02-30", "2026-02-30T10:00:00Z")),
        *((t, "is not a valid date") for t in ("2026-11", "2026-11-08T25:00", "2026-11-08T24:01", "2026-11-08T10:60")),
        *((t, "is not a valid date") for t in ("2026-11-08 10:00 CET", "2026-11-08T10:00+24:00", "2026-W54-1")),
        *(
            (f"2026-11-08T10:00[{z}]", "is not a valid date")
            for z in ("Europe/Nowhere", "../../etc/passwd", "localtime")
        ),
        *((f"2026-11-08T10:00[{z}]", "is not a valid date") for z in ("America", "x" * 5000, "a\0b", "+99:00", "/etc")),
        ("2026-11-08T10:00" + " " * 100_000 + "x", "is not a valid date"),
        ("9999-12-31T24:00", "is not a valid date"),
    ],
)
def test_what_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        times.parse(text)


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9TWZ:+\-./, \[\]A-z]{0,30}", fullmatch=True)))
def test_any_text_is_a_day_a_time_or_a_value_error(text: str) -> None:
    try:
        when = times.parse(text)
    except ValueError:
        return
    assert times.start(when, NEW_YORK).tzinfo is UTC
    assert times.end(when, NEW_YORK).tzinfo is UTC


# Zones


@given(zone=st.sampled_from(ZONES), day=st.dates())
def test_local_midnight_is_on_the_page_of_its_day(zone: str, day: date) -> None:
    """Except that a day which a zone skipped, such as 30 December 2011 in Apia, is the next one."""
    info = ZoneInfo(zone)
    first = times.start(day, info)
    shown = urls.day(first, info)
    if shown != day.isoformat():
        assert times.start(day + timedelta(days=1), info) == first
    assert times.end(day, info) >= first - timedelta(microseconds=1)
    assert urls.day(times.end(day, info), info) <= shown


@given(zone=st.sampled_from(ZONES), when=st.datetimes())
def test_a_time_in_a_zone_never_raises_and_moves_forward_only(zone: str, when: datetime) -> None:
    info = ZoneInfo(zone)
    moment = times.start(when, info)
    assert times.parse(times.text(moment, info))
    if 1 < when.year < 9999:
        shown = times.local(moment, info).replace(tzinfo=None)
        assert shown == when or timedelta(0) < shown - when <= timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30"),  # skipped: shown as 03:30
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
        ("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00"),  # the gap begins at midnight
        ("America/Havana", "2026-03-08T00:00", "2026-03-08T05:00"),
        ("America/Havana", "2026-11-01T00:00", "2026-11-01T04:00"),  # midnight occurs twice
        ("Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00"),  # a day that did not exist
        ("Asia/Shanghai", "0001-01-01T00:00", "0001-01-01T00:00"),  # before the first time of UTC
    ],
)
def test_clock_changes(zone: str, local: str, expected: str) -> None:
    info = ZoneInfo(zone)
    when = times.parse(local)
    assert times.start(when, info) == utc(expected)
    if local.endswith("00:00"):
        assert times.start(times.parse(local[:10]), info) == utc(expected)


def test_the_end_of_a_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert times.end(date(2026, 11, 8), berlin) == utc("2026-11-08T22:59:59.999999")
    assert times.end(date(2026, 10, 25), berlin) - times.start(date(2026, 10, 25), berlin) > timedelta(hours=24.9)
    assert times.end(date.max, NEW_YORK) == datetime.max.replace(tzinfo=UTC)


# Front matter


def parse(matter: str, name: str = "a.md", zone: str = "America/New_York") -> Article | tuple[Any, ...]:
    """The article, or else what is wrong with the file."""
    parsed = Reader(Config(timezone=zone)).parse(Source(name, f"---\ntitle: A\n{matter}\n---\n".encode()))
    return parsed.problems or parsed.value  # type: ignore[return-value]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("value", "published", "all_day"),
    [
        ("2026-11-08", "2026-11-08T05:00", True),
        ('"2026-11-08"', "2026-11-08T05:00", True),
        ("20261108", "2026-11-08T05:00", True),
        ("2026-W45-7", "2026-11-08T05:00", True),
        ("2026-11-08 07:30:00", "2026-11-08T12:30", False),
        ("2026-11-08 07:30:00 -0500", "2026-11-08T12:30", False),
        ("2026-11-08 07:30:00 -05:00", "2026-11-08T12:30", False),
        ("2026-11-08T07:30:00+0100", "2026-11-08T06:30", False),
        ("2026-11-08T07:30:00+01:00", "2026-11-08T06:30", False),
        ("2026-11-08T07:30:00Z", "2026-11-08T07:30", False),
        ("2026-11-08t07:30:00z", "2026-11-08T07:30", False),
        ("2026-11-08 07:30:00 Z", "2026-11-08T07:30", False),
        ("2026-11-08T07:30", "2026-11-08T12:30", False),
        ("2026-11-08 7:30", "2026-11-08T12:30", False),
        ("2026-11-08 7:30:00", "2026-11-08T12:30", False),
    ],
)
def test_both_yaml_readers_give_the_same_time(
    fast: bool, value: str, published: str, all_day: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fast:
        monkeypatch.setattr(frontmatter, "yaml_rs", None)
    article = parse(f"publishedDateTime: {value}")
    assert isinstance(article, Article), article
    assert (article.published, article.all_day) == (utc(published), all_day)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("1762587000", "ambiguous"),
        ("1762587000000", "ambiguous"),
        ("1.5", "ambiguous"),
        ("16:30", "ambiguous"),
        ("8.11.2026", "ambiguous"),
        ("11/8/2026", "ambiguous"),
        ("Nov 8, 2026 7pm", "ambiguous"),
        ("2026-02-30", "not a valid date"),
        ("2026-11-08T25:00:00Z", "not a valid date"),
        ("true", "takes a time, not true or false"),
        ("[2026-11-08]", "not a valid date"),
        ("{a: 1}", "not a valid date"),
    ],
)
def test_an_unreadable_time_is_an_error_with_a_hint(value: str, what: str) -> None:
    problems = parse(f"publishedDateTime: {value}")
    assert not isinstance(problems, Article)
    assert (problems[0].line, problems[0].field) == (3, "publishedDateTime")
    assert what in problems[0].what
    assert problems[0].hint == "write it as 2026-11-08 or 2026-11-08T16:30:00Z"


def test_every_field_is_in_the_sites_zone() -> None:
    article = parse(
        "updatedDateTime: 2026-11-09\npublishDate: 2026-11-10 07:00\nexpiryDate: 2026-11-11\npin: 2026-11-12\nwebUrl: https://a.example/1\n"
        + related(("https://b.example/1", {"publishedDateTime": "2026-11-07"}))
        + related(("https://c.example/1", {"publishedDateTime": "2026-11-07T08:00"})).removeprefix("related:\n"),
        name="2026-11-08-a.md",
    )
    assert isinstance(article, Article), article
    assert (article.published, article.all_day) == (utc("2026-11-08T05:00"), True)
    assert (article.updated, article.updated_all_day) == (utc("2026-11-09T05:00"), True)
    assert article.embargo == utc("2026-11-10T12:00")
    assert article.expires == utc("2026-11-12T04:59:59.999999")
    assert article.pin == utc("2026-11-13T04:59:59.999999")
    assert [(r.published, r.all_day) for r in article.related] == [
        (utc("2026-11-07T05:00"), True),
        (utc("2026-11-07T13:00"), False),
    ]


def test_toml_and_json_have_the_same_rules() -> None:
    reader = Reader(Config(timezone="America/New_York"))
    for text, published, all_day in (
        ("+++\ntitle = 'A'\ndate = 2026-11-08\n+++\n", "2026-11-08T05:00", True),
        ("+++\ntitle = 'A'\ndate = 2026-11-08T07:30:00\n+++\n", "2026-11-08T12:30", False),
        ("+++\ntitle = 'A'\ndate = 2026-11-08T07:30:00+01:00\n+++\n", "2026-11-08T06:30", False),
        ('{\n"title": "A", "date": "2026-11-08"\n}\n', "2026-11-08T05:00", True),
        ('{\n"title": "A", "date": "2026-11-08 7:30"\n}\n', "2026-11-08T12:30", False),
    ):
        article = reader.parse(Source("a.md", text.encode())).value
        assert isinstance(article, Article), article
        assert (article.published, article.all_day) == (utc(published), all_day)
    (problem,) = reader.parse(Source("a.md", b"+++\ntitle = 'A'\ndate = 07:30:00\n+++\n")).problems
    assert "ambiguous" in str(problem)


@pytest.mark.parametrize(
    "value", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
@pytest.mark.parametrize("zone", ["Pacific/Apia", "Pacific/Pago_Pago", "UTC"])
def test_the_ends_of_the_calendar_build(site: Make, value: str, zone: str) -> None:
    s = site().write("site.toml", f'timezone = "{zone}"\nbase_url = "https://news.example/"\n')
    s.article("a", publishedDateTime="0001-01-01", expiryDate=value, pin=value, updatedDateTime=value)
    s.article("b", publishedDateTime=value, publishDate=value)
    s.good(show=frozenset({"future", "expired"}))
    assert s.run("list", "future").returncode == 0


# Sites


def day_only(site: Make, zone: str = "America/New_York", name: str = "site") -> Site:
    s = site(name=name).write("site.toml", f'base_url = "https://wire.example/"\ntimezone = "{zone}"\n')
    s.article("2026-11-08-ferry-strike", publishedDateTime=None)
    return s.article("bridge", publishedDateTime="2026-11-08", updatedDateTime="2026-11-09")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Shanghai", "UTC", "Pacific/Apia"])
def test_a_day_without_a_time_is_that_day_in_the_sites_zone_and_has_no_time(site: Make, zone: str) -> None:
    s = day_only(site, zone)
    s.good()
    page = s.read("2026/11/08/bridge/index.html")
    assert '<time class="dt-published" datetime="2026-11-08">8 Nov 2026</time>' in page
    assert 'Updated <time class="dt-updated" datetime="2026-11-09">9 Nov 2026</time>' in page
    (data,) = re.findall(r'<script type="application/ld\+json">(\{.*?"WebPage".*?)</script>', page)
    assert json.loads(data)["citation"]["datePublished"] == "2026-11-08"
    assert (s.output / "2026/11/08/ferry-strike/index.html").exists()
    front = s.read("index.html")
    assert '<time datetime="2026-11-08"></time>' in front
    assert '<time datetime="2026-11-08">Sunday 8 November 2026</time>' in front
    assert not re.search(r"\d\d:\d\d</time>", front)
    assert (s.output / "archive/2026/11/08/index.html").exists()
    midnight = times.start(date(2026, 11, 8), ZoneInfo(zone))
    assert f"<published>{midnight:%Y-%m-%dT%H:%M:%SZ}</published>" in s.read("atom.xml")


def test_an_own_post_has_plain_dates_for_search_engines(site: Make) -> None:
    s = day_only(site).article("own", webUrl=None, publishedDateTime="2026-11-08", updatedDateTime="2026-11-09")
    s.article("own-too", webUrl=None, publishedDateTime="2026-11-08")
    s.good()
    for name, modified in (("own", "2026-11-09"), ("own-too", "2026-11-08")):
        page = s.read(f"2026/11/08/{name}/index.html")
        assert '"datePublished":"2026-11-08"' in page
        assert f'"dateModified":"{modified}"' in page


def test_it_is_open_from_local_midnight_and_expires_with_its_last_day(site: Make) -> None:
    s = day_only(site).article("gone", publishedDateTime="2026-11-01", expiryDate="2026-11-07")
    before, after = utc("2026-11-08T04:59"), utc("2026-11-08T05:00")
    report = s.good(now=before)
    assert (report.published, report.skipped) == (1, {"future": 2})
    assert report.due == utc("2026-11-08T04:59:59.999999")
    assert s.good(now=utc("2026-11-08T04:59:59")).published == 1
    assert (s.good(now=after).published, s.good(now=after).skipped) == (2, {"expired": 1})


def test_a_pin_of_a_day_lasts_until_its_end(site: Make) -> None:
    s = site().write("site.toml", 'timezone = "Asia/Shanghai"\n')
    s.article("pinned", publishedDateTime="2026-11-01", pin="2026-11-08")
    s.article("late", publishedDateTime="2026-11-08T23:59", quality=90)
    s.good()
    assert s.read("index.html").index("Pinned") < s.read("index.html").index(">Late<")
    s.article("next", publishedDateTime="2026-11-09", quality=90)
    s.good()
    assert s.read("index.html").index(">Next<") < s.read("index.html").index(">Pinned<")


def test_an_update_in_the_future_counts_as_absent_until_then(site: Make) -> None:
    s = site().write("site.toml", 'base_url = "https://wire.example/"\n')
    s.article("a", publishedDateTime="2026-11-08", more="lastmod: 2062-11-08\n")
    s.article("b", publishedDateTime="2026-11-08", updatedDateTime="2026-11-01")
    report = s.good()
    (warning,) = report.warnings
    assert (warning.path, warning.line, warning.field) == ("content/a.md", 5, "lastmod")
    assert "2062-11-08 00:00+00:00 is in the future" in warning.what
    assert report.due == utc("2062-11-08T00:00")
    assert s.good().warnings == report.warnings
    assert "2062" not in s.read("feed.json") + s.read("atom.xml") + s.read("2026/11/08/a/index.html")
    assert "Updated" in s.read("2026/11/08/b/index.html")
    later = s.good(now=utc("2062-11-08T00:00"))
    assert (later.warnings, later.due) == ([], None)
    assert "Updated" in s.read("2026/11/08/a/index.html")
    assert "<updated>2062-11-08T00:00:00Z</updated>" in s.read("atom.xml")


def test_an_embargo_holds_an_article_back(site: Make) -> None:
    s = site().write("site.toml", 'timezone = "America/New_York"\n')
    s.article("e", publishedDateTime="2026-11-01", publishDate="2026-12-01")
    s.article("only", publishedDateTime=None, publishDate="2026-11-02")
    report = s.good()
    assert (report.published, report.skipped, report.due) == (1, {"future": 1}, utc("2026-12-01T05:00"))
    assert (s.output / "2026/11/02/only/index.html").exists()
    assert s.good(now=utc("2026-12-01T05:00")).published == 2
    assert (s.output / "2026/11/01/e/index.html").exists()
    done = s.run("list", "future", "--now", "2026-11-30")
    assert done.stdout == "e.md\t2026-11-01\tE\t-\t2026-12-01 00:00-05:00\n"


def test_stories_show_days_where_times_are_unknown(site: Make) -> None:
    s = site().write("site.toml", 'timezone = "America/New_York"\nbase_url = "https://wire.example/"\n')
    entries = (
        ("https://b.example/1", {"publishedDateTime": "2026-11-07T10:00"}),
        ("https://c.example/1", {"publishedDateTime": "2026-11-08"}),
        ("https://d.example/1", {"publishedDateTime": "2026-11-08T07:00"}),
        ("https://e.example/1", {}),
    )
    s.article("a", publishedDateTime="2026-11-08T08:00", more=related(*entries))
    s.good()
    page = s.read("2026/11/08/a/index.html")
    assert "5 reports within 22 h" in page
    times_of_reports = re.findall(r'<time class="when dt-published" [^>]*>([^<]*)</time>', page)
    assert times_of_reports == ["8 Nov 2026, 08:00", "07:00", "8 Nov", "10:00"]
    s.edit("content/a.md", "2026-11-07T10:00", "2026-11-07")
    s.good()
    page = s.read("2026/11/08/a/index.html")
    assert "5 reports from 7 November 2026 to 8 November 2026" in page
    assert "median lag" not in s.read("providers/a.example/index.html")


def test_coverage_dated_after_the_newest_article_has_no_time(site: Make) -> None:
    s = site().article("a", more=related(("https://b.example/1", {"publishedDateTime": "2026-11-08T20:00:00Z"})))
    s.good()
    assert '<time class="when dt-published" datetime="2026-11-08">8 Nov 2026</time>' in s.read(
        "2026/11/08/a/index.html"
    )


def test_coverage_of_a_day_keeps_its_time(site: Make) -> None:
    entries = (
        ("https://b.example/1", {"publishedDateTime": "2026-11-08T20:00"}),
        ("https://c.example/1", {"publishedDateTime": "2026-11-09T20:00"}),
    )
    s = day_only(site).article("a", publishedDateTime="2026-11-08", more=related(*entries))
    s.good()
    page = s.read("2026/11/08/a/index.html")
    assert "<h3>8 November 2026</h3>" in page
    assert ">20:00</time>" in page
    assert "9 November 2026" not in page


def test_the_zone_is_part_of_what_a_parsed_file_depends_on(site: Make) -> None:
    s = day_only(site, "UTC").article("t", publishedDateTime="2026-11-08T20:00")
    s.good()
    s.write("site.toml", 'base_url = "https://wire.example/"\ntimezone = "Asia/Shanghai"\n')
    s.good()
    clean = day_only(site, "Asia/Shanghai", name="clean").article("t", publishedDateTime="2026-11-08T20:00")
    clean.good()
    assert s.tree() == clean.tree()


def test_a_change_from_midnight_to_the_day_is_seen_everywhere(site: Make) -> None:
    one, clean, memory = site(), site(name="clean"), Memory()
    for s, published in ((one, "2026-11-08T00:00:00Z"), (clean, "2026-11-08")):
        s.article("a", publishedDateTime=published, more=related("https://b.example/1"))
        s.article("newer", publishedDateTime="2026-11-09T10:00:00Z")
    build(one.options(), memory=memory)
    one.edit("content/a.md", "2026-11-08T00:00:00Z", "2026-11-08")
    build(one.options(), memory=memory)
    clean.good()
    assert one.tree() == clean.tree()
    assert "00:00" not in one.read("2026/11/08/a/index.html")


# Commands


def test_now_and_clock_are_in_the_sites_zone(site: Make) -> None:
    s = day_only(site).article("old", publishedDateTime="2026-11-01")
    assert s.good(now=datetime(2026, 11, 7, 23, 59)).published == 1  # noqa: DTZ001
    assert s.good(now=date(2026, 11, 8)).published == 3
    assert s.load(now=date(2026, 11, 8)).now == utc("2026-11-08T05:00")
    assert s.load(clock=date(2026, 11, 8)).library.clock == utc("2026-11-09T04:59:59.999999")
    assert s.load(clock=datetime(2026, 11, 8, 7)).library.clock == utc("2026-11-08T12:00")  # noqa: DTZ001
    assert s.load(clock="wall", now=date(2026, 11, 8)).library.clock == utc("2026-11-08T05:00")
    done = s.run("build", "--now", "2026-11-07 23:59", "--clock", "2026-11-07")
    assert "1 article," in done.stdout
    assert "build again after 2026-11-08 00:00-05:00" in done.stderr
    assert "3 articles," in s.run("build", "--now", "2026-11-08").stdout
    assert s.run("build", "--now", "8.11.2026").returncode == 2
    assert json.loads(s.run("build", "--now", "2026-11-07", "--json").stdout)["due"] == "2026-11-08T05:00:00Z"


def test_list_and_explain_print_the_sites_time(site: Make) -> None:
    s = day_only(site).article("later", publishedDateTime="2026-11-09T10:00Z", more=related("https://x.example/1"))
    done = s.run("list", "future", "--now", "2026-11-07")
    assert [row.split("\t")[1] for row in done.stdout.splitlines()] == [
        "2026-11-09 05:00-05:00",
        "2026-11-08",
        "2026-11-08",
    ]
    rows = json.loads(s.run("list", "future", "--now", "2026-11-07", "--json").stdout)["rows"]
    assert [(r["published"], r["all_day"]) for r in rows[:2]] == [
        ("2026-11-09T05:00:00-05:00", False),
        ("2026-11-08T00:00:00-05:00", True),
    ]
    assert "  2026-11-09 05:00-05:00  later.md:" in s.run("explain", "/2026/11/09/later/").stdout


def test_a_new_article_has_the_sites_time_and_is_named_by_its_day(site: Make) -> None:
    s = site().write("site.toml", 'timezone = "Asia/Shanghai"\n')
    for when, path, written in (
        ("2026-11-08T20:00:00Z", "2026/11/2026-11-09-late.md", "2026-11-09 04:00:00+08:00"),
        ("2026-11-08 20:00", "2026/11/2026-11-08-late.md", "2026-11-08 20:00:00+08:00"),
        ("2026-10-08", "2026/10/2026-10-08-late.md", "2026-10-08"),
    ):
        done = s.run("new", "article", "Late", "--date", when)
        assert done.stdout.strip() == str(Path("content", path))
        assert f"publishedDateTime: {written}\n" in (s.root / "content" / path).read_text(encoding="utf-8")
    assert s.run("build", "--drafts").returncode == 0

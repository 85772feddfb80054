"""Reads days and times, and places them in a time zone.

A value of type `date` is a day without a time, a naive datetime a time in the site's zone, an aware one a moment.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

# Most times; datetime reads these at once.
_COMMON = re.compile(r"\d{4}-\d\d-\d\d[T ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-][01]\d:\d\d)?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = r"""
    (?P<hour>\d\d|\d(?=:)) (?: (?P<colon>:?)(?P<minute>\d\d) (?: (?P=colon)(?P<second>\d\d) (?:[.,](?P<fraction>\d+))?
    )? )? (?: [ ]?(?P<offset>[+-]\d\d(?::?\d\d(?::\d\d)?)?) )? (?: [ ]?(?P<name>[a-z]{1,4}) )?
"""
# ISO 8601 with RFC 9557's zone in brackets. The year comes first, so other separators and single digits are clear too.
_ISO = re.compile(
    rf"""
    (?P<year>\d{{4}})
    (?: (?P<dash>-?)w(?P<week>\d\d)(?P=dash)(?P<weekday>\d)
      | (?P<mark>[-/.]?)(?P<month>\d\d|\d(?=[-/.]))(?P=mark)(?P<day>\d\d|(?<=[-/.])\d) )
    (?: [t ]{_TIME} (?:\[!?(?P<zone>[^\[\]=]+)\])? (?:\[[^\[\]=]+=[^\[\]]*\])* )?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
# RFC 822, also with the four-digit years of RFC 2822 and a comment at the end.
_MAIL = re.compile(
    rf"""
    (?: (?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?[ ] )?
    (?P<day>\d\d?)[ ](?P<month>{"|".join(_MONTHS)})[a-z]*[ ](?P<year>\d{{4}}|\d\d)
    (?: [ ]{_TIME} (?:[ ]?\([^()]*\))? )?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
# As Americans write a day, and JavaScript a time. With the month as a word, nothing else can be meant.
_MONTH_FIRST = re.compile(
    rf"""
    (?: (?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?[ ] )?
    (?P<month>{"|".join(_MONTHS)})[a-z]*\.?[ ](?P<day>\d\d?),?[ ](?P<year>\d{{4}})
    (?: ,?[ ]{_TIME} )?
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_CLEAR = re.compile(r"\d{4}[-/.]|\d{8}T|\D*$", re.ASCII | re.IGNORECASE)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The least and the greatest time."""

_HOURS_BY_NAME = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""The zones that RFC 822 names. Other abbreviations have several meanings."""


def parse(text: str) -> date:
    """The day or time in a text, as a date, a naive datetime, or an aware one if the text has a zone.

    Reads ISO 8601, RFC 9557, RFC 822, RFC 2822 and days such as Nov 8, 2026. An offset takes precedence over the name of
    a zone. Raises ValueError with what is wrong, such as "is ambiguous".
    """
    if _COMMON.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # a leap second, or a day that does not exist
    text = " ".join(text.split())
    match = _ISO.fullmatch(text) or _MAIL.fullmatch(text) or _MONTH_FIRST.fullmatch(text)
    if not match:
        raise ValueError("is not a valid date" if _CLEAR.match(text) else "is ambiguous")
    found = match.groupdict("")
    try:
        day = _day(found)
        if not found["hour"]:
            return day
        hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
        fraction = timedelta(microseconds=int(f"{found['fraction']:0<6}"[:6]))
        since_midnight = timedelta(hours=hour, minutes=minute, seconds=second) + fraction
        # Hour 24 is the end of the day (ISO 8601), second 60 a leap second (RFC 3339).
        if minute < 60 and second <= 60 and since_midnight <= timedelta(days=1):
            return datetime(day.year, day.month, day.day, tzinfo=_zone(found)) + since_midnight
    except (LookupError, ValueError, OverflowError, OSError):
        pass
    raise ValueError("is not a valid date")


def _day(found: dict[str, str]) -> date:
    year, month = int(found["year"]), found["month"]
    if found.get("week"):
        return date.fromisocalendar(year, int(found["week"]), int(found["weekday"]))
    if month.isdigit():
        return date(year, int(month), int(found["day"]))
    if len(found["year"]) == 2:
        year += 2000 if year < 50 else 1900  # RFC 2822, 4.3
    return date(year, _MONTHS.index(month[:3].lower()) + 1, int(found["day"]))


def _zone(found: dict[str, str]) -> tzinfo | None:
    """The zone of a time. Raises LookupError, ValueError or OSError if there is none of that name."""
    if found["offset"]:
        return _offset(found["offset"])
    if found["name"]:
        return timezone(timedelta(hours=_HOURS_BY_NAME[found["name"].upper()]))
    zone = found.get("zone")
    if not zone:
        return None
    if zone == "localtime":  # the zone of this machine
        raise LookupError
    return _offset(zone) if zone[0] in "+-" else ZoneInfo(zone)


def _offset(text: str) -> timezone:
    digits = text[1:].replace(":", "").ljust(6, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:]))
    return timezone(-offset if text[0] == "-" else offset)


def start(when: date, zone: tzinfo) -> datetime:
    """The UTC time of a time, or of the first moment of a day. Without a zone of its own it is in `zone`.

    A time that a clock change skips moves forward by the change; of two times that read the same, it is the first. At
    the ends of the calendar the result is the first or last time that UTC can express.
    """
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 (the next line sets the zone)
    try:
        return (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return FIRST if when.year == 1 else LAST


def end(when: date, zone: tzinfo) -> datetime:
    """The UTC time of a time, or of the last moment of a day."""
    if isinstance(when, datetime):
        return start(when, zone)
    if when == date.max:
        return LAST
    return start(when + timedelta(days=1), zone) - timedelta(microseconds=1)


def local(moment: datetime, zone: tzinfo) -> datetime:
    """A time in a time zone; in UTC if the conversion would leave the range of datetime."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment.astimezone(UTC)


@lru_cache(maxsize=4096)
def iso(moment: datetime) -> str:
    """A time in UTC: 2026-11-08T16:30:00Z (RFC 3339)."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def text(moment: datetime, zone: tzinfo) -> str:
    """A time in messages, to the minute, in a form that `parse` reads: 2026-11-08 16:30+01:00."""
    return local(moment, zone).isoformat(" ", "minutes")

"""Reads what the headers of an answer say about caching (https://www.rfc-editor.org/rfc/rfc9111)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import Message

from newsgen import times

_MAX_AGE = re.compile(r"""(?:^|,)\s*max-age\s*=\s*"?(\d{1,10})"?\s*(?:,|$)""", re.IGNORECASE)
_NOT_FRESH = re.compile(r"(?:^|,)\s*no-(?:cache|store)\s*(?:,|$)", re.IGNORECASE)
_MAX_LENGTH = 1000


def fresh_for(headers: Message, now: datetime) -> int:
    """The seconds for which an answer is fresh: `max-age`, else `Expires`, less its `Age`. 0 if it does not say."""
    control = ", ".join(headers.get_all("Cache-Control", ()))
    if _NOT_FRESH.search(control):
        return 0
    if found := _MAX_AGE.search(control):
        lifetime = int(found[1])
    elif expires := _time(headers.get("Expires", "")):
        lifetime = int((expires - (_time(headers.get("Date", "")) or now)).total_seconds())
    else:
        return 0
    return max(0, lifetime - (_number(headers.get("Age", "")) or 0))


def retry_after(headers: Message, now: datetime) -> int:
    """The seconds to wait before the next request, from `Retry-After`: a number or a time. 0 if it does not say."""
    value = headers.get("Retry-After", "")
    seconds = _number(value)
    if seconds is None and (moment := _time(value)):
        seconds = int((moment - (_time(headers.get("Date", "")) or now)).total_seconds())
    return max(0, seconds or 0)


def returned(headers: Message, name: str) -> str:
    """A header that the next request sends back: printable ASCII, or "" if it is not."""
    value = headers.get(name, "").strip()
    return value if value.isascii() and value.isprintable() and len(value) <= _MAX_LENGTH else ""


def _number(value: str) -> int | None:
    value = value.strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 10 else None


def _time(value: str) -> datetime | None:
    try:
        return times.start(times.parse(value[:_MAX_LENGTH]), UTC)
    except ValueError:
        return None

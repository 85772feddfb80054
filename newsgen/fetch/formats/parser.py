"""Parses feeds: RSS, Atom and JSON Feed."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo

from newsgen.fetch.entry import Feed
from newsgen.fetch.formats import charsets, documents, jsonfeeds, xmlfeeds
from newsgen.fetch.formats.documents import FeedError
from newsgen.fetch.formats.draft import MAX_ENTRIES

__all__ = ["MAX_ENTRIES", "FeedError", "parse"]

_JSON = re.compile(r"[\ufeff\s]*[{\[]")
_HEAD = 64


def parse(data: bytes, *, url: str, content_type: str = "", zone: tzinfo = UTC) -> Feed:
    """The feed in the body of an answer. `url` is where it came from, `content_type` the value of the HTTP header.
    Times without a zone are in `zone`.

    The bytes decide the format, not the header. Only the newest `MAX_ENTRIES` entries are taken. Raises FeedError with
    a sentence, such as “is a web page, not a feed”, if it is no feed.
    """
    if _JSON.match(charsets.decode(data[:_HEAD])):
        return jsonfeeds.parse(charsets.decode(data, content_type).lstrip("\ufeff"), url, zone)
    return xmlfeeds.parse(documents.xml(data, content_type), url, zone)

"""The feeds of an aggregator's providers as they were at any moment, from a corpus of real articles with times."""

from __future__ import annotations

import functools
import gzip
import html
import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from feedserver import Answer, Asked, FeedServer

CORPUS = "data/stream2020_public.jsonl.gz"
TOP = "top"
NEWEST = 20

Row = dict[str, Any]


def rows(data: Path, start: datetime, end: datetime) -> list[Row]:
    """The articles of the corpus that were published in a period, the oldest first."""
    with gzip.open(data / CORPUS, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    for row in found:
        row["published"] = datetime.fromisoformat(row["published"])
    return sorted((r for r in found if start <= r["published"] < end), key=lambda r: (r["published"], r["id"]))


class Stream:
    """Serves one feed for each provider, in turn as RSS, Atom and JSON, with its newest entries at the moment `now`.

    The feed `TOP` has the newest entries of all, under other guids and addresses with tracking parameters.
    `served` are the entries that were ever sent: the articles' own addresses by feed and guid.
    """

    def __init__(self, server: FeedServer, articles: Iterable[Row]) -> None:
        self.now = datetime.min.replace(tzinfo=UTC)
        self.served: dict[tuple[str, str], Row] = {}
        self.urls: dict[str, str] = {}
        self._last: dict[str, tuple[tuple[str, ...], Answer]] = {}
        by_provider: dict[str, list[Row]] = {TOP: []}
        for row in articles:
            by_provider[TOP].append(row)
            by_provider.setdefault(row["provider"], []).append(row)
        for number, own in enumerate(by_provider.values()):
            name = f"f{number:04}" if number else TOP
            self.urls[name] = server.add(f"{name}.example/feed", functools.partial(self._answer, name, number, own))

    def subscribe(self, content: Path) -> None:
        """Writes the files about the feeds."""
        folder = content / "_feeds"
        folder.mkdir(parents=True)
        for name, url in self.urls.items():
            (folder / f"{name}.md").write_text(f'---\nurl: "{url}"\ncategory: news\ntopics: [{name}]\n---\n')

    def _answer(self, name: str, number: int, own: list[Row], asked: Asked) -> Answer:
        newest = [row for row in own if row["published"] <= self.now][-NEWEST:][::-1]
        ids = tuple(row["id"] for row in newest)
        known = self._last.get(name)
        if known is None or known[0] != ids:
            body, kind = _FORMATS[number % 3](name, newest)
            answer = Answer(body, headers={"Content-Type": kind}, encoding="gzip", etag=f'"{zlib.crc32(body)}"')
            known = self._last[name] = ids, answer
        if asked.headers.get("if-none-match") != known[1].etag:
            self.served |= {(name, guid(name, row)): row for row in newest}
        return known[1]


def guid(name: str, row: Row) -> str:
    return f"top:{row['id']}" if name == TOP else str(row["id"])


def _url(name: str, row: Row) -> str:
    if name != TOP:
        return str(row["url"])
    page, hash, fragment = row["url"].partition("#")
    return f"{page}{'&' if '?' in page else '?'}utm_source=top&utm_medium=rss{hash}{fragment}"


def _rss(name: str, newest: list[Row]) -> tuple[bytes, str]:
    e = html.escape
    items = "".join(
        f'<item><title>{e(r["title"])}</title><link>{e(_url(name, r))}</link><guid isPermaLink="false">{guid(name, r)}</guid>'
        f"<pubDate>{format_datetime(r['published'])}</pubDate><category>{e(r['topics'][0])}</category>"
        f"<description>{e(e(r['excerpt'] or '', quote=False))}</description>"
        + (f'<media:content url="{e(r["image"])}" medium="image"/>' if r["image"] else "")
        + "</item>\n"
        for r in newest
    )
    head = f"<title>{name}</title><link>https://{name}.example/</link><description/>"
    return (
        '<?xml version="1.0"?>\n<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/">'
        f"<channel>{head}{items}</channel></rss>"
    ).encode(), "application/rss+xml"


def _atom(name: str, newest: list[Row]) -> tuple[bytes, str]:
    e = html.escape
    entries = "".join(
        f"<entry><title>{e(r['title'])}</title><link href='{e(_url(name, r))}'/><id>{guid(name, r)}</id>"
        f"<published>{r['published'].isoformat()}</published><updated>{r['published'].isoformat()}</updated>"
        f"<category term='{e(r['topics'][0])}'/><summary>{e(r['excerpt'] or '')}</summary></entry>\n"
        for r in newest
    )
    updated = newest[0]["published"].isoformat() if newest else "2020-01-01T00:00:00Z"
    head = f"<title>{name}</title><id>urn:{name}</id><updated>{updated}</updated>"
    feed = f'<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}</feed>'
    return feed.encode(), "application/atom+xml"


def _json(name: str, newest: list[Row]) -> tuple[bytes, str]:
    items = [
        {
            "id": guid(name, r),
            "url": _url(name, r),
            "title": r["title"],
            "content_text": r["excerpt"] or "",
            "date_published": r["published"].isoformat(),
            "tags": r["topics"],
            **({"image": r["image"]} if r["image"] else {}),
        }
        for r in newest
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": name, "items": items}
    return json.dumps(feed).encode(), "application/feed+json"


_FORMATS = (_rss, _atom, _json)

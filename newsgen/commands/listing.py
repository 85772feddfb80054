"""The work of `newsgen list`: articles, those that a gate keeps out, stories, topics, providers and feeds, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from newsgen import library, text, times
from newsgen.builder import Options, Progress, load
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import Article, by_time

GATE_BY_LIST = {"held": "held", "drafts": "draft", "future": "future", "expired": "expired"}
"""The gates by the names of their lists."""


class Filters(msgspec.Struct, kw_only=True, frozen=True):
    """Which articles to list: those with all of these. `title` are words of the title; `limit` is 0 for all.

    `since` and `until` have the types of `times`.
    """

    topic: str = ""
    provider: str = ""
    category: str = ""
    title: str = ""
    since: Any = None
    until: Any = None
    limit: int = 0


def rows(
    what: str, options: Options, progress: Progress | None = None, filters: Filters | None = None
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The rows of the list named `what`, and the problems of the site. The most useful column comes first.

    Only the list of articles has `filters`.
    """
    if what == "feeds":
        from newsgen import fetch

        return fetch.feeds(options.site, options.content)
    loaded = load(options, progress)
    site_library, zone = loaded.library, loaded.config.zone
    out: list[dict[str, Any]] = []
    if what in GATE_BY_LIST:
        for article in sorted(loaded.articles(), key=by_time, reverse=True):
            if library.gate(article, loaded.now) == GATE_BY_LIST[what]:
                row = {"id": article.id, "published": times.local(article.published, zone), "all_day": article.all_day}
                row |= {"title": article.title, "heat": article.heat}
                if what == "expired" and article.expires:
                    row["expires"] = times.local(article.expires, zone)
                if what == "future":
                    row["opens"] = times.local(max(article.published, article.embargo or article.published), zone)
                out.append(row)
    elif what == "articles":
        filters = filters or Filters()
        out += islice(_articles(site_library, filters), filters.limit or None)
    elif what == "stories":
        for story in reversed(site_library.stories):
            members = [
                {"id": m.id, "file": m.id if isinstance(m, Article) else None, "url": m.url, "title": m.title}
                for m in story.members
            ]
            row = {"address": site_library.address[story.id], "members": members}
            row |= {"sources": story.sources, "lead": story.lead.id, "title": story.lead.title, "id": story.id}
            out.append(row)
    else:
        axis = {"topics": "topic", "providers": "provider"}[what]
        sections = sorted(site_library.sections[axis].values(), key=lambda s: (-len(s.members), s.key))
        out += (
            {
                "key": s.key,
                "members": len(s.members),
                "title": s.title,
                "address": site_library.places.section(axis, s.key),
            }
            for s in sections
        )
    return out, loaded.report.problems


def _articles(site_library: Library, filters: Filters) -> Iterator[dict[str, Any]]:
    """The published articles that pass the filters, newest first."""
    zone, platforms = site_library.config.zone, site_library.config.platforms
    topic = text.slug(filters.topic) if filters.topic else ""
    topic = site_library.topics.synonyms.get(topic, topic)
    provider = platforms.key(filters.provider) or filters.provider
    category = text.slug(filters.category) if filters.category else ""
    since = times.start(filters.since, zone) if filters.since else None
    until = times.end(filters.until, zone) if filters.until else None
    for row in site_library.rows.descending():
        if since and row.published < since:
            return
        if row.coverage or (until and row.published > until) or (provider and row.provider != provider):
            continue
        if topic and topic not in map(text.slug, row.topics):
            continue
        if category and (not row.category or text.slug(row.category) != category):
            continue
        article = site_library.article(row.id)
        if filters.title.casefold() not in article.title.casefold():
            continue
        yield {
            "id": row.id,
            "published": times.local(row.published, zone),
            "all_day": row.all_day,
            "title": article.title,
            "provider": row.provider or None,
            "category": row.category or None,
            "topics": list(row.topics),
            "authors": [author.title for author in article.authors],
            "page": row.page or None,
            "story": site_library.address[row.item] if row.in_story else None,
            "url": article.url or None,
        }


def cells(row: dict[str, Any]) -> list[str]:
    """The values of a row as text: names, the length of another list, a time to the minute, a dash for nothing.

    With `all_day`, `published` is a day.
    """
    row = dict(row)
    if row.pop("all_day", False):
        row["published"] = row["published"].date().isoformat()
    return [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        are_names = value and isinstance(value[0], str)
        return ", ".join(value) if are_names else str(len(value)) if value else "-"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return "-" if value is None else " ".join(str(msgspec.to_builtins(value)).split())

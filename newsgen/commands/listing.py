"""The work of `newsgen list`: articles that a gate keeps out, stories, topics, providers and feeds, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from newsgen import library, times, urls
from newsgen.builder import Options, Progress, load
from newsgen.errors import Problem
from newsgen.model import Article, by_time

GATE_BY_LIST = {"held": "held", "drafts": "draft", "future": "future", "expired": "expired"}
"""The gates by the names of their lists."""


def rows(what: str, options: Options, progress: Progress | None = None) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The rows of the list named `what`, and the problems of the site. The most useful column comes first."""
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
            {"key": s.key, "members": len(s.members), "title": s.title, "address": urls.section(axis, s.key)}
            for s in sections
        )
    return out, loaded.report.problems


def cells(row: dict[str, Any]) -> list[str]:
    """The values of a row as text: the length of a list, a time to the minute, a dash for None.

    With `all_day`, `published` is a day.
    """
    row = dict(row)
    if row.pop("all_day", False):
        row["published"] = row["published"].date().isoformat()
    return [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return "-" if value is None else " ".join(str(msgspec.to_builtins(value)).split())

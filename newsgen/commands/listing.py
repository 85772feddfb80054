"""A loaded site in rows: what is kept back and why, which stories, topics and providers there are."""

from __future__ import annotations

from typing import Any

import msgspec

from newsgen import library, urls
from newsgen.builder import Options, Progress, load
from newsgen.errors import Problem
from newsgen.model import Article, by_time

GATES = {"held": "held", "drafts": "draft", "future": "future", "expired": "expired"}


def rows(what: str, options: Options, progress: Progress | None = None) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The rows of a list by its name, first the column people look for; and the problems met on the way."""
    loaded = load(options, progress)
    shelved = loaded.library
    out: list[dict[str, Any]] = []
    if what in GATES:
        for article in sorted(loaded.articles, key=by_time, reverse=True):
            if library.gate(article, loaded.now) == GATES[what]:
                row = {"id": article.id, "published": article.published, "title": article.title, "heat": article.heat}
                out.append(row | ({"expires": article.expires} if what == "expired" else {}))
    elif what == "stories":
        for story in reversed(shelved.stories):
            members = [
                {"id": m.id, "file": m.id if isinstance(m, Article) else None, "url": m.url, "title": m.title}
                for m in story.members
            ]
            row = {"address": urls.story(shelved.address[story.id]), "members": members}
            row |= {"sources": story.sources, "lead": story.lead.id, "title": story.lead.title, "id": story.id}
            out.append(row)
    else:
        axis = {"topics": "topic", "providers": "provider"}[what]
        sections = sorted(shelved.sections[axis].values(), key=lambda s: (-len(s.members), s.key))
        out += (
            {"key": s.key, "members": len(s.members), "title": s.title, "address": urls.section(axis, s.key)}
            for s in sections
        )
    return out, loaded.report.problems


def columns(row: dict[str, Any]) -> list[str]:
    """A row as text: lists by their length, times to the minute, nothing as a dash."""
    return [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value))
    if hasattr(value, "strftime"):
        return f"{value:%Y-%m-%d %H:%M}"
    return "-" if value is None else " ".join(str(msgspec.to_builtins(value)).split())

"""Decides what keeps an article out of a build, and when that changes."""

from __future__ import annotations

from datetime import datetime

from newsgen.model import Article

GATES = ("held", "draft", "future", "expired")
"""The gates that a flag can open. If several are closed, the first one counts."""

GATE_REASONS = {
    "held": "published: false",
    "draft": "draft: true",
    "future": "publishedDateTime or publishDate is in the future",
    "expired": "expiryDate has passed",
}
"""What closes each gate, as messages say it."""


def gate(article: Article, now: datetime) -> str:
    """What keeps an article out of a build at this wall clock time: "blocked", one of GATES, or "" if nothing does."""
    if article.blocked:
        return "blocked"
    if article.held:
        return "held"
    if article.draft:
        return "draft"
    if article.published > now or (article.embargo is not None and article.embargo > now):
        return "future"
    if article.expires is not None and article.expires <= now:
        return "expired"
    return ""


def moments(article: Article) -> list[datetime]:
    """The times at which an article appears or expires or its `updated` begins to count."""
    is_open = not (article.blocked or article.held or article.draft)
    times = (article.updated, *((article.published, article.embargo, article.expires) if is_open else ()))
    return [moment for moment in times if moment]

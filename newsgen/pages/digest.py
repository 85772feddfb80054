"""Makes the digest of a day, for mail: its best stories, as a value that a template renders as HTML or as text."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from newsgen import urls
from newsgen.library import Library
from newsgen.model import Cluster
from newsgen.pages import lists
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import Page

STORIES, BRIEFLY = 10, 12
"""The number of stories with a summary, and of headlines below them."""


class Digest(Page, frozen=True, kw_only=True):
    """The best stories of a day, as they were at its end.

    `day` is its key and `title` its name. `address` is that of its page, or else of the front page. `stories` are the
    best, and `briefly` those after them. `newest` is the time of the day's newest member.
    """

    day: str
    title: str
    address: str
    stories: tuple[Cluster, ...]
    briefly: tuple[Cluster, ...]
    newest: datetime


class HtmlDigest(Digest, frozen=True, kw_only=True):
    """The digest as HTML that mail programs show: tables, with styles in the elements."""

    template: ClassVar[str] = "digest/digest.html"


class TextDigest(Digest, frozen=True, kw_only=True):
    """The digest as plain text."""

    template: ClassVar[str] = "digest/digest.txt"


def digests(library: Library, day: str) -> tuple[HtmlDigest, TextDigest]:
    """The digest of a day that has members, as HTML and as text."""
    cards, section = Cards(library), library.sections["day"][day]
    until = lists.day_end(cards, day)
    best = cards.ranked(lists.candidates(cards, section), STORIES + BRIEFLY, until=until)
    clusters = [cards.cluster(id, until=until) for id in best]

    page = HtmlDigest(
        path="digest.html",
        day=day,
        title=cards.day_title(day),
        address=cards.places.section("day", day) if cards.has("archive") else urls.HOME,
        stories=tuple(clusters[:STORIES]),
        briefly=tuple(clusters[STORIES:]),
        newest=section.newest,
    )
    return page, TextDigest(**msgspec.structs.asdict(page) | {"path": "digest.txt"})

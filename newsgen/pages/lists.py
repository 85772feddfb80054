"""Lists: the pages of a topic, provider, category and day, and the indexes that lead to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import TypeVar

from newsgen import urls
from newsgen.model import Card, Cluster, CountedLink, Link, Member, ProviderStats, Section
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import Head, IndexGroup, IndexPage, ListPage, Source, SourcesPage
from newsgen.text import MONTHS

RANKED = 10
"""Items on the ranked part of a list's first page."""

INDEX = 600
SOURCES = 250
"""Rows on a page of an index, and of the table of sources."""

T = TypeVar("T")


def last(section: Section, size: int) -> int:
    """How many numbered pages a section has: none where its first page holds all."""
    return -(-len(section.members) // size) if len(section.members) > size else 0


def slots(section: Section, size: int, number: int) -> slice:
    """The members on a numbered page: from the oldest, for good."""
    count = len(section.members)
    return slice(max(0, count - number * size), count - (number - 1) * size)


def _titled(cards: Cards, section: Section) -> tuple[str, Link | None, tuple[Link, ...]]:
    """A section's title, the section above it, and the way to it."""
    axis = section.axis
    title = day_title(section.key) if axis == "day" else section.title
    parent = cards.link(axis, section.parent) if section.parent else None
    place = {
        "topic": Link(title="Topics", url=urls.TOPICS),
        "provider": Link(title="Sources", url=urls.SOURCES if cards.has("sources") else ""),
        "day": Link(title="Archive", url=urls.ARCHIVE),
    }.get(axis)
    here = Link(title=title, url=urls.section(axis, section.key))
    return title, parent, cards.breadcrumbs(*filter(None, (place, parent)), here)


def first(cards: Cards, section: Section, before: Link | None = None, after: Link | None = None) -> ListPage:
    """The first page of a section. `before` and `after` are the days beside a day."""
    axis, key, about = section.axis, section.key, section.about
    address = urls.section(axis, key)
    size = cards.config.page_size
    members = section.members
    oldest = last(section, size)
    ranked = _ranked(cards, section)
    shown = {_name(c) for r in ranked for c in (r.lead, *r.coverage)}
    newest = [c for c in map(cards.card, members[: size + len(shown)]) if _name(c) not in shown][:size]
    title, parent, breadcrumbs = _titled(cards, section)
    intro = about.description if about else ""
    image = about.image if about else None
    beside = Counter(k for m in members for k in cards.topics(m))
    active = Counter(m.provider for m in members if m.provider)
    del beside[key]
    return ListPage(
        path=urls.path(address),
        head=Head(
            title=title,
            description=intro,
            address=address,
            feeds=cards.feeds(title, address) if axis != "day" else (),
            breadcrumbs=breadcrumbs,
            image=image,
        ),
        axis=axis,
        key=key,
        title=title,
        intro=intro,
        body=about.body if about else "",
        home=cards.library.providers[key].home if axis == "provider" else "",
        image=image,
        number=0,
        ranked=tuple(ranked),
        cards=tuple(newest),
        newer=None,
        older=Link(title="Older", url=urls.numbered(address, oldest)) if oldest else None,
        next_day=after,
        previous_day=before,
        parent=parent,
        children=tuple(cards.link(axis, c) for c in section.children),
        topics=cards.counted_links("topic", beside),
        providers=cards.counted_links("provider", active) if axis != "provider" else (),
        stats=cards.stats.get(key) if axis == "provider" else None,
    )


def numbered(cards: Cards, section: Section, number: int) -> ListPage:
    """A numbered page of a section."""
    axis, key, about = section.axis, section.key, section.about
    address = urls.section(axis, key)
    here = urls.numbered(address, number)
    size = cards.config.page_size
    title, parent, breadcrumbs = _titled(cards, section)
    head = Head(
        title=f"{title}, page {number}",
        description=about.description if about else "",
        address=here,
        breadcrumbs=breadcrumbs,
        image=about.image if about else None,
    )
    newest = number == last(section, size)
    return ListPage(
        path=urls.path(here),
        head=head,
        axis=axis,
        key=key,
        title=title,
        home=cards.library.providers[key].home if axis == "provider" else "",
        number=number,
        cards=tuple(map(cards.card, section.members[slots(section, size, number)])),
        newer=Link(title="Newer", url=urls.numbered(address, 0 if newest else number + 1)),
        older=Link(title="Older", url=urls.numbered(address, number - 1)) if number > 1 else None,
        parent=parent,
    )


def _ranked(cards: Cards, section: Section) -> list[Cluster]:
    """The best of a section; a day's by what they were at its end. A provider's page has none: it is one voice."""
    if section.axis == "provider":
        return []
    if section.axis != "day":
        items = cards.items(section.members)
        return [cards.cluster(i) for i in cards.ranked(items, RANKED, frozenset({section.key}))]
    until = section.members[0].published
    items = cards.items(_lately(cards, section))
    return [cards.cluster(i, until=until) for i in cards.ranked(items, RANKED, until=until)]


def lately(section: Section) -> list[str]:
    """The keys of the two days before a day: what is older has no chance on a front page."""
    day = date.fromisoformat(section.key)
    return [(day - timedelta(days=back)).isoformat() for back in range(1, min(3, day.toordinal()))]


def _lately(cards: Cards, section: Section) -> Iterator[Member]:
    """The members of a day and of the days before it."""
    for key in (section.key, *lately(section)):
        known = cards.library.sections["day"].get(key)
        yield from known.members if known else ()


def _name(card: Card) -> str:
    return card.url or card.page


def topics(cards: Cards) -> Iterator[IndexPage]:
    """All topics by their first letter."""
    rows = sorted(cards.library.sections["topic"].values(), key=lambda s: (s.title.casefold(), s.key))
    title = "Topics"
    for chunk, address, newer, older in _parts(rows, urls.TOPICS, INDEX):
        yield IndexPage(
            path=urls.path(address),
            head=_head(cards, title, address, Link(title=title, url=urls.TOPICS)),
            axis="topic",
            title=title,
            groups=tuple(
                IndexGroup(title=letter, items=tuple(map(counted_link, group)))
                for letter, group in groupby(chunk, key=lambda s: s.title[:1].upper())
            ),
            newer=newer,
            older=older,
        )


def sources(cards: Cards) -> Iterator[SourcesPage]:
    """All providers with their figures, and how ranking and grouping work."""
    rows = [
        Source(
            provider=cards.provider(key),
            domain=key,
            home=cards.library.providers[key].home,
            count=len(section.members),
            stats=cards.stats.get(key, ProviderStats()),
            last=section.members[0].published,
        )
        for key, section in cards.library.sections["provider"].items()
    ]
    rows.sort(key=lambda r: (r.provider.title.casefold(), r.domain))
    title = "Sources"
    config = cards.config.ranking
    for chunk, address, newer, older in _parts(rows, urls.SOURCES, SOURCES):
        yield SourcesPage(
            path=urls.path(address),
            head=_head(cards, title, address, Link(title=title, url=urls.SOURCES)),
            sources=tuple(chunk),
            newer=newer,
            older=older,
            similarity=cards.config.stories.similarity,
            half_life=config.half_life,
            provider_cap=config.provider_cap,
            topic_cap=config.topic_cap,
        )


def _parts(rows: list[T], address: str, size: int) -> Iterator[tuple[list[T], str, Link | None, Link | None]]:
    """An index in parts: its rows, its address, and the links to the part before and after it."""
    parts = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
    for number, part in enumerate(parts, 1):
        here, before, after = (urls.numbered(address, n if n > 1 else 0) for n in (number, number - 1, number + 1))
        newer = Link(title="Back", url=before) if number > 1 else None
        older = Link(title="More", url=after) if number < len(parts) else None
        yield part, here, newer, older


def _head(cards: Cards, title: str, address: str, *way: Link) -> Head:
    return Head(title=title, description="", address=address, breadcrumbs=cards.breadcrumbs(*way))


def archive(cards: Cards) -> Iterator[IndexPage]:
    """The archive's front page lists months, a year its months with their days, a month its days."""
    days = list(cards.library.sections["day"].values())
    months = [(month, list(group)) for month, group in groupby(days, key=lambda s: s.key[:7])]
    years = [(year, list(group)) for year, group in groupby(months, key=lambda m: m[0][:4])]
    top = Link(title="Archive", url=urls.ARCHIVE)
    groups = [IndexGroup(title=year, items=tuple(map(_month, group))) for year, group in reversed(years)]
    yield _calendar(cards, "Archive", urls.ARCHIVE, groups, (top,))
    year_links = [Link(title=year, url=urls.archive(year)) for year, _ in years]
    for at, (year, group) in enumerate(years):
        groups = [
            IndexGroup(title=MONTHS[int(month[5:]) - 1], items=tuple(map(counted_link, held))) for month, held in group
        ]
        way = (top, year_links[at])
        yield _calendar(cards, f"Archive {year}", year_links[at].url, groups, way, *_beside(year_links, at))
    month_links = [Link(title=t.title, url=t.url) for t in map(_month, months)]
    for at, (month, held) in enumerate(months):
        title, address = month_links[at].title, month_links[at].url
        year_link = Link(title=month[:4], url=urls.archive(month[:4]))
        crumb = Link(title=MONTHS[int(month[5:]) - 1], url=address)
        shelf = IndexGroup(title=title, items=tuple(map(counted_link, held)))
        yield _calendar(cards, title, address, [shelf], (top, year_link, crumb), *_beside(month_links, at))


def neighbours(cards: Cards) -> Iterator[tuple[Section, Link | None, Link | None]]:
    """Each day with the one before and the one after it that have content."""
    days = list(cards.library.sections["day"].values())
    links = [Link(title=day_title(s.key), url=urls.section("day", s.key)) for s in days]
    for at, day in enumerate(days):
        after, before = _beside(links, at)
        yield day, before, after


def _beside(links: list[Link], at: int) -> tuple[Link | None, Link | None]:
    """The newer and the older neighbour of one in a row of links by date."""
    return (links[at + 1] if at + 1 < len(links) else None, links[at - 1] if at else None)


def _calendar(
    cards: Cards,
    title: str,
    address: str,
    groups: list[IndexGroup],
    way: tuple[Link, ...],
    newer: Link | None = None,
    older: Link | None = None,
) -> IndexPage:
    return IndexPage(
        path=urls.path(address),
        head=_head(cards, title, address, *way),
        axis="archive",
        title=title,
        groups=tuple(groups),
        newer=newer,
        older=older,
    )


def day_title(key: str) -> str:
    """A day's key as people write it: 8 November 2026."""
    year, month, day = key.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]} {int(year)}"


def _month(month: tuple[str, list[Section]]) -> CountedLink:
    key, days = month
    title = f"{MONTHS[int(key[5:]) - 1]} {key[:4]}"
    return CountedLink(title=title, url=urls.archive(key[:4], key[5:]), count=sum(len(s.members) for s in days))


def counted_link(section: Section) -> CountedLink:
    """A section with the number of its members."""
    title = day_title(section.key) if section.axis == "day" else section.title
    return CountedLink(title=title, url=urls.section(section.axis, section.key), count=len(section.members))

"""Makes the pages of the archive: calendars of months and years.

A month shows the headline of each of its days. It is taken from what is known of the days' first pages, so a month is made
after them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import groupby

from newsgen import urls
from newsgen.library import IndexRow
from newsgen.model import Link
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import ArchivePage, ArchiveYear, Calendar, CalendarDay, Head, Headline

HeadlineOf = Callable[[str], Headline | None]
"""Returns the headline of a day, if it is known."""


def months(days: Mapping[str, object]) -> list[str]:
    """The months that have these days, in order: 2026-11."""
    return sorted({day[:7] for day in days})


def month(cards: Cards, key: str, headline_of: HeadlineOf) -> ArchivePage | None:
    """The page of a month, None if nothing was published in it."""
    days = cards.library.index("day")
    keys = months(days)
    if key not in keys:
        return None
    link, year = _month(cards, key), Link(title=key[:4], url=cards.places.archive_of(key[:4]))
    crumb = Link(title=cards.locale.month_of_year(_first_day(key)), url=link.url)
    newer, older = _adjacent([_month(cards, each) for each in keys], keys.index(key))
    calendar, top = _calendar(cards, key, days, headline_of), cards.index_links["archive"]
    return _page(cards, link.title, link.title, link.url, (top, year, crumb), (calendar,), newer=newer, older=older)


def front_and_years(cards: Cards, headline_of: HeadlineOf) -> Iterator[ArchivePage]:
    """The front page of the archive, with the newest month, and the page of each year."""
    days = cards.library.index("day")
    keys = months(days)
    by_year = [(year, list(group)) for year, group in groupby(keys, key=lambda key: key[:4])]
    links = [Link(title=year, url=cards.places.archive_of(year)) for year, _ in by_year]
    years = tuple(
        ArchiveYear(year=link, months=tuple(_month(cards, key) for key in group))
        for link, (_, group) in zip(reversed(links), reversed(by_year), strict=True)
    )
    newest, top = tuple(_calendar(cards, key, days, headline_of) for key in keys[-1:]), cards.index_links["archive"]
    yield _page(cards, top.title, cards.gettext("all years"), top.url, (top,), newest, years)
    for at, (year, group) in enumerate(by_year):
        newer, older = _adjacent(links, at)
        calendars, title = (
            tuple(_calendar(cards, key, days, lambda _: None) for key in group),
            cards.gettext("Archive %(year)s", year=year),
        )
        yield _page(cards, title, year, links[at].url, (top, links[at]), calendars, newer=newer, older=older)


def _calendar(cards: Cards, key: str, days: Mapping[str, IndexRow], headline_of: HeadlineOf) -> Calendar:
    start, count = monthrange(int(key[:4]), int(key[5:]))
    link = _month(cards, key)
    cells = []
    for number in range(1, count + 1):
        day = f"{key}-{number:02}"
        row = days.get(day)
        if row is None:
            cells.append(CalendarDay(day=day))
            continue
        # Powers of eight, so that another article hardly ever changes the level.
        level = min(4, (row.count.bit_length() + 2) // 3)
        url = cards.places.section("day", day)
        cells.append(CalendarDay(day=day, url=url, level=level, headline=headline_of(day)))
    while cells and not cells[-1].url:
        cells.pop()
    start = (start - cards.locale.first_weekday) % 7
    return Calendar(title=link.title, url=link.url, start=start, days=tuple(cells))


def _page(
    cards: Cards,
    title: str,
    span: str,
    address: str,
    crumbs: tuple[Link, ...],
    calendars: tuple[Calendar, ...],
    years: tuple[ArchiveYear, ...] = (),
    newer: Link | None = None,
    older: Link | None = None,
) -> ArchivePage:
    description = cards.gettext("%(site)s, day by day: %(span)s", site=cards.config.title, span=span)
    head = Head(title=title, description=description, address=address, breadcrumbs=cards.breadcrumbs(*crumbs))
    return ArchivePage(
        path=urls.path(address),
        head=head,
        title=title,
        calendars=calendars,
        years=years,
        newer=newer,
        older=older,
    )


def _first_day(key: str) -> date:
    return date.fromisoformat(f"{key}-01")


def _month(cards: Cards, key: str) -> Link:
    return Link(title=cards.locale.month(_first_day(key)), url=cards.places.archive_of(key[:4], key[5:]))


def _adjacent(links: list[Link], at: int) -> tuple[Link | None, Link | None]:
    """The next newer and the next older link in a list that is sorted by date."""
    return (links[at + 1] if at + 1 < len(links) else None, links[at - 1] if at else None)

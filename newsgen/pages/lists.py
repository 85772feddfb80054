"""Makes the pages of topics, providers, categories and days, and the indexes of topics, categories and providers."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from itertools import groupby, islice, pairwise
from typing import NamedTuple, TypeVar

from newsgen import idn, times, urls
from newsgen.library import Section, SectionRow
from newsgen.model import Card, Cluster, Link
from newsgen.pages.cards import CANDIDATES, LINES, SIBLINGS, Cards
from newsgen.pages.kinds import (
    DayLine,
    Head,
    IndexGroup,
    IndexPage,
    ListPage,
    Source,
    SourceGroup,
    SourceLine,
    SourcesPage,
    Trend,
)

RANKED = 10
"""The number of top stories on a section's first page."""

DATED_AXES = ("topic", "category")
"""The axes whose first pages have a line for each day, and a trend of `TREND_DAYS`."""

TREND_DAYS = 30

LATEST = 10
"""The newest members on a first page that has a line for each day."""

_IN_SHORT = 3
"""The headlines in the description of a day."""

INDEX_ROWS = 600

STRONGEST = 30
"""The sources that the first page of the sources describes; if there are more, it is followed by all of them."""

T = TypeVar("T")


def last(count: int, size: int) -> int:
    """The number of the last numbered page of a section with `count` members; 0 if its first page holds them all."""
    return -(-count // size) if count > size else 0


class LineScores(NamedTuple):
    """The scores of the stories that have the lines of a page's days, from the `newest` day (an ordinal) back; -infinity for
    a day without a line.
    """

    newest: int = 0
    scores: tuple[float, ...] = ()

    def may_change(self, score: float, day: int) -> bool:
        """Whether an item of a day with a score may have the line of that day."""
        at = self.newest - day
        return 0 <= at < len(self.scores) and score >= self.scores[at]


def local_day(moment: datetime, zone: tzinfo) -> int:
    """The ordinal of a day in a time zone."""
    return times.local(moment, zone).date().toordinal()


def newest(size: int) -> int:
    """The number of newest members that the first page of a section, or its JSON, may show besides those of its top
    stories."""
    return max(size + RANKED * (1 + LINES + SIBLINGS), 2 * size)


def _heading(cards: Cards, section: Section) -> tuple[str, Link | None, tuple[Link, ...]]:
    """A section's title, its parent and its breadcrumbs."""
    axis = section.axis
    title = cards.day_title(section.key) if axis == "day" else section.title
    parent = cards.link(axis, section.parent) if section.parent else None
    index = {
        "topic": cards.index_links["topic"],
        "category": cards.index_links["category"],
        "provider": cards.index_links["sources"]
        if cards.has("sources")
        else Link(title=cards.gettext("Sources"), url=""),
        "day": cards.index_links["archive"],
    }.get(axis)
    here = Link(title=title, url=cards.places.section(axis, section.key))
    return title, parent, cards.breadcrumbs(*filter(None, (index, parent)), here)


def _qualifier(cards: Cards, section: Section) -> str:
    """What tells a section from others with the same title: a provider's domain, or the axis."""
    if section.axis == "provider":
        return idn.shown(section.key, cards.config.language)
    return cards.gettext("Topics") if section.axis == "topic" else ""


def first(
    cards: Cards,
    section: Section,
    candidates: list[tuple[float, str]],
    before: Link | None = None,
    after: Link | None = None,
) -> tuple[ListPage, LineScores]:
    """The first page of a section, and the scores of the lines of its days.

    `before` and `after` link to the adjacent days of a day.
    """
    axis, key, about = section.axis, section.key, section.about
    address = cards.places.section(axis, key)
    size = cards.config.page_size
    oldest = last(section.count, size)
    ranked = _ranked(cards, section, candidates)
    shown = {_card_url(c) for r in ranked for c in (r.lead, *r.coverage, *(s.lead for s in r.siblings))}
    rows = islice(section.rows.descending(), size + len(shown))
    newest = [c for c in cards.cards(section, rows) if _card_url(c) not in shown][:size]
    trend, days, scores = None, tuple[DayLine, ...](), LineScores()
    if oldest and axis in DATED_AXES:
        # The numbered pages have all members: here, each day has one line.
        newest = newest[:LATEST]
        starts = _day_starts(cards, section)
        trend = _trend(cards, section, starts)
        days, scores = _day_lines(cards, section, starts, shown | set(map(_card_url, newest)))
    title, parent, breadcrumbs = _heading(cards, section)
    older = cards.gettext("All reports") if days else cards.gettext("Older")
    intro = about.description if about else ""
    image = about.image if about else None
    topic_counts = {topic: n for topic, n in section.facts.topics.items() if axis != "topic" or topic != key}
    provider_counts = section.facts.providers
    page = ListPage(
        path=urls.path(address),
        head=Head(
            title=title,
            description=_day_in_short(cards, title, ranked)
            if axis == "day"
            else intro or _in_short(cards, axis, title),
            address=address,
            feeds=cards.feeds(title, address, cards.section_formats(section)),
            qualifier=_qualifier(cards, section),
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
        older=Link(title=older, url=cards.places.numbered(address, oldest)) if oldest else None,
        next_day=after,
        previous_day=before,
        parent=parent,
        children=tuple(cards.link(axis, c) for c in section.children),
        topics=cards.counted_links("topic", topic_counts),
        providers=cards.counted_links("provider", provider_counts) if axis != "provider" else (),
        stats=cards.library.stats(key) if axis == "provider" else None,
        trend=trend,
        days=days,
        kind=about.type if about and axis == "provider" else "",
        country=about.country if about and axis == "provider" else "",
        owner=about.owner if about and axis == "provider" else "",
    )
    return page, scores


def _day_starts(cards: Cards, section: Section) -> list[datetime]:
    """The beginnings of the days that the trend of a section has, and the end of the last one, oldest first."""
    zone = cards.config.zone
    newest = local_day(section.newest, zone)
    days = range(max(1, newest - TREND_DAYS + 1), min(newest + 1, date.max.toordinal()) + 1)
    return [times.start(date.fromordinal(day), zone) for day in days]


def _trend(cards: Cards, section: Section, starts: list[datetime]) -> Trend:
    places = [section.rows.position((start, "")) for start in starts]
    return Trend(
        first=cards.day_title(cards.library.day(starts[0])),
        last=cards.day_title(cards.library.day(section.newest)),
        counts=tuple(after - before for before, after in pairwise(places)),
    )


def _day_lines(
    cards: Cards, section: Section, starts: list[datetime], shown: set[str]
) -> tuple[tuple[DayLine, ...], LineScores]:
    """A line for each day, the newest first: the best item that the page does not show elsewhere. Also returns the scores."""
    shown = set(shown)
    lines, scores = list[DayLine](), list[float]()
    for start, end in reversed([*pairwise(starts)]):
        rows = section.rows
        scores.append(-float("inf"))
        for score, id in rows.best(_item, rows.position((start, "")), rows.position((end, ""))):
            if not cards.is_about(id, section.axis, section.key):
                continue
            cluster = cards.cluster(id, 0)
            if _card_url(cluster.lead) in shown:
                continue
            shown.add(_card_url(cluster.lead))
            key = cards.library.day(start)
            url = cards.places.section("day", key) if cards.has("archive") else ""
            lines.append(DayLine(day=Link(title=cards.day_title(key), url=url), cluster=cluster))
            scores[-1] = score
            break
    newest = local_day(starts[-1], cards.config.zone) - 1
    return tuple(lines), LineScores(newest, tuple(scores))


def numbered(cards: Cards, section: Section, number: int) -> ListPage:
    """A numbered page of a section."""
    axis, key, about = section.axis, section.key, section.about
    address = cards.places.section(axis, key)
    here = cards.places.numbered(address, number)
    size = cards.config.page_size
    title, parent, breadcrumbs = _heading(cards, section)
    description = about.description if about else ""
    if axis == "day":
        number_text = cards.locale.number(number)
        description = cards.gettext("The reports of %(day)s, page %(number)s", day=title, number=number_text)
    head = Head(
        title=_page_title(cards, title, number, numbered=True),
        description=description,
        address=here,
        qualifier=_qualifier(cards, section),
        breadcrumbs=breadcrumbs,
        image=about.image if about else None,
    )
    is_newest = number == last(section.count, size)
    # Pages count from the oldest, so full pages never change.
    rows = section.rows.at((number - 1) * size, number * size)
    return ListPage(
        path=urls.path(here),
        head=head,
        axis=axis,
        key=key,
        title=title,
        home=cards.library.providers[key].home if axis == "provider" else "",
        number=number,
        cards=tuple(cards.cards(section, reversed(rows))),
        newer=Link(title=cards.gettext("Newer"), url=cards.places.numbered(address, 0 if is_newest else number + 1)),
        older=Link(title=cards.gettext("Older"), url=cards.places.numbered(address, number - 1))
        if number > 1
        else None,
        parent=parent,
    )


def _ranked(cards: Cards, section: Section, candidates: list[tuple[float, str]]) -> list[Cluster]:
    """The top stories of a section, for a day as of its end."""
    until = day_end(cards, section.key) if section.axis == "day" else None
    about = (section.axis, section.key) if until is None else None
    places = cards.ranked(candidates, RANKED, about, until)
    return [cards.cluster(id, until=until, siblings=siblings) for id, siblings in places.items()]


def candidates(cards: Cards, section: Section) -> list[tuple[float, str]]:
    """The scores and ids of the items from which the top stories of a section are chosen, the best first.

    A provider has none, because it is a single source.
    """
    if section.axis == "provider":
        return []
    best = _best_until(cards, section.key) if section.axis == "day" else section.rows.best(_item)
    return list(islice(best, RANKED * CANDIDATES))


def _best_until(cards: Cards, day: str) -> Iterator[tuple[float, str]]:
    """The items of a day and of the two days before it, ranked as they were at its end, the best first. Older ones would
    not make it onto a front page.
    """

    library = cards.library

    def is_of_story(key: tuple[datetime, str], id: str) -> bool:
        # Coverage may be a member of several stories, but is in the lists for one of them.
        row = library.section_rows("day", library.day(key[0])).get(key)
        return row is not None and row.item == id

    def items(of: str) -> Iterator[tuple[float, str]]:
        for score, id in library.section_rows("day", of).best(_item):
            # A story with members on a later day, too, is ranked as it was then.
            story = library.story_record(id) if of != day else None
            later = [key for key in story.members if of < library.day(key[0]) <= day] if story else []
            if not any(is_of_story(key, id) for key in later):
                yield score, id

    return heapq.merge(*map(items, (day, *days_from(day, -1))), reverse=True)


def _item(row: SectionRow) -> str:
    return row.item or row.id


def day_end(cards: Cards, key: str) -> datetime:
    """The last moment of a day."""
    return times.end(date.fromisoformat(key), cards.config.zone)


def days_from(key: str, step: int) -> list[str]:
    """The keys of the two days after a day (`step` 1) or before it (-1)."""
    day = date.fromisoformat(key).toordinal()
    others = (day + step, day + 2 * step)
    return [date.fromordinal(other).isoformat() for other in others if 0 < other <= date.max.toordinal()]


def _card_url(card: Card) -> str:
    return card.url or card.page


def index(cards: Cards, axis: str) -> Iterator[IndexPage]:
    """The index of all topics or categories, grouped by first letter."""
    locale = cards.locale
    rows = sorted(cards.library.index(axis).items(), key=lambda row: (locale.sort_key(row[1].title), row[0]))
    top = cards.index_links[axis]
    title, site = top.title, cards.config.title
    all_topics = cards.gettext("All topics of %(site)s, from A to Z", site=site)
    all_sections = cards.gettext("All sections of %(site)s, from A to Z", site=site)
    for number, chunk, address, newer, older in _paginate(cards, rows, top.url, INDEX_ROWS):
        yield IndexPage(
            path=urls.path(address),
            head=_head(
                cards,
                _page_title(cards, title, number),
                address,
                top,
                description=all_topics if axis == "topic" else all_sections,
            ),
            axis=axis,
            title=title,
            groups=tuple(
                IndexGroup(title=letter, items=tuple(cards.link(axis, key) for key, _ in group))
                for letter, group in groupby(chunk, key=lambda row: locale.initial(row[1].title))
            ),
            newer=newer,
            older=older,
        )


def sources(cards: Cards) -> Iterator[SourcesPage]:
    """The strongest providers, and all of them by first letter if there are more."""
    index = cards.library.index("provider")
    rows = [SourceLine(provider=cards.provider(key), domain=idn.shown(key, cards.config.language)) for key in index]
    rows.sort(key=lambda row: (cards.locale.sort_key(row.provider.title), row.domain))

    def letter_of(row: SourceLine) -> str:
        return cards.locale.initial(row.provider.title)

    title = cards.gettext("Sources")
    config = cards.config.ranking
    pages = list(_paginate(cards, rows if len(rows) > STRONGEST else [], cards.places.sources, INDEX_ROWS))
    letters: dict[str, Link] = {}
    for _, chunk, address, _, _ in pages:
        for row in chunk:
            letter = letter_of(row)
            letters.setdefault(letter, Link(title=letter, url=f"{address}#{_place(letter)}"))
    for number, chunk, address, newer, older in pages:
        yield SourcesPage(
            path=urls.path(address),
            head=_head(
                cards,
                _page_title(cards, title, number),
                address,
                cards.index_links["sources"],
                description=cards.gettext(
                    "The sources of %(site)s, and how its stories are grouped and ranked", site=cards.config.title
                ),
            ),
            number=number,
            sources=tuple(_strongest(cards)) if number == 1 else (),
            letters=tuple(letters.values()),
            groups=tuple(
                SourceGroup(title=letter, id=_place(letter), sources=tuple(group))
                for letter, group in groupby(chunk, key=letter_of)
            ),
            newer=newer,
            older=older,
            similarity=cards.config.stories.similarity,
            half_life=config.half_life,
            provider_cap=config.provider_cap,
            topic_cap=config.topic_cap,
        )


def _place(letter: str) -> str:
    return f"from_{letter.lower()}" if letter != "#" else "from_others"


def _strongest(cards: Cards) -> Iterator[Source]:
    """The providers that are in most stories with others, or else have most members."""
    library = cards.library
    tallies = library.tallies

    def strength(key: str) -> tuple[int, int]:
        return tallies[key].stories if key in tallies else 0, library.index("provider")[key].count

    best = heapq.nsmallest(STRONGEST, library.index("provider"), key=lambda key: (*(-n for n in strength(key)), key))
    for key in best:
        about = library.about["provider"].get(key)
        yield Source(
            provider=cards.provider(key),
            domain=idn.shown(key, cards.config.language),
            home=library.providers[key].home,
            image=about.image if about else None,
            kind=about.type if about else "",
            country=about.country if about else "",
            owner=about.owner if about else "",
            stats=library.stats(key),
        )


def _paginate(
    cards: Cards, rows: list[T], address: str, size: int
) -> Iterator[tuple[int, list[T], str, Link | None, Link | None]]:
    """Splits an index into pages: the number, rows and address of each, and links to the previous and next one."""
    pages = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
    for number, page in enumerate(pages, 1):
        here, before, after = (
            cards.places.numbered(address, n if n > 1 else 0) for n in (number, number - 1, number + 1)
        )
        newer = Link(title=cards.gettext("Back"), url=before) if number > 1 else None
        older = Link(title=cards.gettext("More"), url=after) if number < len(pages) else None
        yield number, page, here, newer, older


def _page_title(cards: Cards, title: str, number: int, *, numbered: bool = False) -> str:
    """The title of a page of several. The first has no number, unless it is `numbered`."""
    if number < 2 and not numbered:
        return title
    return cards.gettext("%(title)s, page %(number)s", title=title, number=cards.locale.number(number))


def _head(cards: Cards, title: str, address: str, *crumbs: Link, description: str) -> Head:
    return Head(title=title, description=description, address=address, breadcrumbs=cards.breadcrumbs(*crumbs))


def _in_short(cards: Cards, axis: str, title: str) -> str:
    """The description of a section that has none of its own."""
    if axis == "provider":
        return cards.gettext("The newest reports from %(source)s", source=title)
    return cards.gettext("The newest reports on %(title)s", title=title)


def _day_in_short(cards: Cards, title: str, ranked: list[Cluster]) -> str:
    """The description of a day: its first headlines."""
    headlines = "; ".join(cluster.title for cluster in ranked[:_IN_SHORT])
    if not headlines:
        return cards.gettext("The reports of %(day)s", day=title)
    return cards.gettext("The top stories of %(day)s: %(headlines)s", day=title, headlines=headlines)


def neighbours(cards: Cards, days: list[str], day: str) -> tuple[Link | None, Link | None]:
    """Links to the days before and after a day that have members. `days` are the keys of all days, sorted."""
    at = bisect_left(days, day)
    before, after = (
        days[max(0, at - 1) : at],
        days[at + 1 : at + 2] if days[at : at + 1] == [day] else days[at : at + 1],
    )
    link = [Link(title=cards.day_title(key), url=cards.places.section("day", key)) for key in (*before, *after)]
    return (link[0] if before else None, link[-1] if after else None)

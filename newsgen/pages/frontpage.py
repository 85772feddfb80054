"""Makes the front page: the top stories, the busiest topics of the week and the latest members."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import chain, islice, takewhile

from newsgen import times, urls
from newsgen.model import CountedLink
from newsgen.pages.cards import CANDIDATES, LINES, Cards
from newsgen.pages.kinds import Block, Head, HomePage
from newsgen.stories import longest_pinned, members_of, trending

TOP = 12
"""The number of top stories. Below them are up to `BLOCKS` topics with `BLOCK_SIZE` stories each."""

BLOCKS = 6
BLOCK_SIZE = 3

LEAD_LINES = 2
"""The headlines below the first of the top stories."""

LATEST = 12
"""The maximum number of latest members; the page of the day has the others."""

_WEEK = timedelta(days=7)
_WINDOW = timedelta(days=2)
"""Topics are trending that have more members in this time than in the same time before."""

_NEWEST = 400


def page(cards: Cards) -> HomePage:
    """The front page."""
    library, config = cards.library, cards.config
    best = cards.ranked(islice(library.rows.best(lambda row: row.item), TOP * CANDIDATES), TOP)
    pins = {row.item: None for id in library.facts.pins if (row := library.row(id))}
    pinned = longest_pinned(map(members_of, map(library.item, pins)), library.clock)
    if pinned:
        first = cards.row(pinned[0].id).item
        others = {id: [s for s in siblings if s != first] for id, siblings in best.items() if id != first}
        best = dict(islice({first: best.get(first, []), **others}.items(), TOP))
    busy, active, rising = _active(cards)
    days = sorted(library.index("day"), reverse=True)[:7] if cards.has("archive") else []
    clusters = [
        cards.cluster(id, LEAD_LINES if at == 0 else LINES, siblings=siblings)
        for at, (id, siblings) in enumerate(best.items())
    ]
    shown = {member for id, siblings in best.items() for each in (id, *siblings) for member in cards.member_ids(each)}
    head = Head(
        title=config.title,
        description=config.description or cards.gettext("The stories of the day, with their sources"),
        address=urls.HOME,
        image=clusters[0].lead.image if clusters else None,
    )
    return HomePage(
        path=urls.path(urls.HOME),
        head=head,
        lead=clusters[0] if clusters else None,
        top=tuple(clusters[1:]),
        blocks=tuple(_blocks(cards, busy, shown)),
        latest=tuple(cards.card(m) for m in library.members[: min(LATEST, config.page_size)]),
        trending=tuple(cards.link("topic", k) for k in rising[:8]),
        providers=tuple(cards.provider(p) for p, _ in sorted(active.items(), key=lambda a: (-a[1], a[0]))[:10]),
        days=tuple(
            CountedLink(
                title=cards.day_title(day), url=cards.places.section("day", day), count=library.index("day")[day].count
            )
            for day in days
        ),
    )


def _active(cards: Cards) -> tuple[Counter[str], Counter[str], list[str]]:
    """How many members of the week have each topic and each provider, and the topics that are trending.

    Topics on more than half of all members are left out.
    """
    library = cards.library

    def ago(span: timedelta) -> datetime:
        return library.clock - min(span, library.clock - times.FIRST)

    days = sorted(day for day in library.index("day") if day >= library.day(ago(_WEEK)))
    moments = times.LAST, library.clock, ago(_WINDOW), ago(2 * _WINDOW), ago(_WEEK)
    topics, providers = zip(*(_counted(cards, days, moment) for moment in moments), strict=True)
    every, until_now, two_days_ago, four_days_ago, week_ago = topics
    rising = trending(until_now - two_days_ago, two_days_ago - four_days_ago)
    return every - week_ago, providers[0] - providers[-1], rising


def _counted(cards: Cards, days: list[str], moment: datetime) -> tuple[Counter[str], Counter[str]]:
    """How many members of these days, up to a moment, have each topic and each provider."""
    library, topics, providers = cards.library, Counter[str](), Counter[str]()
    for day in days:
        if library.index("day")[day].newest <= moment:
            facts = library.section_facts("day", day)
            topics.update(facts.topics)
            providers.update(facts.providers)
        elif (start := times.start(date.fromisoformat(day), cards.config.zone)) <= moment:
            for row in takewhile(lambda row: row.published <= moment, library.rows.ascending((start, ""))):
                topics.update(cards.topics(row))
                providers.update([row.provider] if row.provider else ())
    for key in cards.ubiquitous_topics:
        topics.pop(key, None)
    return topics, providers


def _blocks(cards: Cards, busy: Mapping[str, int], shown: set[str]) -> Iterator[Block]:
    """The busiest topics of the week, with the best of the items that the page does not show yet."""
    remaining = BLOCKS
    for key, _ in sorted(busy.items(), key=lambda b: (-b[1], b[0])):
        rows = islice(cards.library.section_rows("topic", key).descending(), _NEWEST)
        scores = {row.item or row.id: row.score for row in rows}
        unseen = ((score, id) for id, score in scores.items() if id not in shown)
        chosen = cards.ranked(heapq.nlargest(BLOCK_SIZE * CANDIDATES, unseen), BLOCK_SIZE, ("topic", key))
        if len(chosen) < BLOCK_SIZE:
            continue
        shown = shown.union(*map(cards.member_ids, [*chosen, *chain(*chosen.values())]))
        link = cards.link("topic", key)
        yield Block(title=link.title, url=link.url, clusters=tuple(cards.cluster(id, 0) for id in chosen))
        remaining -= 1
        if not remaining:
            return

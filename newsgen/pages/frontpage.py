"""Makes the front page: the top stories, the busiest topics of the week and the latest members."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain, islice, takewhile

from newsgen import urls
from newsgen.library import Row
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
    topics: dict[tuple[str, ...], frozenset[str]] = {}
    recent = list[tuple[frozenset[str], datetime]]()
    active = Counter[str]()
    for row in takewhile(lambda row: library.clock - row.published < _WEEK, library.rows.descending()):
        keys = topics.get(row.topics)
        if keys is None:
            keys = topics[row.topics] = _distinctive_topics(cards, row)
        recent.append((keys, row.published))
        if row.provider:
            active[row.provider] += 1
    rising = trending(((key, published) for keys, published in recent for key in keys), library.clock)
    busy = Counter(key for keys, _ in recent for key in keys)
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


def _distinctive_topics(cards: Cards, row: Row) -> frozenset[str]:
    """The topics of a member, without those on more than half of all members."""
    return frozenset(cards.topics(row)) - cards.ubiquitous_topics


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

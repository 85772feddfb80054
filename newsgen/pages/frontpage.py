"""The front page: the best of all, what is busy this week, and the newest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from newsgen import urls
from newsgen.model import Member
from newsgen.pages import lists
from newsgen.pages.cards import LINES, Cards, Item
from newsgen.pages.kinds import Block, Head, HomePage
from newsgen.stories import longest_pinned, members_of, trending

TOP = 12
"""Stories at the top of the front page; below them `BLOCKS` topics with `BLOCK` stories each."""

BLOCKS = 6
BLOCK = 3
_WEEK = timedelta(days=7)


def page(cards: Cards, items: list[Item]) -> HomePage:
    """The front page of a site. `items` are all there is."""
    library, config = cards.library, cards.config
    best = cards.ranked(items, TOP)
    pinned = longest_pinned(map(members_of, items), library.clock)
    if pinned:
        first = library.story_of.get(pinned[0].id, pinned[0])
        best = [first, *(i for i in best if i is not first)][:TOP]
    recent = [m for m in library.members if library.clock - m.published < _WEEK]
    dated = ((k, m.published) for m in recent for k in _telling(cards, m))
    rising = trending(dated, library.clock)
    active = Counter(m.provider for m in recent if m.provider)
    days = list(library.sections["day"].values())[-7:][::-1] if cards.has("archive") else []
    clusters = [cards.cluster(item, 6 if at == 0 else LINES) for at, item in enumerate(best)]
    head = Head(
        title=config.title,
        description=config.description,
        address=urls.HOME,
        image=clusters[0].lead.image if clusters else None,
    )
    return HomePage(
        path=urls.path(urls.HOME),
        head=head,
        lead=clusters[0] if clusters else None,
        top=tuple(clusters[1:]),
        blocks=tuple(_blocks(cards, recent, {m.id for item in best for m in members_of(item)})),
        latest=tuple(cards.card(m) for m in library.members[: config.page_size]),
        trending=tuple(cards.link("topic", k) for k in rising[:8]),
        providers=tuple(cards.provider(p) for p, _ in sorted(active.items(), key=lambda a: (-a[1], a[0]))[:10]),
        days=tuple(map(lists.counted_link, days)),
    )


def _telling(cards: Cards, member: Member) -> frozenset[str]:
    """The topics of a member that tell it from others."""
    return frozenset(cards.topics(member)) - cards.everywhere


def _blocks(cards: Cards, recent: list[Member], shown: set[str]) -> Iterator[Block]:
    """The topics of the week, the busiest first, with what the page does not show yet."""
    busy = Counter(k for m in recent for k in _telling(cards, m))
    left = BLOCKS
    for key, _ in sorted(busy.items(), key=lambda b: (-b[1], b[0])):
        members = cards.library.sections["topic"][key].members
        fresh = [i for i in cards.items(members[:400]) if i.id not in shown]
        chosen = cards.ranked(fresh, BLOCK, frozenset({key}))
        if len(chosen) < BLOCK:
            continue
        shown = shown | {m.id for i in chosen for m in members_of(i)}
        link = cards.link("topic", key)
        yield Block(title=link.title, url=link.url, clusters=tuple(cards.cluster(i, 2) for i in chosen))
        left -= 1
        if not left:
            return

"""Makes the front page: the top stories, the busiest topics of the week and the latest members."""

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
"""The number of top stories. Below them are up to `BLOCKS` topics with `BLOCK_SIZE` stories each."""

BLOCKS = 6
BLOCK_SIZE = 3
_WEEK = timedelta(days=7)


def page(cards: Cards, items: list[Item]) -> HomePage:
    """The front page. `items` are all items of the site."""
    library, config = cards.library, cards.config
    best = cards.ranked(items, TOP)
    pinned = longest_pinned(map(members_of, items), library.clock)
    if pinned:
        pinned_item = library.story_of.get(pinned[0].id, pinned[0])
        best = [pinned_item, *(i for i in best if i is not pinned_item)][:TOP]
    recent = [m for m in library.members if library.clock - m.published < _WEEK]
    dated = ((k, m.published) for m in recent for k in _distinctive_topics(cards, m))
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


def _distinctive_topics(cards: Cards, member: Member) -> frozenset[str]:
    """The topics of a member, without those on more than half of all members."""
    return frozenset(cards.topics(member)) - cards.ubiquitous_topics


def _blocks(cards: Cards, recent: list[Member], shown: set[str]) -> Iterator[Block]:
    """The busiest topics of the week, with the best of the items that the page does not show yet."""
    busy = Counter(k for m in recent for k in _distinctive_topics(cards, m))
    remaining = BLOCKS
    for key, _ in sorted(busy.items(), key=lambda b: (-b[1], b[0])):
        members = cards.library.sections["topic"][key].members
        unseen = [i for i in cards.items(members[:400]) if i.id not in shown]
        chosen = cards.ranked(unseen, BLOCK_SIZE, frozenset({key}))
        if len(chosen) < BLOCK_SIZE:
            continue
        shown = shown | {m.id for i in chosen for m in members_of(i)}
        link = cards.link("topic", key)
        yield Block(title=link.title, url=link.url, clusters=tuple(cards.cluster(i, 2) for i in chosen))
        remaining -= 1
        if not remaining:
            return

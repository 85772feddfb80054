"""The page of a story and its feed: who told it when, in whose words, and what makes it one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from newsgen import urls
from newsgen.model import Cluster, Link, Member, Story, by_time
from newsgen.pages import feeds
from newsgen.pages.cards import Cards, Item, minutes
from newsgen.pages.kinds import Group, Head, NearMiss, Page, Reason, StoryEntry, StoryPage, TimelinePoint
from newsgen.stories import lead_reason

AXIS, DOT = 360, 9
"""The width of a timeline's drawing, and of a dot on it."""

BESIDE = 4
"""Stories and articles that a page names beside its own."""

NEAR = 0.3
"""How well, out of 1, something has to fit a story to be worth a look beside it."""

_RUN = 40
_WORDS = re.compile(r"\w+")


def pages(cards: Cards, story: Story) -> Iterator[Page]:
    """The page of a story, and its feed."""
    page = _page(cards, story)
    yield page
    if "atom" in cards.formats:
        yield feeds.story(cards, story, page.title, page.summary)


def _page(cards: Cards, story: Story) -> StoryPage:
    about = cards.library.about["story"].get(story.name)
    address = cards.story_url(story)
    lead = cards.card(story.lead)
    count = Counter(k for m in story.members for k in dict.fromkeys(cards.topics(m)))
    title = cards.story_title(story, story.lead)
    summary = (about.description if about else "") or lead.summary
    timeline = _timeline(cards, story)
    head = Head(
        title=title,
        description=summary,
        address=address,
        image=lead.image,
        lang=lead.lang,
        dir=lead.dir,
        noindex=any(m.status for m in story.members),
        feeds=(Link(title=title, url=feeds.story_address(address)),) if "atom" in cards.formats else (),
        breadcrumbs=cards.breadcrumbs(*cards.way(story.lead), Link(title=title, url=address)),
    )
    return StoryPage(
        path=urls.path(address),
        head=head,
        title=title,
        summary=summary,
        lead=lead,
        lead_reason=lead_reason(story, about.lead if about else ""),
        first=cards.card(story.first),
        last=story.last.published,
        sources=story.sources,
        groups=tuple(_groups(cards, story)),
        timeline=timeline,
        axis=(AXIS, DOT * max(r.y + 1 for r in timeline)),
        topics=tuple(cards.link("topic", k) for k, _ in sorted(count.items(), key=lambda c: (-c[1], c[0]))),
        related=tuple(_beside(cards, story)),
        reasons=tuple(_reasons(cards, story)),
        near_misses=tuple(_misses(cards, story)),
        body=about.body if about else "",
    )


def _groups(cards: Cards, story: Story) -> Iterator[Group]:
    """The members by provider, each text once."""
    texts: dict[str, Member] = {}
    copies: dict[str, list[Member]] = {}
    own: list[Member] = []
    for member in (story.lead, *(m for m in story.members if m is not story.lead)):
        first = texts.setdefault(_text(member) or member.id, member)
        if first is member:
            own.append(member)
        else:
            copies.setdefault(first.id, []).append(member)
    rows = sorted(own, key=lambda m: (m.provider, m.published, m.id))
    groups = [tuple(group) for _, group in groupby(rows, key=lambda m: m.provider)]
    groups.sort(key=lambda g: (-max(m.quality or 0 for m in g), g[0].published, g[0].id))
    for group in groups:
        yield Group(
            provider=cards.provider(group[0].provider),
            entries=tuple(
                StoryEntry(card=cards.card(m), copies=tuple(map(cards.card, copies.get(m.id, ())))) for m in group
            ),
        )


def _text(member: Member) -> str:
    """The letters by which a wire text is known in another paper: of its excerpt, where that has enough of them."""
    letters = "".join(_WORDS.findall(member.excerpt.casefold()))
    if len(letters) < _RUN:
        letters = "".join(_WORDS.findall(member.title.casefold())) + letters
    return letters if len(letters) >= _RUN else ""


def _timeline(cards: Cards, story: Story) -> tuple[TimelinePoint, ...]:
    """All members in the order of time; dots that would cover each other are put on top of each other."""
    span = (story.last.published - story.first.published).total_seconds()
    height: Counter[int] = Counter()
    out = []
    for member in story.members:
        passed = (member.published - story.first.published).total_seconds()
        slot = round(passed / span * (AXIS // DOT - 1)) if span else 0
        out.append(
            TimelinePoint(
                card=cards.card(member),
                lag=minutes(story.first.published, member.published),
                x=slot * DOT + DOT // 2,
                y=height[slot],
            )
        )
        height[slot] += 1
    return tuple(out)


def _beside(cards: Cards, story: Story) -> Iterator[Cluster]:
    """What is related and yet different: what came near, or was named by one side only. In the order of its time."""
    library = cards.library
    found: dict[str, Item] = {}
    for miss in story.rejected:
        if miss.reason == "unlike" and miss.fit < NEAR:
            continue
        item: Item = library.story_of.get(miss.id, library.by_id[miss.id])
        if item.id != story.id and len(found) < BESIDE:
            found[item.id] = item
    yield from (cards.cluster(found[member.id], 0) for member in _by_time(cards, found))


def _reasons(cards: Cards, story: Story) -> Iterator[Reason]:
    """What joined the members, in the order of their time."""
    members = {m.id: (at, m) for at, m in enumerate(story.members)}
    found = [e for e in story.evidence if e.member in members and e.other in members]
    for e in sorted(found, key=lambda e: (members[e.member][0], members[e.other][0], e.kind)):
        piece, other = (cards.card(members[id][1]) for id in (e.member, e.other))
        yield Reason(card=piece, other=other, kind=e.kind, quarters=_quarters(e.score))


def _misses(cards: Cards, story: Story) -> Iterable[NearMiss]:
    """What came near and is not in the story, in the order of its time."""
    misses = {miss.id: miss for miss in story.rejected}
    for member in _by_time(cards, misses):
        miss = misses[member.id]
        piece, other = cards.card(member), cards.card(cards.library.by_id[miss.other])
        yield NearMiss(
            card=piece, other=other, reason=miss.reason, quarters=_quarters(miss.score), fit=_quarters(miss.fit)
        )


def _by_time(cards: Cards, ids: Iterable[str]) -> list[Member]:
    """By time and not by how near they are: that changes with every article anywhere."""
    return sorted((cards.library.by_id[id] for id in ids), key=by_time)


def _quarters(share: float) -> int:
    """Every article moves all shares a little, and is to change few pages: they say no more. `explain` has the figures."""
    return min(round(4 * share), 4)

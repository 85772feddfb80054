"""Makes the page and the feed of a story: its members by time, and the evidence for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from newsgen import urls
from newsgen.library import minutes, post
from newsgen.model import Cluster, Link, Member, Story, by_time
from newsgen.pages import articlepages, feeds
from newsgen.pages.cards import DEVELOPMENT, Cards
from newsgen.pages.kinds import Difference, Head, NearMiss, Page, Reason, StoryEntry, StoryPage, TimelinePoint
from newsgen.stories import lead_reason, names, numbers
from newsgen.text import headline

AXIS, DOT = 360, 9
"""The width of the timeline's drawing, and of a dot on it."""

RELATED = SIBLINGS = 4
"""The maximum number of related stories and articles, and of those on the same event."""

MIN_FIT = 0.3
"""The fit that a near miss needs to be shown as related."""

MIN_COMPARED = 3
"""The number of different texts from which on a story says what differs between them."""

NUMBERS, NAMED, NAMES = 6, 8, 4
"""The maximum numbers of numbers, of reports with names, and of names of a report."""

_MIN_COPY_LETTERS = 40
_WORDS = re.compile(r"\w+")


def feed(cards: Cards, story: Story, page: StoryPage) -> Iterator[Page]:
    """The feed of a story, given its page."""
    if "atom" in cards.feed_formats:
        yield feeds.story(cards, story, page.title, page.summary)


def page(cards: Cards, story: Story) -> StoryPage:
    """The page of a story."""
    about = cards.library.about["story"].get(story.name)
    address = cards.story_url(story)
    lead = cards.card(story.lead)
    own = post(story)
    topic_counts = Counter(k for m in story.members for k in dict.fromkeys(cards.topics(m)))
    title = cards.story_title(story.name, lead, cards.card(own) if own else None)
    summary = (about.description if about else "") or lead.summary
    timeline = _timeline(cards, story)
    siblings = cards.siblings(story.id)
    reports, marginal = _reports(cards, story)
    first_report = _first_report(story)
    anchors = {report.card.url for report in reports}
    compared = [m for m in story.core if (m.url or cards.library.page(m)) in anchors]
    if len(compared) < MIN_COMPARED:
        compared = []
    texts = [_text(cards, m) for m in compared]
    head = Head(
        title=title,
        qualifier=cards.gettext("Full coverage, %(moment)s", moment=cards.moment(next(story.files))),
        description=summary or _in_short(cards, reports),
        address=address,
        image=lead.image,
        lang=lead.lang,
        dir=lead.dir,
        noindex=any(m.status for m in story.members),
        feeds=(Link(title=title, url=feeds.story_address(address)),) if "atom" in cards.feed_formats else (),
        breadcrumbs=cards.breadcrumbs(*cards.category_crumb(story.lead), Link(title=title, url=address)),
    )
    return StoryPage(
        path=urls.path(address),
        head=head,
        title=title,
        summary=summary,
        post=articlepages.content(cards, own) if own else None,
        lead=lead,
        lead_reason=lead_reason(story, about.lead if about else ""),
        first=cards.card(story.first),
        last=cards.card(story.last),
        sources=story.sources,
        first_report=cards.card(first_report) if first_report else None,
        reports=reports,
        marginal=marginal,
        developing=reports[0].card.published - lead.published > DEVELOPMENT,
        timeline=timeline,
        axis=(AXIS, DOT * max(r.y + 1 for r in timeline)),
        topics=tuple(cards.link("topic", k) for k, _ in sorted(topic_counts.items(), key=lambda c: (-c[1], c[0]))),
        numbers=tuple(_numbers(cards, compared, texts)),
        names=tuple(_names(cards, compared, texts)),
        siblings=tuple(cards.cluster(id, 0) for id in siblings[:SIBLINGS]),
        related=tuple(_related(cards, story, siblings)),
        reasons=tuple(_reasons(cards, story)),
        near_misses=tuple(_near_misses(cards, story)),
        body=about.body if about else "",
    )


def _in_short(cards: Cards, reports: Sequence[StoryEntry]) -> str:
    """The description of a story that has none of its own."""
    sources = dict.fromkeys(report.card.provider.title for report in reports)
    return cards.gettext("Reports from %(sources)s", sources=cards.locale.listed([*sources][:3]))


def _numbers(cards: Cards, members: Sequence[Member], texts: Sequence[str]) -> Iterator[Difference]:
    """The numbers that some of these members have in their texts and others have not."""
    for words, places in numbers(texts)[:NUMBERS]:
        yield Difference(words=words, cards=tuple(cards.card(members[at]) for at in places))


def _names(cards: Cards, members: Sequence[Member], texts: Sequence[str]) -> Iterator[Difference]:
    """The names that only one of these members has in its text, the newest members first."""
    publishers = [cards.provider(m.provider).title for m in members]
    own_names = names(texts, publishers)
    found = [(m, own) for m, own in zip(members, own_names, strict=True) if own]
    for member, own in found[::-1][:NAMED]:
        yield Difference(words=cards.locale.listed(own[:NAMES]), cards=(cards.card(member),))


def _text(cards: Cards, member: Member) -> str:
    return f"{headline(member.title, cards.provider(member.provider).title)}. {member.excerpt}"


def _first_report(story: Story) -> Member | None:
    """The member that reported first, of those that are not at the margin; none if two may have been."""
    first, *others = story.core
    is_known = not first.all_day and all(m.published > first.published for m in others[:1])
    return first if is_known else None


def _reports(cards: Cards, story: Story) -> tuple[tuple[StoryEntry, ...], tuple[StoryEntry, ...]]:
    """The members, newest first, and those at the margin. Copies of a text are listed with one of them: the lead, or else
    the earliest.
    """
    first_with_text: dict[str, Member] = {}
    copies: dict[str, list[Member]] = {}
    originals: list[Member] = []
    for member in (story.lead, *(m for m in story.members if m is not story.lead)):
        first = first_with_text.setdefault(_copy_key(member) or member.id, member)
        if first is member:
            originals.append(member)
        else:
            copies.setdefault(first.id, []).append(member)
    originals.sort(key=by_time, reverse=True)
    entries = [(m.id in story.marginal, _entry(cards, m, copies.get(m.id, ()))) for m in originals]
    return tuple(e for is_marginal, e in entries if not is_marginal), tuple(
        e for is_marginal, e in entries if is_marginal
    )


def _entry(cards: Cards, member: Member, copies: Iterable[Member] = ()) -> StoryEntry:
    rows = tuple(_entry(cards, copy) for copy in copies)
    return StoryEntry(card=cards.card(member), anchor=cards.anchor(member), copies=rows)


def _copy_key(member: Member) -> str:
    """The letters by which copies of a text are recognised: those of the excerpt, after the title's if they are few.

    Empty if there are too few to be sure.
    """
    letters = "".join(_WORDS.findall(member.excerpt.casefold()))
    if len(letters) < _MIN_COPY_LETTERS:
        letters = "".join(_WORDS.findall(member.title.casefold())) + letters
    return letters if len(letters) >= _MIN_COPY_LETTERS else ""


def _timeline(cards: Cards, story: Story) -> tuple[TimelinePoint, ...]:
    """All members in chronological order. Dots that would overlap are stacked."""
    span = (story.last.published - story.first.published).total_seconds()
    is_timed = not story.first.all_day
    heights: Counter[int] = Counter()
    points = []
    for member in story.members:
        seconds = (member.published - story.first.published).total_seconds()
        slot = round(seconds / span * (AXIS // DOT - 1)) if span else 0
        points.append(
            TimelinePoint(
                card=cards.card(member),
                lag=minutes(story.first.published, member.published) if is_timed and not member.all_day else None,
                x=slot * DOT + DOT // 2,
                y=heights[slot],
            )
        )
        heights[slot] += 1
    return tuple(points)


def _related(cards: Cards, story: Story, siblings: Collection[str]) -> Iterator[Cluster]:
    """Related stories and articles, from the near misses, in chronological order."""
    items: dict[str, None] = {}
    for miss in story.rejected:
        if miss.reason == "unlike" and miss.fit < MIN_FIT:
            continue
        item = cards.row(miss.id).item
        if item != story.id and item not in siblings and len(items) < RELATED:
            items[item] = None
    yield from (cards.cluster(id, 0) for id in sorted(items, key=cards.place))


def _reasons(cards: Cards, story: Story) -> Iterator[Reason]:
    """The evidence for the members, in their chronological order."""
    members = {m.id: (at, m) for at, m in enumerate(story.members)}
    evidence = [e for e in story.evidence if e.member in members and e.other in members]
    for e in sorted(evidence, key=lambda e: (members[e.member][0], members[e.other][0], e.kind)):
        card, other = (cards.card(members[id][1]) for id in (e.member, e.other))
        yield Reason(card=card, other=other, kind=e.kind, quarters=_quarters(e.score))


def _near_misses(cards: Cards, story: Story) -> Iterable[NearMiss]:
    """The near misses of a story, in chronological order."""
    misses = {miss.id: miss for miss in story.rejected}
    for member in _by_time(cards, misses):
        miss = misses[member.id]
        card, other = cards.card(member), cards.card(cards.library.by_id[miss.other])
        yield NearMiss(
            card=card, other=other, reason=miss.reason, quarters=_quarters(miss.score), fit=_quarters(miss.fit)
        )


def _by_time(cards: Cards, ids: Iterable[str]) -> list[Member]:
    """The members with these ids in chronological order. An order by similarity would change with every new article."""
    return sorted((cards.library.by_id[id] for id in ids), key=by_time)


def _quarters(share: float) -> int:
    """Rounds a share to quarters. Every new article changes all shares a little, but should make few pages stale.

    `newsgen explain` prints exact figures.
    """
    return min(round(4 * share), 4)

"""The library as readers see it: members as cards, stories as clusters, names as links; each worked out once."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from statistics import median

from newsgen import text, urls
from newsgen.library import Library
from newsgen.model import Article, Card, Cluster, CountedLink, Link, Member, ProviderStats, Story
from newsgen.stories import cap, choose_lead, count_sources, members_of, rank

Item = Story | Member
"""What a ranked list is made of: a story, or a member that is in none."""

LINES = 3
"""Headlines that stand below a story's lead in a list."""


class Cards:
    """What the pages of one site show, and what several of them share."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.config = library.config
        self.has = library.config.has
        self.formats = [f for f in urls.FEEDS if self.has("feed") and self.has(f) and self.config.base]
        self._cards: dict[str, Card] = {}
        self._scores: dict[str, float] = {}
        self._topics: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._links: dict[tuple[str, str], Link] = {}
        half = len(library.members) / 2
        # A topic on more than half of all tells nothing apart.
        self.everywhere = frozenset(k for k, s in library.sections["topic"].items() if len(s.members) > half)

    def items(self, members: Iterable[Member]) -> list[Item]:
        """Stories and lone members in the order of their first appearance, each once."""
        found: dict[str, Item] = {}
        story_of = self.library.story_of
        for member in members:
            item: Item = story_of.get(member.id, member)
            found.setdefault(item.id, item)
        return list(found.values())

    def born(self, item: Item) -> datetime:
        """When an item entered the site: the time of its earliest file."""
        return self.library.by_id[item.id].published

    def score(self, item: Item) -> float:
        """The rank of an item; greater is higher."""
        if item.id not in self._scores:
            self._scores[item.id] = rank(members_of(item), self.config.ranking.half_life)
        return self._scores[item.id]

    def ranked(
        self, items: Iterable[Item], size: int, spare: frozenset[str] = frozenset(), until: datetime | None = None
    ) -> list[Item]:
        """The best, with no provider and no topic (but those in `spare`) above its cap; `until` as things were then."""
        config = self.config.ranking

        def score(item: Item) -> float:
            if until is None or not isinstance(item, Story) or item.last.published <= until:
                return self.score(item)
            return rank(self._by(item, until), config.half_life)

        def names(item: Item) -> list[tuple[str, int]]:
            lead = self._lead(item, until)
            found = [("provider " + lead.provider, config.provider_cap)] if lead.provider else []
            keys = set(self.topics(lead)) - spare - self.everywhere
            return found + [("topic " + k, config.topic_cap) for k in sorted(keys)]

        best = heapq.nlargest(size * 8, items, key=lambda i: (score(i), i.id))
        return cap(best, names, size)

    def _by(self, story: Story, until: datetime | None) -> Sequence[Member]:
        """The members that a story had at a time."""
        return story.members if until is None else [m for m in story.members if m.published <= until]

    def _lead(self, item: Item, until: datetime | None) -> Member:
        """What stands for an item at a time."""
        if not isinstance(item, Story):
            return item
        if until is None or item.lead.published <= until:
            return item.lead
        return choose_lead(self._by(item, until))

    def topics(self, member: Member) -> tuple[str, ...]:
        """The keys of a member's topics."""
        found = self._topics.get(member.topics)
        if found is None:
            found = self._topics[member.topics] = tuple(map(text.slug, member.topics))
        return found

    def card(self, member: Member) -> Card:
        """A member as a list may show it."""
        found = self._cards.get(member.id)
        if found is None:
            found = self._cards[member.id] = self._card(member)
        return found

    def _card(self, member: Member) -> Card:
        page = self.library.address[member.id] if isinstance(member, Article) and self.has("article") else ""
        story = self.library.story_of.get(member.id)
        return Card(
            url=member.url or page,
            page=page,
            story=self.story_url(story) if story else "",
            title=member.title,
            summary=text.shorten(member.excerpt, self.config.excerpt_length),
            provider=self.provider(member.provider),
            published=member.published,
            image=member.image,
            type=member.type,
            status=member.status,
            lang=member.lang,
            dir=member.dir,
            topics=tuple(self.link("topic", key) for key in self.topics(member)),
        )

    def cluster(self, item: Item, lines: int = LINES, until: datetime | None = None) -> Cluster:
        """An item as a list shows it; `until` leaves out what came later."""
        if not isinstance(item, Story):
            return self.alone(item)
        members, lead = self._by(item, until), self._lead(item, until)
        others = [m for m in members if m is not lead]
        others.sort(key=lambda m: (m.provider == lead.provider, -(m.quality or 0), m.published, m.id))
        return Cluster(
            title=self.story_title(item, lead),
            url=self.story_url(item),
            lead=self.card(lead),
            coverage=tuple(self.card(m) for m in others[:lines]),
            count=len(members),
            sources=count_sources(members),
        )

    def alone(self, member: Member) -> Cluster:
        """A member by itself, whatever story it is in."""
        card = self.card(member)
        return Cluster(title=card.title, url="", lead=card, coverage=(), count=1, sources=1)

    def link(self, axis: str, key: str) -> Link:
        """A section by name, with its address if it has a page."""
        found = self._links.get((axis, key))
        if found is None:
            section = self.library.sections[axis].get(key)
            if section is None:
                found = Link(title=self.library.providers[key].title if axis == "provider" else key, url="")
            else:
                found = Link(title=section.title, url=urls.section(axis, key) if self.has(axis) else "")
            self._links[axis, key] = found
        return found

    def provider(self, domain: str) -> Link:
        """A provider by name; the site itself for its own posts."""
        return self.link("provider", domain) if domain else Link(title=self.config.title, url="")

    def counted_links(self, axis: str, counts: Counter[str], most: int = 12) -> tuple[CountedLink, ...]:
        """The sections that count for most."""
        best = heapq.nsmallest(most, counts.items(), key=lambda c: (-c[1], c[0]))
        return tuple(CountedLink(title=x.title, url=x.url, count=n) for k, n in best for x in [self.link(axis, k)])

    def story_url(self, story: Story) -> str:
        """The address of a story, "" where stories have no pages."""
        return urls.story(self.library.address[story.id]) if self.has("story") else ""

    def story_title(self, story: Story, lead: Member) -> str:
        """The editor's title of a story, else that of its lead."""
        about = self.library.about["story"].get(story.name)
        return (about.title if about else "") or lead.title

    def category(self, member: Member) -> Link | None:
        """A member's category by name."""
        return self.link("category", text.slug(member.category)) if member.category else None

    def way(self, member: Member) -> list[Link]:
        """The crumb of a member's category, where it has a page."""
        link = self.category(member)
        return [link] if link and link.url else []

    @cached_property
    def stats(self) -> Mapping[str, ProviderStats]:
        """What each provider is to the stories of several sources that it is part of, by domain."""
        joined: Counter[str] = Counter()
        led: Counter[str] = Counter()
        first: Counter[str] = Counter()
        lags: dict[str, list[int]] = {}
        for story in self.library.stories:
            if story.sources < 2:
                continue
            led[story.lead.provider] += 1
            first[story.first.provider] += 1
            seen = {m.provider: m for m in reversed(story.members)}
            joined.update(seen.keys())
            for domain, member in seen.items():
                if domain != story.first.provider:
                    lags.setdefault(domain, []).append(minutes(story.first.published, member.published))
        return {
            domain: ProviderStats(
                stories=count,
                led=led[domain],
                first=first[domain],
                lag=round(median(lags[domain])) if domain in lags else None,
            )
            for domain, count in joined.items()
        }

    def breadcrumbs(self, *links: Link) -> tuple[Link, ...]:
        """The way to a page, from the front page on."""
        return (Link(title="Home", url=urls.HOME if self.has("home") else ""), *links)

    def feeds(self, title: str, address: str) -> tuple[Link, ...]:
        """The feeds that a list has."""
        return tuple(Link(title=title, url=address + urls.FEEDS[name]) for name in self.formats)


def minutes(one: datetime, other: datetime) -> int:
    """From one time to another, in whole minutes."""
    return int((other - one).total_seconds() // 60)

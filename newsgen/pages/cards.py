"""Turns members into cards, stories into clusters and names into links, and caches them."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from statistics import median

from newsgen import text, times, urls
from newsgen.library import Library
from newsgen.model import Article, Card, Cluster, CountedLink, Link, Member, ProviderStats, Section, Story
from newsgen.stories import cap, choose_lead, count_sources, members_of, rank

Item = Story | Member
"""An entry of a list: a story, or a member without one."""

_IDS = re.compile(r' id="([^"]*)"')

LINES = 3
"""The headlines below the lead of a cluster."""


class Cards:
    """Makes and caches the values that the pages of one site share."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.config = library.config
        self.has = library.config.has
        self.feed_formats = [f for f in urls.FEEDS if self.has("feed") and self.has(f) and self.config.base]
        self._cards: dict[str, Card] = {}
        self._scores: dict[str, float] = {}
        self._topics: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._links: dict[tuple[str, str], Link] = {}
        self._anchors: dict[str, str] = {}
        half = len(library.members) / 2
        # Topics on more than half of all members distinguish nothing, so they are neither capped nor shown as busy.
        self.ubiquitous_topics = frozenset(k for k, s in library.sections["topic"].items() if len(s.members) > half)

    def items(self, members: Iterable[Member]) -> list[Item]:
        """The stories of these members, and the members without one, in the order of their first occurrence."""
        items: dict[str, Item] = {}
        story_of = self.library.story_of
        for member in members:
            item: Item = story_of.get(member.id, member)
            items.setdefault(item.id, item)
        return list(items.values())

    def first_published(self, item: Item) -> datetime:
        """The time of an item's earliest article."""
        return next(item.files).published if isinstance(item, Story) else item.published

    def score(self, item: Item) -> float:
        """The rank of an item."""
        if item.id not in self._scores:
            self._scores[item.id] = rank(members_of(item), self.config.ranking.half_life, self.config.platforms)
        return self._scores[item.id]

    def ranked(
        self, items: Iterable[Item], size: int, uncapped: frozenset[str] = frozenset(), until: datetime | None = None
    ) -> list[Item]:
        """The `size` best items, with no provider or topic above its cap, except topics in `uncapped`.

        With `until`, stories are ranked by the members that they had at that time.
        """
        config = self.config.ranking

        def score(item: Item) -> float:
            if until is None or not isinstance(item, Story) or item.last.published <= until:
                return self.score(item)
            return rank(self._members_until(item, until), config.half_life, self.config.platforms)

        def capped_names(item: Item) -> list[tuple[str, int]]:
            lead = self._lead_at(item, until)
            names = [("provider " + lead.provider, config.provider_cap)] if lead.provider else []
            keys = set(self.topics(lead)) - uncapped - self.ubiquitous_topics
            return names + [("topic " + k, config.topic_cap) for k in sorted(keys)]

        best = heapq.nlargest(size * 8, items, key=lambda i: (score(i), i.id))
        return cap(best, capped_names, size)

    def _members_until(self, story: Story, until: datetime | None) -> Sequence[Member]:
        """The members that a story had at a time; all if it is None."""
        return story.members if until is None else [m for m in story.members if m.published <= until]

    def _lead_at(self, item: Item, until: datetime | None) -> Member:
        """The lead that an item had at a time, or the member itself."""
        if not isinstance(item, Story):
            return item
        if until is None or item.lead.published <= until:
            return item.lead
        return choose_lead(self._members_until(item, until))

    def topics(self, member: Member) -> tuple[str, ...]:
        """The keys of a member's topics."""
        keys = self._topics.get(member.topics)
        if keys is None:
            keys = self._topics[member.topics] = tuple(map(text.slug, member.topics))
        return keys

    def card(self, member: Member) -> Card:
        """The card of a member."""
        card = self._cards.get(member.id)
        if card is None:
            card = self._cards[member.id] = self._card(member)
        return card

    def has_page(self, article: Article) -> bool:
        """Whether an article has a page to itself. The earliest of a story has not: the story is at its address."""
        story = self.library.story_of.get(article.id)
        if story:
            return article.has_content and article.id != story.id
        return article.has_content or self.config.pages.articles == "all"

    def page(self, member: Member) -> str:
        """The address of what the site has about a member: a page, or a place on that of its story; "" if nothing."""
        if not isinstance(member, Article):
            return ""
        story = self.library.story_of.get(member.id)
        if self.has_page(member) or (story and story.id == member.id):
            return self.library.address[member.id]
        return f"{self.story_url(story)}#{self.anchor(member)}" if story else ""

    def anchor(self, member: Member) -> str:
        """The name of a member's place on the page of its story; "" if it has no file."""
        if member.id not in self._anchors and isinstance(member, Article):
            files = list(self.library.story_of[member.id].files)
            post = self.post(self.library.story_of[member.id])
            self._anchors |= urls.anchors(files, ("main", *_IDS.findall(post.body if post else "")))
        return self._anchors.get(member.id, "")

    def post(self, story: Story) -> Article | None:
        """The article that the page of a story shows in full: its earliest, if it has content of its own."""
        first = self.library.by_id.get(story.id)
        return first if isinstance(first, Article) and first.has_content else None

    def _card(self, member: Member) -> Card:
        page = self.page(member)
        story = self.library.story_of.get(member.id)
        provider = self.provider(member.provider)
        return Card(
            url=member.url or page,
            page=page,
            story=self.story_url(story) if story else "",
            # The reader removed the provider's name in the file; here it is the name that readers see.
            title=text.headline(member.title, provider.title),
            summary=text.shorten(member.excerpt, self.config.excerpt_length),
            provider=provider,
            published=member.published,
            all_day=member.all_day,
            image=member.image,
            type=member.type,
            status=member.status,
            lang=member.lang,
            dir=member.dir,
            topics=tuple(self.link("topic", key) for key in self.topics(member)),
        )

    def cluster(self, item: Item, lines: int = LINES, until: datetime | None = None) -> Cluster:
        """The cluster of an item, with `lines` headlines below the lead. `until` leaves out later members."""
        if not isinstance(item, Story):
            return self.single(item)
        members, lead = self._members_until(item, until), self._lead_at(item, until)
        others = [m for m in members if m is not lead]
        others.sort(key=lambda m: (m.provider == lead.provider, -(m.quality or 0), m.published, m.id))
        return Cluster(
            title=self.story_title(item, lead),
            url=self.story_url(item),
            lead=self.card(lead),
            coverage=tuple(self.card(m) for m in others[:lines]),
            count=len(members),
            sources=count_sources(members, self.config.platforms),
        )

    def single(self, member: Member) -> Cluster:
        """A cluster of one member, even if it is in a story."""
        card = self.card(member)
        return Cluster(title=card.title, url="", lead=card, coverage=(), count=1, sources=1)

    def link(self, axis: str, key: str) -> Link:
        """A link to a section; its `url` is "" if the section has no page."""
        link = self._links.get((axis, key))
        if link is None:
            section = self.library.sections[axis].get(key)
            if section is None:
                link = Link(title=self.library.providers[key].title if axis == "provider" else key, url="")
            else:
                link = Link(title=section.title, url=urls.section(axis, key) if self.has(axis) else "")
            self._links[axis, key] = link
        return link

    def provider(self, domain: str) -> Link:
        """A link to a provider; for own posts ("") the name of the site."""
        return self.link("provider", domain) if domain else Link(title=self.config.title, url="")

    def counted_links(self, axis: str, counts: Counter[str], most: int = 12) -> tuple[CountedLink, ...]:
        """Links to the sections with the highest counts."""
        best = heapq.nsmallest(most, counts.items(), key=lambda c: (-c[1], c[0]))
        return tuple(CountedLink(title=x.title, url=x.url, count=n) for k, n in best for x in [self.link(axis, k)])

    def story_url(self, story: Story) -> str:
        """The address of a story: that of its earliest file."""
        return self.library.address[story.id]

    def story_title(self, story: Story, lead: Member) -> str:
        """The title of a story: the editor's, or that of the site's own post that began it, or the lead's."""
        about = self.library.about["story"].get(story.name)
        if about and about.title:
            return about.title
        post = self.post(story)
        return self.card(post if post and not post.url else lead).title

    def category(self, member: Member) -> Link | None:
        """A link to a member's category."""
        return self.link("category", text.slug(member.category)) if member.category else None

    def category_crumb(self, member: Member) -> list[Link]:
        """The breadcrumb for a member's category; empty if it has no page."""
        link = self.category(member)
        return [link] if link and link.url else []

    @cached_property
    def stats(self) -> Mapping[str, ProviderStats]:
        """The statistics of each provider, by domain. They count stories of several sources only."""
        stories: Counter[str] = Counter()
        led: Counter[str] = Counter()
        first: Counter[str] = Counter()
        lags: dict[str, list[int]] = {}
        for story in self.library.stories:
            if story.sources < 2:
                continue
            led[story.lead.provider] += 1
            first[story.first.provider] += 1
            earliest = {m.provider: m for m in reversed(story.members)}
            stories.update(earliest.keys())
            for domain, member in earliest.items():
                if domain != story.first.provider and not (story.first.all_day or member.all_day):
                    lags.setdefault(domain, []).append(minutes(story.first.published, member.published))
        return {
            domain: ProviderStats(
                stories=count,
                led=led[domain],
                first=first[domain],
                lag=round(median(lags[domain])) if domain in lags else None,
            )
            for domain, count in stories.items()
        }

    def breadcrumbs(self, *links: Link) -> tuple[Link, ...]:
        """The breadcrumbs of a page: the front page, followed by these links."""
        return (Link(title="Home", url=urls.HOME if self.has("home") else ""), *links)

    def section_formats(self, section: Section) -> list[str]:
        """The formats of the feeds of a section. Days, and sections with few members, have none."""
        config = self.config.feeds
        if section.axis == "day" or len(section.members) < config.min_members:
            return []
        return [name for name in self.feed_formats if name in config.sections]

    def feeds(self, title: str, address: str, formats: Iterable[str]) -> tuple[Link, ...]:
        """Links to the feeds of the list at an address."""
        return tuple(Link(title=title, url=address + urls.FEEDS[name]) for name in formats)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """The ids of articles that repeat an earlier one: by the same provider, at the same time, with the same title."""
        times_of = Counter((article.provider, article.published) for article in self.library.articles)
        seen: set[tuple[str, datetime, str]] = set()
        found = []
        for article in reversed(self.library.articles):
            text_of = article.provider, article.published, article.title
            if times_of[text_of[:2]] > 1:
                if text_of in seen:
                    found.append(article.id)
                seen.add(text_of)
        return frozenset(found)

    def moment(self, member: Member) -> str:
        """When a member was published: 8 November 2026, 14:05, or the day alone."""
        local = times.local(member.published, self.config.zone)
        day = text.day_title(local.date().isoformat())
        return day if member.all_day else f"{day}, {local:%H:%M}"


def minutes(one: datetime, other: datetime) -> int:
    """The time between two moments in whole minutes."""
    return int((other - one).total_seconds() // 60)

"""Turns members into cards, stories into clusters and names into links, and caches them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec

from newsgen import text, times, urls
from newsgen.library import Library, Row, Section, SectionRow, StoryRecord, anchors, has_page
from newsgen.model import Article, Card, Cluster, CountedLink, Coverage, Link, Member, Story
from newsgen.store import LostError
from newsgen.stories import best_lead, cap, count_sources

M = TypeVar("M", Member, Row | Coverage)

CANDIDATES = 8
"""The items that are looked at for each place of a ranked list, because of the caps."""

_CACHED = 20000

LINES = 1
"""The headlines below the lead of a cluster."""

SIBLINGS = 3
"""The siblings that a cluster shows."""

DEVELOPMENT = timedelta(hours=1)
"""How much later than the lead of its story a report must be to be shown as a development."""


class Event(NamedTuple):
    """What decides whether two items are siblings: the ids of the members of one, and of the articles that would be members
    if they did not fit another story better.
    """

    members: frozenset[str]
    adjacent: tuple[str, ...]


def _are_siblings(one: Event, other: Event) -> bool:
    """Whether two items are on one event, though they are apart: half of the members of one, but not more than three,
    would be members of the other.
    """
    return any(
        sum(miss in b.members for miss in a.adjacent) >= min(3, (len(b.members) + 1) // 2)
        for a, b in ((one, other), (other, one))
    )


class Cards:
    """Makes and caches the values that the pages of one site share."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.config, self.locale, self.places = library.config, library.locale, library.places
        self.gettext, self.ngettext = self.locale.gettext, self.locale.ngettext
        self.has = library.config.has
        self.feed_formats = [f for f in urls.FEEDS if self.has("feed") and self.has(f) and self.config.base]
        self._cards: dict[str, Card] = {}
        self._topics: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._links: dict[tuple[str, str], Link] = {}
        self._anchors: dict[str, str] = {}
        self.index_links = {
            "topic": Link(title=self.gettext("Topics"), url=self.places.topics),
            "category": Link(title=self.gettext("Sections"), url=self.places.categories),
            "sources": Link(title=self.gettext("Sources"), url=self.places.sources),
            "archive": Link(title=self.gettext("Archive"), url=self.places.archive),
        }
        """The indexes, by page kind."""
        # Topics on more than half of all members distinguish nothing, so they are neither capped nor shown as busy.
        self.ubiquitous_topics = frozenset(library.facts.ubiquitous)

    def ranked(
        self,
        scored: Iterable[tuple[float, str]],
        size: int,
        about: tuple[str, str] | None = None,
        until: datetime | None = None,
    ) -> dict[str, list[str]]:
        """The ids of the first `size` items of those with these scores and ids, the best first, with no provider or
        topic above its cap, each with its siblings: later ones on the same event, which have no place of their own.

        With `about`, the axis and key of a section, only items that are about it count, and it has no cap. With `until`,
        stories have the leads that they had at that time.
        """
        config = self.config.ranking
        uncapped = {about[1]} if about else set[str]()

        def capped_names(id: str) -> list[tuple[str, int]]:
            story = self.library.story_record(id)
            lead = self._lead(story, until) if story else self.row(id)
            names = [("provider " + lead.provider, config.provider_cap)] if lead.provider else []
            keys = set(self.topics(lead)) - uncapped - self.ubiquitous_topics
            return names + [("topic " + k, config.topic_cap) for k in sorted(keys)]

        siblings: dict[str, list[str]] = {}
        ids = (id for _, id in scored if about is None or self.is_about(id, *about))
        return {id: siblings[id] for id in cap(self._events(ids, siblings, until), capped_names, size)}

    def _events(self, ids: Iterable[str], found: dict[str, list[str]], until: datetime | None) -> Iterator[str]:
        """The items of these that are no siblings of an earlier one. Puts those that are into its list in `found`."""
        events: dict[str, Event] = {}
        missing: dict[str, list[str]] = {}  # the items that an article nearly is a member of
        member_of: dict[str, str] = {}
        for id in ids:
            event = self._event(id, until)
            near = {other: None for member in event.members for other in missing.get(member, ())}
            near |= {member_of[miss]: None for miss in event.adjacent if miss in member_of}
            first = next((other for other in found if other in near and _are_siblings(event, events[other])), None)
            if first is not None:
                found[first].append(id)
                continue
            events[id], found[id] = event, []
            member_of |= dict.fromkeys(event.members, id)
            for miss in event.adjacent:
                missing.setdefault(miss, []).append(id)
            yield id

    def _event(self, id: str, until: datetime | None = None) -> Event:
        """An item as `_are_siblings` compares it, with the members that it had at a time."""
        story = self.library.story_record(id)
        if story is None:
            return Event(frozenset((id,)), ())
        members = (member for published, member in story.members if until is None or published <= until)
        return Event(frozenset(members), story.adjacent)

    def siblings(self, id: str) -> list[str]:
        """The items on the event of a story that are not in it, in chronological order."""
        library, own = self.library, self._event(id)
        near = {row.item for miss in own.adjacent if (row := library.row(miss))}
        near.update(other for member in own.members for other in library.related("missed", member))
        near.discard(id)
        found = [other for other in near if _are_siblings(own, self._event(other))]
        return sorted(found, key=self.place)

    def place(self, id: str) -> tuple[datetime, str]:
        """The time and id by which items are in chronological order: those of their earliest file."""
        story = self.library.story_record(id)
        return story.first_file if story else self.row(id).key

    def is_about(self, id: str, axis: str, key: str) -> bool:
        """Whether an item is about a section: if it is a story, its lead or a third of its members are in the section."""
        story = self.library.story_record(id)
        if story is None:
            return True

        rows = self.library.section_rows(axis, key)

        def is_in(member: tuple[datetime, str]) -> bool:
            follower = story.followers.get(member[1])
            if follower is None:
                return rows.get(member) is not None
            return any((axis, key) == place[:2] for place in self.library.keys(follower))

        return is_in(story.lead_key) or 3 * sum(map(is_in, story.members)) >= len(story.members)

    def row(self, id: str) -> Row:
        """The row of a member that must be there."""
        row = self.library.row(id)
        if row is None:
            raise LostError(id)
        return row

    def _member_in(self, story: StoryRecord, key: tuple[datetime, str]) -> Row | Coverage:
        """The row of a member of a story, by its time and id, or the follower itself."""
        member = story.followers.get(key[1]) or self.library.rows.get(key)
        if member is None:
            raise LostError(key[1])
        return member

    def _members(self, story: StoryRecord, until: datetime | None) -> list[Row | Coverage]:
        """The members that a story had at a time, oldest first; all if it is None."""
        return [self._member_in(story, key) for key in story.members if until is None or key[0] <= until]

    def _lead(self, story: StoryRecord, until: datetime | None) -> Row | Coverage:
        """The lead that a story had at a time."""
        if until is None or story.lead_key[0] <= until:
            return self._member_in(story, story.lead_key)
        members = self._members(story, until)
        return best_lead([m for m in members if m.id not in story.marginal] or members, story.typicality)

    def topics(self, member: Member | Row) -> tuple[str, ...]:
        """The keys of a member's topics."""
        keys = self._topics.get(member.topics)
        if keys is None:
            keys = self._topics[member.topics] = tuple(map(text.slug, member.topics))
        return keys

    def card(self, member: Member) -> Card:
        """The card of a member."""
        card = self._cards.get(member.id)
        if card is None:
            if len(self._cards) >= _CACHED:
                self._cards.clear()
            card = self._cards[member.id] = self._card(member)
        return card

    def cards(self, section: Section, rows: Iterable[SectionRow]) -> list[Card]:
        """The cards of members of a section. A member whose card is known is not loaded."""
        return [self._cards.get(row.id) or self.card(section.member(row)) for row in rows]

    def card_in(self, story: StoryRecord, key: tuple[datetime, str]) -> Card:
        """The card of a member of a story, by its time and id."""
        card = self._cards.get(key[1])
        if card is None:
            member = self._member_in(story, key)
            card = self.card(self.library.member(member) if isinstance(member, Row) else member)
        return card

    def has_page(self, row: Row) -> bool:
        """Whether the member of a row has a page to itself."""
        return has_page(row, self.config)

    def anchor(self, member: Member) -> str:
        """The name of a member's place on the page of its story; "" if it has no file."""
        if member.id not in self._anchors and isinstance(member, Article):
            self._anchors |= anchors(self.library.story_of[member.id])
        return self._anchors.get(member.id, "")

    def _card(self, member: Member) -> Card:
        row = self.library.row(member.id)
        page = row.page if row else ""
        provider = self.provider(member.provider)
        return Card(
            url=member.url or page,
            page=page,
            story=self.library.address[row.item] if row and row.in_story else "",
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
            authors=member.authors if isinstance(member, Article) else (),
        )

    def cluster(
        self, id: str, lines: int = LINES, until: datetime | None = None, siblings: Iterable[str] = ()
    ) -> Cluster:
        """The cluster of an item, with `lines` headlines below the lead and with its `siblings`. `until` leaves out later
        members.
        """
        others_on_it = tuple([self.cluster(each, 0, until) for each in siblings][:SIBLINGS])
        story = self.library.story_record(id)
        if story is None:
            single = self.single_of(self._cards.get(id) or self.card(self.library.by_id[id]))
            return msgspec.structs.replace(single, siblings=others_on_it) if others_on_it else single
        lead, development, coverage = self._lead(story, until), None, list[Row | Coverage]()
        count, sources = len(story.members), story.sources
        # Without lines, all that is shown is known without the other members, which would have to be loaded.
        if lines or until:
            members = self._members(story, until)
            count, sources = len(members), count_sources(members, self.config.platforms)
            core = [m for m in members if m.id not in story.marginal or m.id == lead.id]
            development = self.development(core, lead) if lines else None
            coverage = [m for m in core if m.id != lead.id and m is not development]
            coverage.sort(key=lambda m: (m.provider == lead.provider, -(m.quality or 0), m.published, m.id))
            coverage[:0] = [development] if development else []

        def card(member: Row | Coverage) -> Card:
            return self.card_in(story, (member.published, member.id))

        own = self._post(story, until)
        return Cluster(
            title=self.story_title(story.name, card(lead), card(own) if own else None),
            url=self.library.address[id],
            lead=card(lead),
            coverage=tuple(map(card, coverage[:lines])),
            count=count,
            sources=sources,
            developing=development is not None,
            siblings=others_on_it,
        )

    def _post(self, story: StoryRecord, until: datetime | None) -> Row | None:
        """The file at whose address a story is, if it has content and was there at a time."""
        key = next((key for key in story.members if key[1] == story.id), None)
        row = self.library.rows.get(key) if key and (until is None or key[0] <= until) else None
        return row if row and row.has_content else None

    def member_ids(self, id: str) -> set[str]:
        """The ids of the members of an item."""
        story = self.library.story_record(id)
        return {member for _, member in story.members} if story else {id}

    def development(self, members: Sequence[M], lead: M) -> M | None:
        """The newest of a story's members, if it tells what came after the lead."""
        return members[-1] if members[-1].published - lead.published > DEVELOPMENT else None

    def single(self, member: Member) -> Cluster:
        """A cluster of one member, even if it is in a story."""
        return self.single_of(self.card(member))

    def single_of(self, card: Card) -> Cluster:
        """A cluster of one card."""
        return Cluster(title=card.title, url="", lead=card, coverage=(), count=1, sources=1)

    def link(self, axis: str, key: str) -> Link:
        """A link to a section; its `url` is "" if the section has no page."""
        link = self._links.get((axis, key))
        if link is None:
            row = self.library.index(axis).get(key)
            if row is None:
                link = Link(title=self.library.providers[key].title if axis == "provider" else key, url="")
            else:
                link = Link(title=row.title, url=self.places.section(axis, key) if self.has(axis) else "")
            self._links[axis, key] = link
        return link

    def provider(self, domain: str) -> Link:
        """A link to a provider; for own posts ("") the name of the site."""
        return self.link("provider", domain) if domain else Link(title=self.config.title, url="")

    def counted_links(self, axis: str, counts: Mapping[str, int], most: int = 12) -> tuple[CountedLink, ...]:
        """Links to the sections with the highest counts."""
        best = heapq.nsmallest(most, counts.items(), key=lambda c: (-c[1], c[0]))
        return tuple(CountedLink(title=x.title, url=x.url, count=n) for k, n in best for x in [self.link(axis, k)])

    def story_url(self, story: Story) -> str:
        """The address of a story: that of its earliest file."""
        return self.library.address[story.id]

    def story_title(self, name: str, lead: Card, post: Card | None) -> str:
        """The title of a story: the editor's, or that of the site's own post that began it, or the lead's.

        `name` is the story's, and `post` the earliest article, if it has content.
        """
        about = self.library.about["story"].get(name)
        if about and about.title:
            return about.title
        return (post if post and post.url == post.page else lead).title

    def category(self, member: Member) -> Link | None:
        """A link to a member's category."""
        return self.link("category", text.slug(member.category)) if member.category else None

    def category_crumb(self, member: Member) -> list[Link]:
        """The breadcrumb for a member's category; empty if it has no page."""
        link = self.category(member)
        return [link] if link and link.url else []

    def breadcrumbs(self, *links: Link) -> tuple[Link, ...]:
        """The breadcrumbs of a page: the front page, followed by these links."""
        return (Link(title=self.gettext("Home"), url=urls.HOME if self.has("home") else ""), *links)

    def section_formats(self, section: Section) -> list[str]:
        """The formats of the feeds of a section. Days, and sections with few members, have none."""
        config = self.config.feeds
        if section.axis == "day" or section.count < config.min_members:
            return []
        return [name for name in self.feed_formats if name in config.sections]

    def feeds(self, title: str, address: str, formats: Iterable[str]) -> tuple[Link, ...]:
        """Links to the feeds of the list at an address."""
        return tuple(Link(title=title, url=address + urls.FEEDS[name]) for name in formats)

    def is_repeated(self, article: Article) -> bool:
        """Whether an article repeats another: by the same provider, at the same time, with the same title."""
        for row in self.library.rows.ascending((article.published, "")):
            if row.key >= (article.published, article.id):
                return False
            is_same = row.provider == article.provider and row.coverage is None
            if is_same and self.library.article(row.id).title == article.title:
                return True
        return False

    def moment(self, member: Member) -> str:
        """When a member was published: 8 November 2026, 14:05, or the day alone."""
        local = times.local(member.published, self.config.zone)
        day = self.locale.day(local)
        return day if member.all_day else self.locale.moment(day, self.locale.clock(local))

    def day_title(self, key: str) -> str:
        """A day in the form 2026-11-08 as readers see it: 8 November 2026."""
        return self.locale.day(date.fromisoformat(key))

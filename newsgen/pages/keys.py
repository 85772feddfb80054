"""Computes the cache keys of pages: if a key is the same as in an earlier build, so are the pages.

A key is a digest of everything that its pages depend on. If it differs for equal pages, that costs time; if it is equal
for different pages, that is a bug. Keys are therefore made of whole values. A member contributes the digest of its file
and the names and addresses that its card links to. A story contributes its members and everything else it is made of.
The configuration and the files about topics, providers, stories and pages are part of every key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import msgspec

from newsgen import text
from newsgen.config import Fetch
from newsgen.model import Article, Link, Member, Section, Story
from newsgen.pages.cards import Cards
from newsgen.text import digest_bytes

EARLIER_CANDIDATES = 12
"""The number of older members of a section that an article's page chooses its earlier articles from."""

_encode = msgspec.msgpack.Encoder().encode
_NO_STORY = bytes(16)


class Keys:
    """Computes the cache keys for one site.

    `_members` and `_stories` hold a digest for each, by id. `_whole` holds the digests of a member and of its
    story, together 32 bytes. `_sections` holds the link of a section and the concatenated `_whole` of its members.
    """

    def __init__(self, cards: Cards) -> None:
        self._cards = cards
        library = cards.library
        about = [(kind, list(abouts.values())) for kind, abouts in library.about.items()]
        config = msgspec.structs.replace(library.config, publish={}, fetch=Fetch())  # neither affects pages
        self._scope = digest_bytes(_encode((config, about)))
        self._ubiquitous_topics = digest_bytes(_encode(sorted(cards.ubiquitous_topics)))
        self._link, self._links = cache(self._encode_link), cache(self._encode_links)
        story_of = library.story_of
        self._members = {m.id: self._member_digest(m) for m in library.members}
        self._stories = {story.id: self._story_digest(story) for story in library.stories}
        stories = {id: self._stories[story.id] for id, story in story_of.items()}
        self._whole = {id: own + stories.get(id, _NO_STORY) for id, own in self._members.items()}
        whole = self._whole
        self._sections = {
            (axis, key): (self._link(axis, key), b"".join([whole[m.id] for m in section.members]))
            for axis, sections in library.sections.items()
            for key, section in sections.items()
        }

    def _encode_link(self, axis: str, key: str) -> bytes:
        return _encode(self._cards.link(axis, key))

    def _encode_links(self, topics: tuple[str, ...], category: str, provider: str) -> bytes:
        """The links of a card to sections."""
        links = [self._link("topic", text.slug(topic)) for topic in topics]
        links += [self._link("category", text.slug(category))] if category else []
        links += [self._link("provider", provider)] if provider else []
        return b"".join(links)

    def _member_digest(self, member: Member) -> bytes:
        """A digest of everything that pages show of a member and rank it by: its file, and the links of its card."""
        library = self._cards.library
        story, address = library.story_of.get(member.id), library.address
        story_address = address[story.id] if story else ""
        # A member's file is the same before and after its `updated` begins to count.
        is_updated = isinstance(member, Article) and member.updated is not None
        origin = address.get(library.origins.get(member.id, ""), "")
        facts = f"{member.id}\0{address.get(member.id, '')}\0{story_address}\0{origin}\0{member.status}\0{is_updated}\0"
        content = (isinstance(member, Article) and member.digest) or _encode(member)
        return digest_bytes(facts.encode() + content + self._links(member.topics, member.category, member.provider))

    def _story_digest(self, story: Story) -> bytes:
        """A digest of everything that pages show of a story and its members."""
        facts = (story.id, story.name, story.lead.id, story.evidence, story.rejected, story.providers, story.sources)
        # Followers are members of stories only, so they have no digest in `_members`.
        members = [self._members.get(m.id) or self._member_digest(m) for m in story.members]
        return digest_bytes(_encode(facts) + b"".join(members))

    def articles(self, places: Callable[[Article], Iterable[tuple[str, str, int]]]) -> Iterator[tuple[Article, bytes]]:
        """Each article that has a page to itself, with the key of that. `places` is `articlepages.Earlier.sections`."""
        whole, sections, targets = self._whole, self._sections, self._cards.library.targets
        repeated = self._cards.repeated
        prefix = b"article" + self._scope
        for article in filter(self._cards.has_page, self._cards.library.articles):
            parts = [prefix, b"repeated" if article.id in repeated else b"", whole[article.id]]
            parts += [whole[id] for id in targets.get(article.id, ()) if id in whole]
            for axis, key, start in places(article):
                link, members = sections[axis, key]
                parts += (link, members[32 * start : 32 * (start + EARLIER_CANDIDATES)])
            yield article, digest_bytes(b"".join(parts))

    def story(self, story: Story) -> bytes:
        """The key of a story's page and feed."""
        near_misses = [self._whole[miss.id] for miss in story.rejected]
        return digest_bytes(b"".join([b"story", self._scope, self._stories[story.id], *near_misses]))

    def section(self, section: Section, before: Link | None, after: Link | None, *others: str) -> bytes:
        """The key of a section's first page and feeds.

        `before` and `after` link to the adjacent days; `others` are keys of other days whose members the page may show.
        """
        cards, axis, key = self._cards, section.axis, section.key
        facts = (
            axis,
            key,
            section.title,
            cards.link(axis, section.parent) if section.parent else None,
            [cards.link(axis, child) for child in section.children],
            cards.library.providers.get(key) if axis == "provider" else None,
            cards.stats.get(key) if axis == "provider" else None,
            before,
            after,
        )
        nothing = b"", b""
        members = [self._sections.get((axis, other), nothing)[1] for other in (key, *others)]
        return digest_bytes(b"".join([b"section", self._scope, self._ubiquitous_topics, _encode(facts), *members]))

    def numbered(self, section: Section, number: int, slots: slice, *, newest: bool) -> bytes:
        """The key of a numbered page of a section."""
        cards, axis, key = self._cards, section.axis, section.key
        facts = (
            axis,
            key,
            section.title,
            cards.link(axis, section.parent) if section.parent else None,
            cards.library.providers.get(key) if axis == "provider" else None,
            number,
            newest,
        )
        shown = self._sections[axis, key][1][32 * slots.start : 32 * slots.stop]
        return digest_bytes(b"".join([b"numbered", self._scope, _encode(facts), shown]))

    @staticmethod
    def redirects(stubs: dict[str, str]) -> bytes:
        """The key of the stubs at old addresses."""
        return digest_bytes(b"redirects" + _encode(stubs))

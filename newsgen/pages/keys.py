"""What pages depend on, in sixteen bytes: where a key is the same as in an earlier build, so are the pages, unmade.

A key may differ though its pages are the same, and costs time then; it must differ where they do. So a key is made of
whole values: of a member the digest of its file, and the names and addresses of all that its card links; of a story its
members and all it is made of; and of everything that is no member's or story's, the configuration and the facts, all of
it, always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

import msgspec

from newsgen import text
from newsgen.model import Article, Link, Member, Section, Story
from newsgen.pages.cards import Cards
from newsgen.text import digest_bytes

AROUND = 12
"""How many older members of its provider and of its first topic an article's page looks at."""

_encode = msgspec.msgpack.Encoder().encode
_NONE = bytes(16)


class Keys:
    """The keys of one site's pages."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards
        library = cards.library
        about = [(kind, list(found.values())) for kind, found in library.about.items()]
        config = msgspec.structs.replace(library.config, publish={})  # where a site goes changes no page
        self._scope = digest_bytes(_encode((config, about)))
        self._everywhere = digest_bytes(_encode(sorted(cards.everywhere)))
        self._links, self._named = cache(self._link), cache(self._name)
        story_of = library.story_of
        self._members = {m.id: self._member(m) for m in library.members}
        self._stories = {story.id: self._told(story) for story in library.stories}
        stories = {id: self._stories[story.id] for id, story in story_of.items()}
        self._whole = {id: own + stories.get(id, _NONE) for id, own in self._members.items()}
        whole = self._whole
        self._sections = {
            (axis, key): (self._links(axis, key), b"".join([whole[m.id] for m in section.members]))
            for axis, sections in library.sections.items()
            for key, section in sections.items()
        }

    def _link(self, axis: str, key: str) -> bytes:
        """A section by name, as cards show it."""
        return _encode(self._cards.link(axis, key))

    def _name(self, topics: tuple[str, ...], category: str, provider: str) -> bytes:
        """All that a card calls by name."""
        links = [self._links("topic", text.slug(topic)) for topic in topics]
        links += [self._links("category", text.slug(category))] if category else []
        links += [self._links("provider", provider)] if provider else []
        return b"".join(links)

    def _member(self, member: Member) -> bytes:
        """All that pages show of a member, and what it is ranked by: its file, and what its card says of other things."""
        library = self._cards.library
        story, address = library.story_of.get(member.id), library.address
        there = address[story.id] if story else ""
        shown = f"{member.id}\0{address.get(member.id, '')}\0{there}\0{member.status}\0"
        rest = (isinstance(member, Article) and member.digest) or _encode(member)
        return digest_bytes(shown.encode() + rest + self._named(member.topics, member.category, member.provider))

    def _told(self, story: Story) -> bytes:
        """All that pages show of a story and of its members."""
        facts = (story.id, story.name, story.lead.id, story.evidence, story.rejected, story.providers, story.sources)
        # A folded member stands in stories alone.
        held = [self._members.get(m.id) or self._member(m) for m in story.members]
        return digest_bytes(_encode(facts) + b"".join(held))

    def articles(self, places: Callable[[Article], Iterable[tuple[str, str, int]]]) -> Iterator[tuple[Article, bytes]]:
        """For each article's page. `places` are its sections' axes and keys, and where in them what is older begins."""
        whole, sections, targets = self._whole, self._sections, self._cards.library.targets
        begin = b"article" + self._scope
        for article in self._cards.library.articles:
            parts = [begin, whole[article.id]]
            parts += [whole[id] for id in targets.get(article.id, ()) if id in whole]
            for axis, key, start in places(article):
                link, held = sections[axis, key]
                parts += (link, held[32 * start : 32 * (start + AROUND)])
            yield article, digest_bytes(b"".join(parts))

    def story(self, story: Story) -> bytes:
        """For a story's page and feed."""
        beside = [self._whole[miss.id] for miss in story.rejected]
        return digest_bytes(b"".join([b"story", self._scope, self._stories[story.id], *beside]))

    def section(self, section: Section, before: Link | None, after: Link | None, *others: str) -> bytes:
        """For a section's pages and feeds. `others` are sections of the same axis that its pages look at."""
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
        held = [self._sections.get((axis, other), nothing)[1] for other in (key, *others)]
        return digest_bytes(b"".join([b"section", self._scope, self._everywhere, _encode(facts), *held]))

    def numbered(self, section: Section, number: int, slots: slice, *, newest: bool) -> bytes:
        """For a numbered page of a section."""
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

    def redirects(self, found: dict[str, str]) -> bytes:
        """For the pages at old addresses."""
        return digest_bytes(b"redirects" + _encode(found))

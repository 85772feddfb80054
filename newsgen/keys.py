"""What pages depend on, in sixteen bytes: where a key is the same as in an earlier build, so are the pages, unmade.

A key may differ though its pages are the same, and costs time then; it must differ where they do. So a key is made of
whole values: of a member its card, its category, and the digest of its file; of a story its members and all it is
made of; and of everything that is no member's or story's, the configuration and the facts, all of it, always.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from newsgen.cards import Cards
from newsgen.model import Article, Link, Member, Section, Story
from newsgen.text import brief

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
        self._scope = brief(_encode((library.config, about)))
        self._members: dict[str, bytes] = {}
        self._stories = {story.id: self._told(story) for story in library.stories}
        self._sections = {
            (axis, key): b"".join([self._whole(m) for m in section.members])
            for axis, sections in library.sections.items()
            for key, section in sections.items()
        }
        self._everywhere = brief(_encode(sorted(cards.everywhere)))

    def _member(self, member: Member) -> bytes:
        """All that pages show of a member, and what it is ranked by."""
        found = self._members.get(member.id)
        if found is None:
            cards = self._cards
            rest = member.digest if isinstance(member, Article) else member
            place = cards.library.address.get(member.id, "")
            key = brief(_encode((member.id, cards.card(member), cards.category(member), place, rest)))
            self._members[member.id] = found = key
        return found

    def _told(self, story: Story) -> bytes:
        """All that pages show of a story and of its members."""
        facts = (story.id, story.name, story.lead.id, story.evidence, story.rejected, story.providers, story.sources)
        return brief(_encode(facts) + b"".join([self._member(m) for m in story.members]))

    def _whole(self, member: Member) -> bytes:
        """A member and its story."""
        story = self._cards.library.story_of.get(member.id)
        return self._member(member) + (self._stories[story.id] if story else _NONE)

    def article(self, article: Article, places: Iterable[tuple[str, str, int]]) -> bytes:
        """For an article's page. `places` are its sections' axes and keys, and where in them what is older begins."""
        library = self._cards.library
        near = [self._members_at(*place) for place in places]
        related = [self._whole(library.by_id[id]) for id in library.targets.get(article.id, ()) if id in library.by_id]
        return brief(b"".join([b"article", self._scope, self._whole(article), *related, b"|", *near]))

    def _members_at(self, axis: str, key: str, start: int) -> bytes:
        link = self._cards.link(axis, key)
        found = self._sections[axis, key][32 * start : 32 * (start + AROUND)]
        return found + f"{link.title}\0{link.url}\0".encode()

    def story(self, story: Story) -> bytes:
        """For a story's page and feed."""
        library = self._cards.library
        beside = [self._whole(library.by_id[miss.id]) for miss in story.rejected]
        return brief(b"".join([b"story", self._scope, self._stories[story.id], *beside]))

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
            cards.figures.get(key) if axis == "provider" else None,
            before,
            after,
        )
        held = [self._sections.get((axis, other), b"") for other in (key, *others)]
        return brief(b"".join([b"section", self._scope, self._everywhere, _encode(facts), *held]))

    def redirects(self, found: dict[str, str]) -> bytes:
        """For the pages at old addresses."""
        return brief(b"redirects" + _encode(found))

"""The page of an article: its story, what it names, and what came before it."""

from __future__ import annotations

from collections.abc import Iterator

from newsgen import urls
from newsgen.model import Article, Link
from newsgen.pages.cards import Cards
from newsgen.pages.keys import AROUND
from newsgen.pages.kinds import ArticlePage, Block, Head


def page(cards: Cards, article: Article, earlier: Earlier) -> ArticlePage:
    """The page of one article. `earlier` are those of the same site."""
    library = cards.library
    card = cards.card(article)
    story = library.story_of.get(article.id)
    inside = {m.id for m in story.members} if story else {article.id}
    related = [library.by_id[id] for id in library.targets.get(article.id, ()) if id in library.by_id]
    address = library.address[article.id]
    head = Head(
        title=article.title,
        description=card.summary,
        address=address,
        image=article.image,
        lang=article.lang,
        dir=article.dir,
        noindex=bool(article.status) or bool(story and cards.has("story")),
        breadcrumbs=cards.breadcrumbs(*cards.way(article), Link(title=article.title, url=address)),
    )
    return ArticlePage(
        path=urls.path(address),
        head=head,
        card=card,
        excerpt=article.excerpt if not article.url else card.summary,
        updated=article.updated,
        category=cards.category(article),
        images=article.images,
        embed=article.embed,
        body=article.body,
        story=cards.cluster(story, 12) if story else None,
        related=tuple(cards.card(m) for m in related if m.id not in inside),
        earlier=tuple(earlier.blocks(article, inside)),
        extra=article.extra,
    )


class Earlier:
    """The nearest older members of an article's provider and of its first topic; newer ones would change its page."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards
        self._first = {m.id: cards.topics(m)[0] for m in cards.library.articles if m.topics}
        sections, first = cards.library.sections, self._first.get
        self._place = {
            "provider": {m.id: at for s in sections["provider"].values() for at, m in enumerate(s.members, 1)},
            "topic": {
                m.id: at
                for key, s in sections["topic"].items()
                for at, m in enumerate(s.members, 1)
                if first(m.id) == key
            },
        }

    def places(self, article: Article) -> list[tuple[str, str, int]]:
        """The axes and keys of the two sections, and where in their members what is older begins."""
        found = []
        if article.provider:
            found.append(("provider", article.provider, self._place["provider"][article.id]))
        if article.topics:
            found.append(("topic", self._first[article.id], self._place["topic"][article.id]))
        return found

    def blocks(self, article: Article, seen: set[str]) -> Iterator[Block]:
        """What there is, without the members in `seen`."""
        cards = self._cards
        for axis, key, start in self.places(article):
            members = cards.library.sections[axis][key].members
            found = [m for m in members[start : start + AROUND] if m.id not in seen][:3]
            seen = seen | {m.id for m in found}
            if found:
                link = cards.link(axis, key)
                yield Block(title=link.title, url=link.url, clusters=tuple(map(cards.alone, found)))

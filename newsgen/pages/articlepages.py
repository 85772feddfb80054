"""Makes the page of an article that has one to itself, with its story, its related entries and earlier articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from newsgen import urls
from newsgen.model import Article, Link
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import ArticlePage, Block, Content, Head

EARLIER_CANDIDATES = 12
"""The number of older members of a section that an article's page chooses its earlier articles from."""

_YOUTUBE = r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/"
# Players and the pages on which people watch their videos.
_PAGES = (
    (_YOUTUBE + r"videoseries\?(?:.*&)?list=([\w-]+)", r"www.youtube.com/playlist?list=\1"),
    (_YOUTUBE + r"live_stream\?(?:.*&)?channel=([\w-]+)", r"www.youtube.com/channel/\1/live"),
    (_YOUTUBE + r"([\w-]+)\?(?:.*&)?start=([0-9]+)", r"www.youtube.com/watch?v=\1&t=\2s"),
    (_YOUTUBE + r"([\w-]+)", r"www.youtube.com/watch?v=\1"),
    (r"player\.vimeo\.com/video/([0-9]+)\?(?:.*&)?h=([0-9a-f]+)", r"vimeo.com/\1/\2"),
    (r"player\.vimeo\.com/video/([0-9]+)", r"vimeo.com/\1"),
    (r"(?:www\.|geo\.)?dailymotion\.com/embed/video/(\w+)", r"www.dailymotion.com/video/\1"),
    (r"geo\.dailymotion\.com/player(?:/\w+)?\.html\?(?:.*&)?video=(\w+)", r"www.dailymotion.com/video/\1"),
)
_PAGE_OF = [(re.compile("https://" + player, re.ASCII), "https://" + page) for player, page in _PAGES]


def _watch(embed: str) -> str:
    """The page on which people watch a player's video; the player itself if its host is not known."""
    for player, page in _PAGE_OF:
        if match := player.match(embed):
            return match.expand(page)
    return embed


def page(cards: Cards, article: Article) -> ArticlePage:
    """The page of an article that has one to itself."""
    library = cards.library
    card = cards.card(article)
    row = library.row(article.id)
    story = row.item if row and row.in_story else ""
    in_story = cards.member_ids(story or article.id)
    related = [member for id in library.targets.get(article.id, ()) if (member := library.by_id.get(id))]
    address = library.address[article.id]
    moment = cards.moment(article)
    moment += f", {article.slug}" if cards.is_repeated(article) else ""
    head = Head(
        title=card.title,
        qualifier=f"{card.provider.title}, {moment}" if article.url else moment,
        description=card.summary,
        address=address,
        image=article.image,
        lang=article.lang,
        dir=article.dir,
        noindex=bool(article.status),
        breadcrumbs=cards.breadcrumbs(*cards.category_crumb(article), Link(title=card.title, url=address)),
    )
    return ArticlePage(
        path=urls.path(address),
        head=head,
        content=content(cards, article),
        category=cards.category(article),
        story=cards.cluster(story, 12) if story else None,
        related=tuple(cards.card(m) for m in related if m.id not in in_story),
        earlier=tuple(_earlier(cards, article, in_story)),
    )


def content(cards: Cards, article: Article) -> Content:
    """What an article shows of itself."""
    card = cards.card(article)
    return Content(
        card=card,
        excerpt=article.excerpt if not article.url else card.summary,
        updated=article.updated,
        updated_all_day=article.updated_all_day,
        images=article.images,
        embed=article.embed,
        watch=_watch(article.embed),
        body=article.body,
        extra=article.extra,
    )


def _earlier(cards: Cards, article: Article, seen: set[str]) -> Iterator[Block]:
    """Up to three earlier members of the article's provider and of its first topic, without those in `seen`.

    Newer members are not shown, because each new article would then make older pages stale.
    """
    places = [("provider", article.provider)] if article.provider else []
    places += [("topic", key) for key in cards.topics(article)[:1]]
    for axis, key in places:
        section = cards.library.sections[axis][key]
        rows = islice(section.rows.descending((article.published, article.id)), EARLIER_CANDIDATES)
        earlier = [row for row in rows if row.id not in seen][:3]
        seen = seen | {row.id for row in earlier}
        if earlier:
            link = cards.link(axis, key)
            clusters = map(cards.single_of, cards.cards(section, earlier))
            yield Block(title=link.title, url=link.url, clusters=tuple(clusters))

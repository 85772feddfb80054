"""Makes the JSON of lists, for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from newsgen import times, urls
from newsgen.library import Section
from newsgen.model import Card, Cluster, Link
from newsgen.pages import lists
from newsgen.pages.cards import Cards
from newsgen.pages.kinds import (
    ApiPage,
    ArchivePage,
    HomePage,
    HtmlPage,
    IndexPage,
    ListedArticle,
    ListedSection,
    ListedStory,
    ListJson,
    ListPage,
    SourcesPage,
)


def pages(cards: Cards, html: Iterable[HtmlPage]) -> list[ApiPage]:
    """The JSON of lists that have these pages, except the first pages of sections."""
    if not cards.has("api"):
        return []
    html = list(html)
    counts = _counts(cards, html[0]) if html else {}
    return [_of(cards, page, at and at + 1, counts) for at, page in enumerate(html)]


def _counts(cards: Cards, page: HtmlPage) -> Mapping[Link, int]:
    """The members of each section that the pages of an index list; none for other pages."""
    if isinstance(page, IndexPage):
        return {cards.link(page.axis, key): row.count for key, row in cards.library.index(page.axis).items()}
    if isinstance(page, SourcesPage):
        return {cards.provider(key): row.count for key, row in cards.library.index("provider").items()}
    return {}


def first(cards: Cards, section: Section) -> list[ApiPage]:
    """The JSON of the first page of a section.

    It has the members of the newest numbered page and of the full one before it, and leads to the next older one.
    """
    if not cards.has("api"):
        return []
    size, address = cards.config.page_size, cards.places.section(section.axis, section.key)
    before = max(lists.last(section.count, size) - 2, 0)
    rows = section.rows.at(before * size, section.count)
    value = _articles(cards, cards.cards(section, reversed(rows)))
    return [_page(cards, address, 0, value, cards.places.numbered(address, before) if before else "")]


def _of(cards: Cards, page: HtmlPage, number: int, counts: Mapping[Link, int]) -> ApiPage:
    address, older = page.head.address, ""
    value: tuple[ListedArticle | ListedStory | ListedSection, ...] = ()
    if isinstance(page, HomePage):
        value = tuple(_item(cards, cluster) for cluster in (page.lead, *page.top) if cluster)
    elif isinstance(page, ListPage):
        number, value = page.number, _articles(cards, page.cards)
    elif isinstance(page, IndexPage):
        value = tuple(_section(cards, x.title, x.url, counts[x]) for group in page.groups for x in group.items)
    elif isinstance(page, SourcesPage):
        lines = [line for group in page.groups for line in group.sources] or page.sources
        value = tuple(_section(cards, s.provider.title, s.provider.url, counts[s.provider]) for s in lines)
    elif isinstance(page, ArchivePage):
        number, value = 0, tuple(_archived(cards, page))
    # The links of the archive lead to neighbours in time, which are lists of their own.
    if isinstance(page, ListPage | SourcesPage | IndexPage) and page.older:
        older = page.older.url
    return _page(cards, address, number, value, older)


def _archived(cards: Cards, page: ArchivePage) -> Iterator[ListedSection]:
    """The months of all years, the months of a year, or the days of a month."""
    days = cards.library.index("day")
    in_month = Counter[str]()
    for day, row in days.items():
        in_month[cards.places.archive_of(day[:4], day[5:7])] += row.count
    if page.years:
        for month in (month for year in page.years for month in year.months):
            yield _section(cards, month.title, month.url, in_month[month.url])
    elif page.head.address in in_month:
        for each in page.calendars[0].days:
            if each.url:
                yield _section(cards, cards.day_title(each.day), each.url, days[each.day].count)
    else:
        for calendar in page.calendars:
            yield _section(cards, calendar.title, calendar.url, in_month[calendar.url])


def _page(
    cards: Cards,
    address: str,
    number: int,
    value: tuple[ListedArticle | ListedStory | ListedSection, ...],
    older: str,
) -> ApiPage:
    next_page = _url(cards, urls.json(older)) if older else None
    return ApiPage(path=urls.path(urls.json(address)), list=ListJson(page=number, value=value, next_page=next_page))


def _url(cards: Cards, address: str) -> str:
    return urls.absolute(address, cards.config.base)


def _articles(cards: Cards, members: Iterable[Card]) -> tuple[ListedArticle, ...]:
    return tuple(_article(cards, card) for card in members)


def _article(cards: Cards, card: Card) -> ListedArticle:
    when, picture = card.published, card.image if cards.config.images.show != "none" else None
    return ListedArticle(
        title=card.title,
        url=_url(cards, card.url) or None,
        page=_url(cards, card.page) or None,
        story=_url(cards, card.story) or None,
        summary=card.summary,
        provider=card.provider.title,
        published=urls.day(when, cards.config.zone) if card.all_day else times.iso(when),
        type=card.type,
        lang=card.lang or None,
        image=_url(cards, picture.url) if picture else None,
        caption=picture.title or None if picture else None,
        credit=picture.attribution or None if picture else None,
        authors=tuple(author.title for author in card.authors),
        topics=tuple(topic.title for topic in card.topics),
    )


def _item(cards: Cards, cluster: Cluster) -> ListedArticle | ListedStory:
    if not cluster.url:
        return _article(cards, cluster.lead)
    return ListedStory(
        title=cluster.title,
        url=_url(cards, cluster.url),
        reports=cluster.count,
        sources=cluster.sources,
        lead=_article(cards, cluster.lead),
        coverage=_articles(cards, cluster.coverage),
    )


def _section(cards: Cards, title: str, address: str, count: int) -> ListedSection:
    json = _url(cards, urls.json(address)) if address else None
    return ListedSection(title=title, url=_url(cards, address) or None, json=json, count=count)

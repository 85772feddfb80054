"""The library becomes pages: every page of the site, complete, before anything is rendered."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from newsgen import ranking, text, urls
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import Article, Card, Cluster, Link, Member, Section, Site, Story, Tally
from newsgen.pages import (
    ArticlePage, AtomFeed, Block, Entry, Feed, FeedEntry, FilePage, Group, Head, HeadersPage, HomePage, HtmlPage, IndexPage,
    JsonFeed, ListPage, NotFoundPage, OpmlPage, Outline, Page, RedirectPage, RedirectsPage, RobotsPage, RssFeed, Shelf,
    SitemapIndex, SitemapPage, Source, SourcesPage, StoryPage, TextPage,
)  # fmt: skip

Item = Story | Member
"""What a ranked list is made of: a story, or a member that is in none."""

TOP = 12
RANKED = 10
LINES = 4
_WEEK = timedelta(days=7)
_SITEMAP = 50_000


def plan(library: Library, files: Iterable[FilePage] = ()) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """Every page at an address of its own, and a problem for each that would take another's. `files` are static ones."""
    return _apart(_Plan(library).pages(), files, library)


def site(library: Library) -> Site:
    """What every page shows."""
    config = library.config
    if config.navigation is not None:
        navigation = [Link(title=n.title, url=n.url) for n in config.navigation]
    else:
        sections = library.sections["category"].values() if config.has("category") else ()
        navigation = [Link(title=s.title[:1].upper() + s.title[1:], url=urls.section("category", s.key)) for s in sections][:12]
        places = (("topic", "Topics", urls.TOPICS), ("sources", "Sources", urls.SOURCES), ("archive", "Archive", urls.ARCHIVE))
        navigation += [Link(title=title, url=url) for kind, title, url in places if config.has(kind)]
    own = [p for p in library.about["page"].values() if config.has("page")]
    navigation += [Link(title=p.title, url=urls.page(p.key)) for p in own if p.navigation]
    return Site(
        title=config.title,
        description=config.description,
        language=config.language,
        dir=config.dir,
        timezone=config.timezone,
        base=config.base,
        root=config.root,
        home=urls.HOME if config.has("home") else "",
        navigation=tuple(navigation),
        footer=tuple(Link(title=p.title, url=urls.page(p.key)) for p in own if not p.navigation),
        feeds=_feeds(config.title, urls.HOME) if config.has("feed") and config.base else (),
        images=config.images.show != "none",
        embeds=config.video.embed,
    )


def _feeds(title: str, address: str) -> tuple[Link, ...]:
    return tuple(Link(title=title, url=address + name) for name in urls.FEEDS)


def _apart(pages: Iterable[Page], files: Iterable[FilePage], library: Library) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    """The pages that do not stand in another's way, even on a disk that ignores case; the first planned stays."""
    taken: dict[str, Page] = {}
    folders: dict[str, Page] = {}
    problems = []
    named = {address: id for id, address in library.address.items()}
    for page in [*pages, *files]:
        key = page.path.casefold()
        above = [key[:i] for i, c in enumerate(key) if c == "/"]
        other = taken.get(key) or folders.get(key) or next((taken[f] for f in above if f in taken), None)
        if other is None:
            taken[key] = page
            for folder in above:
                folders.setdefault(folder, page)
            continue
        what = f"would be written to {page.path}, where {_called(other, named)} is"
        problems.append(Problem(path=_called(page, named), what=what, hint="rename one, or switch one kind off in site.toml"))
    return tuple(taken.values()), tuple(problems)


def _called(page: Page, named: dict[str, str]) -> str:
    """A page as the people of the site know it."""
    if isinstance(page, FilePage):
        return f"static/{page.source}"
    if isinstance(page, ArticlePage):
        return named.get(page.head.address, page.path)
    if isinstance(page, RedirectPage):
        return f"an alias of {named.get(page.target, page.target)}"
    return f"the page {page.head.title!r}" if isinstance(page, HtmlPage) else page.path


class _Plan:
    """The library with what several pages share, each worked out once."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.config = library.config
        self.has = library.config.has
        self._cards: dict[str, Card] = {}
        self._scores: dict[str, float] = {}
        self._entries: dict[str, FeedEntry] = {}
        self._feeds = self.has("feed") and bool(self.config.base)
        self._place = {
            (axis, key, member.id): index
            for axis in ("provider", "topic")
            for key, section in library.sections[axis].items()
            for index, member in enumerate(section.members)
        }
        half = len(library.members) / 2
        # A topic on more than half of all tells nothing apart.
        self._everywhere = frozenset(k for k, s in library.sections["topic"].items() if len(s.members) > half)

    def pages(self) -> Iterator[Page]:
        library, has = self.library, self.has
        items = self.items(library.members)
        sections = [(kind, s) for kind in ("topic", "provider", "category") if has(kind) for s in library.sections[kind].values()]
        if has("home"):
            yield self.home(items)
        if has("topic"):
            yield from self.topics()
        for _, section in sections:
            yield from self.lists(section)
        if has("archive"):
            yield from self.archive()
        if has("sources"):
            yield from self.sources()
        if has("story"):
            yield from map(self.story, library.stories)
        if has("article"):
            yield from map(self.article, library.articles)
        if has("page"):
            yield from self.texts()
        if has("404"):
            yield NotFoundPage(path="404.html", head=Head(title="Page not found", description="", address="/404.html", noindex=True))
        if self._feeds:
            yield from self.feeds(self.config.title, self.config.description, urls.HOME, [(i, None) for i in items])
            for kind, section in sections:
                shown = self.section_items(section, by_provider=kind == "provider")
                about = section.about.description if section.about else ""
                yield from self.feeds(f"{section.title} · {self.config.title}", about, urls.section(kind, section.key), shown)
        if has("opml"):
            yield self.opml()
        redirects = self.redirects()
        if self.config.redirects.pages:
            for old, new in redirects.items():
                file = old if old.endswith((".html", ".htm", "/")) else old + "/"
                yield RedirectPage(path=urls.path(file), target=new)
        if has("redirects") and self.config.redirects.file:
            yield RedirectsPage(path="_redirects", redirects=tuple(Link(title=old, url=new) for old, new in redirects.items()))
        if has("sitemap") and self.config.base:
            yield from self.sitemaps(sections)
        if has("robots"):
            sitemap = "/sitemap.xml" if has("sitemap") and self.config.base else ""
            yield RobotsPage(path="robots.txt", sitemap=sitemap)
        if has("headers"):
            yield HeadersPage(path="_headers", frames=self.config.video.hosts if self.config.video.embed else ())

    # What lists are made of

    def items(self, members: Iterable[Member]) -> list[Item]:
        """Stories and lone members in the order of their first appearance, each once."""
        found: dict[str, Item] = {}
        story_of = self.library.story_of
        for member in members:
            item: Item = story_of.get(member.id, member)
            found.setdefault(item.id, item)
        return list(found.values())

    def section_items(self, section: Section, *, by_provider: bool) -> list[tuple[Item, Member | None]]:
        """The items of a section for its feeds; a provider's feed shows the story as that provider tells it."""
        if not by_provider:
            return [(item, None) for item in self.items(section.members)]
        first: dict[str, tuple[Item, Member | None]] = {}
        for member in reversed(section.members):
            item: Item = self.library.story_of.get(member.id, member)
            first.setdefault(item.id, (item, member))
        return list(first.values())

    def ranked(self, items: Iterable[Item], size: int, spare: frozenset[str] = frozenset()) -> list[Item]:
        """The best, with no provider and no topic (but those in `spare`) above its cap."""
        config = self.config.ranking

        def names(item: Item) -> list[tuple[str, int]]:
            lead = item.lead if isinstance(item, Story) else item
            found = [("provider " + lead.provider, config.provider_cap)] if lead.provider else []
            keys = {text.slug(t) for t in lead.topics} - spare - self._everywhere
            return found + [("topic " + k, config.topic_cap) for k in sorted(keys)]

        best = heapq.nlargest(size * 8, items, key=lambda i: (self.score(i), i.id))
        return ranking.capped(best, names, size)

    def score(self, item: Item) -> float:
        if item.id not in self._scores:
            self._scores[item.id] = ranking.score(ranking.members(item), self.config.ranking.half_life)
        return self._scores[item.id]

    def card(self, member: Member) -> Card:
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
            topics=tuple(self.link("topic", text.slug(t)) for t in member.topics),
        )

    def provider(self, domain: str) -> Link:
        if not domain:
            return Link(title=self.config.title, url="")
        return self.link("provider", domain)

    def link(self, axis: str, key: str) -> Link:
        """A section by name, with its address if it has a page."""
        section = self.library.sections[axis].get(key)
        if section is None:
            return Link(title=self.library.providers[key].title if axis == "provider" else key, url="")
        return Link(title=section.title, url=urls.section(axis, key) if self.has(axis) else "")

    def story_url(self, story: Story) -> str:
        return urls.story(self.library.address[story.id]) if self.has("story") else ""

    def story_title(self, story: Story, lead: Member) -> str:
        about = self.library.about["story"].get(story.name)
        return (about.title if about else "") or lead.title

    def cluster(self, item: Item, lines: int = LINES, until: datetime | None = None) -> Cluster:
        """An item as a list shows it; `until` leaves out what came later."""
        if not isinstance(item, Story):
            card = self.card(item)
            return Cluster(title=card.title, url="", lead=card, coverage=(), count=1, sources=1)
        members: Sequence[Member] = item.members
        lead = item.lead
        if until is not None:
            members = [m for m in members if m.published <= until]
            if lead not in members:
                lead = ranking.lead(members)
        others = sorted((m for m in members if m is not lead), key=lambda m: (m.provider == lead.provider, -(m.quality or 0), m.published, m.id))
        return Cluster(
            title=self.story_title(item, lead),
            url=self.story_url(item),
            lead=self.card(lead),
            coverage=tuple(self.card(m) for m in others[:lines]),
            count=len(members),
            sources=len({m.provider for m in members}),
        )

    def crumbs(self, *links: Link) -> tuple[Link, ...]:
        return (Link(title="Home", url=urls.HOME if self.has("home") else ""), *links)

    # Pages

    def home(self, items: list[Item]) -> HomePage:
        library = self.library
        pinned = ranking.pinned(map(ranking.members, items), library.clock)
        best = self.ranked(items, TOP)
        if pinned:
            first = library.story_of.get(pinned[0].id, pinned[0])
            best = [first, *(i for i in best if i is not first)][:TOP]
        shown = {m.id for i in best for m in ranking.members(i)}
        recent = [m for m in library.members if library.clock - m.published < _WEEK]
        busy = Counter(k for m in recent for k in {text.slug(t) for t in m.topics} - self._everywhere)
        blocks = []
        for key, _ in sorted(busy.items(), key=lambda b: (-b[1], b[0])):
            members = library.sections["topic"][key].members
            fresh = [i for i in self.items(members[:400]) if i.id not in shown]
            chosen = self.ranked(fresh, 3, frozenset({key}))
            if len(chosen) == 3:
                shown |= {m.id for i in chosen for m in ranking.members(i)}
                link = self.link("topic", key)
                blocks.append(Block(title=link.title, url=link.url, clusters=tuple(self.cluster(i, 2) for i in chosen)))
            if len(blocks) == 6:
                break
        rising = ranking.trending(((k, m.published) for m in library.members for k in {text.slug(t) for t in m.topics} - self._everywhere), library.clock)
        active = Counter(m.provider for m in recent if m.provider)
        days = list(library.sections["day"].values())[-7:][::-1] if self.has("archive") else []
        clusters = [self.cluster(i, 6 if n == 0 else 3) for n, i in enumerate(best)]
        return HomePage(
            path=urls.path(urls.HOME),
            head=Head(title=self.config.title, description=self.config.description, address=urls.HOME, image=clusters[0].lead.image if clusters else None),
            lead=clusters[0] if clusters else None,
            top=tuple(clusters[1:]),
            blocks=tuple(blocks),
            river=tuple(self.card(m) for m in library.members[: self.config.page_size]),
            trending=tuple(self.link("topic", k) for k in rising[:8]),
            providers=tuple(self.provider(p) for p, _ in sorted(active.items(), key=lambda a: (-a[1], a[0]))[:10]),
            days=tuple(map(_tally, days)),
        )

    def story(self, story: Story) -> StoryPage:
        about = self.library.about["story"].get(story.name)
        address = self.story_url(story)
        lead = self.card(story.lead)
        rows = sorted(story.members, key=lambda m: m.provider)
        groups = [tuple(g) for _, g in groupby(rows, key=lambda m: m.provider)]
        groups.sort(key=lambda g: (-max(m.quality or 0 for m in g), min(m.published for m in g), g[0].id))
        count = Counter(k for m in story.members for k in dict.fromkeys(text.slug(t) for t in m.topics))
        title = self.story_title(story, story.lead)
        summary = (about.description if about else "") or lead.summary
        return StoryPage(
            path=urls.path(address),
            head=Head(
                title=title, description=summary, address=address, image=lead.image, lang=lead.lang, dir=lead.dir,
                noindex=any(m.status for m in story.members), crumbs=self.crumbs(*self._way(story.lead), Link(title=title, url=address)),
            ),
            title=title,
            summary=summary,
            lead=lead,
            first=self.card(story.first),
            last=story.last.published,
            sources=len(story.providers),
            groups=tuple(
                Group(provider=self.provider(g[0].provider), cards=tuple(self.card(m) for m in sorted(g, key=lambda m: (m.published, m.id)))) for g in groups
            ),
            timeline=tuple(self.card(m) for m in story.members),
            topics=tuple(self.link("topic", k) for k, _ in sorted(count.items(), key=lambda c: (-c[1], c[0]))),
            body=about.body if about else "",
        )  # fmt: skip

    def _way(self, member: Member) -> list[Link]:
        """The crumb of a member's category, where it has a page."""
        key = text.slug(member.category) if member.category else ""
        link = self.link("category", key) if key else None
        return [link] if link and link.url else []

    def article(self, article: Article) -> ArticlePage:
        library = self.library
        card = self.card(article)
        story = library.story_of.get(article.id)
        inside = {m.id for m in story.members} if story else {article.id}
        related = [library.by_id[id] for id in library.targets[article.id] if id in library.by_id]
        key = text.slug(article.category) if article.category else ""
        address = library.address[article.id]
        return ArticlePage(
            path=urls.path(address),
            head=Head(
                title=article.title, description=card.summary, address=address, image=article.image, lang=article.lang, dir=article.dir,
                noindex=bool(article.status) or bool(story and self.has("story")), crumbs=self.crumbs(*self._way(article), Link(title=article.title, url=address)),
            ),
            card=card,
            excerpt=article.excerpt if not article.url else card.summary,
            updated=article.updated,
            category=self.link("category", key) if key else None,
            images=article.images,
            embed=article.embed,
            body=article.body,
            story=self.cluster(story, 12) if story else None,
            related=tuple(self.card(m) for m in related if m.id not in inside),
            earlier=tuple(self._earlier(article, inside)),
            extra=article.extra,
        )  # fmt: skip

    def _earlier(self, article: Article, seen: set[str]) -> Iterator[Block]:
        """The nearest older members of the article's provider and of its first topic; newer ones would change the page."""
        for axis, key in (("provider", article.provider), ("topic", text.slug(article.topics[0]) if article.topics else "")):
            section = self.library.sections[axis].get(key)
            if section is None:
                continue
            start = self._place[axis, key, article.id] + 1
            found = [m for m in section.members[start : start + 12] if m.id not in seen][:3]
            seen = seen | {m.id for m in found}
            if found:
                clusters = (Cluster(title=m.title, url="", lead=self.card(m), coverage=(), count=1, sources=1) for m in found)
                yield Block(title=section.title, url=urls.section(axis, key) if self.has(axis) else "", clusters=tuple(clusters))

    def lists(self, section: Section, before: Link | None = None, after: Link | None = None) -> Iterator[ListPage]:
        """The first page of a section, and its numbered pages where one does not hold all."""
        axis, key, about = section.axis, section.key, section.about
        address = urls.section(axis, key)
        size = self.config.page_size
        members = section.members
        last = -(-len(members) // size) if len(members) > size else 0
        items = self.items(members) if axis != "provider" else []
        if axis == "day":
            until = max(m.published for m in members)
            ranked = [self.cluster(i, 3, until) for i in self._ranked_until(items, until)]
        else:
            ranked = [self.cluster(i, 3) for i in self.ranked(items, RANKED, frozenset({key}))]
        shown = {c.url or c.page for r in ranked for c in (r.lead, *r.coverage)}
        newest = [c for c in map(self.card, members[: size + len(shown)]) if (c.url or c.page) not in shown][:size]
        title = day_title(section.title) if axis == "day" else section.title
        place = {"topic": Link(title="Topics", url=urls.TOPICS), "provider": Link(title="Sources", url=urls.SOURCES if self.has("sources") else ""),
                 "day": Link(title="Archive", url=urls.ARCHIVE)}.get(axis)  # fmt: skip
        parent = self.link(axis, section.parent) if section.parent else None
        way = [*([place] if place else []), *([parent] if parent else []), Link(title=title, url=address)]
        topics = Counter(k for m in members for k in {text.slug(t) for t in m.topics} if k != key)
        providers = Counter(m.provider for m in members if m.provider and m.provider != key)
        intro = about.description if about else ""
        for number in range(last + 1):
            first = number == 0
            start, end = (number - 1) * size, number * size
            cards = tuple(newest) if first else tuple(map(self.card, members[max(0, len(members) - end) : len(members) - start]))
            yield ListPage(
                path=urls.path(urls.numbered(address, number)),
                head=Head(
                    title=title if first else f"{title}, page {number}", description=intro, address=urls.numbered(address, number),
                    feeds=_feeds(title, address) if first and self._feeds and axis != "day" else (), crumbs=self.crumbs(*way),
                    image=about.image if about else None,
                ),
                axis=axis,
                key=key,
                title=title,
                intro=intro if first else "",
                body=about.body if about and first else "",
                home=self.library.providers[key].home if axis == "provider" else "",
                image=about.image if about and first else None,
                number=number,
                ranked=tuple(ranked) if first else (),
                cards=cards,
                newer=None if first else Link(title="Newer", url=urls.numbered(address, number + 1 if number < last else 0)),
                older=Link(title="Older", url=urls.numbered(address, last if first else number - 1)) if (first and last) or number > 1 else None,
                after=after if first else None,
                before=before if first else None,
                parent=parent,
                children=tuple(self.link(axis, c) for c in section.children) if first else (),
                topics=self._tallies("topic", topics) if first else (),
                providers=self._tallies("provider", providers) if first and axis != "provider" else (),
            )  # fmt: skip

    def _ranked_until(self, items: list[Item], until: datetime) -> list[Item]:
        half_life = self.config.ranking.half_life
        known = {i.id: ranking.score([m for m in ranking.members(i) if m.published <= until], half_life) for i in items}
        return heapq.nlargest(RANKED, items, key=lambda i: (known[i.id], i.id))

    def _tallies(self, axis: str, counts: Counter[str], most: int = 12) -> tuple[Tally, ...]:
        best = heapq.nsmallest(most, counts.items(), key=lambda c: (-c[1], c[0]))
        return tuple(Tally(title=x.title, url=x.url, count=n) for k, n in best for x in [self.link(axis, k)])

    def topics(self) -> Iterator[IndexPage]:
        rows = sorted(self.library.sections["topic"].values(), key=lambda s: (s.title.casefold(), s.key))
        yield from self._index("topic", "Topics", urls.TOPICS, [(s.title[:1].upper(), s) for s in rows])

    def _index(self, axis: str, title: str, address: str, rows: list[tuple[str, Section]], size: int = 600) -> Iterator[IndexPage]:
        """Sections under headings, `size` to a page."""
        chunks = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
        for number, chunk in enumerate(chunks, 1):
            shelves = [
                Shelf(title=name, items=tuple(Tally(title=s.title, url=urls.section(s.axis, s.key), count=len(s.members)) for _, s in group))
                for name, group in groupby(chunk, key=lambda r: r[0])
            ]
            here = urls.numbered(address, number if number > 1 else 0)
            yield IndexPage(
                path=urls.path(here),
                head=Head(title=title, description="", address=here, crumbs=self.crumbs(Link(title=title, url=address))),
                axis=axis,
                title=title,
                shelves=tuple(shelves),
                newer=Link(title="Back", url=urls.numbered(address, number - 1 if number > 2 else 0)) if number > 1 else None,
                older=Link(title="More", url=urls.numbered(address, number + 1)) if number < len(chunks) else None,
            )

    def archive(self) -> Iterator[Page]:
        """The archive's front page lists months, a year its months with their days, a month its days."""
        days = list(self.library.sections["day"].values())
        months = [(month, list(group)) for month, group in groupby(days, key=lambda s: s.key[:7])]
        years = [(year, list(group)) for year, group in groupby(months, key=lambda m: m[0][:4])]
        top = Link(title="Archive", url=urls.ARCHIVE)
        shelves = [Shelf(title=year, items=tuple(map(self._month, group))) for year, group in reversed(years)]
        yield self._calendar("Archive", urls.ARCHIVE, shelves, (top,), None, None)
        for at, (year, group) in enumerate(years):
            shelves = [Shelf(title=MONTHS[int(month[5:]) - 1], items=tuple(map(_tally, held))) for month, held in group]
            newer, older = (years[n][0] if 0 <= n < len(years) else "" for n in (at + 1, at - 1))
            ways = [Link(title=y, url=urls.archive(y)) if y else None for y in (newer, older)]
            link = Link(title=year, url=urls.archive(year))
            yield self._calendar(f"Archive {year}", link.url, shelves, (top, link), *ways)
        for at, (month, held) in enumerate(months):
            around = [months[n] if 0 <= n < len(months) else None for n in (at + 1, at - 1)]
            ways = [Link(title=self._month(m).title, url=self._month(m).url) if m else None for m in around]
            tally = self._month((month, held))
            year_link = Link(title=month[:4], url=urls.archive(month[:4]))
            crumbs = (top, year_link, Link(title=MONTHS[int(month[5:]) - 1], url=tally.url))
            yield self._calendar(tally.title, tally.url, [Shelf(title=tally.title, items=tuple(map(_tally, held)))], crumbs, *ways)
        for at, section in enumerate(days):
            after, before = (days[n] if 0 <= n < len(days) else None for n in (at + 1, at - 1))
            yield from self.lists(section, *(Link(title=day_title(s.key), url=urls.section("day", s.key)) if s else None for s in (before, after)))

    def _month(self, month: tuple[str, list[Section]]) -> Tally:
        key, days = month
        return Tally(title=f"{MONTHS[int(key[5:]) - 1]} {key[:4]}", url=urls.archive(key[:4], key[5:]), count=sum(len(s.members) for s in days))

    def _calendar(self, title: str, address: str, shelves: list[Shelf], crumbs: tuple[Link, ...], newer: Link | None, older: Link | None) -> IndexPage:
        return IndexPage(
            path=urls.path(address),
            head=Head(title=title, description="", address=address, crumbs=self.crumbs(*crumbs)),
            axis="archive",
            title=title,
            shelves=tuple(shelves),
            newer=newer,
            older=older,
        )

    def sources(self, size: int = 250) -> Iterator[SourcesPage]:
        stories = Counter(p for s in self.library.stories for p in s.providers)
        rows = [
            Source(
                provider=self.provider(key), domain=key, home=self.library.providers[key].home, count=len(s.members),
                stories=stories[key], last=s.members[0].published,
            )
            for key, s in self.library.sections["provider"].items()
        ]  # fmt: skip
        rows.sort(key=lambda r: (r.provider.title.casefold(), r.domain))
        chunks = [rows[i : i + size] for i in range(0, len(rows), size)] or [[]]
        for number, chunk in enumerate(chunks, 1):
            here = urls.numbered(urls.SOURCES, number if number > 1 else 0)
            yield SourcesPage(
                path=urls.path(here),
                head=Head(title="Sources", description="", address=here, crumbs=self.crumbs(Link(title="Sources", url=urls.SOURCES))),
                sources=tuple(chunk),
                newer=Link(title="Back", url=urls.numbered(urls.SOURCES, number - 1 if number > 2 else 0)) if number > 1 else None,
                older=Link(title="More", url=urls.numbered(urls.SOURCES, number + 1)) if number < len(chunks) else None,
                half_life=self.config.ranking.half_life,
                provider_cap=self.config.ranking.provider_cap,
                topic_cap=self.config.ranking.topic_cap,
            )

    def texts(self) -> Iterator[TextPage]:
        for about in self.library.about["page"].values():
            address = urls.page(about.key)
            yield TextPage(
                path=urls.path(address),
                head=Head(title=about.title, description=about.description, address=address, image=about.image, crumbs=self.crumbs(Link(title=about.title, url=address))),
                title=about.title,
                body=about.body,
            )  # fmt: skip

    # Feeds, lists for machines

    def feeds(self, title: str, description: str, address: str, items: list[tuple[Item, Member | None]]) -> Iterator[Feed]:
        newest = heapq.nlargest(self.config.feed_size, items, key=lambda i: (self._born(i[0]), i[0].id))
        entries = tuple(self.entry(item, member) for item, member in newest)
        updated = max((e.updated for e in entries), default=self.library.clock)
        for name, kind in zip(urls.FEEDS, (RssFeed, AtomFeed, JsonFeed), strict=True):
            yield kind(
                path=urls.path(address + name), title=title, description=description, address=address + name, home=address,
                updated=updated, entries=entries,
            )  # fmt: skip

    def _born(self, item: Item) -> datetime:
        """When an item entered the site: the time of its earliest file."""
        return self.library.by_id[item.id].published

    def entry(self, item: Item, shown: Member | None = None) -> FeedEntry:
        """A feed's entry, named for good by the address of the earliest file; as `shown` tells it."""
        if shown is None and item.id in self._entries:
            return self._entries[item.id]
        lead = shown or (item.lead if isinstance(item, Story) else item)
        card = self.card(lead)
        page = self.story_url(item) if isinstance(item, Story) else card.page
        members = ranking.members(item)
        changed = [m.updated for m in members if isinstance(m, Article) and m.updated]
        entry = FeedEntry(
            address=self.library.address[item.id],
            page=page or card.page,
            url=card.url,
            title=card.title,
            summary=card.summary,
            provider=card.provider,
            published=self._born(item),
            updated=max([m.published for m in members] + changed),
            topics=tuple(t.title for t in card.topics),
            image=card.image,
            coverage=tuple(self.card(m) for m in members if m is not lead)[:12],
        )
        if shown is None:
            self._entries[item.id] = entry
        return entry

    def opml(self) -> OpmlPage:
        sections = self.library.sections["provider"]
        linked = self._feeds and self.has("provider")
        outlines = [
            Outline(title=s.title, home=self.library.providers[k].home, feed=urls.section("provider", k) + urls.FEEDS[0] if linked else "")
            for k, s in sections.items()
        ]
        return OpmlPage(path="sources.opml", outlines=tuple(sorted(outlines, key=lambda o: (o.title.casefold(), o.home))))

    def redirects(self) -> dict[str, str]:
        """Old addresses and where they lead: a story's under its other members' names, and what files call `aliases`."""
        out: dict[str, str] = {}
        library = self.library
        if self.has("story"):
            for story in library.stories:
                address = self.story_url(story)
                out |= {urls.story(library.address[m.id]): address for m in story.members if isinstance(m, Article) and m.id != story.id}
        if self.has("article"):
            out |= {alias: library.address[a.id] for a in reversed(library.articles) for alias in a.aliases}
        for kind, axis in (("topic", "topic"), ("provider", "provider")):
            for about in library.about[kind].values():
                if self.has(axis) and about.key in library.sections[axis]:
                    out |= dict.fromkeys(about.aliases, urls.section(axis, about.key))
        if self.has("page"):
            out |= {alias: urls.page(p.key) for p in library.about["page"].values() for alias in p.aliases}
        return dict(sorted(out.items()))

    def sitemaps(self, sections: list[tuple[str, Section]]) -> Iterator[Page]:
        """A sitemap of the lists and one for each month, so that only the newest change; and their index."""
        library = self.library
        places = [urls.HOME] if self.has("home") else []
        places += [urls.TOPICS] * self.has("topic") + [urls.SOURCES] * self.has("sources") + [urls.ARCHIVE] * self.has("archive")
        places += [urls.page(k) for k in library.about["page"] if self.has("page")]
        shards: dict[str, list[Entry]] = {"lists": [Entry(address=a, modified=None) for a in places]}
        shards["lists"] += [Entry(address=urls.section(k, s.key), modified=s.members[0].published) for k, s in sections]
        found: list[tuple[datetime, Entry]] = []
        if self.has("story"):
            found += [(self._born(s), Entry(address=self.story_url(s), modified=s.last.published)) for s in library.stories]
        if self.has("article"):
            alone = (a for a in library.articles if not a.status and not (self.has("story") and a.id in library.story_of))
            found += [(a.published, Entry(address=library.address[a.id], modified=a.updated or a.published)) for a in alone]
        for born, entry in sorted(found, key=lambda f: (f[0], f[1].address)):
            shards.setdefault(f"{born:%Y-%m}", []).append(entry)
        index = []
        for name, entries in shards.items():
            for number, start in enumerate(range(0, len(entries), _SITEMAP), 1):
                address = f"/sitemaps/{name}{f'-{number}' if number > 1 else ''}.xml"
                part = tuple(entries[start : start + _SITEMAP])
                yield SitemapPage(path=urls.path(address), entries=part)
                index.append(Entry(address=address, modified=max((e.modified for e in part if e.modified), default=None)))
        yield SitemapIndex(path="sitemap.xml", entries=tuple(index))


MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def day_title(key: str) -> str:
    """A day's key as people write it: 8 November 2026."""
    year, month, day = key.split("-")
    return f"{int(day)} {MONTHS[int(month) - 1]} {int(year)}"


def _tally(section: Section) -> Tally:
    return Tally(title=day_title(section.key), url=urls.section("day", section.key), count=len(section.members))

"""Arranges all published members and stories by topic, provider, category and day. A library never changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import msgspec

from newsgen import canonical, idn, text, times, urls
from newsgen.config import Config
from newsgen.model import About, Article, Coverage, Member, Provider, Section, Story, by_time
from newsgen.platforms import Platforms
from newsgen.stories import Clusterer
from newsgen.topics import Topics

GATES = ("held", "draft", "future", "expired")
"""The gates that a flag can open. If several are closed, the first one counts."""

GATE_REASONS = {
    "held": "published: false",
    "draft": "draft: true",
    "future": "publishedDateTime or publishDate is in the future",
    "expired": "expiryDate has passed",
}
"""What closes each gate, as messages say it."""


def gate(article: Article, now: datetime) -> str:
    """What keeps an article out of a build at this wall clock time: "blocked", one of GATES, or "" if nothing does."""
    if article.blocked:
        return "blocked"
    if article.held:
        return "held"
    if article.draft:
        return "draft"
    if article.published > now or (article.embargo is not None and article.embargo > now):
        return "future"
    if article.expires is not None and article.expires <= now:
        return "expired"
    return ""


def next_gate(articles: Iterable[Article], now: datetime) -> datetime | None:
    """The next time at which an article appears or expires or its `updated` begins to count, or None."""
    moments = (
        m
        for a in articles
        for m in (a.updated, *(() if a.blocked or a.held or a.draft else (a.published, a.embargo, a.expires)))
        if m and m > now
    )
    return min(moments, default=None)


class Library(NamedTuple):
    """All published members and stories, arranged.

    `clock` is the content clock. `members` are articles and coverage, newest first. `sections` is by axis and key, and
    `providers` by domain. `story_of` maps the id of a member to its story, the earliest if coverage is in several.
    `address` maps the id of an article to its address, and `targets` to the ids of the members that its related entries
    lead to. `expired` articles are clustered and then hidden: `successors` maps the id of one to the id of its story,
    or of the only member that its story has left, and `origins` the id of such a member to that of the story's earliest
    file. `about` holds the files about topics, providers, stories and pages, by kind and key. All articles have all
    their topics, as `topics` decides.
    """

    config: Config
    clock: datetime
    articles: tuple[Article, ...]
    members: tuple[Member, ...]
    stories: tuple[Story, ...]
    sections: Mapping[str, Mapping[str, Section]]
    by_id: Mapping[str, Member]
    story_of: Mapping[str, Story]
    address: Mapping[str, str]
    targets: Mapping[str, tuple[str, ...]]
    expired: tuple[Article, ...]
    successors: Mapping[str, str]
    origins: Mapping[str, str]
    providers: Mapping[str, Provider]
    about: Mapping[str, Mapping[str, About]]
    topics: Topics

    @classmethod
    def of(
        cls,
        articles: Iterable[Article],
        abouts: Iterable[About],
        config: Config,
        *,
        now: datetime,
        show: frozenset[str] = frozenset(),
        clock: datetime | None = None,
        clusterer: Clusterer | None = None,
        arrangement: Arrangement | None = None,
    ) -> Library:
        """The library of the articles whose gates are open at `now` or in `show`, with that gate as their `status`.

        An `updated` later than `now` counts as absent. `clock` is the content clock, by default the time of the newest
        published article that is not in the future. The `clusterer` and `arrangement` of the previous library redo only
        what changed since then.
        """
        about: dict[str, dict[str, About]] = {"topic": {}, "provider": {}, "story": {}, "page": {}}
        for each in sorted(abouts, key=lambda a: a.id):
            about[each.kind].setdefault(each.key, each)
        arrangement = arrangement or Arrangement()
        arrangement.topics.update(about["topic"])
        all_articles = arrangement.topics.apply(sorted(articles, key=lambda a: a.id))
        address = arrangement.addresses(all_articles, config)
        published = []
        expired = []
        followers = []
        for article in all_articles:
            closed = gate(article, now)
            if article.updated is not None and article.updated > now:
                article = msgspec.structs.replace(article, updated=None, updated_all_day=False)  # noqa: PLW2901
            if not closed:
                published.append(article)
            elif closed in show:
                published.append(msgspec.structs.replace(article, status=closed))
            elif closed == "expired":
                expired.append(article)
            elif closed == "held" and (article.heat or 0) < 0 and config.stories.folded == "member":
                followers.append(article)
        opened = ((a.published, a.all_day) for a in published if a.published <= now)
        newest, all_day = max(opened, default=(datetime(1970, 1, 1, tzinfo=UTC), False))
        # Coverage of an article that gives its day only may be of any time of that day.
        zone = config.zone
        latest = clock or (times.end(times.local(newest, zone).date(), zone) if all_day else newest)
        clock = clock or newest
        clusters = (clusterer or Clusterer()).cluster(
            published,
            clock=latest,
            hidden=expired,
            followers=followers,
            about=about["story"],
            similar=config.stories.similarity,
            platforms=config.platforms,
        )
        shown: list[Member] = [*published, *clusters.coverage]
        arrangement.update(shown, clusters.stories, config, about)
        members = arrangement.members
        story_of: dict[str, Story] = {}
        for story in clusters.stories:
            for member in story.members:
                story_of.setdefault(member.id, story)
        return cls(
            config=config,
            clock=clock,
            articles=tuple(m for m in members if isinstance(m, Article)),
            members=members,
            stories=clusters.stories,
            sections=arrangement.sections,
            by_id={m.id: m for m in members},
            story_of=story_of,
            address=address,
            targets=clusters.targets,
            expired=tuple(expired),
            successors=clusters.successors,
            origins=clusters.origins,
            providers=arrangement.providers,
            about=about,
            topics=arrangement.topics,
        )


class Arrangement:
    """The order, sections, providers and addresses of members.

    The next library reuses them if nothing relevant changed. Without `keep`, nothing is stored for it.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self.topics = Topics()
        self.members: tuple[Member, ...] = ()
        self.providers: dict[str, Provider] = {}
        self.sections: dict[str, dict[str, Section]] = {}
        self._address: dict[str, str] = {}
        self._address_inputs: object = None
        self._section_inputs: object = None

    def addresses(self, articles: list[Article], config: Config) -> dict[str, str]:
        """The address of each article, by id."""
        facts = [(a.id, a.published, a.slug, a.category, a.provider) for a in articles] if self._keep else None
        inputs = config.permalink, config.timezone, facts
        if facts is None or self._address_inputs != inputs:
            self._address_inputs, self._address = inputs, urls.articles(articles, config.permalink, config.zone)
        return self._address

    def update(
        self,
        members: list[Member],
        stories: Iterable[Story],
        config: Config,
        about: Mapping[str, Mapping[str, About]],
    ) -> None:
        """Arranges members. If their places stay the same, only replaces the members with new values."""
        inputs = None
        pages = _author_pages([*members, *_followers(stories)], config.platforms)
        if self._keep:
            facts = [(m.id, m.published, m.topics, m.category, m.provider, m.provider_name) for m in members]
            inputs = config, about, facts, pages, [(m.provider, m.provider_name) for m in _followers(stories)]
        if inputs is None or self._section_inputs != inputs:
            self._section_inputs = inputs
            self.members = tuple(sorted(members, key=by_time, reverse=True))
            self.providers = _providers(self.members, stories, about["provider"], pages, config)
            key_of = self.topics.key
            self.sections = {
                axis: _sections(axis, self.members, config, about, self.providers, key_of) for axis in AXES
            }
            return
        by_id = {m.id: m for m in members}
        changed = {m.id for m in self.members if by_id[m.id] is not m}
        if not changed:
            return
        self.members = tuple([by_id[m.id] for m in self.members])
        self.sections = {
            axis: {
                key: section
                if changed.isdisjoint([m.id for m in section.members])
                else msgspec.structs.replace(section, members=tuple([by_id[m.id] for m in section.members]))
                for key, section in sections.items()
            }
            for axis, sections in self.sections.items()
        }


def _followers(stories: Iterable[Story]) -> Iterator[Coverage]:
    """The followers that are members of stories."""
    return (m for s in stories for m in s.members if isinstance(m, Coverage) and m.folded)


def _author_pages(members: Iterable[Member], platforms: Platforms) -> dict[str, str]:
    """The pages of the authors on platforms that have one, by provider key."""
    rows = [(m.provider, m.url) for m in members]
    authors = {provider for provider in {provider for provider, _ in rows} if platforms.platform(provider)}
    pages: dict[str, str] = {}
    for provider, url in rows:
        if provider in authors and (page := platforms.author_page(url)) and platforms.provider(url) == provider:
            pages[provider] = min(page, pages.get(provider, page))
    return pages


def _providers(
    members: Iterable[Member],
    stories: Iterable[Story],
    about: Mapping[str, About],
    pages: Mapping[str, str],
    config: Config,
) -> dict[str, Provider]:
    """Each provider, named by its `_providers` file, or else by its most frequent name, or else by its domain.

    Names that are only domains, lowercase fragments of them ("tech" for techstory.in), or the platform's name for one
    of its authors, are ignored. `pages` are the authors' pages.
    """
    occurrences = Counter([(m.provider, m.provider_name) for group in (members, _followers(stories)) for m in group])
    names: dict[str, dict[str, int]] = {}
    for (domain, name), count in occurrences.items():
        counts = names.setdefault(domain, {})
        if name:
            counts[name] = count
    names.pop("", None)
    providers, platforms = {}, config.platforms
    for domain in sorted(names):
        info = about.get(domain)
        counted = sorted(
            (c for c in names[domain].items() if not _is_fragment(c[0], domain, platforms.platform(domain))),
            key=lambda c: (-c[1], c[0]),
        )
        title = (info.title if info else "") or (counted[0][0] if counted else "")
        providers[domain] = Provider(
            domain=domain,
            title=title or idn.shown(domain, config.language),
            home=(info.home if info else "") or pages.get(domain) or platforms.home(domain),
        )
    return providers


def _is_fragment(name: str, domain: str, platform: str) -> bool:
    return (
        canonical.host(name) == domain
        or (platform != "" and set(text.slug(name).split("-")) <= set(platform.split(".")))
        or (name.islower() and name in domain)
        or (name.islower() and "." in name and " " not in name)
    )


def _day(member: Member, zone: tzinfo) -> list[tuple[str, str]]:
    day = urls.day(member.published, zone)
    return [(day, day)]


AXES: Mapping[str, Callable[[Member, tzinfo], Iterable[tuple[str, str]]]] = {
    "topic": lambda m, _: [(text.slug(t), t) for t in m.topics],
    "provider": lambda m, _: [(m.provider, "")] if m.provider else [],
    "category": lambda m, _: [(text.slug(m.category), m.category)] if m.category else [],
    "day": _day,
}
"""The axes. Each function returns the (key, spelling) pairs of a member, given the site's time zone."""


def _sections(
    axis: str,
    members: Iterable[Member],
    config: Config,
    about: Mapping[str, Mapping[str, About]],
    providers: Mapping[str, Provider],
    topic_key: Callable[[str], str],
) -> dict[str, Section]:
    """The sections of one axis, sorted by key. A topic includes the members of its sub-topics."""
    spellings_by_key: dict[str, dict[str, int]] = {}
    members_by_key: dict[str, list[Member]] = {}
    infos = about.get(axis, {})
    parents = {key: topic_key(a.parent) for key, a in infos.items() if a.parent} if axis == "topic" else {}
    keys_of, zone = AXES[axis], config.zone
    for member in members:
        keys: dict[str, None] = {}
        for own, spelling in keys_of(member, zone):
            if own not in spellings_by_key:
                spellings_by_key[own] = {}
            spellings = spellings_by_key[own]
            spellings[spelling] = spellings.get(spelling, 0) + 1
            keys[own] = None
            if parents:
                key = parents.get(own, "")
                while key and key not in keys:
                    keys[key] = None
                    key = parents.get(key, "")
        for key in keys:
            if key not in members_by_key:
                members_by_key[key] = []
            members_by_key[key].append(member)
    sections = {}
    for key in sorted(members_by_key):
        info = infos.get(key)
        title = (info.title if info else "") or (providers[key].title if axis == "provider" else "")
        if not title:
            counted = sorted(spellings_by_key.get(key, {key: 1}).items(), key=lambda c: (-c[1], c[0]))
            title = counted[0][0]
            # Pipelines write "business", but navigation needs a capital letter.
            title = title[:1].upper() + title[1:] if axis == "category" else title
        sections[key] = Section(
            axis=axis,
            key=key,
            title=title,
            members=tuple(members_by_key[key]),
            about=info,
            parent=parents.get(key, "") if parents.get(key, "") != key else "",
            children=tuple(sorted(c for c, p in parents.items() if p == key and c in members_by_key and c != key)),
        )
    return sections

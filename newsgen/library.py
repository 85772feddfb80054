"""Articles and stories arranged: every way a reader can come to them, worked out once and never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import msgspec

from newsgen import canonical, text, urls
from newsgen.config import Config
from newsgen.model import About, Article, Coverage, Member, Provider, Section, Story, by_time
from newsgen.stories import Clusterer

GATES = ("held", "draft", "future", "expired")
"""The reasons to keep an article back that a flag can overrule, the first that holds counts."""

GATE_REASONS = {
    "held": "published: false",
    "draft": "draft: true",
    "future": "publishedDateTime is still to come",
    "expired": "expiryDate has passed",
}
"""What in a file closes each gate."""


def gate(article: Article, now: datetime) -> str:
    """Why an article is not for the public at a time of the wall clock: "blocked", one of GATES, or ""."""
    if article.blocked:
        return "blocked"
    if article.held:
        return "held"
    if article.draft:
        return "draft"
    if article.published > now:
        return "future"
    if article.expires is not None and article.expires <= now:
        return "expired"
    return ""


def next_gate(articles: Iterable[Article], now: datetime) -> datetime | None:
    """When time alone next shows or hides an article."""
    moments = (
        m for a in articles if not (a.blocked or a.held or a.draft) for m in (a.published, a.expires) if m and m > now
    )
    return min(moments, default=None)


class Library(NamedTuple):
    """All that is published, arranged.

    `members` are articles and coverage, newest first; `sections` by axis and key; `story_of` a member's story (where a
    piece of coverage is in several, the earliest); `address` an article's address by id; `targets` the members an
    article's related entries lead to, by id; `providers` by domain; `clock` the content clock.
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
    providers: Mapping[str, Provider]
    about: Mapping[str, Mapping[str, About]]

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
        """The library of the articles whose gates are open at `now`, or that `show` lets through with their status.

        `clock` is the content clock; by default the newest published article that is not in the future. A `clusterer`
        that has clustered before, and `arrangement` of before, spend time on what has changed alone.
        """
        everything = sorted(articles, key=lambda a: a.id)
        arrangement = arrangement or Arrangement()
        address = arrangement.addresses(everything, config)
        published = []
        folded = []
        for article in everything:
            why = gate(article, now)
            if not why:
                published.append(article)
            elif why in show:
                published.append(msgspec.structs.replace(article, status=why))
            elif why == "held" and (article.heat or 0) < 0 and config.stories.folded == "member":
                folded.append(article)
        newest = max((a.published for a in published if a.published <= now), default=datetime(1970, 1, 1, tzinfo=UTC))
        clock = clock or newest
        about: dict[str, dict[str, About]] = {"topic": {}, "provider": {}, "story": {}, "page": {}}
        for each in sorted(abouts, key=lambda a: a.id):
            about[each.kind].setdefault(each.key, each)
        found = (clusterer or Clusterer()).cluster(
            published, clock=clock, folded=folded, about=about["story"], similar=config.stories.similarity
        )
        everything_shown: list[Member] = [*published, *found.coverage]
        arrangement.fill(everything_shown, found.stories, config, about)
        members = arrangement.members
        story_of: dict[str, Story] = {}
        for story in found.stories:
            for member in story.members:
                story_of.setdefault(member.id, story)
        return cls(
            config=config,
            clock=clock,
            articles=tuple(m for m in members if isinstance(m, Article)),
            members=members,
            stories=found.stories,
            sections=arrangement.sections,
            by_id={m.id: m for m in members},
            story_of=story_of,
            address=address,
            targets=found.targets,
            providers=arrangement.providers,
            about=about,
        )


class Arrangement:
    """Where members stand: in their order, by provider and in sections; kept for the next library, which may differ in little.

    Without `keep` there is no next one.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self.members: tuple[Member, ...] = ()
        self.providers: dict[str, Provider] = {}
        self.sections: dict[str, dict[str, Section]] = {}
        self._address: dict[str, str] = {}
        self._named: object = None
        self._placed: object = None

    def addresses(self, articles: list[Article], config: Config) -> dict[str, str]:
        """Each article's address, by its id."""
        facts = [(a.id, a.published, a.slug, a.category, a.provider) for a in articles] if self._keep else None
        named = config.permalink, config.timezone, facts
        if facts is None or self._named != named:
            self._named, self._address = named, urls.articles(articles, config.permalink, config.zone)
        return self._address

    def fill(
        self,
        members: list[Member],
        stories: Iterable[Story],
        config: Config,
        about: Mapping[str, Mapping[str, About]],
    ) -> None:
        """Puts members into their places; into those of before where nothing that decides on them is new."""
        placed = None
        if self._keep:
            facts = [(m.id, m.published, m.topics, m.category, m.provider, m.provider_name) for m in members]
            placed = config, about, facts, [(m.provider, m.provider_name) for m in _folded(stories)]
        if placed is None or self._placed != placed:
            self._placed = placed
            self.members = tuple(sorted(members, key=by_time, reverse=True))
            self.providers = _providers(self.members, stories, about["provider"])
            self.sections = {axis: _sections(axis, self.members, config, about, self.providers) for axis in AXES}
            return
        now = {m.id: m for m in members}
        moved = {m.id for m in self.members if now[m.id] is not m}
        if not moved:
            return
        self.members = tuple([now[m.id] for m in self.members])
        self.sections = {
            axis: {
                key: section
                if moved.isdisjoint([m.id for m in section.members])
                else msgspec.structs.replace(section, members=tuple([now[m.id] for m in section.members]))
                for key, section in sections.items()
            }
            for axis, sections in self.sections.items()
        }


def _folded(stories: Iterable[Story]) -> Iterator[Coverage]:
    """The held followers that stand in stories as lines."""
    return (m for s in stories for m in s.members if isinstance(m, Coverage) and m.folded)


def _providers(members: Iterable[Member], found: Iterable[Story], about: Mapping[str, About]) -> dict[str, Provider]:
    """Each provider with the best of its names: from `_providers`, else the most frequent that is one, else the domain.

    A name that is a domain, or an all-lowercase fragment of one ("tech" of techstory.in), is none.
    """
    said_so = Counter([(m.provider, m.provider_name) for group in (members, _folded(found)) for m in group])
    names: dict[str, dict[str, int]] = {}
    for (domain, name), count in said_so.items():
        counts = names.setdefault(domain, {})
        if name:
            counts[name] = count
    names.pop("", None)
    out = {}
    for domain in sorted(names):
        said = about.get(domain)
        counted = sorted(
            (c for c in names[domain].items() if not _is_fragment(c[0], domain)), key=lambda c: (-c[1], c[0])
        )
        title = (said.title if said else "") or (counted[0][0] if counted else "") or domain
        out[domain] = Provider(domain=domain, title=title, home=(said.home if said else "") or f"https://{domain}/")
    return out


def _is_fragment(name: str, domain: str) -> bool:
    return (
        canonical.host(name) == domain
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
"""How to group: an axis and, for a member and the site's time zone, the (key, spelling) pairs it belongs to."""


def _sections(
    axis: str,
    members: Iterable[Member],
    config: Config,
    about: Mapping[str, Mapping[str, About]],
    providers: Mapping[str, Provider],
) -> dict[str, Section]:
    """The sections of one axis in the order of their keys; a topic's page has its sub-topics' members too."""
    spelled: dict[str, dict[str, int]] = {}
    members_by_key: dict[str, list[Member]] = {}
    said = about.get(axis, {})
    above = {key: text.slug(a.parent) for key, a in said.items() if a.parent} if axis == "topic" else {}
    keys_of, zone = AXES[axis], config.zone
    for member in members:
        keys: dict[str, None] = {}
        for own, spelling in keys_of(member, zone):
            if own not in spelled:
                spelled[own] = {}
            spellings = spelled[own]
            spellings[spelling] = spellings.get(spelling, 0) + 1
            keys[own] = None
            if above:
                key = above.get(own, "")
                while key and key not in keys:
                    keys[key] = None
                    key = above.get(key, "")
        for key in keys:
            if key not in members_by_key:
                members_by_key[key] = []
            members_by_key[key].append(member)
    out = {}
    for key in sorted(members_by_key):
        info = said.get(key)
        title = (info.title if info else "") or (providers[key].title if axis == "provider" else "")
        if not title:
            counted = sorted(spelled.get(key, {key: 1}).items(), key=lambda c: (-c[1], c[0]))
            title = counted[0][0]
            # Pipelines write "business"; the navigation of a paper does not.
            title = title[:1].upper() + title[1:] if axis == "category" else title
        out[key] = Section(
            axis=axis,
            key=key,
            title=title,
            members=tuple(members_by_key[key]),
            about=info,
            parent=above.get(key, "") if above.get(key, "") != key else "",
            children=tuple(sorted(c for c, p in above.items() if p == key and c in members_by_key and c != key)),
        )
    return out

"""The library: all published members and stories by topic, provider, category and day. It lives in a store.

A library is a value that pages, templates and commands ask: members, stories and sections are loaded when they are
asked for. `Arrangement` makes it, and brings the one of the last build up to date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from typing import Any, TypeVar, overload

import msgspec

from newsgen import text, urls
from newsgen.config import Config
from newsgen.library.gates import gate
from newsgen.library.records import (
    Facts,
    Filed,
    IndexRow,
    Mention,
    ProviderFacts,
    Row,
    SectionFacts,
    SectionRow,
    StoryRecord,
    StoryRow,
    Tally,
    attached,
    file_key,
)
from newsgen.locales import ENGLISH, Locale
from newsgen.model import About, Article, Attachment, Coverage, Member, Provider, ProviderStats, Story
from newsgen.store import LostError, Rows, Store
from newsgen.stories import COVERAGE_PREFIX
from newsgen.topics import Topics

AXES = ("topic", "provider", "category", "day")
"""The axes of sections."""

Read = Callable[[str], Article]
"""Returns an article as its file has it, by its id."""

T = TypeVar("T")

_IDS = re.compile(r' id="([^"]*)"')

_CACHED = 2048
"""The articles that stay decoded. Half as many stories do, each with the articles in it."""


class Library:
    """All published members and stories, arranged.

    `now` is the time of the build and `clock` the content clock. `rows` are all members, oldest first. `about` holds
    the files about topics, providers, stories and pages, by kind and key, and `topics` decides the topics of articles.
    Mappings are by the id of a member or a file: `by_id` of members, `story_of` of members that are in a story,
    `address` of all articles' files. `targets` are the ids of the members that the related entries of an article lead
    to. `expired` articles are clustered and then hidden: `successors` maps the id of one to the id of its story, or of
    the only member that its story has left, and `origins` the id of such a member to that of the story's earliest file.
    """

    def __init__(
        self,
        store: Store,
        read: Read,
        config: Config,
        about: Mapping[str, Mapping[str, About]],
        topics: Topics,
        *,
        now: datetime,
        show: frozenset[str],
        clock: datetime,
        locale: Locale = ENGLISH,
    ) -> None:
        self.store, self.config, self.about, self.topics = store, config, about, topics
        self.now, self.show, self.clock, self.locale = now, show, clock, locale
        self.places = urls.Places(msgspec.structs.asdict(config.slugs))
        self._read = read
        # A list of a provider or topic shows members of many days, and rows are large: small chunks.
        self.rows = Rows(store, "members", Row, chunk=16)
        self.order = Rows(store, "order", StoryRow)
        """The ids of all stories, by the time of their first member."""
        self.mentioned = Rows(store, "mentions", Mention)
        self.day = lru_cache(1 << 14)(lambda moment: urls.day(moment, config.zone))
        self.article = lru_cache(_CACHED)(self._article)
        self.story = lru_cache(_CACHED // 2)(self._story)
        self.story_record = lru_cache(_CACHED)(self._story_record)
        self.stored_file = lru_cache(8 * _CACHED)(self._stored_file)
        self.refiled: dict[str, Filed | None] = {}
        """What an update has changed, until it is stored."""
        self.index = lru_cache(None)(self._index)
        self.section_rows = lru_cache(None)(self._section_rows)
        self.section_facts = lru_cache(None)(self._section_facts)
        self.lags = lru_cache(None)(self._lags)
        self.sections: Mapping[str, Mapping[str, Section]] = {axis: _Sections(self, axis) for axis in AXES}
        self.by_id: Mapping[str, Member] = _Lookup(self._member_of)
        self.story_of: Mapping[str, Story] = _Lookup(self._story_of)
        self.address: Mapping[str, str] = _Lookup(partial(self._of_file, "address"))
        self.targets: Mapping[str, tuple[str, ...]] = _Lookup(partial(self._of_file, "targets"))
        self.successors: Mapping[str, str] = _Lookup(partial(self._of_file, "successor"))
        self.origins: Mapping[str, str] = _Lookup(partial(self._of_file, "origin"))

    # Members and stories

    @property
    def members(self) -> Sequence[Member]:
        """Articles and coverage, newest first."""
        return Lazy(self.rows, self.member, reverse=True)

    @property
    def articles(self) -> Iterator[Article]:
        """The members with a file, newest first."""
        return (self.article(row.id) for row in self.rows.descending() if row.coverage is None)

    @property
    def stories(self) -> Sequence[Story]:
        """All stories, oldest first."""
        return Lazy(self.order, self._ordered_story, reverse=False)

    def _ordered_story(self, row: StoryRow) -> Story:
        story = self.story(row.id)
        if story is None:
            raise LostError(row.id)
        return story

    @cached_property
    def facts(self) -> Facts:
        """What the library knows of the site as a whole."""
        found: Facts = self.get("facts", Facts, Facts())
        return found

    @property
    def expired(self) -> Iterator[Article]:
        """The articles that have expired."""
        return map(self.article, sorted(self.facts.expired))

    def member(self, row: Row) -> Member:
        """The member of a row."""
        return row.coverage or self.article(row.id)

    def row(self, id: str) -> Row | None:
        """The row of a member."""
        if id.startswith(COVERAGE_PREFIX):
            published = self.get(f"coverage {id}", datetime, None)
        else:
            filed = self.filed(id)
            published = filed.published if filed and filed.role == "shown" else None
        return self.rows.get((published, id)) if published else None

    def filed(self, id: str) -> Filed | None:
        """An article's file, published or not."""
        return self.refiled[id] if id in self.refiled else self.stored_file(id)

    def _stored_file(self, id: str) -> Filed | None:
        found: Filed | None = self.get(f"file {id}", Filed, None)
        return found

    def _of_file(self, field: str, id: str) -> Any:
        filed = self.filed(id)
        return getattr(filed, field) or None if filed else None

    def _article(self, id: str) -> Article:
        article, filed = self._read(id), self.filed(id)
        if filed and filed.topics:
            article = msgspec.structs.replace(article, topics=filed.topics, digest=filed.digest)
        return shown(article, self.now, self.show)

    def _member_of(self, id: str) -> Member | None:
        row = self.row(id)
        return self.member(row) if row else None

    def item(self, id: str) -> Story | Member:
        """The item that lists show: a story, or a member that is in none."""
        story = self.story(id)
        return story or self.by_id[id]

    def _story_of(self, id: str) -> Story | None:
        row = self.row(id)
        return self.story(row.item) if row and row.in_story else None

    def _story_record(self, id: str) -> StoryRecord | None:
        """A story without its members."""
        found: StoryRecord | None = self.get(f"story {id}", StoryRecord, None)
        return found

    def _story(self, id: str) -> Story | None:
        record = self.story_record(id)
        if record is None:
            return None
        members: dict[str, Member] = {}
        for published, member in record.members:
            if (coverage := record.followers.get(member)) is not None:
                members[member] = coverage
            elif row := self.rows.get((published, member)):
                members[member] = self.member(row)
            else:
                raise LostError(member)
        return Story(
            id=record.id, name=record.name, lead=members[record.lead], members=tuple(members.values()),
            evidence=record.evidence, rejected=record.rejected, typicality=record.typicality, marginal=record.marginal,
            providers=record.providers, sources=record.sources,
        )  # fmt: skip

    # What the site has about a member

    def page(self, member: Member) -> str:
        """The address of what the site has about a member: a page, or a place on that of its story; "" if nothing."""
        row = self.row(member.id) if isinstance(member, Article) else None
        return row.page if row else ""

    def mentions(self, kind: str) -> Iterator[tuple[str, str]]:
        """Each name of a kind (see `Mention`) with the id of the first file that has it."""
        rows = self.mentioned
        row = next(rows.ascending((kind, "", "")), None)
        while row and row.kind == kind:
            yield row.name, row.id
            row = next(rows.ascending((kind, row.name, "\U0010ffff")), None)

    def naming(self, files: Iterable[str]) -> list[str]:
        """The ids of articles, shown or not, that name one of these files in the content folder."""
        found: dict[str, None] = {}
        for key in dict.fromkeys(map(file_key, files)):
            for row in self.mentioned.ascending(("file", key, "")):
                if (row.kind, row.name) != ("file", key):
                    break
                found[row.id] = None
        return list(found)

    def attachments(self) -> Iterator[str]:
        """The addresses of all files that shown articles, and files about topics and the like, name."""
        known = dict.fromkeys(each.address for about in self._abouts() for each in about.attachments)
        known |= dict.fromkeys(name.partition("\0")[0] for name, _ in self.mentions("attachment"))
        return iter(known)

    def attachment(self, address: str) -> Attachment | None:
        """The file at an address, if anything shown names it. Of several with the same bytes, it is the first."""
        found = [each for about in self._abouts() for each in about.attachments if each.address == address]
        row = next(self.mentioned.ascending(("attachment", f"{address}\0", "")), None)
        if row and (row.kind, row.name.partition("\0")[0]) == ("attachment", address):
            found += [each for each in self.article(row.id).attachments if attached(each) == row.name]
        return min(found, key=attrgetter("source"), default=None)

    def _abouts(self) -> Iterator[About]:
        return (about for abouts in self.about.values() for about in abouts.values())

    def file_at(self, address: str) -> str:
        """The id of the article's file with this address, "" if there is none."""
        takers = self.get(f"address {address}", dict[str, datetime], {})
        return next((id for id in takers if self.address.get(id) == address), "")

    def related(self, kind: str, id: str) -> Mapping[str, None]:
        """The ids that an id concerns: articles whose entries lead to it ("targeted"), expired files that it succeeds
        ("succeeded"), members that lead on from its story ("originated"), stories that coverage is in ("in"), or that
        nearly have it as a member ("missed").
        """
        found: dict[str, None] = self.get(f"{kind} {id}", dict[str, None], {})
        return found

    # Sections

    @cached_property
    def parents(self) -> dict[str, str]:
        """The key of the parent of each topic that has one."""
        return {key: self.topics.key(a.parent) for key, a in self.about["topic"].items() if a.parent}

    def keys(self, row: Row | Coverage) -> list[tuple[str, str, str]]:
        """The axis, key and spelling of each section of a member; a topic's ancestors have the spelling ""."""
        topics: dict[str, str] = {}
        for topic in row.topics:
            key = text.slug(topic)
            # As one spelling counts once a member, the first of two is enough.
            topics[key] = topics.get(key) or topic
        for key in list(topics) if self.parents else ():
            above = self.parents.get(key, "")
            while above and above not in topics:
                topics[above] = ""
                above = self.parents.get(above, "")
        keys = [("topic", key, spelling) for key, spelling in topics.items()]
        if row.provider:
            keys.append(("provider", row.provider, ""))
        if row.category:
            keys.append(("category", text.slug(row.category), row.category))
        return [*keys, ("day", self.day(row.published), "")]

    def _index(self, axis: str) -> dict[str, IndexRow]:
        """All sections of an axis, by key."""
        found: dict[str, IndexRow] = self.get(f"index {axis}", dict[str, IndexRow], {})
        return found

    def _section_rows(self, axis: str, key: str) -> Rows[SectionRow]:
        """The members of a section, oldest first."""
        return Rows(self.store, f"rows {axis} {key}", SectionRow)

    def _section_facts(self, axis: str, key: str) -> SectionFacts:
        """What is counted in a section."""
        found: SectionFacts = self.get(f"section {axis} {key}", SectionFacts, SectionFacts())
        return found

    @cached_property
    def provider_facts(self) -> dict[str, ProviderFacts]:
        """All providers of members and followers, by domain."""
        found: dict[str, ProviderFacts] = self.get("providers", dict[str, ProviderFacts], {})
        return found

    @cached_property
    def providers(self) -> Mapping[str, Provider]:
        """All providers, by domain."""
        return {domain: facts.provider for domain, facts in self.provider_facts.items()}

    @cached_property
    def tallies(self) -> dict[str, Tally]:
        """Each provider's part in stories of several sources, by domain."""
        found: dict[str, Tally] = self.get("tallies", dict[str, Tally], {})
        return found

    def _lags(self, domain: str) -> dict[int, int]:
        """How often a provider has each lag, in minutes; see `ProviderStats`."""
        found: dict[int, int] = self.get(f"lags {domain}", dict[int, int], {})
        return found

    def stats(self, domain: str) -> ProviderStats | None:
        """The statistics of a provider that is in a story of several sources."""
        tally = self.tallies.get(domain)
        if tally is None:
            return None
        lags = self.lags(domain)
        lag = _median(lags) if lags else None
        return ProviderStats(stories=tally.stories, led=tally.led, first=tally.first, lag=lag)

    def get(self, name: str, type: Any, default: Any) -> Any:
        """A value of the store. Raises LostError if it is damaged."""
        data = self.store.get(name)
        if data is None:
            return default
        try:
            return msgspec.msgpack.decode(data, type=type)
        except msgspec.MsgspecError:
            raise LostError(name) from None


def has_page(row: Row, config: Config) -> bool:
    """Whether an article has a page to itself. The earliest of a story has not: the story is at its address."""
    if row.coverage is not None or (row.item == row.id and row.in_story):
        return False
    return row.has_content or (config.pages.articles == "all" and not row.in_story)


def post(story: Story) -> Article | None:
    """The article that the page of a story shows in full: its earliest, if it has content of its own."""
    first = next((m for m in story.files if m.id == story.id), None)
    return first if first and first.has_content else None


def anchors(story: Story) -> dict[str, str]:
    """The name of the place of each article on the page of its story, by id."""
    own = post(story)
    return urls.anchors(list(story.files), ("main", *_IDS.findall(own.body if own else "")))


def _median(lags: Mapping[int, int]) -> int:
    """The median of numbers that are given with their counts, rounded to a whole one."""
    ordered = sorted(lags)
    middle = sum(lags.values()) - 1
    found = []
    for wanted in (middle // 2, middle - middle // 2):
        seen = 0
        for lag in ordered:
            seen += lags[lag]
            if seen > wanted:
                found.append(lag)
                break
    return round(sum(found) / 2)


def shown(article: Article, now: datetime, show: frozenset[str]) -> Article:
    """An article with the gate that `show` opens for it as its `status`.

    An `updated` later than `now` counts as absent.
    """
    changes: dict[str, Any] = {}
    if article.updated is not None and article.updated > now:
        changes |= {"updated": None, "updated_all_day": False}
    closed = gate(article, now)
    if closed in show:
        changes["status"] = closed
    return msgspec.structs.replace(article, **changes) if changes else article


class Section:
    """All members with one key on one axis (topic, provider, category or day)."""

    def __init__(self, library: Library, axis: str, key: str, row: IndexRow) -> None:
        self.axis, self.key, self.title, self.count, self.newest = axis, key, row.title, row.count, row.newest
        self.about = library.about.get(axis, {}).get(key)
        self._library = library
        self.parent, self.children = self._family() if axis == "topic" else ("", ())

    def _family(self) -> tuple[str, tuple[str, ...]]:
        """The parent of a topic, "" if it has none, and its children that have members."""
        parents, index = self._library.parents, self._library.index("topic")
        parent = parents.get(self.key, "")
        children = sorted(key for key, of in parents.items() if of == self.key != key and key in index)
        return parent if parent != self.key else "", tuple(children)

    @property
    def rows(self) -> Rows[SectionRow]:
        """The members, oldest first."""
        return self._library.section_rows(self.axis, self.key)

    @property
    def members(self) -> Sequence[Member]:
        """The members, newest first."""
        return Lazy(self.rows, self.member, reverse=True)

    def member(self, row: SectionRow) -> Member:
        """The member of a row."""
        own = self._library.rows.get(row.key)
        if own is None:
            raise LostError(row.id)
        return self._library.member(own)

    @property
    def facts(self) -> SectionFacts:
        """What is counted in the section."""
        return self._library.section_facts(self.axis, self.key)


class _Sections(Mapping[str, Section]):
    """The sections of an axis, by key, in the order of the keys."""

    def __init__(self, library: Library, axis: str) -> None:
        self._library, self._axis = library, axis

    def __getitem__(self, key: str) -> Section:
        return Section(self._library, self._axis, key, self._library.index(self._axis)[key])

    def __contains__(self, key: object) -> bool:
        return key in self._library.index(self._axis)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._library.index(self._axis)))

    def __len__(self) -> int:
        return len(self._library.index(self._axis))


class Lazy(Sequence[T]):
    """Values that are made from rows when they are asked for, in the order of the rows or, if `reverse`, the other."""

    def __init__(self, rows: Rows[Any], make: Callable[[Any], T], *, reverse: bool) -> None:
        self._rows, self._make, self._reverse = rows, make, reverse

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        count = len(self._rows)
        if isinstance(at, int):
            start = range(count)[at]
            return self[start : start + 1][0]
        start, stop, step = at.indices(count)
        if step != 1:
            raise ValueError("a slice has no step")
        rows = self._rows.at(count - stop, count - start) if self._reverse else self._rows.at(start, stop)
        return [self._make(row) for row in (reversed(rows) if self._reverse else rows)]

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._rows.descending() if self._reverse else self._rows.ascending())


class _Lookup(Mapping[str, T]):
    """A mapping that asks a function, which returns None for what is not there. It is not made to be walked through."""

    def __init__(self, find: Callable[[str], T | None]) -> None:
        self._find = find

    def __getitem__(self, id: str) -> T:
        found = self._find(id)
        if found is None:
            raise KeyError(id)
        return found

    def __iter__(self) -> Iterator[str]:
        raise TypeError("ask for one id")

    def __len__(self) -> int:
        raise TypeError("ask for one id")

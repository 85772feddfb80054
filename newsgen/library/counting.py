"""Counts the members of sections and providers, and names both after what is most frequent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from newsgen import canonical, idn, text
from newsgen.config import Config
from newsgen.library.library import AXES, Library
from newsgen.library.reached import Reached
from newsgen.library.records import IndexRow, ProviderFacts, Row, SectionRow, StoryRecord, Tally, author_page, count
from newsgen.model import Provider

_encode = msgspec.msgpack.Encoder().encode

Pairs = Mapping[str, tuple[Row | None, Row | None]]
"""The rows of members before and after an update, by id."""


class Counting:
    """The sections, providers and statistics of one library."""

    def __init__(self, library: Library, config: Config) -> None:
        self._library, self._store, self._config = library, library.store, config
        self._slugs = lru_cache(1 << 14)(lambda topics: tuple(map(text.slug, topics)))

    def put_rows(self, reached: Reached, pairs: Pairs) -> None:
        """Replaces rows in the library and in its sections."""
        library, facts = self._library, self._library.facts
        removed: dict[tuple[str, str], list[Any]] = {}
        added: dict[tuple[str, str], list[SectionRow]] = {}
        for old, new in pairs.values():
            for each, sign in ((old, -1), (new, 1)):
                facts.published += sign * (each is not None and each.coverage is None)
                facts.coverage += sign * (each is not None and each.coverage is not None)
            if old == new:
                continue
            old_keys, new_keys = (self._library.keys(row) if row else [] for row in (old, new))
            old_rows, new_rows = (_section_rows(row) if row else {} for row in (old, new))
            if old_keys == new_keys:
                old_keys = new_keys = [key for key in old_keys if old_rows[key[0]] != new_rows[key[0]]]
            if old:
                for axis, key, spelling in old_keys:
                    removed.setdefault((axis, key), []).append(old.key)
                    self._count_row(axis, key, spelling, old, -1)
            if new:
                for axis, key, spelling in new_keys:
                    added.setdefault((axis, key), []).append(new_rows[axis])
                    self._count_row(axis, key, spelling, new, 1)
        changed = [(old, new) for old, new in pairs.values() if old != new]
        library.rows.edit([old.key for old, _ in changed if old], [new for _, new in changed if new])
        for axis, key in dict.fromkeys([*removed, *added]):
            rows, index = library.section_rows(axis, key), library.index(axis)
            rows.edit(removed.get((axis, key), ()), added.get((axis, key), ()))
            counted, last = library.section_facts(axis, key), next(rows.descending(), None)
            rows.save()
            self._store.put(f"section {axis} {key}", _encode(counted) if last else None)
            if last is None:
                index.pop(key, None)
                reached.sections.add((axis, key))
                continue
            entry = IndexRow(self._title(axis, key), len(rows), last.published)
            if key not in index or index[key].title != entry.title:
                reached.sections.add((axis, key))
            index[key] = entry

    def _count_row(self, axis: str, key: str, spelling: str, row: Row, sign: int) -> None:
        """Adds a row to what is counted in a section, or takes it out (-1)."""
        counted = self._library.section_facts(axis, key)
        if spelling:
            count(counted.spellings, spelling, sign)
        for topic in self._slugs(row.topics):
            count(counted.topics, topic, sign)
        if row.provider:
            count(counted.providers, row.provider, sign)

    def _title(self, axis: str, key: str) -> str:
        """The title of a section; that of a provider is its key until its name is known."""
        if axis == "provider":
            facts = self._library.provider_facts.get(key)
            return facts.provider.title if facts else key
        info = self._library.about.get(axis, {}).get(key)
        if info and info.title:
            return info.title
        spellings = self._library.section_facts(axis, key).spellings
        title = min(spellings, key=lambda name: (-spellings[name], name), default=key)
        # Pipelines write "business", but navigation needs a capital letter.
        return title[:1].upper() + title[1:] if axis == "category" else title

    # Providers and statistics

    def put_providers(
        self,
        reached: Reached,
        pairs: Pairs,
        before: Mapping[str, StoryRecord | None],
        after: Mapping[str, StoryRecord | None],
    ) -> None:
        """Counts the names of providers, and names those anew whose counts have changed."""
        providers = self._library.provider_facts
        touched: set[str] = set()

        def add(domain: str, name: str, page: str, sign: int, story: str = "") -> None:
            facts = providers.setdefault(domain, ProviderFacts(Provider(domain=domain, title="", home="")))
            touched.add(domain)
            if story:
                facts.followed[story] = facts.followed.get(story, 0) + sign
                if not facts.followed[story]:
                    del facts.followed[story]
            else:
                facts.members += sign
            if name:
                count(facts.names, name, sign)
            if page:
                count(facts.pages, page, sign)

        for old, new in pairs.values():
            names = [(r.provider, r.provider_name, r.author_page) if r else None for r in (old, new)]
            if names[0] != names[1]:
                for name, sign in zip(names, (-1, 1), strict=True):
                    if name and name[0]:
                        add(*name, sign)
        for stories, sign in ((before, -1), (after, 1)):
            for id, record in stories.items():
                for follower in record.followers.values() if record else ():
                    if follower.provider:
                        page = author_page(follower, self._config.platforms)
                        add(follower.provider, follower.provider_name, page, sign, id)
        index = self._library.index("provider")
        for domain in touched:
            facts = providers[domain]
            if not facts.members and not facts.followed:
                del providers[domain]
                continue
            provider = self._provider(domain, facts)
            if facts.provider != provider or (domain in index and index[domain].title != provider.title):
                reached.sections.add(("provider", domain))
            facts.provider = provider
            if domain in index:
                index[domain].title = provider.title
        self._library.__dict__.pop("providers", None)

    def _provider(self, domain: str, facts: ProviderFacts) -> Provider:
        """A provider, named by its `_providers` file, or else by its most frequent name, or else by its domain.

        Names that are only domains, lowercase fragments of them ("tech" for techstory.in), or the platform's name for
        one of its authors, are ignored.
        """
        info, platforms = self._library.about["provider"].get(domain), self._config.platforms
        counted = sorted(
            (c for c in facts.names.items() if not _is_fragment(c[0], domain, platforms.platform(domain))),
            key=lambda c: (-c[1], c[0]),
        )
        title = (info.title if info else "") or (counted[0][0] if counted else "")
        return Provider(
            domain=domain,
            title=title or idn.shown(domain, self._config.language),
            home=(info.home if info else "") or min(facts.pages, default="") or platforms.home(domain),
        )

    def put_stats(
        self, reached: Reached, before: Mapping[str, StoryRecord | None], after: Mapping[str, StoryRecord | None]
    ) -> None:
        """Counts what providers have in stories of several sources."""
        tallies = self._library.tallies
        for stories, sign in ((before, -1), (after, 1)):
            for id, record in stories.items():
                other = after[id] if sign < 0 else before[id]
                if record is None or (other and other.stats == record.stats):
                    continue
                for domain, is_lead, is_first, lag in record.stats:
                    tally = tallies.setdefault(domain, Tally())
                    tally.stories += sign
                    tally.led += sign * is_lead
                    tally.first += sign * is_first
                    if lag is not None:
                        count(self._library.lags(domain), lag, sign)
                    reached.tallies.add(domain)
        for domain in reached.tallies:
            if not tallies[domain].stories:
                del tallies[domain]
            lags = self._library.lags(domain)
            self._store.put(f"lags {domain}", _encode(lags) if lags else None)

    def save(self) -> None:
        """Puts everything that changed into the store."""
        for axis in AXES:
            self._store.put(f"index {axis}", _encode(self._library.index(axis)))
        self._store.put("providers", _encode(self._library.provider_facts))
        self._store.put("tallies", _encode(self._library.tallies))


def _section_rows(row: Row) -> dict[str, SectionRow]:
    """What sections keep of a row, by axis."""
    item = row.item if row.in_story else ""
    kept = SectionRow(published=row.published, id=row.id, score=row.score, item=item)
    of_day = kept if row.day_score == row.score else msgspec.structs.replace(kept, score=row.day_score)
    return dict.fromkeys(AXES, kept) | {"day": of_day}


def _is_fragment(name: str, domain: str, platform: str) -> bool:
    return (
        canonical.host(name) == domain
        or (platform != "" and set(text.slug(name).split("-")) <= set(platform.split(".")))
        or (name.islower() and name in domain)
        or (name.islower() and "." in name and " " not in name)
    )

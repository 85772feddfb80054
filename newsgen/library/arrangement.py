"""Brings the library up to date with the files that changed, and says what that can have changed on pages.

Each step touches the changed files and what they reach, never all that is there. A library from nothing is one whose
files have all changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from newsgen import times, urls
from newsgen.config import Config
from newsgen.library.counting import Counting
from newsgen.library.filing import Filing
from newsgen.library.gates import gate, moments
from newsgen.library.library import Library, Read, anchors, has_page, shown
from newsgen.library.reached import Reached
from newsgen.library.records import Filed, Role, Row, StoryRecord, StoryRow, attached, author_page, file_key
from newsgen.locales import ENGLISH, Locale
from newsgen.model import About, Article, Coverage, Image, Member, RelatedEntries, Story
from newsgen.store import Store
from newsgen.stories import COVERAGE_PREFIX, Change, Changes, Clusterer, rank
from newsgen.text import digest_bytes
from newsgen.topics import Topics

_encode = msgspec.msgpack.Encoder().encode
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Arrangement:
    """A library that can be brought up to date.

    `read` returns an article as its file has it. `clock` is the content clock, by default the time of the newest
    published article that is not in the future.
    """

    def __init__(
        self,
        store: Store,
        read: Read,
        config: Config,
        abouts: Iterable[About],
        *,
        now: datetime,
        show: frozenset[str] = frozenset(),
        clock: datetime | None = None,
        locale: Locale = ENGLISH,
    ) -> None:
        about: dict[str, dict[str, About]] = {"topic": {}, "provider": {}, "story": {}, "page": {}}
        for each in sorted(abouts, key=lambda a: a.id):
            about[each.kind].setdefault(each.key, each)
        topics = Topics(about["topic"])
        self.library = Library(store, read, config, about, topics, now=now, show=show, clock=_NEVER, locale=locale)
        self.facts = self.library.facts
        self._store, self._read, self._config, self._about = store, read, config, about
        self._clock = clock
        self.filing, self._counting = Filing(self.library), Counting(self.library, config)
        stories = config.stories
        self.clusterer = Clusterer(store, self.library.article, similar=stories.similarity, join=stories.join)

    def update(self, changed: Iterable[str], removed: Iterable[str] = (), *, whole: bool = False) -> Reached:
        """Takes the files of articles that were added or changed, and those that are no longer there, by id.

        With `whole`, all pages will be planned, so that it does not matter what can have changed on which.
        """
        library, reached = self.library, Reached(everything=whole or self.facts.now is None)
        gone = dict.fromkeys(id for id in removed if library.filed(id))
        due = {id for id in self.filing.due() if id not in gone}
        changed = dict.fromkeys([*changed, *due])
        before = {id: filed for id in (*changed, *gone) if (filed := library.filed(id))}
        old_rows = {id: row for id, filed in before.items() if filed.role == "shown" and (row := library.row(id))}
        files: dict[str, Filed] = {}
        rows: dict[str, Row] = {}
        for id in list(changed):
            article = self._read(id)
            own = shown(library.topics.applied(article), library.now, library.show)
            filed, old = self._filed(article, own), before.get(id)
            if old and old.digest and (old.digest, old.gate) == (filed.digest, filed.gate) and id not in due:
                del before[id], changed[id]
                old_rows.pop(id, None)
                continue
            files[id] = filed
            if article.attachments and filed.role in ("hidden", "follower"):
                own = _without_attachments(own)
            if filed.role == "shown":
                rows[id] = self._row(own)
            self.filing.count(id, own, old, filed)
            if filed.role or (old and old.role):
                self.clusterer.take(Change(id, own, filed.role) if filed.role else Change(id, None))
        for id in gone:
            self.filing.count(id, None, before[id], None)
            if before[id].role:
                self.clusterer.take(Change(id, None))
        readdressed = self.filing.give_addresses(before, files)
        before |= {id: filed for id in readdressed if (filed := library.filed(id))}
        files |= readdressed
        self.filing.put(files, gone)
        library.clock = self._find_clock(rows, {*changed, *gone})
        clusters = self.clusterer.update(
            clock=self._latest(library.clock, rows), about=self._about["story"], platforms=self._config.platforms
        )
        reached.files = {id: (before.get(id), files.get(id)) for id in (*files, *gone)}
        self._arrange(reached, clusters, rows, old_rows)
        self.filing.write()
        self.facts.now, self.facts.clock = library.now, library.clock
        if reached.everything:
            # The whole site is planned next, and what only another update needs takes much memory.
            self.save()
            return Reached(everything=True)
        return reached

    # Files

    def _filed(self, article: Article, own: Article) -> Filed:
        """What to keep of an article's file. `own` is the article as it is shown."""
        library, config = self.library, self._config
        closed = gate(article, library.now)
        is_follower = closed == "held" and (article.heat or 0) < 0
        role: Role = ""
        if not closed or closed in library.show:
            role = "shown"
        elif closed == "expired":
            role = "hidden"
        elif is_follower and config.stories.folded == "member":
            role = "follower"
        base, spare = urls.candidates(article, config.permalink, config.zone)
        mentions = [("field", name) for name, _ in article.extra]
        mentions += [("file", file_key(file.id)) for file in article.files]
        if role == "shown":
            mentions += [("attachment", attached(each)) for each in article.attachments]
        if closed != "blocked":
            mentions += [("topic", topic) for topic in (*article.topics, *article.merged_topics)]
        return Filed(
            digest=own.digest,
            topics=own.topics if own.topics != article.topics else (),
            published=article.published,
            gate=closed,
            role=role,
            base=base,
            spare=spare,
            story=article.story,
            folded=is_follower,
            moments=tuple(moments(article)),
            mentions=tuple(mentions),
            providers=tuple({article.provider, *(e.provider for e in article.related)}) if role != "shown" else (),
        )

    # The content clock

    def _find_clock(self, rows: Mapping[str, Row], changed: Collection[str]) -> datetime:
        """The content clock: that of the options, or the newest article that is shown and not in the future."""
        if self._clock:
            return self._clock
        now = self.library.now
        times_ = [row.published for row in rows.values() if row.published <= now]
        for row in self.library.rows.descending():
            if row.coverage is None and row.published <= now and row.id not in changed:
                times_.append(row.published)
                break
        return max(times_, default=_NEVER)

    def _latest(self, clock: datetime, rows: Mapping[str, Row]) -> datetime:
        """The latest time that coverage may have: that of an article with a day only may be of any time of the day."""
        if self._clock:
            return self._clock
        zone = self._config.zone
        newest = [row for row in rows.values() if row.published == clock]
        for row in self.library.rows.descending((clock, "\U0010ffff")):
            if row.published < clock:
                break
            if row.id not in rows and row.coverage is None:
                newest.append(row)
        all_day = any(row.all_day for row in newest)
        return times.end(times.local(clock, zone).date(), zone) if all_day else clock

    # Members

    def _arrange(self, reached: Reached, clusters: Changes, rows: dict[str, Row], old_rows: dict[str, Row]) -> None:
        """Arranges members and stories after files and clusters have changed. `rows` are those of changed files."""
        library = self.library
        told = set(clusters.stories)  # each is made when it is read
        before = {id: library.story_record(id) for id in told | set(self._moved_stories(reached))}
        after: dict[str, StoryRecord | None] = {}
        anchors_of: dict[str, dict[str, str]] = {}
        for id in before:
            story = clusters.stories[id] if id in told else library.story(id)
            after[id] = self._record(story) if story else None
            anchors_of[id] = anchors(story) if story else {}
        due = {*rows, *old_rows, *reached.files, *clusters.coverage, *clusters.origins}
        for moved in self._moved(reached):
            due.update(library.related("originated", moved))
        due.update(id for records in (before, after) for r in records.values() if r for _, id in r.members)
        old_rows |= {id: row for id in due - old_rows.keys() if (row := library.row(id))}
        rows |= {id: self._row(coverage) for id, coverage in clusters.coverage.items() if coverage}
        self._put_clusters(reached, clusters)
        self._put_stories(before, after)
        story_of: dict[str, str] = {}
        for id, record in after.items():
            story_of |= dict.fromkeys([member for _, member in record.members] if record else (), id)
        pairs: dict[str, tuple[Row | None, Row | None]] = {}
        for id in due:
            old, new = old_rows.get(id), rows.get(id)
            if new is None and old and self._stays(old, clusters):
                new = old
            if new:
                item = self._story_of_coverage(id) if new.coverage else story_of.get(id, "")
                if not item and old and old.in_story and old.item not in before:
                    item = old.item
                new = self._placed(new, item, after, anchors_of)
            if old or new:
                pairs[id] = old, new
        self._counting.put_rows(reached, pairs)
        self._counting.put_providers(reached, pairs, before, after)
        self._counting.put_stats(reached, before, after)
        half = len(library.rows) / 2
        ubiquitous = sorted(key for key, row in library.index("topic").items() if row.count > half)
        reached.ubiquitous, self.facts.ubiquitous = ubiquitous != self.facts.ubiquitous, ubiquitous
        if not reached.everything:
            self._find_reached(reached, pairs, before, after)

    def _moved_stories(self, reached: Reached) -> list[str]:
        """The stories whose address has changed: members have places on their pages."""
        return [id for id in self._moved(reached) if self.library.story_record(id)]

    @staticmethod
    def _moved(reached: Reached) -> list[str]:
        return [id for id, (old, new) in reached.files.items() if old and new and old.address != new.address]

    def _stays(self, row: Row, clusters: Changes) -> bool:
        """Whether a member that is not new is still there."""
        if row.coverage:
            return clusters.coverage.get(row.id, row.coverage) is not None
        filed = self.library.filed(row.id)
        return filed is not None and filed.role == "shown"

    def _row(self, member: Member) -> Row:
        """The row of a member, without what its story and its address decide."""
        file = member if isinstance(member, Article) else None
        listed = (
            member.title, member.excerpt, member.url, member.provider, member.provider_name, member.published,
            member.all_day, member.image, member.type, member.quality, member.heat, member.lang, member.dir,
            member.topics, member.category, member.status,
            (file.updated, file.slug, file.story, file.has_content, file.authors) if file else None,
            file.digest if file and not file.url else b"",  # feeds have the whole text of own posts
        )  # fmt: skip
        return Row(
            published=member.published,
            id=member.id,
            item=member.id,
            in_story=False,
            score=0.0,
            day_score=0.0,
            provider=member.provider,
            provider_name=member.provider_name,
            author_page=author_page(member, self._config.platforms),
            topics=member.topics,
            category=member.category,
            quality=member.quality,
            heat=member.heat,
            has_content=file is not None and file.has_content,
            own=digest_bytes(_encode(listed)),
            all_day=member.all_day,
            updated=file.updated if file else None,
            coverage=member if isinstance(member, Coverage) else None,
        )

    def _placed(
        self, row: Row, item: str, stories: Mapping[str, StoryRecord | None], anchors_of: Mapping[str, dict[str, str]]
    ) -> Row:
        """A row with its story (`item`, "" if it is in none), its rank and its address."""
        library = self.library
        filed = None if row.coverage else library.filed(row.id)
        story = (stories[item] if item in stories else library.story_record(item)) if item else None
        score = story.score if story else self._rank([row])
        row = msgspec.structs.replace(
            row,
            item=item or row.id,
            in_story=bool(item),
            score=score,
            day_score=dict(story.days)[library.day(row.published)] if story else score,
        )
        story_file = library.filed(item) if item else None
        story_url = story_file.address if story_file else ""
        page = ""
        if filed and (has_page(row, self._config) or row.id == item):
            page = filed.address
        elif filed and item:
            names = anchors_of.get(item)
            page = f"{story_url}#{names[row.id]}" if names else row.page
        origin_file = library.filed(filed.origin) if filed and filed.origin else None
        links = filed.address if filed else "", page, story_url, origin_file.address if origin_file else ""
        return msgspec.structs.replace(row, page=page, card=digest_bytes(row.own + _encode(links)))

    def _rank(self, members: Iterable[Any]) -> float:
        return rank(tuple(members), self._config.ranking.half_life, self._config.platforms)

    # What the clusterer found

    def _put_clusters(self, reached: Reached, clusters: Changes) -> None:
        """Stores the coverage, and what the clusterer says of files."""
        library = self.library
        for id, coverage in clusters.coverage.items():
            self._store.put(f"coverage {id}", _encode(coverage.published) if coverage else None)
        for id in dict.fromkeys([*reached.files, *clusters.targets, *clusters.successors, *clusters.origins]):
            old, new = reached.files.get(id) or (library.filed(id), library.filed(id))
            if new:
                targets, successor, origin = (old.targets, old.successor, old.origin) if old else ((), "", "")
                new = msgspec.structs.replace(
                    new,
                    targets=clusters.targets.get(id, targets) or (),
                    successor=clusters.successors.get(id, successor) or "",
                    origin=clusters.origins.get(id, origin) or "",
                )
                library.refiled[id] = new
            reached.files[id] = old, new
            self._relate("targeted", id, old.targets if old else (), new.targets if new else ())
            for kind, field in (("succeeded", "successor"), ("originated", "origin")):
                self._relate(
                    kind,
                    id,
                    *([getattr(filed, field)] if filed and getattr(filed, field) else [] for filed in (old, new)),
                )

    def _relate(self, kind: str, id: str, old: Collection[str], new: Collection[str]) -> None:
        """Keeps, by each of the ids in `new`, that it concerns `id`; no longer by those in `old` only."""
        for other in {*old} ^ {*new}:
            related = dict(self.library.related(kind, other))
            if other in new:
                related[id] = None
            else:
                related.pop(id, None)
            self._store.put(f"{kind} {other}", _encode(related) if related else None)

    def _record(self, story: Story) -> StoryRecord:
        """What to keep of a story."""
        followers = {m.id: m for m in story.members if isinstance(m, Coverage) and m.folded}
        stats: list[tuple[str, bool, bool, int | None]] = []
        if story.sources > 1:
            first = story.core[0]
            for domain, member in {m.provider: m for m in reversed(story.core)}.items():
                is_timed = domain != first.provider and not (first.all_day or member.all_day)
                lag = minutes(first.published, member.published) if is_timed else None
                stats.append((domain, domain == story.lead.provider, domain == first.provider, lag))
        return StoryRecord(
            id=story.id,
            name=story.name,
            lead=story.lead.id,
            members=tuple((m.published, m.id) for m in story.members),
            followers=followers,
            evidence=story.evidence,
            rejected=story.rejected,
            typicality=story.typicality,
            providers=story.providers,
            sources=story.sources,
            updated=max(max(m.published, getattr(m, "updated", None) or m.published) for m in story.members),
            score=self._rank(story.members),
            days=tuple(self._days(story)),
            stats=tuple(stats),
            marginal=story.marginal,
        )

    def _days(self, story: Story) -> Iterator[tuple[str, float]]:
        """The days of the library's members of a story, each with the rank that the story had at its end."""
        members = [(self.library.day(member.published), member) for member in story.members]
        for day in dict.fromkeys(day for day, m in members if not (isinstance(m, Coverage) and m.folded)):
            yield day, self._rank([member for at, member in members if at <= day])

    def _put_stories(self, before: Mapping[str, StoryRecord | None], after: Mapping[str, StoryRecord | None]) -> None:
        """Stores stories, their order, and which coverage and near misses they have."""
        order: tuple[list[Any], list[StoryRow]] = [], []
        for id, new in after.items():
            old = before[id]
            if old:
                order[0].append((old.members[0][0], id))
            if new:
                order[1].append(StoryRow(first=new.members[0][0], id=id, last=new.members[-1][0]))
            self.facts.stories += (new is not None) - (old is not None)
            self._store.put(f"story {id}", _encode(new) if new else None)
            covered, missed = [], []
            for record in (old, new):
                members = record.members if record else ()
                covered.append([m for _, m in members if m.startswith(COVERAGE_PREFIX)])
                missed.append([r.id for r in record.rejected] if record else [])
            self._relate("in", id, *covered)
            self._relate("missed", id, *missed)
        self.library.order.edit(*order)
        self.library.story.cache_clear()
        self.library.story_record.cache_clear()

    def _story_of_coverage(self, id: str) -> str:
        """The story of coverage: the earliest, if it is in several."""
        stories = self.library.related("in", id)
        records = filter(None, map(self.library.story_record, stories))
        return min(((record.members[0], record.id) for record in records), default=(None, ""))[1]

    # What can differ on pages

    def _find_reached(
        self,
        reached: Reached,
        pairs: Mapping[str, tuple[Row | None, Row | None]],
        before: Mapping[str, StoryRecord | None],
        after: Mapping[str, StoryRecord | None],
    ) -> None:
        """Fills what cards and stories can differ: a new title of a section is on the cards of all its members."""
        library, cards = self.library, reached.cards
        cards |= {id: pair for id, pair in pairs.items() if not (pair[0] and pair[1] and pair[0].card == pair[1].card)}
        reached.story_pages.update(before)
        for axis, key in tuple(reached.sections):
            if axis != "day" and key in library.index(axis):
                for row in library.section_rows(axis, key).ascending():
                    if row.id not in cards and (own := library.rows.get(row.key)):
                        cards[row.id] = own, own
            if axis == "provider" and key in library.provider_facts:
                reached.story_pages.update(library.provider_facts[key].followed)
        reached.stories |= {id: (old, after[id]) for id, old in before.items() if _shown(old) != _shown(after[id])}
        renamed = reached.story_pages - before.keys()
        changed = {row.item for pair in cards.values() for row in pair if row and row.in_story}
        for id in (renamed | changed) - reached.stories.keys():
            if record := library.story_record(id):
                reached.stories[id] = before.get(id, record), record
        reached.story_pages.update(reached.stories)
        adjacent = {miss for pair in reached.stories.values() for r in pair if r for miss in r.adjacent}
        near = filter(None, map(library.row, adjacent))
        reached.story_pages.update(each.item for each in near if each.in_story)
        shown = {*cards, *(m for pair in reached.stories.values() for r in pair if r for _, m in r.members)}
        for id in shown:
            reached.story_pages.update(library.related("missed", id))

    def save(self) -> None:
        """Puts everything that an update changed into the store."""
        library = self.library
        library.rows.save()
        library.order.save()
        self.filing.save()
        self._counting.save()
        self.clusterer.save()
        self._store.put("facts", _encode(self.facts))


def _shown(story: StoryRecord | None) -> tuple[Any, ...]:
    """What lists show of a story, or rank it by."""
    if story is None:
        return ()
    # Who is typical decides the lead that the story had on an earlier day.
    return (
        story.name, story.lead, story.members, story.followers, story.typicality, story.sources, story.score, story.marginal,
        story.adjacent,
    )  # fmt: skip


def _without_attachments(article: Article) -> Article:
    """An article without the pictures that are published only while it is shown."""
    related = [
        msgspec.structs.replace(entry, image=None) if entry.image and _is_attached(entry.image) else entry
        for entry in article.related
    ]
    images = tuple(image for image in article.images if not _is_attached(image))
    return msgspec.structs.replace(article, images=images, related=RelatedEntries.of(related))


def _is_attached(image: Image) -> bool:
    return image.url.startswith(urls.ATTACHMENTS)


def minutes(one: datetime, other: datetime) -> int:
    """The time between two moments in whole minutes."""
    return int((other - one).total_seconds() // 60)


def library_of(
    articles: Iterable[Article],
    abouts: Iterable[About],
    config: Config,
    *,
    now: datetime,
    show: frozenset[str] = frozenset(),
    clock: datetime | None = None,
) -> Library:
    """The library of these articles, in memory."""
    by_id = {article.id: article for article in articles}
    arrangement = Arrangement(Store(), by_id.__getitem__, config, abouts, now=now, show=show, clock=clock)
    arrangement.update(sorted(by_id))
    return arrangement.library

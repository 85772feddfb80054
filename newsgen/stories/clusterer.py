"""Clusters articles into stories and records the evidence.

Files are joined if they share a canonical key, list each other in `related` or have the same `story`. Files with
different `story` values stay apart, whatever the other evidence. Coverage belongs to the story of the file that lists
it; a file alone and its coverage are a story. A one-way entry never joins two files: `related` lists mix articles about
the event with articles about its subject, and become outdated.

After that, files with similar words are joined (see `grouping`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from newsgen import platforms as hosts
from newsgen.model import About, Article, Coverage, Evidence, Member, Rejected, Story, by_time
from newsgen.store import LostError, Store
from newsgen.stories import ranking
from newsgen.stories.days import Key, day_number
from newsgen.stories.declarations import COVERAGE_PREFIX, Attachment, Declarations, DeclarationsState, File, Role
from newsgen.stories.grouping import MAX_NEAR_MISSES, Grouping, NearMiss, Pair, WordEvidence
from newsgen.stories.tables import MANY, HashTable, State
from newsgen.text import digest_bytes

Reason = Literal["one side", "editor", "elsewhere", "unlike"]


class Change(NamedTuple):
    """A new or changed article and its role. `article` is None if it no longer takes part."""

    id: str
    article: Article | None
    role: Role = "shown"


class Changes(NamedTuple):
    """What an update changed, by id, with None for what is gone; see `Clusters`.

    A story counts as changed if one of its articles does. After many changes, each story is made when it is read,
    because all of them together take much memory: read them before the next update.
    """

    stories: Mapping[str, Story | None]
    coverage: dict[str, Coverage | None]
    targets: dict[str, tuple[str, ...] | None]
    successors: dict[str, str | None]
    origins: dict[str, str | None]


class Clusters(NamedTuple):
    """All stories, oldest first, all coverage, and the targets of related entries.

    `coverage` holds each member once, even if it is in two stories, and no followers. `targets` maps the id of an
    article to the ids of the members that its related entries lead to, in the order of the entries. `successors` maps
    the id of a hidden file to that of its story, or of the only member that its story has left. `origins` maps the id
    of such an only member to that of the earliest file of its story.
    """

    stories: tuple[Story, ...]
    coverage: tuple[Coverage, ...]
    targets: Mapping[str, tuple[str, ...]]
    successors: Mapping[str, str]
    origins: Mapping[str, str]


class _Set(msgspec.Struct, array_like=True):
    """What is kept of the files of a story, or of a file alone with coverage: their ids, ascending, and `story` name.

    `story` is the id of the story, "" if there is none because files are hidden. `digest` covers all facts of the story
    but those of its articles.
    """

    ids: tuple[str, ...]
    name: str
    story: str = ""
    digest: bytes = b""
    successors: dict[str, str] = {}
    origins: dict[str, str] = {}


class _Saved(msgspec.Struct, array_like=True):
    """What is kept besides the tables.

    Whether similar words join and how easily, the leads that editors chose by `story` name, the number of texts and the
    density of each day, and what restores the tables.
    """

    similar: bool
    join: str
    leads: dict[str, str]
    days: dict[int, tuple[int, tuple[int, int]]]
    declarations: DeclarationsState
    grouping: list[State]
    tables: list[State]


_BATCH = 2000
"""After this many new articles, memory is freed. If an update has more, stories are made when they are read."""


class _Keys(dict[str, Key]):
    """The time in seconds and the id of each article, by id."""

    def __init__(self, files: HashTable[File]) -> None:
        super().__init__()
        self._files = files

    def __missing__(self, id: str) -> Key:
        key = self[id] = (self._files[id].published.timestamp(), id)
        return key


class Clusterer:
    """The stories of a changing set of articles. The result never depends on the order of the changes.

    The state is in `store`: a clusterer continues where another one saved. `article` returns any article that takes
    part at the time, with the changes of the present update. `similar` says whether similar words join articles, and
    `join`, a key of `grouping.ENOUGH`, how easily; both are the same for all clusterers of a store. All methods raise
    LostError if something is missing in the store; then start with a new store, and give all articles as changes.
    """

    def __init__(
        self, store: Store, article: Callable[[str], Article], *, similar: bool = True, join: str = "normal"
    ) -> None:
        self._store, self._article, self._similar, self._join = store, article, similar, join
        self._files: HashTable[File] = HashTable(store, "files", File)
        self._sets: HashTable[_Set] = HashTable(store, "sets", _Set)
        self._keys = _Keys(self._files)
        self._declarations = Declarations(store, self._files, article)
        self._places = self._declarations.places
        self._grouping = Grouping(store, self._keys, self._declarations.bond, join)
        self._leads: dict[str, str] = {}
        self._changed: dict[str, File | None] = {}
        self._added: dict[str, Role] = {}
        if (saved := store.get("stories")) is not None:
            try:
                state = msgspec.msgpack.decode(saved, type=_Saved)
            except msgspec.DecodeError:
                raise LostError("stories") from None
            if (state.similar, state.join) != (similar, join):
                raise LostError("stories")
            self._leads = state.leads
            self._declarations.restore(state.declarations)
            self._grouping.restore(state.days, state.grouping)
            self._files.restore(state.tables[0])
            self._sets.restore(state.tables[1])

    def save(self) -> None:
        """Puts what changed into the store, and forgets it, to free memory."""
        self._declarations.save()
        self._grouping.save()
        self._files.save()
        self._sets.save()
        self._keys.clear()
        days = {number: (day.count, day.density) for number, day in self._grouping.similarity.days.items()}
        state = _Saved(
            self._similar,
            self._join,
            self._leads,
            days,
            self._declarations.state,
            self._grouping.state,
            [self._files.state, self._sets.state],
        )
        self._store.put("stories", msgspec.msgpack.encode(state))

    def update(
        self,
        changes: Iterable[Change] = (),
        *,
        clock: datetime,
        about: Mapping[str, About] | None = None,
        platforms: hosts.Platforms | None = None,
    ) -> Changes:
        """Takes in articles that are new, have changed or no longer take part, besides those given to `take`; each id
        occurs once.

        Coverage with a date later than `clock` is dated to it. Hidden files are clustered too, so that stories keep
        their ids when a file expires, but they are members of no story. Followers are shown in their stories. `about`
        holds the `_stories` files by story name. Independent sources are counted by `platforms`; if these differ, give
        all articles as changed.
        """
        # None of these objects form cycles, but the garbage collector would scan all of them repeatedly.
        gc_was_enabled = gc.isenabled()
        gc.disable()
        try:
            for change in changes:
                self.take(change)
            return self._update(clock, about or {}, platforms or hosts.of())
        finally:
            if gc_was_enabled:
                gc.enable()

    def near_misses(self, id: str) -> tuple[NearMiss, ...]:
        """The articles that are most similar to an article in no story, the nearest first."""
        file: File | None = self._files.get(id)
        is_compared = self._similar and file and file.role != "follower" and self._places[id].compared
        return self._grouping.evidence((id,)).near_misses if is_compared else ()

    def compare(self, one: str, two: str) -> Pair | None:
        """What words say of two articles. None if words do not count, one is a follower, or declarations join them."""
        if not self._similar or any(self._files[id].role == "follower" for id in (one, two)):
            return None
        if two in self._unit(one):
            return None
        # Of files with one address, the first is compared.
        texts = [next(each for each in (id, *self._unit(id)) if self._places[each].compared) for id in (one, two)]
        sets = [self._sets[root].ids if (root := self._places[id].root) else (id,) for id in (one, two)]
        return self._grouping.compare(
            texts[0], texts[1], *([id for id in ids if self._places[id].compared] for ids in sets)
        )

    def _update(self, clock: datetime, about: Mapping[str, About], platforms: hosts.Platforms) -> Changes:
        changed, added = self._changed, self._added
        self._changed, self._added = {}, {}
        is_first = len(added) == self._files.count
        has_many = is_first or len(added) > _BATCH
        old = {id: (self._files[id], self._places[id].root) for id in changed}
        declared = self._declarations.update(changed, added, clock)
        reached = {*changed, *added, *declared.reached}
        if self._similar:
            for id, is_compared in declared.compared.items():
                if is_compared:
                    self._grouping.add(self._grouping.similarity.text(self._article(id)))
                else:
                    self._grouping.remove(id)
            compared = {id for id in declared.rebound if self._places[id].compared}
            touched = self._grouping.refresh(compared, declared.renamed & compared)
            reached |= touched.ids
            for label in touched.labels:
                reached.update(self._grouping.settled(label))
            if not is_first:
                for id in touched.ids:
                    reached.update(self._grouping.similarity.near[id])
        leads = {name: each.lead for name, each in about.items() if each.lead}
        for name in leads.keys() | self._leads.keys():
            if leads.get(name) != self._leads.get(name):
                reached.update(self._declarations.named(name))
        self._leads = leads
        for id, file in changed.items():
            if file and {file.role, old[id][0].role} == {"shown", "hidden"}:
                reached |= self._neighbours(id)
        sets, before = self._find_sets(reached, old, added)
        stories: dict[str, Story | None] = {}
        changes = Changes(stories, declared.coverage, declared.targets, {}, {})
        for root, each in before.items():
            if each.story:
                stories[each.story] = None
            changes.successors.update(dict.fromkeys(each.successors))
            changes.origins.update(dict.fromkeys(each.origins))
            self._sets.discard(root)
        for root, each in sets.items():
            self._keep(each, root if len(each.ids) > 1 else "")
            self._relieve(root)
        digests = {each.story: each.digest for each in before.values()}
        roots = dict.fromkeys(stories, "")
        for each in sorted(sets.values(), key=lambda each: self._keys[each.ids[0]]):
            self._relieve(each.ids[0])
            if not self._decide(each):
                continue
            self._keep(each, each.ids[0])
            changes.successors.update(each.successors)
            changes.origins.update(each.origins)
            if each.story and has_many:
                roots[each.story] = each.ids[0]
            elif each.story:
                story = self.tell(each.ids[0], clock, platforms)
                if each.digest != digests.get(each.story) or any(id in changed or id in added for id in each.ids):
                    stories[each.story] = story
                else:
                    del stories[each.story]
        if has_many:
            changes = changes._replace(stories=_Untold(self, roots, clock, platforms))
        for mapping, old_values in ((changes.successors, "successors"), (changes.origins, "origins")):
            same: dict[str, str] = {}
            for each in before.values():
                same |= getattr(each, old_values)
            for id, value in same.items():
                if mapping.get(id) == value:
                    del mapping[id]
        return changes

    def _keep(self, each: _Set, root: str) -> None:
        """Stores the files of a story under `root`, the id of the first. With "", only notes that they are in none."""
        for id in each.ids:
            if self._places[id].root != root:
                self._declarations.place(id).root = root
        if root:
            self._sets[root] = each

    def _decide(self, each: _Set) -> bool:
        """Decides whether these files are a story, and what replaces hidden ones. False if there is nothing to keep."""
        has_more = any(True for _ in self._declarations.attached(each.ids))
        if len(each.ids) == 1 and not has_more:
            return False
        files = {id: self._files[id] for id in each.ids}
        first = min((file.published, id) for id, file in files.items())[1]
        visible = [id for id, file in files.items() if file.role == "shown"]
        hidden = [id for id, file in files.items() if file.role == "hidden"]
        if not hidden:
            each.story = first
        elif visible:
            is_alone = len(visible) == 1 and not has_more
            each.successors = dict.fromkeys(hidden, visible[0] if is_alone else first)
            each.origins = {visible[0]: first} if is_alone else {}
            each.story = "" if is_alone else first
        return True

    def tell(self, root: str, clock: datetime, platforms: hosts.Platforms) -> Story:
        """Makes the story whose first file has this id, and notes its digest."""
        self._relieve(root)
        each = self._sets[root]
        shown = [self._article(id) for id in each.ids if self._is_shown(id)]
        story = _story(self._inputs(each, clock, platforms), shown)
        members = [m.id if isinstance(m, Article) else m for m in story.members]
        facts = (
            story.name, story.lead.id, members, story.evidence, story.rejected, story.typicality, story.marginal,
            story.providers, story.sources,
        )  # fmt: skip
        each.digest = digest_bytes(msgspec.msgpack.encode(facts))
        self._sets.touch(root)
        return story

    def _relieve(self, id: str) -> None:
        """Frees memory if much is decoded. Everything before this article must be done."""
        self._relieve_files()
        self._grouping.similarity.relieve(day_number(self._keys[id][0]))

    def _relieve_files(self) -> None:
        for table in (self._files, self._places):
            if len(table) > MANY // 4:
                table.pack()

    def take(self, change: Change) -> None:
        """Takes in an article that is new, has changed or no longer takes part. Call `update` after the last one."""
        id, article, role = change
        if role == "follower" and article and not article.url:
            article = None  # it leads nowhere
        similarity = self._grouping.similarity
        old: File | None = self._files.get(id)
        text = None
        if article and role != "follower" and self._similar:
            text = similarity.text(article)
        if old and old.role != "follower" and self._similar:
            if not self._places[id].compared:
                text = None  # its address decides anew whether it is compared
            elif text and similarity.is_current(text):
                text = None
            else:
                self._grouping.remove(id)
        self._keys.pop(id, None)
        if article:
            file = File.of(article, role)
            self._keys[id] = (file.published.timestamp(), id)
            if old:
                self._changed[id] = file
            else:
                self._files[id] = file
                self._added[id] = role
                if len(self._added) % _BATCH == 0:
                    self._files.pack()
                if len(self._added) % (5 * _BATCH) == 0:
                    similarity.put_texts()
            if text:
                self._grouping.add(text)
        elif old:
            self._changed[id] = None

    def _find_sets(
        self, reached: Iterable[str], old: Mapping[str, tuple[File, str]], added: Mapping[str, Role]
    ) -> tuple[dict[str, _Set], dict[str, _Set]]:
        """The files of each story that may differ, now and before the update, by the id of the first file.

        These are the stories of the files `reached`, and those of their neighbours if a story's name changed.
        """
        before: dict[str, _Set] = {}
        sets: dict[str, _Set] = {}
        set_of: dict[str, _Set] = {}
        seen: set[str] = set()
        queue = sorted(reached, reverse=True)  # neighbouring files come one after the other
        while queue:
            found = []
            while queue:
                id = queue.pop()
                if id in seen:
                    continue
                seen.add(id)
                self._relieve_files()
                role = added.get(id) or ((file := self._files.get(id)) and file.role)
                root = old[id][1] if id in old else self._places[id].root
                if root and root not in before:
                    before[root] = self._sets[root]
                    queue += before[root].ids
                if role and role != "follower":
                    found.append(id)
                    if id not in set_of:
                        each = self._find_set(id)
                        sets[each.ids[0]] = each
                        set_of |= dict.fromkeys(each.ids, each)
                        queue += each.ids
            for id in found:
                if id not in added:
                    known, root = old.get(id) or (self._files[id], self._places[id].root)
                    name = before[root].name if root else known.story
                    if name != set_of[id].name:
                        queue += self._neighbours(id)
        return sets, before

    def _find_set(self, id: str) -> _Set:
        """The files that are in one story with a file."""
        unit = self._unit(id)
        if self._similar:
            first = next(each for each in unit if self._places[each].compared)
            if similar := self._grouping.group_of(first):
                unit = tuple(sorted({other for each in similar for other in self._unit(each)}))
        name = next((name for each in unit if (name := self._declarations.bond(each).name)), "")
        return _Set(unit, name)

    def _unit(self, id: str) -> tuple[str, ...]:
        """The files that declarations join with a file, and itself."""
        unit = self._places[id].unit
        return self._declarations.units[unit].ids if unit else (id,)

    def _neighbours(self, id: str) -> set[str]:
        """The files whose stories differ if this file is shown or hidden, or has another `story` name."""
        place = self._places[id]
        found = {*(place.targets or ()), *self._declarations.listing(id)}
        if self._similar and place.compared:
            found.update(self._grouping.similarity.near[id])
        return {other for other in found if not other.startswith(COVERAGE_PREFIX)}

    def _inputs(self, each: _Set, clock: datetime, platforms: hosts.Platforms) -> _StoryInputs:
        """What a story is made from."""
        files = {id: self._files[id] for id in each.ids}
        hidden = tuple([id for id, file in files.items() if file.role == "hidden"])
        units = dict.fromkeys([unit for id in each.ids if (unit := self._places[id].unit)])
        by_words = WordEvidence()
        if self._similar:
            compared = tuple([id for id in each.ids if self._places[id].compared])
            by_words = self._grouping.evidence(compared)
            shown = [m for m in by_words.near_misses if self._is_shown(m.id) and self._is_shown(m.other)]
            by_words = by_words._replace(near_misses=tuple(shown))
        return _StoryInputs(
            id=each.story,
            hidden=hidden,
            attachments=tuple(self._declarations.attachments(each.ids, clock)),
            name=each.name,
            lead=self._leads.get(each.name, "") if each.name else "",
            evidence=tuple([e for unit in units for e in self._declarations.units[unit].evidence]),
            one_sided=tuple(self._one_sided(each)),
            by_words=by_words,
            near_miss_names=tuple([self._name(m.id) for m in by_words.near_misses]) if each.name else (),
            platforms=platforms,
        )

    def _one_sided(self, each: _Set) -> list[Rejected]:
        """The near misses that list a file of a story or are listed by one."""
        edges = {(id, other) for id in each.ids for other in self._places[id].targets or ()}
        edges |= {(other, id) for id in each.ids for other in self._declarations.listing(id)}
        ids = set(each.ids)
        rows = []
        for id, other in edges:
            outside = other if id in ids else id
            if (id in ids) != (other in ids) and not other.startswith(COVERAGE_PREFIX) and self._is_shown(other):
                name, other_name = self._name(id), self._name(other)
                reason: Reason = "editor" if name and other_name and name != other_name else "one side"
                place = self._files[id].published, id, (self._places[id].targets or ()).index(other)
                rows.append((place, Rejected(id=outside, other=other if id == outside else id, reason=reason)))
        return [rejected for _, rejected in sorted(rows, key=lambda row: row[0])]

    def _is_shown(self, id: str) -> bool:
        return self._files[id].role == "shown"

    def _name(self, id: str) -> str:
        """The `story` name of a file's story, "" if it has none."""
        place = self._places[id]
        return self._sets[place.root].name if place.root else place.name


def cluster(
    articles: Iterable[Article],
    *,
    clock: datetime,
    hidden: Iterable[Article] = (),
    followers: Iterable[Article] = (),
    similar: bool = True,
    join: str = "normal",
    **options: Any,
) -> Clusters:
    """Clusters articles once, with the options of `Clusterer` and its `update`."""
    by_id: dict[str, Article] = {}
    changes = []
    roles: tuple[tuple[Role, Iterable[Article]], ...] = (
        ("shown", articles), ("hidden", hidden), ("follower", followers),
    )  # fmt: skip
    for role, group in roles:
        for article in group:
            by_id[article.id] = article
            changes.append(Change(article.id, article, role))
    found = Clusterer(Store(), by_id.__getitem__, similar=similar, join=join).update(changes, clock=clock, **options)
    stories = sorted(filter(None, found.stories.values()), key=lambda s: (s.first.published, s.id))
    coverage = sorted(filter(None, found.coverage.values()), key=by_time)
    targets = {id: targets for id, targets in found.targets.items() if targets is not None}
    successors = {id: other for id, other in found.successors.items() if other}
    origins = {id: other for id, other in found.origins.items() if other}
    return Clusters(tuple(stories), tuple(coverage), targets, successors, origins)


class _Untold(Mapping[str, Story | None]):
    """Stories by id, each made when it is read. `roots` maps their ids to those of their first files, "" if gone."""

    def __init__(
        self, clusterer: Clusterer, roots: Mapping[str, str], clock: datetime, platforms: hosts.Platforms
    ) -> None:
        self._clusterer, self._roots, self._clock, self._platforms = clusterer, roots, clock, platforms

    def __getitem__(self, id: str) -> Story | None:
        root = self._roots[id]
        return self._clusterer.tell(root, self._clock, self._platforms) if root else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._roots)

    def __len__(self) -> int:
        return len(self._roots)


class _StoryInputs(NamedTuple):
    """Everything that a story is made from besides its articles.

    `hidden` are the ids of files that are not shown. `lead` is the lead that an editor chose. `evidence` is what joined
    the files, `one_sided` the near misses that only one side lists, and `by_words` the evidence from similar words.
    `near_miss_names` are the `story` names of the near misses in `by_words`, or empty if the story has no name.
    """

    id: str
    hidden: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    name: str
    lead: str
    evidence: tuple[Evidence, ...]
    one_sided: tuple[Rejected, ...]
    by_words: WordEvidence
    near_miss_names: tuple[str, ...]
    platforms: hosts.Platforms


def _without_hidden(evidence: list[Evidence], hidden: Collection[str], shown: list[Article]) -> list[Evidence]:
    """The evidence, with a shown file in place of a hidden one where that is just as true.

    A shown file that is left without evidence gets the kind "expired": what joined it has expired.
    """
    if len(shown) < 2:
        return [e for e in evidence if e.member not in hidden and e.other not in hidden]
    first, *rest = [file.id for file in sorted(shown, key=by_time)]
    kept = [e for e in evidence if e.member not in hidden and e.other not in hidden]
    for e in evidence:
        ends = [id for id in (e.member, e.other) if id not in hidden]
        if len(ends) == 1 and e.kind in ("editor", "same address") and ends[0] != first:
            kept.append(Evidence(member=ends[0], other=first, kind=e.kind))
    joined = {id for e in kept for id in (e.member, e.other)}
    kept += [Evidence(member=id, other=first, kind="expired") for id in rest if id not in joined]
    return kept


def _story(inputs: _StoryInputs, shown: list[Article]) -> Story:
    """The story of these articles."""
    # Reversed, so that declared coverage, which comes first, replaces a follower with the same key.
    coverage = {a.key: a.coverage for a in reversed(inputs.attachments)}
    members: list[Member] = sorted([*shown, *coverage.values()], key=by_time)
    evidence = [*inputs.evidence]
    declared = dict.fromkeys((coverage[a.key].id, a.file_id) for a in inputs.attachments)
    evidence += [Evidence(member=id, other=file_id, kind="declared") for id, file_id in declared]
    evidence += [Evidence(member=m.id, other=m.other, kind="similar", score=m.score) for m in inputs.by_words.matches]
    if inputs.hidden:
        evidence = _without_hidden(evidence, inputs.hidden, shown)
    scores = {miss.id: miss for miss in inputs.by_words.near_misses}
    rejected = {r.id: _scored(r, scores.get(r.id)) for r in inputs.one_sided}
    for at, miss in enumerate(inputs.by_words.near_misses):
        kept_apart = bool(inputs.near_miss_names and inputs.near_miss_names[at] not in ("", inputs.name))
        reason: Reason = "editor" if kept_apart else "elsewhere" if miss.fit > 1 else "unlike"
        near_miss = Rejected(id=miss.id, other=miss.other, reason=reason, score=miss.score, fit=miss.fit)
        rejected.setdefault(miss.id, near_miss)
    candidates = [m for m in members if isinstance(m, Article) or not m.folded]
    typicality = inputs.by_words.typicality
    lead = ranking.choose_lead(candidates, inputs.lead, typicality)
    shown_ids = {file.id for file in shown}
    return Story(
        id=inputs.id,
        name=inputs.name,
        lead=lead,
        members=tuple(members),
        evidence=tuple(sorted(evidence, key=lambda e: (e.member, e.other, e.kind))),
        rejected=tuple(rejected.values())[:MAX_NEAR_MISSES],
        typicality={id: typicality[id] for id in typicality if id in shown_ids},
        providers=tuple(sorted({m.provider for m in members})),
        sources=ranking.count_sources(members, inputs.platforms),
        marginal=tuple(id for id in inputs.by_words.marginal if id in shown_ids and id != lead.id),
    )


def _scored(rejected: Rejected, miss: NearMiss | None) -> Rejected:
    """A near miss that only one side lists, with what words say of it."""
    return msgspec.structs.replace(rejected, score=miss.score, fit=miss.fit) if miss else rejected

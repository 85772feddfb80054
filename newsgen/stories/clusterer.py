"""Clusters articles into stories and records the evidence.

Files are joined if they share a canonical key, list each other in `related` or have the same `story`. Files with
different `story` values stay apart, whatever the other evidence. Coverage belongs to the story of the file that lists
it, or makes one with it. A one-way entry never joins two files: `related` lists mix articles about the event with
articles about its subject, and become outdated.

After that, files with similar words are joined (see `grouping`).
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from newsgen import platforms as hosts
from newsgen.model import About, Article, Coverage, Evidence, Member, Rejected, Story, by_time
from newsgen.stories import ranking
from newsgen.stories.days import Fetch, LostError
from newsgen.stories.declarations import Attachment, Declarations, UnionFind, attach_followers
from newsgen.stories.grouping import MAX_NEAR_MISSES, Grouping, WordEvidence

Reason = Literal["one side", "editor", "elsewhere", "unlike"]


class Clusters(NamedTuple):
    """The result of clustering: the stories, oldest first, all coverage, and the targets of related entries.

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


class Clusterer:
    """Clusters articles repeatedly. Each call redoes only what changed, with the same result as from scratch.

    Without `keep`, it stores nothing that only a second call would use.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.grouping = Grouping()
        self._keep = keep
        self._last_stories: dict[str, tuple[_StoryInputs, Story]] = {}
        self._last_declarations: tuple[object, Declarations] | None = None

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """The state as pairs of a name and encoded data. Days that have not changed since `load` are left out."""
        return self.grouping.dump()

    def load(self, fetch: Fetch) -> None:
        """Restores what `dump` saved. Starts from nothing if it is missing."""
        try:
            self.grouping.load(fetch)
        except (LostError, LookupError):
            self.grouping = Grouping()

    def cluster(
        self,
        articles: Iterable[Article],
        *,
        clock: datetime,
        hidden: Iterable[Article] = (),
        followers: Iterable[Article] = (),
        about: Mapping[str, About] | None = None,
        similar: bool = True,
        platforms: hosts.Platforms | None = None,
    ) -> Clusters:
        """Clusters published articles. The result does not depend on their order.

        Coverage with a date later than `clock` is dated to it. `hidden` files are clustered too, so that stories and
        their ids stay as they are when a file expires, but are members of none. `followers` are those to show in their
        stories. `about` holds the `_stories` files by story name. `similar` says whether similar words join articles.
        Independent sources are counted by `platforms`.
        """
        # None of these objects form cycles, but the garbage collector would scan all of them repeatedly.
        gc_was_enabled = gc.isenabled()
        gc.disable()
        arguments = (
            list(articles),
            list(hidden),
            clock,
            list(followers),
            about or {},
            similar,
            platforms or hosts.of(),
        )
        try:
            return self._cluster(*arguments)
        except LostError:
            self.grouping = Grouping()
            return self._cluster(*arguments)
        finally:
            if gc_was_enabled:
                gc.enable()

    def _cluster(
        self,
        articles: list[Article],
        hidden_files: list[Article],
        clock: datetime,
        followers: Iterable[Article],
        about: Mapping[str, About],
        similar: bool,
        platforms: hosts.Platforms,
    ) -> Clusters:
        files = {a.id: a for a in sorted(articles + hidden_files, key=attrgetter("id"))}
        hidden = frozenset([a.id for a in hidden_files])
        owners, coverage, targets, union = self._declarations(files, hidden, clock)
        # Files at one address are one text. Only the first of them is compared with others.
        duplicates = {other for first, other in owners.duplicates if union.find(first) == union.find(other)}
        if similar:
            compared = {id: file for id, file in files.items() if id not in duplicates}
            sets = ([id for id in ids if id not in duplicates] for ids in union.sets())
            for group in self.grouping.update(compared, sets, union.names()):
                for id in group:
                    union.unite(group[0], id)
        attachments = [
            Attachment(id, coverage[other], other) for id in targets for other in targets[id] if other in coverage
        ]
        attachments += attach_followers(followers, owners.by_key, clock)
        last_stories, self._last_stories = self._last_stories, {}
        found = []
        successors: dict[str, str] = {}
        origins: dict[str, str] = {}
        all_inputs = _story_inputs(
            files, hidden, union, attachments, about, targets, duplicates, self.grouping if similar else None, platforms
        )
        for inputs in all_inputs:
            first = inputs.files[0].id
            if inputs.hidden:
                visible = [file.id for file in inputs.files if file.id not in inputs.hidden]
                if not visible:
                    continue
                origin = min(inputs.files, key=by_time).id
                is_alone = len(visible) == 1 and not inputs.attachments
                successors |= dict.fromkeys(inputs.hidden, visible[0] if is_alone else origin)
                if is_alone:
                    origins[visible[0]] = origin
                    continue
            last_inputs, story = last_stories.get(first, (None, None))
            if story is None or last_inputs != inputs:
                story = _story(inputs)
            self._last_stories[first] = (inputs, story)
            found.append(story)
        stories = tuple(sorted(found, key=lambda s: (s.first.published, s.id)))
        return Clusters(stories, tuple(coverage.values()), targets, successors, origins)

    def _declarations(self, files: dict[str, Article], hidden: frozenset[str], clock: datetime) -> Declarations:
        """What the files declare. Reuses the last result if nothing that decides it changed, as after most edits."""
        last = self._last_declarations
        facts = (
            clock,
            hidden,
            [(a.id, a.keys, a.related, a.published, a.all_day, a.category, a.topics, a.story) for a in files.values()]
            if self._keep
            else [],
        )
        if last is None or last[0] != facts:
            declarations = Declarations.of(files, hidden, clock)
            if not self._keep:
                return declarations
            last = self._last_declarations = facts, declarations
        return last[1]._replace(union=last[1].union.copy())


def cluster(articles: Iterable[Article], **options: Any) -> Clusters:
    """Clusters articles once, with the options of `Clusterer.cluster`."""
    return Clusterer().cluster(articles, **options)


class _StoryInputs(NamedTuple):
    """Everything that a story is made from; if it is the same as before, so is the story.

    `hidden` are the ids of those `files` that are not shown. `lead` is the lead that an editor chose. `evidence` is
    what joined the files, `one_sided` the near misses that only one side lists, and `by_words` the evidence from
    similar words. `near_miss_names` are the `story` names of the near misses in `by_words`, or empty if the story has
    no name.
    """

    files: tuple[Article, ...]
    hidden: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    name: str
    lead: str
    evidence: tuple[Evidence, ...]
    one_sided: tuple[Rejected, ...]
    by_words: WordEvidence
    near_miss_names: tuple[str, ...]
    platforms: hosts.Platforms


def _story_inputs(
    files: Mapping[str, Article],
    hidden: Collection[str],
    union: UnionFind,
    attachments: list[Attachment],
    about: Mapping[str, About],
    targets: Mapping[str, tuple[str, ...]],
    duplicates: Collection[str],
    grouping: Grouping | None,
    platforms: hosts.Platforms,
) -> Iterator[_StoryInputs]:
    """The inputs of each story, in any order. Without `grouping`, words are no evidence."""
    file_ids = {union.find(ids[0]): sorted(ids) for ids in union.sets()}
    attached: dict[str, list[Attachment]] = {}
    for attachment in attachments:
        root = union.find(attachment.file_id)
        attached.setdefault(root, []).append(attachment)
        file_ids.setdefault(root, [attachment.file_id])
    one_sided: dict[str, list[Rejected]] = {}
    roots = union.roots()
    for id, others in targets.items():
        own_root = roots.get(id, id)
        for other in others:
            other_root = roots.get(other, other)
            if other_root != own_root and other in files and other not in hidden:
                name, other_name = union.name(id), union.name(other)
                reason: Reason = "editor" if name and other_name and name != other_name else "one side"
                one_sided.setdefault(own_root, []).append(Rejected(id=other, other=id, reason=reason))
                one_sided.setdefault(other_root, []).append(Rejected(id=id, other=other, reason=reason))
    for root, ids in file_ids.items():
        name = union.name(root)
        by_words = WordEvidence((), ())
        if grouping:
            by_words = grouping.evidence(tuple([id for id in ids if id not in duplicates]))
        if hidden:
            shown = [m for m in by_words.near_misses if m.id not in hidden and m.other not in hidden]
            by_words = by_words._replace(near_misses=tuple(shown))
        yield _StoryInputs(
            files=tuple([files[id] for id in ids]),
            hidden=tuple([id for id in ids if id in hidden]) if hidden else (),
            attachments=tuple(attached.get(root, ())),
            name=name,
            lead=about[name].lead if name in about else "",
            evidence=tuple([e for id in ids for e in union.evidence.get(id, ())]),
            one_sided=tuple(one_sided.get(root, ())),
            by_words=by_words,
            near_miss_names=tuple([union.name(m.id) for m in by_words.near_misses]) if name else (),
            platforms=platforms,
        )


def _without_hidden(evidence: list[Evidence], hidden: Collection[str], shown: list[Article]) -> list[Evidence]:
    """The evidence, with another shown file in place of a hidden one where that says the same.

    A file that only evidence of another kind joined to hidden ones is "expired": what joined it has expired.
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


def _story(inputs: _StoryInputs) -> Story:
    # Reversed, so that declared coverage, which comes first, replaces a follower with the same key.
    coverage = {a.key: a.coverage for a in reversed(inputs.attachments)}
    shown = [file for file in inputs.files if file.id not in inputs.hidden]
    members: list[Member] = sorted([*shown, *coverage.values()], key=by_time)
    evidence = [*inputs.evidence]
    declared = dict.fromkeys((coverage[a.key].id, a.file_id) for a in inputs.attachments)
    evidence += [Evidence(member=id, other=file_id, kind="declared") for id, file_id in declared]
    evidence += [Evidence(member=m.id, other=m.other, kind="similar", score=m.score) for m in inputs.by_words.matches]
    if inputs.hidden:
        evidence = _without_hidden(evidence, inputs.hidden, shown)
    rejected = {r.id: r for r in inputs.one_sided}
    for at, miss in enumerate(inputs.by_words.near_misses):
        kept_apart = bool(inputs.near_miss_names and inputs.near_miss_names[at] not in ("", inputs.name))
        reason: Reason = "editor" if kept_apart else "elsewhere" if miss.fit > 1 else "unlike"
        near_miss = Rejected(id=miss.id, other=miss.other, reason=reason, score=miss.score, fit=miss.fit)
        rejected.setdefault(miss.id, near_miss)
    return Story(
        id=min(inputs.files, key=by_time).id,
        name=inputs.name,
        lead=ranking.choose_lead([m for m in members if isinstance(m, Article) or not m.folded], inputs.lead),
        members=tuple(members),
        evidence=tuple(sorted(evidence, key=lambda e: (e.member, e.other, e.kind))),
        rejected=tuple(rejected.values())[:MAX_NEAR_MISSES],
        providers=tuple(sorted({m.provider for m in members})),
        sources=ranking.count_sources(members, inputs.platforms),
    )

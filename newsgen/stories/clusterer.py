"""Articles in, stories out: who tells of the same event, and on what evidence.

Joined are files that share a canonical URL, that declare each other, or that name the same `story`; files that name
different stories are kept apart whatever else speaks for them. What a file declares and what has no file belongs to the
file's story, or makes one with it. A one-way entry never merges two files' stories: `related` lists mix the same event
with the same subject, and go stale.

Then words join what nobody declared (see `grouping`).
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from newsgen.model import About, Article, Coverage, Evidence, Member, Rejected, Story, by_time
from newsgen.stories import ranking
from newsgen.stories.days import Fetch, LostError
from newsgen.stories.declarations import Declarations, Line, Union, followers
from newsgen.stories.grouping import BESIDE, Grouping, Told

Reason = Literal["one side", "editor", "elsewhere", "unlike"]


class Clusters(NamedTuple):
    """What `cluster` found: stories by age, all coverage without a file, and what articles' entries lead to.

    `coverage` holds each piece once, also where two stories have it as a member, and never a folded one. `targets` are
    the ids of files and of coverage, by the id of the article that declares them, in its order.
    """

    stories: tuple[Story, ...]
    coverage: tuple[Coverage, ...]
    targets: Mapping[str, tuple[str, ...]]


class Clusterer:
    """Clusters again and again, each time at the cost of what has changed, and always as if for the first time.

    Without `keep` it keeps nothing that is of use to a second time alone.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.grouping = Grouping()
        self._keep = keep
        self._known: dict[str, tuple[_Parts, Story]] = {}
        self._declared: tuple[object, Declarations] | None = None

    def dump(self) -> Iterator[tuple[str, bytes]]:
        """What has changed since it was loaded, by the names to keep it under."""
        return self.grouping.dump()

    def load(self, fetch: Fetch) -> None:
        """Goes on from what another kept with `dump`, or from nothing where that is lost."""
        try:
            self.grouping.load(fetch)
        except (LostError, LookupError):
            self.grouping = Grouping()

    def cluster(
        self,
        articles: Iterable[Article],
        *,
        clock: datetime,
        folded: Iterable[Article] = (),
        about: Mapping[str, About] | None = None,
        similar: bool = True,
    ) -> Clusters:
        """Groups published articles; the result depends on their values alone, not on their order.

        `folded` are held followers that may show as a line of a story with a published member. No coverage is dated
        after the `clock`. `about` are the editor's words on a story, by its name. `similar` is whether words join.
        """
        # Nothing here is a cycle, and the collector would look through all of it again and again.
        collecting = gc.isenabled()
        gc.disable()
        given = (list(articles), clock, list(folded), about or {}, similar)
        try:
            return self._cluster(*given)
        except LostError:
            self.grouping = Grouping()
            return self._cluster(*given)
        finally:
            if collecting:
                gc.enable()

    def _cluster(
        self,
        articles: Iterable[Article],
        clock: datetime,
        folded: Iterable[Article],
        about: Mapping[str, About],
        similar: bool,
    ) -> Clusters:
        files = {a.id: a for a in sorted(articles, key=attrgetter("id"))}
        owners, coverage, targets, union = self._said(files, clock)
        # Files at one address are one text, and the first speaks for it: a live page has a headline for everything.
        silent = {other for first, other in owners.pairs if union.find(first) == union.find(other)}
        if similar:
            speaking = {id: file for id, file in files.items() if id not in silent}
            sets = ([id for id in found if id not in silent] for found in union.sets())
            for group in self.grouping.update(speaking, sets, union.names()):
                for id in group:
                    union.unite(group[0], id)
        lines = [Line(id, coverage[other], other) for id in targets for other in targets[id] if other in coverage]
        lines += followers(folded, owners.first, clock)
        known, self._known = self._known, {}
        found = []
        for parts in _parts(files, union, lines, about, targets, silent, self.grouping):
            first = parts.files[0].id
            before, story = known.get(first, (None, None))
            if story is None or before != parts:
                story = _story(parts)
            self._known[first] = (parts, story)
            found.append(story)
        stories = tuple(sorted(found, key=lambda s: (s.first.published, s.id)))
        return Clusters(stories, tuple(coverage.values()), targets)

    def _said(self, files: dict[str, Article], clock: datetime) -> Declarations:
        """What files declare: of before, where none declares anything else, as most edits are of something else."""
        kept = self._declared
        facts = (
            clock,
            [(a.id, a.keys, a.related, a.published, a.category, a.topics, a.story) for a in files.values()]
            if self._keep
            else [],
        )
        if kept is None or kept[0] != facts:
            found = Declarations.of(files, clock)
            if not self._keep:
                return found
            kept = self._declared = facts, found
        return kept[1]._replace(union=kept[1].union.copy())


def cluster(articles: Iterable[Article], **given: Any) -> Clusters:
    """Clusters once."""
    return Clusterer().cluster(articles, **given)


class _Parts(NamedTuple):
    """All that a story is made of.

    Its files and other pieces, its name and lead as an editor says, what joined the files, what one side alone joins to
    them, what words say, and how an editor calls the stories of what came near by words.
    """

    files: tuple[Article, ...]
    lines: tuple[Line, ...]
    name: str
    lead: str
    evidence: tuple[Evidence, ...]
    one_sided: tuple[Rejected, ...]
    told: Told
    others: tuple[str, ...]


def _parts(
    files: Mapping[str, Article],
    union: Union,
    lines: list[Line],
    about: Mapping[str, About],
    targets: Mapping[str, tuple[str, ...]],
    silent: Collection[str],
    grouping: Grouping,
) -> Iterator[_Parts]:
    """The parts of each story, in no order."""
    groups = {union.find(ids[0]): sorted(ids) for ids in union.sets()}
    pieces: dict[str, list[Line]] = {}
    for line in lines:
        root = union.find(line.owner)
        pieces.setdefault(root, []).append(line)
        groups.setdefault(root, [line.owner])
    one_sided: dict[str, list[Rejected]] = {}
    roots = union.roots()
    for id, others in targets.items():
        own = roots.get(id, id)
        for other in others:
            theirs = roots.get(other, other)
            if theirs != own and other in files:
                one_sided.setdefault(own, []).append(Rejected(id=other, other=id, reason="one side"))
                one_sided.setdefault(theirs, []).append(Rejected(id=id, other=other, reason="one side"))
    for root, ids in groups.items():
        name = union.name(root)
        told = grouping.told(tuple([id for id in ids if id not in silent]))
        yield _Parts(
            files=tuple([files[id] for id in ids]),
            lines=tuple(pieces.get(root, ())),
            name=name,
            lead=about[name].lead if name in about else "",
            evidence=tuple([e for id in ids for e in union.evidence.get(id, ())]),
            one_sided=tuple(one_sided.get(root, ())),
            told=told,
            others=tuple([union.name(c.id) for c in told.beside]) if name else (),
        )


def _story(parts: _Parts) -> Story:
    # Declarations pieces come before held followers, and win.
    pieces = {line.key: line.piece for line in reversed(parts.lines)}
    members: list[Member] = sorted([*parts.files, *pieces.values()], key=by_time)
    evidence = [*parts.evidence]
    named = dict.fromkeys((pieces[line.key].id, line.owner) for line in parts.lines)
    evidence += [Evidence(member=id, other=owner, kind="declared") for id, owner in named]
    evidence += [Evidence(member=t.id, other=t.other, kind="similar", score=t.score) for t in parts.told.ties]
    rejected = {r.id: r for r in parts.one_sided}
    for at, near in enumerate(parts.told.beside):
        apart = bool(parts.others and parts.others[at] not in ("", parts.name))
        reason: Reason = "editor" if apart else "elsewhere" if near.fit > 1 else "unlike"
        found = Rejected(id=near.id, other=near.other, reason=reason, score=near.score, fit=near.fit)
        rejected.setdefault(near.id, found)
    return Story(
        id=next(m.id for m in members if isinstance(m, Article)),
        name=parts.name,
        lead=ranking.choose_lead([m for m in members if isinstance(m, Article) or not m.folded], parts.lead),
        members=tuple(members),
        evidence=tuple(sorted(evidence, key=lambda e: (e.member, e.other, e.kind))),
        rejected=tuple(rejected.values())[:BESIDE],
        providers=tuple(sorted({m.provider for m in members})),
        sources=ranking.count_sources(members),
    )

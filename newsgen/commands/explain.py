"""Why a story is what it is, and an article where it is: the evidence with its scores, and what came near."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsgen import canonical, urls
from newsgen.builder import Memory, Options, Progress, load
from newsgen.errors import ConfigError
from newsgen.library import Library
from newsgen.model import Article, Member, Rejected, Story
from newsgen.stories import COVERAGE_PREFIX, Clusterer, lead_reason

KINDS = {
    "same address": "has the same address as {other}",
    "mutual": "names {other} and is named by it",
    "declared": "is named by {other}",
    "editor": "was put by an editor with {other}",
    "similar": "is {score:.0%} alike in its words to {other}",
}
REASONS = {
    "one side": "only one of it and {other} names the other",
    "editor": "was kept apart by an editor",
    "elsewhere": "is {score:.0%} alike to {other}, and fits another story better",
    "unlike": "is {score:.0%} alike to {other}, and has {fit:.0%} of what is enough",
}
LEADS = {
    "editor": "an editor chose it",
    "quality": "its quality is the highest",
    "heat": "its heat is the highest among the best",
    "newest": "it is the newest of the best",
}


def explain(target: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """What there is to say of a story or an article, called by its address, file, file name or URL.

    Raises ConfigError where nothing that is published is called so.
    """
    clusterer = Clusterer()
    memory = Memory(keep=False)
    memory.clusterer = clusterer
    library = load(options, progress, memory=memory).library
    found = _find(library, target)
    if isinstance(found, Story):
        return _story(library, found)
    story = library.story_of.get(found.id)
    if story is not None:
        said = _story(library, story)
        mine = [e for e in story.evidence if found.id in (e.member, e.other)]
        return {"article": _member(found), "story": said["story"], "evidence": [_row(e) for e in mine],
                "nearest": [r for r in said["nearest"] if found.id in (r["id"], r["other"])]}  # fmt: skip
    told = clusterer.grouping.told((found.id,))
    near = [
        Rejected(id=c.id, other=c.other, reason="elsewhere" if c.fit > 1 else "unlike", score=c.score, fit=c.fit)
        for c in told.beside
    ]
    return {"article": _member(found), "story": None, "evidence": [], "nearest": [_row(r) for r in near]}


def _find(library: Library, target: str) -> Story | Member:
    path = "/" + target.strip("/") + "/"
    for story in library.stories:
        if path == urls.story(library.address[story.id]) or target == story.name:
            return story
    key = canonical.key(target)
    for member in library.members:
        names = {member.id, member.url, getattr(member, "slug", member.id), library.address.get(member.id, "")}
        story_path = urls.story(library.address[member.id]) if isinstance(member, Article) else ""
        if target in names or path in (library.address.get(member.id), story_path):
            return library.story_of.get(member.id, member) if path == story_path else member
        if key and key in (member.keys if isinstance(member, Article) else (member.id.removeprefix(COVERAGE_PREFIX),)):
            return member
    what = f"{target!r} is no story and no article that is published"
    hint = "give an address (/story/…), a file below the content folder, its name or its URL; --all shows held ones too"
    raise ConfigError(f"{what}; {hint}")


def _story(library: Library, story: Story) -> dict[str, Any]:
    about = library.about["story"].get(story.name)
    return {
        "story": {"id": story.id, "address": urls.story(library.address[story.id]), "title": story.lead.title,
                  "lead": story.lead.id, "why": lead_reason(story, about.lead if about else ""), "sources": story.sources},
        "members": [_member(m) | {"evidence": [_row(e) for e in story.evidence if e.member == m.id]} for m in story.members],
        "nearest": [_row(r) for r in story.rejected],
    }  # fmt: skip


def _member(member: Member) -> dict[str, Any]:
    return {"id": member.id, "file": member.id if isinstance(member, Article) else None, "url": member.url or None,
            "title": member.title, "provider": member.provider, "published": member.published}  # fmt: skip


def _row(found: Any) -> dict[str, Any]:
    row = {name: getattr(found, name) for name in found.__struct_fields__}
    return {"id": row.pop("member"), **row} if "member" in row else row


def lines(said: dict[str, Any]) -> Iterator[str]:
    """The same as text."""
    story = said["story"]
    if "article" in said:
        yield f"{said['article']['id']}: {said['article']['title']}"
        yield f"  in {story['address']}: {story['title']}" if story else "  in no story"
        for row in said["evidence"]:
            yield f"    {row['id']} " + KINDS[row["kind"]].format(**row)
    else:
        yield f"{story['address']}: {story['title']}"
        yield f"  {len(said['members'])} members, {story['sources']} independent sources"
        yield f"  lead: {story['lead']}, since {LEADS[story['why']]}"
        for member in said["members"]:
            yield f"  {member['published']:%Y-%m-%d %H:%M}  {member['id']}: {member['title']} ({member['provider'] or 'own post'})"
            for row in member["evidence"]:
                yield "    " + KINDS[row["kind"]].format(**row)
    if said["nearest"]:
        yield "  near, and not in it:" if story else "  nearest:"
    for row in said["nearest"]:
        yield f"    {row['id']} " + REASONS[row["reason"]].format(**row)

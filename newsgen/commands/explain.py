"""The work of `newsgen explain`: the evidence for the members of a story, with scores, and the near misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from newsgen import canonical, times, urls
from newsgen.builder import Memory, Options, Progress, load
from newsgen.commands.console import plural
from newsgen.errors import ConfigError
from newsgen.library import Library
from newsgen.model import Article, Member, Rejected, Story
from newsgen.stories import COVERAGE_PREFIX, Clusterer, lead_reason

KINDS = {
    "same address": "has the same address as {other}",
    "mutual": "lists {other} in `related` and is listed by it",
    "declared": "is listed in `related` of {other}",
    "editor": "names the same `story` as {other}",
    "similar": "is {score:.0%} similar to {other}",
}
"""What to print after a member, by `Evidence.kind`."""

REASONS = {
    "one side": "and {other}: only one lists the other in `related`",
    "editor": "belongs to a different `story`",
    "elsewhere": "is {score:.0%} similar to {other}, but fits another story better",
    "unlike": "is {score:.0%} similar to {other}, with {fit:.0%} of the score needed to join",
}
"""What to print after a near miss, by `Rejected.reason`."""

LEADS = {
    "editor": "chosen by an editor",
    "quality": "highest quality",
    "heat": "highest heat among members of equal quality",
    "newest": "newest among members of equal quality and heat",
}
"""What to print after the lead, by the result of `lead_reason`."""


def explain(target: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """The explanation of a story or an article, named by its address, file, file name or URL.

    Raises ConfigError if no published story or article has that name.
    """
    clusterer = Clusterer()
    memory = Memory(keep=False)
    memory.clusterer = clusterer
    library = load(options, progress, memory=memory).library
    match = _find(library, target)
    if isinstance(match, Story):
        return _story(library, match)
    story = library.story_of.get(match.id)
    if story is not None:
        explanation = _story(library, story)
        own_evidence = [e for e in story.evidence if match.id in (e.member, e.other)]
        return {"article": _member(library, match), "story": explanation["story"], "evidence": [_row(e) for e in own_evidence],
                "nearest": [r for r in explanation["nearest"] if match.id in (r["id"], r["other"])]}  # fmt: skip
    evidence = clusterer.grouping.evidence((match.id,))
    near_misses = [
        Rejected(id=c.id, other=c.other, reason="elsewhere" if c.fit > 1 else "unlike", score=c.score, fit=c.fit)
        for c in evidence.near_misses
    ]
    return {
        "article": _member(library, match),
        "story": None,
        "evidence": [],
        "nearest": [_row(r) for r in near_misses],
    }


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
    what = f"no published story or article matches {target!r}"
    hint = "write an address (/story/…), a file below the content folder, a file name or a URL, or add --all"
    raise ConfigError(f"{what}; {hint}")


def _story(library: Library, story: Story) -> dict[str, Any]:
    about = library.about["story"].get(story.name)
    return {
        "story": {"id": story.id, "address": urls.story(library.address[story.id]), "title": story.lead.title,
                  "lead": story.lead.id, "why": lead_reason(story, about.lead if about else ""), "sources": story.sources},
        "members": [_member(library, m) | {"evidence": [_row(e) for e in story.evidence if e.member == m.id]} for m in story.members],
        "nearest": [_row(r) for r in story.rejected],
    }  # fmt: skip


def _member(library: Library, member: Member) -> dict[str, Any]:
    published = times.local(member.published, library.config.zone)
    return {"id": member.id, "file": member.id if isinstance(member, Article) else None, "url": member.url or None,
            "title": member.title, "provider": member.provider, "published": published, "all_day": member.all_day}  # fmt: skip


def _row(item: Any) -> dict[str, Any]:
    row = {name: getattr(item, name) for name in item.__struct_fields__}
    return {"id": row.pop("member"), **row} if "member" in row else row


def lines(explanation: dict[str, Any]) -> Iterator[str]:
    """An explanation as lines of text."""
    story = explanation["story"]
    if "article" in explanation:
        yield f"{explanation['article']['id']}: {explanation['article']['title']}"
        yield f"  in {story['address']}: {story['title']}" if story else "  not in a story"
        for row in explanation["evidence"]:
            yield f"    {row['id']} " + KINDS[row["kind"]].format(**row)
    else:
        yield f"{story['address']}: {story['title']}"
        yield f"  {plural(len(explanation['members']), 'member')}, {plural(story['sources'], 'independent source')}"
        yield f"  lead: {story['lead']} ({LEADS[story['why']]})"
        for member in explanation["members"]:
            published = member["published"]
            when = published.date().isoformat() if member["all_day"] else published.isoformat(" ", "minutes")
            yield f"  {when}  {member['id']}: {member['title']} ({member['provider'] or 'own post'})"
            for row in member["evidence"]:
                yield "    " + KINDS[row["kind"]].format(**row)
    if explanation["nearest"]:
        yield "  near misses:" if story else "  nearest articles:"
    for row in explanation["nearest"]:
        yield f"    {row['id']} " + REASONS[row["reason"]].format(**row)

"""The work of `newsgen explain`: the evidence for the members of a story, with scores, and the near misses."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from newsgen import canonical, times
from newsgen.builder import Loaded, Options, Progress, folders, load
from newsgen.commands.console import plural
from newsgen.config import Config
from newsgen.errors import ConfigError
from newsgen.library import GATE_REASONS, Library, gate
from newsgen.model import Article, Member, Rejected, Story
from newsgen.stories import COVERAGE_PREFIX, IDF_CAP, Pair, lead_reason, spelt

KINDS = {
    "same address": "has the same address as {other}",
    "mutual": "lists {other} in `related` and is listed by it",
    "declared": "is listed in `related` of {other}",
    "editor": "names the same `story` as {other}",
    "similar": "is {score:.0%} similar to {other}",
    "expired": "is in one story with {other} through an article that has expired",
}
"""What to print after a member, by `Evidence.kind`."""

REASONS = {
    "one side": "and {other}: only one lists the other in `related`",
    "editor": "belongs to a different `story`",
    "elsewhere": "is {score:.0%} similar to {other}, but fits another story better",
    "unlike": "is {score:.0%} similar to {other}, with {fit:.0%} of the score needed to join",
}
"""What to print after a near miss, by `Rejected.reason`."""

TOPICS = {
    "named": "named in the file",
    "synonym": "the file names its synonym {written!r}",
    "keyword": "the title or excerpt contains its keyword {written!r}",
    "plugin": "added by a plugin",
}
"""What to print after a topic, by `Reason.kind`."""

QUARTERS = ("nothing", "a quarter", "half", "three quarters", "fully")
"""How much a word counts, by quarters of the most."""

OBSTACLES = {
    "excluded": "words do not compare them: one is `standalone`, a headline that its publisher repeats, or undated",
    "time": "they are {hours:g} hours apart; words join articles within 49 hours",
    "language": "they are in two languages, and words join none of these",
    "publisher": "they have one publisher, and their words are less than 40% similar",
    "low": "they are less than {floor:.0%} similar, which counts as nothing",
    "one word": "what they share is one word",
}
"""Why words do not join two articles at all, by `Comparison.obstacle`."""

LEADS = {
    "editor": "chosen by an editor",
    "quality": "highest quality",
    "heat": "highest heat among members of equal quality",
    "typical": "most typical among members of equal quality and heat",
    "newest": "newest among the most typical members of equal quality and heat",
}
"""What to print after the lead, by the result of `lead_reason`."""


def explain(target: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """The explanation of a story or an article, named by its file, output file, address, file name or URL.

    Raises ConfigError if no published story or article has that name.
    """
    loaded = load(options, progress)
    library = loaded.library
    match = _find(library, target, options)
    if match is None:
        raise ConfigError(_not_found(loaded, target, options))
    if isinstance(match, Story):
        return _story(library, match)
    story = library.story_of.get(match.id)
    topics = _topics(loaded, match)
    if story is not None:
        explanation = _story(library, story)
        own_evidence = [e for e in story.evidence if match.id in (e.member, e.other)]
        return {"article": _member(library, match), "topics": topics, "story": explanation["story"], "evidence": [_row(e) for e in own_evidence],
                "nearest": [r for r in explanation["nearest"] if match.id in (r["id"], r["other"])]}  # fmt: skip
    near_misses = [
        Rejected(id=c.id, other=c.other, reason=_reason(library, match, c.id, c.fit), score=c.score, fit=c.fit)
        for c in loaded.arrangement.clusterer.near_misses(match.id)
    ]
    return {
        "article": _member(library, match),
        "topics": topics,
        "story": None,
        "evidence": [],
        "nearest": [_row(r) for r in near_misses],
    }


def compare(target: str, other: str, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """Why two articles are or are not one story; each is named as for `explain`.

    Raises ConfigError if one has no file that is published, or if both names mean one article.
    """
    loaded = load(options, progress)
    library = loaded.library
    one, two = _article(loaded, target, options), _article(loaded, other, options)
    if one.id == two.id:
        raise ConfigError(f"{target!r} and {other!r} are one article; name two")
    stories = [library.story_of.get(each.id) for each in (one, two)]
    story = stories[0] if stories[0] is not None and stories[0] is stories[1] else None
    pair = loaded.arrangement.clusterer.compare(one.id, two.id)
    ids = {one.id, two.id}
    return {
        "articles": [
            _member(library, each) | {"story": library.address[found.id] if found else None, "named": each.story, "standalone": each.standalone}
            for each, found in zip((one, two), stories, strict=True)
        ],
        "one_story": story is not None,
        "evidence": [_row(e) for e in story.evidence if {e.member, e.other} == ids] if story else [],
        "one_sided": any(r.reason == "one side" and {r.id, r.other} == ids for s in stories if s for r in s.rejected),
        "between": _between(story, one.id, two.id) if story else [],
        "words": _words(library, one, two, pair) if pair else None,
    }  # fmt: skip


def _article(loaded: Loaded, target: str, options: Options) -> Article:
    """The article with a name that is not meant to be a story's."""
    found = _find(loaded.library, target, options)
    if isinstance(found, Story):
        # An article that began a story has the story's address.
        found = found.first if isinstance(found.first, Article) else None
    if found is None:
        raise ConfigError(_not_found(loaded, target, options))
    if not isinstance(found, Article):
        raise ConfigError(f"{target!r} has no file; name an article that has one")
    return loaded.article(found.id)


def _between(story: Story, one: str, two: str) -> list[str]:
    """The members that connect two others, as few as possible; none if evidence joins these directly."""
    neighbours: dict[str, list[str]] = {}
    for e in story.evidence:
        neighbours.setdefault(e.member, []).append(e.other)
        neighbours.setdefault(e.other, []).append(e.member)
    way: dict[str, str] = {one: ""}
    queue = [one]
    for id in queue:  # grows in the loop
        for other in sorted(neighbours.get(id, ())):
            if other not in way:
                way[other] = id
                queue.append(other)
    found = []
    at = way.get(two, "")
    while at and at != one:
        found.append(at)
        at = way[at]
    return found[::-1]


def _words(library: Library, one: Article, two: Article, pair: Pair) -> dict[str, Any]:
    """What words say of two articles."""
    comparison = pair.comparison
    spelling = spelt(two.title, two.excerpt) | spelt(one.title, one.excerpt)
    shared = sorted(comparison.shared.items(), key=lambda row: (-row[1][1], -row[1][0], row[0]))
    both = [(id, library.story_of.get(id)) for id in pair.both if id in library.by_id]
    return {
        "hours": round(comparison.seconds / 3600, 1),
        "shared": [
            {
                "word": spelling.get(stem, stem),
                "quarters": max(idf > 0, round(4 * idf / IDF_CAP)),
                "part": round(part, 4),
            }
            for stem, (idf, part) in shared
        ],
        "letters": comparison.letters,
        "similarity": comparison.similarity,
        "floor": comparison.floor,
        "needed": pair.needed,
        "obstacle": comparison.obstacle,
        "fits": list(pair.fits),
        "both": [{"id": id, "story": library.address[story.id] if story else None} for id, story in both],
    }


def _topics(loaded: Loaded, member: Member) -> list[dict[str, str]]:
    """Why an article has each of its topics; coverage has those of the article that lists it."""
    library = loaded.library
    article = loaded.article(member.id) if isinstance(member, Article) else None
    reasons = library.topics.reasons(article, loaded.named_topics(article.id)) if article else []
    return [
        {"key": r.key, "title": library.sections["topic"][r.key].title, "kind": r.kind, "written": r.written}
        for r in reasons
    ]


def _reason(library: Library, article: Member, id: str, fit: float) -> Literal["editor", "elsewhere", "unlike"]:
    """Why an article that is in no story is not in one with a near miss."""
    other, story = library.by_id.get(id), library.story_of.get(id)
    own_name = article.story if isinstance(article, Article) else ""
    name = (story.name if story else "") or (other.story if isinstance(other, Article) else "")
    if own_name and name and own_name != name:
        return "editor"
    return "elsewhere" if fit > 1 else "unlike"


def _find(library: Library, target: str, options: Options) -> Story | Member | None:
    ids, addresses = _ids(target, options), _addresses(target, options, library.config)
    for story in library.stories:
        if library.address[story.id] in addresses or target == story.name:
            return story
    key = canonical.key(target)
    for member in library.members:
        address = library.address.get(member.id)
        if ids & {_nfc(member.id), _nfc(getattr(member, "slug", ""))} or target == member.url or address in addresses:
            return member
        if key and key in (member.keys if isinstance(member, Article) else (member.id.removeprefix(COVERAGE_PREFIX),)):
            return member
    return None


def _ids(target: str, options: Options) -> set[str]:
    """The ids that a target may mean: as it is, and as the path of a content file, also relative to the site."""
    content = folders(options)[0]
    names = {target, target.removeprefix("./").removeprefix(f"{content.name}/")}
    for place in (Path(target), options.site / target):
        for path, root in ((place.absolute(), content.absolute()), (_real(place), _real(content))):
            if path.is_relative_to(root):
                names.add(path.relative_to(root).as_posix())
    return {_nfc(name) for name in names if name}


def _addresses(target: str, options: Options, config: Config) -> set[str]:
    """The addresses that a target may mean: an address or a URL of the site, or the path of an output file."""
    output, place = _real(folders(options)[1]), _real(Path(target))
    names = {place.relative_to(output).as_posix()} if place.is_relative_to(output) else {target}
    if config.base and target.startswith(config.base):
        names = {target[len(config.base) :]}
    elif config.root != "/" and f"/{target.lstrip('/')}".startswith(config.root):
        names.add(f"/{target.lstrip('/')}"[len(config.root) :])
    paths = {unquote(re.split("[?#]", name)[0]).removesuffix("index.html").strip("/") for name in names}
    return {_nfc(f"/{path}/") for path in paths if path}


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike resolve(), this accepts a link that leads to itself


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _not_found(loaded: Loaded, target: str, options: Options) -> str:
    """The message for a target that names nothing published."""
    ids, addresses = _ids(target, options), _addresses(target, options, loaded.config)
    for article in loaded.articles():
        if ids & {_nfc(article.id), _nfc(article.slug)} or loaded.library.address[article.id] in addresses:
            closed = gate(article, loaded.now)
            show = "; add --all" if closed in GATE_REASONS else ""
            return f"{target!r} is not published: {GATE_REASONS.get(closed, 'blocked by site.toml')}{show}"
    hint = "write an address (/2026/…), a content file, a file name or a URL"
    return f"no published story or article matches {target!r}; {hint}"


def _story(library: Library, story: Story) -> dict[str, Any]:
    about = library.about["story"].get(story.name)
    return {
        "story": {"id": story.id, "address": library.address[story.id], "title": story.lead.title,
                  "lead": story.lead.id, "why": lead_reason(story, about.lead if about else ""), "sources": story.sources},
        "members": [
            _member(library, m)
            | {"marginal": m.id in story.marginal, "evidence": [_row(e) for e in story.evidence if e.member == m.id]}
            for m in story.members
        ],
        "nearest": [_row(r) for r in story.rejected],
    }  # fmt: skip


def _member(library: Library, member: Member) -> dict[str, Any]:
    published = times.local(member.published, library.config.zone)
    return {"id": member.id, "file": member.id if isinstance(member, Article) else None, "url": member.url or None,
            "title": member.title, "provider": member.provider, "published": published, "all_day": member.all_day}  # fmt: skip


def _row(item: Any) -> dict[str, Any]:
    row = {name: getattr(item, name) for name in item.__struct_fields__}
    return {"id": row.pop("member"), **row} if "member" in row else row


def pair_lines(explanation: dict[str, Any]) -> Iterator[str]:
    """What `compare` found, as lines of text."""
    one, two = explanation["articles"]
    yield f"{one['id']}: {one['title']}"
    yield f"{two['id']}: {two['title']}"
    if explanation["one_story"]:
        yield f"They are one story, {one['story']}."
    else:
        places = [f"{each['id']} is in {each['story'] or 'no story'}" for each in (one, two)]
        yield f"They are not one story: {places[0]}, {places[1]}."
    for row in explanation["evidence"]:
        yield f"  {row['id']} " + KINDS[row["kind"]].format(**row)
    if explanation["between"]:
        yield f"  joined by way of {', '.join(explanation['between'])}"
    if explanation["one_sided"]:
        yield "  only one lists the other in `related`, which joins nothing"
    if one["named"] and two["named"] and one["named"] != two["named"]:
        yield f"  an editor keeps them apart: `story` is {one['named']!r} and {two['named']!r}"
    for each in (one, two):
        if each["standalone"]:
            yield f"  {each['id']} is `standalone`: words join it to nothing"
    found = explanation["words"]
    if found is None:
        if not explanation["evidence"] and not explanation["between"]:
            yield "  words are not compared"
        return
    for quarters, rows in groupby(
        sorted(found["shared"], key=lambda row: -row["quarters"]), lambda row: row["quarters"]
    ):
        yield f"  both have, counting {QUARTERS[quarters]}: {', '.join(row['word'] for row in rows)}"
    if not found["shared"]:
        yield "  they share no word"
    if found["obstacle"]:
        yield "  " + OBSTACLES[found["obstacle"]].format(**found)
        return
    yield f"  {found['similarity']:.0%} similar, {found['hours']:g} hours apart; alone they would need {found['needed']:.0%}"
    if not explanation["one_story"]:
        for each, other, fit in ((one, two, found["fits"][0]), (two, one, found["fits"][1])):
            whose = "the story of " if other["story"] else ""
            if fit > 1:
                yield f"  {each['id']} would fit {whose}{other['id']}, but fits another story better, or an editor keeps it apart"
            else:
                yield f"  {each['id']} has {fit:.0%} of what it needs to join {whose}{other['id']}"
    for row in found["both"]:
        if not explanation["one_story"]:
            yield f"  similar to both: {row['id']}, in {row['story'] or 'no story'}"


def lines(explanation: dict[str, Any]) -> Iterator[str]:
    """An explanation as lines of text."""
    story = explanation["story"]
    if "article" in explanation:
        yield f"{explanation['article']['id']}: {explanation['article']['title']}"
        yield f"  in {story['address']}: {story['title']}" if story else "  not in a story"
        for row in explanation["topics"]:
            yield f"  topic {row['title']}: " + TOPICS[row["kind"]].format(**row)
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
            if member["marginal"]:
                yield "    is at the margin: much less similar to the others than they are to each other"
            for row in member["evidence"]:
                yield "    " + KINDS[row["kind"]].format(**row)
    if explanation["nearest"]:
        yield "  near misses:" if story else "  nearest articles:"
    for row in explanation["nearest"]:
        yield f"    {row['id']} " + REASONS[row["reason"]].format(**row)

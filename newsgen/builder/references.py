"""Warns about references of editors that match nothing, and about topics and feeds that are there twice by accident.

A reference to an article that is not published, because a gate is closed, is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from unicodedata import normalize

from newsgen import canonical, text
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import About, Article, Coverage, Member, Subscription
from newsgen.platforms import Platforms
from newsgen.stories import find_member
from newsgen.validation import did_you_mean, nearest

MOST = 20
"""Maximum number of warnings about `story` names: a pipeline may write a name into every article."""

_SPACING = re.compile(r"[\s_\-\u2010-\u2015]+")


def warnings(
    articles: Callable[[], Iterable[Article]],
    library: Library,
    subscriptions: Iterable[Subscription],
    folder_name: str,
    line: Callable[[str, str], int],
) -> list[Problem]:
    """One warning for each reference that matches nothing. `articles` returns all, also those that are not published.

    `line` returns the line of a field in a content file, by the file's id.
    """
    found = [*_stories(articles, library), *_providers(library), *_topics(library), *_feeds(subscriptions)]
    return [
        Problem(path=f"{folder_name}/{id}", line=line(id, field) if field else 0, field=field, what=what, hint=hint)
        for id, field, what, hint in found
    ]


_Row = tuple[str, str, str, str]
"""The id of a file, the field, what is wrong, and what to do."""


def _stories(articles: Callable[[], Iterable[Article]], library: Library) -> Iterator[_Row]:
    named, abouts = library.facts.named, library.about["story"]
    for name, about in abouts.items():
        if name not in named:
            close = did_you_mean(name, named)
            yield about.id, "", "no article names this story", close or f"write `story: {name}` into its articles"
        elif about.lead:
            shown = [library.article(id) for id, is_shown in sorted(named[name].items()) if is_shown]
            stories = (library.story_of.get(article.id) for article in shown)
            members = next((story.members for story in stories if story and story.name == name), shown)
            yield from _lead(about, members, articles, library)
    once = sorted(
        (id, name) for name, ids in named.items() if len(ids) == 1 for id, is_shown in ids.items() if is_shown
    )
    # If the story has a file about it, one article with the name is enough: others may be in the story without it.
    once = [(id, name) for id, name in once if not (name in abouts and library.story_of.get(id))]
    others = {name for name, ids in named.items() if len(ids) > 1} | abouts.keys()
    for id, name in once[:MOST]:
        close = did_you_mean(name, others - {name})
        what = f"no other article names the story {name!r}"
        yield id, "story", what, close or "name it in another article, or remove it here"
    if len(once) > MOST:
        what = f"{len(once) - MOST:,} more `story` names are used by one article only"
        yield once[MOST][0], "story", what, "remove them, or name the same story in several articles"


def _lead(
    about: About, members: Iterable[Member], articles: Callable[[], Iterable[Article]], library: Library
) -> Iterator[_Row]:
    members = [m for m in members if not (isinstance(m, Coverage) and m.folded)]
    if find_member(members, about.lead):
        return
    other = find_member(sorted(articles(), key=attrgetter("id")), about.lead)
    if other is None:
        close = did_you_mean(about.lead, [m.id for m in members if isinstance(m, Article)])
        what, hint = f"nothing matches {about.lead!r}", "write the path, the file name or the URL of a member"
        yield about.id, "lead", what, close or hint
    elif library.by_id.get(other.id):
        yield about.id, "lead", f"{other.id!r} is not in this story", f"write `story: {about.key}` into it"


def _providers(library: Library) -> Iterator[_Row]:
    abouts = library.about["provider"]
    missing = abouts.keys() - library.providers.keys() - library.facts.closed.keys()
    platforms, block = library.config.platforms, library.config.block
    blocked = canonical.Blocklist(tuple(map(platforms.key, block.providers)), (), platforms.provider)
    # All domains of a country are similar: only what stands before the public suffix counts.
    names = {_name(domain, platforms): domain for domain in sorted(library.providers, reverse=True)} if missing else {}
    for domain in sorted(missing):
        author = next((d for d in library.providers if platforms.platform(d) == domain), "")
        if author:
            what = f"the authors on {domain} are providers of their own, such as {author}"
            yield abouts[domain].id, "", what, "name the file after one of them, or remove it"
        elif not blocked.has(domain):
            near = names.get(nearest(_name(domain, platforms), names))
            hint = f"did you mean {near!r}?" if near else "name the file after a provider's domain, or remove it"
            yield abouts[domain].id, "", "no article has this provider", hint


def _name(domain: str, platforms: Platforms) -> str:
    """A domain without its public suffix."""
    suffix = platforms.owner(domain).partition(".")[2]
    return domain.removesuffix(f".{suffix}")


def _topics(library: Library) -> Iterator[_Row]:
    spellings: dict[str, list[tuple[str, str]]] = {}
    for topic, id in library.mentions("topic"):
        spellings.setdefault(text.slug(topic), []).append((id, topic))
    found = []
    for slug, topics in spellings.items():
        variants: dict[str, tuple[str, str]] = {}
        for id, topic in sorted(topics, key=partial(_place, library)) if len(topics) > 1 else ():
            variants.setdefault(_loosely(topic), (id, topic))
        if len(variants) > 1:
            first, second = list(variants.values())[:2]
            names = " and ".join(repr(topic) for _, topic in variants.values())
            what = f"{names} share the page {library.places.section('topic', slug)}"
            row = second[0], "topics", what, "write them alike if they are one topic, else rename one"
            found.append((_place(library, first), row))
    yield from (row for _, row in sorted(found))
    abouts = library.about["topic"]
    for about in abouts.values():
        parent = text.slug(about.parent) if about.parent else ""
        if parent and parent not in spellings and parent not in abouts and parent not in library.topics.synonyms:
            hint = did_you_mean(parent, abouts.keys() | spellings.keys())
            what = f"there is no topic {about.parent!r}"
            yield about.id, "parent", what, hint or f"create _topics/{parent}.md, or name a topic that articles have"

    for conflict in library.topics.conflicts:
        owner = abouts[conflict.key]
        what = f"{conflict.synonym!r} is the topic of {owner.id}"
        yield conflict.id, "synonyms", what, "keep it in one of the two files"


def _place(library: Library, mention: tuple[str, str]) -> tuple[str, int]:
    """Where a file first writes a topic: its id, and the position among its topics."""
    id, topic = mention
    filed = library.filed(id)
    return id, filed.mentions.index(("topic", topic)) if filed else 0


def _feeds(subscriptions: Iterable[Subscription]) -> Iterator[_Row]:
    names: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for each in sorted(subscriptions, key=lambda s: s.id):
        if (first := names.setdefault(each.name, each.id)) != each.id:
            yield each.id, "", f"has the same name as {first}, so it is not fetched", "rename one of the two"
        elif (first := addresses.setdefault(each.url, each.id)) != each.id:
            yield each.id, "url", f"is the feed of {first} too", "keep one of the two files"


def _loosely(topic: str) -> str:
    """A topic without differences in case and spacing."""
    return _SPACING.sub(" ", normalize("NFKC", topic).casefold()).strip()

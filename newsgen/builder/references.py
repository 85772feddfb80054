"""Warns about references of editors that match nothing, and about topics and feeds that are there twice by accident.

A reference to an article that is not published, because a gate is closed, is no fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from unicodedata import normalize

from newsgen import canonical, text, urls
from newsgen.errors import Problem
from newsgen.library import Library
from newsgen.model import About, Article, Coverage, Member, Subscription
from newsgen.stories import find_member
from newsgen.validation import did_you_mean

MOST = 20
"""Maximum number of warnings about `story` names: a pipeline may write a name into every article."""

_SPACING = re.compile(r"[\s_\-\u2010-\u2015]+")


def warnings(
    articles: Iterable[Article],
    library: Library,
    subscriptions: Iterable[Subscription],
    folder_name: str,
    line: Callable[[str, str], int],
) -> list[Problem]:
    """One warning for each reference that matches nothing. `articles` are all, also those that are not published.

    `line` returns the line of a field in a content file, by the file's id.
    """
    rows = sorted(articles, key=lambda a: a.id)
    found = [*_stories(rows, library), *_providers(rows, library), *_topics(rows, library), *_feeds(subscriptions)]
    return [
        Problem(path=f"{folder_name}/{id}", line=line(id, field) if field else 0, field=field, what=what, hint=hint)
        for id, field, what, hint in found
    ]


_Row = tuple[str, str, str, str]
"""The id of a file, the field, what is wrong, and what to do."""


def _stories(articles: list[Article], library: Library) -> Iterator[_Row]:
    names = Counter([a.story for a in articles if a.story])
    members = {story.name: story.members for story in library.stories if story.name}
    abouts = library.about["story"]
    for name, about in abouts.items():
        if name not in names:
            close = did_you_mean(name, names)
            yield about.id, "", "no article names this story", close or f"write `story: {name}` into its articles"
        elif about.lead:
            named = [a for a in articles if a.story == name and a.id in library.by_id]
            yield from _lead(about, members.get(name, named), articles, library)
    once = [a for a in articles if names[a.story] == 1 and a.id in library.by_id]
    # With a file about it, the name of a story that the article is in by other evidence matters.
    once = [a for a in once if not (a.story in abouts and a.id in library.story_of)]
    others = {name for name, count in names.items() if count > 1} | abouts.keys()
    for article in once[:MOST]:
        close = did_you_mean(article.story, others - {article.story})
        what = f"no other article names the story {article.story!r}"
        yield article.id, "story", what, close or "name it in another article, or remove it here"
    if len(once) > MOST:
        what = f"{len(once) - MOST:,} more `story` names are used by one article only"
        yield once[MOST].id, "story", what, "remove them, or name the same story in several articles"


def _lead(about: About, members: Iterable[Member], articles: list[Article], library: Library) -> Iterator[_Row]:
    members = [m for m in members if not (isinstance(m, Coverage) and m.folded)]
    if find_member(members, about.lead):
        return
    other = find_member(articles, about.lead)
    if other is None:
        close = did_you_mean(about.lead, [m.id for m in members if isinstance(m, Article)])
        what, hint = f"nothing matches {about.lead!r}", "write the path, the file name or the URL of a member"
        yield about.id, "lead", what, close or hint
    elif other.id in library.by_id:
        yield about.id, "lead", f"{other.id!r} is not in this story", f"write `story: {about.key}` into it"


def _providers(articles: list[Article], library: Library) -> Iterator[_Row]:
    abouts = library.about["provider"]
    missing = abouts.keys() - library.providers.keys() - {a.provider for a in articles}
    if missing:
        missing -= {e.provider for a in articles if a.id not in library.by_id for e in a.related}
    platforms, block = library.config.platforms, library.config.block
    blocked = canonical.Blocklist(tuple(map(platforms.key, block.providers)), (), platforms.provider)
    for domain in sorted(missing):
        author = next((d for d in library.providers if platforms.platform(d) == domain), "")
        if author:
            what = f"the authors on {domain} are providers of their own, such as {author}"
            yield abouts[domain].id, "", what, "name the file after one of them, or remove it"
        elif not blocked.has(domain):
            hint = did_you_mean(domain, library.providers) or "name the file after a provider's domain, or remove it"
            yield abouts[domain].id, "", "no article has this provider", hint


def _topics(articles: list[Article], library: Library) -> Iterator[_Row]:
    first: dict[str, str] = {}
    for article in articles:
        if not article.blocked:
            for topic in (*article.topics, *article.merged_topics):
                first.setdefault(topic, article.id)
    spellings: dict[str, dict[str, str]] = {}
    for topic in first:
        spellings.setdefault(text.slug(topic), {}).setdefault(_loosely(topic), topic)
    for slug, variants in spellings.items():
        if len(variants) > 1:
            names = [*variants.values()]
            what = f"{' and '.join(map(repr, names))} share the page {urls.section('topic', slug)}"
            yield first[names[1]], "topics", what, "write them alike if they are one topic, else rename one"
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

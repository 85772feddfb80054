"""Decides the topics of articles: those that a file names, and those whose keywords its title or excerpt contains.

A topic's file may list other names of the topic (`synonyms`), which all count as the topic.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple

import msgspec

from newsgen import phrases, text
from newsgen.model import About, Article
from newsgen.phrases import Phrases
from newsgen.text import digest_bytes


class Conflict(NamedTuple):
    """A synonym in the topic file `id` that has no effect, because it is the name or a synonym of the topic `key`."""

    id: str
    synonym: str
    key: str


class Reason(NamedTuple):
    """Why an article has the topic `key`: its file names it or a synonym, or contains a keyword, as `written`; or a plugin
    named it.
    """

    key: str
    kind: Literal["named", "synonym", "keyword", "plugin"]
    written: str


class Topics:
    """Decides the topics of one site's articles. `abouts` are the files about topics, by key."""

    def __init__(self, abouts: Mapping[str, About]) -> None:
        self.synonyms: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._keywords: dict[str, Phrases] = {}
        conflicts = []
        for about in abouts.values():
            # A topic's key is the slug of its file's name, and its title may have another slug.
            self._names[about.key] = about.title if text.slug(about.title) == about.key else about.key
            for synonym in about.synonyms:
                key = text.slug(synonym)
                other = key if key in abouts else self.synonyms.setdefault(key, about.key)
                if other != about.key:
                    conflicts.append(Conflict(about.id, synonym, other))
            if about.keywords:
                self._keywords[about.key] = Phrases(about.keywords)
        self.synonyms = {synonym: key for synonym, key in self.synonyms.items() if synonym not in abouts}
        self.conflicts: tuple[Conflict, ...] = tuple(conflicts)

    def key(self, name: str) -> str:
        """The key of the topic with this name or synonym."""
        key = text.slug(name)
        return self.synonyms.get(key, key)

    def applied(self, article: Article) -> Article:
        """An article with all its topics. If these differ from those in its file, it has another digest."""
        return self._applied(article, self._matching(article)) if self.synonyms or self._keywords else article

    def reasons(self, article: Article, named_topics: Collection[str]) -> list[Reason]:
        """Why an article, as its file and the plugins have it, has each of its topics. The file has `named_topics`."""
        keys = [(topic, self.key(topic)) for topic in article.topics]
        named = [
            Reason(key, "plugin" if t not in named_topics else "named" if key == text.slug(t) else "synonym", t)
            for t, key in keys
        ]
        folded = _text(article)
        found = [Reason(key, "keyword", word) for key, p in self._keywords.items() if (word := p.first(folded))]
        by_key: dict[str, Reason] = {}
        for reason in (*named, *found):
            by_key.setdefault(reason.key, reason)
        return list(by_key.values())

    def _matching(self, article: Article) -> tuple[str, ...]:
        """The keys of the topics whose keywords an article contains."""
        if not self._keywords:
            return ()
        folded = _text(article)
        return tuple([key for key, phrases in self._keywords.items() if phrases.first(folded)])

    def _applied(self, article: Article, matched: tuple[str, ...]) -> Article:
        topics: dict[str, str] = {}
        for name in article.topics:
            key = text.slug(name)
            if key in self.synonyms:
                key = self.synonyms[key]
                name = self._names[key]  # noqa: PLW2901
            topics.setdefault(key, name)
        for key in matched:
            topics.setdefault(key, self._names[key])
        names = tuple(topics.values())
        if names == article.topics:
            return article
        digest = article.digest and digest_bytes(article.digest + msgspec.msgpack.encode(names))
        return msgspec.structs.replace(article, topics=names, digest=digest)


def _text(article: Article) -> str:
    # A phrase has no line break, so none is found across the two.
    return f"{phrases.fold(article.title)}\n{phrases.fold(article.excerpt)}"

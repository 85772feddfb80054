"""Reads the files about feeds, `content/_feeds/NAME.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from newsgen import files, phrases, text
from newsgen.config import Config
from newsgen.content import Reader, is_expression, read
from newsgen.errors import Problem
from newsgen.model import Subscription
from newsgen.phrases import Phrases

FOLDER = "_feeds"


def load(content: Path, config: Config) -> tuple[list[Subscription], list[Problem]]:
    """The subscriptions in a content folder, by name, and what is wrong in their files. Names and URLs are unique."""
    reader = Reader(config, content.name)
    by_name: dict[str, Subscription] = {}
    urls: dict[str, str] = {}
    problems: list[Problem] = []
    for found in files.scan(content, content.name).content:
        if not found.id.startswith(FOLDER + "/"):
            continue
        value, faults = reader.parse(read(found, content.name))
        problems += faults
        if not isinstance(value, Subscription):
            continue
        path = f"{content.name}/{value.id}"
        if value.name in by_name:
            what = f"has the same name as {by_name[value.name].id}, so it is not fetched"
            problems.append(Problem(path=path, what=what, hint="rename one of the two"))
        elif value.url in urls:
            what, hint = f"is the feed of {urls[value.url]} too, so it is not fetched", "keep one of the two files"
            problems.append(Problem(path=path, field="url", what=what, hint=hint))
        else:
            by_name[value.name] = value
            urls[value.url] = value.id
    return [by_name[name] for name in sorted(by_name)], problems


class TitleFilter:
    """What the titles of a subscription's entries must contain, and what they must not."""

    def __init__(self, subscription: Subscription) -> None:
        self._include = _Patterns(subscription.include)
        self._exclude = _Patterns(subscription.exclude)

    def accepts(self, title: str) -> bool:
        return (not self._include or self._include.match(title)) and not self._exclude.match(title)


class _Patterns:
    def __init__(self, patterns: Iterable[str]) -> None:
        rows = list(patterns)
        self._phrases = Phrases([row for row in rows if not is_expression(row)])
        self._expressions = [re.compile(row[1:-1], re.IGNORECASE) for row in rows if is_expression(row)]

    def __bool__(self) -> bool:
        return bool(self._phrases or self._expressions)

    def match(self, title: str) -> bool:
        if self._phrases and self._phrases.first(phrases.fold(title)):
            return True
        return any(e.search(title) for e in self._expressions)


def settings(subscription: Subscription, config: Config) -> bytes:
    """A digest of all that decides what becomes of the entries of a feed."""
    facts = (
        msgspec.structs.replace(subscription, id="", url="", title="", every=None, enabled=True),
        config.fetch.max_age, config.fetch.category, config.timezone, config.language, config.block, config.sources,
    )  # fmt: skip
    return text.digest_bytes(msgspec.msgpack.encode(facts))

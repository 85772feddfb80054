"""What commands print with `--json`: one object, with the version of this contract in it; or one with an `error`.

A new version takes something away or gives it another meaning. Whoever reads an object must ignore what it does not know:
new fields keep the version.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

import msgspec

from newsgen.builder import Report
from newsgen.commands.check import CheckReport
from newsgen.commands.console import OUTPUT_VERSION
from newsgen.errors import Problem
from newsgen.fetch import FetchReport, ImageReport
from newsgen.publish import Difference, Published


class ArticleRow(TypedDict):
    """An article that a gate keeps out. `opens` and `expires` are when that changes, or has changed."""

    id: str
    published: datetime
    all_day: bool
    title: str
    heat: float | None
    opens: NotRequired[datetime]
    expires: NotRequired[datetime]


class PublishedRow(TypedDict):
    """A published article. `page` is that of the article here, `story` the address of its story."""

    id: str
    published: datetime
    all_day: bool
    title: str
    provider: str | None
    category: str | None
    topics: list[str]
    authors: list[str]
    page: str | None
    story: str | None
    url: str | None


class MemberRow(TypedDict):
    """A member of a story; `file` is None for coverage."""

    id: str
    file: str | None
    url: str
    title: str


class StoryRow(TypedDict):
    """A story, with the number of its independent sources."""

    address: str
    members: list[MemberRow]
    sources: int
    lead: str
    title: str
    id: str


class SectionRow(TypedDict):
    """A topic or provider, with the number of its members."""

    key: str
    members: int
    title: str
    address: str


class FeedRow(TypedDict):
    """A feed to fetch, and how it went the last time."""

    name: str
    status: Literal["disabled", "gone", "failing", "ok"]
    articles: int
    succeeded: datetime | None
    changed: datetime | None
    due: datetime | None
    failures: int
    reason: str
    url: str
    moved: str


class Rows(TypedDict):
    """What `newsgen list` prints. All rows are of one kind."""

    rows: list[dict[str, Any]]
    problems: list[Problem]


class Member(TypedDict):
    """A member of a story, or an article alone."""

    id: str
    file: str | None
    url: str | None
    title: str
    provider: str
    published: datetime
    all_day: bool


class Evidence(TypedDict):
    """Why `id` is in a story with `other`."""

    id: str
    other: str
    kind: Literal["same address", "mutual", "declared", "editor", "similar", "expired"]
    score: float


class NearMiss(TypedDict):
    """Why `id` is not in a story; `other` is the nearest member."""

    id: str
    other: str
    reason: Literal["one side", "editor", "elsewhere", "unlike"]
    score: float
    fit: float


class ExplainedMember(Member):
    """A member of an explained story."""

    marginal: bool
    evidence: list[Evidence]


class ExplainedStory(TypedDict):
    """A story, and why its lead is that: the reason that `why` names."""

    id: str
    address: str
    title: str
    lead: str
    why: Literal["editor", "quality", "heat", "typical", "newest"]
    sources: int


class TopicReason(TypedDict):
    """Why an article has a topic."""

    key: str
    title: str
    kind: Literal["named", "synonym", "keyword", "plugin"]
    written: str


class StoryExplanation(TypedDict):
    """What `newsgen explain STORY` prints."""

    story: ExplainedStory
    members: list[ExplainedMember]
    nearest: list[NearMiss]


class ArticleExplanation(TypedDict):
    """What `newsgen explain ARTICLE` prints."""

    article: Member
    topics: list[TopicReason]
    story: ExplainedStory | None
    evidence: list[Evidence]
    nearest: list[NearMiss]


class ComparedMember(Member):
    """One of two articles that are compared. `story` is the address of its story, `named` that in its file."""

    story: str | None
    named: str
    standalone: bool


class SharedWord(TypedDict):
    """A word that both articles have, how much it counts, and its part of the similarity."""

    word: str
    quarters: int
    part: float


class InBoth(TypedDict):
    """An article that is similar to both, and the address of its story."""

    id: str
    story: str | None


class Words(TypedDict):
    """What words say of two articles."""

    hours: float
    shared: list[SharedWord]
    letters: float
    similarity: float
    floor: float
    needed: float
    obstacle: str
    fits: list[float]
    both: list[InBoth]


class PairExplanation(TypedDict):
    """What `newsgen explain ARTICLE ARTICLE` prints."""

    articles: list[ComparedMember]
    one_story: bool
    evidence: list[Evidence]
    one_sided: bool
    between: list[str]
    words: Words | None


class Error(TypedDict):
    """Why a command could not finish. `kind` is the name of the error in `newsgen.errors`, "usage" or "interrupted"."""

    kind: str
    exit_code: int
    problems: list[Problem]


class Failure(TypedDict):
    """What is printed in place of an output."""

    error: Error


OUTPUTS: dict[str, Any] = {
    "build": Report,
    "check": CheckReport,
    "list": Rows,
    "list articles": PublishedRow,
    "list drafts": ArticleRow,
    "list stories": StoryRow,
    "list topics": SectionRow,
    "list feeds": FeedRow,
    "explain story": StoryExplanation,
    "explain article": ArticleExplanation,
    "explain articles": PairExplanation,
    "publish": Published,
    "diff": Difference,
    "fetch": FetchReport,
    "images": ImageReport,
    "error": Failure,
}
"""The type of what each command prints, and of the rows of lists."""


def schema() -> dict[str, Any]:
    """The JSON Schema of all outputs, in `$defs` by the command."""
    found, parts = msgspec.json.schema_components(OUTPUTS.values(), ref_template="#/$defs/{name}")
    commands = dict(zip(OUTPUTS, found, strict=True))
    for command, reference in commands.items():
        part = parts[reference["$ref"].rpartition("/")[2]]
        if " " not in command or command.startswith("explain"):
            part["properties"] = {"version": {"const": OUTPUT_VERSION}, **part["properties"]}
            part["required"] = ["version", *part.get("required", ())]
    outputs = [name for name in commands if name == "list" or not name.startswith("list ")]
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "anyOf": [commands[name] for name in outputs], "$defs": {**parts, **commands}}
